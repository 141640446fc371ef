//! Who acted on whom, as a picture: attackers at the left, then those through whom the attack went on, victims, and far ends at the right.
//!
//! A scan has hundreds of targets: of each column the gravest hosts are drawn, and the rest is one box.

use super::{Told, class_of, t};
use crate::model::Severity;
use crate::model::report::{Deed, Incident, Role};
use crate::report::facts::{host_state, part_played};
use crate::report::text::{clipped, count};
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const WIDTH: f64 = 1120.0;
const BOX_WIDTH: f64 = 178.0;
const BOX_HEIGHT: f64 = 46.0;
const PITCH: f64 = 68.0;
const TOP: f64 = 42.0;
/// Hosts drawn of one column; the others share a box.
const TALL: usize = 6;
/// Arrows drawn, the gravest.
const ARROWS: usize = 40;
/// Width of a letter of a label, on average.
const LETTER: f64 = 6.3;
/// Lines of a label where one arrow arrives.
const LINES: usize = 2;
/// Arrows into one side of a box that are labelled: more have no room beside each other.
const LABELLED: usize = 3;
/// From left to right.
const COLUMNS: [&str; 4] = ["attacker", "pivot", "victim", "far_end"];

/// A host, or the rest of a column.
struct Node<'a> {
    role: Option<&'a Role>,
    others: usize,
    column: usize,
    x: f64,
    y: f64,
}

impl Node<'_> {
    fn severity(&self) -> Severity {
        self.role.map(|role| role.severity).unwrap_or_default()
    }
}

/// Nothing where nobody acted on anybody.
pub fn picture(incident: &Incident, index: usize, told: &Told) -> Markup {
    let (nodes, place) = nodes(incident);
    let arrows = arrows(incident, &place);
    if nodes.len() < 2 || arrows.is_empty() {
        return html! {};
    }
    let drawn = route(&nodes, &arrows);
    let height = nodes.iter().map(|node| node.y + BOX_HEIGHT).fold(0.0, f64::max) + 26.0;
    let (title, desc) = (format!("graph-{index}-title"), format!("graph-{index}-desc"));
    let labels = format!("{title} {desc}");
    html! {
        figure.chart.graph {
            div.scroll tabindex="0" role="group" aria-label="Who acted on whom, scrollable" {
                svg viewBox=(format!("0 0 {WIDTH} {height:.0}")) role="img" aria-labelledby=(labels) {
                    title id=(title) { "Who acted on whom" }
                    desc id=(desc) {
                        (count(incident.roles.len() as u64, "host")) " and " (count(incident.deeds.len() as u64, "pair")) " of hosts. The table below says the same in words."
                    }
                    @for (x, name) in heads(&nodes) { text.panel-name x=(px(x)) y="14" { (name) } }
                    @for arrow in &drawn { (arrow.line(told)) }
                    @for node in &nodes { (host(node)) }
                    @for arrow in &drawn { (arrow.label()) }
                }
            }
        }
    }
}

/// The boxes, and the box of each host.
fn nodes(incident: &Incident) -> (Vec<Node<'_>>, BTreeMap<&str, usize>) {
    let of = |part: &str| -> Vec<&Role> { incident.roles.iter().filter(|role| role.part == part).collect() };
    let columns: Vec<Vec<&Role>> = COLUMNS.iter().map(|part| of(part)).filter(|column| !column.is_empty()).collect();
    let tallest = columns.iter().map(|column| column.len().min(TALL)).max().unwrap_or(0) as f64;
    let gap = if columns.len() > 1 { (WIDTH - BOX_WIDTH - 4.0) / (columns.len() - 1) as f64 } else { 0.0 };
    let (mut nodes, mut place) = (Vec::new(), BTreeMap::new());
    for (at, column) in columns.iter().enumerate() {
        let single = if column.len() > TALL { TALL - 1 } else { column.len() };
        let rows = column.len().min(TALL);
        let top = TOP + (tallest - rows as f64) * PITCH / 2.0;
        let x = 2.0 + gap * at as f64;
        for (row, &role) in column.iter().take(single).enumerate() {
            place.insert(role.ip.as_str(), nodes.len());
            nodes.push(Node { role: Some(role), others: 0, column: at, x, y: top + PITCH * row as f64 });
        }
        let rest = &column[single..];
        if !rest.is_empty() {
            place.extend(rest.iter().map(|role| (role.ip.as_str(), nodes.len())));
            nodes.push(Node { role: None, others: rest.len(), column: at, x, y: top + PITCH * single as f64 });
        }
    }
    (nodes, place)
}

