//! Who is who: Kerberos, LDAP.

use crate::model::Ts;

/// A Kerberos exchange: a request with its reply, or either alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kerberos {
    /// `AS`, `TGS`, `AP`; empty where only an error was seen.
    pub request_type: &'static str,
    /// Principal and realm, `jane/EXAMPLE.ORG` (Zeek's form); in AP requests the realm alone.
    pub client: Option<String>,
    /// Principal of the service, `cifs/server.example.org`.
    pub service: Option<String>,
    /// The KDC granted it, or (AP) the server proved itself; `None` without a reply.
    pub success: Option<bool>,
    /// Error number (RFC 4120 7.5.9).
    pub error_code: Option<i64>,
    /// What the server says of the error, else its name.
    pub error_msg: Option<String>,
    /// Asked: valid from.
    pub from: Option<Ts>,
    /// Asked: valid till.
    pub till: Option<Ts>,
    /// Encryption of the ticket, by name.
    pub cipher: Option<String>,
    /// Asked: forwardable.
    pub forwardable: Option<bool>,
    /// Asked: renewable.
    pub renewable: Option<bool>,
    /// Subject of the client's certificate (PKINIT).
    pub client_cert_subject: Option<String>,
    /// SHA-256 of that certificate, hex (`x509.fingerprint`).
    pub client_cert_fuid: Option<String>,
    /// Subject of the KDC's certificate.
    pub server_cert_subject: Option<String>,
    /// SHA-256 of that certificate, hex.
    pub server_cert_fuid: Option<String>,
    /// Realm asked, or of the ticket.
    pub realm: Option<String>,
    /// Encryption types the client offers, in its order.
    pub etypes_offered: Vec<i64>,
    /// Types of the request's pre-authentication data.
    pub pa_types: Vec<i64>,
    /// AS: the request proves who sends it (timestamp, certificate, FAST); `None` where no request was seen.
    pub preauth: Option<bool>,
    /// Options asked (RFC 4120 5.4.1), bit 0 highest.
    pub kdc_options: Option<u32>,
    /// Encryption type of the ticket given, or (AP) shown.
    pub ticket_etype: Option<i64>,
    /// Key version of that ticket.
    pub kvno: Option<i64>,
    /// Encryption type of the reply's own part: the client's key.
    pub reply_etype: Option<i64>,
    /// TGS: encryption type of the ticket shown to ask for another.
    pub auth_ticket_etype: Option<i64>,
    /// MD5 of the ticket shown, hex (as Zeek hashes it).
    pub auth_ticket: Option<String>,
    /// MD5 of the ticket given, hex.
    pub new_ticket: Option<String>,
    /// Type of the service's name (RFC 4120 6.2).
    pub sname_type: Option<i64>,
    /// Addresses the ticket is asked for.
    pub client_addrs: Vec<String>,
    /// Bytes of the reply.
    pub rep_len: Option<u32>,
    /// Frame of the reply.
    pub reply_frame: Option<u64>,
}

/// An LDAP operation other than a search, with its result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ldap {
    /// Message id.
    pub message_id: i64,
    /// LDAP version of a bind.
    pub version: Option<i64>,
    /// `bind simple`, `bind SASL`, `unbind`, `modify`, `add` …
    pub opcode: Option<String>,
    /// Result by name.
    pub result: Option<String>,
    /// What the server adds.
    pub diagnostic_message: Option<String>,
    /// Name the operation is about.
    pub object: Option<String>,
    /// Its argument; of passwords only that there was one.
    pub argument: Option<String>,
    /// Result number (RFC 4511 4.1.9).
    pub result_code: Option<i64>,
    /// `simple`, `anonymous`, `unauthenticated` (a name without a password), `SASL`, `sicily`.
    pub bind_type: Option<&'static str>,
    /// SASL mechanism of a bind.
    pub sasl_mech: Option<String>,
    /// A simple bind carried a password.
    pub password_present: Option<bool>,
    /// The operation asks for TLS.
    pub starttls: bool,
    /// Frame of the result.
    pub reply_frame: Option<u64>,
}

/// An LDAP search with what came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LdapSearch {
    /// Message id.
    pub message_id: i64,
    /// `base`, `single`, `tree`.
    pub scope: Option<&'static str>,
    /// `never`, `searching`, `finding`, `always`.
    pub deref_aliases: Option<&'static str>,
    /// Where it begins.
    pub base_object: Option<String>,
    /// Entries returned.
    pub result_count: u64,
    /// Result by name; `None` while open.
    pub result: Option<String>,
    /// What the server adds.
    pub diagnostic_message: Option<String>,
    /// Filter in the form of RFC 4515.
    pub filter: Option<String>,
    /// Attributes asked for.
    pub attributes: Vec<String>,
    /// Result number (RFC 4511 4.1.9).
    pub result_code: Option<i64>,
    /// Most entries wanted; 0 is no limit.
    pub size_limit: Option<i64>,
    /// Bytes of the entries returned.
    pub result_bytes: u64,
    /// Frame of the final result.
    pub reply_frame: Option<u64>,
}
