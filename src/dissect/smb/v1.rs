//! SMB1 (MS-CIFS 2.2, MS-SMB 2.2).

use super::handles::Handle;
use super::{Connection, Doing, PATH_MAX, Pending, Tail, Tree, names};
use crate::dissect::le::{filetime, part, u8_at, u16_at, u32_at, u64_at, utf16, utf16_z};
use crate::dissect::ntlm::Bare;
use crate::dissect::{Out, escape, hex};
use crate::model::windows::{SmbCmd, SmbFile};
use crate::model::{Dir, Event, Ts};

/// Bytes of a header.
const HEADER: usize = 32;
/// Commands chained to one message (AndX) that are looked at.
const CHAIN_MAX: usize = 8;
/// Dialects of an offer that are kept.
const DIALECTS_MAX: usize = 32;
/// Letters of names in logins.
const NAME_MAX: usize = 256;

const CREATE_DIRECTORY: u8 = 0x00;
const DELETE_DIRECTORY: u8 = 0x01;
const CLOSE: u8 = 0x04;
const DELETE: u8 = 0x06;
const RENAME: u8 = 0x07;
const CHECK_DIRECTORY: u8 = 0x10;
const TRANSACTION: u8 = 0x25;
const OPEN_ANDX: u8 = 0x2d;
const READ_ANDX: u8 = 0x2e;
const WRITE_ANDX: u8 = 0x2f;
const TRANSACTION2: u8 = 0x32;
const TRANSACTION2_SECONDARY: u8 = 0x33;
const TREE_DISCONNECT: u8 = 0x71;
const NEGOTIATE: u8 = 0x72;
const SESSION_SETUP_ANDX: u8 = 0x73;
const LOGOFF_ANDX: u8 = 0x74;
const TREE_CONNECT_ANDX: u8 = 0x75;
const NT_TRANSACT: u8 = 0xa0;
const NT_TRANSACT_SECONDARY: u8 = 0xa1;
const NT_CREATE_ANDX: u8 = 0xa2;
/// No further command in the chain.
const NO_ANDX: u8 = 0xff;

const RESPONSE: u8 = 0x80;
const UNICODE: u16 = 0x8000;
const NT_STATUS: u16 = 0x4000;
const SIGNED: u16 = 0x0004;

/// Functions of TRANSACTION that move bytes of a pipe.
const TRANSACT_NMPIPE: u16 = 0x26;
const WRITE_NMPIPE: u16 = 0x37;
const READ_NMPIPE: u16 = 0x36;

#[derive(Clone, Copy)]
struct Header {
    command: u8,
    status: u32,
    flags: u8,
    flags2: u16,
    tid: u16,
    pid: u16,
    uid: u16,
    mid: u16,
}

/// One command: its words and bytes, and the whole message, in which offsets count.
struct Block<'a> {
    command: u8,
    words: &'a [u8],
    /// Where the bytes begin in the message.
    at: usize,
    message: &'a [u8],
    unicode: bool,
}

fn header(bytes: &[u8]) -> Option<Header> {
    let flags2 = u16_at(bytes, 10)?;
    let code = u32_at(bytes, 5)?;
    Some(Header {
        command: u8_at(bytes, 4)?,
        status: if flags2 & NT_STATUS != 0 { code } else { dos_status(code) },
        flags: u8_at(bytes, 9)?,
        flags2,
        tid: u16_at(bytes, 24)?,
        pid: u16_at(bytes, 26)?,
        uid: u16_at(bytes, 28)?,
        mid: u16_at(bytes, 30)?,
    })
}

/// The NT status that says what a DOS class and code say (MS-CIFS 2.2.2.4), for the common ones.
fn dos_status(code: u32) -> u32 {
    match (code & 0xff, code >> 16) {
        (0, 0) => 0,
        (1, 2) => 0xc000_0034,
        (1, 3) => 0xc000_003a,
        (1, 5) => 0xc000_0022,
        (1, 6) => 0xc000_0008,
        (1, 18) => 0x8000_0006,
        (2, 2) => 0xc000_006d,
        (2, 4) => 0xc000_0022,
        (2, 6) => 0xc000_00cc,
        _ => code,
    }
}

