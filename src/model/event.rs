//! Application events: one message, or one exchange, of one protocol. Each struct is the row of a table; field names are column names.

use super::anomaly::{Frag, TcpAnomaly};
use super::windows::{DceRpc, Ntlm, SmbCmd, SmbFile, SmbMapping};
use super::{FlowId, Proto, Ts};
use std::net::{IpAddr, Ipv4Addr};

mod identity;
mod industrial;
mod lan;
mod mail;
mod quic;
mod remote;
mod services;
mod stores;
mod typed;

pub use identity::{Kerberos, Ldap, LdapSearch};
pub use industrial::{Bacnet, Cip, CipIdentity, Dnp3, Enip, Iec104, Modbus, Opcua, S7comm};
pub use lan::{Dhcpv6, Igmp, Ndp, Neighbor, Stp};
pub use mail::{Imap, Pop3, Smtp};
pub use quic::Quic;
pub use remote::{Rdp, Rfb, Socks};
pub use services::{Mysql, Ntp, Radius, Rtp, Sip, Snmp, Syslog};
pub use stores::{Greeting, Ike, Mongodb, MqttConnect, MqttPublish, MqttSubscribe, Postgresql, Redis, Stun, Tds};
pub use typed::{DataChannel, Irc, Telnet, Tftp};

/// Direction of bytes within a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Dir {
    /// Originator to responder.
    Orig,
    /// Responder to originator.
    Resp,
}

impl Dir {
    /// 0 for the originator, 1 for the responder.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The other one.
    pub fn flip(self) -> Self {
        match self {
            Self::Orig => Self::Resp,
            Self::Resp => Self::Orig,
        }
    }
}

/// The flow that an event belongs to: columns `flow_id id_orig_h id_orig_p id_resp_h id_resp_p proto`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conn {
    /// Flow.
    pub flow: FlowId,
    /// Originator.
    pub orig_h: IpAddr,
    /// Originator's port.
    pub orig_p: u16,
    /// Responder.
    pub resp_h: IpAddr,
    /// Responder's port.
    pub resp_p: u16,
    /// Transport.
    pub proto: Proto,
}

/// One event with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct AppEvent {
    /// The flow; `None` only for ARP and frame-level oddities.
    pub conn: Option<Conn>,
    /// The frame that says it (the first, where several do).
    pub frame: u64,
    /// Time of that frame.
    pub ts_ns: Ts,
    /// What it says.
    pub event: Event,
}

