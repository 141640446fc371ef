//! Rows of label files, found by the ends of a flow.

use super::class::{Class, Kind};
use super::clock::{Offsets, SECOND, Stamp, zone};
use super::layout::{Layout, Span};
use super::{LabelFile, Published, unreadable};
use crate::enrich::intel::csv::fields;
use crate::pipeline::Error;
use crate::pipeline::eval::truth::{Deed, Ends};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;

/// Rows of the same ends that are looked at for the zone: a scan that is one row a packet tells no more with the thousandth.
const ROWS_FOR_ZONE: usize = 64;
/// Before this hour nobody worked: a clock of twelve hours means the afternoon.
const MORNING: u32 = 8;
/// Between when a flow is over and when a meter notices.
const SLACK: i64 = SECOND;

/// Ends of a conversation, the lower first: labels do not always agree on who began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    low: (u32, u16),
    high: (u32, u16),
    protocol: u8,
}

/// A row of a label file.
#[derive(Clone, Copy, Debug)]
struct Row {
    key: Key,
    /// The lower end is the source.
    forward: bool,
    file: u16,
    class: u16,
    first: i64,
    last: i64,
    exact: i64,
}

/// All rows of the label files of a set.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    addresses: HashMap<IpAddr, u32>,
    classes: Vec<Class>,
    by_label: HashMap<String, u16>,
    /// By key, then in the order of the files.
    rows: Vec<Row>,
    /// Of each file, whether its times are absolute.
    absolute: Vec<bool>,
    /// No row is harmless: then what stands nowhere is.
    attacks_alone: bool,
    /// The longest that a row lasts, nanoseconds.
    longest: i64,
}

/// What labels say of the flows of one capture.
#[derive(Clone, Debug, Default)]
pub struct Labelled {
    /// Of each flow: class, and what kind that is; `None` where no row speaks of it.
    pub flows: Vec<Option<(Option<u16>, Kind)>>,
    /// The attacks among them, as a manifest would tell them.
    pub deeds: Vec<Deed>,
    /// By which zone each file was read.
    pub zones: Vec<Option<String>>,
}

impl Labels {
    /// Adds a file, which `told` counts.
    pub fn read(&mut self, set: Published, path: &Path, told: &mut LabelFile) -> Result<(), Error> {
        let failed = |error: std::io::Error| unreadable(path, &error.to_string());
        let mut lines = BufReader::with_capacity(1 << 20, File::open(path).map_err(failed)?);
        let (mut bytes, mut layout, began) = (Vec::new(), None, self.rows.len());
        let file = u16::try_from(self.absolute.len()).map_err(|_| unreadable(path, "more than 65,536 label files"))?;
        let mut clock = Clock::default();
        while lines.read_until(b'\n', &mut bytes).map_err(failed)? > 0 {
            let text = String::from_utf8_lossy(&bytes);
            let line = text.trim_start_matches('\u{feff}').trim_end();
            let quoted = if line.contains('"') { fields(line, ',') } else { Vec::new() };
            let cells: Vec<&str> = if quoted.is_empty() { line.split(',').collect() } else { quoted.iter().map(String::as_str).collect() };
            let known = match layout {
                Some(known) => Some((known, false)),
                None => Layout::of(&cells),
            };
            let Some((columns, head)) = known else {
                return Err(unreadable(path, &format!("its first line names no columns of {}: {}", set.name(), set.expects())));
            };
            layout = Some(columns);
            if !head && cells.iter().any(|cell| !cell.trim().is_empty()) {
                match self.row(set, &columns, &cells, file, &mut clock) {
                    Some(row) => self.rows.push(row),
                    None => told.unreadable += 1,
                }
            }
            bytes.clear();
        }
        if set == Published::CicIds2017 && clock.is_of_twelve_hours() {
            clock.mornings.iter().for_each(|at| self.rows.get_mut(began + at).into_iter().for_each(Row::twelve_hours_later));
            told.twelve_hours = true;
        }
        self.absolute.push(clock.absolute);
        told.rows = (self.rows.len() - began) as u64;
        told.attacks = self.rows.iter().skip(began).filter(|row| self.kind(row.class) == Kind::Attack).count() as u64;
        Ok(())
    }

