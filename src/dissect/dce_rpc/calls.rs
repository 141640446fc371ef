//! One association: its interfaces, its calls, its authentication. The same over a TCP connection and over a named pipe.

use super::interfaces::{self, Interface};
use super::pdu::{FIRST, HEADER, Header, LAST, OBJECT, Pdu, Stream};
use super::stub;
use crate::dissect::gssapi::Carried;
use crate::dissect::ntlm::Logins;
use crate::dissect::{Out, escape};
use crate::model::windows::DceRpc;
use crate::model::{Dir, Event, Ts};
use std::collections::{BTreeMap, VecDeque};

/// Presentation contexts of one association.
const CONTEXTS_MAX: usize = 64;
/// Calls that wait for their answer.
const CALLS_MAX: usize = 64;
/// Bytes of arguments kept of a call.
const STUB_KEEP: usize = 8 << 10;
/// Letters of a secondary address.
const ADDRESS_MAX: usize = 256;

const REQUEST: u8 = 0;
const RESPONSE: u8 = 2;
const FAULT: u8 = 3;
const BIND: u8 = 11;
const BIND_ACK: u8 = 12;
const ALTER_CONTEXT: u8 = 14;
const ALTER_CONTEXT_RESP: u8 = 15;

/// From this authentication level on arguments are sealed (RPC_C_AUTHN_LEVEL_PKT_PRIVACY).
const PRIVACY: u8 = 6;

/// One association.
pub struct Association {
    over: &'static str,
    /// File name of the pipe, where it runs over one.
    pipe: Option<String>,
    streams: [Stream; 2],
    state: State,
    logins: Logins,
}

#[derive(Default)]
struct State {
    contexts: BTreeMap<u16, String>,
    last_bound: Option<String>,
    address: Option<String>,
    auth: Option<(u8, u8)>,
    calls: VecDeque<Call>,
    gssapi: bool,
}

/// A call that was begun.
#[derive(Default)]
struct Call {
    id: u32,
    place: (u64, Ts),
    /// Time of the last fragment of the request.
    asked: Option<Ts>,
    context: Option<u16>,
    opnum: Option<u16>,
    object: Option<String>,
    sealed: bool,
    args: Vec<u8>,
    req_len: Option<u64>,
    resp_len: Option<u64>,
    tail: Option<u32>,
    fault: Option<u32>,
    resp_frame: Option<u64>,
}

impl Association {
    /// Over `tcp` or `smb`, there with the name of the pipe.
    pub fn new(over: &'static str, pipe: Option<String>) -> Self {
        Self { over, pipe, streams: Default::default(), state: State::default(), logins: Logins::new("dce_rpc") }
    }

    /// Takes bytes of one direction.
    pub fn data(&mut self, dir: Dir, bytes: &[u8], place: (u64, Ts), out: &mut Out) {
        let Self { over, pipe, streams, state, logins } = self;
        let naming = Naming { over, pipe: pipe.as_deref() };
        side(streams, dir).data(bytes, place, |pdu| state.pdu(&pdu, naming, logins, out));
    }

    /// Bytes of one direction are lost.
    pub fn gap(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        let Self { over, pipe, streams, state, logins } = self;
        let naming = Naming { over, pipe: pipe.as_deref() };
        side(streams, dir).gap(missing, |pdu| state.pdu(&pdu, naming, logins, out));
    }

    /// It is over: says the calls without answer.
    pub fn end(&mut self, out: &mut Out) {
        let Self { over, pipe, streams, state, logins } = self;
        let naming = Naming { over, pipe: pipe.as_deref() };
        for stream in streams {
            stream.finish(&mut |pdu| state.pdu(&pdu, naming, logins, out));
        }
        while let Some(call) = state.calls.pop_front() {
            state.say(call, None, naming, out);
        }
        logins.end(out);
    }

    /// Whether any PDU was seen.
    pub fn confirmed(&self) -> bool {
        self.streams.iter().any(|stream| stream.count > 0)
    }

    /// What its security tokens were.
    pub fn carried(&self) -> Carried {
        Carried {
            dce_rpc: self.confirmed(),
            smb: false,
            gssapi: self.state.gssapi,
            ntlm: self.logins.seen(),
            kerberos: self.logins.showed_ticket(),
        }
    }
}

fn side(streams: &mut [Stream; 2], dir: Dir) -> &mut Stream {
    let [orig, resp] = streams;
    if dir == Dir::Orig { orig } else { resp }
}

/// What the rows of an association share.
#[derive(Clone, Copy)]
struct Naming<'a> {
    over: &'static str,
    pipe: Option<&'a str>,
}

impl State {
    fn pdu(&mut self, pdu: &Pdu<'_>, naming: Naming<'_>, logins: &mut Logins, out: &mut Out) {
        let header = &pdu.header;
        self.security(pdu, logins, out);
        match header.kind {
            BIND | ALTER_CONTEXT => self.bind(pdu),
            BIND_ACK | ALTER_CONTEXT_RESP => self.bound(pdu),
            REQUEST => self.request(pdu, naming, out),
            RESPONSE | FAULT => self.response(pdu, naming, out),
            _ => {}
        }
    }

