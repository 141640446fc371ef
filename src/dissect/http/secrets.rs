//! Logins in HTTP: `Authorization` headers and forms in clear. Passwords never reach text that is stored unmasked.

use super::line::unescape;
use crate::dissect::escape;
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// User names and passwords longer than this are cut.
const TEXT_MAX: usize = 256;
/// Fields of a form that are looked at.
const FIELDS_MAX: usize = 128;

/// What a request tried to log in with.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// `http-basic`, `http-digest`, `http-form`
    pub service: &'static str,
    /// User.
    pub user: Option<String>,
    /// Realm, if told.
    pub realm: Option<String>,
    /// Password; empty for digests.
    pub secret: String,
}

/// An `Authorization` value: its scheme, and the login if there is one to be read.
pub fn authorization(value: &[u8]) -> (String, Option<Login>) {
    let value = value.trim_ascii();
    let end = value.iter().position(|byte| byte.is_ascii_whitespace()).unwrap_or(value.len());
    let (scheme, rest) = value.split_at(end);
    let scheme = escape(scheme, 32).to_ascii_lowercase();
    let login = match scheme.as_str() {
        "basic" => Some(basic(rest.trim_ascii(), value)),
        "digest" => Some(digest(rest)),
        _ => None,
    };
    (scheme, login)
}

/// The bytes behind `NTLM` or `Negotiate`; `None` where nothing stands there.
pub fn token(value: &[u8]) -> Option<Vec<u8>> {
    let value = value.trim_ascii();
    let end = value.iter().position(|byte| byte.is_ascii_whitespace())?;
    let (scheme, rest) = value.split_at(end);
    let known = scheme.eq_ignore_ascii_case(b"NTLM") || scheme.eq_ignore_ascii_case(b"Negotiate");
    decode(rest.trim_ascii()).filter(|token| known && !token.is_empty())
}

fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(encoded).ok()
}

/// RFC 7617. The name ends at the first colon; a password may hold more of them.
fn basic(encoded: &[u8], whole: &[u8]) -> Login {
    let decoded = decode(encoded);
    let pair = decoded.as_deref().and_then(|text| text.iter().position(|&byte| byte == b':').map(|at| text.split_at(at)));
    match pair {
        Some((user, secret)) => {
            Login { service: "http-basic", user: Some(escape(user, TEXT_MAX)), realm: None, secret: escape(&secret[1..], TEXT_MAX) }
        }
        None => {
            let user = format!("<problem-decoding> ({})", escape(whole, TEXT_MAX));
            Login { service: "http-basic", user: Some(user), realm: None, secret: String::new() }
        }
    }
}

/// RFC 7616: the password does not travel, the name does.
fn digest(parameters: &[u8]) -> Login {
    let of = |name: &[u8]| {
        parameters.split(|&byte| byte == b',').find_map(|part| {
            let at = part.iter().position(|&byte| byte == b'=')?;
            let (key, value) = part.split_at(at);
            let value = value[1..].trim_ascii();
            let value = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value);
            key.trim_ascii().eq_ignore_ascii_case(name).then(|| escape(value, TEXT_MAX))
        })
    };
    Login { service: "http-digest", user: of(b"username"), realm: of(b"realm"), secret: String::new() }
}

fn is_secret(key: &[u8]) -> bool {
    let key = key.to_ascii_lowercase();
    let exact: [&[u8]; 5] = [b"pwd", b"psw", b"pw", b"pin", b"passphrase"];
    exact.contains(&key.as_slice())
        || [&b"passw"[..], b"passwd", b"_pass", b"pwd"].iter().any(|word| memchr::memmem::find(&key, word).is_some())
        || key == b"pass"
}

fn is_user(key: &[u8]) -> bool {
    let key = key.to_ascii_lowercase();
    let exact: [&[u8]; 7] = [b"log", b"usr", b"uname", b"uid", b"account", b"name", b"id"];
    [&b"user"[..], b"login", b"email", b"mail"].iter().any(|word| memchr::memmem::find(&key, word).is_some())
        || exact.contains(&key.as_slice())
}

