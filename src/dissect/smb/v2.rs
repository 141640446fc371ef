//! SMB2 and SMB3 (MS-SMB2 2.2), as far as they are in clear.

use super::handles::Handle;
use super::{Connection, Doing, PATH_MAX, Pending, Tail, Tree, is_pipe_name, names};
use crate::dissect::Out;
use crate::dissect::le::{filetime, part, u8_at, u16_at, u32_at, u64_at, utf16};
use crate::model::windows::{SmbCmd, SmbFile};
use crate::model::{Dir, Event, Ts};

/// Bytes of a header.
const HEADER: usize = 64;
/// Commands sent in one go that are looked at.
const COMPOUND_MAX: usize = 64;
const RESPONSE: u32 = 1;
const ASYNC: u32 = 2;
const RELATED: u32 = 4;
const SIGNED: u32 = 8;

const NEGOTIATE: u16 = 0;
const SESSION_SETUP: u16 = 1;
const LOGOFF: u16 = 2;
const TREE_CONNECT: u16 = 3;
const TREE_DISCONNECT: u16 = 4;
const CREATE: u16 = 5;
const CLOSE: u16 = 6;
const FLUSH: u16 = 7;
const READ: u16 = 8;
const WRITE: u16 = 9;
const LOCK: u16 = 10;
const IOCTL: u16 = 11;
const QUERY_DIRECTORY: u16 = 14;
const CHANGE_NOTIFY: u16 = 15;
const QUERY_INFO: u16 = 16;
const SET_INFO: u16 = 17;

const PENDING: u32 = 0x103;
const BUFFER_OVERFLOW: u32 = 0x8000_0005;
/// FSCTL_PIPE_TRANSCEIVE: write and read in one.
const PIPE_TRANSCEIVE: u32 = 0x0011_c017;
/// SMB2_SHAREFLAG_ENCRYPT_DATA.
const ENCRYPT_DATA: u32 = 0x8000;
/// FILE_DELETE_ON_CLOSE.
const DELETE_ON_CLOSE: u32 = 0x1000;
/// SMB2_NEGOTIATE_SIGNING_REQUIRED.
const SIGNING_REQUIRED: u16 = 2;

#[derive(Clone, Copy)]
struct Header {
    status: u32,
    command: u16,
    flags: u32,
    mid: u64,
    pid: Option<u32>,
    tree: Option<u32>,
    session: u64,
}

/// One command of a message.
struct Command<'a> {
    header: Header,
    /// From its header on, up to the next command.
    bytes: &'a [u8],
    place: (u64, Ts),
    /// Direction of the flow.
    flow: Dir,
}

fn header(bytes: &[u8]) -> Option<Header> {
    if u16_at(bytes, 4)? != 64 {
        return None;
    }
    let flags = u32_at(bytes, 16)?;
    let sync = flags & ASYNC == 0;
    Some(Header {
        status: u32_at(bytes, 8)?,
        command: u16_at(bytes, 12)?,
        flags,
        mid: u64_at(bytes, 24)?,
        pid: u32_at(bytes, 32).filter(|_| sync),
        tree: u32_at(bytes, 36).filter(|_| sync),
        session: u64_at(bytes, 40)?,
    })
}

impl Connection {
    /// Reads a message: one command or several.
    pub(super) fn message2(&mut self, flow: Dir, mut bytes: &[u8], place: (u64, Ts), out: &mut Out) {
        let mut before: Option<Header> = None;
        let mut create = None;
        for _ in 0..COMPOUND_MAX {
            let Some(mut header) = header(bytes) else { return };
            let next = u32_at(bytes, 20).and_then(|next| usize::try_from(next).ok()).filter(|&next| next >= HEADER);
            let own = next.and_then(|next| bytes.get(..next)).unwrap_or(bytes);
            // Related commands leave out what the one before said (MS-SMB2 3.2.4.1.4).
            if let Some(before) = before.filter(|_| header.flags & RELATED != 0) {
                header.session = if header.session == u64::MAX { before.session } else { header.session };
                header.tree = header.tree.filter(|&tree| tree != u32::MAX).or(before.tree);
            }
            let command = Command { header, bytes: own, place, flow };
            if header.flags & RESPONSE != 0 {
                self.server_heard = true;
                self.response2(&command, out);
            } else {
                if header.command == CREATE {
                    create = Some(header.mid);
                }
                self.request2(&command, create.filter(|_| header.flags & RELATED != 0), out);
            }
            before = Some(header);
            match next.and_then(|next| bytes.get(next..)) {
                Some(rest) if !rest.is_empty() => bytes = rest,
                _ => return,
            }
        }
    }

