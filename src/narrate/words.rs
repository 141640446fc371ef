//! Words for numbers and ids, so that a sentence can be read aloud.

use crate::model::finding::{Finding, Outcome};
use crate::model::report::Host;

/// ATT&CK techniques that rules name, in words (Enterprise and ICS matrices).
const TECHNIQUES: [(&str, &str); 102] = [
    ("T0816", "stopping or restarting a controller"),
    ("T0836", "changing a parameter of a process"),
    ("T0843", "giving a controller another program"),
    ("T0846", "looking for controllers"),
    ("T0855", "orders to a controller from somebody who has none to give"),
    ("T0858", "putting a controller into another mode"),
    ("T0888", "finding out what controllers are"),
    ("T1003.006", "copying the directory's secrets as a domain controller would (DCSync)"),
    ("T1008", "fallback channels"),
    ("T1016", "finding out about the network"),
    ("T1018", "looking for other hosts"),
    ("T1021", "moving on by remote services"),
    ("T1021.001", "moving on by remote desktop"),
    ("T1021.002", "moving on by Windows shares"),
    ("T1021.003", "moving on by DCOM"),
    ("T1021.004", "moving on by SSH"),
    ("T1029", "transfers at set times"),
    ("T1033", "finding out who is logged in"),
    ("T1036", "a false name"),
    ("T1036.008", "a file disguised as another type"),
    ("T1039", "gathering files of a share"),
    ("T1040", "listening on the network"),
    ("T1041", "sending data out over the control channel"),
    ("T1046", "looking for services"),
    ("T1047", "running commands through WMI"),
    ("T1048", "sending data out by another way than the control channel"),
    ("T1048.003", "sending data out unencrypted"),
    ("T1053.005", "running a program as a scheduled task"),
    ("T1059", "running commands in a shell"),
    ("T1059.004", "running commands in a Unix shell"),
    ("T1068", "gaining rights by an exploit"),
    ("T1069.002", "finding out about groups of the domain"),
    ("T1071", "control hidden in an ordinary protocol"),
    ("T1071.001", "control hidden in web traffic"),
    ("T1071.003", "control hidden in mail"),
    ("T1071.004", "control hidden in DNS"),
    ("T1078", "use of a valid account"),
    ("T1078.001", "use of an account that a device is delivered with"),
    ("T1082", "finding out about the system"),
    ("T1087.002", "finding out about accounts of the domain"),
    ("T1090.002", "going through a proxy outside"),
    ("T1090.003", "hiding behind several proxies"),
    ("T1095", "control over a protocol that is not meant for data"),
    ("T1105", "bringing a tool onto a host"),
    ("T1110", "guessing of passwords"),
    ("T1110.001", "guessing the password of an account"),
    ("T1110.003", "trying a few passwords on many accounts"),
    ("T1119", "gathering files by a program"),
    ("T1132", "encoding of control traffic"),
    ("T1133", "a remote service that is reachable from outside"),
    ("T1187", "making a host log in to the attacker"),
    ("T1190", "attacking a service that is reachable from outside"),
    ("T1203", "attacking a client program"),
    ("T1204.002", "a user opening a malicious file"),
    ("T1207", "posing as a domain controller"),
    ("T1210", "attacking a service inside the network"),
    ("T1212", "attacking a login protocol"),
    ("T1219", "remote access software"),
    ("T1482", "finding out which domains trust each other"),
    ("T1486", "encrypting data so that their owner cannot use them"),
    ("T1496", "use of others' machines"),
    ("T1496.001", "use of a host's processor for somebody else"),
    ("T1498", "flooding the network"),
    ("T1498.001", "flooding the network directly"),
    ("T1498.002", "flooding by reflection"),
    ("T1499", "exhausting a service"),
    ("T1499.001", "exhausting a host with connections"),
    ("T1499.002", "exhausting a service with requests"),
    ("T1499.004", "making a service or system fail by what it cannot handle"),
    ("T1505.003", "a page of the server that runs commands (web shell)"),
    ("T1547.012", "a driver of the print spooler that starts with the system"),
    ("T1550.002", "logging in with a stolen hash"),
    ("T1550.003", "logging in with a stolen ticket"),
    ("T1552", "unprotected credentials"),
    ("T1552.001", "credentials that lie in the open"),
    ("T1557", "standing between two hosts"),
    ("T1557.001", "answering name look-ups in another's place"),
    ("T1557.002", "redirecting traffic by false ARP answers"),
    ("T1557.003", "posing as the DHCP server"),
    ("T1558", "stolen or forged Kerberos tickets"),
    ("T1558.003", "asking for tickets to crack offline (Kerberoasting)"),
    ("T1558.004", "asking for logins to crack offline (AS-REP roasting)"),
    ("T1562.010", "talking protection down to a weaker one"),
    ("T1566", "deceit by mail"),
    ("T1566.001", "a harmful file sent by mail"),
    ("T1567", "sending data out to a web service"),
    ("T1568", "control by changing names"),
    ("T1568.001", "a name that wanders from address to address (fast flux)"),
    ("T1568.002", "names made up by an algorithm"),
    ("T1569.002", "running a program as a service"),
    ("T1570", "bringing a tool from host to host"),
    ("T1571", "a protocol on a port that is not its own"),
    ("T1572", "a tunnel inside another protocol"),
    ("T1573", "an encrypted control channel"),
    ("T1573.002", "a control channel encrypted with its own certificates"),
    ("T1587.003", "certificates made by the attacker"),
    ("T1595", "scanning from outside"),
    ("T1595.001", "scanning of address ranges from outside"),
    ("T1595.002", "scanning for vulnerabilities"),
    ("T1595.003", "trying names of pages and files"),
    ("T1602.001", "reading out a device over SNMP"),
    ("T1602.002", "taking the configuration of a network device"),
];

