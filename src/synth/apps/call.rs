//! A call of a browser (WebRTC, RFC 8835): its way is tried (ICE over STUN, RFC 8445 and 8489), keys are made by DTLS with certificates made for the
//! call (RFC 5763, 5764), then sound goes both ways (SRTP, RFC 3711), sealed and thus random but for its heads.

use super::tls::{extension, length3, list, words};
use super::x509::{Certificate, element};
use crate::model::time::SECOND;
use crate::synth::Rng;
use crate::synth::net::{Host, MILLI, Net};

/// STUN's magic cookie (RFC 8489 5).
const COOKIE: u32 = 0x2112_a442;
/// `use_srtp` with SRTP_AES128_CM_HMAC_SHA1_80 (RFC 5764 4.1.1).
const USE_SRTP: (u16, [u8; 5]) = (14, [0, 2, 0, 1, 0]);
/// Time between sound packets of a call in which nobody says much.
const PACE: i64 = 250 * MILLI;
/// DTLS 1.2.
const VERSION: [u8; 2] = [0xfe, 0xfd];

/// What one side sends over DTLS: its records and messages are numbered.
#[derive(Default)]
struct Side {
    records: u64,
    messages: u16,
}

impl Side {
    fn record(&mut self, kind: u8, epoch: u16, body: &[u8]) -> Vec<u8> {
        self.records += 1;
        [&[kind], &VERSION[..], &epoch.to_be_bytes(), &(self.records - 1).to_be_bytes()[2..], &list(body)].concat()
    }

    /// A handshake message in one piece.
    fn message(&mut self, kind: u8, body: &[u8]) -> Vec<u8> {
        let length = length3(body.len());
        let whole = [&[kind], &length[..], &self.messages.to_be_bytes(), &[0; 3], &length, body].concat();
        self.messages += 1;
        self.record(22, 0, &whole)
    }

    /// The change to keys that were agreed on, and the first message under them.
    fn finished(&mut self, rng: &mut Rng) -> Vec<u8> {
        [self.record(20, 0, &[1]), self.record(22, 1, &rng.bytes(48))].concat()
    }
}

impl Net {
    /// A call of `seconds` between two ends; `name` stands in the certificate that the callee made for it.
    pub fn call(&mut self, caller: (Host, u16), callee: (Host, u16), name: &str, seconds: i64) {
        let id = self.rng.bytes(12);
        self.udp_exchange(caller, callee, &stun(0x0001, &id), &stun(0x0101, &id));
        let (mut ours, mut theirs) = (Side::default(), Side::default());
        let hello = ours.message(1, &client_hello(&mut self.rng));
        let born = self.now - self.now % SECOND - 60 * SECOND;
        let certificate = Certificate { subject: name, issuer: name, names: &[], not_before: born, days: 30 };
        let flight = server_flight(&mut self.rng, &mut theirs, &certificate);
        self.udp_exchange(caller, callee, &hello, &flight);
        let key = [vec![65, 4], self.rng.bytes(64)].concat();
        let last = [ours.message(16, &key), ours.finished(&mut self.rng)].concat();
        let answer = theirs.finished(&mut self.rng);
        self.udp_exchange(caller, callee, &last, &answer);
        for packet in 0..seconds * SECOND / PACE {
            for (from, to, ssrc) in [(caller, callee, 0x4f1c_22a0), (callee, caller, 0x09d7_3b51)] {
                let sound = self.rng.between(60, 110) as usize;
                let head =
                    [&[0x80, 111], &(packet as u16).to_be_bytes()[..], &(packet as u32 * 12_000).to_be_bytes(), &u32::to_be_bytes(ssrc)];
                let sealed = [head.concat(), self.rng.bytes(sound)].concat();
                self.udp(from, to, &sealed);
            }
            self.wait(PACE);
        }
    }
}

/// A message of STUN without attributes but a word of the program.
fn stun(kind: u16, id: &[u8]) -> Vec<u8> {
    let software = [&words(&[0x8022, 8])[..], b"softcall"].concat();
    [&words(&[kind, software.len() as u16])[..], &COOKIE.to_be_bytes(), id, &software].concat()
}

fn client_hello(rng: &mut Rng) -> Vec<u8> {
    let suites = list(&words(&[0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc009, 0xc013]));
    let extensions = [
        extension(23, &[]),
        extension(0xff01, &[0]),
        extension(10, &list(&words(&[29, 23, 24]))),
        extension(11, &[1, 0]),
        extension(13, &list(&words(&[0x0403, 0x0804, 0x0401]))),
        extension(USE_SRTP.0, &USE_SRTP.1),
    ];
    // No session, no cookie.
    [&VERSION[..], &rng.bytes(32), &[0, 0], &suites, &[1, 0], &list(&extensions.concat())].concat()
}

fn server_flight(rng: &mut Rng, side: &mut Side, certificate: &Certificate<'_>) -> Vec<u8> {
    let extensions = [extension(0xff01, &[0]), extension(11, &[1, 0]), extension(USE_SRTP.0, &USE_SRTP.1)].concat();
    let hello = [&VERSION[..], &rng.bytes(32), &[0], &words(&[0xc02b]), &[0], &list(&extensions)].concat();
    let der = certificate.der(rng);
    let chain = [length3(der.len() + 3), length3(der.len()), der].concat();
    let key = [vec![3, 0, 23, 65, 4], rng.bytes(64), vec![4, 3, 0, 72], element(0x30, &rng.bytes(70))].concat();
    [(2, hello), (11, chain), (12, key), (14, Vec::new())].iter().flat_map(|(kind, body)| side.message(*kind, body)).collect()
}
