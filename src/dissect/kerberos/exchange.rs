//! Requests and their replies, gathered into rows.

use super::Token;
use super::ber::{Ber, Tlv};
use super::message::{self, Encrypted, Failure, KdcReply, KdcRequest, PaData, Ticket, tag};
use super::names;
use crate::dissect::{Out, hex, x509};
use crate::model::{Dir, Event, Ts, event::Kerberos};
use md5::{Digest, Md5};

/// Types of pre-authentication data (IANA).
mod pa {
    pub const TGS_REQ: i64 = 1;
    pub const PK_AS_REQ: i64 = 16;
    pub const PK_AS_REP: i64 = 17;
    /// Those that prove a client: timestamps, certificates, FAST around either.
    pub const PROOFS: [i64; 6] = [2, 14, 15, PK_AS_REQ, 136, 138];
}

/// Certificates told of one exchange.
const CERTIFICATES_MAX: usize = 8;

/// One flow's exchanges: a request waits for its reply.
#[derive(Default)]
pub struct Exchange {
    open: Option<Open>,
}

struct Open {
    row: Box<Kerberos>,
    place: (u64, Ts),
    dir: Dir,
    nonce: Option<i64>,
}

impl Exchange {
    /// Takes a message in.
    pub fn message(&mut self, bytes: &[u8], dir: Dir, place: (u64, Ts), out: &mut Out) {
        let Some(message) = Ber(bytes).next() else { return };
        match message.tag {
            tag::AS_REQ | tag::TGS_REQ => {
                let Some(request) = message::kdc_request(message) else { return };
                let repeated =
                    self.open.as_ref().is_some_and(|open| open.dir == dir && request.nonce.is_some() && open.nonce == request.nonce);
                if !repeated {
                    self.end(out);
                    let mut row = Box::new(asked(&request, message.tag));
                    (row.client_cert_subject, row.client_cert_fuid) = certificates(&request.padata, pa::PK_AS_REQ, true, place, out);
                    self.open = Some(Open { row, place, dir, nonce: request.nonce });
                }
            }
            tag::AS_REP | tag::TGS_REP => {
                let Some(reply) = message::kdc_reply(message) else { return };
                let (mut row, at) = self.answered(dir, place);
                granted(&mut row, &reply, message.tag);
                (row.server_cert_subject, row.server_cert_fuid) = certificates(&reply.padata, pa::PK_AS_REP, false, place, out);
                self.finish(row, at, place, bytes.len(), out);
            }
            tag::ERROR => {
                let Some(error) = message::failure(message) else { return };
                let (mut row, at) = self.answered(dir, place);
                refused(&mut row, &error);
                self.finish(row, at, place, bytes.len(), out);
            }
            _ => {}
        }
    }

    /// The row a reply of `dir` belongs to, or a new one.
    fn answered(&mut self, dir: Dir, place: (u64, Ts)) -> (Box<Kerberos>, (u64, Ts)) {
        match self.open.take_if(|open| open.dir != dir) {
            Some(open) => (open.row, open.place),
            None => (Box::default(), place),
        }
    }

    fn finish(&mut self, mut row: Box<Kerberos>, at: (u64, Ts), reply: (u64, Ts), length: usize, out: &mut Out) {
        row.reply_frame = Some(reply.0);
        row.rep_len = u32::try_from(length).ok();
        out.say(at.0, at.1, Event::Kerberos(row));
    }

    /// Says a request that nobody answered.
    pub fn end(&mut self, out: &mut Out) {
        if let Some(open) = self.open.take() {
            out.say(open.place.0, open.place.1, Event::Kerberos(open.row));
        }
    }
}

/// Name and realm with a slash between them, as Zeek writes clients.
fn principal(name: Option<&message::Name>, realm: Option<&str>) -> String {
    format!("{}/{}", name.map_or("", |name| name.text.as_str()), realm.unwrap_or_default())
}

fn digest(sealed: &Encrypted<'_>) -> Option<String> {
    (!sealed.cipher.is_empty()).then(|| hex(&Md5::digest(sealed.cipher)))
}

fn asked(request: &KdcRequest<'_>, kind: u8) -> Kerberos {
    let first = kind == tag::AS_REQ;
    let pa_types: Vec<i64> = request.padata.iter().map(|(kind, _)| *kind).collect();
    let option = |bit: u32| request.options.map(|options| options >> (31 - bit) & 1 == 1);
    let shown = request.padata.iter().find(|(kind, _)| *kind == pa::TGS_REQ).and_then(|(_, value)| message::ap_request(Ber(value).next()?));
    Kerberos {
        request_type: if first { "AS" } else { "TGS" },
        // A TGS request hides its client in the ticket.
        client: first.then(|| principal(request.client.as_ref(), request.realm.as_deref())),
        service: request.service.as_ref().map(|name| name.text.clone()),
        sname_type: request.service.as_ref().and_then(|name| name.kind),
        from: request.from,
        till: request.till,
        forwardable: option(1),
        renewable: option(8),
        realm: request.realm.clone(),
        etypes_offered: request.etypes.clone(),
        preauth: first.then(|| pa_types.iter().any(|kind| pa::PROOFS.contains(kind))),
        pa_types,
        kdc_options: request.options,
        auth_ticket_etype: shown.as_ref().and_then(|ticket| ticket.sealed.etype),
        auth_ticket: shown.as_ref().and_then(|ticket| digest(&ticket.sealed)),
        client_addrs: request.addresses.clone(),
        ..Kerberos::default()
    }
}

