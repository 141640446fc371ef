//! The record layer (RFC 8446 5.1, and SSLv2's for the first message), put together from stream bytes.

/// Longest record: 2^14 plus what compression and encryption may add (RFC 5246 6.2.3).
const RECORD_MAX: usize = (1 << 14) + 2_048;

/// Content types.
pub mod content {
    pub const CHANGE_CIPHER_SPEC: u8 = 20;
    pub const ALERT: u8 = 21;
    pub const HANDSHAKE: u8 = 22;
    pub const DATA: u8 = 23;
    pub const HEARTBEAT: u8 = 24;
}

/// A record.
#[derive(Debug, PartialEq)]
pub enum Record {
    /// TLS.
    Tls {
        /// Content type.
        kind: u8,
        /// Version in its header.
        version: [u8; 2],
        /// Its bytes; none for application data, unless that is kept.
        body: Vec<u8>,
    },
    /// A message of SSLv2 without its length.
    V2(Vec<u8>),
    /// This is no TLS.
    Garbage,
}

/// One direction's records.
#[derive(Default)]
pub struct Records {
    buffer: Vec<u8>,
    skip: u64,
    begun: bool,
    lost: bool,
    /// Application data is wanted too.
    pub keeps_data: bool,
}

/// Content type and length of a TLS record, if these five bytes begin one.
pub fn header(bytes: &[u8]) -> Option<(u8, usize)> {
    let [kind, major, minor, high, low] = *bytes.first_chunk::<5>()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let valid = (content::CHANGE_CIPHER_SPEC..=content::HEARTBEAT).contains(&kind) && is_version(major, minor) && length <= RECORD_MAX;
    valid.then_some((kind, length))
}

/// SSLv3 to TLS 1.3, and the numbers that drafts of 1.3 used.
fn is_version(major: u8, minor: u8) -> bool {
    major == 3 && minor <= 4 || major == 0x7f
}

/// Length of an SSLv2 message of the kinds that open a connection, if these bytes begin one.
pub fn v2_header(bytes: &[u8]) -> Option<usize> {
    let [high, low, kind] = *bytes.first_chunk::<3>()?;
    let length = usize::from(u16::from_be_bytes([high & 0x7f, low]));
    (high & 0x80 != 0 && matches!(kind, 1 | 4) && length >= 9).then_some(length)
}

impl Records {
    /// The next record off `rest`, once it is whole.
    pub fn next(&mut self, rest: &mut &[u8]) -> Option<Record> {
        self.skip_over(rest);
        if rest.is_empty() {
            return None;
        }
        if self.lost {
            // Senders begin records on segment borders more often than not.
            if header(rest).is_none() {
                *rest = &[];
                return None;
            }
            self.lost = false;
        }
        self.fill(5, rest);
        if self.buffer.len() < 5 {
            return None;
        }
        if let Some(length) = v2_header(&self.buffer).filter(|_| !self.begun) {
            self.fill(2 + length, rest);
            if self.buffer.len() < 2 + length {
                return None;
            }
            self.begun = true;
            return Some(Record::V2(std::mem::take(&mut self.buffer).split_off(2)));
        }
        let Some((kind, length)) = header(&self.buffer) else {
            self.buffer.clear();
            *rest = &[];
            return Some(Record::Garbage);
        };
        self.begun = true;
        let version = [self.buffer.get(1), self.buffer.get(2)].map(|byte| byte.copied().unwrap_or_default());
        if kind == content::DATA && !self.keeps_data {
            self.buffer.clear();
            self.skip = length as u64;
            return Some(Record::Tls { kind, version, body: Vec::new() });
        }
        self.fill(5 + length, rest);
        if self.buffer.len() < 5 + length {
            return None;
        }
        let body = std::mem::take(&mut self.buffer).split_off(5);
        Some(Record::Tls { kind, version, body })
    }

    fn fill(&mut self, to: usize, rest: &mut &[u8]) {
        let (now, later) = rest.split_at(rest.len().min(to.saturating_sub(self.buffer.len())));
        self.buffer.extend_from_slice(now);
        *rest = later;
    }

    fn skip_over(&mut self, rest: &mut &[u8]) {
        let n = usize::try_from(self.skip).unwrap_or(usize::MAX).min(rest.len());
        *rest = &rest[n..];
        self.skip -= n as u64;
    }

    /// Bytes are lost. Within application data that is no loss at all.
    pub fn gap(&mut self, missing: u64) {
        let within = header(&self.buffer).map(|(_, length)| (5 + length).saturating_sub(self.buffer.len()) as u64);
        if missing <= self.skip {
            self.skip -= missing;
        } else if let Some(left) = within.filter(|left| self.keeps_data && missing <= *left) {
            // One record is spoilt; the next one begins where its header says.
            self.skip = left - missing;
            self.buffer.clear();
        } else {
            (self.skip, self.lost) = (0, true);
            self.buffer.clear();
        }
    }

    /// What came of a record that is not whole, without its header.
    pub fn unfinished(&self) -> &[u8] {
        self.buffer.get(5..).unwrap_or_default()
    }
}
