//! Names asked and answered.

/// A DNS query with its answer, or either alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dns {
    /// Transaction id.
    pub trans_id: u16,
    /// Seconds from query to answer, where the answer holds records (as Zeek logs it).
    pub rtt: Option<f64>,
    /// The name asked, without the trailing dot, as sent (escaped `\xNN` where not printable ASCII).
    pub query: Option<String>,
    /// Class number.
    pub qclass: Option<u16>,
    /// `C_INTERNET` …
    pub qclass_name: Option<String>,
    /// Type number.
    pub qtype: Option<u16>,
    /// `A`, `AAAA`, `TXT` …
    pub qtype_name: Option<String>,
    /// Response code; `None` without an answer.
    pub rcode: Option<u16>,
    /// `NOERROR`, `NXDOMAIN` …
    pub rcode_name: Option<String>,
    /// Opcode.
    pub opcode: u8,
    /// `query`, `status` …
    pub opcode_name: String,
    /// Authoritative answer.
    pub aa: bool,
    /// Truncated.
    pub tc: bool,
    /// Recursion desired.
    pub rd: bool,
    /// Recursion available.
    pub ra: bool,
    /// Reserved bits.
    pub z: u8,
    /// Answers as Zeek prints them.
    pub answers: Vec<String>,
    /// Types of these answers.
    pub answer_types: Vec<String>,
    /// Their time to live, seconds.
    pub ttls: Vec<u32>,
    /// The server answered without any record, or refused without repeating the question (Zeek's meaning).
    pub rejected: bool,
    /// Frame of the query, if seen.
    pub query_frame: Option<u64>,
    /// Frame of the answer, if seen.
    pub answer_frame: Option<u64>,
    /// UDP payload or TCP message length of the query.
    pub query_bytes: Option<u32>,
    /// Of the answer.
    pub resp_bytes: Option<u32>,
    /// Registered domain (public suffix plus one label), lower case.
    pub etld1: Option<String>,
    /// What stands before it, lower case.
    pub sub: Option<String>,
    /// Number of labels of the query.
    pub labels: u8,
    /// Entropy of `sub`, bits per character.
    pub sub_h1: Option<f64>,
    /// `dns`, `mdns`, `llmnr`, `nbns`.
    pub kind: &'static str,
    /// The message broke off or contradicted itself.
    pub malformed: bool,
    /// NetBIOS: last byte of the name asked, which tells what kind of thing it names.
    pub nb_suffix: Option<u8>,
    /// NetBIOS: the name belongs to a group, as its first record says.
    pub nb_group: Option<bool>,
}
