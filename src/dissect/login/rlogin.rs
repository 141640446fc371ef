//! rlogin (RFC 1282): names between zeros, then typed text in clear.

use super::telnet::Session;
use crate::dissect::{Answer, Probe, Protocol};
use crate::model::{Conn, Dir, Proto};

/// rlogin over TCP, at home only: its first bytes say little.
pub const RLOGIN: Protocol = Protocol { name: "rlogin", over: &[Proto::Tcp], probe, make: |_: &Conn| Box::new(Session::rlogin()) };

/// Longest of the names.
const NAMES: usize = 128;

fn probe(probe: &Probe<'_>) -> Answer {
    let at_home = probe.resp_p == 513 && probe.dir == Dir::Orig;
    let Some((0, names)) = probe.bytes.split_first().filter(|_| at_home) else { return Answer::NotForUs };
    match names.iter().filter(|&&byte| byte == 0).count() {
        0..=2 if names.len() < NAMES => Answer::Unsure,
        0..=2 => Answer::NotForUs,
        _ if names.iter().all(|&byte| byte == 0 || (b' '..=b'~').contains(&byte)) => Answer::Certain,
        _ => Answer::NotForUs,
    }
}

/// Takes the names off the client's bytes, and window sizes out of what follows.
#[derive(Default)]
pub(super) struct Names {
    names: Vec<Vec<u8>>,
    part: Vec<u8>,
    begun: bool,
    /// Bytes of a window size that are still to come (RFC 1282: two marks, `ss`, four numbers).
    window: u8,
}

impl Names {
    /// Appends typed text; gives the names once they are whole: the client's user, the user there, terminal and speed.
    pub fn feed(&mut self, bytes: &[u8], text: &mut Vec<u8>) -> Option<Vec<Vec<u8>>> {
        let mut done = None;
        for &byte in bytes {
            if self.names.len() == 3 {
                match (self.window, byte) {
                    (0, 255) => self.window = 11,
                    (0, byte) => text.push(byte),
                    (left, _) => self.window = left - 1,
                }
            } else if !self.begun {
                self.begun = true;
            } else if byte == 0 {
                self.names.push(std::mem::take(&mut self.part));
                if self.names.len() == 3 {
                    done = Some(self.names.clone());
                }
            } else if self.part.len() < NAMES {
                self.part.push(byte);
            }
        }
        done
    }
}
