//! One corpus of hostile strings through every renderer. Each test reads the output back as its consumer would.

use super::fixture::{HOSTILE, attack, benign, damaged, empty, hostile, huge, told};
use super::text::deceives;
use super::{Format, csv, render, terminal};
use std::collections::BTreeMap;

fn text(format: Format, report: &crate::model::Report) -> String {
    String::from_utf8(render(format, report).unwrap()).expect("reports are UTF-8")
}

/// A tag as a browser sees it.
#[derive(Debug)]
struct Tag {
    name: String,
    attributes: BTreeMap<String, String>,
    closes: bool,
}

/// Reads HTML as strictly as possible: every attribute value in double quotes, no `<` outside tags, raw text in `style` and
/// `script` up to their end. Panics where a browser would have to guess.
fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html.strip_prefix("<!DOCTYPE html>").expect("doctype");
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'), "a bare > in {:?}", &rest[..at]);
        let (tag, after) = tag(&rest[at + 1..]);
        rest = after;
        if !tag.closes && (tag.name == "script" || tag.name == "style") {
            rest = &rest[rest.find(&format!("</{}>", tag.name)).expect("raw text ends")..];
        }
        tags.push(tag);
    }
    tags
}

fn tag(text: &str) -> (Tag, &str) {
    let closes = text.starts_with('/');
    let text = text.strip_prefix('/').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).expect("a tag ends");
    let mut tag = Tag { name: text[..end].to_owned(), attributes: BTreeMap::new(), closes };
    assert!(!tag.name.is_empty(), "a < that begins no tag: {:?}", &text[..text.len().min(60)]);
    let mut rest = &text[end..];
    loop {
        if let Some(after) = rest.strip_prefix('>') {
            return (tag, after);
        }
        rest = rest.strip_prefix(' ').unwrap_or_else(|| panic!("in <{}: {:?}", tag.name, &rest[..rest.len().min(60)]));
        let end = rest.find(['=', ' ', '>']).expect("an attribute ends");
        let name = rest[..end].to_owned();
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "attribute {name:?}");
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let end = quoted.find('"').expect("a value ends");
            value.push_str(&quoted[..end]);
            rest = &quoted[end + 1..];
        }
        assert!(tag.attributes.insert(name.clone(), value).is_none(), "{name} twice in <{}", tag.name);
    }
}

const VOID: [&str; 4] = ["meta", "link", "br", "input"];

