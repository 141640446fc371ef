//! DNS over UDP and TCP, and its cousins mDNS, LLMNR and NetBIOS names: one row per query with its answer.

mod message;
mod names;
mod rdata;
#[cfg(test)]
mod tests;

use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, entropy};
use crate::model::{Conn, Dir, Event, Proto, Ts, event::Dns};
use message::{HEADER, Message, Question, parse};

/// How DNS is recognised and read.
pub const PROTOCOL: Protocol = Protocol { name: "dns", over: &[Proto::Udp, Proto::Tcp], probe, make: |conn| Box::new(Reader::new(conn)) };

/// Queries of one flow that wait for an answer; beyond it the oldest is said without one. Zeek waits for fifty.
const PENDING_MAX: usize = 64;
/// Different oddities said of one flow.
const WEIRDS_MAX: usize = 8;

/// Which of the family it is, by port: they share one format, and only the port says which is meant.
fn kind(orig_p: u16, resp_p: u16) -> &'static str {
    match (orig_p, resp_p) {
        (_, 5353) | (5353, _) => "mdns",
        (_, 5355) | (5355, _) => "llmnr",
        (_, 137) | (137, _) => "nbns",
        _ => "dns",
    }
}

fn probe(probe: &Probe<'_>) -> Answer {
    let family = kind(probe.orig_p, probe.resp_p);
    let hinted = family != "dns" || [probe.orig_p, probe.resp_p].contains(&53);
    if probe.proto == Proto::Udp {
        return judge(probe.bytes, family, hinted, false);
    }
    let Some((prefix, rest)) = probe.bytes.split_first_chunk::<2>() else { return Answer::Unsure };
    let length = usize::from(u16::from_be_bytes(*prefix));
    match length {
        ..HEADER => Answer::NotForUs,
        _ if rest.len() >= length => judge(&rest[..length], family, hinted, false),
        _ => judge(rest, family, hinted, true),
    }
}

