//! Kerberos (RFC 4120) over UDP: requests, replies and errors with tickets that no key ever sealed.

use super::x509::{element, integer};
use crate::synth::net::{Host, Net};

/// Realm of the story.
const REALM: &str = "OFFICE.EXAMPLE";
/// AES-256, AES-128, RC4: what a Windows of today offers.
pub const MODERN: [i8; 3] = [18, 17, 23];
/// Error: no such principal.
pub const UNKNOWN: u8 = 6;
/// Error: wrong password.
pub const REFUSED: u8 = 24;
/// Error: prove who you are first.
pub const PROVE: u8 = 25;

/// What the server says.
#[derive(Clone, Debug)]
pub enum Answer {
    /// An error of that number.
    Error(u8),
    /// A ticket: its encryption, that of the reply's own part, and the ticket's bytes.
    Ticket(u8, u8, Vec<u8>),
}

fn tagged(number: u8, value: &[u8]) -> Vec<u8> {
    element(0xa0 | number, value)
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

fn string(text: &str) -> Vec<u8> {
    element(0x1b, text.as_bytes())
}

fn time() -> Vec<u8> {
    element(0x18, b"20370913024805Z")
}

/// A principal of that type, its parts divided by slashes.
fn name(kind: u8, text: &str) -> Vec<u8> {
    let parts: Vec<u8> = text.split('/').flat_map(string).collect();
    sequence(&[tagged(0, &integer(&[kind])), tagged(1, &element(0x30, &parts))])
}

fn sealed(etype: u8, bytes: &[u8]) -> Vec<u8> {
    sequence(&[tagged(0, &integer(&[etype])), tagged(1, &integer(&[2])), tagged(2, &element(0x04, bytes))])
}

fn ticket(service: &str, etype: u8, bytes: &[u8]) -> Vec<u8> {
    let inside =
        sequence(&[tagged(0, &integer(&[5])), tagged(1, &string(REALM)), tagged(2, &name(2, service)), tagged(3, &sealed(etype, bytes))]);
    element(0x61, &inside)
}

fn body(client: Option<&str>, service: &str, etypes: &[i8]) -> Vec<u8> {
    let mut parts = vec![tagged(0, &element(0x03, &[0, 0x40, 0x81, 0, 0x10]))];
    parts.extend(client.map(|client| tagged(1, &name(1, client))));
    parts.extend([tagged(2, &string(REALM)), tagged(3, &name(2, service)), tagged(5, &time()), tagged(7, &integer(&[0x1a, 0x2b, 0x3c]))]);
    // Numbers below zero are Microsoft's own and stand as they are.
    let offered: Vec<u8> = etypes.iter().flat_map(|etype| element(0x02, &etype.to_be_bytes())).collect();
    parts.push(tagged(8, &element(0x30, &offered)));
    sequence(&parts)
}

fn proof(kind: u8, bytes: &[u8]) -> Vec<u8> {
    sequence(&[tagged(1, &integer(&[kind])), tagged(2, &element(0x04, bytes))])
}

fn answer(application: u8, message: u8, client: &str, service: &str, said: &Answer, noise: &[u8]) -> Vec<u8> {
    let head = |kind: u8| [tagged(0, &integer(&[5])), tagged(1, &integer(&[kind]))].concat();
    match said {
        Answer::Error(code) => {
            let rest = [
                tagged(4, &time()),
                tagged(5, &integer(&[0x01, 0x02])),
                tagged(6, &integer(&[*code])),
                tagged(9, &string(REALM)),
                tagged(10, &name(2, service)),
            ];
            element(0x7e, &element(0x30, &[head(30), rest.concat()].concat()))
        }
        Answer::Ticket(etype, own, bytes) => {
            let rest = [
                tagged(3, &string(REALM)),
                tagged(4, &name(1, client)),
                tagged(5, &ticket(service, *etype, bytes)),
                tagged(6, &sealed(*own, noise)),
            ];
            element(application, &element(0x30, &[head(message), rest.concat()].concat()))
        }
    }
}

impl Net {
    /// `client` asks `server` for the first ticket of `account`, with or without proof of its password.
    pub fn kerberos_login(&mut self, (client, server): (Host, Host), account: &str, proves: bool, etypes: &[i8], said: &Answer) {
        let own = etypes.iter().find(|etype| **etype > 0).copied().unwrap_or(18) as u8;
        let mut proofs = Vec::new();
        if proves {
            let stamp = self.rng.bytes(56);
            proofs.extend(proof(2, &sealed(own, &stamp)));
        }
        proofs.extend(proof(128, &element(0x30, &tagged(0, &[1, 1, 0xff]))));
        let service = format!("krbtgt/{REALM}");
        let parts = [
            tagged(1, &integer(&[5])),
            tagged(2, &integer(&[10])),
            tagged(3, &element(0x30, &proofs)),
            tagged(4, &body(Some(account), &service, etypes)),
        ];
        let question = element(0x6a, &sequence(&parts));
        let noise = self.rng.bytes(120);
        let reply = answer(0x6b, 11, account, &service, said, &noise);
        let port = self.next_port(client);
        self.udp_exchange((client, port), (server, 88), &question, &reply);
    }

    /// `client` shows the ticket `shown` and asks for one of `service`.
    pub fn kerberos_service(
        &mut self,
        (client, server): (Host, Host),
        account: &str,
        shown: &[u8],
        service: &str,
        etypes: &[i8],
        said: &Answer,
    ) {
        let inside = [
            tagged(0, &integer(&[5])),
            tagged(1, &integer(&[14])),
            tagged(2, &element(0x03, &[0, 0, 0, 0, 0])),
            tagged(3, &ticket(&format!("krbtgt/{REALM}"), 18, shown)),
            tagged(4, &sealed(18, &self.rng.bytes(140))),
        ];
        let request = element(0x6e, &sequence(&inside));
        let parts = [
            tagged(1, &integer(&[5])),
            tagged(2, &integer(&[12])),
            tagged(3, &element(0x30, &proof(1, &request))),
            tagged(4, &body(None, service, etypes)),
        ];
        let question = element(0x6c, &sequence(&parts));
        let noise = self.rng.bytes(120);
        let reply = answer(0x6d, 13, account, service, said, &noise);
        let port = self.next_port(client);
        self.udp_exchange((client, port), (server, 88), &question, &reply);
    }
}
