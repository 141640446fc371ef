//! What other tools said of the same captures, read from their own outputs, so that all are judged alike.
//!
//! For the capture `NAME.pcap` they lie in the folder `DIR/NAME/` under the names that the tool gives them, or as one file `DIR/NAME.OUTPUT`.

use super::super::Error;
use super::truth::unreadable;
use crate::enrich::intel::csv::fields as csv_cells;
use crate::model::{Finding, Severity};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Something that a tool said of hosts, as far as judging asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Rule, signature or notice.
    pub rule: String,
    /// How grave.
    pub severity: Severity,
    /// Whom it names.
    pub hosts: Vec<String>,
    /// ATT&CK ids that it claims.
    pub attack: Vec<String>,
}

impl From<&Finding> for Claim {
    fn from(finding: &Finding) -> Self {
        let hosts = finding.actors.iter().chain(&finding.targets).cloned().collect();
        Self { rule: finding.rule.clone(), severity: finding.severity, hosts, attack: finding.attack.clone() }
    }
}

/// Tools whose outputs are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Alerts of `eve.json`; its severities 1, 2 and 3 are high, medium and low.
    Suricata,
    /// `notice.log` and `weird.log`, with tabs or as JSON. Zeek weighs nothing: a notice counts as medium, a weird as low.
    Zeek,
    /// `rita view --stdout` of version 5, in `rita.csv`; its severities have our names, and None is info.
    Rita,
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Suricata, Self::Zeek, Self::Rita];

    /// As typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Suricata => "suricata",
            Self::Zeek => "zeek",
            Self::Rita => "rita",
        }
    }

    fn outputs(self) -> &'static [&'static str] {
        match self {
            Self::Suricata => &["eve.json"],
            Self::Zeek => &["notice.log", "weird.log"],
            Self::Rita => &["rita.csv"],
        }
    }
}

/// Outputs of a tool, of many captures.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// Whose.
    pub tool: Tool,
    /// Where.
    pub folder: PathBuf,
}

impl std::str::FromStr for Outputs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Tool::ALL.map(Tool::name).join(", ");
        let (name, folder) = text.split_once('=').ok_or_else(|| format!("write TOOL=DIR, such as suricata=eve/; tools: {}", names()))?;
        let tool = Tool::ALL.into_iter().find(|tool| tool.name() == name);
        Ok(Self { tool: tool.ok_or_else(|| format!("{name:?} is not one of {}", names()))?, folder: folder.into() })
    }
}

impl Outputs {
    /// What the tool said of a capture, the gravest first, each once for the same hosts; `None` where it has no output of it.
    pub fn of(&self, capture: &Path) -> Result<Option<Vec<Claim>>, Error> {
        let Some(paths) = self.places(capture) else { return Ok(None) };
        let mut claims = Vec::new();
        for path in paths {
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error.to_string()))?;
            claims.extend(self.read(&text).map_err(|why| unreadable(&path, &why))?);
        }
        Ok(Some(folded(claims)))
    }

    /// Whether there is an output of this capture.
    pub(super) fn has(&self, capture: &Path) -> bool {
        self.places(capture).is_some()
    }

    /// That it has no output of any capture, and where they are looked for.
    pub(super) fn none(&self) -> Error {
        let output = self.tool.outputs().first().copied().unwrap_or_default();
        unreadable(
            &self.folder,
            &format!("no output of {} for any of the captures; it is looked for as NAME/{output} and NAME.{output}", self.tool.name()),
        )
    }

    /// Files with what it said. A folder of its own says that the tool saw the capture: Zeek writes no `notice.log` where it noticed nothing.
    fn places(&self, capture: &Path) -> Option<Vec<PathBuf>> {
        let names = [capture.file_stem(), capture.file_name()].into_iter().flatten().map(|name| name.to_string_lossy().into_owned());
        for name in names {
            let folder = self.folder.join(&name);
            let within = self.tool.outputs().iter().map(|output| folder.join(output));
            let beside = self.tool.outputs().iter().map(|output| self.folder.join(format!("{name}.{output}")));
            let found: Vec<PathBuf> = within.chain(beside).filter(|path| path.is_file()).collect();
            let seen = self.tool == Tool::Zeek && folder.join("conn.log").is_file();
            if seen || !found.is_empty() {
                return Some(found);
            }
        }
        None
    }

    fn read(&self, text: &str) -> Result<Vec<Claim>, String> {
        match self.tool {
            Tool::Suricata => Ok(json_lines(text)?.iter().filter_map(alert).collect()),
            Tool::Zeek => Ok(zeek_rows(text)?.iter().filter_map(noticed).collect()),
            Tool::Rita => rita_rows(text),
        }
    }
}

