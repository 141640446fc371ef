//! SMB 1 to 3 (MS-CIFS, MS-SMB, MS-SMB2) on port 445 and in NetBIOS sessions. Commands with their answers, shares, files with their
//! bytes, logins; what named pipes carry goes to `dce_rpc`.

mod framing;
mod handles;
mod names;
mod v1;
mod v2;

use super::gssapi::{self, Carried};
use super::le::{u16_at, u32_at, u64_at};
use super::ntlm::Logins;
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol};
use crate::model::windows::{SmbCmd, SmbFile, SmbMapping};
use crate::model::{Conn, Dir, Event, Proto, Ts};
use framing::{Framing, Piece, is_magic};
use handles::{Handle, Handles};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// SMB over TCP.
pub const PROTOCOL: Protocol = Protocol { name: "smb", over: &[Proto::Tcp], probe, make: |_: &Conn| Box::new(Connection::default()) };

/// Commands that wait for their answer.
const PENDING_MAX: usize = 512;
/// Shares connected at once.
const TREES_MAX: usize = 256;
/// Sessions of one connection.
const SESSIONS_MAX: usize = 256;
/// Opened files that are remembered in order not to be told again.
const RECENT_MAX: usize = 1_024;
/// Compression headers told of one connection.
const COMPRESSED_MAX: u32 = 16;
/// Letters of a path.
const PATH_MAX: usize = 1_024;

fn probe(probe: &Probe<'_>) -> Answer {
    let mut bytes = probe.bytes;
    // A NetBIOS session begins by names (RFC 1002 4.3.2): message, length, then the session.
    if let [0x81 | 0x82, 0, rest @ ..] = bytes {
        let Some(&[high, low]) = rest.first_chunk::<2>() else { return Answer::Unsure };
        let length = usize::from(high) << 8 | usize::from(low);
        if length > 80 {
            return Answer::NotForUs;
        }
        bytes = rest.get(2 + length..).unwrap_or_default();
    }
    match bytes {
        [0, _, _, _, rest @ ..] if is_magic(rest) => Answer::Certain,
        [] => Answer::Unsure,
        [0, rest @ ..] if rest.len() < 7 && rest.get(3).is_none_or(|&first| first >= 0xfc) => Answer::Unsure,
        // Joined in the middle: a message will begin.
        _ if matches!(probe.resp_p, 139 | 445) => {
            if framing::find(bytes).is_some() {
                Answer::Certain
            } else {
                Answer::Unsure
            }
        }
        _ => Answer::NotForUs,
    }
}

/// A command without its answer.
#[derive(Default)]
struct Pending {
    mid: u64,
    command: u16,
    row: Box<SmbCmd>,
    place: (u64, Ts),
    /// Handle it is about.
    file: Option<u128>,
    /// Message whose answer will tell the handle: commands sent in one go.
    after: Option<u64>,
    doing: Doing,
}

/// What an answer completes.
#[derive(Default)]
enum Doing {
    #[default]
    Other,
    TreeConnect {
        path: Option<String>,
        service: Option<String>,
    },
    Create(Box<Handle>),
    Read {
        offset: u64,
    },
    Transact,
    Close,
    Delete,
    Rename(String),
    Remove(String),
    Login,
}

#[derive(Default)]
struct Tree {
    path: Option<String>,
    service: Option<String>,
    share_type: Option<String>,
}

/// Where the rest of a long message goes.
struct Tail {
    file: u128,
    dir: Dir,
    offset: u64,
    left: u64,
}

struct Connection {
    framing: [Framing; 2],
    tails: [Option<Tail>; 2],
    pending: VecDeque<Pending>,
    trees: BTreeMap<(u64, u32), Tree>,
    users: BTreeMap<u64, String>,
    handles: Handles,
    recent: BTreeSet<String>,
    logins: Logins,
    dialect: Option<String>,
    offered: Vec<String>,
    /// SMB1 without extended security: the server's challenge.
    challenge: Option<(String, u64)>,
    signing_required: Option<bool>,
    carried: Carried,
    encrypted: BTreeMap<u64, Encrypted>,
    compressed: u32,
    server_heard: bool,
    last: (u64, Ts),
}