    /// To be called once all are read.
    pub fn finish(&mut self) {
        self.rows.sort_by_key(|row| (row.key, row.file, row.first));
        self.longest = self.rows.iter().map(|row| row.last.saturating_sub(row.first)).max().unwrap_or_default();
        self.attacks_alone = !self.rows.iter().any(|row| self.kind(row.class) == Kind::Harmless);
    }

    fn row(&mut self, set: Published, columns: &Layout, cells: &[&str], file: u16, clock: &mut Clock) -> Option<Row> {
        let cell = |at: usize| cells.get(at).map(|cell| cell.trim());
        let start = Stamp::parse(cell(columns.start)?)?;
        let number = |at: usize| cell(at)?.parse::<f64>().ok().filter(|span| (0.0..1e15).contains(span));
        let last = match columns.span {
            Span::Until(at) => Stamp::parse(cell(at)?)?.ns.max(start.ns),
            Span::Seconds(at) => start.ns.saturating_add((number(at)? * 1e9) as i64),
            // A duration of CICFlowMeter may be negative where packets stand out of order.
            Span::Micros(at) => start.ns.saturating_add((number(at).unwrap_or_default() * 1e3) as i64),
        };
        let protocol = protocol(cell(columns.protocol)?);
        let source = self.end(cell(columns.source)?, cell(columns.source_port)?, protocol)?;
        let target = self.end(cell(columns.target)?, cell(columns.target_port)?, protocol)?;
        let class = self.class(set, cell(columns.label).unwrap_or_default())?;
        clock.row(&start);
        let key = Key { low: source.min(target), high: source.max(target), protocol };
        Some(Row { key, forward: source <= target, file, class, first: start.ns, last, exact: start.exact })
    }

    fn end(&mut self, address: &str, port: &str, protocol: u8) -> Option<(u32, u16)> {
        let address: IpAddr = address.parse().ok()?;
        let next = self.addresses.len() as u32;
        let id = *self.addresses.entry(address).or_insert(next);
        // Argus writes some ports in hex. What has no ports has codes, which each tool puts elsewhere.
        let port = || match port.strip_prefix("0x") {
            Some(hex) => u16::from_str_radix(hex, 16).ok(),
            None => port.parse::<f64>().ok().map(|port| port as u16),
        };
        Some((id, if has_ports(protocol) { port()? } else { 0 }))
    }

    fn class(&mut self, set: Published, label: &str) -> Option<u16> {
        if let Some(known) = self.by_label.get(label) {
            return Some(*known);
        }
        let class = Class::of(set, label);
        let at = self.classes.iter().position(|known| *known == class).unwrap_or(self.classes.len());
        if at == self.classes.len() {
            self.classes.push(class);
        }
        let at = u16::try_from(at).ok()?;
        self.by_label.insert(label.to_owned(), at);
        Some(at)
    }

    fn kind(&self, class: u16) -> Kind {
        self.classes.get(usize::from(class)).map_or(Kind::Unclear, |class| class.kind)
    }

    /// The classes, by their numbers: name, kind, and rows of all files.
    pub fn classes(&self) -> Vec<(String, Kind, u64)> {
        let mut counted: Vec<_> = self.classes.iter().map(|class| (class.name.clone(), class.kind, 0)).collect();
        for row in &self.rows {
            counted.get_mut(usize::from(row.class)).into_iter().for_each(|class| class.2 += 1);
        }
        counted
    }

