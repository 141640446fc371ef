//! One DNS message (RFC 1035 section 4), read as far as it goes. What is wrong is named, never fatal.

use super::rdata;
use crate::dissect::escape;

/// Length of the fixed header.
pub const HEADER: usize = 12;
/// Questions kept of one message; more are counted as damage.
const QUESTIONS_MAX: usize = 32;
/// Records whose text is kept.
const ANSWERS_MAX: usize = 256;
/// Decoded bytes of a name beyond which it is called too long (RFC 1035 says 255; some senders exceed it).
const NAME_MAX: usize = 512;

/// A message as far as it could be read.
#[derive(Debug, Default)]
pub struct Message {
    /// Transaction id.
    pub id: u16,
    /// It is an answer.
    pub response: bool,
    /// Kind of query.
    pub opcode: u8,
    /// Authoritative.
    pub aa: bool,
    /// Truncated.
    pub tc: bool,
    /// Recursion desired.
    pub rd: bool,
    /// Recursion available.
    pub ra: bool,
    /// The three bits that RFC 1035 reserves (DNSSEC's AD and CD are among them).
    pub z: u8,
    /// Response code, four bits.
    pub rcode: u16,
    /// Announced questions, answers, authorities, additionals.
    pub counts: [u16; 4],
    /// Questions.
    pub questions: Vec<Question>,
    /// Records of the answer section.
    pub answers: Vec<Record>,
    /// Name of the first record of a later section: NetBIOS registrations and dynamic updates say there what they are about.
    pub later_name: Option<String>,
    /// First thing found wrong, by Zeek's name.
    pub fault: Option<&'static str>,
    /// Bytes after the last record.
    pub trailing: usize,
    /// NetBIOS: last byte of the first name.
    pub nb_suffix: Option<u8>,
    /// NetBIOS: the first record says that its name belongs to a group (RFC 1002 4.2.1.3).
    pub nb_group: Option<bool>,
}

/// What is asked.
#[derive(Debug)]
pub struct Question {
    /// Name, escaped, without the trailing dot.
    pub name: String,
    /// Labels it has.
    pub labels: u8,
    /// Type.
    pub qtype: u16,
    /// Class.
    pub qclass: u16,
}

/// A record of the answer section.
#[derive(Debug)]
pub struct Record {
    /// Owner.
    pub name: String,
    /// Type.
    pub rtype: u16,
    /// Seconds.
    pub ttl: u32,
    /// As Zeek prints it; empty where Zeek prints nothing.
    pub text: String,
}

/// A place in a message. All reads are checked; a name may jump back.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    /// The whole message, for compression pointers.
    pub message: &'a [u8],
    /// Next byte.
    pub at: usize,
    /// Reading stops here.
    pub end: usize,
    /// NetBIOS: first-level encoded names, other labels.
    pub netbios: bool,
}

impl<'a> Cursor<'a> {
    /// Bytes left.
    pub fn left(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let to = self.at.checked_add(n).filter(|&to| to <= self.end)?;
        let bytes = self.message.get(self.at..to)?;
        self.at = to;
        Some(bytes)
    }

    /// One byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// Two, big-endian.
    pub fn u16(&mut self) -> Option<u16> {
        let bytes: [u8; 2] = self.take(2)?.try_into().ok()?;
        Some(u16::from_be_bytes(bytes))
    }

    /// Four, big-endian.
    pub fn u32(&mut self) -> Option<u32> {
        let bytes: [u8; 4] = self.take(4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    }

    /// A name, appended to `text`. Returns how many labels; the error is Zeek's name for what is wrong, `text` holds what was read.
    ///
    /// Pointers must lead to before the labels they continue (RFC 1035 4.1.4 "prior occurrence"), so every jump goes
    /// strictly back and none can loop.
    pub fn name(&mut self, text: &mut String) -> Result<u8, &'static str> {
        let (mut at, mut end) = (self.at, self.end);
        let mut segment = at;
        let mut jumped = false;
        let (mut labels, mut bytes) = (0u8, 0usize);
        loop {
            let Some(&length) = self.message.get(at).filter(|_| at < end) else {
                return Err("DNS_truncated_name");
            };
            let label = usize::from(length);
            at += 1;
            if length == 0 {
                break;
            }
            if length & 0xc0 == 0xc0 {
                let Some(&low) = self.message.get(at).filter(|_| at < end) else {
                    return Err("DNS_truncated_name");
                };
                at += 1;
                if !jumped {
                    self.at = at;
                    jumped = true;
                }
                let target = (label & 0x3f) << 8 | usize::from(low);
                if target >= segment {
                    return Err("DNS_label_forward_compress_offset");
                }
                (at, end, segment) = (target, segment, target);
                continue;
            }
            if label > 63 && !self.netbios {
                return Err("DNS_label_too_long");
            }
            let Some(content) = self.message.get(at..at + label).filter(|_| at + label <= end) else {
                return Err("DNS_label_len_gt_pkt");
            };
            bytes += label + 1;
            if bytes > NAME_MAX {
                return Err("DNS_NAME_too_long");
            }
            if labels > 0 {
                text.push('.');
            }
            push_label(text, content, self.netbios && labels == 0);
            labels = labels.saturating_add(1);
            at += label;
            if !jumped {
                self.at = at;
            }
        }
        if !jumped {
            self.at = at;
        }
        Ok(labels)
    }

    /// A name in lower case, as Zeek prints those in answers.
    pub fn lower_name(&mut self) -> Option<String> {
        let mut text = String::new();
        self.name(&mut text).ok()?;
        text.make_ascii_lowercase();
        Some(text)
    }

    fn skip_name(&mut self) -> Result<(), &'static str> {
        let mut ignored = String::new();
        self.name(&mut ignored).map(|_| ())
    }
}