impl Header {
    fn key(&self) -> (u64, u32) {
        (u64::from(self.uid), u32::from(self.tid))
    }
}

impl<'a> Block<'a> {
    /// The command at `at`, as far as it is there.
    fn read(message: &'a [u8], command: u8, at: usize, unicode: bool) -> Option<Self> {
        let count = usize::from(u8_at(message, at)?);
        let words = part(message, at + 1, 2 * count)?;
        Some(Self { command, words, at: at + 3 + 2 * count, message, unicode })
    }

    fn bytes(&self) -> &'a [u8] {
        let length = self.at.checked_sub(2).and_then(|at| u16_at(self.message, at)).unwrap_or(0);
        part(self.message, self.at, usize::from(length)).unwrap_or_default()
    }

    fn is_andx(&self) -> bool {
        matches!(
            self.command,
            0x24 | OPEN_ANDX | READ_ANDX | WRITE_ANDX | SESSION_SETUP_ANDX | LOGOFF_ANDX | TREE_CONNECT_ANDX | NT_CREATE_ANDX
        )
    }

    /// Text `at` bytes into the bytes, up to its zero; where it ends.
    fn text(&self, at: usize, unicode: bool) -> (String, usize) {
        let bytes = self.bytes();
        if !unicode {
            let rest = bytes.get(at..).unwrap_or_default();
            let end = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
            return (escape(rest.get(..end).unwrap_or_default(), PATH_MAX), at + end + 1);
        }
        // UTF-16 begins at an even place of the message.
        let at = at + (self.at + at) % 2;
        let rest = bytes.get(at..).unwrap_or_default();
        let end = rest.as_chunks::<2>().0.iter().position(|pair| *pair == [0, 0]).map_or(rest.len(), |units| 2 * units);
        (utf16(rest.get(..end).unwrap_or_default(), PATH_MAX), at + end + 2)
    }

    fn name(&self, at: usize) -> String {
        self.text(at, self.unicode).0
    }

    fn word(&self, at: usize) -> Option<u16> {
        u16_at(self.words, at)
    }

    /// Part of the message.
    fn data(&self, offset: usize, length: usize) -> &'a [u8] {
        part(self.message, offset, length).filter(|_| offset >= HEADER).unwrap_or_default()
    }
}

impl Connection {
    /// Reads a message: a command, and those chained to it.
    pub(super) fn message1(&mut self, flow: Dir, bytes: &[u8], place: (u64, Ts), out: &mut Out) {
        let Some(header) = header(bytes) else { return };
        let response = header.flags & RESPONSE != 0;
        self.server_heard |= response;
        let mut pending = if response { self.answered1(&header, place) } else { self.asked1(&header, place) };
        let (mut command, mut at) = (header.command, HEADER);
        for chained in 0..CHAIN_MAX {
            let Some(block) = Block::read(bytes, command, at, header.flags2 & UNICODE != 0) else { break };
            if response {
                self.response1(flow, &header, &block, &mut pending, place, out);
            } else {
                self.request1(flow, &header, &block, &mut pending, chained > 0, out);
            }
            let next = block.is_andx().then(|| u8_at(block.words, 0).zip(u16_at(block.words, 2))).flatten();
            match next {
                Some((further, offset)) if further != NO_ANDX && usize::from(offset) > at => (command, at) = (further, usize::from(offset)),
                _ => break,
            }
        }
        if !response {
            self.ask(pending, out);
            return;
        }
        if header.status == 0 {
            self.happened(&pending.doing, pending.file, pending.place, out);
        }
        pending.row.dialect.clone_from(&self.dialect);
        if header.status != super::MORE_PROCESSING {
            out.say(pending.place.0, pending.place.1, Event::SmbCmd(pending.row));
        }
    }

    fn asked1(&self, header: &Header, place: (u64, Ts)) -> Pending {
        let tree = self.trees.get(&header.key());
        let row = SmbCmd {
            command: names::command1(header.command),
            version: "SMB1",
            mid: Some(u64::from(header.mid)),
            session_id: Some(u64::from(header.uid)),
            tree_id: Some(u32::from(header.tid)),
            pid: Some(u32::from(header.pid)),
            signed: header.flags2 & SIGNED != 0,
            username: self.users.get(&u64::from(header.uid)).cloned(),
            tree: tree.and_then(|tree| tree.path.clone()),
            tree_service: tree.and_then(|tree| tree.service.clone()),
            ..SmbCmd::default()
        };
        Pending { mid: u64::from(header.mid), command: u16::from(header.command), row: Box::new(row), place, ..Pending::default() }
    }