/// The fields of `a=1&b=2`, undecoded.
fn fields(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    form.split(|&byte| byte == b'&').take(FIELDS_MAX).filter_map(|field| {
        let at = field.iter().position(|&byte| byte == b'=')?;
        Some((&field[..at], &field[at + 1..]))
    })
}

fn decoded(value: &[u8]) -> String {
    let spaced: Vec<u8> = value.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    escape(&unescape(&spaced), TEXT_MAX)
}

/// A login in urlencoded fields: a user and a non-empty password among them.
pub fn form(text: &[u8]) -> Option<Login> {
    let secret = fields(text).find(|(key, value)| is_secret(key) && !value.is_empty())?.1;
    // A field that says it is the user beats one that merely could be.
    let likely = |key: &[u8]| is_user(key) && key.len() > 3;
    let user = fields(text).find(|(key, value)| likely(key) && !is_secret(key) && !value.is_empty());
    let user = user.or_else(|| fields(text).find(|(key, value)| is_user(key) && !is_secret(key) && !value.is_empty()))?.1;
    Some(Login { service: "http-form", user: Some(decoded(user)), realm: None, secret: decoded(secret) })
}

/// The text with the values of password fields starred out, in urlencoded forms and in JSON.
pub fn masked(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for (n, field) in text.split(|&byte| byte == b'&').enumerate() {
        if n > 0 {
            out.push(b'&');
        }
        match field.iter().position(|&byte| byte == b'=') {
            Some(at) if is_secret(&field[..at]) => {
                out.extend_from_slice(&field[..=at]);
                out.extend_from_slice(b"***");
            }
            _ => out.extend_from_slice(field),
        }
    }
    masked_json(&out)
}

/// `"password": "hunter2"` → `"password": "***"`.
fn masked_json(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut secret_next = false;
    for (n, part) in text.split(|&byte| byte == b'"').enumerate() {
        if n > 0 {
            out.push(b'"');
        }
        // Every second part stands in quotes; a value follows its key after a colon.
        let quoted = n % 2 == 1;
        let colon = part.trim_ascii() == b":";
        if quoted && secret_next {
            out.extend_from_slice(b"***");
            secret_next = false;
            continue;
        }
        secret_next = if quoted { is_secret(part) } else { secret_next && colon };
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_logins_keep_colons_in_passwords_and_survive_bad_padding() {
        let login = |value: &[u8]| authorization(value).1.map(|login| (login.user.unwrap_or_default(), login.secret));
        assert_eq!(login(b"Basic dGVzdDoxOjM0"), Some(("test".to_owned(), "1:34".to_owned())));
        assert_eq!(login(b"basic   dGVzdDox"), Some(("test".to_owned(), "1".to_owned())));
        assert_eq!(login(b"Basic !!"), Some(("<problem-decoding> (Basic !!)".to_owned(), String::new())));
        assert_eq!(authorization(b"Bearer abc"), ("bearer".to_owned(), None));
    }

    #[test]
    fn digests_tell_the_user_and_no_secret() {
        let login = authorization(b"Digest username=\"ann\", realm=\"hall\", response=\"6629\"").1;
        assert_eq!(
            login,
            Some(Login { service: "http-digest", user: Some("ann".into()), realm: Some("hall".into()), secret: String::new() })
        );
    }

    #[test]
    fn forms_need_both_a_user_and_a_password() {
        let login = form(b"token=1&log=ann&pwd=a%26b+c&x=").map(|login| (login.user.unwrap_or_default(), login.secret));
        assert_eq!(login, Some(("ann".to_owned(), "a&b c".to_owned())));
        assert_eq!((form(b"user=ann&pass="), form(b"pass=1"), form(b"compass=1&user=x")), (None, None, None));
    }

    #[test]
    fn passwords_are_starred_in_forms_and_json() {
        assert_eq!(masked(b"user=a&Password=hunter2&x=1"), b"user=a&Password=***&x=1");
        assert_eq!(masked(b"{\"user\":\"a\", \"password\" : \"hunter2\"}"), b"{\"user\":\"a\", \"password\" : \"***\"}");
    }
}