    fn row2(&self, command: &Command<'_>) -> SmbCmd {
        let header = &command.header;
        SmbCmd {
            command: names::command2(header.command),
            version: "SMB2",
            mid: Some(header.mid),
            session_id: Some(header.session),
            tree_id: header.tree,
            pid: header.pid,
            signed: header.flags & SIGNED != 0,
            username: self.users.get(&header.session).cloned(),
            tree: header.tree.and_then(|tree| self.trees.get(&(header.session, tree))).and_then(|tree| tree.path.clone()),
            ..SmbCmd::default()
        }
    }

    /// `create`: the message that opens what this one is about.
    fn request2(&mut self, command: &Command<'_>, create: Option<u64>, out: &mut Out) {
        let Command { header, bytes, place, .. } = *command;
        let mut pending =
            Pending { mid: header.mid, command: header.command, row: Box::new(self.row2(command)), place, ..Pending::default() };
        match header.command {
            SESSION_SETUP => {
                self.token(buffer(bytes, 76).unwrap_or_default(), place, out);
                pending.doing = Doing::Login;
            }
            TREE_CONNECT => {
                let path = buffer(bytes, 68).map(|path| utf16(path, PATH_MAX));
                pending.row.argument.clone_from(&path);
                pending.doing = Doing::TreeConnect { path, service: None };
            }
            CREATE => self.create2(command, &mut pending),
            CLOSE => pending.doing = Doing::Close,
            READ => {
                pending.row.bytes = u32_at(bytes, 68).map(u64::from);
                pending.doing = Doing::Read { offset: u64_at(bytes, 72).unwrap_or(0) };
            }
            IOCTL => {
                pending.row.sub_command = u32_at(bytes, 68).map(names::ioctl);
                pending.doing = Doing::Transact;
            }
            QUERY_INFO => pending.row.sub_command = u8_at(bytes, 66).zip(u8_at(bytes, 67)).map(info_class),
            SET_INFO => {
                pending.row.sub_command = u8_at(bytes, 66).zip(u8_at(bytes, 67)).map(info_class);
                pending.doing = set_info(bytes);
            }
            QUERY_DIRECTORY => pending.row.argument = buffer(bytes, 88).map(|pattern| utf16(pattern, PATH_MAX)),
            _ => {}
        }
        let id = file_at(header.command).and_then(|at| id_at(bytes, at));
        match id {
            Some(u128::MAX) => pending.after = create,
            _ => pending.file = id,
        }
        if let Some(id) = pending.file {
            self.know(id, header.session, header.tree, "SMB2", pending.place, out);
            self.reference(&mut pending.row, id, header.command);
        }
        match header.command {
            WRITE => self.write2(command, &mut pending, out),
            IOCTL if u32_at(bytes, 68) == Some(PIPE_TRANSCEIVE) => {
                let input = part(bytes, offset_at(bytes, 88), offset_at(bytes, 92)).unwrap_or_default();
                self.transact(pending.file, Dir::Orig, input, offset_at(bytes, 92) as u64, place, out);
            }
            _ => {}
        }
        self.ask(pending, out);
    }

