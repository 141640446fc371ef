//! The few kinds of frames that Initial packets hold (RFC 9000 12.4, 19).

use super::bytes::Bytes;
use super::header::varint;

/// A frame of interest.
#[derive(Debug, PartialEq)]
pub enum Frame<'a> {
    /// Bytes of the handshake at an offset.
    Crypto(u64, &'a [u8]),
    /// The sender closes: error code.
    Close(u64),
}

/// Walks over the frames of a decrypted payload, up to the first that has no place there.
pub fn each<'a>(payload: &'a [u8], google: bool, mut take: impl FnMut(Frame<'a>)) {
    let mut bytes = Bytes(payload);
    while let Some(frame) = if google { google_frame(&mut bytes) } else { frame(&mut bytes) } {
        if let Some(frame) = frame {
            take(frame);
        }
    }
}

/// The next frame; `Some(None)` for one that says nothing, `None` at the end.
fn frame<'a>(bytes: &mut Bytes<'a>) -> Option<Option<Frame<'a>>> {
    match bytes.u8()? {
        // PADDING, PING.
        0 | 1 => Some(None),
        kind @ (2 | 3) => {
            acknowledgement(bytes, kind == 3)?;
            Some(None)
        }
        6 => crypto(bytes).map(Some),
        kind @ (0x1c | 0x1d) => {
            let code = varint(bytes)?;
            if kind == 0x1c {
                varint(bytes)?;
            }
            let reason = usize::try_from(varint(bytes)?).ok()?;
            bytes.take(reason.min(bytes.0.len()))?;
            Some(Some(Frame::Close(code)))
        }
        _ => None,
    }
}

/// Frames of Google's Q050 and T05x: CRYPTO has another number, and padding goes to the end of the packet.
fn google_frame<'a>(bytes: &mut Bytes<'a>) -> Option<Option<Frame<'a>>> {
    match bytes.u8()? {
        0 | 7 => Some(None),
        8 => crypto(bytes).map(Some),
        _ => None,
    }
}

/// Offset, length, bytes; of a cut packet what is there.
fn crypto<'a>(bytes: &mut Bytes<'a>) -> Option<Frame<'a>> {
    let offset = varint(bytes)?;
    let length = usize::try_from(varint(bytes)?).ok()?;
    Some(Frame::Crypto(offset, bytes.take(length.min(bytes.0.len()))?))
}

fn acknowledgement(bytes: &mut Bytes<'_>, counts: bool) -> Option<()> {
    varint(bytes)?;
    varint(bytes)?;
    let ranges = varint(bytes)?;
    varint(bytes)?;
    for _ in 0..ranges.checked_mul(2)? {
        varint(bytes)?;
    }
    for _ in 0..if counts { 3 } else { 0 } {
        varint(bytes)?;
    }
    Some(())
}
