//! Logins in clear: protocols that are read only as far as they give a user, a secret and the server's answer.

pub(super) mod lines;
pub(super) mod rlogin;
pub(super) mod sasl;
pub(super) mod telnet;
mod typing;
#[cfg(test)]
mod tests;

use crate::model::event::Credential;

/// First letter and five stars, whatever the length; nothing for nothing.
pub(super) fn mask(secret: &str) -> String {
    secret.chars().next().map_or_else(String::new, |first| format!("{first}*****"))
}

/// A login attempt in clear.
pub(super) fn credential(service: &'static str, user: Option<String>, secret: String, success: Option<bool>) -> Credential {
    let secret_masked = mask(&secret);
    Credential { service, user, realm: None, cleartext: !secret.is_empty(), secret_masked, secret, success }
}
