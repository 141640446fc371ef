//! SASL exchanges in line protocols (RFC 4422, 4616): what they reveal.

use super::credential;
use crate::dissect::escape;
use crate::model::event::Credential;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Longest user or secret kept, bytes.
const LONGEST: usize = 512;

/// Clients in the wild forget the padding, or leave bits behind it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// One exchange under way.
pub(in crate::dissect) struct Exchange {
    mechanism: Mechanism,
    user: Option<String>,
    secret: String,
    answers: u8,
    /// Where the client last spoke.
    pub frame: u64,
    /// When.
    pub ts_ns: i64,
}

#[derive(Clone, Copy, PartialEq)]
enum Mechanism {
    Plain,
    Login,
    CramMd5,
    Other,
}

impl Exchange {
    /// Begins with the mechanism's name and, where sent at once, the first answer (`=` is an empty one).
    pub fn new(name: &str, initial: Option<&str>) -> Self {
        let mechanism = match name.to_ascii_uppercase().as_str() {
            "PLAIN" => Mechanism::Plain,
            "LOGIN" => Mechanism::Login,
            "CRAM-MD5" => Mechanism::CramMd5,
            _ => Mechanism::Other,
        };
        let mut exchange = Self { mechanism, user: None, secret: String::new(), answers: 0, frame: 0, ts_ns: 0 };
        if let Some(initial) = initial.filter(|initial| *initial != "=") {
            exchange.answer(initial.as_bytes());
        }
        exchange
    }

    /// A user and a secret are there, as far as the mechanism shows them.
    pub fn complete(&self) -> bool {
        let answers = match self.mechanism {
            Mechanism::Plain | Mechanism::CramMd5 | Mechanism::Other => 1,
            Mechanism::Login => 2,
        };
        self.answers >= answers
    }

    /// The client's next line.
    pub fn answer(&mut self, line: &[u8]) {
        let text = LENIENT.decode(line.trim_ascii()).unwrap_or_default();
        match (self.mechanism, self.answers) {
            (Mechanism::Plain, 0) => {
                let mut fields = text.split(|&byte| byte == 0).skip(1);
                self.user = fields.next().map(|user| escape(user, LONGEST));
                self.secret = fields.next().map_or_else(String::new, |secret| escape(secret, LONGEST));
            }
            (Mechanism::Login, 0) => self.user = Some(escape(&text, LONGEST)),
            (Mechanism::Login, 1) => self.secret = escape(&text, LONGEST),
            (Mechanism::CramMd5, 0) => {
                self.user = text.rsplitn(2, |&byte| byte == b' ').nth(1).map(|user| escape(user, LONGEST));
            }
            _ => {}
        }
        self.answers = self.answers.saturating_add(1);
    }

    /// The attempt, with the server's word on it; `None` if nobody was named.
    pub fn attempt(self, service: &'static str, success: Option<bool>) -> Option<Credential> {
        (self.user.is_some() || !self.secret.is_empty()).then(|| credential(service, self.user, self.secret, success))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, initial: Option<&str>, lines: &[&str]) -> Option<(Option<String>, String, bool)> {
        let mut exchange = Exchange::new(name, initial);
        for line in lines {
            assert!(!exchange.complete());
            exchange.answer(line.as_bytes());
        }
        assert!(exchange.complete());
        exchange.attempt("smtp", None).map(|found| (found.user, found.secret, found.cleartext))
    }

    #[test]
    fn mechanisms_show_what_they_show() {
        let jane = || Some((Some("jane".to_owned()), "pw".to_owned(), true));
        assert_eq!(seen("plain", Some("AGphbmUAcHc="), &[]), jane());
        assert_eq!(seen("PLAIN", None, &["AGphbmUAcHc"]), jane());
        assert_eq!(seen("LOGIN", None, &["amFuZQ==", "cHc="]), jane());
        assert_eq!(seen("LOGIN", Some("amFuZQ=="), &["cHc="]), jane());
        assert_eq!(seen("CRAM-MD5", None, &["amFuZSAwMTIz"]), Some((Some("jane".into()), String::new(), false)));
        assert_eq!(seen("NTLM", Some("TlRMTVNTUAAB"), &[]), None);
    }
}
