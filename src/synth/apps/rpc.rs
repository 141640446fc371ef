//! Remote procedure calls (C706, MS-RPCE) over TCP: in clear, or sealed after an NTLM login.

use super::ntlm::{authenticate, challenge, negotiate, wide};
use crate::synth::Tcp;

/// An interface: its UUID and version.
pub type Interface = (&'static str, u32);

pub const SERVICES: Interface = ("367abb81-9844-35f1-ad32-98f038001003", 2);
pub const TASKS: Interface = ("86d35949-83c9-4044-b424-db363231fd0c", 1);
pub const WMI: Interface = ("9556dc99-828c-11cf-a37e-00aa003240c7", 0);
pub const REPLICATION: Interface = ("e3514235-4b06-11d1-ab04-00c04fc2dcd2", 4);
pub const NETLOGON: Interface = ("12345678-1234-abcd-ef00-01234567cffb", 1);
pub const PRINTING: Interface = ("76f03f96-cdfd-44fc-a22c-64950a001209", 1);

pub const FILE_ENCRYPTION: Interface = ("df1941c5-fe89-4e79-bf10-463657acf44d", 1);
pub const SPOOLER: Interface = ("12345678-1234-abcd-ef00-0123456789ab", 1);

const NDR: Interface = ("8a885d04-1ceb-11c9-9fe8-08002b104860", 2);
const NTLM: u8 = 10;
const PRIVACY: u8 = 6;

/// UUID and version as they travel: the first three fields least byte first.
fn syntax((uuid, version): Interface) -> Vec<u8> {
    let digits: Vec<u8> = uuid.bytes().filter(|byte| *byte != b'-').collect();
    let pair = |pair: &[u8]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).unwrap_or(0);
    let mut bytes: Vec<u8> = digits.chunks(2).map(pair).collect();
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes.extend(version.to_le_bytes());
    bytes
}

/// A PDU; with a token, its body is padded to 16 bytes and the token follows.
fn pdu(kind: u8, flags: u8, call: u32, body: &[u8], token: &[u8]) -> Vec<u8> {
    let mut rest = body.to_vec();
    if !token.is_empty() {
        let pad = body.len().next_multiple_of(16) - body.len();
        rest.extend(vec![0; pad]);
        rest.extend([NTLM, PRIVACY, pad as u8, 0, 0, 0, 0, 0]);
        rest.extend(token);
    }
    let sizes = [((16 + rest.len()) as u16).to_le_bytes(), (token.len() as u16).to_le_bytes()].concat();
    [&[5, 0, kind, 3 | flags, 0x10, 0, 0, 0], &sizes[..], &call.to_le_bytes(), &rest].concat()
}

fn bind(interface: Interface) -> Vec<u8> {
    [&[0xd0, 0x16, 0xd0, 0x16, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0][..], &syntax(interface), &syntax(NDR)].concat()
}

fn bind_ack(port: u16) -> Vec<u8> {
    let address = format!("{port}\0");
    let mut body = vec![0xd0, 0x16, 0xd0, 0x16, 0x21, 0x43, 0, 0];
    body.extend((address.len() as u16).to_le_bytes());
    body.extend(address.as_bytes());
    body.resize(body.len().next_multiple_of(4), 0);
    [body, vec![1, 0, 0, 0, 0, 0, 0, 0], syntax(NDR)].concat()
}

/// A string as NDR sends it: room, offset, count, letters; not padded.
pub fn text(value: &str) -> Vec<u8> {
    let letters = wide(&format!("{value}\0"));
    let count = (letters.len() as u32 / 2).to_le_bytes();
    [&count[..], &[0; 4], &count, &letters].concat()
}

impl Tcp<'_> {
    /// The client chooses an interface, without saying who it is.
    pub fn rpc_bind(&mut self, interface: Interface) {
        let port = self.server_port();
        self.send(&pdu(11, 0, 1, &bind(interface), &[]));
        self.reply(&pdu(12, 0, 1, &bind_ack(port), &[]));
    }

    /// The client chooses an interface and logs in as `user`; what follows is sealed.
    pub fn rpc_login(&mut self, interface: Interface, user: &str) {
        let (port, client, server) = (self.server_port(), self.client(), self.server());
        let (client, server) = (self.net.name(client).to_uppercase(), self.net.name(server).to_uppercase());
        let (asked, answer) = (challenge(&mut self.net.rng, &server), authenticate(&mut self.net.rng, user, &client));
        self.send(&pdu(11, 0, 1, &bind(interface), &negotiate()));
        self.reply(&pdu(12, 0, 1, &bind_ack(port), &asked));
        self.send(&pdu(16, 0, 1, &[0; 4], &answer));
    }

    /// A call in clear and its result.
    pub fn rpc_call(&mut self, call: u32, opnum: u16, arguments: &[u8], result: &[u8]) {
        let ask = [&(arguments.len() as u32).to_le_bytes()[..], &[0; 2], &opnum.to_le_bytes(), arguments].concat();
        let answer = [&(result.len() as u32).to_le_bytes()[..], &[0; 4], result].concat();
        self.send(&pdu(0, 0, call, &ask, &[]));
        self.reply(&pdu(2, 0, call, &answer, &[]));
    }

    /// A sealed call and its result, of so many bytes each; of an object, if one is named.
    pub fn rpc_sealed(&mut self, call: u32, opnum: u16, object: Option<[u8; 16]>, (asked, answered): (usize, usize)) {
        let rng = &mut self.net.rng;
        let mut seal = || [&[1, 0, 0, 0], &rng.bytes(8)[..], &call.to_le_bytes()].concat();
        let (ask_seal, answer_seal) = (seal(), seal());
        let (arguments, result) = (rng.bytes(asked), rng.bytes(answered));
        let flags = if object.is_some() { 0x80 } else { 0 };
        let ask =
            [&(asked as u32).to_le_bytes()[..], &[0; 2], &opnum.to_le_bytes(), object.as_ref().map_or(&[][..], |id| &id[..]), &arguments];
        let answer = [&(answered as u32).to_le_bytes()[..], &[0; 4], &result].concat();
        self.send(&pdu(0, flags, call, &ask.concat(), &ask_seal));
        self.reply(&pdu(2, 0, call, &answer, &answer_seal));
    }
}
