//! What claims rest on, who makes them, and how far each is believed.

/// Who makes a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// The host says it of itself.
    Host,
    /// Others say it of the host.
    Others,
    /// It follows from what the host did, or from a registry.
    Inferred,
}

impl Teller {
    /// As `host_claims.said_by` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Others => "others",
            Self::Inferred => "inferred",
        }
    }
}

/// What a claim rests on: a row of `docs/hosts.md`.
#[derive(Debug)]
pub struct Ground {
    /// As `host_claims.ground` has it.
    pub name: &'static str,
    /// Who says so.
    pub teller: Teller,
    /// P(it is so), where nothing else is known.
    pub confidence: f64,
    /// What it is.
    pub doc: &'static str,
}

const fn ground(name: &'static str, teller: Teller, confidence: f64, doc: &'static str) -> Ground {
    Ground { name, teller, confidence, doc }
}

use Teller::{Host, Inferred, Others};

/// All of them. What was proven or granted stands at 0.9 and above, what a machine says of itself by habit at 0.7 to 0.85, what others say at
/// 0.5 to 0.7, what anybody can type, or was refused, below.
pub const GROUNDS: &[Ground] = &[
    ground(
        "self-description",
        Host,
        0.95,
        "A device describes itself to its neighbours or its management: LLDP, CDP, EtherNet/IP identity, BACnet.",
    ),
    ground("target", Host, 0.95, "NTLM challenge: the server's own names and domain."),
    ground("registry", Inferred, 0.95, "The IEEE's registry of hardware addresses names the vendor of this prefix."),
    ground("answers", Inferred, 0.95, "The host answers on this port, and the content is of this protocol."),
    ground("lease name", Host, 0.9, "DHCP: the client's name, in an exchange that gave it this address."),
    ground("lease", Others, 0.9, "DHCP: the server gave this address to this hardware address."),
    ground("status", Host, 0.9, "NetBIOS status: the list of its own names."),
    ground("workstation", Host, 0.9, "NTLM: the client's name for its machine."),
    ground("machine account", Host, 0.9, "The machine's own account logged in and was let in."),
    ground("machine certificate", Host, 0.9, "Remote desktop: the certificate that Windows makes for its own name."),
    ground("client name", Host, 0.9, "RDP, TDS, and RPC with AUTH_SYS, as NFS clients use it: the client's name for its machine."),
    ground("description", Host, 0.9, "SNMP: the agent describes its system."),
    ground("login", Host, 0.9, "Someone logged in from this host, and was let in."),
    ground("login let in", Host, 0.9, "This host let that account in."),
    ground("behaviour", Inferred, 0.9, "The host does what only this role does."),
    ground("advertisement", Host, 0.85, "IPv6 router advertisement with a lifetime."),
    ground("controller search", Host, 0.85, "The client introduces itself while it looks for a domain controller."),
    ground(
        "sender address",
        Host,
        0.8,
        "ARP or neighbour discovery: the host claims this hardware address for itself; others can do so in its name.",
    ),
    ground("registration", Host, 0.8, "NetBIOS: the host registers the name."),
    ground("announcement", Host, 0.8, "mDNS: the host announces the name."),
    ground("realm", Host, 0.8, "Kerberos: the host grants tickets of this realm."),
    ground("ticket address", Host, 0.8, "Kerberos: NetBIOS name of the machine that asks for a ticket."),
    ground("vendor class", Host, 0.8, "DHCP: vendor class of the client."),
    ground("version", Host, 0.8, "NTLM: version of the operating system. The number of the build is shared by clients and servers."),
    ground("prompt", Host, 0.8, "The prompt of its shell."),
    ground("proven server name", Others, 0.8, "TLS: asked for by this name, the host showed a certificate for it."),
    ground("user agent", Host, 0.75, "The client's program names itself, and often its system; programs can say anything."),
    ground("banner", Host, 0.75, "The server's program names itself, and often its system."),
    ground("client banner", Host, 0.75, "The client's program names itself (SSH)."),
    ground("client build", Host, 0.7, "RDP: version of the client's program."),
    ground(
        "frames",
        Inferred,
        0.7,
        "Frames of this address come from this hardware address, which carries no foreign and few other addresses.",
    ),
    ground("own name", Host, 0.7, "LLMNR: the host asks whether anybody else has its name."),
    ground("own answer", Host, 0.7, "LLMNR or NetBIOS: the host answers to the name, as those do who poison."),
    ground("address record", Others, 0.7, "DNS: the name has this address."),
    ground("reverse record", Others, 0.7, "DNS: the address has this name."),
    ground("request name", Host, 0.7, "The host names itself in a request that nobody was seen to grant."),
    ground("alias record", Others, 0.65, "DNS: who asked for this name was led to the address by way of another name."),
    ground("canonical name", Others, 0.6, "DNS: the name behind an alias has this address."),
    ground("server name", Others, 0.6, "TLS or QUIC: the client asked for this name, the server answered."),
    ground("certificate", Host, 0.6, "TLS: the name in the certificate that the host shows."),
    ground("share path", Others, 0.6, "The client calls the server so, and got what it wanted."),
    ground("dhcp fingerprint", Inferred, 0.6, "DHCP: the options that a client asks for, in their order, are those of this system."),
    ground("option", Others, 0.6, "DHCP: the server tells its clients to use this host."),
    ground("greeting", Host, 0.6, "The server's first line begins with its name."),
    ground("host header", Others, 0.5, "HTTP: the client asked for this host, the server answered."),
    ground("unanswered login", Host, 0.5, "Someone wanted to log in from this host; what came of it was not seen."),
    ground("syn fingerprint", Inferred, 0.5, "TCP: order of the first options and hops left are those of this family of systems."),
    ground("open port", Inferred, 0.5, "The host answers on this port; the content is of no protocol that is known."),
    ground("message", Host, 0.5, "Syslog: the name in the sender's messages, which may be passed on for others."),
    ground(
        "identifier",
        Host,
        0.4,
        "DHCPv6: hardware address in the client's DUID, which may be another card's, or that of the machine it was copied from.",
    ),
    ground("cookie", Host, 0.4, "RDP: user name in the first request, before any proof."),
    ground("hello", Host, 0.4, "SMTP: what the client calls itself; nobody checks."),
    ground("refused login", Host, 0.3, "Someone wanted to log in from this host and was refused."),
    ground("denied server name", Others, 0.2, "TLS: the client asked for this name, the host showed a certificate for others."),
];

