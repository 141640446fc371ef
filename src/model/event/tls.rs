//! TLS and its certificates.

use crate::model::Ts;

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
