//! NFS 2 (RFC 1094), 3 (RFC 1813) and 4 (RFC 7530, 8881): calls with their replies, where handles lie, contents of files.

mod args;
mod compound;
mod names;
mod paths;
mod plain;
mod results;
mod runs;
mod transfers;

use crate::dissect::{Out, escape};
use crate::model::event::Nfs;
use crate::model::{Dir, Event, Ts};
use args::Compound;
use paths::Paths;
use plain::Plain;
use runs::Runs;
use transfers::Transfers;
pub use transfers::{Data, Tail};

/// Letters of a name, or of where a link leads.
const NAME_MAX: usize = 1_024;
/// What a server calls a file: opaque to everybody else.
type Handle = Vec<u8>;

/// A name as it is shown.
fn text(bytes: &[u8]) -> Option<String> {
    Some(escape(bytes, NAME_MAX)).filter(|text| !text.is_empty())
}

/// CRC-32 of IEEE 802.3 (ISO 3309), four bits at a time: handles are short.
pub fn crc(bytes: &[u8]) -> u32 {
    const fn nibble(mut value: u32) -> u32 {
        let mut bit = 0;
        while bit < 4 {
            value = if value & 1 == 1 { value >> 1 ^ 0xedb8_8320 } else { value >> 1 };
            bit += 1;
        }
        value
    }
    let step = |sum: u32, four: u8| sum >> 4 ^ nibble((sum ^ u32::from(four)) & 15);
    !bytes.iter().fold(!0, |sum, &byte| step(step(sum, byte), byte >> 4))
}

impl Nfs {
    fn set_handle(&mut self, handle: &[u8]) {
        self.file_handle = Some(format!("{:08x}", crc(handle)));
    }
}

/// What a call is about, until it is answered.
pub struct Asked {
    /// The row that it becomes.
    pub row: Box<Nfs>,
    about: About,
}

enum About {
    Plain(Plain),
    Compound(Box<Compound>),
    /// What is encrypted.
    Hidden,
}

/// What is known of the files of one flow.
#[derive(Default)]
struct State {
    paths: Paths,
    transfers: Transfers,
}

/// One flow.
#[derive(Default)]
pub struct Session {
    state: State,
    runs: Runs,
}

impl Session {
    /// Takes a call with its arguments, if they can be read, and the data that comes with it.
    pub fn ask<'a>(&mut self, mut row: Box<Nfs>, number: u32, args: Option<&'a [u8]>) -> (Asked, Vec<Data<'a>>) {
        row.calls = 1;
        row.procedure = names::procedure(row.version, number);
        let Some(args) = args else { return (Asked { row, about: About::Hidden }, Vec::new()) };
        if row.version == 4 && number == 1 {
            let (compound, carried) = Compound::parse(args);
            compound.tell(&mut row, &self.state);
            let data = compound.carried(carried, true, &self.state);
            return (Asked { row, about: About::Compound(Box::new(compound)) }, data);
        }
        let (plain, data) = Plain::parse(row.version, &row.procedure, args);
        plain.tell(&mut row, &self.state);
        (Asked { row, about: About::Plain(plain) }, data.into_iter().collect())
    }

    /// Takes the results of a call, and comes back with the data that was read.
    pub fn answer<'a>(&mut self, asked: &mut Asked, results: &'a [u8], out: &mut Out) -> Vec<Data<'a>> {
        let Asked { row, about } = asked;
        match about {
            About::Hidden => Vec::new(),
            About::Plain(plain) => plain.answer(row, results, &mut self.state).into_iter().collect(),
            About::Compound(compound) => {
                let (status, carried) = compound.results(results);
                row.status = status.map(|status| names::status(4, status));
                compound.tell(row, &self.state);
                let data = compound.carried(carried, false, &self.state);
                for closed in compound.learn(&mut self.state) {
                    self.state.transfers.close(&closed, &self.state.paths, out);
                }
                data
            }
        }
    }

    /// Takes data, and says where its rest goes.
    pub fn data(&mut self, data: &Data<'_>, dir: Dir, place: (u64, Ts), out: &mut Out) -> Option<Tail> {
        let tail = self.state.transfers.begin(data, dir, place);
        self.state.transfers.whole(&self.state.paths, out);
        self.state.transfers.tidy(place.1, &self.state.paths, out);
        tail
    }

    /// Takes more of it.
    pub fn more(&mut self, tail: &mut Tail, bytes: &[u8], now: Ts, out: &mut Out) {
        self.state.transfers.more(tail, bytes, now);
        self.state.transfers.whole(&self.state.paths, out);
    }

    /// Says a call that was answered, or never will be.
    pub fn say(&mut self, asked: Asked, place: (u64, Ts), out: &mut Out) {
        let Asked { row, about } = asked;
        let changes = match &about {
            About::Plain(_) => plain::changes(&row.procedure),
            About::Compound(compound) => compound.changes(),
            About::Hidden => false,
        };
        if changes {
            out.say(place.0, place.1, Event::Nfs(row));
        } else {
            self.runs.add(row, place, out);
        }
    }

    /// The flow is over.
    pub fn end(&mut self, out: &mut Out) {
        self.runs.end(out);
        self.state.transfers.end(&self.state.paths, out);
    }
}

#[cfg(test)]
mod tests;
