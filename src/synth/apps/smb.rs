//! SMB 2.1 (MS-SMB2): login, share, file; commands have the sizes the specification gives them.

use super::ntlm::{authenticate, challenge, negotiate, wide};
use crate::synth::Tcp;

const MORE: u32 = 0xc000_0016;
const LOGON_FAILURE: u32 = 0xc000_006d;
/// Largest piece of a file in one write.
const PIECE: usize = 65_536;

/// A conversation over port 445.
pub struct Smb<'t, 'n> {
    tcp: &'t mut Tcp<'n>,
    message: u64,
    session: u64,
    tree: u32,
    file: u8,
}

fn error() -> Vec<u8> {
    vec![9, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// A body of `head`, then offset and length of the buffer behind it, `tail`, and the buffer.
fn with_buffer(head: &[u8], tail: &[u8], buffer: &[u8]) -> Vec<u8> {
    let at = (64 + head.len() + 4 + tail.len()) as u16;
    [head, &at.to_le_bytes(), &(buffer.len() as u16).to_le_bytes(), tail, buffer].concat()
}

impl<'n> Tcp<'n> {
    /// Client and server agree on a dialect.
    pub fn smb<'t>(&'t mut self) -> Smb<'t, 'n> {
        let session = 0x0400_0000_0000 | self.net.rng.below(1 << 30) << 2;
        let (client, server) = (self.net.rng.bytes(16), self.net.rng.bytes(16));
        let mut smb = Smb { tcp: self, message: 0, session: 0, tree: 0, file: 0 };
        let ask = [&[36, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0], &client[..], &[0; 8], &[0x10, 2]].concat();
        let sizes: Vec<u8> = [1u32, 1 << 20, 1 << 20, 1 << 20].iter().flat_map(|size| size.to_le_bytes()).collect();
        let answer = [&[65, 0, 1, 0, 0x10, 2, 0, 0], &server[..], &sizes, &[0; 16], &[128, 0, 0, 0, 0, 0, 0, 0]].concat();
        smb.exchange(0, &ask, 0, &answer);
        smb.session = session;
        smb
    }
}

impl Smb<'_, '_> {
    fn message(&self, command: u16, status: u32, flags: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xfe, b'S', b'M', b'B', 64, 0, 1, 0];
        bytes.extend(status.to_le_bytes());
        bytes.extend(command.to_le_bytes());
        bytes.extend([1, 0]);
        bytes.extend(flags.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.message.to_le_bytes());
        bytes.extend([0xff, 0xfe, 0, 0]);
        bytes.extend(self.tree.to_le_bytes());
        bytes.extend(self.session.to_le_bytes());
        bytes.extend([0; 16]);
        bytes.extend(body);
        [&(bytes.len() as u32).to_be_bytes()[..], &bytes].concat()
    }

    fn exchange(&mut self, command: u16, ask: &[u8], status: u32, answer: &[u8]) {
        let (ask, answer) = (self.message(command, 0, 0, ask), self.message(command, status, 1, answer));
        self.tcp.send(&ask);
        self.tcp.reply(&answer);
        self.message += 1;
    }

    /// A login, let in or not.
    pub fn login(&mut self, user: &str, welcome: bool) {
        let (client, server) = (self.tcp.client(), self.tcp.server());
        let (client, server) = (self.tcp.net.name(client).to_uppercase(), self.tcp.net.name(server).to_uppercase());
        let rng = &mut self.tcp.net.rng;
        let (asked, proof) = (challenge(rng, &server), authenticate(rng, user, &client));
        let head = [25, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0];
        let setup = |token: &[u8]| with_buffer(&head, &[0; 8], token);
        self.exchange(1, &setup(&negotiate()), MORE, &with_buffer(&[9, 0, 0, 0], &[], &asked));
        match welcome {
            true => self.exchange(1, &setup(&proof), 0, &with_buffer(&[9, 0, 0, 0], &[], &[])),
            false => self.exchange(1, &setup(&proof), LOGON_FAILURE, &error()),
        }
    }

    /// Connects to a share of disks.
    pub fn share(&mut self, name: &str) {
        let server = self.tcp.server();
        let path = wide(&format!("\\\\{}\\{name}", self.tcp.net.ip(server)));
        self.tree = 1;
        let answer = [&[16, 0, 1, 0], &[0; 8][..], &0x001f_01ffu32.to_le_bytes()].concat();
        self.exchange(3, &with_buffer(&[9, 0, 0, 0], &[], &path), 0, &answer);
    }

    fn open(&mut self, name: &str, access: u32, disposition: u32, size: usize) -> [u8; 16] {
        self.file += 1;
        let id = [self.file; 16];
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let head = [vec![57, 0, 0, 0], words(&[2, 0, 0, 0, 0, access, 0x80, 7, disposition, 0x40])].concat();
        let sizes = [size as u64, size as u64].map(u64::to_le_bytes).concat();
        let answer = [&[89, 0, 0, 0, 1, 0, 0, 0], &[0; 32][..], &sizes, &words(&[0x80, 0]), &id, &[0; 8]].concat();
        self.exchange(5, &with_buffer(&head, &[0; 8], &wide(name)), 0, &answer);
        id
    }

    fn close(&mut self, id: [u8; 16]) {
        let answer = [&[60, 0][..], &[0; 58]].concat();
        self.exchange(6, &[&[24, 0, 0, 0, 0, 0, 0, 0][..], &id].concat(), 0, &answer);
    }

    /// Writes a file.
    pub fn put(&mut self, name: &str, content: &[u8]) {
        let id = self.open(name, 0x0012_019f, 5, 0);
        for (index, piece) in content.chunks(PIECE).enumerate() {
            let length = (piece.len() as u32).to_le_bytes();
            let at = ((index * PIECE) as u64).to_le_bytes();
            let ask = [&[49, 0, 112, 0], &length[..], &at, &id, &[0; 16], piece].concat();
            self.exchange(9, &ask, 0, &[&[17, 0, 0, 0], &length[..], &[0; 8]].concat());
        }
        self.close(id);
    }

    /// Reads a file.
    pub fn get(&mut self, name: &str, content: &[u8]) {
        let id = self.open(name, 0x0012_0089, 1, content.len());
        let ask = [&[49, 0, 80, 0, 0, 0, 1, 0], &[0; 8][..], &id, &[0; 17]].concat();
        let answer = [&[17, 0, 80, 0], &(content.len() as u32).to_le_bytes()[..], &[0; 8], content].concat();
        self.exchange(8, &ask, 0, &answer);
        self.close(id);
    }

    /// Gives a file another name (FileRenameInformation, MS-FSCC 2.4.42).
    pub fn rename(&mut self, name: &str, to: &str) {
        let id = self.open(name, 0x0011_0080, 1, 0);
        let to = wide(to);
        let buffer = [&[0; 16][..], &(to.len() as u32).to_le_bytes(), &to].concat();
        let head = [&[33, 0, 1, 10], &(buffer.len() as u32).to_le_bytes()[..], &[96, 0, 0, 0, 0, 0, 0, 0], &id].concat();
        self.exchange(17, &[head, buffer].concat(), 0, &[2, 0]);
        self.close(id);
    }
}