    /// The command that is answered. An answer under another number goes to the only one of its kind that waits: that is how implants
    /// in the server sign (DoublePulsar adds 16).
    fn answered1(&mut self, header: &Header, place: (u64, Ts)) -> Pending {
        let command = u16::from(header.command);
        let exact = self.pending.iter().position(|known| known.mid == u64::from(header.mid) && known.command == command);
        let mut alike = self.pending.iter().enumerate().filter(|(_, known)| known.command == command && known.row.version == "SMB1");
        let at = exact.or_else(|| match (alike.next(), alike.next()) {
            (Some((only, _)), None) => Some(only),
            _ => None,
        });
        let mut pending = match at.and_then(|at| self.pending.remove(at)) {
            Some(mut pending) => {
                pending.row.rtt = Some(place.1.saturating_sub(pending.place.1) as f64 / 1e9);
                pending
            }
            None => self.asked1(header, place),
        };
        pending.row.resp_mid = Some(u64::from(header.mid)).filter(|&mid| mid != pending.mid);
        pending.row.status = Some(names::status(header.status));
        pending.row.status_code = Some(header.status);
        pending.row.resp_frame = Some(place.0);
        pending
    }

    fn request1(&mut self, flow: Dir, header: &Header, block: &Block<'_>, pending: &mut Pending, chained: bool, out: &mut Out) {
        let place = pending.place;
        let words = block.words;
        match block.command {
            NEGOTIATE => self.offered = block.bytes().split(|&byte| byte == 2).skip(1).take(DIALECTS_MAX).map(dialect).collect(),
            SESSION_SETUP_ANDX => {
                pending.doing = Doing::Login;
                self.login1(block, place, out);
            }
            TREE_CONNECT_ANDX => {
                let password = usize::from(block.word(6).unwrap_or(0));
                let (path, end) = block.text(password, block.unicode);
                let service = block.text(end, false).0;
                pending.row.argument = Some(path.clone());
                pending.doing = Doing::TreeConnect { path: Some(path), service: Some(service).filter(|text| !text.is_empty()) };
            }
            NT_CREATE_ANDX | OPEN_ANDX if !chained => self.create1(header, block, pending, place),
            CLOSE => {
                pending.doing = Doing::Close;
                self.about(header, block.word(0), pending, 6, out);
            }
            READ_ANDX => {
                let high = u32_at(words, 20).filter(|_| words.len() >= 24).unwrap_or(0);
                pending.doing = Doing::Read { offset: u64::from(high) << 32 | u64::from(u32_at(words, 6).unwrap_or(0)) };
                self.about(header, block.word(4), pending, 8, out);
            }
            WRITE_ANDX => self.write1(flow, header, block, pending, place, out),
            DELETE | CREATE_DIRECTORY | DELETE_DIRECTORY | CHECK_DIRECTORY => {
                let name = block.name(1);
                pending.row.argument = Some(name.clone());
                if block.command == DELETE {
                    pending.doing = Doing::Remove(name);
                }
            }
            RENAME => {
                let (old, end) = block.text(1, block.unicode);
                pending.row.argument = Some(format!("{old} -> {}", block.name(end + 1)));
            }
            TRANSACTION | TRANSACTION2 => self.transaction1(header, block, pending, place, out),
            TRANSACTION2_SECONDARY => pending.row.trans_total = block.word(2).map(u32::from),
            NT_TRANSACT => nt_transact(block, pending),
            NT_TRANSACT_SECONDARY => pending.row.trans_total = u32_at(words, 7),
            _ => {}
        }
    }

