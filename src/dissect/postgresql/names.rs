//! Login methods and fields of errors under Zeek's names (PostgreSQL 53.7 and 53.8).

use crate::dissect::escape;

/// The password travels in clear.
pub(super) const CLEARTEXT: &str = "CleartextPassword";

/// `MD5Password`, `UnknownAuthId6`.
pub(super) fn method(number: u32) -> String {
    let name = match number {
        2 => "KerberosV5",
        3 => CLEARTEXT,
        5 => "MD5Password",
        7 => "GSSAPI",
        8 => "GSSAPIContinue",
        9 => "SSPI",
        10 => "SASL",
        11 => "SASLContinue",
        12 => "SASLFinal",
        _ => return format!("UnknownAuthId{number}"),
    };
    name.to_owned()
}

/// The fields of an error or notice: `Severity=FATAL,Code=28000` …
pub(super) fn fields(body: &[u8], most: usize) -> String {
    let mut text = String::new();
    for field in body.split(|&byte| byte == 0) {
        let Some((&id, value)) = field.split_first() else { break };
        let room = most.saturating_sub(text.len());
        if !text.is_empty() {
            text.push(',');
        }
        match name(id) {
            Some(name) => text.push_str(name),
            None => text.push_str(&format!("UnknownErrorId{}", escape(&[id], 1))),
        }
        text.push('=');
        text.push_str(&escape(value, room));
    }
    text
}

fn name(id: u8) -> Option<&'static str> {
    Some(match id {
        b'S' => "SeverityLocalized",
        b'V' => "Severity",
        b'C' => "Code",
        b'M' => "Message",
        b'D' => "Detail",
        b'H' => "Hint",
        b'P' => "Position",
        b'p' => "InternalPosition",
        b'q' => "InternalQuery",
        b'W' => "Where",
        b's' => "Schema",
        b't' => "Table",
        b'c' => "Column",
        b'd' => "Data",
        b'n' => "Constraint",
        b'F' => "File",
        b'L' => "Line",
        b'R' => "Routine",
        _ => return None,
    })
}
