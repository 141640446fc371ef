//! Messages behind a SASL security layer (RFC 4422 3.7): four bytes of length, then a token. Tokens that only sign keep their content
//! in clear; those that seal keep it to themselves.

use crate::dissect::ber::Ber;

/// Flag of RFC 4121 4.2.2: sealed.
const SEALED: u8 = 2;
/// Header of such a token.
const HEADER: usize = 16;

/// Whether a buffer begins with a length and a token, as far as can be seen.
pub fn begins(bytes: &[u8]) -> bool {
    matches!(bytes, [0, _, _, _, 5, 4, _, 0xff, ..] | [0, _, _, _, 0x60, ..] | [0, _, _, _, 1, 0, 0, 0, ..])
}

/// What a token signs, if it does not seal it. Cut tokens are given as far as they go.
pub fn content(token: &[u8], whole: bool) -> Option<Vec<u8>> {
    match token {
        [5, 4, flags, 0xff, ..] if flags & SEALED == 0 => rotated(token, whole),
        [0x60, ..] => rfc_1964(token).map(<[u8]>::to_vec),
        // NTLM's signature (MS-NLMP 2.2.2.9): version, checksum, sequence number.
        [1, 0, 0, 0, ..] => token.get(HEADER..).map(<[u8]>::to_vec),
        _ => None,
    }
    .filter(|content| content.first() == Some(&0x30))
}

/// RFC 4121 4.2.4 and 4.2.5: content and checksum of `extra` bytes, together rotated to the right.
fn rotated(token: &[u8], whole: bool) -> Option<Vec<u8>> {
    let [_, _, _, _, extra_high, extra_low, right_high, right_low, ..] = *token.first_chunk::<HEADER>()?;
    let extra = usize::from(u16::from_be_bytes([extra_high, extra_low]));
    let right = usize::from(u16::from_be_bytes([right_high, right_low]));
    let mut body = token.get(HEADER..)?.to_vec();
    if whole {
        let turns = right.checked_rem(body.len())?;
        body.rotate_left(turns);
        body.truncate(body.len().saturating_sub(extra));
        return Some(body);
    }
    // Of a cut token the turn is known only where it brings the checksum to the front, as all do in practice.
    (right == extra).then(|| body.split_off(extra.min(body.len())))
}

/// RFC 1964 1.2.2 without sealing: algorithms, sequence number, checksum, eight random bytes, content, one byte of padding.
fn rfc_1964(token: &[u8]) -> Option<&[u8]> {
    let mut inside = Ber(token).next()?.inside();
    inside.expect(6)?;
    match inside.0 {
        [2, 1, _, _, 0xff, 0xff, 0xff, 0xff, rest @ ..] => rest.get(24..),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: [u8; 7] = [0x30, 5, 2, 1, 4, 0x42, 0];

    #[test]
    fn signed_content_is_found_wherever_the_checksum_was_turned_to() {
        let head = |right: u8| [5, 4, 4, 0xff, 0, 12, 0, right, 0, 0, 0, 0, 0, 0, 0, 1];
        let turned = [&head(12)[..], &[9; 12], &MESSAGE].concat();
        let straight = [&head(0)[..], &MESSAGE, &[9; 12]].concat();
        for token in [&turned, &straight] {
            assert_eq!(content(token, true).as_deref(), Some(&MESSAGE[..]));
        }
        assert_eq!(content(&turned[..32], false).as_deref(), Some(&MESSAGE[..4]));
        let mut sealed = turned.clone();
        sealed[2] |= SEALED;
        assert_eq!(content(&sealed, true), None);
        let ntlm = [&[1, 0, 0, 0][..], &[7; 12], &MESSAGE].concat();
        assert_eq!(content(&ntlm, true).as_deref(), Some(&MESSAGE[..]));
        let old = [&[6, 1, 42, 2, 1, 0x11, 0, 0xff, 0xff, 0xff, 0xff][..], &[3; 24], &MESSAGE, &[1]].concat();
        let old = [&[0x60, old.len() as u8][..], &old].concat();
        assert_eq!(content(&old, true).as_deref(), Some(&[&MESSAGE[..], &[1]].concat()[..]));
    }
}