    /// What the rows say of the flows of a capture.
    pub fn of(&self, flows: &[Ends]) -> Labelled {
        let found: Vec<&[Row]> = flows.iter().map(|flow| self.rows_of(flow)).collect();
        let offsets = self.offsets(flows, &found);
        let mut deeds: BTreeMap<u16, (BTreeSet<u32>, BTreeSet<u32>)> = BTreeMap::new();
        let mut labelled = Labelled::default();
        for (flow, rows) in flows.iter().zip(&found) {
            let meant = rows.chunk_by(|a, b| a.file == b.file).flat_map(|of_file| self.meant(of_file, flow, &offsets));
            // A meter that cuts what lasts long makes several rows of a flow; one that is an attack makes it one.
            let best = meant.min_by_key(|row| self.rank(row.class));
            if let Some(row) = best.filter(|row| self.kind(row.class) == Kind::Attack) {
                let (attackers, victims) = deeds.entry(row.class).or_default();
                let (source, target) = if row.forward { (row.key.low.0, row.key.high.0) } else { (row.key.high.0, row.key.low.0) };
                attackers.insert(source);
                victims.insert(target);
            }
            let unsaid = self.attacks_alone.then_some((None, Kind::Harmless));
            labelled.flows.push(best.map(|row| (Some(row.class), self.kind(row.class))).or(unsaid));
        }
        let names: HashMap<u32, &IpAddr> = self.addresses.iter().map(|(address, id)| (*id, address)).collect();
        let named = |ids: &BTreeSet<u32>| ids.iter().filter_map(|id| names.get(id)).map(ToString::to_string).collect();
        let deed = |(class, (attackers, victims)): (u16, (BTreeSet<u32>, BTreeSet<u32>))| {
            let techniques = self.classes.get(usize::from(class)).map(|class| class.techniques).unwrap_or_default();
            Deed::attack(techniques, named(&attackers), named(&victims))
        };
        labelled.deeds = deeds.into_iter().map(deed).collect();
        labelled.zones = offsets.iter().map(|offset| offset.map(zone)).collect();
        labelled
    }

    /// Of the rows of a file with the ends of a flow, in order of time, those that were when it was.
    fn meant<'r>(&self, rows: &'r [Row], flow: &Ends, offsets: &[Option<i64>]) -> impl Iterator<Item = &'r Row> {
        let offset = rows.first().and_then(|row| offsets.get(usize::from(row.file)).copied().flatten());
        let (begins, ends, longest) = (flow.ts_ns, flow.end_ns, self.longest);
        let near = offset.map(|offset| {
            // A scan of one port is a hundred thousand rows with the same ends: most of them are never looked at.
            let from = rows.partition_point(|row| row.first.saturating_add(longest.saturating_add(offset + row.slack())) < begins);
            let to = rows.partition_point(|row| row.first.saturating_add(offset - row.slack()) <= ends);
            rows.get(from..to).unwrap_or_default()
        });
        near.unwrap_or_default().iter().filter(move |row| row.last.saturating_add(offset.unwrap_or_default() + row.slack()) >= begins)
    }

    /// Attacks first, then what is harmless.
    fn rank(&self, class: u16) -> u8 {
        match self.kind(class) {
            Kind::Attack => 0,
            Kind::Harmless => 1,
            Kind::Unclear => 2,
        }
    }

    fn rows_of(&self, flow: &Ends) -> &[Row] {
        let protocol = protocol(&flow.proto);
        let end = |address: &str, port: u16| {
            let id = self.addresses.get(&address.parse::<IpAddr>().ok()?)?;
            Some((*id, if has_ports(protocol) { port } else { 0 }))
        };
        let (Some(orig), Some(resp)) = (end(&flow.orig, flow.orig_p), end(&flow.resp, flow.resp_p)) else { return &[] };
        let key = Key { low: orig.min(resp), high: orig.max(resp), protocol };
        let from = self.rows.partition_point(|row| row.key < key);
        let to = self.rows.partition_point(|row| row.key <= key);
        self.rows.get(from..to).unwrap_or_default()
    }

    /// How far the capture's clock is ahead of each file's.
    fn offsets(&self, flows: &[Ends], found: &[&[Row]]) -> Vec<Option<i64>> {
        let mut counted = vec![Offsets::default(); self.absolute.len()];
        for (flow, rows) in flows.iter().zip(found) {
            for of_file in rows.chunk_by(|a, b| a.file == b.file) {
                let Some((first, offsets)) = of_file.first().and_then(|row| Some((row, counted.get_mut(usize::from(row.file))?))) else {
                    continue;
                };
                offsets.flow(flow.ts_ns, of_file.iter().take(ROWS_FOR_ZONE).map(|row| row.first), first.slack());
            }
        }
        let offset = |(offsets, absolute): (&Offsets, &bool)| if *absolute { Some(0) } else { offsets.agreed() };
        counted.iter().zip(&self.absolute).map(offset).collect()
    }
}