fn granted(row: &mut Kerberos, reply: &KdcReply<'_>, kind: u8) {
    if row.request_type.is_empty() {
        row.request_type = if kind == tag::AS_REP { "AS" } else { "TGS" };
    }
    row.success = Some(true);
    row.client.get_or_insert_with(|| principal(reply.client.as_ref(), reply.realm.as_deref()));
    row.reply_etype = reply.sealed.etype;
    row.new_ticket = digest(&reply.ticket.sealed);
    shows(row, &reply.ticket);
}

/// What a ticket tells without its key.
fn shows(row: &mut Kerberos, ticket: &Ticket<'_>) {
    if let Some(service) = &ticket.service {
        row.service = Some(service.text.clone());
        row.sname_type = service.kind;
    }
    row.cipher = ticket.sealed.etype.map(names::cipher);
    (row.ticket_etype, row.kvno) = (ticket.sealed.etype, ticket.sealed.kvno);
    if row.realm.is_none() {
        row.realm.clone_from(&ticket.realm);
    }
}

fn refused(row: &mut Kerberos, error: &Failure) {
    if row.client.is_none() && (error.client.is_some() || error.client_realm.is_some()) {
        let name = error.client.as_ref().map(|name| format!("{}/", name.text)).unwrap_or_default();
        row.client = Some(format!("{name}{}", error.client_realm.as_deref().unwrap_or_default()));
    }
    if let Some(service) = &error.service {
        row.service = Some(service.text.clone());
        row.sname_type = service.kind;
    }
    row.success = Some(false);
    row.error_code = error.code;
    row.error_msg = error.text.clone().or_else(|| error.code.map(names::error));
    if row.realm.is_none() {
        row.realm.clone_from(&error.realm);
    }
}

/// An AP message on its own.
pub(super) fn token(message: Tlv<'_>) -> Option<Token> {
    match message.tag {
        tag::AP_REQ => {
            let ticket = message::ap_request(message)?;
            let mut row = Kerberos { request_type: "AP", ..Kerberos::default() };
            row.client = Some(principal(None, ticket.realm.as_deref()));
            shows(&mut row, &ticket);
            row.auth_ticket = digest(&ticket.sealed);
            Some(Token::Request(Box::new(row)))
        }
        tag::AP_REP => Some(Token::Reply),
        tag::ERROR => {
            let mut row = Kerberos::default();
            refused(&mut row, &message::failure(message)?);
            Some(Token::Error(Box::new(row)))
        }
        _ => None,
    }
}

/// Certificates of PKINIT (RFC 4556 3.2) are said as such; subject and digest of the first are the row's.
fn certificates(padata: &[PaData<'_>], kind: i64, client: bool, place: (u64, Ts), out: &mut Out) -> (Option<String>, Option<String>) {
    let value = padata.iter().find(|(found, _)| *found == kind).map_or(&[][..], |(_, value)| value);
    let mut first = (None, None);
    let mut rest = chain(value, client).unwrap_or(Ber(&[]));
    for n in 0..CERTIFICATES_MAX {
        let before = rest.0;
        let Some(element) = rest.next().filter(|element| element.tag == tag::SEQUENCE && element.is_whole()) else { break };
        let mut row = x509::read(before.get(..before.len() - rest.0.len()).unwrap_or(element.value), place.1);
        (row.client_cert, row.host_cert) = (client, n == 0);
        if n == 0 {
            first = (Some(row.subject.clone()), Some(row.fingerprint.clone()));
        }
        out.say(place.0, place.1, Event::X509(Box::new(row)));
    }
    first
}

/// The certificates of signed data (RFC 5652 5.1) inside a request's or a reply's value.
fn chain(value: &[u8], client: bool) -> Option<Ber<'_>> {
    let mut signed = Ber(value).next()?.inside();
    if !client {
        // The reply wraps it once more: [0] DHRepInfo.
        signed = Ber(value).next().filter(|element| element.tag == 0xa0)?.inside().next()?.inside();
    }
    let content = Ber(signed.expect(0x80)?.value).next()?;
    let data = content.inside().field(0xa0)?;
    Some(data.inside().find(|element| element.tag == 0xa0)?.inside())
}