    fn create2(&mut self, command: &Command<'_>, pending: &mut Pending) {
        let Command { header, bytes, place, .. } = *command;
        let tree = header.tree.and_then(|tree| self.trees.get(&(header.session, tree)));
        let name = buffer(bytes, 108).map_or_else(String::new, |name| utf16(name, PATH_MAX));
        let share_type = tree.and_then(|tree| tree.share_type.as_deref());
        let is_pipe = share_type.map_or_else(|| is_pipe_name(&name), |kind| kind == "PIPE");
        let row = SmbFile {
            action: match share_type {
                _ if is_pipe => "SMB::PIPE_OPEN",
                Some("PRINT") => "SMB::PRINT_OPEN",
                _ => "SMB::FILE_OPEN",
            },
            path: tree.and_then(|tree| tree.path.clone()),
            name: Some(if name.is_empty() { "<share_root>".to_owned() } else { name }),
            is_pipe,
            version: "SMB2",
            user: self.users.get(&header.session).cloned(),
            session_id: header.session,
            tree_id: header.tree.unwrap_or(0),
            disposition: u32_at(bytes, 100).and_then(names::disposition),
            access_mask: u32_at(bytes, 88),
            delete_on_close: u32_at(bytes, 104).is_some_and(|options| options & DELETE_ON_CLOSE != 0),
            ..SmbFile::default()
        };
        pending.row.file_action = Some(row.action);
        pending.row.file_name.clone_from(&row.name);
        pending.row.is_pipe = is_pipe;
        pending.doing = Doing::Create(Box::new(Handle::new(row, place)));
    }

    fn write2(&mut self, command: &Command<'_>, pending: &mut Pending, out: &mut Out) {
        let Command { bytes, place, flow, .. } = *command;
        let length = u32_at(bytes, 68).unwrap_or(0);
        pending.row.bytes = Some(u64::from(length));
        let at = usize::from(u16_at(bytes, 66).unwrap_or(0));
        let there = part(bytes, at, length as usize).filter(|_| at >= HEADER).unwrap_or_default();
        if let Some(file) = pending.file {
            self.transfer(
                flow,
                Tail { file, dir: Dir::Orig, offset: u64_at(bytes, 72).unwrap_or(0), left: u64::from(length) },
                there,
                place,
                out,
            );
        }
    }

    fn response2(&mut self, command: &Command<'_>, out: &mut Out) {
        let Command { header, bytes, place, .. } = *command;
        if header.status == PENDING {
            return;
        }
        let mut pending = match self.pending.iter().position(|known| known.mid == header.mid && known.command == header.command) {
            Some(at) => self.pending.remove(at).unwrap_or_default(),
            None => Pending { mid: header.mid, command: header.command, row: Box::new(self.row2(command)), place, ..Pending::default() },
        };
        let asked = pending.row.resp_frame.is_none() && pending.place != place;
        pending.row.status = Some(names::status(header.status));
        pending.row.status_code = Some(header.status);
        pending.row.resp_frame = Some(place.0);
        pending.row.rtt = asked.then(|| place.1.saturating_sub(pending.place.1) as f64 / 1e9);
        match header.command {
            NEGOTIATE if header.status == 0 => self.negotiated2(bytes, place, out),
            SESSION_SETUP => {
                self.token(buffer(bytes, 68).filter(|_| u16_at(bytes, 64) == Some(9)).unwrap_or_default(), place, out);
                self.logged_in(header.session, header.status, out);
                pending.row.username = self.users.get(&header.session).cloned();
                pending.row.session_id = Some(header.session);
            }
            LOGOFF if header.status == 0 => {
                self.users.remove(&header.session);
            }
            TREE_CONNECT => self.connected2(command, &mut pending, out),
            TREE_DISCONNECT if header.status == 0 => {
                self.trees.remove(&(header.session, pending.row.tree_id.unwrap_or(0)));
            }
            CREATE => self.created2(command, &mut pending, out),
            READ if matches!(header.status, 0 | BUFFER_OVERFLOW) => self.read2(command, &mut pending, out),
            IOCTL if matches!(header.status, 0 | BUFFER_OVERFLOW) && u32_at(bytes, 68) == Some(PIPE_TRANSCEIVE) => {
                let output = part(bytes, offset_at(bytes, 96), offset_at(bytes, 100)).unwrap_or_default();
                self.transact(pending.file, Dir::Resp, output, offset_at(bytes, 100) as u64, place, out);
            }
            _ => {}
        }
        if header.status == 0 {
            self.happened(&pending.doing, pending.file, pending.place, out);
        }
        pending.row.dialect.clone_from(&self.dialect);
        if header.status != super::MORE_PROCESSING {
            out.say(pending.place.0, pending.place.1, Event::SmbCmd(pending.row));
        }
    }