/// What is written above each column.
fn heads<'a>(nodes: &[Node<'a>]) -> Vec<(f64, &'a str)> {
    let mut heads: Vec<(f64, &str)> = Vec::new();
    for node in nodes {
        if let Some(role) = node.role.filter(|_| heads.last().is_none_or(|(x, _)| *x != node.x)) {
            heads.push((node.x, part_played(&role.part)));
        }
    }
    heads
}

/// Deeds between boxes, the gravest first.
fn arrows<'a>(incident: &'a Incident, place: &BTreeMap<&str, usize>) -> Vec<((usize, usize), Vec<&'a Deed>)> {
    let mut between: BTreeMap<(usize, usize), Vec<&Deed>> = BTreeMap::new();
    for deed in &incident.deeds {
        if let (Some(&from), Some(&to)) = (place.get(deed.from.as_str()), place.get(deed.to.as_str())) {
            between.entry((from, to)).or_default().push(deed);
        }
    }
    let mut arrows: Vec<_> = between.into_iter().filter(|((from, to), _)| from != to).collect();
    arrows.sort_by_key(|(pair, deeds)| (std::cmp::Reverse(deeds.iter().map(|deed| deed.severity).max()), *pair));
    arrows.truncate(ARROWS);
    arrows
}

fn host(node: &Node<'_>) -> Markup {
    let (x, y) = (node.x, node.y);
    html! {
        g class={ "node " (class_of(node.severity())) } {
            @match node.role {
                Some(role) => {
                    title { (t(&role.ip)) " " (t(&role.name)) ", " (part_played(&role.part)) ", risk " (format!("{:.0}", role.risk)) }
                    rect x=(px(x)) y=(px(y)) width=(px(BOX_WIDTH)) height=(px(BOX_HEIGHT)) rx="7" {}
                    text.node-ip x=(px(x + 10.0)) y=(px(y + 19.0)) { (clipped(&role.ip, 20)) }
                    text.node-name x=(px(x + 10.0)) y=(px(y + 36.0)) { (clipped(if role.name.is_empty() { host_state(&role.state) } else { &role.name }, 24)) }
                }
                None => {
                    rect.rest x=(px(x)) y=(px(y)) width=(px(BOX_WIDTH)) height=(px(BOX_HEIGHT)) rx="7" {}
                    text.node-ip x=(px(x + 10.0)) y=(px(y + 28.0)) { (count(node.others as u64, "more host")) }
                }
            }
        }
    }
}

/// Deeds from one box to another, with the way that their arrow takes.
struct Arrow<'a> {
    deeds: &'a [&'a Deed],
    way: Way,
    /// Letters that a line of its label holds; none where there is no room for a label.
    room: usize,
    /// Lines that its label may have.
    lines: usize,
}

/// A line that leaves a box level, passes columns between their boxes, and arrives level.
struct Way {
    start: (f64, f64),
    /// Columns passed: where, going on, each is entered and left, and at what height.
    past: Vec<(f64, f64, f64)>,
    end: (f64, f64),
    /// Which way it leaves, and which way it points where it arrives: 1 right, -1 left.
    out: f64,
    into: f64,
}

/// The ways of all arrows: those into one side of a box arrive beside each other, and none runs behind a box.
fn route<'a>(nodes: &[Node<'_>], arrows: &'a [((usize, usize), Vec<&'a Deed>)]) -> Vec<Arrow<'a>> {
    let mut lanes = Lanes::default();
    let gap = columns(nodes).windows(2).map(|pair| pair[1] - pair[0] - BOX_WIDTH).fold(WIDTH, f64::min);
    let mut drawn = Vec::with_capacity(arrows.len());
    for ((from, to), deeds) in arrows {
        let (source, target) = (&nodes[*from], &nodes[*to]);
        // All that come in at the same side, from the top.
        let side = |from: usize| nodes[from].column.cmp(&target.column);
        let mut beside: Vec<usize> = arrows
            .iter()
            .map(|((other, into), _)| (*other, *into))
            .filter(|(other, into)| into == to && side(*other) == side(*from))
            .map(|(other, _)| other)
            .collect();
        beside.sort_by(|a, b| nodes[*a].y.total_cmp(&nodes[*b].y).then(a.cmp(b)));
        let turn = beside.iter().position(|other| other == from).unwrap_or(0);
        let arrives = target.y + BOX_HEIGHT * (turn + 1) as f64 / (beside.len() + 1) as f64;
        let way = Way::new(nodes, source, target, arrives, &mut lanes);
        // Those that arrive beside each other have a line each; where they are too many for that, the first has its label.
        let labelled = source.column != target.column && (turn == 0 || beside.len() <= LABELLED);
        let room = if labelled { ((gap - 26.0) / LETTER) as usize } else { 0 };
        let lines = if beside.len() == 1 { LINES } else { 1 };
        drawn.push(Arrow { deeds, way, room, lines });
    }
    drawn
}

