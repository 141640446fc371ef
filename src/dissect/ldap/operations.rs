//! Requests and results of one flow, by message id.

use super::sasl::Binds;
use super::{filter, names};
use crate::dissect::ber::{self, Ber, Tlv};
use crate::dissect::{Chunk, Out, escape, login};
use crate::model::event::{Ldap, LdapSearch};
use crate::model::{Event, Ts};
use std::collections::BTreeMap;

/// Operations of a flow that wait for their result.
const OPEN_MAX: usize = 256;
/// Bytes of a name or a message.
const TEXT_MAX: usize = 4_096;
/// Attributes told of a search.
const ATTRIBUTES_MAX: usize = 128;

/// Operations (RFC 4511 4.2 on), by the tag of their request or reply.
pub mod op {
    pub const BIND: u8 = 0x60;
    pub const BIND_RESULT: u8 = 0x61;
    pub const UNBIND: u8 = 0x42;
    pub const SEARCH: u8 = 0x63;
    pub const ENTRY: u8 = 0x64;
    pub const SEARCH_DONE: u8 = 0x65;
    pub const MODIFY: u8 = 0x66;
    pub const MODIFY_RESULT: u8 = 0x67;
    pub const ADD: u8 = 0x68;
    pub const ADD_RESULT: u8 = 0x69;
    pub const DELETE: u8 = 0x4a;
    pub const DELETE_RESULT: u8 = 0x6b;
    pub const RENAME: u8 = 0x6c;
    pub const RENAME_RESULT: u8 = 0x6d;
    pub const COMPARE: u8 = 0x6e;
    pub const COMPARE_RESULT: u8 = 0x6f;
    pub const ABANDON: u8 = 0x50;
    pub const EXTENDED: u8 = 0x77;
    pub const EXTENDED_RESULT: u8 = 0x78;

    /// Whether there is such an operation.
    pub fn is_known(tag: u8) -> bool {
        matches!(tag, UNBIND | DELETE | ABANDON | 0x60..=0x69 | 0x6b..=0x6f | 0x73 | 0x77..=0x79)
    }
}

struct Waiting {
    row: Box<Ldap>,
    place: (u64, Ts),
    /// Password of a simple bind.
    secret: Option<String>,
}

/// What is open.
#[derive(Default)]
pub struct Operations {
    messages: BTreeMap<i64, Waiting>,
    searches: BTreeMap<i64, (Box<LdapSearch>, (u64, Ts))>,
    binds: Binds,
}

fn text(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| escape(bytes, TEXT_MAX))
}

impl Operations {
    /// Takes a message in: its id and its operation. `length` is the whole message's. True if TLS begins behind it.
    pub fn message(&mut self, id: i64, operation: Tlv<'_>, length: u64, chunk: &Chunk<'_>, out: &mut Out) -> bool {
        match operation.tag {
            op::SEARCH => {
                // An id is free again once its operation is over; what still stands there stays unanswered.
                self.say_search(id, out);
                *self.search(id, chunk, out) = search(id, operation);
            }
            op::ENTRY => {
                let row = self.search(id, chunk, out);
                row.result_count += 1;
                row.result_bytes += length;
            }
            op::SEARCH_DONE => {
                let (code, message) = outcome(operation);
                let row = self.search(id, chunk, out);
                (row.result_code, row.result) = (code, code.map(|code| names::result(code).to_owned()));
                (row.diagnostic_message, row.reply_frame) = (message, Some(chunk.frame));
                self.say_search(id, out);
            }
            op::BIND => {
                let (row, secret) = bind(id, operation);
                if let Some(credentials) = sasl_credentials(operation) {
                    self.binds.token(credentials, (chunk.frame, chunk.ts_ns), out);
                }
                self.begin(row, secret, chunk, out);
            }
            op::UNBIND | op::ABANDON | op::DELETE | 0x66 | 0x68 | 0x6c | op::COMPARE | op::EXTENDED => {
                self.begin(request(id, operation), None, chunk, out);
                if matches!(operation.tag, op::UNBIND | op::ABANDON) {
                    // Nobody answers these.
                    self.say(id, out);
                }
            }
            op::BIND_RESULT | 0x67 | 0x69 | 0x6b | 0x6d | 0x6f | op::EXTENDED_RESULT => return self.result(id, operation, chunk, out),
            _ => {}
        }
        false
    }