    /// A login: a security token, or responses to the challenge of the negotiation (MS-CIFS 2.2.4.53).
    fn login1(&mut self, block: &Block<'_>, place: (u64, Ts), out: &mut Out) {
        let bytes = block.bytes();
        if block.words.len() == 24 {
            let length = usize::from(block.word(14).unwrap_or(0));
            self.token(part(bytes, 0, length).unwrap_or_default(), place, out);
            return;
        }
        if block.words.len() != 26 {
            return;
        }
        let (lm, nt) = (usize::from(block.word(14).unwrap_or(0)), usize::from(block.word(16).unwrap_or(0)));
        let (user, end) = block.text(lm + nt, block.unicode);
        let domain = block.name(end);
        let challenge = self.challenge.clone();
        let answer = Bare {
            user: crop(user),
            domain: crop(domain),
            lm: part(bytes, 0, lm).unwrap_or_default(),
            nt: part(bytes, lm, nt).unwrap_or_default(),
            challenge: challenge.as_ref().map(|(challenge, frame)| (challenge.as_str(), *frame)),
        };
        self.logins.bare(&answer, place, out);
    }

    fn create1(&mut self, header: &Header, block: &Block<'_>, pending: &mut Pending, place: (u64, Ts)) {
        let nt = block.command == NT_CREATE_ANDX;
        let name = block.name(0);
        let tree = self.trees.get(&header.key());
        let share_type = tree.and_then(|tree| tree.share_type.as_deref());
        let is_pipe = share_type.map_or_else(|| super::is_pipe_name(&name), |kind| kind == "PIPE");
        let number = |at| u32_at(block.words, at).filter(|_| nt);
        let row = SmbFile {
            action: "SMB::FILE_OPEN",
            path: tree.and_then(|tree| tree.path.clone()),
            name: Some(name.clone()),
            is_pipe,
            version: "SMB1",
            user: self.users.get(&u64::from(header.uid)).cloned(),
            session_id: u64::from(header.uid),
            tree_id: u32::from(header.tid),
            disposition: number(35).and_then(names::disposition),
            access_mask: number(15),
            delete_on_close: number(39).is_some_and(|options| options & 0x1000 != 0),
            ..SmbFile::default()
        };
        pending.row.argument = Some(name.clone());
        pending.row.file_action = Some(row.action);
        pending.row.file_name = Some(name);
        pending.row.is_pipe = is_pipe;
        pending.doing = Doing::Create(Box::new(Handle::new(row, place)));
    }

    /// What a command is about. `like`: the number of the SMB2 command that does the same.
    fn about(&mut self, header: &Header, fid: Option<u16>, pending: &mut Pending, like: u16, out: &mut Out) {
        let Some(id) = fid.map(u128::from) else { return };
        let (session, tree) = header.key();
        self.know(id, session, Some(tree), "SMB1", pending.place, out);
        self.reference(&mut pending.row, id, like);
        pending.row.argument = pending.row.argument.take().or_else(|| pending.row.file_name.clone());
        pending.file = Some(id);
    }

    fn write1(&mut self, flow: Dir, header: &Header, block: &Block<'_>, pending: &mut Pending, place: (u64, Ts), out: &mut Out) {
        self.about(header, block.word(4), pending, 9, out);
        let high = u32_at(block.words, 24).filter(|_| block.words.len() >= 28).unwrap_or(0);
        let offset = u64::from(high) << 32 | u64::from(u32_at(block.words, 6).unwrap_or(0));
        let length = u32::from(block.word(18).unwrap_or(0)) << 16 | u32::from(block.word(20).unwrap_or(0));
        pending.row.bytes = Some(u64::from(length));
        let there = block.data(usize::from(block.word(22).unwrap_or(0)), length as usize);
        if let Some(file) = pending.file {
            self.transfer(flow, Tail { file, dir: Dir::Orig, offset, left: u64::from(length) }, there, place, out);
        }
    }