/// Left edges of the columns, from the left.
fn columns(nodes: &[Node<'_>]) -> Vec<f64> {
    let mut edges: Vec<f64> = nodes.iter().map(|node| node.x).collect();
    edges.dedup();
    edges
}

/// Heights at which columns are passed already, in tenths: each is used once while there are others.
#[derive(Default)]
struct Lanes(BTreeSet<(usize, i64)>);

impl Lanes {
    /// The free height between the boxes of `column` that is nearest to `wanted`.
    fn take(&mut self, nodes: &[Node<'_>], column: usize, wanted: f64) -> f64 {
        let bottom = nodes.iter().map(|node| node.y + BOX_HEIGHT).fold(TOP, f64::max);
        let boxes: Vec<f64> = nodes.iter().filter(|node| node.column == column).map(|node| node.y).collect();
        let between = boxes.first().map_or(TOP, |first| first - (PITCH - BOX_HEIGHT) / 2.0);
        let steps = (bottom / PITCH) as i64 + 2;
        let mut heights: Vec<f64> = (-steps..=steps)
            .map(|step| between + PITCH * step as f64)
            .filter(|y| *y > TOP - 16.0 && *y < bottom + 16.0)
            .filter(|y| boxes.iter().all(|own| *y < own - 4.0 || *y > own + BOX_HEIGHT + 4.0))
            .collect();
        heights.sort_by(|a, b| (a - wanted).abs().total_cmp(&(b - wanted).abs()));
        let key = |y: f64| (column, (y * 10.0) as i64);
        let free = heights.iter().copied().find(|y| !self.0.contains(&key(*y)));
        let lane = free.or(heights.first().copied()).unwrap_or(wanted);
        self.0.insert(key(lane));
        lane
    }
}

impl Way {
    fn new(nodes: &[Node<'_>], from: &Node<'_>, to: &Node<'_>, arrives: f64, lanes: &mut Lanes) -> Self {
        let right = |node: &Node<'_>| node.x + BOX_WIDTH;
        let level = |node: &Node<'_>, part: f64| node.y + BOX_HEIGHT * part;
        let edges = columns(nodes);
        let mut pass = |column: usize, entered: f64, left: f64| {
            let x = edges.get(column).copied().unwrap_or_default();
            (x + BOX_WIDTH * entered, x + BOX_WIDTH * left, lanes.take(nodes, column, f64::midpoint(level(from, 0.5), arrives)))
        };
        match from.column.cmp(&to.column) {
            std::cmp::Ordering::Less => {
                let past = (from.column + 1..to.column).map(|column| pass(column, 0.0, 1.0)).collect();
                Self { start: (right(from), level(from, 0.5)), past, end: (to.x, arrives), out: 1.0, into: 1.0 }
            }
            // What goes back begins a little lower, so that it does not hide what came.
            std::cmp::Ordering::Greater => {
                let past = (to.column + 1..from.column).rev().map(|column| pass(column, 1.0, 0.0)).collect();
                Self { start: (from.x, level(from, 0.8)), past, end: (right(to), arrives), out: -1.0, into: -1.0 }
            }
            std::cmp::Ordering::Equal if right(from) + 60.0 < WIDTH => {
                Self { start: (right(from), level(from, 0.6)), past: Vec::new(), end: (right(to), level(to, 0.4)), out: 1.0, into: -1.0 }
            }
            std::cmp::Ordering::Equal => {
                Self { start: (from.x, level(from, 0.6)), past: Vec::new(), end: (to.x, level(to, 0.4)), out: -1.0, into: 1.0 }
            }
        }
    }

    fn path(&self) -> String {
        let mut path = format!("M{:.1} {:.1}", self.start.0, self.start.1);
        let mut at = self.start;
        for (entered, left, y) in &self.past {
            let bend = (entered - at.0) * 0.45;
            let _ = write!(path, "C{:.1} {:.1} {:.1} {y:.1} {entered:.1} {y:.1}H{left:.1}", at.0 + bend, at.1, entered - bend);
            at = (*left, *y);
        }
        let (x, y) = self.end;
        let bend = if self.out == self.into { ((x - at.0) * 0.45).abs() } else { 46.0 };
        let (first, second, tip) = (at.0 + self.out * bend, x - self.into * bend, x - self.into * 7.0);
        let _ = write!(path, "C{first:.1} {:.1} {second:.1} {y:.1} {tip:.1} {y:.1}", at.1);
        path
    }

    fn head(&self) -> String {
        let (x, y) = self.end;
        format!("M{x:.1} {y:.1}l{:.1} -4.5v9z", -9.0 * self.into)
    }
}

impl Arrow<'_> {
    fn gravest(&self) -> Option<&Deed> {
        self.deeds.iter().copied().max_by(|a, b| a.risk.total_cmp(&b.risk))
    }

    fn class(&self) -> String {
        format!("deed {}", class_of(self.gravest().map(|deed| deed.severity).unwrap_or_default()))
    }

    fn line(&self, told: &Told) -> Markup {
        let finding = self.gravest().and_then(|deed| deed.findings.first());
        let all: Vec<&str> = self.deeds.iter().map(|deed| deed.what.as_str()).take(4).collect();
        html! {
            a href=[finding.and_then(|id| told.link(id))] class=(self.class()) {
                title { (t(&all.join("; "))) @for id in self.deeds.iter().flat_map(|deed| &deed.findings).take(8) { " " (t(id)) } }
                path.line d=(self.way.path()) {}
                path.head d=(self.way.head()) {}
            }
        }
    }

    /// What was done, where the arrow arrives: no other arrives at that height.
    fn label(&self) -> Markup {
        let (x, y) = self.way.end;
        let lines = wrapped(self.gravest().map(|deed| deed.what.as_str()).unwrap_or_default(), self.room, self.lines);
        let (x, anchor) = if self.way.into > 0.0 { (x - 13.0, "end") } else { (x + 13.0, "start") };
        html! {
            @if !lines.is_empty() {
                g class=(self.class()) aria-hidden="true" {
                    @for (at, line) in lines.iter().rev().enumerate() { text x=(px(x)) y=(px(y - 6.0 - 13.0 * at as f64)) text-anchor=(anchor) { (t(line)) } }
                }
            }
        }
    }
}

/// Words in at most so many lines of `room` letters; what does not fit is cut.
fn wrapped(text: &str, room: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace().take(if room == 0 { 0 } else { usize::MAX }) {
        let last = lines.len() == most;
        match lines.last_mut() {
            Some(line) if last || line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
        .iter()
        .map(|line| {
            if line.chars().count() <= room {
                line.clone()
            } else {
                format!("{}…", line.chars().take(room.saturating_sub(1)).collect::<String>())
            }
        })
        .collect()
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(column: usize, row: usize) -> Node<'static> {
        Node { role: None, others: 1, column, x: 2.0 + 300.0 * column as f64, y: TOP + PITCH * row as f64 }
    }

    #[test]
    fn a_line_past_a_column_runs_between_its_boxes_and_each_has_its_own_way() {
        let mut nodes = vec![node(0, 1)];
        nodes.extend((0..4).map(|row| node(1, row)));
        nodes.extend((0..3).map(|row| node(2, row)));
        let deeds: Vec<&Deed> = Vec::new();
        let arrows: Vec<_> = (5..8).map(|to| ((0, to), deeds.clone())).collect();
        let mut heights: Vec<f64> = route(&nodes, &arrows).iter().map(|arrow| arrow.way.past[0].2).collect();
        for y in &heights {
            assert!(
                nodes.iter().filter(|node| node.column == 1).all(|node| *y < node.y || *y > node.y + BOX_HEIGHT),
                "{y} is behind a box"
            );
        }
        heights.dedup();
        assert_eq!(heights.len(), 3, "{heights:?}");
    }

    #[test]
    fn a_label_takes_two_lines_and_no_more_letters_than_there_is_room() {
        assert_eq!(wrapped("Address scan", 18, 2), ["Address scan"]);
        assert_eq!(wrapped("A program was downloaded in clear", 18, 2), ["A program was", "downloaded in cle…"]);
        assert!(wrapped("Guessed", 0, 2).is_empty());
    }
}
