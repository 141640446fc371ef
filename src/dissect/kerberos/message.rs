//! Messages (RFC 4120 5), read as far as they go.

use crate::dissect::ber::{self, Ber, Tlv};
use crate::dissect::escape;
use crate::model::Ts;

/// Parts of a name, entries of a list.
const PARTS_MAX: usize = 32;
/// Bytes of a part of a name.
const TEXT_MAX: usize = 512;

/// Application tags.
pub mod tag {
    pub const AS_REQ: u8 = 0x6a;
    pub const AS_REP: u8 = 0x6b;
    pub const TGS_REQ: u8 = 0x6c;
    pub const TGS_REP: u8 = 0x6d;
    pub const AP_REQ: u8 = 0x6e;
    pub const AP_REP: u8 = 0x6f;
    pub const ERROR: u8 = 0x7e;
    const TICKET: u8 = 0x61;
    /// Universal.
    pub const SEQUENCE: u8 = 0x30;
    /// The tag of a ticket.
    pub fn is_ticket(tag: u8) -> bool {
        tag == TICKET
    }
}

/// Context tag `n` around a whole element.
fn context(n: u8) -> u8 {
    0xa0 | n
}

/// The fields of a message or a structure: what stands in its sequence.
fn sequence(element: Tlv<'_>) -> Option<Ber<'_>> {
    element.inside().expect(tag::SEQUENCE).map(|sequence| sequence.inside())
}

fn number(fields: Ber<'_>, n: u8) -> Option<i64> {
    fields.field(context(n)).and_then(|value| ber::integer(value.value))
}

fn text(fields: Ber<'_>, n: u8) -> Option<String> {
    fields.field(context(n)).map(|value| escape(value.value, TEXT_MAX))
}

/// A name and its type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Name {
    /// Parts joined by slashes.
    pub text: String,
    /// Type.
    pub kind: Option<i64>,
}

fn name(fields: Ber<'_>, n: u8) -> Option<Name> {
    let name = fields.field(context(n))?.inside();
    let parts: Vec<String> = name.field(context(1))?.inside().take(PARTS_MAX).map(|part| escape(part.value, TEXT_MAX)).collect();
    Some(Name { text: parts.join("/"), kind: number(name, 0) })
}

/// Encrypted bytes and what they are encrypted with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Encrypted<'a> {
    /// Encryption type.
    pub etype: Option<i64>,
    /// Version of the key.
    pub kvno: Option<i64>,
    /// The bytes.
    pub cipher: &'a [u8],
}

fn encrypted(fields: Ber<'_>, n: u8) -> Option<Encrypted<'_>> {
    let data = fields.field(context(n))?.inside();
    Some(Encrypted { etype: number(data, 0), kvno: number(data, 1), cipher: data.field(context(2)).map_or(&[], |value| value.value) })
}

/// A ticket as anybody sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ticket<'a> {
    /// Realm of the service.
    pub realm: Option<String>,
    /// Service.
    pub service: Option<Name>,
    /// The ticket itself.
    pub sealed: Encrypted<'a>,
}

fn ticket(fields: Ber<'_>, n: u8) -> Option<Ticket<'_>> {
    let element = fields.field(context(n)).filter(|element| tag::is_ticket(element.tag))?;
    let fields = sequence(element)?;
    Some(Ticket { realm: text(fields, 1), service: name(fields, 2), sealed: encrypted(fields, 3).unwrap_or_default() })
}

/// Pre-authentication data: type and value.
pub type PaData<'a> = (i64, &'a [u8]);

fn padata(fields: Ber<'_>, n: u8) -> Vec<PaData<'_>> {
    let list = fields.field(context(n)).map_or(Ber(&[]), |list| list.inside());
    let each = list.take(PARTS_MAX).filter_map(|entry| {
        let entry = entry.inside();
        Some((number(entry, 1)?, entry.field(context(2)).map_or(&[][..], |value| value.value)))
    });
    each.collect()
}

/// AS-REQ and TGS-REQ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KdcRequest<'a> {
    /// Pre-authentication data.
    pub padata: Vec<PaData<'a>>,
    /// Options.
    pub options: Option<u32>,
    /// Client.
    pub client: Option<Name>,
    /// Realm.
    pub realm: Option<String>,
    /// Service.
    pub service: Option<Name>,
    /// Valid from.
    pub from: Option<Ts>,
    /// Valid till.
    pub till: Option<Ts>,
    /// Number that tells a repetition from another request.
    pub nonce: Option<i64>,
    /// Encryption types.
    pub etypes: Vec<i64>,
    /// Addresses.
    pub addresses: Vec<String>,
}