/// One label as text. A dot inside it is escaped, or two different names would look alike.
fn push_label(text: &mut String, label: &[u8], netbios: bool) {
    if netbios && let Some(name) = netbios_name(label) {
        text.push_str(&name);
        return;
    }
    for (n, part) in label.split(|&byte| byte == b'.').enumerate() {
        if n > 0 {
            text.push_str("\\x2e");
        }
        text.push_str(&escape(part, part.len()));
    }
}

/// RFC 1001 14.1: sixteen bytes as thirty-two letters A to P; the sixteenth is the kind of name, the rest is padded with blanks.
fn netbios_name(label: &[u8]) -> Option<String> {
    if label.len() != 32 || !label.iter().all(|byte| (b'A'..=b'P').contains(byte)) {
        return None;
    }
    let decoded: Vec<u8> = label.as_chunks::<2>().0.iter().map(|[high, low]| (high - b'A') << 4 | (low - b'A')).collect();
    let name = decoded.get(..15)?;
    let shown = name.iter().rposition(|&byte| byte != b' ' && byte != 0).map_or(0, |last| last + 1);
    Some(escape(name.get(..shown)?, 15))
}

/// What kind of thing the first name names: two letters of its encoded form.
fn netbios_suffix(mut cursor: Cursor<'_>) -> Option<u8> {
    let label = cursor.take(33)?.strip_prefix(&[32])?;
    let half = |letter: u8| letter.checked_sub(b'A').filter(|half| *half < 16);
    Some(half(*label.get(30)?)? << 4 | half(*label.get(31)?)?)
}

/// Whether the first record, behind the questions, tells of a group.
fn netbios_group(mut cursor: Cursor<'_>, questions: u16) -> Option<bool> {
    for _ in 0..usize::from(questions).min(QUESTIONS_MAX) {
        cursor.skip_name().ok()?;
        cursor.take(4)?;
    }
    cursor.skip_name().ok()?;
    let rtype = cursor.u16()?;
    // Class, time to live, length.
    cursor.take(8)?;
    let flags = cursor.u16()?;
    (rtype == 32).then_some(flags & 0x8000 != 0)
}

/// Reads a message; `None` only if not even the header is there.
pub fn parse(bytes: &[u8], netbios: bool) -> Option<Message> {
    let mut cursor = Cursor { message: bytes, at: 0, end: bytes.len(), netbios };
    let (id, flags) = (cursor.u16()?, cursor.u16()?);
    let counts = [cursor.u16()?, cursor.u16()?, cursor.u16()?, cursor.u16()?];
    let mut message = Message {
        id,
        response: flags & 0x8000 != 0,
        opcode: (flags >> 11 & 15) as u8,
        aa: flags & 0x0400 != 0,
        tc: flags & 0x0200 != 0,
        rd: flags & 0x0100 != 0,
        ra: flags & 0x0080 != 0,
        z: (flags >> 4 & 7) as u8,
        rcode: flags & 15,
        counts,
        ..Message::default()
    };
    if netbios {
        message.nb_suffix = netbios_suffix(cursor);
        message.nb_group = netbios_group(cursor, counts[0]);
    }
    message.fault = sections(&mut cursor, &mut message).err();
    message.trailing = cursor.left();
    Some(message)
}

fn sections(cursor: &mut Cursor<'_>, message: &mut Message) -> Result<(), &'static str> {
    for _ in 0..message.counts[0] {
        if message.questions.len() == QUESTIONS_MAX {
            return Err("DNS_Conn_count_too_large");
        }
        question(cursor, message)?;
    }
    for _ in 0..message.counts[1] {
        let record = record(cursor, message.answers.len() < ANSWERS_MAX)?;
        message.answers.extend(record);
    }
    for _ in 0..u32::from(message.counts[2]) + u32::from(message.counts[3]) {
        if message.later_name.is_none() {
            let mut ahead = *cursor;
            let mut text = String::new();
            message.later_name = ahead.name(&mut text).is_ok().then_some(text);
        }
        record(cursor, false)?;
    }
    Ok(())
}

fn question(cursor: &mut Cursor<'_>, message: &mut Message) -> Result<(), &'static str> {
    let mut name = String::new();
    let read = cursor.name(&mut name);
    let labels = read.unwrap_or_else(|_| name.split('.').count().min(255) as u8);
    let numbers = read.ok().and_then(|_| Some((cursor.u16()?, cursor.u16()?)));
    let (qtype, qclass) = numbers.unwrap_or_default();
    // Half a name is evidence too; a name without type is kept as one.
    if numbers.is_some() || !name.is_empty() {
        message.questions.push(Question { name, labels, qtype, qclass });
    }
    read?;
    numbers.map(|_| ()).ok_or("DNS_truncated_quest_too_short")
}

/// Reads over one record; its text is made only if it is wanted.
fn record(cursor: &mut Cursor<'_>, wanted: bool) -> Result<Option<Record>, &'static str> {
    let mut name = String::new();
    if wanted {
        cursor.name(&mut name)?;
    } else {
        cursor.skip_name()?;
    }
    let head = (|| Some((cursor.u16()?, cursor.u16()?, cursor.u32()?, cursor.u16()?)))();
    let (rtype, _class, ttl, length) = head.ok_or("DNS_truncated_ans_too_short")?;
    let start = cursor.at;
    cursor.take(usize::from(length)).ok_or("DNS_truncated_RR_rdlength_lt_len")?;
    if !wanted {
        return Ok(None);
    }
    let mut data = Cursor { at: start, end: cursor.at, ..*cursor };
    let text = rdata::text(rtype, &name, &mut data).ok_or("DNS_RR_length_mismatch")?;
    Ok(Some(Record { name, rtype, ttl, text }))
}