/// Whether these bytes are a DNS message; `partial` means that more of it will come.
fn judge(bytes: &[u8], family: &'static str, hinted: bool, partial: bool) -> Answer {
    let Some(message) = parse(bytes, family == "nbns") else {
        return if partial && plausible_flags(bytes) { Answer::Unsure } else { Answer::NotForUs };
    };
    if !plausible(&message) {
        return Answer::NotForUs;
    }
    let asked = message.questions.first().is_some_and(sensible);
    let whole = message.fault.is_none() && message.trailing == 0;
    match (hinted, whole) {
        (_, true) if asked || !message.answers.is_empty() => Answer::Certain,
        // An update or an empty refusal says nothing that could be checked but its header.
        (true, true) => Answer::Certain,
        (true, false) if message.response || !message.questions.is_empty() => Answer::Certain,
        _ if partial => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

fn plausible_flags(bytes: &[u8]) -> bool {
    bytes.get(2).is_none_or(|flags| flags >> 3 & 15 <= 6)
}

/// Counts and codes that real messages have. Much that is not DNS runs on port 53.
fn plausible(message: &Message) -> bool {
    let [questions, answers, authorities, additionals] = message.counts;
    let code = message.opcode <= 9 && message.opcode != 3;
    let counts = questions <= 64 && answers <= 2_048 && authorities <= 2_048 && additionals <= 2_048;
    let something = message.counts != [0; 4] || (message.response && message.rcode != 0);
    code && counts && something && (message.response || questions > 0 || answers > 0)
}

fn sensible(question: &Question) -> bool {
    let class = question.qclass & 0x7fff;
    question.qtype != 0 && matches!(class, 1..=4 | 254 | 255)
}

/// A query without its answer yet.
struct Pending {
    row: Box<Dns>,
    /// Lower-case name, to match case-randomised answers.
    name: String,
    frame: u64,
    ts_ns: Ts,
}

/// Reads one flow.
struct Reader {
    kind: &'static str,
    stream: bool,
    confirmed: bool,
    /// Oldest first.
    pending: Vec<Pending>,
    /// TCP: what came of a message that is not whole.
    partial: [Partial; 2],
    weirds: Vec<&'static str>,
}

#[derive(Default)]
struct Partial {
    bytes: Vec<u8>,
    /// Frame and time of its first byte.
    place: (u64, Ts),
    /// Bytes were lost: the next message starts nobody knows where.
    lost: bool,
}

impl Reader {
    fn new(conn: &Conn) -> Self {
        Self {
            kind: kind(conn.orig_p, conn.resp_p),
            stream: conn.proto == Proto::Tcp,
            confirmed: false,
            pending: Vec::new(),
            partial: Default::default(),
            weirds: Vec::new(),
        }
    }

    fn stream_data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let mut partial = std::mem::take(&mut self.partial[chunk.dir.index()]);
        if partial.lost {
            // Senders start messages on segment borders: if this one looks like a start, it is taken for one.
            let start = chunk.bytes.get(2..).unwrap_or_default();
            partial.lost = judge(start, self.kind, true, true) == Answer::NotForUs;
            partial.bytes.clear();
        }
        let mut rest = chunk.bytes;
        while !partial.lost && !rest.is_empty() {
            if partial.bytes.is_empty() {
                partial.place = (chunk.frame, chunk.ts_ns);
            }
            let need = match partial.bytes.first_chunk::<2>() {
                Some(prefix) => 2 + usize::from(u16::from_be_bytes(*prefix)),
                None => 2,
            };
            let (now, later) = rest.split_at(rest.len().min(need - partial.bytes.len()));
            partial.bytes.extend_from_slice(now);
            rest = later;
            let whole = partial.bytes.first_chunk::<2>().is_some_and(|p| partial.bytes.len() == 2 + usize::from(u16::from_be_bytes(*p)));
            if whole {
                let (frame, ts_ns) = partial.place;
                let bytes = std::mem::take(&mut partial.bytes);
                self.message(&Chunk { bytes: &bytes[2..], frame, ts_ns, cut: 0, dir: chunk.dir }, out);
            }
        }
        self.partial[chunk.dir.index()] = partial;
    }

    /// One whole message (or what the capture kept of it).
    fn message(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        let Some(message) = parse(chunk.bytes, self.kind == "nbns") else {
            if chunk.cut == 0 {
                self.weird(chunk, "DNS_truncated_len_lt_hdr_len", out);
            }
            return;
        };
        if !plausible(&message) {
            self.weird(chunk, "DNS_implausible_header", out);
            return;
        }
        self.confirmed |= message.fault.is_none() || !message.questions.is_empty();
        let fault = message.fault.filter(|_| chunk.cut == 0);
        if let Some(name) = fault {
            self.weird(chunk, name, out);
        }
        if message.response {
            self.answer(&message, chunk, fault.is_some(), out);
        } else {
            self.query(&message, chunk, fault.is_some(), out);
        }
    }

    fn query(&mut self, message: &Message, chunk: &Chunk<'_>, malformed: bool, out: &mut Out) {
        // Only mDNS really asks several questions at once (RFC 6762 5.3): each is a row. No one else may.
        let asked = if self.kind == "mdns" { message.questions.len().max(1) } else { 1 };
        for n in 0..asked {
            let mut row = self.blank(message);
            self.ask(&mut row, message, message.questions.get(n));
            row.rd = message.rd;
            row.tc = message.tc;
            row.z = message.z;
            row.query_frame = Some(chunk.frame);
            row.query_bytes = Some(wire_bytes(chunk));
            row.malformed = malformed;
            if self.kind == "mdns" {
                // Everyone answers, with id 0 and on a flow of his own: there is nothing to wait for.
                out.say(chunk.frame, chunk.ts_ns, Event::Dns(row));
                continue;
            }
            if self.pending.len() >= PENDING_MAX {
                let oldest = self.pending.remove(0);
                out.say(oldest.frame, oldest.ts_ns, Event::Dns(oldest.row));
            }
            let name = row.query.as_deref().unwrap_or_default().to_ascii_lowercase();
            self.pending.push(Pending { row, name, frame: chunk.frame, ts_ns: chunk.ts_ns });
        }
    }

    fn answer(&mut self, message: &Message, chunk: &Chunk<'_>, malformed: bool, out: &mut Out) {
        let (mut row, frame, ts_ns) = match self.asked_by(message) {
            Some(Pending { mut row, frame, ts_ns, .. }) => {
                row.rtt = seconds_between(ts_ns, chunk.ts_ns).filter(|_| message.counts[1] > 0);
                (row, frame, ts_ns)
            }
            None => {
                let mut row = self.blank(message);
                self.ask(&mut row, message, message.questions.first());
                row.rd = message.rd;
                row.z = message.z;
                (row, chunk.frame, chunk.ts_ns)
            }
        };
        row.rcode = Some(message.rcode);
        row.rcode_name = Some(names::rcode(message.rcode).into_owned());
        row.tc |= message.tc;
        if message.counts[1] > 0 {
            row.aa = message.aa;
            row.ra = message.ra;
        }
        let [questions, records @ ..] = message.counts;
        row.rejected = if questions == 0 { message.rcode != 0 } else { records == [0; 3] };
        for record in message.answers.iter().filter(|record| !record.text.is_empty()) {
            row.answers.push(record.text.clone());
            row.answer_types.push(names::query_type(record.rtype, self.kind == "nbns").into_owned());
            row.ttls.push(record.ttl);
        }
        row.nb_group = message.nb_group.or(row.nb_group);
        row.answer_frame = Some(chunk.frame);
        row.resp_bytes = Some(wire_bytes(chunk));
        row.malformed |= malformed;
        out.say(frame, ts_ns, Event::Dns(row));
    }

    /// The oldest query with this id and name; answers that repeat no question are matched by id alone.
    fn asked_by(&mut self, message: &Message) -> Option<Pending> {
        let name = message.questions.first().map(|question| question.name.to_ascii_lowercase());
        let place = self
            .pending
            .iter()
            .position(|pending| pending.row.trans_id == message.id && name.as_ref().is_none_or(|name| *name == pending.name))?;
        Some(self.pending.remove(place))
    }

    fn blank(&self, message: &Message) -> Box<Dns> {
        Box::new(Dns {
            trans_id: message.id,
            opcode: message.opcode,
            opcode_name: names::opcode(message.opcode, self.kind == "nbns"),
            kind: self.kind,
            ..Dns::default()
        })
    }

    /// Fills in what was asked: from the question, else from the records, which say what they are about.
    fn ask(&self, row: &mut Dns, message: &Message, question: Option<&Question>) {
        let netbios = self.kind == "nbns";
        let name = match question {
            Some(question) => {
                // mDNS puts a flag into the class: unicast answer wanted (RFC 6762 5.4).
                let qclass = if self.kind == "mdns" { question.qclass & 0x7fff } else { question.qclass };
                row.qclass = Some(qclass);
                row.qclass_name = Some(names::class(qclass).into_owned());
                row.qtype = Some(question.qtype);
                row.qtype_name = Some(names::query_type(question.qtype, netbios).into_owned());
                row.labels = question.labels;
                Some(question.name.as_str())
            }
            None => message.answers.first().map(|record| record.name.as_str()).or(message.later_name.as_deref()),
        };
        let Some(name) = name else { return };
        if question.is_none() {
            row.labels = name.split('.').filter(|label| !label.is_empty()).count().min(255) as u8;
        }
        row.query = Some(name.to_owned());
        (row.nb_suffix, row.nb_group) = (message.nb_suffix, message.nb_group);
        if !netbios {
            (row.etld1, row.sub) = split_domain(&name.to_ascii_lowercase());
            row.sub_h1 = row.sub.as_deref().and_then(|sub| entropy(sub.as_bytes()));
        }
    }

    fn weird(&mut self, chunk: &Chunk<'_>, name: &'static str, out: &mut Out) {
        if self.weirds.len() < WEIRDS_MAX && !self.weirds.contains(&name) {
            self.weirds.push(name);
            out.weird(chunk, "dns", name, String::new());
        }
    }
}

/// Registered domain, and what stands before it.
fn split_domain(name: &str) -> (Option<String>, Option<String>) {
    let Some(domain) = psl::domain_str(name) else { return (None, None) };
    let sub = name.strip_suffix(domain).and_then(|sub| sub.strip_suffix('.')).filter(|sub| !sub.is_empty());
    (Some(domain.to_owned()), sub.map(str::to_owned))
}

/// Length of the message on the wire, whatever the capture kept of it.
fn wire_bytes(chunk: &Chunk<'_>) -> u32 {
    u32::try_from(chunk.bytes.len()).unwrap_or(u32::MAX).saturating_add(chunk.cut)
}

/// `None` for no time at all, which is how Zeek says that only one side was seen.
fn seconds_between(from: Ts, to: Ts) -> Option<f64> {
    let ns = to.saturating_sub(from);
    (ns != 0).then(|| ns as f64 / 1e9)
}

impl Dissector for Reader {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        if self.stream { self.stream_data(chunk, out) } else { self.message(chunk, out) }
    }

    fn gap(&mut self, dir: Dir, _missing: u64, _out: &mut Out) {
        self.partial[dir.index()] = Partial { lost: true, ..Partial::default() };
    }

    fn end(&mut self, out: &mut Out) {
        for Partial { bytes, place: (frame, ts_ns), .. } in std::mem::take(&mut self.partial) {
            // A message that broke off still says what it asked.
            if let Some(bytes) = bytes.get(2..).filter(|bytes| bytes.len() > HEADER) {
                let dir = Dir::Orig;
                self.message(&Chunk { bytes, frame, ts_ns, cut: 1, dir }, out);
            }
        }
        for pending in std::mem::take(&mut self.pending) {
            out.say(pending.frame, pending.ts_ns, Event::Dns(pending.row));
        }
    }

    fn confirmed(&self) -> bool {
        self.confirmed
    }
}
