//! Who asks, and what they may do.

mod sessions;
mod throttle;
pub mod users;

use super::problem::Problem;
use super::{Error, Options};
use axum::http::{HeaderMap, Uri, header};
use sessions::Sessions;
use std::net::IpAddr;
use throttle::Throttle;
use tokio::sync::Semaphore;
use users::{Role, Users};

pub use sessions::{COOKIE, LIFE, Token};

/// Whoever asks.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Name of the user or key; `local` where no login is demanded.
    pub name: String,
    /// What they may do; `None` for somebody who has not logged in.
    pub role: Option<Role>,
    /// Came with a session, which can be ended.
    pub session: Option<Token>,
}

impl Visitor {
    /// Somebody on the login page.
    pub fn nobody() -> Self {
        Self { name: String::new(), role: None, session: None }
    }

    /// Refuses whoever may less than `role`.
    pub fn must_be(&self, role: Role) -> Result<(), Problem> {
        match self.role {
            Some(own) if own >= role => Ok(()),
            Some(own) => Err(Problem::Forbidden(format!("this takes the role {role}; yours is {own}"))),
            None => Err(Problem::Anonymous),
        }
    }
}

/// Logins of one server.
pub struct Access {
    demanded: bool,
    users: Users,
    sessions: Sessions,
    throttle: Throttle,
    /// A password check takes 19 MiB and a good part of a processor's tenth of a second, by design.
    checks: Semaphore,
}

/// Password checks at once.
const CHECKS: usize = 2;

impl Access {
    /// Reads the users if there will be need of them.
    pub fn new(options: &Options) -> Result<Self, Error> {
        let demanded = options.login || !options.addr.ip().is_loopback();
        let users = if demanded { Users::read(&options.users)? } else { Users::default() };
        if demanded && users.is_empty() {
            return Err(Error::Nobody { addr: options.addr, users: options.users.display().to_string() });
        }
        Ok(Self { demanded, users, sessions: Sessions::default(), throttle: Throttle::default(), checks: Semaphore::new(CHECKS) })
    }

    /// Whether a login is demanded.
    pub fn demanded(&self) -> bool {
        self.demanded
    }

    /// Who sent these headers, if that is known. Without a login to demand, everybody on this machine is the analyst.
    pub fn visitor(&self, headers: &HeaderMap) -> Option<Visitor> {
        if !self.demanded {
            return Some(Visitor { name: "local".into(), role: Some(Role::Admin), session: None });
        }
        let bearer = header_text(headers, header::AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer ")).map(str::trim);
        if let Some(key) = bearer.or_else(|| header_text(headers, "x-api-key"))
            && let Some((name, role)) = self.users.of_key(key)
        {
            return Some(Visitor { name, role: Some(role), session: None });
        }
        let token = Token::parse(bearer.or_else(|| cookie(headers))?)?;
        let name = self.sessions.touch(&token)?;
        // A user that was removed since keeps no session: the file is read at the start only, so this is about other servers' cookies.
        let role = self.users.role(&name)?;
        Some(Visitor { name, role: Some(role), session: Some(token) })
    }

    /// Checks a password and begins a session. Wrong guesses cost time, for that address and for all.
    pub async fn log_in(&self, peer: IpAddr, name: String, password: String) -> Result<Token, Problem> {
        self.throttle.may_try(peer)?;
        let _place = self.checks.acquire().await.map_err(|closed| Problem::Ours(closed.to_string()))?;
        // Others may have failed from that address while this one waited.
        self.throttle.may_try(peer)?;
        let hash = self.users.hash(&name);
        let right = tokio::task::spawn_blocking(move || users::verify(&password, hash.as_deref())).await;
        if !right.map_err(|panic| Problem::Ours(panic.to_string()))? {
            self.throttle.failed(peer);
            return Err(Problem::Forbidden("name or password is wrong".into()));
        }
        self.throttle.succeeded(peer);
        self.sessions.begin(&name)
    }

    /// Ends a session.
    pub fn log_out(&self, token: &Token) {
        self.sessions.end(token);
    }
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The login page, and where to go from there: a path of this server, or its front page.
pub fn login_then(case: Option<&str>, uri: &Uri) -> String {
    let case = case.map(|case| format!("/cases/{}", super::pages::segment(case))).unwrap_or_default();
    let wanted = format!("{case}{}", uri.path_and_query().map_or("/", |wanted| wanted.as_str()));
    if wanted == "/" { "/login".into() } else { format!("/login?then={}", super::pages::segment(&wanted)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("theme=dark; vigil_session_old=1"));
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; vigil_session=abc; c=d"));
        assert_eq!(cookie(&headers), Some("abc"));
    }

    #[test]
    fn a_role_includes_the_lesser_ones() {
        let analyst = Visitor { name: "a".into(), role: Some(Role::Analyst), session: None };
        assert!(analyst.must_be(Role::Viewer).is_ok() && analyst.must_be(Role::Analyst).is_ok());
        assert!(matches!(analyst.must_be(Role::Admin), Err(Problem::Forbidden(_))));
        assert!(matches!(Visitor::nobody().must_be(Role::Viewer), Err(Problem::Anonymous)));
    }
}