/// What a ground is, in a sentence; empty where there is no such ground.
pub fn meaning(ground: &str) -> &'static str {
    GROUNDS.iter().find(|known| known.name == ground).map_or("", |known| known.doc)
}

/// `docs/hosts.md`.
#[cfg(test)]
fn markdown() -> String {
    use std::fmt::Write;
    let mut text = String::from(include_str!("hosts.head.md"));
    text.push_str("\n| ground | said by | confidence | what it is |\n| --- | --- | --- | --- |\n");
    for Ground { name, teller, confidence, doc } in GROUNDS {
        let _ = writeln!(text, "| {name} | {} | {confidence} | {doc} |", teller.name());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn grounds_have_names_of_their_own_and_stand_in_order_of_belief() {
        let names: BTreeSet<&str> = GROUNDS.iter().map(|ground| ground.name).collect();
        assert_eq!(names.len(), GROUNDS.len());
        assert!(GROUNDS.is_sorted_by(|a, b| a.confidence >= b.confidence));
        assert!(GROUNDS.iter().all(|ground| ground.confidence > 0.0 && ground.confidence <= 1.0 && ground.doc.ends_with('.')));
    }

    #[test]
    fn the_written_list_of_grounds_is_the_one_in_force() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/hosts.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, markdown()).expect("docs/hosts.md");
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == markdown(), "docs/hosts.md is out of date: UPDATE_DOCS=1 cargo test --lib store::claims");
    }

    #[test]
    fn every_ground_that_sql_names_is_known() {
        let sql = [include_str!("said.sql"), include_str!("observed.sql")].concat();
        for ground in GROUNDS.iter().filter(|ground| ground.name != "registry") {
            assert!(sql.contains(&format!("'{}'", ground.name)), "nothing stands on {}", ground.name);
        }
    }
}
