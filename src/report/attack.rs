//! ATT&CK's own names: what a technique is called, and the tactics it serves (Enterprise 16 and ICS 16).

/// What ATT&CK says of a technique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Technique {
    /// As in `T1110.001`.
    pub id: &'static str,
    /// ATT&CK's name; of a sub-technique without that of its parent.
    pub name: &'static str,
    /// The tactics that it serves, as paths write them, in the order of an attack.
    pub tactics: &'static [&'static str],
}

/// A technique that rules name; of an unknown sub-technique its parent.
pub fn technique(id: &str) -> Option<&'static Technique> {
    let known = |id: &str| TECHNIQUES.binary_search_by(|known| known.id.cmp(id)).ok().and_then(|at| TECHNIQUES.get(at));
    known(id).or_else(|| known(id.split_once('.')?.0))
}

/// The tactic under which a technique stands where `wanted` found it: the tactic of the rule where the technique serves it, else its own first.
pub fn tactic<'a>(id: &str, wanted: &'a str) -> &'a str {
    match technique(id) {
        Some(known) if !known.tactics.contains(&wanted) => known.tactics.first().copied().unwrap_or(wanted),
        _ => wanted,
    }
}

const fn of(id: &'static str, name: &'static str, tactics: &'static [&'static str]) -> Technique {
    Technique { id, name, tactics }
}

const RECONNAISSANCE: &[&str] = &["reconnaissance"];
const INITIAL: &[&str] = &["initial-access"];
const EXECUTION: &[&str] = &["execution"];
const CREDENTIALS: &[&str] = &["credential-access"];
const DISCOVERY: &[&str] = &["discovery"];
const LATERAL: &[&str] = &["lateral-movement"];
const COLLECTION: &[&str] = &["collection"];
const CONTROL: &[&str] = &["command-and-control"];
const EXFILTRATION: &[&str] = &["exfiltration"];
const IMPACT: &[&str] = &["impact"];
const BETWEEN: &[&str] = &["credential-access", "collection"];

