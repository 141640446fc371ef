//! BitTorrent: the handshake of peers (BEP 3), and questions and answers of the distributed hash table (BEP 5).

use super::Seen;
use crate::dissect::{escape, hex};
use crate::model::Dir;

/// Handshake: name of the protocol, eight bytes, info hash, peer id whose beginning names the program.
pub(super) fn peer(seen: &mut Seen, dir: Dir, head: &[u8]) {
    let Some(rest) = head.strip_prefix(b"\x13BitTorrent protocol") else { return };
    if let Some(info) = rest.get(8..28) {
        seen.row.subject = Some(hex(info));
    }
    let program = rest.get(28..36).map(|id| escape(id, 8));
    match dir {
        Dir::Orig => seen.row.client = program,
        Dir::Resp => seen.row.server = program,
    }
}

/// A dictionary whose first entry is an answer's, a question's or an error's.
pub(super) fn is_dht(bytes: &[u8]) -> bool {
    [&b"d1:ad2:id20:"[..], b"d1:rd2:id20:", b"d1:eli20", b"d2:ip6:"].iter().any(|start| bytes.starts_with(start))
}

/// What is asked, for which torrent, by which program.
pub(super) fn dht(seen: &mut Seen, dir: Dir, datagram: &[u8]) {
    let after = |key: &[u8]| datagram.windows(key.len()).position(|part| part == key).and_then(|at| datagram.get(at + key.len()..));
    if let Some(hash) = after(b"9:info_hash20:").and_then(|rest| rest.get(..20)) {
        seen.row.subject = Some(hex(hash));
    } else if let Some(question) = after(b"1:q").and_then(text) {
        seen.row.subject.get_or_insert_with(|| escape(question, 32));
    }
    if let Some(program) = after(b"1:v4:").and_then(|rest| rest.get(..4)) {
        let slot = if dir == Dir::Orig { &mut seen.row.client } else { &mut seen.row.server };
        slot.get_or_insert_with(|| escape(program, 4));
    }
}

/// `4:ping`
fn text(bytes: &[u8]) -> Option<&[u8]> {
    let (&digit, rest) = bytes.split_first().filter(|(digit, _)| digit.is_ascii_digit())?;
    let (length, rest) = match rest.split_first()? {
        (b':', rest) => (usize::from(digit - b'0'), rest),
        (second, rest) if second.is_ascii_digit() => {
            (usize::from(digit - b'0') * 10 + usize::from(second - b'0'), rest.strip_prefix(b":")?)
        }
        _ => return None,
    };
    rest.get(..length)
}