/// `guessing of passwords (T1110)`; the bare id where there are no words for it.
pub(super) fn technique(id: &str) -> String {
    let known = |id: &str| TECHNIQUES.iter().find(|(known, _)| *known == id).map(|(_, words)| *words);
    let parent = id.split_once('.').map(|(parent, _)| parent);
    match known(id).or_else(|| parent.and_then(known)) {
        Some(words) => format!("{words} ({id})"),
        None => format!("ATT&CK technique {id}"),
    }
}

/// A probability as people weigh it.
pub(super) fn confidence(p: f64) -> &'static str {
    match p {
        p if p >= 0.95 => "there is hardly any doubt about it",
        p if p >= 0.8 => "it is very likely what it looks like",
        p if p >= 0.6 => "it is more likely than not what it looks like",
        p if p >= 0.4 => "it may be what it looks like, or not",
        _ => "it is a hint, no more",
    }
}

/// How far it got.
pub(super) fn outcome(finding: &Finding) -> &'static str {
    match finding.outcome {
        Outcome::BenignTrigger => "what set it off is known to be harmless",
        Outcome::Attempt => "it was tried, and no effect was seen",
        Outcome::Guessing => "it was tried without success, as far as the capture shows",
        Outcome::Likely => "it probably worked",
        Outcome::Confirmed => "the capture shows it in full",
    }
}

/// `command-and-control` → `command and control`.
pub(super) fn tactic(name: &str) -> String {
    name.replace(['-', '_'], " ")
}

/// `a`, `a and b`, `a, b and c`, `a, b and 7 others`.
pub(super) fn list(items: &[String], most: usize) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        many if many.len() <= most => {
            let (last, front) = many.split_last().map_or((String::new(), String::new()), |(last, front)| (last.clone(), front.join(", ")));
            format!("{front} and {last}")
        }
        many => {
            let shown = many.iter().take(most - 1).cloned().collect::<Vec<_>>().join(", ");
            format!("{shown} and {} others", many.len() - (most - 1))
        }
    }
}

/// `10.0.0.5 (files.office.example)`.
pub(super) fn host(ip: &str, hosts: &[Host]) -> String {
    match hosts.iter().find(|host| host.ip == ip).and_then(|host| host.names.first()) {
        Some(name) => format!("{ip} ({name})"),
        None => ip.to_owned(),
    }
}

/// The text with its first letter large and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches(['.', ';', ',']);
    let mut letters = text.chars();
    let first = letters.next().map(|first| if starts_a_word(text) { first.to_uppercase().collect::<String>() } else { first.to_string() });
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// Names and addresses keep their first letter; plain words do not.
fn starts_a_word(text: &str) -> bool {
    let word = text.split(' ').next().unwrap_or_default();
    word.bytes().all(|b| b.is_ascii_lowercase() || b == b',')
}