    /// The security trailer (C706 13.2.6.1), if the end of the PDU is there.
    fn security(&mut self, pdu: &Pdu<'_>, logins: &mut Logins, out: &mut Out) {
        let Header { kind, len, auth_len, .. } = pdu.header;
        let Some(at) = len.checked_sub(auth_len + 8).filter(|_| auth_len > 0 && pdu.bytes.len() == len) else { return };
        if let Some(&[service, level, ..]) = pdu.bytes.get(at..) {
            self.auth = Some((service, level));
        }
        // Requests and responses carry signatures, not tokens.
        if matches!(kind, REQUEST | RESPONSE) {
            return;
        }
        self.gssapi |= logins.token(pdu.bytes.get(at + 8..).unwrap_or_default(), pdu.place, out).gssapi;
    }

    fn bind(&mut self, pdu: &Pdu<'_>) {
        let (bytes, little) = (pdu.bytes, pdu.header.little);
        let count = bytes.get(24).copied().unwrap_or(0);
        let mut at = 28;
        for _ in 0..count {
            let (Some(id), Some(&syntaxes), Some(uuid)) = (u16_at(bytes, at, little), bytes.get(at + 2), uuid_at(bytes, at + 4, little))
            else {
                return;
            };
            if self.contexts.len() < CONTEXTS_MAX || self.contexts.contains_key(&id) {
                self.contexts.insert(id, uuid.clone());
            }
            self.last_bound = Some(uuid);
            at += 24 + 20 * usize::from(syntaxes);
        }
    }

    fn bound(&mut self, pdu: &Pdu<'_>) {
        let Some(length) = u16_at(pdu.bytes, 24, pdu.header.little) else { return };
        let address = pdu.bytes.get(26..).and_then(|rest| rest.get(..usize::from(length))).unwrap_or_default();
        let text = address.split(|&byte| byte == 0).next().unwrap_or_default();
        if !text.is_empty() {
            self.address = Some(escape(text, ADDRESS_MAX));
        }
    }

