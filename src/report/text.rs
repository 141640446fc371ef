//! Words and numbers as people read them, and strings from packets made visible.

use std::borrow::Cow;

/// Whether a reader is deceived by `c`: it moves a cursor, reverses the reading order, hides, or breaks the line.
pub fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}')
        || matches!(c, '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e0fff}')
}

/// `text` with every deceiving character written out as Rust would (`\n`, `\u{202e}`). The result is one line that shows
/// what is there. It is not yet safe for any particular sink.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(deceives) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if deceives(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// [`visible`] and at most `most` characters, with the number left out.
pub fn clipped(text: &str, most: usize) -> Cow<'_, str> {
    let Some((cut, _)) = text.char_indices().nth(most) else { return visible(text) };
    let left_out = text[cut..].chars().count();
    Cow::Owned(format!("{} … ({} more characters)", visible(&text[..cut]), thousands(left_out as u64)))
}

/// `1,402,113`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 flow`, `2,000 flows`.
pub fn count(n: u64, noun: &str) -> String {
    format!("{} {}{}", thousands(n), noun, if n == 1 { "" } else { "s" })
}

/// `part` of `whole`, 0 to 1; `None` of nothing.
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64).min(1.0))
}

/// `63.1 %`. Never rounds something to nothing, nor almost all to all: both would be a lie about evidence.
pub fn percent(part: u64, whole: u64) -> String {
    match share(part, whole) {
        None => "–".to_owned(),
        Some(_) if part == 0 => "0 %".to_owned(),
        Some(_) if part >= whole => "100 %".to_owned(),
        Some(s) if s < 0.001 => "< 0.1 %".to_owned(),
        Some(s) if s > 0.999 => "> 99.9 %".to_owned(),
        Some(s) => format!("{:.1} %", s * 100.0),
    }
}

/// Abbreviations that read wrongly in lower case.
const ABBREVIATIONS: [&str; 20] = [
    "arp", "asn", "dns", "ftp", "http", "https", "icmp", "ip", "ja3", "ja4", "mac", "sni", "smb", "ssh", "syn", "tcp", "tls", "ttl", "udp",
    "url",
];

/// A name of code as people write it: `credential-access` → `Credential access`, `dns_ttl` → `DNS TTL`.
pub fn label(name: &str) -> String {
    let mut said = String::with_capacity(name.len());
    for word in name.split(['_', '-']) {
        if !said.is_empty() {
            said.push(' ');
        }
        match word.chars().next() {
            _ if ABBREVIATIONS.contains(&word) => said.push_str(&word.to_ascii_uppercase()),
            Some(first) if said.is_empty() => said.extend(first.to_uppercase().chain(word.chars().skip(1))),
            _ => said.push_str(word),
        }
    }
    said
}

/// `word` as a POSIX shell reads it back: as it is, or in single quotes. Deceiving characters are shown, not passed on.
pub fn shell_word(word: &str) -> String {
    let word = visible(word);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | ',' | '+' | '@' | '%' | '=');
    if !word.is_empty() && word.chars().all(plain) { word.into_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// [`shell_word`] for a path: one that begins with a dash would be read as a flag.
pub fn shell_path(path: &str) -> String {
    if path.starts_with('-') { shell_word(&format!("./{path}")) } else { shell_word(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reverses_hides_or_moves_is_written_out() {
        let shown = visible("a\u{202e}gpj.exe\0\u{1b}[2J\r\n\t\u{200b}\u{9b}é世\u{feff}");
        assert_eq!(shown, r"a\u{202e}gpj.exe\u{0}\u{1b}[2J\r\n\t\u{200b}\u{9b}é世\u{feff}");
        assert!(matches!(visible("10.0.0.5 → evil.example"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_clipped_string_says_how_much_is_missing_and_never_cuts_a_character() {
        assert_eq!(clipped("ééééé", 2), "éé … (3 more characters)");
        assert_eq!(clipped("éé", 2), "éé");
    }

    #[test]
    fn numbers_are_grouped_and_nouns_agree() {
        assert_eq!([0, 999, 1_000, 1_402_113].map(thousands), ["0", "999", "1,000", "1,402,113"]);
        assert_eq!([count(1, "flow"), count(2_000, "flow")], ["1 flow", "2,000 flows"]);
    }

    #[test]
    fn names_of_code_become_words() {
        assert_eq!(
            ["credential-access", "not_applicable", "sni", "mean_dns_ttl", ""].map(label),
            ["Credential access", "Not applicable", "SNI", "Mean DNS TTL", ""]
        );
    }

    #[test]
    fn a_share_is_never_rounded_to_nothing_or_to_all() {
        let said = [(0, 0), (0, 5), (5, 5), (1, 100_000), (99_999, 100_000), (1, 3)].map(|(part, whole)| percent(part, whole));
        assert_eq!(said, ["–", "0 %", "100 %", "< 0.1 %", "> 99.9 %", "33.3 %"]);
    }

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        let said = ["dump.vigil", "my case", "it's", "", "--report", "$(id)", "a\nb"].map(shell_word);
        assert_eq!(said, ["dump.vigil", "'my case'", r"'it'\''s'", "''", "--report", "'$(id)'", r"'a\nb'"]);
        assert_eq!(["-rf", "- x", "a/-b"].map(shell_path), ["./-rf", "'./- x'", "a/-b"]);
    }
}
