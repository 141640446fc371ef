//! NTLM wherever it travels: SMB, HTTP, DCE/RPC, mail. The carrier hands messages and its own verdict; one row comes of each exchange.

mod message;

use super::{Out, gssapi, hex, kerberos};
use crate::model::windows::Ntlm;
use crate::model::{Event, Ts};
use gssapi::Token;
use message::{Authenticate, Challenge, Message, parse};

/// Bytes of a challenge and of a proof (MS-NLMP 2.2.2.8).
const PROOF: usize = 16;
/// An NTLMv1 response is as long as three DES blocks (MS-NLMP 2.2.2.6).
const V1_RESPONSE: usize = 24;

/// An answer without NTLMSSP.
pub struct Bare<'a> {
    /// User.
    pub user: String,
    /// Domain.
    pub domain: String,
    /// LM response.
    pub lm: &'a [u8],
    /// NT response.
    pub nt: &'a [u8],
    /// The challenge it answers, hex, and its frame.
    pub challenge: Option<(&'a str, u64)>,
}

/// The NTLM side of one connection.
pub struct Logins {
    over: &'static str,
    open: Option<Box<Ntlm>>,
    place: (u64, Ts),
    seen: bool,
    /// Tickets shown instead.
    tickets: kerberos::Shown,
}

impl Logins {
    /// For one carrier: `smb`, `http` …
    pub fn new(over: &'static str) -> Self {
        Self { over, open: None, place: (0, 0), seen: false, tickets: kerberos::Shown::default() }
    }

    /// Whether any message was seen.
    pub fn seen(&self) -> bool {
        self.seen
    }

    /// Whether any ticket was shown instead.
    pub fn showed_ticket(&self) -> bool {
        self.tickets.seen()
    }

    /// User of the exchange that is going on, `DOMAIN\user` as far as told.
    pub fn user(&self) -> Option<String> {
        let row = self.open.as_ref()?;
        let user = row.username.as_deref().filter(|user| !user.is_empty())?;
        Some(match row.domainname.as_deref() {
            Some(domain) if !domain.is_empty() => format!("{domain}\\\\{user}"),
            _ => user.to_owned(),
        })
    }

    /// Takes a security token; wrapped or not. Says what was inside.
    pub fn token<'a>(&mut self, bytes: &'a [u8], place: (u64, Ts), out: &mut Out) -> gssapi::Unwrapped<'a> {
        let found = gssapi::unwrap(bytes);
        match found.token {
            Some(Token::Ntlm(message)) => self.message(message, place, out),
            Some(Token::Kerberos(message)) => self.tickets.message(message, place, out),
            None => {}
        }
        found
    }

    /// Takes an answer that comes without NTLMSSP around it, as SMB1's older logins send it.
    pub fn bare(&mut self, answer: &Bare<'_>, place: (u64, Ts), out: &mut Out) {
        self.close(None, None, out);
        self.seen = true;
        self.place = place;
        let mut row = Box::new(Ntlm { over: self.over, ..Ntlm::default() });
        if let Some((challenge, frame)) = answer.challenge {
            (row.server_challenge, row.challenge_frame) = (Some(challenge.to_owned()), Some(frame));
        }
        let told = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let (user, domain) = (told(&answer.user), told(&answer.domain));
        fill_answer(
            &mut row,
            Authenticate { user, domain, lm: answer.lm, nt: answer.nt, nt_len: answer.nt.len(), ..Authenticate::default() },
            place.0,
        );
        self.open = Some(row);
    }

    /// Takes a message.
    fn message(&mut self, bytes: &[u8], place: (u64, Ts), out: &mut Out) {
        let Some(message) = parse(bytes) else { return };
        self.seen = true;
        let answered = self.open.as_ref().is_some_and(|row| row.answer_frame.is_some());
        let challenged = self.open.as_ref().is_some_and(|row| row.challenge_frame.is_some());
        let anew = match message {
            Message::Negotiate(_) => answered || challenged,
            Message::Challenge(_) | Message::Authenticate(_) => answered,
        };
        if anew {
            self.close(None, None, out);
        }
        if self.open.is_none() {
            self.place = place;
        }
        let row = self.open.get_or_insert_with(|| Box::new(Ntlm { over: self.over, ..Ntlm::default() }));
        match message {
            Message::Negotiate(offer) => {
                row.negotiate_flags = offer.flags;
                row.client_version = offer.version;
            }
            Message::Challenge(challenge) => fill_challenge(row, challenge, place.0),
            Message::Authenticate(answer) => fill_answer(row, answer, place.0),
        }
    }

    /// The carrier's verdict on the answer: closes the exchange. Without an answer there is nothing to judge.
    pub fn verdict(&mut self, success: Option<bool>, status: Option<String>, out: &mut Out) {
        if self.open.as_ref().is_some_and(|row| row.answer_frame.is_some()) {
            self.close(success, status, out);
        }
    }

    /// Whether an answer waits for its verdict.
    pub fn waits(&self) -> bool {
        self.open.as_ref().is_some_and(|row| row.answer_frame.is_some())
    }

    /// The connection is over.
    pub fn end(&mut self, out: &mut Out) {
        self.tickets.end(out);
        self.close(None, None, out);
    }

    fn close(&mut self, success: Option<bool>, status: Option<String>, out: &mut Out) {
        let Some(mut row) = self.open.take() else { return };
        (row.success, row.status) = (success, status);
        out.say(self.place.0, self.place.1, Event::Ntlm(row));
    }
}

