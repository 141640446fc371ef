//! Sessions: random tokens that expire, known here by their hash alone.

use super::super::problem::Problem;
use super::users::{digest, secret};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Name of the cookie.
pub const COOKIE: &str = "vigil_session";
/// A session that nobody uses ends after this …
const IDLE: Duration = Duration::from_secs(60 * 60);
/// … and any after this.
pub const LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// Sessions at once; the one that idles longest makes room.
const SESSIONS: usize = 1_000;

/// What a browser holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// A token as it was sent, if it could be one.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (text.len() == 43 && text.bytes().all(plain)).then(|| Self(text.into()))
    }

    /// To be sent to its holder, once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The cookie that carries it: out of reach for scripts and other sites. `Secure` where the browser came by TLS.
    pub fn cookie(&self, tls: bool) -> String {
        let secure = if tls { "; Secure" } else { "" };
        format!("{COOKIE}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{secure}", self.0, LIFE.as_secs())
    }

    /// The cookie that takes it away.
    pub fn no_cookie() -> String {
        format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict")
    }
}

struct Session {
    name: String,
    began: Instant,
    used: Instant,
}

impl Session {
    fn alive(&self, now: Instant) -> bool {
        now.duration_since(self.used) < IDLE && now.duration_since(self.began) < LIFE
    }
}

/// All sessions, by the hash of their token.
#[derive(Default)]
pub struct Sessions(Mutex<BTreeMap<String, Session>>);

impl Sessions {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one.
    pub fn begin(&self, name: &str) -> Result<Token, Problem> {
        let token = Token(secret().map_err(|error| Problem::Ours(error.to_string()))?);
        let now = Instant::now();
        let mut all = self.all();
        all.retain(|_, session| session.alive(now));
        if all.len() >= SESSIONS
            && let Some(oldest) = all.iter().min_by_key(|(_, session)| session.used).map(|(hash, _)| hash.clone())
        {
            all.remove(&oldest);
        }
        all.insert(digest(&token.0), Session { name: name.into(), began: now, used: now });
        Ok(token)
    }

    /// Whose it is, if it is alive; it was used now.
    pub fn touch(&self, token: &Token) -> Option<String> {
        let now = Instant::now();
        let mut all = self.all();
        let session = all.get_mut(&digest(&token.0)).filter(|session| session.alive(now))?;
        session.used = now;
        Some(session.name.clone())
    }

    /// Ends one.
    pub fn end(&self, token: &Token) {
        self.all().remove(&digest(&token.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_known_until_it_ends() {
        let sessions = Sessions::default();
        let token = sessions.begin("ann").unwrap();
        let read = Token::parse(token.reveal()).unwrap();
        assert_eq!(sessions.touch(&read).as_deref(), Some("ann"));
        sessions.end(&read);
        assert_eq!(sessions.touch(&read), None);
    }

    #[test]
    fn sessions_expire_by_idleness_and_by_age() {
        let begin = Instant::now();
        let session = Session { name: String::new(), began: begin, used: begin + LIFE - Duration::from_secs(1) };
        assert!(session.alive(begin + LIFE - Duration::from_secs(1)));
        assert!(!session.alive(begin + LIFE));
        assert!(!Session { used: begin, ..session }.alive(begin + IDLE));
    }

    #[test]
    fn there_are_never_more_than_so_many() {
        let sessions = Sessions::default();
        let first = sessions.begin("first").unwrap();
        (0..SESSIONS).for_each(|_| drop(sessions.begin("next").unwrap()));
        assert_eq!(sessions.all().len(), SESSIONS);
        assert_eq!(sessions.touch(&first), None);
    }

    #[test]
    fn what_is_no_token_is_not_looked_up() {
        assert!(["", "abc", &"a".repeat(44), &format!("{}\n", "a".repeat(42))].iter().all(|text| Token::parse(text).is_none()));
    }
}