/// What was said.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// `dns`
    Dns(Box<Dns>),
    /// `http`
    Http(Box<Http>),
    /// `websocket`
    Websocket(Box<Websocket>),
    /// `tls`
    Tls(Box<Tls>),
    /// `x509`
    X509(Box<X509>),
    /// `ssh`
    Ssh(Box<Ssh>),
    /// `ftp`
    Ftp(Box<Ftp>),
    /// `smtp`
    Smtp(Box<Smtp>),
    /// `pop3`
    Pop3(Box<Pop3>),
    /// `imap`
    Imap(Box<Imap>),
    /// `irc`
    Irc(Box<Irc>),
    /// `tftp`
    Tftp(Box<Tftp>),
    /// `telnet`
    Telnet(Box<Telnet>),
    /// `files`
    File(Box<File>),
    /// `credentials`
    Credential(Box<Credential>),
    /// `icmp`
    Icmp(Box<IcmpMessage>),
    /// `arp`
    Arp(Box<ArpMessage>),
    /// `quic`
    Quic(Box<Quic>),
    /// `kerberos`
    Kerberos(Box<Kerberos>),
    /// `ldap`
    Ldap(Box<Ldap>),
    /// `ldap_search`
    LdapSearch(Box<LdapSearch>),
    /// `rdp`
    Rdp(Box<Rdp>),
    /// `ntp`
    Ntp(Box<Ntp>),
    /// `snmp`
    Snmp(Box<Snmp>),
    /// `rtp`
    Rtp(Box<Rtp>),
    /// `sip`
    Sip(Box<Sip>),
    /// `syslog`
    Syslog(Box<Syslog>),
    /// `radius`
    Radius(Box<Radius>),
    /// `mysql`
    Mysql(Box<Mysql>),
    /// `socks`
    Socks(Box<Socks>),
    /// `rfb`
    Rfb(Box<Rfb>),
    /// One DHCP message: folded into a [`Dhcp`] before anything is stored.
    DhcpMessage(Box<DhcpMessage>),
    /// `dhcp`
    Dhcp(Box<Dhcp>),
    /// `smb_mapping`
    SmbMapping(Box<SmbMapping>),
    /// `smb_files`
    SmbFile(Box<SmbFile>),
    /// `smb_cmd`
    SmbCmd(Box<SmbCmd>),
    /// `dce_rpc`
    DceRpc(Box<DceRpc>),
    /// `ntlm`
    Ntlm(Box<Ntlm>),
    /// `modbus`
    Modbus(Box<Modbus>),
    /// `dnp3`
    Dnp3(Box<Dnp3>),
    /// `s7comm`
    S7comm(Box<S7comm>),
    /// `enip`
    Enip(Box<Enip>),
    /// `cip`
    Cip(Box<Cip>),
    /// `cip_identity`
    CipIdentity(Box<CipIdentity>),
    /// `bacnet`
    Bacnet(Box<Bacnet>),
    /// `iec104`
    Iec104(Box<Iec104>),
    /// `opcua_binary`
    Opcua(Box<Opcua>),
    /// `mqtt_connect`
    MqttConnect(Box<MqttConnect>),
    /// `mqtt_publish`
    MqttPublish(Box<MqttPublish>),
    /// `mqtt_subscribe`
    MqttSubscribe(Box<MqttSubscribe>),
    /// `redis`
    Redis(Box<Redis>),
    /// `postgresql`
    Postgresql(Box<Postgresql>),
    /// `tds`
    Tds(Box<Tds>),
    /// `mongodb`
    Mongodb(Box<Mongodb>),
    /// `ike`
    Ike(Box<Ike>),
    /// `stun`
    Stun(Box<Stun>),
    /// `greetings`
    Greeting(Box<Greeting>),
    /// `dhcpv6`
    Dhcpv6(Box<Dhcpv6>),
    /// `ndp`
    Ndp(Box<Ndp>),
    /// `igmp`
    Igmp(Box<Igmp>),
    /// `stp`
    Stp(Box<Stp>),
    /// `lldp`
    Lldp(Box<Neighbor>),
    /// `cdp`
    Cdp(Box<Neighbor>),
    /// `weird`
    Weird(Box<Weird>),
    /// `tunnel`
    Tunnel(Box<Tunnel>),
    /// `tcp_anomaly`
    TcpAnomaly(Box<TcpAnomaly>),
    /// `frag`
    Frag(Box<Frag>),
}

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
    pub ttls: Vec<f64>,
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