/// By id.
const TECHNIQUES: [Technique; 102] = [
    of("T0816", "Device Restart/Shutdown", &["inhibit-response-function"]),
    of("T0836", "Modify Parameter", &["impair-process-control"]),
    of("T0843", "Program Download", LATERAL),
    of("T0846", "Remote System Discovery", DISCOVERY),
    of("T0855", "Unauthorized Command Message", &["impair-process-control"]),
    of("T0858", "Change Operating Mode", &["execution", "defense-evasion"]),
    of("T0888", "Remote System Information Discovery", DISCOVERY),
    of("T1003.006", "DCSync", CREDENTIALS),
    of("T1008", "Fallback Channels", CONTROL),
    of("T1016", "System Network Configuration Discovery", DISCOVERY),
    of("T1018", "Remote System Discovery", DISCOVERY),
    of("T1021", "Remote Services", LATERAL),
    of("T1021.001", "Remote Desktop Protocol", LATERAL),
    of("T1021.002", "SMB/Windows Admin Shares", LATERAL),
    of("T1021.003", "Distributed Component Object Model", LATERAL),
    of("T1021.004", "SSH", LATERAL),
    of("T1029", "Scheduled Transfer", EXFILTRATION),
    of("T1033", "System Owner/User Discovery", DISCOVERY),
    of("T1036", "Masquerading", &["defense-evasion"]),
    of("T1036.008", "Masquerade File Type", &["defense-evasion"]),
    of("T1039", "Data from Network Shared Drive", COLLECTION),
    of("T1040", "Network Sniffing", &["credential-access", "discovery"]),
    of("T1041", "Exfiltration Over C2 Channel", EXFILTRATION),
    of("T1046", "Network Service Discovery", DISCOVERY),
    of("T1047", "Windows Management Instrumentation", EXECUTION),
    of("T1048", "Exfiltration Over Alternative Protocol", EXFILTRATION),
    of("T1048.003", "Exfiltration Over Unencrypted Non-C2 Protocol", EXFILTRATION),
    of("T1053.005", "Scheduled Task", &["execution", "persistence", "privilege-escalation"]),
    of("T1059", "Command and Scripting Interpreter", EXECUTION),
    of("T1059.004", "Unix Shell", EXECUTION),
    of("T1068", "Exploitation for Privilege Escalation", &["privilege-escalation"]),
    of("T1069.002", "Domain Groups", DISCOVERY),
    of("T1071", "Application Layer Protocol", CONTROL),
    of("T1071.001", "Web Protocols", CONTROL),
    of("T1071.003", "Mail Protocols", CONTROL),
    of("T1071.004", "DNS", CONTROL),
    of("T1078", "Valid Accounts", &["initial-access", "persistence", "privilege-escalation", "defense-evasion"]),
    of("T1078.001", "Default Accounts", &["initial-access", "persistence", "privilege-escalation", "defense-evasion"]),
    of("T1082", "System Information Discovery", DISCOVERY),
    of("T1087.002", "Domain Account", DISCOVERY),
    of("T1090.002", "External Proxy", CONTROL),
    of("T1090.003", "Multi-hop Proxy", CONTROL),
    of("T1095", "Non-Application Layer Protocol", CONTROL),
    of("T1105", "Ingress Tool Transfer", CONTROL),
    of("T1110", "Brute Force", CREDENTIALS),
    of("T1110.001", "Password Guessing", CREDENTIALS),
    of("T1110.003", "Password Spraying", CREDENTIALS),
    of("T1119", "Automated Collection", COLLECTION),
    of("T1132", "Data Encoding", CONTROL),
    of("T1133", "External Remote Services", &["initial-access", "persistence"]),
    of("T1187", "Forced Authentication", CREDENTIALS),
    of("T1190", "Exploit Public-Facing Application", INITIAL),
    of("T1203", "Exploitation for Client Execution", EXECUTION),
    of("T1204.002", "Malicious File", EXECUTION),
    of("T1207", "Rogue Domain Controller", &["defense-evasion"]),
    of("T1210", "Exploitation of Remote Services", LATERAL),
    of("T1212", "Exploitation for Credential Access", CREDENTIALS),
    of("T1219", "Remote Access Software", CONTROL),
    of("T1482", "Domain Trust Discovery", DISCOVERY),
    of("T1486", "Data Encrypted for Impact", IMPACT),
    of("T1496", "Resource Hijacking", IMPACT),
    of("T1496.001", "Compute Hijacking", IMPACT),
    of("T1498", "Network Denial of Service", IMPACT),
    of("T1498.001", "Direct Network Flood", IMPACT),
    of("T1498.002", "Reflection Amplification", IMPACT),
    of("T1499", "Endpoint Denial of Service", IMPACT),
    of("T1499.001", "OS Exhaustion Flood", IMPACT),
    of("T1499.002", "Service Exhaustion Flood", IMPACT),
    of("T1499.004", "Application or System Exploitation", IMPACT),
    of("T1505.003", "Web Shell", &["persistence"]),
    of("T1547.012", "Print Processors", &["persistence", "privilege-escalation"]),
    of("T1550.002", "Pass the Hash", &["defense-evasion", "lateral-movement"]),
    of("T1550.003", "Pass the Ticket", &["defense-evasion", "lateral-movement"]),
    of("T1552", "Unsecured Credentials", CREDENTIALS),
    of("T1552.001", "Credentials In Files", CREDENTIALS),
    of("T1557", "Adversary-in-the-Middle", BETWEEN),
    of("T1557.001", "LLMNR/NBT-NS Poisoning and SMB Relay", BETWEEN),
    of("T1557.002", "ARP Cache Poisoning", BETWEEN),
    of("T1557.003", "DHCP Spoofing", BETWEEN),
    of("T1558", "Steal or Forge Kerberos Tickets", CREDENTIALS),
    of("T1558.003", "Kerberoasting", CREDENTIALS),
    of("T1558.004", "AS-REP Roasting", CREDENTIALS),
    of("T1562.010", "Downgrade Attack", &["defense-evasion"]),
    of("T1566", "Phishing", INITIAL),
    of("T1566.001", "Spearphishing Attachment", INITIAL),
    of("T1567", "Exfiltration Over Web Service", EXFILTRATION),
    of("T1568", "Dynamic Resolution", CONTROL),
    of("T1568.001", "Fast Flux DNS", CONTROL),
    of("T1568.002", "Domain Generation Algorithms", CONTROL),
    of("T1569.002", "Service Execution", EXECUTION),
    of("T1570", "Lateral Tool Transfer", LATERAL),
    of("T1571", "Non-Standard Port", CONTROL),
    of("T1572", "Protocol Tunneling", CONTROL),
    of("T1573", "Encrypted Channel", CONTROL),
    of("T1573.002", "Asymmetric Cryptography", CONTROL),
    of("T1587.003", "Digital Certificates", &["resource-development"]),
    of("T1595", "Active Scanning", RECONNAISSANCE),
    of("T1595.001", "Scanning IP Blocks", RECONNAISSANCE),
    of("T1595.002", "Vulnerability Scanning", RECONNAISSANCE),
    of("T1595.003", "Wordlist Scanning", RECONNAISSANCE),
    of("T1602.001", "SNMP (MIB Dump)", COLLECTION),
    of("T1602.002", "Network Device Configuration Dump", COLLECTION),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_technique_that_a_rule_names_has_a_name_and_a_tactic_here() {
        assert!(TECHNIQUES.windows(2).all(|pair| pair[0].id < pair[1].id), "by id, each once");
        let rules = crate::detect::Rules::load(&[], &[]).unwrap();
        for rule in rules.list().map(|rule| &rule.header) {
            for id in &rule.attack {
                assert!(technique(id).is_some_and(|known| known.id == id), "{id} of {} has no name", rule.id);
            }
        }
        assert!(rules.list().count() > 50);
    }

    #[test]
    fn a_technique_stands_under_a_tactic_that_it_serves() {
        assert_eq!(tactic("T1048.003", "command-and-control"), "exfiltration");
        assert_eq!(tactic("T1040", "discovery"), "discovery");
        assert_eq!(tactic("T9999", "discovery"), "discovery");
        assert_eq!(technique("T1021.099").map(|known| known.id), Some("T1021"));
    }
}
