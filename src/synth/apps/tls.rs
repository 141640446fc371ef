//! TLS 1.2 and 1.3 handshakes in the clear parts (RFC 5246, RFC 8446); what follows is ciphertext in size only.

use super::x509::Certificate;
use crate::synth::{Rng, Tcp};

/// Which program speaks: decides cipher suites and extensions, hence JA3 and JA4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Client {
    /// A browser: GREASE, HTTP/2, TLS 1.3.
    Browser,
    /// A program linked with a common library: no GREASE, HTTP/1.1.
    Library,
    /// A small implant: few suites, no ALPN.
    Implant,
}

/// How a server answers.
#[derive(Clone, Debug)]
pub enum Server<'a> {
    /// TLS 1.3: the certificate is hidden.
    Modern,
    /// TLS 1.2: the certificate is sent in the clear.
    Plain(Certificate<'a>),
}

const HANDSHAKE: u8 = 22;
const CIPHER_CHANGE: u8 = 20;
const APPLICATION: u8 = 23;
/// AEAD tag and, in TLS 1.2, the explicit nonce before it.
const SEAL: usize = 24;

impl Tcp<'_> {
    /// The whole handshake; `name` goes into the SNI if given.
    pub fn tls(&mut self, name: Option<&str>, client: Client, server: &Server<'_>) {
        let session = self.net.rng.bytes(32);
        let hello = client_hello(&mut self.net.rng, name, client, &session);
        self.send(&record(HANDSHAKE, 0x0301, &message(1, &hello)));
        match server {
            Server::Modern => self.tls13(client, &session),
            Server::Plain(certificate) => self.tls12(client, certificate),
        }
    }

    fn tls13(&mut self, client: Client, session: &[u8]) {
        let rng = &mut self.net.rng;
        let mut flight = record(HANDSHAKE, 0x0303, &message(2, &server_hello13(rng, client, session)));
        flight.extend(record(CIPHER_CHANGE, 0x0303, &[1]));
        for (low, high) in [(32, 60), (1_900, 2_700), (281, 281), (69, 69)] {
            let size = rng.between(low, high) as usize;
            flight.extend(record(APPLICATION, 0x0303, &rng.bytes(size)));
        }
        self.reply(&flight);
        let mut finished = record(CIPHER_CHANGE, 0x0303, &[1]);
        finished.extend(record(APPLICATION, 0x0303, &self.net.rng.bytes(53)));
        self.send(&finished);
    }

    fn tls12(&mut self, client: Client, certificate: &Certificate<'_>) {
        let rng = &mut self.net.rng;
        let der = certificate.der(rng);
        let chain = [length3(der.len() + 3), length3(der.len()), der].concat();
        let key = [vec![3, 0, 23, 65, 4], rng.bytes(64), vec![4, 3, 0, 72], super::x509::element(0x30, &rng.bytes(70))].concat();
        let parts = [message(2, &server_hello12(rng, client)), message(11, &chain), message(12, &key), message(14, &[])];
        let flight: Vec<u8> = parts.iter().flat_map(|part| record(HANDSHAKE, 0x0303, part)).collect();
        self.reply(&flight);
        let rng = &mut self.net.rng;
        let mut finished = record(HANDSHAKE, 0x0303, &message(16, &[vec![65, 4], rng.bytes(64)].concat()));
        finished.extend(record(CIPHER_CHANGE, 0x0303, &[1]));
        finished.extend(record(HANDSHAKE, 0x0303, &rng.bytes(40)));
        self.send(&finished);
        let mut done = record(CIPHER_CHANGE, 0x0303, &[1]);
        done.extend(record(HANDSHAKE, 0x0303, &self.net.rng.bytes(40)));
        self.reply(&done);
    }

    /// `bytes` of plaintext from the client, sealed.
    pub fn sealed_send(&mut self, bytes: usize) {
        let records = sealed(&mut self.net.rng, bytes);
        self.send(&records);
    }

    /// `bytes` of plaintext from the server, sealed.
    pub fn sealed_reply(&mut self, bytes: usize) {
        let records = sealed(&mut self.net.rng, bytes);
        self.reply(&records);
    }
}

/// Application data records of at most 16 kB each.
fn sealed(rng: &mut Rng, bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes + 64);
    let mut rest = bytes;
    while rest > 0 {
        let part = rest.min(16_384);
        out.extend(record(APPLICATION, 0x0303, &rng.bytes(part + SEAL)));
        rest -= part;
    }
    out
}