    fn begin(&mut self, row: Ldap, secret: Option<String>, chunk: &Chunk<'_>, out: &mut Out) {
        let id = row.message_id;
        self.say(id, out);
        if self.messages.len() >= OPEN_MAX
            && let Some(&oldest) = self.messages.keys().next()
        {
            self.say(oldest, out);
        }
        self.messages.insert(id, Waiting { row: Box::new(row), place: (chunk.frame, chunk.ts_ns), secret });
    }

    /// The search of this id, begun here if its request was not seen.
    fn search(&mut self, id: i64, chunk: &Chunk<'_>, out: &mut Out) -> &mut LdapSearch {
        if self.searches.len() >= OPEN_MAX
            && !self.searches.contains_key(&id)
            && let Some(&oldest) = self.searches.keys().next()
        {
            self.say_search(oldest, out);
        }
        let fresh = || (Box::new(LdapSearch { message_id: id, ..LdapSearch::default() }), (chunk.frame, chunk.ts_ns));
        &mut self.searches.entry(id).or_insert_with(fresh).0
    }

    fn result(&mut self, id: i64, operation: Tlv<'_>, chunk: &Chunk<'_>, out: &mut Out) -> bool {
        let (code, message) = outcome(operation);
        let waiting = self.messages.entry(id).or_insert_with(|| Waiting {
            row: Box::new(Ldap { message_id: id, opcode: Some(opcode(operation.tag).to_owned()), ..Ldap::default() }),
            place: (chunk.frame, chunk.ts_ns),
            secret: None,
        });
        let row = &mut waiting.row;
        (row.result_code, row.result) = (code, code.map(|code| names::result(code).to_owned()));
        (row.diagnostic_message, row.reply_frame) = (message, Some(chunk.frame));
        let tls = code == Some(0) && row.starttls;
        self.say(id, out);
        if operation.tag == op::BIND_RESULT {
            let credentials = operation.inside().find(|field| field.tag == 0x87).map_or(&[][..], |field| field.value);
            self.binds.token(credentials, (chunk.frame, chunk.ts_ns), out);
            if code == Some(0) {
                self.binds.accepted(chunk.frame, out);
            }
        }
        tls
    }

    /// Says one operation as far as it is known.
    fn say(&mut self, id: i64, out: &mut Out) {
        let Some(Waiting { row, place: (frame, ts_ns), secret }) = self.messages.remove(&id) else { return };
        if let Some(secret) = secret {
            let success = row.result_code.map(|code| code == 0);
            out.say(frame, ts_ns, Event::Credential(Box::new(login::credential("ldap", row.object.clone(), secret, success))));
        }
        out.say(frame, ts_ns, Event::Ldap(row));
    }

    fn say_search(&mut self, id: i64, out: &mut Out) {
        if let Some((row, (frame, ts_ns))) = self.searches.remove(&id) {
            out.say(frame, ts_ns, Event::LdapSearch(row));
        }
    }

    /// Zeek's name for a flow whose binds carried more.
    pub fn carried(&self) -> Option<&'static str> {
        self.binds.seen.service()
    }

    /// Says all that is still open.
    pub fn end(&mut self, out: &mut Out) {
        self.binds.end(out);
        while let Some(&id) = self.messages.keys().next() {
            self.say(id, out);
        }
        while let Some(&id) = self.searches.keys().next() {
            self.say_search(id, out);
        }
    }
}

/// Result code and message of an LDAPResult.
fn outcome(operation: Tlv<'_>) -> (Option<i64>, Option<String>) {
    let mut fields = operation.inside();
    let code = fields.next().filter(|code| code.tag == 0x0a).and_then(|code| ber::integer(code.value));
    fields.next();
    (code, fields.next().filter(|message| message.tag == 4).and_then(|message| text(message.value)))
}

fn search(id: i64, operation: Tlv<'_>) -> LdapSearch {
    let mut fields = operation.inside();
    let base = fields.next().and_then(|base| text(base.value));
    let mut number = || fields.next().and_then(|number| ber::integer(number.value));
    let (scope, deref, size) = (number(), number(), number());
    let (_time, _types_only) = (fields.next(), fields.next());
    let filter = fields.next().map(|filter| escape(&filter::text(filter), TEXT_MAX));
    let attributes = fields.next().map_or(Ber(&[]), |list| list.inside());
    LdapSearch {
        message_id: id,
        scope: scope.map(names::scope),
        deref_aliases: deref.map(names::deref),
        base_object: base,
        filter,
        attributes: attributes.take(ATTRIBUTES_MAX).map(|name| escape(name.value, 256)).collect(),
        size_limit: size,
        ..LdapSearch::default()
    }
}