    fn negotiated2(&mut self, bytes: &[u8], place: (u64, Ts), out: &mut Out) {
        self.dialect = u16_at(bytes, 68).map(names::dialect2);
        self.signing_required = u16_at(bytes, 66).map(|mode| mode & SIGNING_REQUIRED != 0);
        self.token(buffer(bytes, 120).unwrap_or_default(), place, out);
    }

    fn connected2(&mut self, command: &Command<'_>, pending: &mut Pending, out: &mut Out) {
        let Command { header, bytes, .. } = *command;
        let Doing::TreeConnect { path, .. } = std::mem::take(&mut pending.doing) else { return };
        let success = header.status == 0;
        let share_type = u8_at(bytes, 66).filter(|_| success).map(names::share_type2);
        pending.row.tree_id = header.tree.filter(|_| success);
        let mut mapping = self.mapping(&pending.row, path.clone(), None);
        mapping.session_id = header.session;
        mapping.share_type.clone_from(&share_type);
        mapping.encrypt_data = u32_at(bytes, 68).filter(|_| success).map(|flags| flags & ENCRYPT_DATA != 0);
        out.say(pending.place.0, pending.place.1, Event::SmbMapping(Box::new(mapping)));
        if let Some(id) = header.tree.filter(|_| success) {
            self.add_tree(header.session, id, Tree { path, service: None, share_type });
        }
    }

    fn created2(&mut self, command: &Command<'_>, pending: &mut Pending, out: &mut Out) {
        let Command { header, bytes, .. } = *command;
        let Doing::Create(mut handle) = std::mem::take(&mut pending.doing) else { return };
        let Some(id) = id_at(bytes, 128).filter(|_| header.status == 0) else { return };
        let time = |at| u64_at(bytes, at).and_then(filetime);
        let row = &mut handle.row;
        if let modified @ Some(1..) = time(88) {
            (row.created, row.accessed, row.modified, row.changed) = (time(72), time(80), modified, time(96));
        }
        handle.size = u64_at(bytes, 112);
        handle.opened = true;
        row.size = handle.size.unwrap_or(0);
        pending.row.file_size = row.size;
        pending.row.file_path.clone_from(&row.path);
        pending.file = Some(id);
        for later in self.pending.iter_mut().filter(|later| later.after == Some(header.mid)) {
            later.file = Some(id);
            later.row.file_name.clone_from(&row.name);
            later.row.file_path.clone_from(&row.path);
        }
        if let Some(stale) = self.handles.open(id, *handle) {
            self.tell(stale, false, out);
        }
    }

    fn read2(&mut self, command: &Command<'_>, pending: &mut Pending, out: &mut Out) {
        let Command { bytes, place, flow, .. } = *command;
        let length = u32_at(bytes, 68).unwrap_or(0);
        pending.row.bytes = Some(u64::from(length));
        let at = usize::from(u8_at(bytes, 66).unwrap_or(0));
        let there = part(bytes, at, length as usize).filter(|_| at >= HEADER).unwrap_or_default();
        if let (Some(file), Doing::Read { offset }) = (pending.file, &pending.doing) {
            self.transfer(flow, Tail { file, dir: Dir::Resp, offset: *offset, left: u64::from(length) }, there, place, out);
        }
    }

    /// Data of a pipe outside reads and writes.
    pub(super) fn transact(&mut self, file: Option<u128>, dir: Dir, there: &[u8], length: u64, place: (u64, Ts), out: &mut Out) {
        let Some(handle) = file.and_then(|file| self.handles.get(file)) else { return };
        handle.row.is_pipe = true;
        handle.count(dir, length);
        handle.data(dir, 0, there, place, out);
        if length > there.len() as u64 {
            handle.gap(dir, length - there.len() as u64, out);
        }
    }

