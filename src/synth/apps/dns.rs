//! DNS over UDP (RFC 1035, EDNS of RFC 6891).

use crate::synth::net::{Host, Net};
use std::net::IpAddr;

/// Query types.
pub const A: u16 = 1;
pub const NULL: u16 = 10;
pub const PTR: u16 = 12;
pub const MX: u16 = 15;
pub const TXT: u16 = 16;
pub const AAAA: u16 = 28;

/// What a name server answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// An address, valid for so many seconds.
    Address(IpAddr, u32),
    /// Another name and its address.
    Alias(String, IpAddr, u32),
    /// A text; split at 255 bytes as the format demands.
    Text(Vec<u8>, u32),
    /// Bytes without meaning, type NULL.
    Raw(Vec<u8>, u32),
    /// A name: PTR or MX, by the query type.
    Name(String, u32),
    /// The name exists, but not with this type.
    Nothing,
    /// The name does not exist.
    NoSuchName,
}

impl Net {
    /// A host asks the resolver for a name and gets its address.
    pub fn lookup(&mut self, client: Host, name: &str, address: IpAddr) {
        let qtype = if address.is_ipv4() { A } else { AAAA };
        self.dns(client, name, qtype, &Answer::Address(address, 300));
    }

    /// A host asks for the name of `server`, which is the name the server was given.
    pub fn find(&mut self, client: Host, server: Host) {
        let (name, address) = (self.name(server), self.ip(server));
        self.lookup(client, &name, address);
    }

    /// A host asks its neighbours for a name over LLMNR (RFC 4795); one of them may say that it has it.
    pub fn llmnr(&mut self, asker: Host, group: Host, name: &str, answerer: Option<Host>) {
        let (id, port) = (self.rng.bits() as u16, self.next_port(asker));
        let mut question = head(id, 0, 0);
        question[11] = 0;
        question.extend([labels(name), vec![0, 1, 0, 1]].concat());
        self.udp((asker, port), (group, 5355), &question);
        let Some(answerer) = answerer else { return };
        self.react(answerer);
        let mut reply = head(id, 0x8000, 1);
        reply[11] = 0;
        reply.extend([labels(name), vec![0, 1, 0, 1], address_record(&labels(name), self.ip(answerer), 30)].concat());
        self.udp((answerer, 5355), (asker, port), &reply);
    }

    /// A host asks the resolver anything.
    pub fn dns(&mut self, client: Host, name: &str, qtype: u16, answer: &Answer) {
        let Some(resolver) = self.resolver() else { return };
        let id = self.rng.bits() as u16;
        let port = self.next_port(client);
        let question = query(id, name, qtype);
        let reply = response(&question, name, qtype, answer);
        self.udp((client, port), (resolver, 53), &question);
        self.react(resolver);
        // Half the answers are in the resolver's cache, the others come from further away.
        let upstream = if self.rng.chance(500) { 0 } else { self.rng.between(8_000_000, 45_000_000) };
        self.wait(upstream);
        self.udp((resolver, 53), (client, port), &reply);
    }
}

/// Labels with their lengths; a label is at most 63 bytes.
fn labels(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        let label = &label.as_bytes()[..label.len().min(63)];
        out.push(label.len() as u8);
        out.extend_from_slice(label);
    }
    out.push(0);
    out
}

fn head(id: u16, flags: u16, answers: u16) -> Vec<u8> {
    [id, flags, 1, answers, 0, 1].iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// Root name, type OPT, 1232 bytes of UDP payload, nothing more.
const EDNS: [u8; 11] = [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0];

/// A recursive query with EDNS.
fn query(id: u16, name: &str, qtype: u16) -> Vec<u8> {
    let mut out = head(id, 0x0100, 0);
    out.extend(labels(name));
    out.extend(qtype.to_be_bytes());
    out.extend([0, 1]);
    out.extend(EDNS);
    out
}

/// The resolver's answer to `question`.
fn response(question: &[u8], name: &str, qtype: u16, answer: &Answer) -> Vec<u8> {
    let id = u16::from_be_bytes([question[0], question[1]]);
    let records = records(qtype, answer);
    let flags = if matches!(answer, Answer::NoSuchName) { 0x8183 } else { 0x8180 };
    let mut out = head(id, flags, records.len() as u16);
    out.extend(labels(name));
    out.extend(qtype.to_be_bytes());
    out.extend([0, 1]);
    out.extend(records.concat());
    out.extend(EDNS);
    out
}

/// The answer section; the first owner name points at the question.
fn records(qtype: u16, answer: &Answer) -> Vec<Vec<u8>> {
    const QUESTION: [u8; 2] = [0xc0, 0x0c];
    match answer {
        Answer::Address(address, ttl) => vec![address_record(&QUESTION, *address, *ttl)],
        Answer::Alias(target, address, ttl) => {
            let owner = labels(target);
            vec![record(&QUESTION, 5, *ttl, &owner), address_record(&owner, *address, *ttl)]
        }
        Answer::Text(text, ttl) => {
            let strings: Vec<u8> = text.chunks(255).flat_map(|part| [&[part.len() as u8], part].concat()).collect();
            vec![record(&QUESTION, TXT, *ttl, &strings)]
        }
        Answer::Raw(bytes, ttl) => vec![record(&QUESTION, NULL, *ttl, bytes)],
        Answer::Name(target, ttl) if qtype == MX => vec![record(&QUESTION, MX, *ttl, &[vec![0, 10], labels(target)].concat())],
        Answer::Name(target, ttl) => vec![record(&QUESTION, qtype, *ttl, &labels(target))],
        Answer::Nothing | Answer::NoSuchName => Vec::new(),
    }
}

fn address_record(owner: &[u8], address: IpAddr, ttl: u32) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => record(owner, A, ttl, &v4.octets()),
        IpAddr::V6(v6) => record(owner, AAAA, ttl, &v6.octets()),
    }
}

fn record(owner: &[u8], rtype: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut out = owner.to_vec();
    out.extend(rtype.to_be_bytes());
    out.extend([0, 1]);
    out.extend(ttl.to_be_bytes());
    out.extend((data.len() as u16).to_be_bytes());
    out.extend_from_slice(data);
    out
}
