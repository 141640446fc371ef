//! ONC RPC (RFC 5531) over streams and datagrams, and over it the port mapper, the mount protocol and NFS. Calls meet their replies by the number
//! of the transaction, in both directions: servers of NFS 4 call back.

mod header;
mod mount;
mod nfs;
mod portmap;
mod programs;
mod record;
mod xdr;

use super::{Answer, Chunk, Dissector, Out, Probe, Protocol};
use crate::model::event::{Nfs, Rpc, RpcCall};
use crate::model::{Conn, Dir, Event, Proto, Ts};
use header::{Auth, Call, Message, Reply, Wrap};
use record::{Piece, Records};
use std::collections::VecDeque;

/// How RPC is recognised and read.
pub const PROTOCOL: Protocol =
    Protocol { name: "rpc", over: &[Proto::Tcp, Proto::Udp], probe, make: |conn: &Conn| Box::new(Session::new(conn)) };

/// Calls that wait for their reply.
const CALLS_MAX: usize = 256;
/// Ports of the port mapper and of NFS.
const HOME: [u16; 2] = [111, 2_049];

fn probe(probe: &Probe<'_>) -> Answer {
    let at_home = HOME.contains(&probe.resp_p) || HOME.contains(&probe.orig_p);
    if probe.proto != Proto::Tcp {
        return match header::begins_call(probe.bytes) {
            // A datagram is all there is.
            Answer::Certain => Answer::Certain,
            _ if at_home && header::begins_reply(probe.bytes) => Answer::Certain,
            _ => Answer::NotForUs,
        };
    }
    let Some((prefix, message)) = probe.bytes.split_first_chunk::<4>() else {
        return if matches!(probe.bytes.first(), Some(0x80 | 0)) { Answer::Unsure } else { Answer::NotForUs };
    };
    let length = (u32::from_be_bytes(*prefix) & 0x7fff_ffff) as usize;
    let possible = (header::REPLY_MIN..=record::FRAGMENT_MAX).contains(&length);
    match if possible { header::begins_call(message) } else { Answer::NotForUs } {
        Answer::NotForUs if possible && header::begins_reply(message) && (at_home || length == message.len()) => Answer::Certain,
        // Joined in the middle: a call or reply will begin.
        Answer::NotForUs if at_home => match record::find(probe.bytes, |_| false) {
            Some(_) => Answer::Certain,
            None => Answer::Unsure,
        },
        answer => answer,
    }
}

/// A call without its reply.
struct Waiting {
    xid: u32,
    dir: Dir,
    place: (u64, Ts),
    wrap: Wrap,
    asked: Asked,
}

enum Asked {
    Nfs(nfs::Asked),
    Other(Box<Rpc>),
}

/// What was called, in order of importance: the flow's service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Nothing,
    Other,
    PortMapper,
    Mount,
    Nfs,
}

struct Session {
    datagrams: bool,
    records: [Records; 2],
    tails: [Option<nfs::Tail>; 2],
    waiting: VecDeque<Waiting>,
    nfs: nfs::Session,
    kind: Kind,
    /// A reply was seen.
    replied: bool,
    /// Replies to calls that were not seen: the first of them, and how many.
    strays: Option<(Box<Rpc>, (u64, Ts))>,
    last: (u64, Ts),
}

impl Session {
    fn new(conn: &Conn) -> Self {
        Self {
            datagrams: conn.proto != Proto::Tcp,
            records: Default::default(),
            tails: Default::default(),
            waiting: VecDeque::new(),
            nfs: nfs::Session::default(),
            kind: Kind::Nothing,
            replied: false,
            strays: None,
            last: (0, 0),
        }
    }

    fn message(&mut self, dir: Dir, bytes: &[u8], place: (u64, Ts), out: &mut Out) {
        match Message::parse(bytes) {
            Some(Message::Call(call)) => self.call(dir, call, place, out),
            Some(Message::Reply(reply)) => self.reply(dir, &reply, place, out),
            None => {}
        }
    }