    /// Arguments or results between the fields of the PDU and its security trailer.
    fn stub<'a>(pdu: &Pdu<'a>, from: usize) -> (&'a [u8], u64) {
        let Header { len, auth_len, .. } = pdu.header;
        let trailer = if auth_len > 0 { auth_len + 8 } else { 0 };
        let padding = if auth_len > 0 { len.checked_sub(trailer).and_then(|at| pdu.bytes.get(at + 2)).copied().unwrap_or(0) } else { 0 };
        let end = len.saturating_sub(trailer + usize::from(padding)).max(from);
        let there = pdu.bytes.get(from..end.min(pdu.bytes.len()).max(from)).unwrap_or_default();
        (there, end.saturating_sub(from) as u64)
    }

    fn request(&mut self, pdu: &Pdu<'_>, naming: Naming<'_>, out: &mut Out) {
        let Header { flags, little, call_id, .. } = pdu.header;
        let waiting = self.calls.iter().rposition(|call| call.id == call_id && call.resp_len.is_none() && call.fault.is_none());
        let more = waiting.filter(|_| flags & FIRST == 0);
        let at = match more {
            Some(at) => at,
            None => {
                // The same number again: the call before it was never answered.
                if let Some(stale) = waiting.and_then(|at| self.calls.remove(at)) {
                    self.say(stale, None, naming, out);
                }
                if self.calls.len() >= CALLS_MAX
                    && let Some(oldest) = self.calls.pop_front()
                {
                    self.say(oldest, None, naming, out);
                }
                self.calls.push_back(Call { id: call_id, place: pdu.place, ..Call::default() });
                self.calls.len() - 1
            }
        };
        let sealed = pdu.header.auth_len > 0 && self.auth.is_some_and(|(_, level)| level >= PRIVACY);
        let Some(call) = self.calls.get_mut(at) else { return };
        let has_object = flags & OBJECT != 0;
        call.context = u16_at(pdu.bytes, HEADER + 4, little).or(call.context);
        call.opnum = u16_at(pdu.bytes, HEADER + 6, little).or(call.opnum);
        if has_object {
            call.object = uuid_at(pdu.bytes, HEADER + 8, little);
        }
        let (stub, length) = Self::stub(pdu, if has_object { HEADER + 24 } else { HEADER + 8 });
        call.sealed |= sealed;
        call.req_len = Some(call.req_len.unwrap_or(0) + length);
        let room = STUB_KEEP.saturating_sub(call.args.len());
        if !call.sealed {
            call.args.extend(stub.iter().take(room));
        }
        if flags & LAST != 0 {
            call.asked = Some(pdu.done);
        }
    }

    fn response(&mut self, pdu: &Pdu<'_>, naming: Naming<'_>, out: &mut Out) {
        let Header { kind, flags, little, call_id, len, .. } = pdu.header;
        let at = match self.calls.iter().position(|call| call.id == call_id) {
            Some(at) => at,
            None => {
                if self.calls.len() >= CALLS_MAX
                    && let Some(oldest) = self.calls.pop_front()
                {
                    self.say(oldest, None, naming, out);
                }
                self.calls.push_back(Call { id: call_id, place: pdu.place, ..Call::default() });
                self.calls.len() - 1
            }
        };
        let sealed = pdu.header.auth_len > 0 && self.auth.is_some_and(|(_, level)| level >= PRIVACY);
        let Some(call) = self.calls.get_mut(at) else { return };
        call.context = call.context.or(u16_at(pdu.bytes, HEADER + 4, little));
        call.resp_frame.get_or_insert(pdu.place.0);
        if kind == FAULT {
            call.fault = u32_at(pdu.bytes, HEADER + 8, little);
        } else {
            let (stub, length) = Self::stub(pdu, HEADER + 8);
            call.sealed |= sealed;
            call.resp_len = Some(call.resp_len.unwrap_or(0) + length);
            let whole = pdu.bytes.len() == len;
            call.tail = stub.len().checked_sub(4).filter(|_| whole && !call.sealed).and_then(|at| u32_at(stub, at, little));
        }
        if flags & LAST != 0 || kind == FAULT {
            let call = self.calls.remove(at).unwrap_or_default();
            self.say(call, Some(pdu.done), naming, out);
        }
    }

    /// The interface of a call: what its context was bound to, else the last one bound, else the only one behind such a pipe.
    fn interface(&self, call: &Call, naming: Naming<'_>) -> Option<String> {
        let bound = call.context.and_then(|id| self.contexts.get(&id)).or(self.last_bound.as_ref());
        let pipe = || interfaces::by_pipe(self.address.as_deref().or(naming.pipe)?).map(|interface| interface.uuid().to_owned());
        bound.cloned().or_else(pipe)
    }

    fn say(&self, call: Call, answered: Option<Ts>, naming: Naming<'_>, out: &mut Out) {
        let uuid = self.interface(&call, naming);
        let interface: Option<&Interface> = uuid.as_deref().and_then(interfaces::by_uuid);
        let operation =
            |opnum: u16| interface.and_then(|interface| interface.call(opnum)).map_or_else(|| format!("unknown-{opnum}"), str::to_owned);
        let strings = stub::strings(&call.args);
        let netlogon = interface.is_some_and(|interface| interface.name == "netlogon");
        let rtt = match (call.asked, answered) {
            (Some(asked), Some(answered)) if answered > asked => Some((answered - asked) as f64 / 1e9),
            _ => None,
        };
        let row = DceRpc {
            rtt,
            named_pipe: self.address.clone().or_else(|| naming.pipe.map(str::to_owned)),
            endpoint: uuid.as_ref().map(|uuid| interface.map_or_else(|| format!("unknown-{uuid}"), |interface| interface.name.to_owned())),
            operation: call.opnum.filter(|_| uuid.is_some()).map(operation),
            iface_uuid: uuid,
            opnum: call.opnum,
            req_stub_len: call.req_len,
            resp_stub_len: call.resp_len,
            resp_status: call.tail,
            fault: call.fault,
            auth_level: self.auth.map(|(_, level)| level),
            auth_type: self.auth.map(|(service, _)| service),
            zero_credential: call.opnum.filter(|_| netlogon).and_then(|opnum| stub::zero_credential(opnum, &call.args)),
            target_name_in_stub: stub::target(&strings),
            req_strings: strings,
            object_uuid: call.object,
            over: naming.over,
            resp_frame: call.resp_frame,
        };
        out.say(call.place.0, call.place.1, Event::DceRpc(Box::new(row)));
    }
}

fn u16_at(bytes: &[u8], at: usize, little: bool) -> Option<u16> {
    let pair = *bytes.get(at..)?.first_chunk()?;
    Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
}

fn u32_at(bytes: &[u8], at: usize, little: bool) -> Option<u32> {
    let four = *bytes.get(at..)?.first_chunk()?;
    Some(if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
}

/// A UUID as text: its first three parts are numbers in the sender's order.
fn uuid_at(bytes: &[u8], at: usize, little: bool) -> Option<String> {
    let (a, b, c) = (u32_at(bytes, at, little)?, u16_at(bytes, at + 4, little)?, u16_at(bytes, at + 6, little)?);
    let &[d, e, f, g, h, i, j, k] = bytes.get(at + 8..)?.first_chunk()?;
    Some(format!("{a:08x}-{b:04x}-{c:04x}-{d:02x}{e:02x}-{f:02x}{g:02x}{h:02x}{i:02x}{j:02x}{k:02x}"))
}
