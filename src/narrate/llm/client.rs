//! One question over HTTP, with the patience of a person: time-outs, retries with growing pauses, `Retry-After`, and an end to every
//! answer.

use super::facts::clean_to;
use reqwest::blocking::{Client as Http, Response};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;
use std::io::Read;
use std::time::{Duration, Instant};

/// Times that a question is asked.
const ATTEMPTS: u32 = 4;
/// Pause after the first refusal; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// A server that asks for a longer pause is given up.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Bytes of an answer; what goes on longer is no answer to a short question.
const ANSWER_BYTES: usize = 1 << 20;
/// Characters of a server's own words that are shown.
const SAID_CHARS: usize = 200;
/// Time to reach a server.
const CONNECT: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The server cannot be reached.
    #[error("{server} cannot be reached: {why}")]
    Unreachable {
        /// Address asked.
        server: String,
        /// What the system said.
        why: String,
    },
    /// It said no.
    #[error("{server} answered {status} after {attempts} attempts: {said}")]
    Refused {
        /// Address asked.
        server: String,
        /// HTTP status.
        status: u16,
        /// Times asked.
        attempts: u32,
        /// Its words.
        said: String,
    },
    /// It took too long.
    #[error("{server} did not finish its answer within {seconds} s")]
    TooSlow {
        /// Address asked.
        server: String,
        /// Patience.
        seconds: u64,
    },
    /// It never ended.
    #[error("the answer of {server} is longer than {} kB", ANSWER_BYTES >> 10)]
    TooLong {
        /// Address asked.
        server: String,
    },
    /// It is not what was asked for.
    #[error("the answer of {server} is not understood: {why}")]
    Nonsense {
        /// Address asked.
        server: String,
        /// What is wrong.
        why: String,
    },
}

/// Asks.
pub(super) struct Client {
    http: Http,
    server: String,
    timeout: Duration,
}

/// What an attempt came to.
enum Attempt {
    Answered(Value),
    Again { pause: Option<Duration>, why: NoAnswer },
    GivenUp(NoAnswer),
}

impl Client {
    /// A client of `server`, which is the address up to the path. Redirects are not followed: data goes where the user said, or nowhere.
    pub fn new(server: &str, timeout: Duration) -> Result<Self, NoAnswer> {
        let server = server.trim_end_matches('/').to_owned();
        // One provider of TLS for the process; a second call finds the first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let built =
            Http::builder().timeout(timeout).connect_timeout(CONNECT.min(timeout)).redirect(reqwest::redirect::Policy::none()).build();
        let http = built.map_err(|error| NoAnswer::Unreachable { server: server.clone(), why: root(&error) })?;
        Ok(Self { http, server, timeout })
    }

    /// Where `path` leads.
    pub fn url(&self, path: &str) -> String {
        // A base address with or without its version: both are common.
        let base = self.server.strip_suffix("/v1").unwrap_or(&self.server);
        format!("{base}{path}")
    }

    /// Posts `body`.
    pub fn ask(&self, path: &str, headers: &[(&'static str, String)], body: &str) -> Result<Value, NoAnswer> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            match self.attempt(path, headers, body, attempt) {
                Attempt::Answered(value) => return Ok(value),
                Attempt::GivenUp(why) => return Err(why),
                Attempt::Again { why, .. } if attempt >= ATTEMPTS => return Err(why),
                Attempt::Again { pause: Some(wanted), why } if wanted > LONGEST_PAUSE => return Err(why),
                Attempt::Again { pause: wanted, .. } => {
                    std::thread::sleep(wanted.unwrap_or(pause));
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        Err(self.nonsense("nobody asked"))
    }

    fn attempt(&self, path: &str, headers: &[(&'static str, String)], body: &str, attempts: u32) -> Attempt {
        let deadline = Instant::now() + self.timeout;
        let mut request = self.http.post(self.url(path)).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = match request.send() {
            Ok(response) => response,
            Err(error) if error.is_timeout() => return Attempt::GivenUp(self.too_slow()),
            Err(error) => {
                let why = NoAnswer::Unreachable { server: self.server.clone(), why: root(&error) };
                return if error.is_builder() { Attempt::GivenUp(why) } else { Attempt::Again { pause: None, why } };
            }
        };
        let (status, pause) = (response.status().as_u16(), retry_after(response.headers()));
        let text = match self.text(response, deadline) {
            Ok(text) => text,
            Err(why) => return Attempt::GivenUp(why),
        };
        let refused = || NoAnswer::Refused { server: self.server.clone(), status, attempts, said: said(&text) };
        match status {
            200 => match serde_json::from_str(&text) {
                Ok(value) => Attempt::Answered(value),
                Err(error) => Attempt::Again { pause: None, why: self.nonsense(&format!("it is no JSON ({error})")) },
            },
            // Too many requests, overloaded, or in trouble: asking again later is what they ask for.
            408 | 409 | 429 | 500 | 502 | 503 | 504 | 529 => Attempt::Again { pause, why: refused() },
            _ => Attempt::GivenUp(refused()),
        }
    }

    /// The body, within time and size.
    fn text(&self, mut response: Response, deadline: Instant) -> Result<String, NoAnswer> {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 16 << 10]);
        loop {
            if Instant::now() > deadline {
                return Err(self.too_slow());
            }
            match response.read(&mut buffer) {
                Ok(0) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
                Ok(read) => bytes.extend_from_slice(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.to_string().contains("timed out") || Instant::now() > deadline => return Err(self.too_slow()),
                Err(error) => return Err(self.nonsense(&format!("it breaks off ({error})"))),
            }
            if bytes.len() > ANSWER_BYTES {
                return Err(NoAnswer::TooLong { server: self.server.clone() });
            }
        }
    }

    fn too_slow(&self) -> NoAnswer {
        NoAnswer::TooSlow { server: self.server.clone(), seconds: self.timeout.as_secs() }
    }

    pub(super) fn nonsense(&self, why: &str) -> NoAnswer {
        NoAnswer::Nonsense { server: self.server.clone(), why: why.into() }
    }
}

/// Seconds; dates are rare, and the growing pause does for them.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// The message in an error of either API, else how the body begins. Whatever a server says is shown as data.
fn said(text: &str) -> String {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let message = json["error"]["message"].as_str().or(json["error"].as_str()).or(json["message"].as_str());
    clean_to(message.unwrap_or(text), SAID_CHARS)
}

/// The innermost reason: the outer ones only repeat the address.
fn root(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(inner) => root(inner),
        None => error.to_string(),
    }
}