struct Encrypted {
    place: (u64, Ts),
    messages: u64,
    bytes: u64,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            framing: Default::default(),
            tails: Default::default(),
            pending: VecDeque::new(),
            trees: BTreeMap::new(),
            users: BTreeMap::new(),
            handles: Handles::default(),
            recent: BTreeSet::new(),
            logins: Logins::new("smb"),
            dialect: None,
            offered: Vec::new(),
            challenge: None,
            signing_required: None,
            carried: Carried { smb: true, ..Carried::default() },
            encrypted: BTreeMap::new(),
            compressed: 0,
            server_heard: false,
            last: (0, 0),
        }
    }
}

impl Dissector for Connection {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        self.last = (chunk.frame, chunk.ts_ns);
        let at = chunk.dir.index();
        let mut framing = self.framing.get_mut(at).map(std::mem::take).unwrap_or_default();
        framing.data(chunk.bytes, self.last, |piece| self.piece(chunk.dir, piece, out));
        if chunk.cut > 0 {
            framing.gap(u64::from(chunk.cut), |piece| self.piece(chunk.dir, piece, out));
        }
        self.put_back(at, framing);
    }

    fn gap(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        let mut framing = self.framing.get_mut(dir.index()).map(std::mem::take).unwrap_or_default();
        framing.gap(missing, |piece| self.piece(dir, piece, out));
        self.put_back(dir.index(), framing);
    }

    fn end(&mut self, out: &mut Out) {
        for dir in [Dir::Orig, Dir::Resp] {
            let mut framing = self.framing.get_mut(dir.index()).map(std::mem::take).unwrap_or_default();
            framing.finish(|piece| self.piece(dir, piece, out));
            self.put_back(dir.index(), framing);
        }
        while let Some(pending) = self.pending.pop_front() {
            self.unanswered(pending, out);
        }
        while let Some(handle) = self.handles.pop() {
            self.tell(handle, false, out);
        }
        self.logins.end(out);
        self.say_encrypted(out);
    }

    fn confirmed(&self) -> bool {
        self.framing.iter().any(|framing| framing.messages > 0)
    }

    fn service(&self, _name: &'static str) -> &'static str {
        gssapi::service(Carried {
            ntlm: self.carried.ntlm || self.logins.seen(),
            kerberos: self.carried.kerberos || self.logins.showed_ticket(),
            ..self.carried
        })
    }
}

impl Connection {
    fn put_back(&mut self, at: usize, framing: Framing) {
        if let Some(place) = self.framing.get_mut(at) {
            *place = framing;
        }
    }

    fn piece(&mut self, dir: Dir, piece: Piece<'_>, out: &mut Out) {
        match piece {
            Piece::Head { bytes, len, place } => {
                self.set_tail(dir, None);
                match bytes {
                    [0xff, ..] => self.message1(dir, bytes, place, out),
                    [0xfe, ..] => self.message2(dir, bytes, place, out),
                    [0xfd, ..] => self.transform(bytes, len, place),
                    [0xfc, ..] => self.compression(bytes, place, out),
                    _ => {}
                }
            }
            Piece::More(bytes) => self.more(dir, bytes, out),
            Piece::Lost(missing) => self.lost(dir, missing, out),
        }
    }

    fn set_tail(&mut self, dir: Dir, tail: Option<Tail>) {
        if let Some(place) = self.tails.get_mut(dir.index()) {
            *place = tail;
        }
    }

    fn more(&mut self, dir: Dir, bytes: &[u8], out: &mut Out) {
        let Some(tail) = self.tails.get_mut(dir.index()).and_then(Option::as_mut) else { return };
        let now = usize::try_from(tail.left).unwrap_or(usize::MAX).min(bytes.len());
        let (now, (file, to, offset)) = (bytes.get(..now).unwrap_or_default(), (tail.file, tail.dir, tail.offset));
        tail.offset = offset.saturating_add(now.len() as u64);
        tail.left -= now.len() as u64;
        if let Some(handle) = self.handles.get(file) {
            handle.data(to, offset, now, self.last, out);
        }
    }

    fn lost(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        let Some(tail) = self.tails.get_mut(dir.index()).and_then(Option::as_mut) else { return };
        let missing = missing.min(tail.left);
        (tail.offset, tail.left) = (tail.offset.saturating_add(missing), tail.left - missing);
        let (file, to) = (tail.file, tail.dir);
        if let Some(handle) = self.handles.get(file) {
            handle.gap(to, missing, out);
        }
    }

