//! Tokens that a SASL bind carries (RFC 4752, RFC 4178): the ticket it shows.

use crate::dissect::gssapi;
use crate::dissect::kerberos::{self, Token};
use crate::model::Ts;
use crate::model::event::Kerberos;

/// What the binds of a flow carried.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Seen {
    /// Tokens of GSS-API.
    pub gssapi: bool,
    /// Kerberos.
    pub kerberos: bool,
    /// NTLM.
    pub ntlm: bool,
}

impl Seen {
    /// Zeek's list of services of such a flow.
    pub fn service(self) -> Option<&'static str> {
        match (self.gssapi, self.kerberos, self.ntlm) {
            (true, true, false) => Some("ldap_tcp,krb,gssapi"),
            (true, true, true) => Some("ldap_tcp,krb,ntlm,gssapi"),
            (false, true, _) => Some("ldap_tcp,krb"),
            (true, false, true) => Some("ldap_tcp,ntlm,gssapi"),
            (false, false, true) => Some("ldap_tcp,ntlm"),
            (true, false, false) => Some("ldap_tcp,gssapi"),
            (false, false, false) => None,
        }
    }
}

/// A ticket that was shown and waits for its answer.
#[derive(Default)]
pub struct Ticket {
    /// What it carried.
    pub seen: Seen,
    open: Option<(Box<Kerberos>, (u64, Ts))>,
}

impl Ticket {
    /// The client's token.
    pub fn shown(&mut self, credentials: &[u8], place: (u64, Ts)) {
        if let Some(Token::Request(row)) = self.token(credentials) {
            self.open = Some((row, place));
        }
    }

    /// The server's token, empty if it has none, and whether it accepted: the row of the ticket, once.
    pub fn answered(&mut self, credentials: &[u8], accepted: bool, frame: u64) -> Option<(Box<Kerberos>, (u64, Ts))> {
        let reply = self.token(credentials);
        let (mut row, place) = self.open.take()?;
        match reply {
            Some(reply) => kerberos::answered(&mut row, &reply, frame),
            None if accepted => kerberos::answered(&mut row, &Token::Reply, frame),
            None => {}
        }
        Some((row, place))
    }

    /// The row of a ticket that nobody answered.
    pub fn end(&mut self) -> Option<(Box<Kerberos>, (u64, Ts))> {
        self.open.take()
    }

    fn token(&mut self, credentials: &[u8]) -> Option<Token> {
        let found = gssapi::unwrap(credentials);
        self.seen.gssapi |= found.gssapi;
        match found.token? {
            gssapi::Token::Ntlm(_) => {
                self.seen.ntlm = true;
                None
            }
            gssapi::Token::Kerberos(message) => {
                self.seen.kerberos = true;
                kerberos::token(message)
            }
        }
    }
}