#[test]
fn html_is_balanced_and_holds_only_the_tags_and_attributes_that_it_writes_itself() {
    let known: Vec<String> = tags(&text(Format::Html, &told())).into_iter().map(|tag| tag.name).collect();
    for report in [attack(), told(), benign(), damaged(), empty(), huge(), hostile()] {
        let mut open: Vec<String> = Vec::new();
        for tag in tags(&text(Format::Html, &report)) {
            assert!(known.contains(&tag.name), "<{}> is not ours", tag.name);
            for name in tag.attributes.keys() {
                assert!(!name.starts_with("on") && name != "style" && name != "src" && name != "srcdoc", "{name} in <{}>", tag.name);
            }
            if let Some(target) = tag.attributes.get("href") {
                assert!(target.starts_with('#'), "a link leaves the page: {target}");
            }
            if tag.closes {
                assert_eq!(open.pop().as_deref(), Some(tag.name.as_str()));
            } else if !VOID.contains(&tag.name.as_str()) {
                open.push(tag.name);
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
}

#[test]
fn html_runs_one_script_and_one_style_and_says_so_by_hash() {
    let html = text(Format::Html, &hostile());
    let all = tags(&html);
    for name in ["script", "style"] {
        let opened: Vec<&Tag> = all.iter().filter(|tag| tag.name == name && !tag.closes).collect();
        assert_eq!(opened.len(), 1, "{name}");
        assert!(opened[0].attributes.is_empty());
        let inside = html.split_once(&format!("<{name}>")).unwrap().1.split_once(&format!("</{name}>")).unwrap().0;
        use base64::Engine;
        let hash = base64::engine::general_purpose::STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, inside.as_bytes()));
        assert!(html.contains(&format!("{name}-src 'sha256-{hash}'")), "{name}");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn html_shows_each_hostile_string_and_hides_none_of_its_characters() {
    let html = text(Format::Html, &hostile());
    let prose = html.split_once("<body>").unwrap().1.split_once("<script>").unwrap().0;
    assert!(!prose.contains(deceives), "{:?}", prose.chars().find(|c| deceives(*c)));
    for hostile in HOSTILE {
        let shown = super::visible(hostile).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        assert!(prose.contains(&shown), "{shown}");
    }
    assert!(html.len() < 6 << 20, "a string of 100,000 characters must not be repeated in full: {}", html.len());
}

#[test]
fn html_ids_are_unique_and_links_arrive() {
    for report in [attack(), told(), benign(), damaged(), empty(), huge()] {
        let all = tags(&text(Format::Html, &report));
        let mut ids: Vec<&String> = all.iter().filter_map(|tag| tag.attributes.get("id")).collect();
        ids.sort();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
        for tag in &all {
            let named = ["aria-labelledby"].iter().filter_map(|name| tag.attributes.get(*name)).flat_map(|value| value.split(' '));
            named.for_each(|id| assert!(ids.iter().any(|known| *known == id), "{id}"));
            let Some(target) = tag.attributes.get("href") else { continue };
            assert!(ids.iter().any(|id| **id == target[1..]), "{target} leads nowhere");
        }
    }
}

#[test]
fn html_differs_between_runs_in_its_run_block_only() {
    let report = attack();
    let mut again = report.clone();
    again.run.version.push('x');
    again.run.argv.push("--threads".to_owned());
    (again.run.started, again.run.seconds, again.run.threads, again.run.folder) = ("later".to_owned(), 9.9, 1, "elsewhere".to_owned());
    let [first, second] = [report, again].map(|report| {
        let html = text(Format::Html, &report);
        let (before, rest) = html.split_once("<section id=\"run\" data-volatile>").expect("run block");
        let (inside, after) = rest.split_once("</section>").unwrap();
        [before.to_owned(), after.to_owned(), inside.to_owned()]
    });
    assert_eq!(first[..2], second[..2]);
    assert_ne!(first[2], second[2]);
}

#[test]
fn json_keeps_each_string_exactly_and_prints_none_that_deceives() {
    let json = text(Format::Json, &hostile());
    assert!(!json.contains(|c| deceives(c) && c != '\n'));
    let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
    let spots: Vec<&str> = parsed["coverage"]["blind_spots"].as_array().unwrap().iter().filter_map(|spot| spot.as_str()).collect();
    assert_eq!(spots, HOSTILE);
    assert!(parsed["run"]["seconds"].is_null());
}

#[test]
fn csv_cells_begin_no_formula_and_rows_stay_whole() {
    let rows = csv::parse(&text(Format::Csv, &hostile()));
    assert_eq!(rows.len(), HOSTILE.len() + 1);
    for cell in rows.iter().flatten() {
        assert!(!cell.contains(deceives));
        for part in std::iter::once(cell.as_str()).chain(cell.split(';')) {
            assert!(!part.trim_start_matches(' ').starts_with(['=', '+', '-', '@']), "{part}");
        }
    }
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
}

/// What of a Markdown text is not inside code spans, by CommonMark's rule: a run of backticks ends at the next run of the
/// same length, or means itself.
fn outside_code(line: &str) -> String {
    let (mut outside, mut rest) = (String::new(), line);
    while let Some(at) = rest.find('`') {
        outside.push_str(&rest[..at]);
        let fence = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let inside = &rest[at + fence..];
        let mut from = 0;
        let end = loop {
            let Some(tick) = inside[from..].find('`').map(|tick| tick + from) else { break None };
            let run = inside[tick..].len() - inside[tick..].trim_start_matches('`').len();
            if run == fence {
                break Some(tick + run);
            }
            from = tick + run;
        };
        let end = end.unwrap_or_else(|| panic!("a code span does not end: {line}"));
        outside.push('C');
        rest = &inside[end..];
    }
    outside + rest
}

#[test]
fn markdown_holds_no_link_no_markup_and_no_table_but_its_own() {
    let markdown = text(Format::Md, &hostile());
    assert!(!markdown.contains(|c| deceives(c) && c != '\n'));
    let mut columns = None;
    for line in markdown.lines() {
        let prose = outside_code(line);
        let bare = prose.replace("<br>", "").trim_start_matches("> ").to_owned();
        assert!(!bare.contains(['<', '>']), "{line}");
        let live = bare.replace(r"\]", "E").replace(r"\!", "E");
        for mark in ["](", "![", "://", "www.", "@"] {
            assert!(!live.contains(mark), "{mark} in {line}");
        }
        let unescaped =
            bare.replace(r"\\", "").match_indices(['[', '*', '_', '#', '~']).filter(|(at, _)| !bare[..*at].ends_with(['\\', '&'])).count();
        let ours =
            bare.matches("**").count() * 2 + usize::from(bare.starts_with("*What")) * 2 + bare.len() - bare.trim_start_matches('#').len();
        assert_eq!(unescaped, ours, "{bare}");
        let pipes = line.starts_with('|').then(|| line.matches('|').count());
        if let (Some(before), Some(now)) = (columns, pipes) {
            assert_eq!(before, now, "a row of another width: {line}");
        }
        columns = pipes;
    }
}

#[test]
fn the_terminal_gets_printable_characters_only() {
    for width in [40, 80, 140] {
        let shown = terminal(&hostile(), width, false);
        assert!(!shown.contains(|c| deceives(c) && c != '\n'), "{shown:?}");
        let coloured = terminal(&hostile(), width, true);
        assert!(
            coloured
                .split("\u{1b}[")
                .skip(1)
                .all(|rest| rest.split_once('m').is_some_and(|(code, _)| code.bytes().all(|b| b.is_ascii_digit() || b == b';')))
        );
    }
}

#[test]
fn a_huge_report_stays_readable_in_a_browser() {
    let html = text(Format::Html, &huge());
    assert!(html.len() < 4 << 20, "{}", html.len());
    for left_out in
        ["4,750 findings more in the case", "61,154 hosts more in the case", "200 files more in the case", "2,944 places more in the case"]
    {
        assert!(html.contains(left_out), "{left_out}");
    }
}

#[test]
fn html_tells_every_finding_rule_and_hash() {
    let report = attack();
    let html = text(Format::Html, &report);
    for finding in &report.findings {
        assert!(html.contains(&format!("id=\"{}\"", finding.id)) && html.contains(&finding.says.replace('"', "&quot;")), "{}", finding.id);
        assert!(finding.attack.iter().all(|id| html.contains(id.as_str())));
        assert!(html.contains(&finding.wireshark.replace('&', "&amp;").replace('"', "&quot;")), "{}", finding.wireshark);
    }
    let hashes = report.rules.iter().map(|rule| &rule.sha256).chain(report.evidence.iter().flat_map(|e| [&e.sha256, &e.blake3]));
    hashes.for_each(|hash| assert!(html.contains(hash.as_str()), "{hash}"));
}
