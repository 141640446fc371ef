//! Keys with which TLS can be read: lines of an NSS key log (<https://datatracker.ietf.org/doc/draft-ietf-tls-keylogfile/>), by the
//! random number of the ClientHello that they belong to.

use super::Secrets;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// Sessions whose keys are kept; what comes later is not.
const SESSIONS_MAX: usize = 1 << 18;
/// Longest secret: SHA-512's length, more than any suite needs.
const SECRET_MAX: usize = 64;
/// Secrets type of a TLS key log in pcapng.
const TLS_KEY_LOG: u32 = 0x544c_534b;

/// Keys known so far. Copies see what is added later; the flow table adds between blocks alone, so that what a flow finds does not
/// depend on threads.
#[derive(Clone, Default)]
pub struct Keys(Arc<RwLock<Book>>);

#[derive(Clone, Default, PartialEq)]
struct Book {
    sessions: HashMap<[u8; 32], SessionKeys>,
    /// By the first eight bytes of what the client encrypted with the server's key.
    premasters: HashMap<[u8; 8], Box<[u8]>>,
}

/// The secrets of one session: those of the client, then those of the server.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SessionKeys {
    /// Master secret, up to TLS 1.2.
    pub master: Option<Box<[u8]>>,
    /// What the client sends before the server has spoken (TLS 1.3).
    pub early: Option<Box<[u8]>>,
    /// The rest of the handshake (TLS 1.3).
    pub handshake: [Option<Box<[u8]>>; 2],
    /// Application data (TLS 1.3).
    pub traffic: [Option<Box<[u8]>>; 2],
}

impl Keys {
    /// Takes the lines of a key log in; what is no line of one is passed over. Of two secrets for the same the first counts. Tells how many
    /// were understood.
    pub fn add(&self, log: &[u8]) -> usize {
        let mut book = self.0.write().unwrap_or_else(PoisonError::into_inner);
        log.split(|byte| *byte == b'\n').filter(|line| book.line(line).is_some()).count()
    }

    /// Takes in what stands in a capture, if it is a key log.
    pub fn add_secrets(&self, secrets: &Secrets) {
        if secrets.kind == TLS_KEY_LOG {
            self.add(&secrets.bytes);
        }
    }

    /// The same keys, to which nothing is added that the other learns.
    pub fn apart(&self) -> Self {
        Self(Arc::new(RwLock::new(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())))
    }

    /// What is known of the session that a ClientHello with this random number began.
    pub fn session(&self, client_random: &[u8; 32]) -> Option<SessionKeys> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).sessions.get(client_random).cloned()
    }

    /// The premaster secret that a client encrypted, by the first eight bytes of what it sent.
    pub fn premaster(&self, encrypted: &[u8; 8]) -> Option<Box<[u8]>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).premasters.get(encrypted).cloned()
    }

    /// Sessions with keys.
    pub fn len(&self) -> usize {
        let book = self.0.read().unwrap_or_else(PoisonError::into_inner);
        book.sessions.len() + book.premasters.len()
    }

    /// No keys at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Book {
    fn line(&mut self, line: &[u8]) -> Option<()> {
        let mut words = line.trim_ascii().split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
        let (label, of, secret) = (words.next()?, unhex(words.next()?)?, unhex(words.next()?)?);
        let secret: Box<[u8]> = Some(secret).filter(|secret| !secret.is_empty())?.into();
        if label == b"RSA" {
            let of = *of.first_chunk::<8>()?;
            return self.has_room(|book| book.premasters.contains_key(&of)).then(|| {
                self.premasters.entry(of).or_insert(secret);
            });
        }
        let of: [u8; 32] = of.try_into().ok()?;
        if !LABELS.contains(&label) || !self.has_room(|book| book.sessions.contains_key(&of)) {
            return None;
        }
        let session = self.sessions.entry(of).or_default();
        let ([client_handshake, server_handshake], [client_traffic, server_traffic]) = (&mut session.handshake, &mut session.traffic);
        let place = match label {
            b"CLIENT_RANDOM" => &mut session.master,
            b"CLIENT_EARLY_TRAFFIC_SECRET" => &mut session.early,
            b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => client_handshake,
            b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => server_handshake,
            b"CLIENT_TRAFFIC_SECRET_0" => client_traffic,
            _ => server_traffic,
        };
        place.get_or_insert(secret);
        Some(())
    }

    fn has_room(&self, known: impl Fn(&Self) -> bool) -> bool {
        self.sessions.len() + self.premasters.len() < SESSIONS_MAX || known(self)
    }
}

/// What a line may be about, beside `RSA`.
const LABELS: [&[u8]; 6] = [
    b"CLIENT_RANDOM",
    b"CLIENT_EARLY_TRAFFIC_SECRET",
    b"CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    b"SERVER_HANDSHAKE_TRAFFIC_SECRET",
    b"CLIENT_TRAFFIC_SECRET_0",
    b"SERVER_TRAFFIC_SECRET_0",
];

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() > SECRET_MAX {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()).collect()
}

impl PartialEq for Keys {
    fn eq(&self, other: &Self) -> bool {
        let book = |keys: &Self| keys.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        Arc::ptr_eq(&self.0, &other.0) || book(self) == book(other)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys {{ of {} sessions, kept to themselves }}", self.len())
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKeys { kept to themselves }")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_log_is_read_line_by_line_and_nonsense_is_passed_over() {
        let (random, master) = ("ab".repeat(32), "0c".repeat(48));
        let log = format!(
            "# comment\r\nCLIENT_RANDOM {random} {master}\r\nCLIENT_RANDOM {random} {}\nSERVER_TRAFFIC_SECRET_0 {random} {}\n\
             EXPORTER_SECRET {random} 00\nCLIENT_RANDOM short 00\nCLIENT_RANDOM {random} 0\nRSA 0102030405060708 {master}\n",
            "ff".repeat(48),
            "11".repeat(32)
        );
        let keys = Keys::default();
        assert_eq!(keys.add(log.as_bytes()), 4);
        let session = keys.session(&[0xab; 32]).unwrap();
        assert_eq!(session.master.as_deref(), Some(&[12; 48][..]), "the first counts");
        assert_eq!((session.traffic[0].as_deref(), session.traffic[1].as_deref()), (None, Some(&[17; 32][..])));
        assert_eq!(keys.premaster(&[1, 2, 3, 4, 5, 6, 7, 8]).as_deref(), Some(&[12; 48][..]));
        assert_eq!((keys.session(&[0; 32]), keys.len()), (None, 2));
        assert!(!format!("{keys:?}{session:?}").contains("12"));
    }

    #[test]
    fn what_is_learned_apart_stays_apart() {
        let keys = Keys::default();
        let apart = keys.apart();
        apart.add(format!("CLIENT_RANDOM {} {}", "00".repeat(32), "00".repeat(48)).as_bytes());
        assert!(keys.is_empty() && apart.clone() == apart && keys != apart);
    }
}