/// The same of the same hosts is one claim, as one finding is folded.
fn folded(claims: Vec<Claim>) -> Vec<Claim> {
    let mut order: Vec<Claim> = Vec::new();
    let mut known: HashMap<(String, Vec<String>), usize> = HashMap::new();
    for claim in claims {
        let at = *known.entry((claim.rule.clone(), claim.hosts.clone())).or_insert(order.len());
        match order.get_mut(at) {
            Some(first) => first.severity = first.severity.max(claim.severity),
            None => order.push(claim),
        }
    }
    order.sort_by_key(|claim| std::cmp::Reverse(claim.severity));
    order
}

fn json_lines(text: &str) -> Result<Vec<Value>, String> {
    let line = |(number, line): (usize, &str)| serde_json::from_str(line).map_err(|error| format!("line {}: {error}", number + 1));
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(line).collect()
}

/// An event of Suricata, if it is an alert.
fn alert(event: &Value) -> Option<Claim> {
    let alert = event.get("alert").filter(|_| event["event_type"] == "alert")?;
    let severity = match alert["severity"].as_u64() {
        Some(1) => Severity::High,
        Some(2) => Severity::Medium,
        Some(3) => Severity::Low,
        _ => Severity::Info,
    };
    let hosts = ["src_ip", "dest_ip"].iter().filter_map(|name| event[*name].as_str()).map(str::to_owned).collect();
    let ids = alert["metadata"]["mitre_technique_id"].as_array();
    // Rule writers put an underscore where the key may hold no dot.
    let attack = ids.into_iter().flatten().filter_map(Value::as_str).map(|id| id.replace('_', ".")).collect();
    Some(Claim { rule: alert["signature"].as_str().unwrap_or_default().into(), severity, hosts, attack })
}

type Row = BTreeMap<String, String>;

