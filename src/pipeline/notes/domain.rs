//! Domains in suppressions. `example.com` is the name and all names under it; `*.example.com` is all names under it, not itself.
//!
//! What the public registers under (`com`, `co.uk`) is refused: it would put aside what has nothing in common.

use std::net::IpAddr;

/// A name in the form in which names are compared: lower case, without the final dot. `None` for what is no name: addresses, sentences,
/// single labels.
pub(super) fn name(text: &str) -> Option<String> {
    let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let letters =
        |label: &str| !label.is_empty() && label.len() <= 63 && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let is_name = name.contains('.') && name.len() <= 253 && name.split('.').all(letters) && name.parse::<IpAddr>().is_err();
    is_name.then_some(name)
}

/// The pattern of a suppression: as typed, else the only domain of the finding.
pub(super) fn pattern(typed: Option<&str>, domains: &[String]) -> Result<String, String> {
    let Some(typed) = typed else {
        return match domains {
            [one] => Ok(one.clone()),
            [] => Err("this finding names no domain; name one with --domain, or use another --scope".into()),
            many => Err(format!("this finding names {} domains ({}); name one with --domain", many.len(), few(many))),
        };
    };
    let typed = typed.trim();
    let (star, rest) = typed.strip_prefix("*.").map_or(("", typed), |rest| ("*.", rest));
    let name = name(rest).ok_or_else(|| format!("{typed:?} is no domain; write example.com, or *.example.com for names under it"))?;
    if psl::suffix_str(&name) == Some(name.as_str()) && psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known()) {
        return Err(format!("under {name} anybody can register names; write a domain of one owner, such as example.{name}"));
    }
    Ok(format!("{star}{name}"))
}

fn few(many: &[String]) -> String {
    many.iter().take(4).map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Whether `pattern` covers the name.
pub(super) fn covers(pattern: &str, name: &str) -> bool {
    let under = |apex: &str| name.strip_suffix(apex).is_some_and(|front| front.len() > 1 && front.ends_with('.'));
    match pattern.strip_prefix("*.") {
        Some(apex) => under(apex),
        None => name == pattern || under(pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apex_covers_itself_and_what_is_under_it_and_a_star_only_the_latter() {
        let table = [
            ("example.com", "example.com", true),
            ("example.com", "a.b.example.com", true),
            ("example.com", "notexample.com", false),
            ("example.com", "example.com.evil.org", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
        ];
        for (pattern, name, covered) in table {
            assert_eq!(covers(pattern, name), covered, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_are_names_and_never_public_suffixes() {
        assert_eq!(pattern(Some("*.Example.COM."), &[]), Ok("*.example.com".into()));
        assert_eq!(pattern(None, &["a.example".into()]), Ok("a.example".into()));
        for (typed, why) in
            [("co.uk", "anybody"), ("*.co.uk", "anybody"), ("10.0.0.1", "no domain"), ("a b.example", "no domain"), ("com", "no domain")]
        {
            assert!(pattern(Some(typed), &[]).is_err_and(|said| said.contains(why)), "{typed}");
        }
        assert!(pattern(None, &[]).is_err_and(|said| said.contains("--domain")));
        assert!(pattern(None, &["a.example".into(), "b.example".into()]).is_err_and(|said| said.contains("2 domains")));
    }
}
