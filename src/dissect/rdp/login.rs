//! What the shape of a session tells of its logon.
//!
//! With CredSSP a client proves itself inside TLS before anything else: two or three records each way. A server that refuses ends the
//! connection there; one that accepts goes on with dozens of records of set-up. Without CredSSP people log on at a picture of the
//! logon screen, and nothing tells its outcome; native encryption shows a licence message once the client's credentials are taken.

/// Records of application data of each side from which on a session stands: set-up takes some twenty of the client's.
const STANDING: u32 = 12;
/// Bytes of the server's that come to the same.
const STANDING_BYTES: u64 = 12 << 10;
/// Records of a client that was refused: two tokens, a Finished of TLS 1.3, an alert, and some slack.
const REFUSED: u32 = 6;
/// Bytes of a server that refused: a challenge and an error, and in TLS 1.3 its certificate.
const REFUSED_BYTES: u64 = 6 << 10;

/// Records of one side, counted without being kept.
#[derive(Default)]
pub struct Counted {
    head: Vec<u8>,
    skip: u64,
    lost: bool,
    /// Records of application data.
    pub records: u32,
    /// Bytes of application data; after a loss all bytes.
    pub bytes: u64,
}

impl Counted {
    /// Takes bytes of TLS records in.
    pub fn data(&mut self, mut bytes: &[u8]) {
        if self.lost {
            self.bytes += bytes.len() as u64;
            return;
        }
        while !bytes.is_empty() {
            let n = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
            self.skip -= n as u64;
            let (head, rest) = bytes.split_at(n).1.split_at((bytes.len() - n).min(5 - self.head.len()));
            self.head.extend_from_slice(head);
            bytes = rest;
            if let [kind, 3, _, high, low] = *self.head.as_slice() {
                let length = u64::from(u16::from_be_bytes([high, low]));
                if kind == 23 {
                    self.records = self.records.saturating_add(1);
                    self.bytes += length;
                }
                self.skip = length;
                self.head.clear();
            } else if self.head.len() >= 5 {
                self.lost = true;
                return;
            }
        }
    }

    /// Bytes are lost.
    pub fn gap(&mut self, missing: u64) {
        if missing <= self.skip && self.head.is_empty() {
            self.skip -= missing;
        } else {
            self.lost = true;
        }
    }
}

/// The outcome and its reason, for a session with CredSSP whose end was seen or not.
pub fn credssp(client: &Counted, server: &Counted, ended: bool) -> (Option<bool>, String) {
    let told = format!("{} records from the client, {} from the server with {} bytes", client.records, server.records, server.bytes);
    if client.records >= STANDING && (server.records >= STANDING || server.bytes >= STANDING_BYTES) {
        return (Some(true), format!("the session went on behind CredSSP: {told}"));
    }
    let proved = client.records >= 2 && server.records >= 1;
    if ended && proved && client.records <= REFUSED && server.bytes <= REFUSED_BYTES && !client.lost && !server.lost {
        return (Some(false), format!("it ended within CredSSP: {told}"));
    }
    (None, format!("not enough was seen: {told}"))
}
