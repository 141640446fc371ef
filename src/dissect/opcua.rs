//! OPC UA over TCP (OPC 10000-6 7.1): greeting, acknowledgement, error, and the secure channel with its policy and certificate.

use super::messages::{Fields, Framed, Length, Speaker};
use super::{Answer, Chunk, Out, Probe, Protocol, escape, hex};
use crate::model::{Dir, Event, Proto, event::Opcua};
use ring::digest;

/// How OPC UA is recognised and read.
pub const PROTOCOL: Protocol =
    Protocol { name: "opcua", over: &[Proto::Tcp], probe, make: |conn| Box::new(Framed::new(conn, Session::default())) };

/// Bytes kept of a message: a certificate fits.
const MESSAGE_MAX: usize = 16_384;
/// Chunks larger than this are not believed.
const BELIEVED_MAX: u32 = 64 << 20;
/// Bytes of an address or of words.
const TEXT_MAX: usize = 1_024;
/// Rows of a flow: channels are renewed for ever.
const ROWS_MAX: u32 = 1_000;

fn probe(probe: &Probe<'_>) -> Answer {
    let opens: [&[u8]; 4] = [b"HELF", b"ACKF", b"OPNF", b"RHEF"];
    match (opens.iter().any(|kind| probe.bytes.starts_with(kind)), length(probe.bytes)) {
        (true, Length::Is(_)) => Answer::Certain,
        (true, Length::More) => Answer::Unsure,
        (false, Length::More) if opens.iter().any(|kind| kind.starts_with(probe.bytes)) => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

/// Three letters, whether more chunks follow, four bytes of length.
fn length(bytes: &[u8]) -> Length {
    let Some((kind, rest)) = bytes.split_at_checked(4) else { return Length::More };
    let known = [&b"HEL"[..], b"ACK", b"ERR", b"RHE", b"OPN", b"CLO", b"MSG"].iter().any(|known| kind.starts_with(known));
    match rest.first_chunk().map(|length| u32::from_le_bytes(*length)) {
        _ if !known || !matches!(kind.last(), Some(b'F' | b'C' | b'A')) => Length::Wrong,
        None => Length::More,
        Some(length @ 8..=BELIEVED_MAX) => Length::Is(length as usize),
        Some(_) => Length::Wrong,
    }
}

#[derive(Default)]
struct Session {
    rows: u32,
    seen: bool,
}

impl Speaker for Session {
    const MOST: usize = MESSAGE_MAX;

    fn length(&self, _dir: Dir, bytes: &[u8]) -> Length {
        length(bytes)
    }

    fn message(&mut self, message: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let mut fields = Fields(message);
        let (Some(kind), Some(_), Some(size)) = (fields.take(3), fields.u8(), fields.le32()) else { return };
        self.seen = true;
        if kind == b"MSG" || self.rows >= ROWS_MAX {
            return;
        }
        self.rows += 1;
        let mut row = Opcua { is_orig: chunk.dir == Dir::Orig, msg_type: escape(kind, 3), msg_size: size, ..Opcua::default() };
        match kind {
            // Version, sizes of both buffers, longest message, most chunks, then where to.
            b"HEL" => row.endpoint_url = fields.take(20).and_then(|_| text(&mut fields)),
            b"RHE" => row.endpoint_url = text(&mut fields).and_then(|_| text(&mut fields)),
            b"ERR" => {
                row.error = fields.le32().map(|error| format!("{error:08x}"));
                row.reason = text(&mut fields);
            }
            // Channel, then policy and certificate.
            b"OPN" => {
                fields.le32();
                let policy = text(&mut fields);
                row.security_policy = policy.map(|policy| policy.rsplit('#').next().unwrap_or_default().to_owned());
                let certificate = counted(&mut fields).filter(|certificate| !certificate.is_empty());
                row.sender_cert_sha256 = certificate.map(|der| hex(digest::digest(&digest::SHA256, der).as_ref()));
            }
            _ => {}
        }
        out.say(chunk.frame, chunk.ts_ns, Event::Opcua(Box::new(row)));
    }

    fn confirmed(&self) -> bool {
        self.seen
    }
}

/// As many bytes as the four before say; all ones say that there are none.
fn counted<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    let length = fields.le32().filter(|&length| length != u32::MAX)?;
    fields.take(usize::try_from(length).ok()?)
}

fn text(fields: &mut Fields<'_>) -> Option<String> {
    counted(fields).map(|text| escape(text, TEXT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
    use proptest::prelude::*;

    fn message(kind: &[u8], body: &[u8]) -> Vec<u8> {
        [kind, b"F", &(body.len() as u32 + 8).to_le_bytes(), body].concat()
    }

    fn string(text: &str) -> Vec<u8> {
        [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
    }

    fn talk() -> Vec<Step> {
        vec![
            up(message(b"HEL", &[vec![0; 20], string("opc.tcp://plc:4840")].concat())),
            down(message(b"ACK", &[0; 20])),
            up(message(
                b"OPN",
                &[vec![0; 4], string("http://opcfoundation.org/UA/SecurityPolicy#None"), vec![0xff; 8], vec![0; 60]].concat(),
            )),
            down(message(b"ERR", &[0x80130000u32.to_le_bytes().to_vec(), string("no")].concat())),
        ]
    }

    fn told(steps: &[Step]) -> Vec<String> {
        let events = said(conn(Proto::Tcp, 4_840), steps).into_iter();
        let lines = events.filter_map(|event| match event {
            Event::Opcua(row) => {
                let first = [row.endpoint_url, row.security_policy, row.error.zip(row.reason).map(|(a, b)| format!("{a} {b}"))];
                Some(format!("{} {}", row.msg_type, first.into_iter().flatten().collect::<String>()))
            }
            _ => None,
        });
        lines.collect()
    }

    #[test]
    fn greeting_channel_and_error_are_rows() {
        assert_eq!(told(&talk()), ["HEL opc.tcp://plc:4840", "ACK ", "OPN None", "ERR 80130000 no"]);
        assert_eq!(play(conn(Proto::Tcp, 9_999), &talk()).1, "opcua");
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(sizes in proptest::collection::vec(1usize..20, 1..6)) {
            prop_assert_eq!(told(&cut(&talk(), &sizes)), told(&talk()));
        }

        #[test]
        fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..90), at in 0usize..60, bit in 0u8..8) {
            let mut steps = talk();
            for step in &mut steps {
                if let Step::Data(_, bytes) = step && let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            steps.extend([up(message(b"OPN", &noise)), down(message(b"RHE", &noise))]);
            prop_assert!(told(&steps).len() <= 6);
        }
    }
}
