//! Commands and the files they moved: FTP, DCC and TFTP say in one flow what goes through another. Both halves wait here for each other, in the
//! order of frames, so that the row of the command gets the type of the file and the file gets its name.

use crate::model::event::{DataChannel, File, Ftp, Irc, Tftp};
use crate::model::{AppEvent, Conn, Event, Ts, time::SECOND};
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

/// How long one half waits for the other: Zeek's expectation of a data connection.
const WAIT: i64 = 300 * SECOND;
/// Halves that wait; beyond it the oldest goes as it is.
const WAITING_MAX: usize = 16_384;

/// What waits for its other half, by the port of the data connection.
#[derive(Default)]
pub struct Transfers {
    waiting: BTreeMap<u16, VecDeque<Waiting>>,
    /// Arrivals, oldest first; those that were met meanwhile are no longer in `waiting`.
    arrivals: VecDeque<(Ts, u16, u64)>,
    count: u64,
}

struct Waiting {
    number: u64,
    event: AppEvent,
}

/// The half that an event is.
enum Half {
    /// A command that names a data connection, and other addresses under which its ends may be known.
    Command(DataChannel, [IpAddr; 2]),
    /// What went through one.
    Content(Conn),
}

impl Transfers {
    /// Takes halves out of `events`, which are in order of frames, and puts in what is whole or has waited long enough at `now`.
    pub fn gather(&mut self, events: &mut Vec<AppEvent>, now: Option<Ts>) {
        if self.arrivals.is_empty() && !events.iter().any(|event| half(event).is_some()) {
            return;
        }
        let mut done = Vec::with_capacity(events.len());
        for event in events.drain(..) {
            match half(&event) {
                Some(half) => self.arrive(event, &half, &mut done),
                None => done.push(event),
            }
        }
        *events = done;
        while let Some(&(since, port, number)) = self.arrivals.front() {
            if self.arrivals.len() <= WAITING_MAX && now.is_none_or(|now| since.saturating_add(WAIT) > now) {
                break;
            }
            self.arrivals.pop_front();
            events.extend(self.take(port, |waiting| waiting.number == number).and_then(stored));
        }
    }

    /// Lets everything go, the capture being over.
    pub fn finish(&mut self) -> Vec<AppEvent> {
        self.arrivals.clear();
        let mut rest: Vec<AppEvent> =
            std::mem::take(&mut self.waiting).into_values().flatten().filter_map(|waiting| stored(waiting.event)).collect();
        rest.sort_by_key(|event| (event.frame, event.conn.map(|conn| conn.flow)));
        rest
    }

    fn arrive(&mut self, mut event: AppEvent, arrived: &Half, done: &mut Vec<AppEvent>) {
        let port = arrived.port();
        let other = self.take(port, |waiting| half(&waiting.event).is_some_and(|waits| arrived.belongs_to(&waits, &event, &waiting.event)));
        let Some(mut other) = other else {
            self.count += 1;
            self.arrivals.push_back((event.ts_ns, port, self.count));
            self.waiting.entry(port).or_default().push_back(Waiting { number: self.count, event });
            return;
        };
        match arrived {
            Half::Command(..) => meet(&mut event, &mut other),
            Half::Content(_) => meet(&mut other, &mut event),
        }
        done.extend([event, other].into_iter().filter_map(stored));
    }

    fn take(&mut self, port: u16, which: impl Fn(&Waiting) -> bool) -> Option<AppEvent> {
        let queue = self.waiting.get_mut(&port)?;
        let at = queue.iter().position(which)?;
        let found = queue.remove(at).map(|waiting| waiting.event);
        if queue.is_empty() {
            self.waiting.remove(&port);
        }
        found
    }
}

impl Half {
    fn port(&self) -> u16 {
        match self {
            Self::Command(channel, _) => channel.resp_p,
            Self::Content(conn) => conn.resp_p,
        }
    }