impl Row {
    /// How far its times may be off.
    fn slack(&self) -> i64 {
        self.exact + SLACK
    }

    fn twelve_hours_later(&mut self) {
        self.first = self.first.saturating_add(12 * 3_600 * SECOND);
        self.last = self.last.saturating_add(12 * 3_600 * SECOND);
    }
}

/// What the times of a file have in common.
#[derive(Default)]
struct Clock {
    rows: usize,
    absolute: bool,
    /// Latest hour that is written.
    latest: u32,
    /// Rows before the working day.
    mornings: Vec<usize>,
}

impl Clock {
    fn row(&mut self, start: &Stamp) {
        self.absolute |= start.absolute;
        if let Some(hour) = start.hour {
            self.latest = self.latest.max(hour);
            self.mornings.extend((hour < MORNING).then_some(self.rows));
        }
        self.rows += 1;
    }

    /// The first edition of CIC-IDS2017 lost AM and PM: after twelve comes one.
    fn is_of_twelve_hours(&self) -> bool {
        self.latest <= 12 && !self.mornings.is_empty()
    }
}

/// IANA's number for what is told apart here; 0 for the rest.
fn protocol(text: &str) -> u8 {
    match text.to_ascii_lowercase().as_str() {
        "6" | "tcp" => 6,
        // What argus calls by the protocol that it saw inside.
        "17" | "udp" | "rtp" | "rtcp" | "udt" => 17,
        "1" | "58" | "icmp" | "icmp6" | "ipv6-icmp" => 1,
        "132" | "sctp" => 132,
        _ => 0,
    }
}

