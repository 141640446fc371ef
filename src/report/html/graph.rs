//! Who acted on whom, as a picture: attackers at the left, then those through whom the attack went on, victims, and far ends at the right.
//!
//! A scan has hundreds of targets: of each column the gravest hosts are drawn, and the rest is one box.

use super::{Told, class_of, t};
use crate::model::Severity;
use crate::model::report::{Deed, Incident, Role};
use crate::report::facts::part_played;
use crate::report::text::{clipped, count};
use maud::{Markup, html};
use std::collections::BTreeMap;

const WIDTH: f64 = 1120.0;
const BOX_WIDTH: f64 = 190.0;
const BOX_HEIGHT: f64 = 46.0;
const PITCH: f64 = 68.0;
const TOP: f64 = 30.0;
/// Hosts drawn of one column; the others share a box.
const TALL: usize = 6;
/// Arrows drawn, the gravest.
const ARROWS: usize = 40;
/// Letters of a label between two columns.
const LABEL: usize = 26;
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
    let height = nodes.iter().map(|node| node.y + BOX_HEIGHT).fold(0.0, f64::max) + 16.0;
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
                    @for ((from, to), deeds) in &arrows { (arrow(&nodes[*from], &nodes[*to], deeds, told)) }
                    @for node in &nodes { (host(node)) }
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
                    text.node-ip x=(px(x + 10.0)) y=(px(y + 19.0)) { (clipped(&role.ip, 22)) }
                    text.node-name x=(px(x + 10.0)) y=(px(y + 36.0)) { (clipped(if role.name.is_empty() { &role.state } else { &role.name }, 26)) }
                }
                None => {
                    rect.rest x=(px(x)) y=(px(y)) width=(px(BOX_WIDTH)) height=(px(BOX_HEIGHT)) rx="7" {}
                    text.node-ip x=(px(x + 10.0)) y=(px(y + 28.0)) { (count(node.others as u64, "more host")) }
                }
            }
        }
    }
}

/// A curve from box to box with its head, and what was done.
fn arrow(from: &Node<'_>, to: &Node<'_>, deeds: &[&Deed], told: &Told) -> Markup {
    let line = Curve::between(from, to);
    let gravest = deeds.iter().max_by(|a, b| a.risk.total_cmp(&b.risk));
    let says = gravest.map(|deed| deed.what.as_str()).unwrap_or_default();
    let finding = gravest.and_then(|deed| deed.findings.first());
    let severity = gravest.map(|deed| deed.severity).unwrap_or_default();
    let all: Vec<&str> = deeds.iter().map(|deed| deed.what.as_str()).take(4).collect();
    html! {
        a href=[finding.and_then(|id| told.link(id))] class={ "deed " (class_of(severity)) } {
            title { (t(&all.join("; "))) @for id in deeds.iter().flat_map(|deed| &deed.findings).take(8) { " " (t(id)) } }
            path.line d=(line.path()) {}
            path.head d=(line.head()) {}
            @if from.column != to.column {
                text x=(px(line.middle().0)) y=(px(line.middle().1 - 6.0)) text-anchor="middle" { (clipped(says, LABEL)) }
            }
        }
    }
}

/// A cubic curve that leaves and arrives level.
struct Curve {
    start: (f64, f64),
    end: (f64, f64),
    /// Which way it leaves, and which way it points where it arrives: 1 right, -1 left.
    out: f64,
    into: f64,
    bend: f64,
}

impl Curve {
    fn between(from: &Node<'_>, to: &Node<'_>) -> Self {
        let right = |node: &Node<'_>| node.x + BOX_WIDTH;
        let level = |node: &Node<'_>, part: f64| node.y + BOX_HEIGHT * part;
        match from.column.cmp(&to.column) {
            std::cmp::Ordering::Less => {
                let (start, end) = ((right(from), level(from, 0.5)), (to.x, level(to, 0.5)));
                Self { start, end, out: 1.0, into: 1.0, bend: (end.0 - start.0) * 0.45 }
            }
            // What goes back runs a little lower, so that it does not hide what came.
            std::cmp::Ordering::Greater => {
                let (start, end) = ((from.x, level(from, 0.8)), (right(to), level(to, 0.8)));
                Self { start, end, out: -1.0, into: -1.0, bend: (start.0 - end.0) * 0.45 }
            }
            std::cmp::Ordering::Equal if right(from) + 60.0 < WIDTH => {
                Self { start: (right(from), level(from, 0.6)), end: (right(to), level(to, 0.4)), out: 1.0, into: -1.0, bend: 46.0 }
            }
            std::cmp::Ordering::Equal => {
                Self { start: (from.x, level(from, 0.6)), end: (to.x, level(to, 0.4)), out: -1.0, into: 1.0, bend: 46.0 }
            }
        }
    }

    fn path(&self) -> String {
        let Self { start, end, out, into, bend } = self;
        let (first, second) = (start.0 + out * bend, end.0 - into * bend);
        format!("M{:.1} {:.1}C{first:.1} {:.1} {second:.1} {:.1} {:.1} {:.1}", start.0, start.1, start.1, end.1, end.0 - into * 7.0, end.1)
    }

    fn head(&self) -> String {
        let (x, y) = self.end;
        format!("M{x:.1} {y:.1}l{:.1} -4.5v9z", -9.0 * self.into)
    }

    /// Of a curve that is the same from both ends the middle is the mean of its four points.
    fn middle(&self) -> (f64, f64) {
        (f64::midpoint(self.start.0, self.end.0), f64::midpoint(self.start.1, self.end.1))
    }
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}