fn record(kind: u8, version: u16, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend(version.to_be_bytes());
    out.extend((body.len() as u16).to_be_bytes());
    out.extend_from_slice(body);
    out
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [vec![kind], length3(body.len()), body.to_vec()].concat()
}

pub(super) fn length3(length: usize) -> Vec<u8> {
    (length as u32).to_be_bytes()[1..].to_vec()
}

/// A list with its two-byte length before it.
pub(super) fn list(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

pub(super) fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

pub(super) fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [words(&[kind]), list(body)].concat()
}

/// A reserved value of RFC 8701.
fn grease(rng: &mut Rng) -> u16 {
    0x0a0a + 0x1010 * rng.below(16) as u16
}

fn suites(rng: &mut Rng, client: Client) -> Vec<u16> {
    const MODERN: [u16; 9] = [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8];
    match client {
        Client::Browser => [vec![grease(rng)], MODERN.to_vec(), vec![0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035]].concat(),
        Client::Library => [MODERN.to_vec(), vec![0x00ff]].concat(),
        Client::Implant => vec![0xc02f, 0xc030, 0xc02b, 0xc02c, 0x1301, 0x1302],
    }
}

fn client_hello(rng: &mut Rng, name: Option<&str>, client: Client, session: &[u8]) -> Vec<u8> {
    let mut out = vec![3, 3];
    out.extend(rng.bytes(32));
    out.push(session.len() as u8);
    out.extend_from_slice(session);
    out.extend(list(&words(&suites(rng, client))));
    out.extend([1, 0]);
    out.extend(list(&extensions(rng, name, client)));
    out
}

fn extensions(rng: &mut Rng, name: Option<&str>, client: Client) -> Vec<u8> {
    let mut out = Vec::new();
    let greasy = (client == Client::Browser).then(|| grease(rng));
    out.extend(greasy.map(|value| extension(value, &[])).unwrap_or_default());
    if let Some(name) = name {
        let entry = [vec![0], list(name.as_bytes())].concat();
        out.extend(extension(0, &list(&entry)));
    }
    out.extend(extension(23, &[]));
    out.extend(extension(0xff01, &[0]));
    out.extend(extension(10, &list(&[greasy.map(|value| words(&[value])).unwrap_or_default(), words(&[29, 23, 24])].concat())));
    out.extend(extension(11, &[1, 0]));
    out.extend(extension(35, &[]));
    out.extend(alpn(client));
    out.extend(extension(13, &list(&words(&[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]))));
    let share = [words(&[29]), list(&rng.bytes(32))].concat();
    out.extend(extension(51, &list(&share)));
    out.extend(extension(45, &[1, 1]));
    let versions = [greasy.map(|value| words(&[value])).unwrap_or_default(), words(&[0x0304, 0x0303])].concat();
    out.extend(extension(43, &[vec![versions.len() as u8], versions].concat()));
    out
}

fn alpn(client: Client) -> Vec<u8> {
    let protocols: &[&[u8]] = match client {
        Client::Browser => &[b"h2", b"http/1.1"],
        Client::Library => &[b"http/1.1"],
        Client::Implant => return Vec::new(),
    };
    let names: Vec<u8> = protocols.iter().flat_map(|name| [&[name.len() as u8], *name].concat()).collect();
    extension(16, &list(&names))
}

fn server_hello13(rng: &mut Rng, client: Client, session: &[u8]) -> Vec<u8> {
    let suite = if client == Client::Implant { 0x1302 } else { 0x1301 };
    let mut out = vec![3, 3];
    out.extend(rng.bytes(32));
    out.push(session.len() as u8);
    out.extend_from_slice(session);
    out.extend(words(&[suite]));
    out.push(0);
    let share = [words(&[29]), list(&rng.bytes(32))].concat();
    out.extend(list(&[extension(51, &share), extension(43, &words(&[0x0304]))].concat()));
    out
}

fn server_hello12(rng: &mut Rng, client: Client) -> Vec<u8> {
    let mut out = vec![3, 3];
    out.extend(rng.bytes(32));
    out.push(32);
    out.extend(rng.bytes(32));
    out.extend(words(&[0xc02b]));
    out.push(0);
    let mut extras = [extension(0xff01, &[0]), extension(11, &[1, 0])].concat();
    if client == Client::Browser {
        extras.extend(extension(16, &list(b"\x02h2")));
    }
    out.extend(list(&extras));
    out
}