/// One HTTP request with its response, or either alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Http {
    /// Position in the connection, from 1.
    pub trans_depth: u32,
    /// Request method.
    pub method: Option<String>,
    /// `Host` header as sent, with its port if it names one (as Zeek logs it).
    pub host: Option<String>,
    /// Request target, percent-decoded (as Zeek logs it), `\xNN` where that is not printable.
    pub uri: Option<String>,
    /// `Referer`.
    pub referrer: Option<String>,
    /// Version of the response: `1.0`, `1.1`, `0.9` for one without a head.
    pub version: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Origin`.
    pub origin: Option<String>,
    /// Body bytes of the request.
    pub request_body_len: u64,
    /// Body bytes of the response, chunking and gzip or deflate undone (as Zeek counts).
    pub response_body_len: u64,
    /// Status.
    pub status_code: Option<u16>,
    /// Reason phrase.
    pub status_msg: Option<String>,
    /// Last 1xx status.
    pub info_code: Option<u16>,
    /// Its phrase.
    pub info_msg: Option<String>,
    /// User of Basic or Digest authorization.
    pub username: Option<String>,
    /// Scheme of `Authorization` or `Proxy-Authorization`, lower case.
    pub authorization_scheme: Option<String>,
    /// Headers that say a proxy passed it: `X-FORWARDED-FOR -> 10.0.0.1`.
    pub proxied: Vec<String>,
    /// Request header names in order, upper case.
    pub client_header_names: Vec<String>,
    /// All request header values of interest to signatures (everything but cookies and authorization), joined by newlines, capped at 4,096 bytes.
    pub request_headers: Option<String>,
    /// `Server`.
    pub server: Option<String>,
    /// `Content-Type` of the request.
    pub request_content_type: Option<String>,
    /// `Content-Type` of the response.
    pub content_type: Option<String>,
    /// File name of a `Content-Disposition` of the response.
    pub filename: Option<String>,
    /// A cookie was sent.
    pub cookie_present: bool,
    /// First 4,096 bytes of the request body, text with `\xNN` escapes; passwords in forms masked.
    pub body_prefix_req: Option<String>,
    /// First 1,024 bytes of the response body, likewise.
    pub body_prefix_resp: Option<String>,
    /// MIME type of the request body by content.
    pub orig_mime: Option<String>,
    /// MIME type of the response body by content.
    pub resp_mime: Option<String>,
    /// Seconds from the end of the request to the response's status line.
    pub latency: Option<f64>,
    /// Both messages were seen whole.
    pub complete: bool,
    /// Frame of the response's status line.
    pub resp_frame: Option<u64>,
    /// It stood in TLS that was read with known keys.
    pub decrypted: bool,
}

/// The handshake of a WebSocket (RFC 6455).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Websocket {
    /// `Host` of the request.
    pub host: Option<String>,
    /// Target of the request.
    pub uri: Option<String>,
    /// `User-Agent` of the request.
    pub user_agent: Option<String>,
    /// Protocol that the server chose.
    pub subprotocol: Option<String>,
    /// Protocols that the client offered.
    pub client_protocols: Vec<String>,
    /// Extensions that the server chose.
    pub server_extensions: Vec<String>,
    /// Extensions that the client offered.
    pub client_extensions: Vec<String>,
}

/// A TLS (or DTLS, or SSLv2/3) handshake as far as it is in clear.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tls {
    /// Negotiated: `TLSv12`, `TLSv13` …
    pub version: Option<String>,
    /// Chosen cipher suite, IANA name.
    pub cipher: Option<String>,
    /// Curve or group chosen.
    pub curve: Option<String>,
    /// SNI.
    pub server_name: Option<String>,
    /// Session was resumed.
    pub resumed: bool,
    /// Last alert's name.
    pub last_alert: Option<String>,
    /// ALPN chosen by the server.
    pub next_protocol: Option<String>,
    /// The handshake completed.
    pub established: bool,
    /// Handshake letters as Zeek's `ssl_history`.
    pub ssl_history: String,
    /// Version the client offered (highest of `supported_versions` or the legacy field).
    pub client_version: Option<String>,
    /// ALPN offered by the client.
    pub client_alpn: Vec<String>,
    /// Cipher suites offered, four hex digits each.
    pub client_ciphers: Vec<String>,
    /// Extensions offered.
    pub client_exts: Vec<u16>,
    /// Extensions of the ServerHello.
    pub server_exts: Vec<u16>,
    /// JA3 (MD5, hex).
    pub ja3: Option<String>,
    /// JA3S.
    pub ja3s: Option<String>,
    /// JA4.
    pub ja4: Option<String>,
    /// Encrypted ClientHello offered.
    pub ech: bool,
    /// Last bytes of the server random say "downgrade" (RFC 8446 4.1.3).
    pub downgrade_sentinel: bool,
    /// A heartbeat whose announced length exceeds its record.
    pub heartbeat_oversize: bool,
    /// SHA-256 of the server's certificates, leaf first.
    pub cert_chain_fps: Vec<String>,
    /// SHA-256 of the client's certificates.
    pub client_cert_chain_fps: Vec<String>,
    /// Subject of the server's leaf.
    pub subject: Option<String>,
    /// Its issuer.
    pub issuer: Option<String>,
    /// Subject of the client's leaf.
    pub client_subject: Option<String>,
    /// Its issuer.
    pub client_issuer: Option<String>,
    /// The server name stands in the leaf's names; `None` when either is unseen.
    pub sni_matches_cert: Option<bool>,
    /// What checking the server's chain against the bundled roots says, at the time of the packet: `ok`, or OpenSSL's words; `None` without a chain.
    pub validation_status: Option<String>,
    /// Certificates were visible (in TLS 1.3 only with keys).
    pub cert_visible: bool,
    /// Frame of the ServerHello.
    pub server_frame: Option<u64>,
    /// What the sides said under it was read, with keys that were given or stood in the capture.
    pub decrypted: bool,
}

/// A certificate as seen: one row per certificate and flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct X509 {
    /// SHA-256 of the DER, hex.
    pub fingerprint: String,
    /// SHA-1 of the DER, hex.
    pub sha1: String,
    /// 1, 2 or 3.
    pub version: u32,
    /// Serial, upper-case hex.
    pub serial: String,
    /// Subject, RFC 4514 order as Zeek prints it.
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// Start of validity.
    pub not_valid_before: Option<Ts>,
    /// End of validity.
    pub not_valid_after: Option<Ts>,
    /// Algorithm of the key, OpenSSL's name.
    pub key_alg: String,
    /// Algorithm of the signature, OpenSSL's name.
    pub sig_alg: String,
    /// `rsa`, `ecdsa`, `dsa` …
    pub key_type: Option<String>,
    /// Bits.
    pub key_length: Option<u32>,
    /// RSA exponent, decimal.
    pub exponent: Option<String>,
    /// Curve.
    pub curve: Option<String>,
    /// Subject alternative names: DNS.
    pub san_dns: Vec<String>,
    /// URI.
    pub san_uri: Vec<String>,
    /// E-mail.
    pub san_email: Vec<String>,
    /// IP.
    pub san_ip: Vec<String>,
    /// Basic constraints: CA.
    pub basic_constraints_ca: Option<bool>,
    /// Path length.
    pub basic_constraints_path_len: Option<u32>,
    /// It is the leaf.
    pub host_cert: bool,
    /// Sent by the client.
    pub client_cert: bool,
    /// Subject equals issuer.
    pub self_signed: bool,
    /// Days of validity.
    pub validity_days: Option<f64>,
    /// Days from its start to the moment it was seen.
    pub age_days: Option<f64>,
}

/// An SSH connection's greeting and what its shape tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ssh {
    /// 1 or 2.
    pub version: Option<u8>,
    /// Client banner without the line end.
    pub client: Option<String>,
    /// Server banner.
    pub server: Option<String>,
    /// Inferred: `Some(true)` a login succeeded.
    pub auth_success: Option<bool>,
    /// Attempts inferred.
    pub auth_attempts: u32,
    /// Why that was inferred.
    pub auth_evidence: String,
    /// Chosen cipher, client to server.
    pub cipher_alg: Option<String>,
    /// Chosen MAC.
    pub mac_alg: Option<String>,
    /// Chosen compression.
    pub compression_alg: Option<String>,
    /// Chosen key exchange.
    pub kex_alg: Option<String>,
    /// Chosen host key algorithm.
    pub host_key_alg: Option<String>,
    /// `SHA256:` and the first 32 characters of the base64 digest of the server's host key, as Zeek prints it.
    pub host_key_fingerprint: Option<String>,
    /// `SHA256:` and the whole of it, as OpenSSH prints it.
    pub host_key_sha256: Option<String>,
    /// HASSH of the client.
    pub hassh: Option<String>,
    /// HASSH of the server.
    pub hassh_server: Option<String>,
}

/// One FTP command with its reply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ftp {
    /// User of the session so far.
    pub user: Option<String>,
    /// `<hidden>`, or what a guest gave, which is no secret.
    pub password: Option<String>,
    /// Command, upper case.
    pub command: Option<String>,
    /// Argument; passwords never.
    pub arg: Option<String>,
    /// Type by content of the file transferred.
    pub mime_type: Option<String>,
    /// Size of the file as the server told it, bytes.
    pub file_size: Option<u64>,
    /// Reply code.
    pub reply_code: Option<u16>,
    /// Reply text.
    pub reply_msg: Option<String>,
    /// The reply opens a data connection: `true` the server waits for it (PASV, EPSV), `false` the client does (PORT, EPRT).
    pub data_channel_passive: Option<bool>,
    /// Who will open the data connection.
    pub data_channel_orig_h: Option<IpAddr>,
    /// Who waits for it.
    pub data_channel_resp_h: Option<IpAddr>,
    /// On which port.
    pub data_channel_resp_p: Option<u16>,
    /// The file in `files`.
    pub fuid: Option<String>,
    /// A transfer: the data connection that was agreed on for it.
    pub over: Option<DataChannel>,
}

/// A transferred file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// Its name in this case: `F`, the flow, and its number in it.
    pub fuid: String,
    /// Zeek's name of the protocol: `HTTP`, `SMTP`, `FTP_DATA`, `SSL` …
    pub source: &'static str,
    /// Position among the parts of a message, from 1; 0 elsewhere.
    pub depth: u32,
    /// Sent by the originator.
    pub is_orig: bool,
    /// Name as told.
    pub filename: Option<String>,
    /// Where from: URL or path.
    pub url: Option<String>,
    /// Type as declared.
    pub declared_mime: Option<String>,
    /// Type by content.
    pub mime_type: Option<String>,
    /// Bytes seen.
    pub seen_bytes: u64,
    /// Bytes announced.
    pub total_bytes: Option<u64>,
    /// Bytes missing.
    pub missing_bytes: u64,
    /// Hex, when seen whole.
    pub md5: Option<String>,
    /// Hex, when seen whole.
    pub sha1: Option<String>,
    /// Hex, when seen whole.
    pub sha256: Option<String>,
    /// Entropy of the first 64 KiB, bits per byte.
    pub entropy: Option<f64>,
    /// First 64 bytes, hex.
    pub first_bytes: String,
    /// Seen from first to last byte.
    pub complete: bool,
    /// It is a part of a file: which.
    pub range: Option<ByteRange>,
    /// It stood in TLS that was read with known keys.
    pub decrypted: bool,
    /// The bytes, where somebody asked for them to be kept: never stored in the case.
    pub content: Option<Vec<u8>>,
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByteRange {
    /// Its first byte.
    pub start: u64,
    /// Bytes of the whole file.
    pub total: u64,
}

/// A login attempt seen in clear.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Credential {
    /// `ftp`, `http-basic`, `http-digest`, `http-form`, `telnet`, `pop3`, `imap`, `smtp` …
    pub service: &'static str,
    /// User name.
    pub user: Option<String>,
    /// Realm, host or path it was for.
    pub realm: Option<String>,
    /// First letter and stars; empty when no secret was seen.
    pub secret_masked: String,
    /// The secret itself; the store hashes it with the case's salt and writes it only with `--reveal-secrets`.
    pub secret: String,
    /// What the server said: accepted, refused, or nothing seen.
    pub success: Option<bool>,
    /// The secret travelled in clear (false for digests).
    pub cleartext: bool,
}

/// One ICMP or ICMPv6 message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IcmpMessage {
    /// ICMPv6.
    pub v6: bool,
    /// Sent by the flow's originator.
    pub is_orig: bool,
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Echo identifier.
    pub echo_id: Option<u16>,
    /// Echo sequence number.
    pub echo_seq: Option<u16>,
    /// Payload bytes after the eight-byte header.
    pub len: u32,
    /// Entropy of the payload, bits per byte.
    pub entropy: Option<f64>,
    /// A reply whose payload equals its request's; `None` where there is nothing to compare.
    pub reply_match: Option<bool>,
    /// Known filler: `windows` (abc…w), `increment` (ping), `zero`, `constant`; empty otherwise.
    pub pattern: &'static str,
    /// First 32 bytes of the payload, hex.
    pub first_bytes: String,
    /// Error messages: source of the packet they quote.
    pub inner_src: Option<IpAddr>,
    /// Its destination.
    pub inner_dst: Option<IpAddr>,
    /// Its protocol number.
    pub inner_proto: Option<u8>,
    /// Its source port.
    pub inner_sport: Option<u16>,
    /// Its destination port.
    pub inner_dport: Option<u16>,
    /// First eight bytes of the payload's SHA-256, hex; empty where it was not captured whole.
    pub payload_sha: String,
    /// Redirects: the router to use instead.
    pub gateway: Option<IpAddr>,
}

/// One ARP message.
#[derive(Clone, Debug, PartialEq)]
pub struct ArpMessage {
    /// 1 request, 2 reply.
    pub op: u16,
    /// Sender protocol address.
    pub spa: String,
    /// Sender hardware address.
    pub sha: String,
    /// Target protocol address.
    pub tpa: String,
    /// Target hardware address.
    pub tha: String,
    /// Source of the Ethernet frame.
    pub eth_src: String,
    /// Destination of the Ethernet frame.
    pub eth_dst: String,
    /// Announces itself: sender and target address are the same.
    pub gratuitous: bool,
    /// A reply: frame of the request that it answers; `None` where nobody asked.
    pub answers_frame: Option<u64>,
    /// A reply: milliseconds since that request.
    pub answered_ms: Option<f64>,
}

/// One DHCP message (RFC 2131).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DhcpMessage {
    /// 1 request, 2 reply.
    pub op: u8,
    /// Message type, option 53; 0 without.
    pub kind: u8,
    /// Transaction id.
    pub xid: u32,
    /// Sent by the client's side, as Zeek tells it.
    pub from_client: bool,
    /// Sent by the flow's originator.
    pub is_orig: bool,
    /// "Your address": what the server hands out.
    pub yiaddr: Option<Ipv4Addr>,
    /// Relay agent.
    pub giaddr: Option<Ipv4Addr>,
    /// Next server, of network boots.
    pub siaddr: Option<Ipv4Addr>,
    /// Client hardware address.
    pub chaddr: Option<String>,
    /// Hardware address of the client identifier (option 61), where it holds an Ethernet one.
    pub client_id_mac: Option<String>,
    /// Client identifier, hex.
    pub client_id: Option<String>,
    /// Boot file.
    pub boot_file: Option<String>,
    /// Option 12.
    pub host_name: Option<String>,
    /// Option 81.
    pub client_fqdn: Option<String>,
    /// Option 15.
    pub domain: Option<String>,
    /// Option 50.
    pub requested: Option<Ipv4Addr>,
    /// Option 51, seconds.
    pub lease: Option<u32>,
    /// Option 54.
    pub server_id: Option<Ipv4Addr>,
    /// Option 55.
    pub param_list: Vec<u8>,
    /// Option 56.
    pub message: Option<String>,
    /// Option 60.
    pub vendor_class: Option<String>,
    /// Option 77.
    pub user_class: Option<String>,
    /// Option 1.
    pub subnet_mask: Option<Ipv4Addr>,
    /// Option 3.
    pub routers: Vec<Ipv4Addr>,
    /// Option 6.
    pub dns_servers: Vec<Ipv4Addr>,
    /// Option 42.
    pub ntp_servers: Vec<Ipv4Addr>,
    /// Option 252.
    pub wpad: Option<String>,
    /// Option 82, sub-options 1, 2 and 6 (RFC 3046, RFC 3993).
    pub circuit_id: Option<String>,
    /// Sub-option 2.
    pub remote_id: Option<String>,
    /// Sub-option 6.
    pub subscriber_id: Option<String>,
}

/// A DHCP transaction: the messages that share a transaction id within a short time, over all flows they travel in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dhcp {
    /// The flows, in order of first message.
    pub uids: Vec<FlowId>,
    /// The client, once it has an address.
    pub client_addr: Option<IpAddr>,
    /// The server that handed out an address.
    pub server_addr: Option<IpAddr>,
    /// Client's hardware address: of its identifier, else of the message header.
    pub mac: Option<String>,
    /// Name of the client as it says.
    pub host_name: Option<String>,
    /// Its fully qualified name as it says.
    pub client_fqdn: Option<String>,
    /// Domain given by the server.
    pub domain: Option<String>,
    /// Address asked for.
    pub requested_addr: Option<Ipv4Addr>,
    /// Address handed out.
    pub assigned_addr: Option<Ipv4Addr>,
    /// Seconds.
    pub lease_time: Option<f64>,
    /// Text of the client, as with DECLINE.
    pub client_message: Option<String>,
    /// Text of the server, as with NAK.
    pub server_message: Option<String>,
    /// `DISCOVER`, `OFFER` …
    pub msg_types: Vec<String>,
    /// Source address of each message.
    pub msg_orig: Vec<String>,
    /// Seconds from first to last message.
    pub duration: f64,
    /// Vendor class of the client.
    pub client_software: Option<String>,
    /// Vendor class of the server.
    pub server_software: Option<String>,
    /// Circuit of the relay agent.
    pub circuit_id: Option<String>,
    /// Its remote end.
    pub agent_remote_id: Option<String>,
    /// Its subscriber.
    pub subscriber_id: Option<String>,
    /// Transaction id.
    pub xid: u32,
    /// Hardware address in the message header.
    pub client_chaddr: Option<String>,
    /// Client identifier, hex.
    pub client_id: Option<String>,
    /// User class.
    pub user_class: Option<String>,
    /// Parameter request list: a fingerprint of the client's system.
    pub param_list: Vec<u8>,
    /// Relay agent.
    pub relay_addr: Option<Ipv4Addr>,
    /// Server identifier of the last answer.
    pub server_id: Option<Ipv4Addr>,
    /// Servers in the order of their first answer.
    pub server_ids: Vec<String>,
    /// What each of these offered first: address, then its routers, then its resolvers.
    pub offers: Vec<String>,
    /// Seconds between the first answers of the first and of the second server: a race.
    pub race_s: Option<f64>,
    /// Network mask given.
    pub subnet_mask: Option<Ipv4Addr>,
    /// Routers given.
    pub router_opt: Vec<String>,
    /// Resolvers given.
    pub dns_opt: Vec<String>,
    /// Time servers given.
    pub ntp_opt: Vec<String>,
    /// Proxy configuration given.
    pub wpad_opt: Option<String>,
    /// Next server of a network boot.
    pub next_server: Option<Ipv4Addr>,
    /// Its file.
    pub boot_file: Option<String>,
    /// Frames of the messages.
    pub frames: Vec<u64>,
}

/// Something that should not be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weird {
    /// Zeek's name where there is one.
    pub name: String,
    /// Detail.
    pub addl: String,
    /// Who noticed: `decode`, `flow`, `dns` …
    pub source: &'static str,
    /// How often in this flow (or, without flow, for this source address).
    pub count: u64,
}

/// A tunnel begins or ends. The conversation named is the tunnel: ports are 0 for one that is known by its two hosts.
#[derive(Clone, Debug, PartialEq)]
pub struct Tunnel {
    /// `Tunnel::VXLAN` …
    pub tunnel_type: &'static str,
    /// What became of it.
    pub action: TunnelAction,
    /// VNI, VSID or TEID of the first packet that showed it.
    pub tunnel_id: Option<u32>,
}

/// What became of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelAction {
    /// A flow was seen in it for the first time.
    Discover,
    /// The flow that carries it ended.
    Close,
    /// Nothing was seen in it for a day.
    Expire,
}

impl TunnelAction {
    /// Zeek's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Discover => "Tunnel::DISCOVER",
            Self::Close => "Tunnel::CLOSE",
            Self::Expire => "Tunnel::EXPIRE",
        }
    }
}
