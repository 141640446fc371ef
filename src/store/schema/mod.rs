//! Every table of a case, in the order of `docs/schema.md`.

pub mod anomaly;
pub mod events;
pub mod flows;
pub mod judgement;
pub mod record;
pub mod windows;

use super::column::{Columns, Kind};
use std::fmt::Write;

/// Version of the tables. It rises with every change that an older vigil could not read.
pub const VERSION: u32 = 1;

/// The views, as SQL.
pub const VIEWS: &str = include_str!("views.sql");

/// A table as people see it.
pub struct Table {
    /// Name.
    pub name: &'static str,
    /// What a row is.
    pub doc: &'static str,
    /// Name, type and meaning of each column.
    pub columns: Vec<(String, Kind, String)>,
}

fn table<R>(name: &'static str, doc: &'static str, columns: Columns<R>) -> Table {
    let columns = columns.0.into_iter().map(|column| (column.name.into_owned(), column.kind, column.doc.into_owned()));
    Table { name, doc, columns: columns.collect() }
}

/// All tables.
pub fn tables() -> Vec<Table> {
    vec![
        table("flows", "One flow: both directions of a conversation. Zeek's `conn`.", flows::flows()),
        table("flow_shape", "What the packets of a flow look like: one row per flow.", flows::flow_shape()),
        table("payloads", "How the bytes of a flow begin: one row per flow with payload.", flows::payloads()),
        table("dns", "A DNS query with its answer, or either alone.", events::dns()),
        table("http", "An HTTP request with its response, or either alone.", events::http()),
        table("websocket", "A connection that became a WebSocket.", events::websocket()),
        table("tls", "A TLS handshake as far as it is in clear. Zeek's `ssl`.", events::tls()),
        table("quic", "A QUIC connection attempt as far as it is in clear.", events::quic()),
        table("kerberos", "A Kerberos request with its reply, or either alone.", events::kerberos()),
        table("ldap", "An LDAP operation other than a search, with its result.", events::ldap()),
        table("ldap_search", "An LDAP search with what came of it.", events::ldap_search()),
        table("rdp", "An RDP connection.", events::rdp()),
        table("ntp", "An NTP message.", events::ntp()),
        table("snmp", "An SNMP session: all messages of a flow.", events::snmp()),
        table("rtp", "A source of media that SIP announced, in one flow.", events::rtp()),
        table("sip", "A SIP response with the request it answers, or a request alone.", events::sip()),
        table("syslog", "A syslog message.", events::syslog()),
        table("radius", "A RADIUS login up to its verdict.", events::radius()),
        table("mysql", "A MySQL command with its answer.", events::mysql()),
        table("socks", "A SOCKS request with its answer.", events::socks()),
        table("rfb", "A VNC connection.", events::rfb()),
        table("x509", "A certificate: one row per certificate and flow.", events::x509()),
        table("ssh", "An SSH connection.", events::ssh()),
        table("ftp", "An FTP command with its reply.", events::ftp()),
        table("smtp", "A message sent over SMTP, or what was tried of one.", events::smtp()),
        table("pop3", "A POP3 command with its answer.", events::pop3()),
        table("imap", "An IMAP command with its answer.", events::imap()),
        table("irc", "An IRC message that matters: who, where, what.", events::irc()),
        table("tftp", "A TFTP request with the transfer that followed.", events::tftp()),
        table("telnet", "A line typed in a remote session in clear.", events::telnet()),
        table("files", "A transferred file.", events::files()),
        table("credentials", "A login attempt seen in clear.", events::credentials()),
        table("smb_mapping", "A share that a client connected to.", windows::smb_mapping()),
        table(
            "smb_files",
            "Something done to a file or pipe over SMB; bytes and counts of a handle stand on the row that opened it.",
            windows::smb_files(),
        ),
        table("smb_cmd", "An SMB command with its answer, or either alone.", windows::smb_cmd()),
        table("dce_rpc", "A remote procedure call with its answer, or either alone.", windows::dce_rpc()),
        table("rpc", "A call of ONC RPC with its reply, or either alone: all programs but NFS.", events::rpc()),
        table("nfs", "An NFS call with its reply, or calls within a minute that differ in nothing but time and offset.", events::nfs()),
        table("ntlm", "An NTLM exchange, whatever carried it.", windows::ntlm()),
        table("icmp", "An ICMP or ICMPv6 message.", events::icmp()),
        table("arp", "An ARP message.", events::arp()),
        table(
            "tunnel",
            "A tunnel begins or ends. Over UDP and TCP `flow_id` is a row of `flows`; directly over IP it is only named in `tunnel_parents`.",
            events::tunnel(),
        ),
        table("dhcp", "A DHCP transaction, over all flows it travels in.", events::dhcp()),
        table("modbus", "A Modbus message.", events::modbus()),
        table("dnp3", "A DNP3 request with its response, or either alone.", events::dnp3()),
        table("s7comm", "An S7 message: a job with its answer, or either alone.", events::s7comm()),
        table("enip", "An EtherNet/IP message.", events::enip()),
        table("cip", "A CIP request or response.", events::cip()),
        table("cip_identity", "What an EtherNet/IP device says about itself.", events::cip_identity()),
        table("bacnet", "A BACnet message.", events::bacnet()),
        table("iec104", "An IEC 60870-5-104 message.", events::iec104()),
        table("opcua_binary", "A message that opens or closes an OPC UA connection.", events::opcua()),
        table("mqtt_connect", "An MQTT client introduces itself.", events::mqtt_connect()),
        table("mqtt_publish", "An MQTT message with what became of it.", events::mqtt_publish()),
        table("mqtt_subscribe", "An MQTT client subscribes, or stops to.", events::mqtt_subscribe()),
        table("redis", "A Redis command with its answer.", events::redis()),
        table("postgresql", "A PostgreSQL request with its answer.", events::postgresql()),
        table("tds", "A request to a Microsoft SQL server with its answer.", events::tds()),
        table("mongodb", "A MongoDB command with its answer.", events::mongodb()),
        table("ike", "An IKE message as far as it is in clear.", events::ike()),
        table("stun", "A STUN transaction.", events::stun()),
        table("greetings", "What a flow of a simple protocol says in its first messages: one row per flow.", events::greeting()),
        table("dhcpv6", "A DHCPv6 message.", events::dhcpv6()),
        table("ndp", "A neighbour discovery message, router advertisements among them.", events::ndp()),
        table("igmp", "An IGMP message.", events::igmp()),
        table("stp", "A spanning tree message that differs from the one before it of the same sender.", events::stp()),
        table("lldp", "What a device says about itself by LLDP: first, and when it changes.", events::neighbor()),
        table("cdp", "What a device says about itself by CDP: first, and when it changes.", events::neighbor()),
        table("weird", "Something that should not be.", events::weird()),
        table("tcp_anomaly", "Two TCP segments of one side that one sender would hardly have sent.", anomaly::tcp_anomaly()),
        table("frag", "The fragments of one datagram.", anomaly::frag()),
        table(
            "flow_process",
            "The program of the watched machine at one end of a flow, as seen by `vigil live` on that machine.",
            record::flow_process(),
        ),
        table("captures", "A file of evidence.", record::captures()),
        table("capture_interfaces", "An interface that a capture describes, with what it counted.", record::capture_interfaces()),
        table("comments", "Something that people or programs noted in a capture.", record::comments()),
        table("resolved_names", "A name that the capturing host knew for an address.", record::resolved_names()),
        table("capture_blocks", "A block of a capture that holds neither packets nor any of the above.", record::capture_blocks()),
        table("decryption_secrets", "Secrets in a capture with which its traffic can be decrypted.", record::decryption_secrets()),
        table("damage", "A place where the evidence is damaged.", record::damage()),
        table("packets_summary", "Frames by how far they could be read: every frame is counted once.", record::packets_summary()),
        table("statistics", "Traffic by buckets of time.", record::statistics()),
        table("hosts", "An address seen.", judgement::hosts()),
        table("host_role", "What a host is for, as far as its traffic tells.", judgement::host_role()),
        table("host_claims", "Something said of a host, by whom, and in which frame. See `hosts.md`.", judgement::host_claims()),
        table("indicators", "Known bad things, from outside.", judgement::indicators()),
        table("places", "Where addresses are said to be, from outside.", judgement::places()),
        table("lists", "Lists that rules join with.", judgement::lists()),
        table("rules", "A rule and what became of it.", judgement::rules()),
        table("findings", "A finding, folded and scored.", judgement::findings()),
        table("finding_flows", "The flows of each finding.", judgement::finding_flows()),
        table("incidents", "Findings that belong together.", judgement::incidents()),
        table("incident_hosts", "Hosts of each incident and the parts they play: the nodes of its graph.", judgement::incident_hosts()),
        table("incident_edges", "Who acted on whom in each incident: the edges of its graph.", judgement::incident_edges()),
        table("host_risk", "Hosts by risk.", judgement::host_risk()),
        table("anomalies", "What is unlike the rest.", judgement::anomalies()),
        table("scores", "What the models say of each flow: one row per flow. See the view `flow_scores`.", judgement::scores()),
        table("summaries", "Prose about the case.", judgement::summaries()),
        table("runs", "What made this case: facts that are the same on every run.", record::runs()),
        table("system_logs", "What vigil says about its own work.", record::system_logs()),
    ]
}