/// Credentials of a SASL bind, or of a Sicily one.
fn sasl_credentials(operation: Tlv<'_>) -> Option<&[u8]> {
    let auth = operation.inside().nth(2)?;
    match auth.tag {
        0xa3 => auth.inside().nth(1).map(|credentials| credentials.value),
        0x8a | 0x8b => Some(auth.value),
        _ => None,
    }
}

/// A bind, and the password if one was sent in clear.
fn bind(id: i64, operation: Tlv<'_>) -> (Ldap, Option<String>) {
    let mut fields = operation.inside();
    let version = fields.next().and_then(|version| ber::integer(version.value));
    let object = fields.next().and_then(|name| text(name.value));
    let mut row = Ldap { message_id: id, version, object, ..Ldap::default() };
    let Some(auth) = fields.next() else { return (row, None) };
    match auth.tag {
        0x80 => {
            row.opcode = Some("bind simple".to_owned());
            row.password_present = Some(auth.length > 0);
            row.bind_type = Some(match (auth.length > 0, row.object.is_some()) {
                (true, _) => "simple",
                (false, true) => "unauthenticated",
                (false, false) => "anonymous",
            });
            row.argument = (auth.length > 0).then(|| "REDACTED".to_owned());
            let secret = text(auth.value).filter(|_| auth.is_whole());
            return (row, secret);
        }
        0xa3 => {
            row.opcode = Some("bind SASL".to_owned());
            row.bind_type = Some("SASL");
            row.sasl_mech = auth.inside().next().and_then(|mechanism| text(mechanism.value));
            row.argument.clone_from(&row.sasl_mech);
        }
        tag @ (0x89..=0x8b) => {
            let step = ["PACKAGE_DISCOVERY", "NEGOTIATE", "RESPONSE"][usize::from(tag - 0x89)];
            row.opcode = Some(format!("bind SICILY_{step}"));
            row.bind_type = Some("sicily");
        }
        _ => row.opcode = Some("bind".to_owned()),
    }
    (row, None)
}

fn opcode(tag: u8) -> &'static str {
    match tag {
        op::BIND | op::BIND_RESULT => "bind",
        op::UNBIND => "unbind",
        0x66 | 0x67 | 0x6c | 0x6d => "modify",
        0x68 | 0x69 => "add",
        op::DELETE | 0x6b => "delete",
        op::COMPARE | 0x6f => "compare",
        op::ABANDON => "abandon",
        _ => "extended",
    }
}

/// Any request but bind and search.
fn request(id: i64, operation: Tlv<'_>) -> Ldap {
    let mut row = Ldap { message_id: id, opcode: Some(opcode(operation.tag).to_owned()), ..Ldap::default() };
    let mut fields = operation.inside();
    match operation.tag {
        op::UNBIND => {}
        op::ABANDON => row.argument = ber::integer(operation.value).map(|id| id.to_string()),
        op::DELETE => row.object = text(operation.value),
        op::EXTENDED => {
            let name = fields.next().filter(|name| name.tag == 0x80).map(|name| escape(name.value, 256)).unwrap_or_default();
            row.starttls = names::extended(&name) == "StartTLS";
            row.object = Some(format!("{name} ({})", names::extended(&name)));
        }
        tag => {
            row.object = fields.next().and_then(|name| text(name.value));
            row.argument = fields.next().and_then(|argument| match tag {
                0x66 => text(&changes(argument)),
                0x6c => text(argument.value),
                op::COMPARE => argument.inside().next().and_then(|name| text(name.value)),
                _ => text(&attributes(argument)),
            });
        }
    }
    row
}

/// What a modification does: `add member, delete description`.
fn changes(list: Tlv<'_>) -> Vec<u8> {
    let each = list.inside().take(ATTRIBUTES_MAX).map(|change| {
        let mut fields = change.inside();
        let verb: &[u8] = match fields.next().and_then(|kind| ber::integer(kind.value)) {
            Some(0) => b"add ",
            Some(1) => b"delete ",
            Some(2) => b"replace ",
            Some(3) => b"increment ",
            _ => b"? ",
        };
        let name = fields.next().and_then(|attribute| attribute.inside().next()).map_or(&[][..], |name| name.value);
        [verb, name].concat()
    });
    each.collect::<Vec<_>>().join(&b", "[..])
}

/// Names of the attributes of a new entry.
fn attributes(list: Tlv<'_>) -> Vec<u8> {
    let each = list.inside().take(ATTRIBUTES_MAX).filter_map(|attribute| attribute.inside().next().map(|name| name.value));
    each.collect::<Vec<_>>().join(&b", "[..])
}