/// Rows of a log of Zeek by column: tabs below a head of `#fields`, or JSON.
fn zeek_rows(text: &str) -> Result<Vec<Row>, String> {
    if text.trim_start().starts_with('{') {
        let of = |row: Value| row.as_object().map(|row| row.iter().map(|(name, value)| (name.clone(), plain(value))).collect());
        return Ok(json_lines(text)?.into_iter().filter_map(of).collect());
    }
    let head = text.lines().find_map(|line| line.strip_prefix("#fields\t"));
    let Some(head) = head else {
        return if text.trim().is_empty() { Ok(Vec::new()) } else { Err("no line of #fields, and no JSON".into()) };
    };
    let row = |line: &str| head.split('\t').map(str::to_owned).zip(line.split('\t').map(str::to_owned)).collect();
    Ok(text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(row).collect())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn noticed(row: &Row) -> Option<Claim> {
    let (rule, severity) = match (row.get("note"), row.get("name")) {
        (Some(note), _) => (note, Severity::Medium),
        (None, Some(name)) => (name, Severity::Low),
        _ => return None,
    };
    let mut hosts = Vec::new();
    for host in ["src", "dst", "id.orig_h", "id.resp_h"].iter().filter_map(|name| row.get(*name)) {
        if host != "-" && host != "null" && !hosts.contains(host) {
            hosts.push(host.clone());
        }
    }
    Some(Claim { rule: rule.clone(), severity, hosts, attack: Vec::new() })
}

fn rita_rows(text: &str) -> Result<Vec<Claim>, String> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let Some(head) = lines.next() else { return Ok(Vec::new()) };
    let head = csv_cells(head, ',');
    let column = |name: &str| head.iter().position(|cell| cell == name).ok_or_else(|| format!("no column {name:?} in its first line"));
    let (severity, source, destination, fqdn) = (column("Severity")?, column("Source IP")?, column("Destination IP")?, column("FQDN")?);
    let scores = ["Beacon Score", "Long Connection Score", "C2 Over DNS Score"].map(|name| column(name).ok().map(|at| (name, at)));
    let claim = |line: &str| {
        let cells = csv_cells(line, ',');
        let cell = |at: usize| cells.get(at).map_or("", String::as_str);
        // The gravest of its scores says what kind of thing it is.
        let score = |at: usize| cell(at).parse::<f64>().unwrap_or(0.0);
        let kind = scores.iter().flatten().filter(|(_, at)| score(*at) > 0.0).max_by(|a, b| score(a.1).total_cmp(&score(b.1)));
        let named = cell(severity).to_lowercase();
        let severity = Severity::ALL.into_iter().find(|severity| severity.name() == named).unwrap_or_default();
        // What goes by a name has the address ::.
        let hosts = [source, destination, fqdn].map(cell).into_iter().filter(|host| !host.is_empty() && *host != "::").map(str::to_owned);
        Claim { rule: kind.map_or("modifiers", |kind| kind.0).into(), severity, hosts: hosts.collect(), attack: Vec::new() }
    };
    Ok(lines.map(claim).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(tool: Tool) -> Outputs {
        Outputs { tool, folder: PathBuf::new() }
    }

    fn said(tool: Tool, text: &str) -> Vec<(String, Severity, String)> {
        let claims = folded(outputs(tool).read(text).expect("an output"));
        claims.into_iter().map(|claim| (claim.rule, claim.severity, claim.hosts.join(" "))).collect()
    }

    fn claim(rule: &str, severity: Severity, hosts: &str) -> (String, Severity, String) {
        (rule.into(), severity, hosts.into())
    }

    #[test]
    fn alerts_of_suricata_are_taken_once_for_the_same_hosts_the_gravest_first() {
        let alert = |signature: &str, severity: u32, to: &str| {
            format!(
                r#"{{"event_type":"alert","src_ip":"192.0.2.1","dest_ip":"{to}","alert":{{"signature":"{signature}","severity":{severity},"metadata":{{"mitre_technique_id":["T1071_001"]}}}}}}"#
            )
        };
        let text =
            [alert("info", 3, "192.0.2.2"), r#"{"event_type":"flow"}"#.into(), alert("c2", 1, "192.0.2.3"), alert("c2", 1, "192.0.2.3")]
                .join("\n");
        assert_eq!(
            said(Tool::Suricata, &text),
            [claim("c2", Severity::High, "192.0.2.1 192.0.2.3"), claim("info", Severity::Low, "192.0.2.1 192.0.2.2")]
        );
        let claims = outputs(Tool::Suricata).read(&text).expect("events");
        assert_eq!(claims[0].attack, ["T1071.001"]);
        assert!(outputs(Tool::Suricata).read("{}\nnonsense").expect_err("no JSON").starts_with("line 2:"));
    }

    #[test]
    fn notices_and_weirds_of_zeek_are_read_with_tabs_and_as_json() {
        let tabs = "#separator \\x09\n#path\tnotice\n#fields\tts\tid.orig_h\tid.resp_h\tnote\tsrc\tdst\n#types\ttime\taddr\taddr\tenum\taddr\taddr\n\
                    1.0\t-\t-\tScan::Port_Scan\t192.0.2.1\t192.0.2.2\n#close\t2026\n";
        assert_eq!(said(Tool::Zeek, tabs), [claim("Scan::Port_Scan", Severity::Medium, "192.0.2.1 192.0.2.2")]);
        let json = r#"{"ts":1.0,"id.orig_h":"192.0.2.1","id.resp_h":"192.0.2.2","name":"bad_TCP_checksum","notice":false}"#;
        assert_eq!(said(Tool::Zeek, json), [claim("bad_TCP_checksum", Severity::Low, "192.0.2.1 192.0.2.2")]);
        assert!(said(Tool::Zeek, "").is_empty() && outputs(Tool::Zeek).read("what is this").is_err());
    }

    #[test]
    fn rows_of_rita_are_called_by_their_gravest_score() {
        let text = "Severity,Source IP,Destination IP,FQDN,Beacon Score,Long Connection Score,C2 Over DNS Score,Port:Proto:Service\n\
                    High,192.0.2.1,::,c2.example,0.9,0.1,0,\"443:tcp:ssl,80:tcp:http\"\nNone,192.0.2.1,192.0.2.2,,0,0,0,\"\"";
        assert_eq!(
            said(Tool::Rita, text),
            [claim("Beacon Score", Severity::High, "192.0.2.1 c2.example"), claim("modifiers", Severity::Info, "192.0.2.1 192.0.2.2")]
        );
        assert!(outputs(Tool::Rita).read("a,b\n1,2").expect_err("no such columns").contains("Severity"));
    }

    #[test]
    fn a_tool_and_its_folder_are_typed_as_one_word() {
        let outputs: Outputs = "zeek=logs/".parse().expect("a tool");
        assert_eq!((outputs.tool, outputs.folder), (Tool::Zeek, PathBuf::from("logs/")));
        assert!("snort=x".parse::<Outputs>().expect_err("no such tool").contains("suricata, zeek, rita"));
        assert!("zeek".parse::<Outputs>().expect_err("no folder").contains("TOOL=DIR"));
    }
}