    fn transaction1(&mut self, header: &Header, block: &Block<'_>, pending: &mut Pending, place: (u64, Ts), out: &mut Out) {
        let words = block.words;
        let function = block.word(28).filter(|_| u8_at(words, 26).is_some_and(|setups| setups > 0));
        pending.row.trans_total = block.word(2).map(u32::from);
        pending.doing = Doing::Transact;
        let data = block.data(usize::from(block.word(24).unwrap_or(0)), usize::from(block.word(22).unwrap_or(0)));
        if block.command == TRANSACTION2 {
            pending.row.sub_command = function.map(names::trans2);
            let parameters = block.data(usize::from(block.word(20).unwrap_or(0)), usize::from(block.word(18).unwrap_or(0)));
            // Where the file name stands among the parameters (MS-CIFS 2.2.6).
            let at = match function {
                Some(0x00) => Some(28),
                Some(0x01) => Some(12),
                Some(0x05 | 0x06) => Some(6),
                Some(0x10) => Some(2),
                _ => None,
            };
            let name = at.and_then(|at| parameters.get(at..));
            pending.row.argument = name.map(|name| {
                if block.unicode {
                    utf16_z(name, PATH_MAX)
                } else {
                    escape(name.split(|&byte| byte == 0).next().unwrap_or_default(), PATH_MAX)
                }
            });
            if matches!(function, Some(0x00 | 0x06)) {
                pending.row.fea_size = u32_at(data, 0);
            }
            return;
        }
        pending.row.sub_command = function.map(names::trans);
        if matches!(function, Some(TRANSACT_NMPIPE | WRITE_NMPIPE | READ_NMPIPE)) {
            self.about(header, block.word(30), pending, 11, out);
            let length = u64::from(block.word(22).unwrap_or(0));
            if length > 0 {
                self.transact(pending.file, Dir::Orig, data, length, place, out);
            }
        } else {
            pending.row.argument = Some(block.name(0));
        }
    }

    fn response1(&mut self, flow: Dir, header: &Header, block: &Block<'_>, pending: &mut Pending, place: (u64, Ts), out: &mut Out) {
        let success = header.status == 0;
        match block.command {
            NEGOTIATE if success => self.negotiated1(block, pending, place, out),
            SESSION_SETUP_ANDX => {
                if block.words.len() == 8 {
                    let length = usize::from(block.word(6).unwrap_or(0));
                    self.token(part(block.bytes(), 0, length).unwrap_or_default(), place, out);
                }
                self.logged_in(u64::from(header.uid), header.status, out);
                pending.row.username = self.users.get(&u64::from(header.uid)).cloned();
                pending.row.session_id = Some(u64::from(header.uid));
            }
            LOGOFF_ANDX if success => {
                self.users.remove(&u64::from(header.uid));
            }
            TREE_CONNECT_ANDX => self.connected1(header, block, pending, out),
            TREE_DISCONNECT if success => {
                self.trees.remove(&header.key());
            }
            NT_CREATE_ANDX | OPEN_ANDX if success => self.created1(block, pending, out),
            READ_ANDX if success || header.status == 0x8000_0005 => {
                let length = u32::from(block.word(14).unwrap_or(0)) << 16 | u32::from(block.word(10).unwrap_or(0));
                pending.row.bytes = Some(u64::from(length));
                let there = block.data(usize::from(block.word(12).unwrap_or(0)), length as usize);
                if let (Some(file), Doing::Read { offset }) = (pending.file, &pending.doing) {
                    self.transfer(flow, Tail { file, dir: Dir::Resp, offset: *offset, left: u64::from(length) }, there, place, out);
                }
            }
            TRANSACTION if success || header.status == 0x8000_0005 => {
                let length = block.word(12).unwrap_or(0);
                let data = block.data(usize::from(block.word(14).unwrap_or(0)), usize::from(length));
                if length > 0 {
                    self.transact(pending.file, Dir::Resp, data, u64::from(length), place, out);
                }
            }
            DELETE if success => {
                if let Doing::Remove(name) = std::mem::take(&mut pending.doing) {
                    let row = SmbFile {
                        action: "SMB::FILE_DELETE",
                        path: pending.row.tree.clone(),
                        name: Some(name),
                        version: "SMB1",
                        user: pending.row.username.clone(),
                        session_id: u64::from(header.uid),
                        tree_id: u32::from(header.tid),
                        ..SmbFile::default()
                    };
                    self.say_file(row, pending.place, out);
                }
            }
            _ => {}
        }
    }