fn fill_challenge(row: &mut Ntlm, challenge: Challenge, frame: u64) {
    row.challenge_frame = Some(frame);
    row.negotiate_flags = challenge.flags.or(row.negotiate_flags);
    row.server_challenge = challenge.challenge.map(|bytes| hex(&bytes));
    row.server_version = challenge.version;
    row.server_nb_computer_name = challenge.target.nb_computer;
    row.server_nb_domain_name = challenge.target.nb_domain;
    row.server_dns_computer_name = challenge.target.dns_computer;
    row.server_dns_domain_name = challenge.target.dns_domain;
    row.server_tree_name = challenge.target.dns_tree;
}

fn fill_answer(row: &mut Ntlm, answer: Authenticate<'_>, frame: u64) {
    row.answer_frame = Some(frame);
    row.negotiate_flags = answer.flags.or(row.negotiate_flags);
    row.lm_response = is_lm_response(&answer);
    row.client_version = answer.version.or(row.client_version.take());
    row.ntlm_version = match answer.nt_len {
        0 => None,
        V1_RESPONSE => Some(1),
        _ => Some(2),
    };
    row.anonymous = answer.nt_len == 0 && answer.user.as_deref().unwrap_or_default().is_empty();
    // NTLMv1 has no proof apart: its whole response depends on the challenge.
    let proof = if answer.nt_len == V1_RESPONSE { V1_RESPONSE } else { PROOF };
    row.nt_proof_sha = answer.nt.get(..proof).map(|proof| hex(ring::digest::digest(&ring::digest::SHA256, proof).as_ref()));
    row.mic = answer.mic;
    row.target_name = answer.target_name;
    (row.username, row.hostname, row.domainname) = (answer.user, answer.workstation, answer.domain);
}

/// Only in NTLMv1, and only if it is neither the client's challenge of extended session security (zeros from the ninth byte on) nor
/// the NT response said twice (MS-NLMP 3.3.1).
fn is_lm_response(answer: &Authenticate<'_>) -> bool {
    let own = answer.lm.get(8..V1_RESPONSE).is_some_and(|rest| rest.iter().any(|&byte| byte != 0));
    answer.nt_len <= V1_RESPONSE && own && answer.lm != answer.nt
}

#[cfg(test)]
pub(in crate::dissect) mod tests;