    fn belongs_to(&self, other: &Self, event: &AppEvent, other_event: &AppEvent) -> bool {
        let (channel, known, conn) = match (self, other) {
            (Self::Command(channel, known), Self::Content(conn)) | (Self::Content(conn), Self::Command(channel, known)) => {
                (channel, known, conn)
            }
            _ => return false,
        };
        let same_kind = std::mem::discriminant(&kind(event)) == std::mem::discriminant(&kind(other_event));
        same_kind
            && (channel.resp_h == conn.resp_h || known.contains(&conn.resp_h))
            && channel.orig_h.is_none_or(|host| host == conn.orig_h)
    }
}

enum Carried {
    Ftp,
    Dcc,
    Tftp,
}

fn kind(event: &AppEvent) -> Carried {
    match &event.event {
        Event::Irc(_) => Carried::Dcc,
        Event::Tftp(_) => Carried::Tftp,
        Event::File(file) if file.source == "IRC_DATA" => Carried::Dcc,
        _ => Carried::Ftp,
    }
}

fn half(event: &AppEvent) -> Option<Half> {
    let conn = event.conn?;
    let command = |channel: &Option<DataChannel>| channel.map(|channel| Half::Command(channel, [conn.orig_h, conn.resp_h]));
    match &event.event {
        Event::Ftp(row) => command(&row.over),
        Event::Irc(row) => command(&row.dcc_channel),
        Event::Tftp(row) if row.channel.is_some() => command(&row.channel),
        Event::Tftp(row) if row.data_flow.is_some() && row.op.is_empty() => Some(Half::Content(conn)),
        Event::File(file) if matches!(file.source, "FTP_DATA" | "IRC_DATA") => Some(Half::Content(conn)),
        _ => None,
    }
}

/// What is stored of a half. The report of a TFTP transfer is part of its request; what is left of it is the file.
fn stored(mut event: AppEvent) -> Option<AppEvent> {
    if let Event::Tftp(row) = &mut event.event
        && row.op.is_empty()
    {
        event.event = Event::File(row.content.take()?);
    }
    Some(event)
}

/// Tells each half what the other knows.
fn meet(command: &mut AppEvent, content: &mut AppEvent) {
    match (&mut command.event, &mut content.event) {
        (Event::Ftp(row), Event::File(file)) => ftp(row, file),
        (Event::Irc(row), Event::File(file)) => dcc(row, file),
        (Event::Tftp(row), Event::Tftp(report)) => tftp(row, report),
        _ => {}
    }
}

fn ftp(row: &mut Ftp, file: &mut File) {
    row.mime_type.clone_from(&file.mime_type);
    row.fuid = Some(file.fuid.clone());
    let listing = matches!(row.command.as_deref(), Some("LIST" | "NLST" | "MLSD"));
    if !listing {
        file.url.clone_from(&row.arg);
        file.filename = row.arg.as_deref().and_then(|arg| arg.rsplit('/').next()).filter(|name| !name.is_empty()).map(str::to_owned);
        file.total_bytes = row.file_size;
    }
}

fn dcc(row: &mut Irc, file: &mut File) {
    row.dcc_mime_type.clone_from(&file.mime_type);
    row.fuid = Some(file.fuid.clone());
    file.filename.clone_from(&row.dcc_file_name);
    file.total_bytes = row.dcc_file_size;
}

fn tftp(row: &mut Tftp, report: &mut Tftp) {
    if let Some(content) = &mut report.content {
        content.filename = row.file.as_deref().map(|name| name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned());
        content.url.clone_from(&row.file);
        content.total_bytes = report.transfer_size.or(row.transfer_size);
    }
    row.block_size = report.block_size.or(row.block_size);
    row.transfer_size = report.transfer_size.or(row.transfer_size);
    (row.data_flow, row.bytes, row.blocks, row.complete) = (report.data_flow, report.bytes, report.blocks, report.complete);
    (row.error_code, row.error_msg, row.fuid) = (report.error_code, report.error_msg.clone(), report.fuid.clone());
}