/// Tables of what was judged or derived: a live case has them once, not per segment.
pub const JUDGEMENTS: [&str; 15] = [
    "hosts",
    "host_role",
    "host_claims",
    "indicators",
    "places",
    "lists",
    "rules",
    "findings",
    "finding_flows",
    "incidents",
    "incident_hosts",
    "incident_edges",
    "host_risk",
    "anomalies",
    "summaries",
];

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The statements that make all tables, with their comments.
pub fn ddl() -> String {
    let mut sql = ddl_of(|_| true);
    for table in tables() {
        for (column, _, doc) in &table.columns {
            let _ = writeln!(sql, "COMMENT ON COLUMN \"{}\".\"{column}\" IS {};", table.name, quoted(doc));
        }
    }
    sql
}

/// The statements that make the tables of these names, without the comments of their columns.
pub fn ddl_of(wanted: impl Fn(&str) -> bool) -> String {
    let mut sql = String::new();
    for table in tables().into_iter().filter(|table| wanted(table.name)) {
        let columns: Vec<String> = table.columns.iter().map(|(name, kind, _)| format!("    \"{name}\" {}", kind.sql())).collect();
        let name = table.name;
        let _ = write!(sql, "CREATE TABLE \"{name}\" (\n{}\n);\n", columns.join(",\n"));
        let _ = writeln!(sql, "COMMENT ON TABLE \"{name}\" IS {};", quoted(table.doc));
    }
    sql
}

