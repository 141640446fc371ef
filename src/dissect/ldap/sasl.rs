//! Tokens that a SASL bind carries (RFC 4752, RFC 4178): the ticket it shows.

use crate::dissect::Out;
use crate::dissect::gssapi::{self, Token};
use crate::dissect::kerberos::Shown;
use crate::model::Ts;

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

/// The binds of a flow.
#[derive(Default)]
pub struct Binds {
    /// What they carried.
    pub seen: Seen,
    tickets: Shown,
}

impl Binds {
    /// A token of the client or the server.
    pub fn token(&mut self, credentials: &[u8], place: (u64, Ts), out: &mut Out) {
        let found = gssapi::unwrap(credentials);
        self.seen.gssapi |= found.gssapi;
        match found.token {
            Some(Token::Ntlm(_)) => self.seen.ntlm = true,
            Some(Token::Kerberos(message)) => {
                self.seen.kerberos = true;
                self.tickets.message(message, place, out);
            }
            None => {}
        }
    }

    /// The server accepted a bind: so it did the ticket.
    pub fn accepted(&mut self, frame: u64, out: &mut Out) {
        self.tickets.accepted(frame, out);
    }

    /// The flow is over.
    pub fn end(&mut self, out: &mut Out) {
        self.tickets.end(out);
    }
}
