//! ONC RPC (RFC 5531) with AUTH_SYS: the port mapper and mount over UDP, NFS 3 (RFC 1813) and 4.1 (RFC 8881) over TCP.

use crate::synth::Tcp;
use crate::synth::net::{Host, Net};

/// A program, its version and a procedure.
type Call = (u32, u32, u32);

/// Largest piece of a file in one call.
const PIECE: usize = 32_768;
/// Port of the mount daemon.
const MOUNTD: u16 = 20_048;

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn opaque(bytes: &[u8]) -> Vec<u8> {
    let mut out = words(&[bytes.len() as u32]);
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

fn hyper(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

fn credential(machine: &str, user: u32) -> Vec<u8> {
    let body = [words(&[1]), opaque(machine.as_bytes()), words(&[user, 100, 0])].concat();
    [words(&[1]), opaque(&body), words(&[0, 0])].concat()
}

fn ask(xid: u32, (program, version, procedure): Call, credential: &[u8], args: &[u8]) -> Vec<u8> {
    [&words(&[xid, 0, 2, program, version, procedure]), credential, args].concat()
}

fn answer(xid: u32, results: &[u8]) -> Vec<u8> {
    [&words(&[xid, 1, 0, 0, 0, 0]), results].concat()
}

/// A message as one fragment.
fn record(message: &[u8]) -> Vec<u8> {
    [&words(&[0x8000_0000 | message.len() as u32]), message].concat()
}

/// The handle that a server would give a path.
fn handle(path: &str) -> Vec<u8> {
    let mut handle = vec![1, 0, 7, 2];
    handle.extend(path.bytes().rev().take(24));
    handle.resize(28, 0);
    opaque(&handle)
}

/// Attributes of version 3, which are there.
fn attributes(size: usize) -> Vec<u8> {
    let mut attributes = [words(&[1, 1, 0o644, 1, 0, 100]), hyper(size as u64), hyper(size as u64)].concat();
    attributes.resize(88, 0);
    attributes
}

impl Net {
    /// A client asks where the mount daemon waits, and mounts a directory.
    pub fn mount(&mut self, client: Host, server: Host, path: &str) {
        let (port, xid, machine) = (self.next_port(client), self.rng.bits() as u32, credential(&self.name(client), 0));
        let mapping = words(&[100_005, 3, 17, 0]);
        let question = ask(xid, (100_000, 2, 3), &words(&[0, 0, 0, 0]), &mapping);
        self.udp_exchange((client, port), (server, 111), &question, &answer(xid, &words(&[u32::from(MOUNTD)])));
        let question = ask(xid + 1, (100_005, 3, 1), &machine, &opaque(path.as_bytes()));
        let granted = [words(&[0]), handle(path), words(&[1, 1])].concat();
        self.udp_exchange((client, port), (server, MOUNTD), &question, &answer(xid + 1, &granted));
    }
}

/// A conversation over port 2049.
pub struct Nfs<'t, 'n> {
    tcp: &'t mut Tcp<'n>,
    credential: Vec<u8>,
    xid: u32,
    minor: Option<u32>,
}

impl<'n> Tcp<'n> {
    /// Client and server find each other alive; with a minor version they speak version 4.
    pub fn nfs<'t>(&'t mut self, user: u32, minor: Option<u32>) -> Nfs<'t, 'n> {
        let (client, xid) = (self.client(), self.net.rng.bits() as u32);
        let credential = credential(&self.net.name(client), user);
        let mut nfs = Nfs { tcp: self, credential, xid, minor };
        nfs.exchange(0, &[], &[]);
        nfs
    }
}

impl Nfs<'_, '_> {
    fn exchange(&mut self, procedure: u32, args: &[u8], results: &[u8]) {
        self.xid = self.xid.wrapping_add(1);
        let call = (100_003, if self.minor.is_some() { 4 } else { 3 }, procedure);
        self.tcp.send(&record(&ask(self.xid, call, &self.credential, args)));
        self.tcp.reply(&record(&answer(self.xid, results)));
    }

    /// Operations with their arguments and results, in a session.
    fn compound(&mut self, ops: &[(u32, Vec<u8>, Vec<u8>)]) {
        let session = (53, vec![7; 32], vec![7; 36]);
        let (mut args, mut results) = (Vec::new(), Vec::new());
        for (code, arg, result) in std::iter::once(&session).chain(ops) {
            args.extend([words(&[*code]), arg.clone()].concat());
            results.extend([words(&[*code, 0]), result.clone()].concat());
        }
        let count = ops.len() as u32 + 1;
        let minor = self.minor.unwrap_or_default();
        self.exchange(1, &[words(&[0, minor, count]), args].concat(), &[words(&[0, 0, count]), results].concat());
    }

    /// Finds a file in a directory, and reads it.
    pub fn get(&mut self, directory: &str, name: &str, content: &[u8]) {
        let path = format!("{directory}/{name}");
        let (root, file, name) = (handle(directory), handle(&path), opaque(name.as_bytes()));
        if self.minor.is_some() {
            self.compound(&[(22, root, vec![]), (15, name, vec![]), (10, vec![], file.clone())]);
        } else {
            let found = [words(&[0]), file.clone(), attributes(content.len()), words(&[0])].concat();
            self.exchange(3, &[root, name].concat(), &found);
        }
        for (index, piece) in content.chunks(PIECE).enumerate() {
            let (at, length) = (index * PIECE, words(&[piece.len() as u32]));
            let end = words(&[u32::from(at + piece.len() == content.len())]);
            let place = [hyper(at as u64), length.clone()].concat();
            if self.minor.is_some() {
                let read = ([vec![9; 16], place].concat(), [end, opaque(piece)].concat());
                self.compound(&[(22, file.clone(), vec![]), (25, read.0, read.1)]);
            } else {
                let data = [words(&[0]), attributes(content.len()), length, end, opaque(piece)].concat();
                self.exchange(6, &[file.clone(), place].concat(), &data);
            }
        }
    }

    /// Makes a file and writes it.
    pub fn put(&mut self, directory: &str, name: &str, content: &[u8]) {
        let path = format!("{directory}/{name}");
        let (root, file, name) = (handle(directory), handle(&path), opaque(name.as_bytes()));
        if self.minor.is_some() {
            let open = [words(&[0, 2, 0, 0, 0]), opaque(b"owner"), words(&[1, 0, 0, 0, 0]), name].concat();
            let opened = [vec![9; 16], vec![0; 20], words(&[0, 0, 0])].concat();
            self.compound(&[(22, root, vec![]), (18, open, opened), (10, vec![], file.clone())]);
        } else {
            let made = [words(&[0, 1]), file.clone(), words(&[0, 0, 0])].concat();
            self.exchange(8, &[root, name, words(&[0, 0, 0, 0, 0, 0, 0])].concat(), &made);
        }
        for (index, piece) in content.chunks(PIECE).enumerate() {
            let (at, length) = (index * PIECE, piece.len() as u32);
            if self.minor.is_some() {
                let write = [vec![9; 16], hyper(at as u64), words(&[2]), opaque(piece)].concat();
                let written = [words(&[length, 2]), vec![3; 8]].concat();
                self.compound(&[(22, file.clone(), vec![]), (38, write, written)]);
            } else {
                let write = [file.clone(), hyper(at as u64), words(&[length, 2]), opaque(piece)].concat();
                let written = [words(&[0, 0]), attributes(at + piece.len()), words(&[length, 2, 3, 3])].concat();
                self.exchange(7, &write, &written);
            }
        }
        if self.minor.is_some() {
            self.compound(&[(22, file, vec![]), (4, vec![9; 20], vec![9; 16])]);
        }
    }
}
