//! Times as lists write them.

use crate::model::Ts;
use crate::model::time::SECOND;
use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// `2024-05-01T12:00:00.123Z`, `2024-05-01 12:00:00 UTC`, `2024-05-01`, or seconds since 1970. What has no zone is UTC.
pub fn read(text: &str) -> Option<Ts> {
    let text = text.trim().trim_matches('"');
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return moment.timestamp_nanos_opt();
    }
    // Ten digits are seconds of this age; fewer are a number.
    if (9..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<i64>().ok()?.checked_mul(SECOND);
    }
    let bare = text.trim_end_matches("UTC").trim_end_matches("GMT").trim_end_matches('Z').trim();
    for form in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"] {
        if let Ok(moment) = NaiveDateTime::parse_from_str(bare, form) {
            return moment.and_utc().timestamp_nanos_opt();
        }
    }
    let day = NaiveDate::parse_from_str(bare.get(..10).unwrap_or(bare), "%Y-%m-%d").ok()?;
    day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_nanos_opt()
}

/// The first date in a comment that speaks of when the list was made.
pub fn in_comment(line: &str) -> Option<Ts> {
    let lower = line.to_lowercase();
    if !["updat", "generat", "date", "created", "modified", "published"].iter().any(|word| lower.contains(word)) {
        return None;
    }
    let at = line
        .as_bytes()
        .windows(10)
        .position(|window| window.iter().enumerate().all(|(at, b)| if at == 4 || at == 7 { *b == b'-' } else { b.is_ascii_digit() }))?;
    let whole = line.get(at..at + 19).and_then(|text| read(&text.replace('T', " ")));
    whole.or_else(|| read(line.get(at..at + 10)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_forms_that_lists_have() {
        let day = 1_714_521_600 * SECOND;
        for text in [
            "2024-05-01",
            "2024-05-01 00:00:00",
            "2024-05-01T00:00:00Z",
            "2024-05-01T02:00:00+02:00",
            "1714521600",
            "\"2024-05-01 00:00:00 UTC\"",
        ] {
            assert_eq!(read(text), Some(day), "{text}");
        }
        assert_eq!(read("2024-05-01T00:00:00.5Z"), Some(day + SECOND / 2));
        for text in ["", "yesterday", "12", "2024-13-01", "99999999999999999999", "é024-05-01"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_comment_tells_when_the_list_was_made() {
        let day = 1_714_521_600 * SECOND;
        assert_eq!(in_comment("# Last updated: 2024-05-01 00:00:00 UTC"), Some(day));
        assert_eq!(in_comment("; generated on 2024-05-01"), Some(day));
        assert_eq!(in_comment("# see RFC of 2024-05-01"), None);
        assert_eq!(in_comment("# updated é 2024-5-1"), None);
    }
}