    fn call(&mut self, dir: Dir, call: Call<'_>, place: (u64, Ts), out: &mut Out) {
        // Asked once more, as over UDP after a while.
        if self.waiting.iter().any(|waiting| waiting.xid == call.xid && waiting.dir == dir) {
            return;
        }
        if self.waiting.len() >= CALLS_MAX
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.say(oldest, out);
        }
        self.kind = self.kind.max(kind(call.program));
        let (xid, wrap, args) = (call.xid, call.wrap, call.wrap.inside(call.body));
        let asked = if call.program == programs::NFS {
            let (asked, data) = self.nfs.ask(nfs_row(dir, &call), call.procedure, args);
            self.carried(dir, &data, place, out);
            Asked::Nfs(asked)
        } else {
            let mut row = rpc_row(dir, &call);
            match (call.program, args) {
                (programs::PORTMAPPER, Some(args)) => portmap::ask(&mut row, args),
                (programs::MOUNT, Some(args)) => mount::ask(&mut row, args),
                _ => None,
            };
            Asked::Other(row)
        };
        self.waiting.push_back(Waiting { xid, dir, place, wrap, asked });
    }

    fn reply(&mut self, dir: Dir, reply: &Reply<'_>, place: (u64, Ts), out: &mut Out) {
        self.replied = true;
        let asked = self.waiting.iter().position(|waiting| waiting.xid == reply.xid && waiting.dir == dir.flip());
        let Some(mut waiting) = asked.and_then(|at| self.waiting.remove(at)) else {
            return self.stray(dir, reply, place);
        };
        let rtt = Some(place.1.saturating_sub(waiting.place.1)).filter(|&rtt| rtt >= 0).map(|rtt| rtt as f64 / 1e9);
        let answered = |call: &mut RpcCall| (call.status, call.rtt, call.reply_frame) = (Some(reply.status), rtt, Some(place.0));
        let results = waiting.wrap.inside(reply.body).filter(|_| reply.success);
        match &mut waiting.asked {
            Asked::Nfs(asked) => {
                answered(&mut asked.row.call);
                let data = results.map(|results| self.nfs.answer(asked, results, out)).unwrap_or_default();
                self.carried(dir, &data, place, out);
            }
            Asked::Other(row) => {
                answered(&mut row.call);
                match (row.program_number, results) {
                    (Some(programs::PORTMAPPER), Some(results)) => portmap::answer(row, results),
                    (Some(programs::MOUNT), Some(results)) => mount::answer(row, results),
                    _ => None,
                };
            }
        }
        self.say(waiting, out);
    }

    /// A reply to a call that was not seen tells how it went, and nothing else.
    fn stray(&mut self, dir: Dir, reply: &Reply<'_>, place: (u64, Ts)) {
        let row = || {
            let (xid, status) = (reply.xid, Some(reply.status));
            let call = RpcCall { xid, status, is_orig: dir == Dir::Resp, reply_frame: Some(place.0), ..RpcCall::default() };
            Box::new(Rpc { call, ..Rpc::default() })
        };
        let (row, _) = self.strays.get_or_insert_with(|| (row(), place));
        row.messages += 1;
    }

    /// Hands data of reads and writes to their files; the rest of the last will follow.
    fn carried(&mut self, dir: Dir, data: &[nfs::Data<'_>], place: (u64, Ts), out: &mut Out) {
        let mut tail = None;
        for data in data {
            tail = self.nfs.data(data, dir, place, out);
        }
        if let Some(side) = self.tails.get_mut(dir.index()).filter(|_| !self.datagrams) {
            *side = tail;
        }
    }

    fn piece(&mut self, dir: Dir, piece: Piece<'_>, out: &mut Out) {
        if let Piece::Head { bytes, place } = piece {
            self.set_tail(dir, None);
            return self.message(dir, bytes, place, out);
        }
        let Some(mut tail) = self.tails.get_mut(dir.index()).and_then(Option::take) else { return };
        match piece {
            Piece::More(bytes) => self.nfs.more(&mut tail, bytes, self.last.1, out),
            Piece::Lost(missing) => tail.pass(missing),
            Piece::Head { .. } => {}
        }
        self.set_tail(dir, Some(tail));
    }

    fn set_tail(&mut self, dir: Dir, tail: Option<nfs::Tail>) {
        if let Some(side) = self.tails.get_mut(dir.index()) {
            *side = tail;
        }
    }

    fn say(&mut self, waiting: Waiting, out: &mut Out) {
        match waiting.asked {
            Asked::Nfs(asked) => self.nfs.say(asked, waiting.place, out),
            Asked::Other(row) => out.say(waiting.place.0, waiting.place.1, Event::Rpc(row)),
        }
    }

    fn take_records(&mut self, dir: Dir) -> Records {
        self.records.get_mut(dir.index()).map(std::mem::take).unwrap_or_default()
    }

    fn put_back(&mut self, dir: Dir, records: Records) {
        if let Some(side) = self.records.get_mut(dir.index()) {
            *side = records;
        }
    }
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        self.last = (chunk.frame, chunk.ts_ns);
        if self.datagrams {
            return self.message(chunk.dir, chunk.bytes, self.last, out);
        }
        let mut records = self.take_records(chunk.dir);
        let asked: Vec<u32> = match records.is_adrift() {
            true => self.waiting.iter().filter(|waiting| waiting.dir != chunk.dir).map(|waiting| waiting.xid).collect(),
            false => Vec::new(),
        };
        records.data(chunk.bytes, self.last, |xid| asked.contains(&xid), |piece| self.piece(chunk.dir, piece, out));
        self.put_back(chunk.dir, records);
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        let mut records = self.take_records(dir);
        records.gap(missing, |piece| self.piece(dir, piece, out));
        self.put_back(dir, records);
    }

    fn end(&mut self, out: &mut Out) {
        for dir in [Dir::Orig, Dir::Resp] {
            let mut records = self.take_records(dir);
            records.finish(|piece| self.piece(dir, piece, out));
            self.put_back(dir, records);
        }
        while let Some(waiting) = self.waiting.pop_front() {
            self.say(waiting, out);
        }
        self.nfs.end(out);
        // Where calls were seen, others are copies or late.
        if let Some((row, place)) = self.strays.take().filter(|_| self.kind == Kind::Nothing) {
            out.say(place.0, place.1, Event::Rpc(row));
        }
    }

    fn confirmed(&self) -> bool {
        self.kind > Kind::Nothing || self.replied
    }

    fn service(&self, name: &'static str) -> &'static str {
        match self.kind {
            Kind::Nfs => "nfs",
            Kind::Mount => "mount",
            Kind::PortMapper => "portmapper",
            Kind::Other | Kind::Nothing => name,
        }
    }
}

fn kind(program: u32) -> Kind {
    match program {
        programs::NFS | programs::NFS_ACL => Kind::Nfs,
        programs::MOUNT => Kind::Mount,
        programs::PORTMAPPER => Kind::PortMapper,
        _ => Kind::Other,
    }
}

fn nfs_row(dir: Dir, call: &Call<'_>) -> Box<Nfs> {
    Box::new(Nfs { call: caller(dir, call), version: call.version, ..Nfs::default() })
}

fn rpc_row(dir: Dir, call: &Call<'_>) -> Box<Rpc> {
    Box::new(Rpc {
        call: caller(dir, call),
        program_number: Some(call.program),
        program: programs::name(call.program),
        version: Some(call.version),
        procedure: Some(programs::procedure(call.program, call.version, call.procedure)),
        messages: 1,
        ..Rpc::default()
    })
}

/// Who calls; nothing of the answer yet.
fn caller(dir: Dir, call: &Call<'_>) -> RpcCall {
    let Auth { flavor, machine_name, uid, gid } = call.auth.clone();
    RpcCall { xid: call.xid, auth: flavor.map(header::flavor), machine_name, uid, gid, is_orig: dir == Dir::Orig, ..RpcCall::default() }
}

#[cfg(test)]
mod tests;