    /// Hands the data of a read or write to its file: what stands in the head now, the rest of `data.left` as it comes. `flow` is the
    /// direction of the flow, `data.dir` that of the data: `Orig` for writes.
    fn transfer(&mut self, flow: Dir, mut data: Tail, there: &[u8], place: (u64, Ts), out: &mut Out) {
        let Some(handle) = self.handles.get(data.file) else { return };
        handle.count(data.dir, data.left);
        handle.data(data.dir, data.offset, there, place, out);
        let done = there.len() as u64;
        if data.left > done {
            (data.offset, data.left) = (data.offset.saturating_add(done), data.left - done);
            self.set_tail(flow, Some(data));
        }
    }

    /// SMB3's encryption header (MS-SMB2 2.2.41): signature, nonce, size, session.
    fn transform(&mut self, bytes: &[u8], len: usize, place: (u64, Ts)) {
        let session = u64_at(bytes, 44).unwrap_or(0);
        if self.encrypted.len() >= SESSIONS_MAX && !self.encrypted.contains_key(&session) {
            return;
        }
        let sum = self.encrypted.entry(session).or_insert(Encrypted { place, messages: 0, bytes: 0 });
        sum.messages += 1;
        sum.bytes = sum.bytes.saturating_add(len.saturating_sub(52) as u64);
    }

    fn say_encrypted(&mut self, out: &mut Out) {
        for (session, sum) in std::mem::take(&mut self.encrypted) {
            let row = SmbCmd {
                command: "TRANSFORM".into(),
                version: "SMB2",
                username: self.users.get(&session).cloned(),
                dialect: self.dialect.clone(),
                session_id: Some(session),
                encrypted: true,
                bytes: Some(sum.bytes),
                messages: Some(sum.messages),
                ..SmbCmd::default()
            };
            out.say(sum.place.0, sum.place.1, Event::SmbCmd(Box::new(row)));
        }
    }

    /// SMB3's compression header (MS-SMB2 2.2.42). CVE-2020-0796 adds its two sizes without care.
    fn compression(&mut self, bytes: &[u8], place: (u64, Ts), out: &mut Out) {
        let (original, offset) = (u32_at(bytes, 4), u32_at(bytes, 12));
        let odd = [original, offset].into_iter().flatten().any(|size| size >= 0x0100_0000);
        self.compressed = self.compressed.saturating_add(1);
        if self.compressed > COMPRESSED_MAX && !odd {
            return;
        }
        let row = SmbCmd {
            command: "COMPRESSED".into(),
            version: "SMB2",
            dialect: self.dialect.clone(),
            comp_original_size: original,
            comp_algorithm: u16_at(bytes, 8),
            comp_offset: offset,
            ..SmbCmd::default()
        };
        out.say(place.0, place.1, Event::SmbCmd(Box::new(row)));
    }

    /// A security token of a negotiation or login.
    fn token(&mut self, bytes: &[u8], place: (u64, Ts), out: &mut Out) {
        self.carried.gssapi |= self.logins.token(bytes, place, out).gssapi;
    }

    /// The verdict on a login.
    fn logged_in(&mut self, session: u64, status: u32, out: &mut Out) {
        if status == 0
            && let Some(user) = self.logins.user()
            && (self.users.len() < SESSIONS_MAX || self.users.contains_key(&session))
        {
            self.users.insert(session, user);
        }
        if status != MORE_PROCESSING {
            self.logins.verdict(Some(status == 0), Some(names::status(status)), out);
        }
    }

    /// Remembers a command. One with the same number that was never answered is told first.
    fn ask(&mut self, pending: Pending, out: &mut Out) {
        let stale = self.pending.iter().position(|known| known.mid == pending.mid);
        let stale = stale.or_else(|| (self.pending.len() >= PENDING_MAX).then_some(0));
        if let Some(stale) = stale.and_then(|at| self.pending.remove(at)) {
            self.unanswered(stale, out);
        }
        self.pending.push_back(pending);
    }

    /// Nobody answered, or nobody was heard.
    fn unanswered(&mut self, pending: Pending, out: &mut Out) {
        if !self.server_heard {
            self.happened(&pending.doing, pending.file, pending.place, out);
        }
        let Pending { row, doing, place, .. } = pending;
        match doing {
            Doing::TreeConnect { path, service } if !self.server_heard => {
                let mapping = self.mapping(&row, path, service);
                out.say(place.0, place.1, Event::SmbMapping(Box::new(mapping)));
            }
            Doing::Create(handle) if !self.server_heard => self.tell(*handle, false, out),
            _ => {}
        }
        out.say(place.0, place.1, Event::SmbCmd(row));
    }