fn has_ports(protocol: u8) -> bool {
    matches!(protocol, 6 | 17 | 132)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600 * SECOND;
    /// 5 July 2017, 00:00 UTC.
    const DAY: i64 = 1_499_212_800 * SECOND;

    fn read(set: Published, files: &[&str]) -> (Labels, Vec<LabelFile>) {
        let folder = tempfile::tempdir().unwrap();
        let (mut labels, mut told) = (Labels::default(), Vec::new());
        for (at, text) in files.iter().enumerate() {
            let path = folder.path().join(format!("{at}.csv"));
            std::fs::write(&path, text).unwrap();
            let mut file = LabelFile::default();
            labels.read(set, &path, &mut file).unwrap();
            told.push(file);
        }
        labels.finish();
        (labels, told)
    }

    fn tcp(orig: (&str, u16), resp: (&str, u16), ts_ns: i64, seconds: i64) -> Ends {
        let (proto, end_ns) = ("tcp".into(), ts_ns + seconds * SECOND);
        Ends { frame: 1, orig: orig.0.into(), orig_p: orig.1, resp: resp.0.into(), resp_p: resp.1, proto, ts_ns, end_ns }
    }

    #[test]
    fn a_clock_that_lost_am_and_pm_and_never_told_its_zone_is_understood() {
        let head = "Flow ID, Source IP, Source Port, Destination IP, Destination Port, Protocol, Timestamp, Flow Duration, Label\n";
        let text = format!(
            "{head}x,192.0.2.1,1000,198.51.100.1,80,6,5/7/2017 11:10,2000000,BENIGN\n\
             x,198.51.100.1,80,192.0.2.1,1001,6,5/7/2017 2:20,90000000,DoS Hulk\n\
             x,192.0.2.1,1002,198.51.100.1,80,6,5/7/2017 2:30,10,DoS Hulk - Attempted\n\
             ,,,,,,,,\n\
             x,192.0.2.1,http,198.51.100.1,80,6,5/7/2017 2:30,10,BENIGN\n"
        );
        let (labels, told) = read(Published::CicIds2017, &[&text]);
        assert_eq!((told[0].rows, told[0].attacks, told[0].unreadable, told[0].twelve_hours), (3, 1, 1, true));
        let at = |hour: i64, minute: i64| DAY + hour * HOUR + minute * 60 * SECOND;
        let (client, server) = ("192.0.2.1", ("198.51.100.1", 80));
        let flows = [
            tcp((client, 1_000), server, at(14, 10) + 31 * SECOND, 2),
            tcp((client, 1_001), server, at(17, 20) + 5 * SECOND, 90),
            tcp((client, 1_002), server, at(17, 30), 0),
            tcp((client, 1_001), server, at(19, 0), 1),
            tcp((client, 9), server, at(17, 20), 1),
        ];
        let labelled = labels.of(&flows);
        let kinds: Vec<_> = labelled.flows.iter().map(|flow| flow.map(|(_, kind)| kind)).collect();
        assert_eq!(kinds, [Some(Kind::Harmless), Some(Kind::Attack), Some(Kind::Unclear), None, None]);
        assert_eq!(labelled.zones, [Some("UTC-03:00".to_owned())]);
        // The row was the other way round, and says who it takes for the attacker.
        assert!(labelled.deeds.len() == 1 && labelled.deeds[0].names(client) && labelled.deeds[0].is_attack());
    }

    #[test]
    fn what_a_list_of_attacks_does_not_name_is_harmless() {
        let text = "Start time,Last time,Attack category,Attack subcategory,Protocol,Source IP,Source Port,Destination IP,Destination Port,Attack Name,Attack Reference,.\n\
                    1499212800,1499212802,Reconnaissance,HTTP,tcp,192.0.2.1,1000,198.51.100.1,80,A name, with commas,-,.\n";
        let (labels, _) = read(Published::UnswNb15, &[text]);
        let flows =
            [tcp(("192.0.2.1", 1_000), ("198.51.100.1", 80), DAY, 1), tcp(("192.0.2.1", 1_000), ("198.51.100.1", 80), DAY + HOUR, 1)];
        let kinds: Vec<_> = labels.of(&flows).flows.into_iter().map(|flow| flow.map(|(_, kind)| kind)).collect();
        assert_eq!(kinds, [Some(Kind::Attack), Some(Kind::Harmless)]);
    }

    #[test]
    fn rows_of_argus_have_ports_in_hex_and_one_attack_makes_a_flow_one() {
        let head = "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label\n";
        let row = |start: &str, label: &str| {
            format!("2017/07/05 {start},10.5,tcp,192.0.2.1,0x03e8,   ->,198.51.100.1,80,S_RA,0,0,4,276,156,flow={label}\n")
        };
        let ping = "2017/07/05 02:00:00.000000,1,icmp,192.0.2.1,0x0008,  <->,198.51.100.1,0xb1d6,ECO,0,0,2,1,1,flow=From-Normal-V42-x\n";
        let text = [head, &row("02:00:00.000000", "Background"), &row("02:00:20.5", "From-Botnet-V42-TCP-CC1-x"), ping].concat();
        let (labels, told) = read(Published::Ctu13, &[&text]);
        assert_eq!((told[0].rows, told[0].unreadable), (3, 0));
        let mut icmp = tcp(("192.0.2.1", 8), ("198.51.100.1", 0), DAY, 1);
        icmp.proto = "icmp".into();
        let labelled = labels.of(&[tcp(("192.0.2.1", 1_000), ("198.51.100.1", 80), DAY, 30), icmp]);
        let kinds: Vec<_> = labelled.flows.iter().map(|flow| flow.map(|(_, kind)| kind)).collect();
        assert_eq!((kinds, labelled.zones[0].as_deref()), (vec![Some(Kind::Attack), Some(Kind::Harmless)], Some("UTC+02:00")));
        assert_eq!(labels.classes().iter().map(|class| class.2).collect::<Vec<_>>(), [1, 1, 1]);
    }
}