/// `docs/schema.md`.
pub fn markdown() -> String {
    let mut text = String::from(include_str!("schema.head.md"));
    for table in tables() {
        let _ = write!(text, "\n## `{}`\n\n{}\n\n| column | type | meaning |\n| --- | --- | --- |\n", table.name, table.doc);
        for (name, kind, doc) in &table.columns {
            let _ = writeln!(text, "| `{name}` | {} | {} |", kind.sql(), doc.replace('|', "\\|"));
        }
    }
    let _ = write!(text, "\n## Views\n\n```sql\n{}```\n", VIEWS);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn column_names_are_unique_in_any_case_of_letters_because_duckdb_folds_them() {
        for table in tables() {
            let names: BTreeSet<String> = table.columns.iter().map(|(name, ..)| name.to_lowercase()).collect();
            assert_eq!(names.len(), table.columns.len(), "{}", table.name);
        }
    }

    #[test]
    fn every_column_says_what_it_holds() {
        for table in tables() {
            for (name, _, doc) in &table.columns {
                assert!(doc.ends_with(['.', '…']), "{}.{name}: {doc}", table.name);
            }
        }
    }

    #[test]
    fn the_written_schema_is_the_one_in_force() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).expect("docs folder");
            std::fs::write(path, markdown()).expect("docs/schema.md");
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == markdown(), "docs/schema.md is out of date: UPDATE_DOCS=1 cargo test --lib store::schema");
    }
}
