//! What Zeek takes from headers: addresses of mail and of hosts.

use std::net::IpAddr;

/// Mail addresses in an envelope's argument, without brackets, each once.
pub(super) fn mail_addresses(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for part in text.split(['<', '>', ',', ':', ';', ' ', '\t']) {
        let is_address = part.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        if is_address && !found.iter().any(|known| known == part) {
            found.push(part.to_owned());
        }
    }
    found
}

/// The entries of a `To` or `Cc` header: commas within quotes separate nothing.
pub(super) fn entries(value: &str, most: usize) -> Vec<String> {
    let (mut found, mut entry, mut quoted) = (Vec::<String>::new(), String::new(), false);
    for c in value.chars().chain([',']) {
        match c {
            ',' if !quoted => {
                let whole = std::mem::take(&mut entry).trim().to_owned();
                if !whole.is_empty() && found.len() < most && !found.contains(&whole) {
                    found.push(whole);
                }
            }
            c => {
                quoted ^= c == '"';
                entry.push(c);
            }
        }
    }
    found.extend(Some(entry.trim().trim_end_matches(',').to_owned()).filter(|rest| !rest.is_empty() && found.len() < most));
    found
}

/// Host addresses in a header; `wrapped` ones stand between a pair of brackets or blanks, so that version numbers are not taken for addresses.
pub(super) fn host_addresses(value: &str, wrapped: bool) -> Vec<IpAddr> {
    let inside = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
    let mut found = Vec::new();
    let mut start = 0;
    for run in value.split_inclusive(|c| !inside(c)) {
        let end = start + run.len();
        let text = run.trim_end_matches(|c| !inside(c));
        let before = value.get(..start).and_then(|text| text.chars().next_back());
        let after = value.get(start + text.len()..).and_then(|text| text.chars().next());
        start = end;
        // `[IPv6:2001:db8::1]` (RFC 5321 4.1.3): the tag's last letters look like hexadecimal, its colon like an address.
        let text = text.trim_start_matches(|c| c == ':' && text.starts_with(':') && !text.starts_with("::"));
        let pair =
            matches!((before, after), (Some('['), Some(']')) | (Some('('), Some(')')) | (Some('{'), Some('}')) | (Some(' '), Some(' ')));
        if (wrapped && !pair) || !text.contains(['.', ':']) {
            continue;
        }
        found.extend(text.parse::<IpAddr>().ok());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_found_where_senders_put_them() {
        assert_eq!(mail_addresses("TO:<joe@example.com> NOTIFY=NEVER"), ["joe@example.com"]);
        assert_eq!(mail_addresses("FROM:<>"), Vec::<String>::new());
        assert_eq!(mail_addresses("from:a@b <a@b>, @x"), ["a@b"]);
        assert_eq!(entries("\"Doe, J\" <j@x>, k@x,, k@x ", 10), ["\"Doe, J\" <j@x>", "k@x"]);
        assert_eq!(entries("\"never closed, a@b", 10), ["\"never closed, a@b"]);
        assert_eq!(entries("a,b,c", 2), ["a", "b"]);
    }

    #[test]
    fn hosts_stand_between_brackets_or_blanks() {
        let hosts = |text| host_addresses(text, true).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(hosts("from a.example (a.example [192.0.2.1]) by 8.7.6.5/8.7 with esmtp"), ["192.0.2.1"]);
        assert_eq!(hosts("from x ([2001:db8::1]) (198.51.100.7)"), ["2001:db8::1", "198.51.100.7"]);
        assert_eq!(host_addresses("192.0.2.9", false), [IpAddr::from([192, 0, 2, 9])]);
        assert!(hosts("Tue, 2 Mar 2004 13:57:49 +0100").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC{0,80}") {
            let _ = (mail_addresses(&text), entries(&text, 5), host_addresses(&text, true), host_addresses(&text, false));
        }
    }
}
