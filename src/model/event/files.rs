//! What was transferred, and who said which password.

use super::DataChannel;
use std::net::IpAddr;

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