    fn mapping(&self, row: &SmbCmd, path: Option<String>, service: Option<String>) -> SmbMapping {
        SmbMapping {
            path,
            service,
            version: row.version,
            dialect: self.dialect.clone(),
            user: row.username.clone(),
            session_id: row.session_id.unwrap_or(0),
            tree_id: row.tree_id.unwrap_or(0),
            signing_required: self.signing_required,
            status: row.status.clone(),
            ..SmbMapping::default()
        }
    }

    fn add_tree(&mut self, session: u64, id: u32, tree: Tree) {
        if self.trees.len() >= TREES_MAX {
            self.trees.pop_first();
        }
        self.trees.insert((session, id), tree);
    }

    /// Carries out on our side what the server carried out on its own.
    fn happened(&mut self, doing: &Doing, file: Option<u128>, place: (u64, Ts), out: &mut Out) {
        match doing {
            Doing::Close => {
                if let Some(handle) = file.and_then(|file| self.handles.close(file)) {
                    self.tell(handle, true, out);
                }
            }
            Doing::Delete => {
                if let Some(handle) = file.and_then(|file| self.handles.get(file)) {
                    let row = SmbFile { action: "SMB::FILE_DELETE", ..bare(&handle.row) };
                    self.say_file(row, place, out);
                }
            }
            Doing::Rename(name) => {
                if let Some(handle) = file.and_then(|file| self.handles.get(file)) {
                    let prev_name = handle.row.name.replace(name.clone());
                    let row = SmbFile { action: "SMB::FILE_RENAME", prev_name, ..bare(&handle.row) };
                    self.say_file(row, place, out);
                }
            }
            _ => {}
        }
    }

    /// A handle is `closed`, or lost sight of: its row, its files, its calls.
    fn tell(&mut self, mut handle: Handle, closed: bool, out: &mut Out) {
        if let Some(mut calls) = handle.calls.take() {
            calls.end(out);
            let inside = calls.carried();
            self.carried.dce_rpc |= inside.dce_rpc;
            self.carried.gssapi |= inside.gssapi;
            self.carried.ntlm |= inside.ntlm;
            self.carried.kerberos |= inside.kerberos;
        }
        handle.measure();
        if !handle.row.is_pipe {
            handle.say_files(closed, out);
        }
        let place = handle.place;
        let doomed = handle.opened && handle.row.delete_on_close && !handle.row.is_pipe;
        let deleted = doomed.then(|| SmbFile { action: "SMB::FILE_DELETE", ..bare(&handle.row) });
        self.say_file(handle.row, place, out);
        if let Some(row) = deleted {
            self.say_file(row, self.last, out);
        }
    }

    /// Says a row, unless it is the same as one before and nothing was read or written: Zeek leaves those out too.
    fn say_file(&mut self, row: SmbFile, place: (u64, Ts), out: &mut Out) {
        let used = row.reads > 0 || row.writes > 0;
        if row.name.is_none() && !used {
            return;
        }
        if row.modified.is_some() && !used {
            let key =
                format!("{}|{:?}|{:?}|{}|{:?}|{:?}|{:?}", row.action, row.name, row.path, row.size, row.modified, row.created, row.changed);
            if self.recent.len() >= RECENT_MAX {
                self.recent.clear();
            }
            if !self.recent.insert(key) {
                return;
            }
        }
        out.say(place.0, place.1, Event::SmbFile(Box::new(row)));
    }
}

/// The file without what passed through one of its handles.
fn bare(row: &SmbFile) -> SmbFile {
    SmbFile {
        reads: 0,
        writes: 0,
        read_bytes: 0,
        write_bytes: 0,
        entropy_read: None,
        entropy_write: None,
        mime_type: None,
        prev_name: None,
        disposition: None,
        ..row.clone()
    }
}

/// STATUS_MORE_PROCESSING_REQUIRED: the login goes on.
const MORE_PROCESSING: u32 = 0xc000_0016;

/// Pipes known by name where the share they are on was not seen connected.
fn is_pipe_name(name: &str) -> bool {
    const NAMES: [&str; 16] = [
        "spoolss", "winreg", "samr", "srvsvc", "netdfs", "lsarpc", "wkssvc", "msftewds", "svcctl", "atsvc", "netlogon", "lsass",
        "epmapper", "efsrpc", "eventlog", "browser",
    ];
    let name = name.trim_start_matches('\\').to_ascii_lowercase();
    let name = name.strip_prefix("pipe\\\\").unwrap_or(&name);
    NAMES.contains(&name)
}

#[cfg(test)]
mod tests;