    fn negotiated1(&mut self, block: &Block<'_>, pending: &mut Pending, place: (u64, Ts), out: &mut Out) {
        self.dialect = block.word(0).and_then(|index| self.offered.get(usize::from(index)).cloned());
        pending.row.argument.clone_from(&self.dialect);
        if block.words.len() != 34 {
            return;
        }
        self.signing_required = u8_at(block.words, 2).map(|mode| mode & 8 != 0);
        let extended = u32_at(block.words, 19).is_some_and(|capabilities| capabilities & 0x8000_0000 != 0);
        if extended {
            self.token(block.bytes().get(16..).unwrap_or_default(), place, out);
        } else if let Some(challenge) = block.bytes().first_chunk::<8>() {
            self.challenge = Some((hex(challenge), place.0));
        }
    }

    fn connected1(&mut self, header: &Header, block: &Block<'_>, pending: &mut Pending, out: &mut Out) {
        // A login that was refused refuses what was chained to it.
        let Doing::TreeConnect { path, service } = std::mem::take(&mut pending.doing) else { return };
        let success = header.status == 0;
        let (granted, end) = block.text(0, false);
        let granted = Some(granted).filter(|text| success && !text.is_empty());
        let share_type = match granted.as_deref() {
            Some("IPC") => Some("PIPE".to_owned()),
            Some(_) => Some("DISK".to_owned()),
            None => None,
        };
        let service = granted.or(service);
        let file_system = block.text(end, block.unicode).0;
        pending.row.tree_id = Some(u32::from(header.tid));
        pending.row.tree_service.clone_from(&service);
        let mut mapping = self.mapping(&pending.row, path.clone(), service.clone());
        mapping.session_id = u64::from(header.uid);
        mapping.user = self.users.get(&u64::from(header.uid)).cloned();
        mapping.native_file_system = Some(file_system).filter(|text| success && !text.is_empty());
        mapping.share_type.clone_from(&share_type);
        out.say(pending.place.0, pending.place.1, Event::SmbMapping(Box::new(mapping)));
        if success {
            let (session, id) = header.key();
            self.add_tree(session, id, Tree { path, service, share_type });
        }
    }

    fn created1(&mut self, block: &Block<'_>, pending: &mut Pending, out: &mut Out) {
        let Doing::Create(mut handle) = std::mem::take(&mut pending.doing) else { return };
        let words = block.words;
        let nt = block.command == NT_CREATE_ANDX;
        let Some(id) = block_fid(block, nt) else { return };
        let row = &mut handle.row;
        if nt {
            let time = |at| u64_at(words, at).and_then(filetime);
            if let modified @ Some(1..) = time(27) {
                (row.created, row.accessed, row.modified, row.changed) = (time(11), time(19), modified, time(35));
            }
            handle.size = u64_at(words, 55);
            // FileTypeByteModePipe, FileTypeMessageModePipe.
            row.is_pipe |= matches!(u16_at(words, 63), Some(1 | 2));
        } else {
            handle.size = u32_at(words, 12).map(u64::from);
        }
        row.size = handle.size.unwrap_or(0);
        handle.opened = true;
        pending.row.file_size = row.size;
        pending.row.file_path.clone_from(&row.path);
        pending.row.is_pipe = row.is_pipe;
        pending.file = Some(id);
        if let Some(stale) = self.handles.open(id, *handle) {
            self.tell(stale, false, out);
        }
    }
}

fn block_fid(block: &Block<'_>, nt: bool) -> Option<u128> {
    block.word(if nt { 5 } else { 4 }).map(u128::from)
}

/// A name of an offer, up to its zero.
fn dialect(bytes: &[u8]) -> String {
    escape(bytes.split(|&byte| byte == 0).next().unwrap_or_default(), 64)
}

fn crop(text: String) -> String {
    text.chars().take(NAME_MAX).collect()
}

/// NT_TRANSACT (MS-CIFS 2.2.4.62): its numbers, and the size that a list of extended attributes claims at the head of the data.
fn nt_transact(block: &Block<'_>, pending: &mut Pending) {
    let words = block.words;
    let function = u16_at(words, 36);
    pending.row.sub_command = function.map(names::nt_transact);
    pending.row.trans_total = u32_at(words, 7);
    pending.doing = Doing::Transact;
    let (length, offset) = (u32_at(words, 27).unwrap_or(0), u32_at(words, 31).unwrap_or(0));
    if matches!(function, Some(0 | 1)) {
        pending.row.fea_size = u32_at(block.data(offset as usize, length as usize), 0);
    }
}