/// Reads a request to the KDC.
pub fn kdc_request(message: Tlv<'_>) -> Option<KdcRequest<'_>> {
    let fields = sequence(message)?;
    let body = fields.field(context(4)).map_or(Ber(&[]), |body| body.inside());
    let time = |n| body.field(context(n)).and_then(|value| ber::time(value.value));
    let list = |n| body.field(context(n)).map_or(Ber(&[]), |list| list.inside()).take(PARTS_MAX);
    Some(KdcRequest {
        padata: padata(fields, 3),
        options: body.field(context(0)).and_then(|value| ber::bits(value.value)),
        client: name(body, 1),
        realm: text(body, 2),
        service: name(body, 3),
        from: time(4),
        till: time(5),
        nonce: number(body, 7),
        etypes: list(8).filter_map(|etype| ber::integer(etype.value)).collect(),
        addresses: list(9).filter_map(|address| host(address.inside())).collect(),
    })
}

/// An address: IPv4, IPv6, a NetBIOS name (RFC 4120 7.5.3), or its bytes in hex.
fn host(address: Ber<'_>) -> Option<String> {
    let bytes = address.field(context(1))?.value;
    Some(match (number(address, 0)?, bytes.first_chunk::<4>(), bytes.first_chunk::<16>()) {
        (2, Some(v4), _) => std::net::Ipv4Addr::from(*v4).to_string(),
        (24, _, Some(v6)) => std::net::Ipv6Addr::from(*v6).to_string(),
        (20, ..) => escape(bytes, 64).trim_end().to_owned(),
        _ => crate::dissect::hex(bytes.get(..bytes.len().min(32))?),
    })
}

/// AS-REP and TGS-REP.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KdcReply<'a> {
    /// Data for the client.
    pub padata: Vec<PaData<'a>>,
    /// Client's realm.
    pub realm: Option<String>,
    /// Client.
    pub client: Option<Name>,
    /// The ticket.
    pub ticket: Ticket<'a>,
    /// What only the client can read.
    pub sealed: Encrypted<'a>,
}

/// Reads a grant.
pub fn kdc_reply(message: Tlv<'_>) -> Option<KdcReply<'_>> {
    let fields = sequence(message)?;
    Some(KdcReply {
        padata: padata(fields, 2),
        realm: text(fields, 3),
        client: name(fields, 4),
        ticket: ticket(fields, 5).unwrap_or_default(),
        sealed: encrypted(fields, 6).unwrap_or_default(),
    })
}

/// AP-REQ: a ticket is shown.
pub fn ap_request(message: Tlv<'_>) -> Option<Ticket<'_>> {
    ticket(sequence(message)?, 3)
}

/// KRB-ERROR.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    /// Number.
    pub code: Option<i64>,
    /// Client's realm.
    pub client_realm: Option<String>,
    /// Client.
    pub client: Option<Name>,
    /// Realm.
    pub realm: Option<String>,
    /// Service.
    pub service: Option<Name>,
    /// In words.
    pub text: Option<String>,
}

/// Reads a refusal.
pub fn failure(message: Tlv<'_>) -> Option<Failure> {
    let fields = sequence(message)?;
    Some(Failure {
        code: number(fields, 6),
        client_realm: text(fields, 7),
        client: name(fields, 8),
        realm: text(fields, 9),
        service: name(fields, 10),
        text: text(fields, 11).filter(|text| !text.is_empty()),
    })
}

/// Whether these bytes begin a message: application tag, sequence, protocol version 5 (and, of AP messages, their type).
pub fn is_message(bytes: &[u8]) -> bool {
    let version = |n: u8| [context(n), 3, 2, 1, 5];
    let Some(message) = Ber(bytes).next() else { return false };
    let Some(fields) = sequence(message).map(|fields| fields.0) else { return false };
    match message.tag {
        tag::AS_REQ | tag::TGS_REQ => fields.starts_with(&version(1)),
        tag::AS_REP | tag::TGS_REP => fields.starts_with(&version(0)),
        // Some errors leave out all but their number.
        tag::ERROR => fields.starts_with(&version(0)) || fields.starts_with(&[context(6), 3, 2, 1]),
        tag::AP_REQ => fields.starts_with(&[&version(0)[..], &[0xa1, 3, 2, 1, 14]].concat()),
        tag::AP_REP => fields.starts_with(&[&version(0)[..], &[0xa1, 3, 2, 1, 15]].concat()),
        _ => false,
    }
}