    /// A handle that was opened before the capture began.
    pub(super) fn know(&mut self, id: u128, session: u64, tree: Option<u32>, version: &'static str, place: (u64, Ts), out: &mut Out) {
        if self.handles.get(id).is_some() {
            return;
        }
        let known = tree.and_then(|tree| self.trees.get(&(session, tree)));
        let is_pipe = known.and_then(|tree| tree.share_type.as_deref()) == Some("PIPE");
        let row = SmbFile {
            action: if is_pipe { "SMB::PIPE_OPEN" } else { "SMB::FILE_OPEN" },
            path: known.and_then(|tree| tree.path.clone()),
            is_pipe,
            version,
            user: self.users.get(&session).cloned(),
            session_id: session,
            tree_id: tree.unwrap_or(0),
            ..SmbFile::default()
        };
        if let Some(stale) = self.handles.open(id, Handle::new(row, place)) {
            self.tell(stale, false, out);
        }
    }

    /// What a command is about, in its row.
    pub(super) fn reference(&mut self, row: &mut SmbCmd, id: u128, command: u16) {
        let Some(handle) = self.handles.get(id) else { return };
        let file = &handle.row;
        row.file_name.clone_from(&file.name);
        row.file_path.clone_from(&file.path);
        row.file_size = file.size;
        row.is_pipe = file.is_pipe;
        row.file_action = match (command, file.is_pipe) {
            (CLOSE, false) => Some("SMB::FILE_CLOSE"),
            (CLOSE, true) => Some("SMB::PIPE_CLOSE"),
            (READ, false) => Some("SMB::FILE_READ"),
            (READ, true) => Some("SMB::PIPE_READ"),
            (WRITE, false) => Some("SMB::FILE_WRITE"),
            (WRITE, true) => Some("SMB::PIPE_WRITE"),
            _ => None,
        };
    }
}

/// Where the handle stands in a request.
fn file_at(command: u16) -> Option<usize> {
    match command {
        CLOSE | FLUSH | LOCK | IOCTL | QUERY_DIRECTORY | CHANGE_NOTIFY => Some(72),
        READ | WRITE | SET_INFO => Some(80),
        QUERY_INFO => Some(88),
        _ => None,
    }
}

fn id_at(bytes: &[u8], at: usize) -> Option<u128> {
    Some(u128::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A buffer by its offset and length, two bytes each, counted from the header; empty ones are none.
fn buffer(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let (offset, length) = (usize::from(u16_at(bytes, at)?), usize::from(u16_at(bytes, at + 2)?));
    part(bytes, offset, length).filter(|part| offset >= HEADER && !part.is_empty())
}

fn offset_at(bytes: &[u8], at: usize) -> usize {
    u32_at(bytes, at).and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

/// Kind and class of an information (MS-SMB2 2.2.37, MS-FSCC 2.4), as numbers where they have no short name.
fn info_class((kind, class): (u8, u8)) -> String {
    let kind = match kind {
        1 => "FILE",
        2 => "FILESYSTEM",
        3 => "SECURITY",
        4 => "QUOTA",
        _ => "unknown",
    };
    format!("{kind}-{class}")
}

/// What a SET_INFO on a file does: 10 renames, 13 and 64 mark for deletion (MS-FSCC 2.4).
fn set_info(bytes: &[u8]) -> Doing {
    let at = usize::from(u16_at(bytes, 72).unwrap_or(0));
    let Some(info) = part(bytes, at, offset_at(bytes, 68)).filter(|_| at >= HEADER) else { return Doing::Other };
    match (u8_at(bytes, 66), u8_at(bytes, 67)) {
        (Some(1), Some(10)) => {
            let name = part(info, 20, offset_at(info, 16)).unwrap_or_default();
            Doing::Rename(utf16(name, PATH_MAX))
        }
        (Some(1), Some(13 | 64)) if u8_at(info, 0).is_some_and(|flags| flags & 1 != 0) => Doing::Delete,
        _ => Doing::Other,
    }
}
