//! LOGIN7 (MS-TDS 2.2.6.4): a fixed part, then places and lengths of texts in UTF-16; the password is only disguised.

use crate::dissect::le;
use crate::model::event::Tds;

/// Characters of a name.
const NAME_MAX: usize = 128;
/// Where the places begin.
const PLACES: usize = 36;
/// Bit of the second option flags that says that NTLM or Kerberos proves the user.
const INTEGRATED: u8 = 0x80;

/// Fills in what the login says; returns the password.
pub(super) fn read(message: &[u8], row: &mut Tds) -> String {
    row.version = le::u32_at(message, 4).map(|version| format!("{version:08x}"));
    row.integrated = le::u8_at(message, 25).is_some_and(|flags| flags & INTEGRATED != 0);
    let bytes = |number: usize| -> Option<&[u8]> {
        let at = PLACES + 4 * number;
        let (from, length) = (le::u16_at(message, at)?, le::u16_at(message, at + 2)?);
        le::part(message, usize::from(from), usize::from(length) * 2)
    };
    let text = |number: usize| bytes(number).map(|text| le::utf16(text, NAME_MAX)).filter(|text| !text.is_empty());
    row.host = text(0);
    row.user = text(1);
    row.application = text(3);
    row.server = text(4);
    row.library = text(6);
    row.database = text(8);
    // Each byte was turned by four bits, then combined with 0xa5.
    let password: Vec<u8> = bytes(2).unwrap_or_default().iter().map(|byte| (byte ^ 0xa5).rotate_left(4)).collect();
    le::utf16(&password, NAME_MAX)
}
