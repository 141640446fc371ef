//! Suricata's EVE: one record per flow, one alert per finding, in order of time. Field names and shapes as in Suricata's own schema.

use super::{MEMORY, unwritable};
use crate::model::{Finding, Report, Severity, Ts};
use crate::pipeline::Error;
use crate::store::{self, Cell, query, query_each};
use chrono::DateTime;
use duckdb::Connection;
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// What a flow says of itself in an alert or a flow record.
const FLOWS: &str = "SELECT f.ts_ns, f.last_ts_ns, f.flow_id, f.id_orig_h AS src_ip, f.id_orig_p AS src_port, f.id_resp_h AS dest_ip, \
    f.id_resp_p AS dest_port, e.proto, e.app_proto, f.community_id, f.vlan, e.\"flow.pkts_toserver\", e.\"flow.pkts_toclient\", \
    e.\"flow.bytes_toserver\", e.\"flow.bytes_toclient\", e.\"flow.age\", e.\"flow.state\", e.\"flow.reason\" \
    FROM flows f JOIN eve_flow e USING (flow_id)";

/// Writes flows and alerts; returns what was written.
pub(super) fn write(folder: &Path, report: &Report, out: &mut impl Write, path: &Path) -> Result<String, Error> {
    let case = store::open_read_only(folder, MEMORY, 1)?;
    let db = case.connection();
    let alerts = alerts(db, report)?;
    let alerted: std::collections::BTreeSet<&str> = report.findings.iter().flat_map(|it| &it.flows).map(String::as_str).collect();
    let (mut waiting, mut flows, mut failed) = (alerts.iter().peekable(), 0u64, None);
    let names = query_each(db, &format!("{FLOWS} ORDER BY f.ts_ns, f.flow_id"), |names, row| {
        let flow = Row { names, row: &row };
        let started = flow.int("ts_ns") as Ts;
        let mut lines = Vec::new();
        while let Some((_, alert)) = waiting.next_if(|(ts, _)| *ts <= started) {
            lines.push(alert.clone());
        }
        lines.push(record(&flow, &alerted));
        flows += 1;
        for line in lines {
            writeln!(out, "{line}").map_err(|error| {
                let stop = store::StoreError::File { doing: "write", path: path.into(), source: error.kind().into() };
                failed = Some(error);
                stop
            })?;
        }
        Ok(())
    });
    if let Some(error) = failed {
        return Err(unwritable(path, error));
    }
    names?;
    for (_, alert) in waiting {
        writeln!(out, "{alert}").map_err(|error| unwritable(path, error))?;
    }
    out.flush().map_err(|error| unwritable(path, error))?;
    Ok(format!("{flows} flows, {} alerts", alerts.len()))
}

/// A row with its names.
struct Row<'a> {
    names: &'a [String],
    row: &'a [Cell],
}

impl Row<'_> {
    fn cell(&self, name: &str) -> Option<&Cell> {
        self.names.iter().position(|known| known == name).and_then(|at| self.row.get(at))
    }

    fn int(&self, name: &str) -> i64 {
        match self.cell(name) {
            Some(Cell::Int(n)) => i64::try_from(*n).unwrap_or(0),
            _ => 0,
        }
    }

    fn json(&self, name: &str) -> Value {
        self.cell(name).map_or(Value::Null, Cell::to_json)
    }
}

/// `2026-01-01T00:00:00.000000+0000`, as Suricata writes it.
fn time(ts: Ts) -> String {
    DateTime::from_timestamp_nanos(ts).format("%Y-%m-%dT%H:%M:%S%.6f+0000").to_string()
}

/// What alerts and flows have in common.
fn common(flow: &Row<'_>) -> Map<String, Value> {
    let mut fields = Map::new();
    for name in ["flow_id", "src_ip", "src_port", "dest_ip", "dest_port", "proto", "app_proto", "community_id"] {
        fields.insert(name.into(), flow.json(name));
    }
    // ICMP has no ports.
    if flow.json("proto").as_str().is_some_and(|proto| proto.starts_with("ICMP") || proto.starts_with("IPV6-ICMP")) {
        fields.remove("src_port");
        fields.remove("dest_port");
    }
    if let Some(Cell::Int(vlan)) = flow.cell("vlan") {
        fields.insert("vlan".into(), json!([vlan.to_string().parse::<u32>().unwrap_or(0)]));
    }
    fields
}

/// Counts of a flow, as both kinds of record have them.
fn counts(flow: &Row<'_>) -> Map<String, Value> {
    let mut fields = Map::new();
    for name in ["pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient"] {
        fields.insert(name.into(), flow.json(&format!("flow.{name}")));
    }
    fields.insert("start".into(), time(flow.int("ts_ns")).into());
    fields
}

fn record(flow: &Row<'_>, alerted: &std::collections::BTreeSet<&str>) -> Value {
    let mut fields = common(flow);
    let mut about = counts(flow);
    about.insert("end".into(), time(flow.int("last_ts_ns")).into());
    for name in ["age", "state", "reason"] {
        about.insert(name.into(), flow.json(&format!("flow.{name}")));
    }
    let id = crate::model::FlowId(flow.int("flow_id").unsigned_abs()).to_string();
    about.insert("alerted".into(), alerted.contains(id.as_str()).into());
    fields.insert("timestamp".into(), time(flow.int("ts_ns")).into());
    fields.insert("event_type".into(), "flow".into());
    fields.insert("flow".into(), about.into());
    Value::Object(fields)
}

/// Alerts in order of time, each with its first flow.
fn alerts(db: &Connection, report: &Report) -> Result<Vec<(Ts, Value)>, Error> {
    let first = "SELECT finding_id, min(flow_id) AS flow_id FROM finding_flows GROUP BY finding_id";
    let table = query(db, &format!("SELECT first.finding_id, all_flows.* FROM ({first}) first JOIN ({FLOWS}) all_flows USING (flow_id)"))?;
    let flows: BTreeMap<String, &Vec<Cell>> = table.rows.iter().filter_map(|row| Some((row.first()?.to_string(), row))).collect();
    let mut alerts: Vec<(Ts, Value)> = report
        .findings
        .iter()
        .map(|it| {
            let flow = flows.get(&it.id).map(|row| Row { names: &table.names, row });
            (it.first_ns, alert(it, flow))
        })
        .collect();
    alerts.sort_by_key(|(ts, _)| *ts);
    Ok(alerts)
}

fn alert(it: &Finding, flow: Option<Row<'_>>) -> Value {
    let mut fields = flow.as_ref().map(common).unwrap_or_default();
    if flow.is_none() {
        fields.insert("src_ip".into(), json!(it.actors.first()));
        fields.insert("dest_ip".into(), json!(it.targets.first()));
    }
    fields.insert("timestamp".into(), time(it.first_ns).into());
    fields.insert("event_type".into(), "alert".into());
    fields.insert("pcap_cnt".into(), json!(it.frames.first()));
    if let Some(flow) = &flow {
        fields.insert("flow".into(), counts(flow).into());
    }
    let alert = json!({
        "action": "allowed",
        "gid": 1,
        "signature_id": signature_id(&it.rule),
        "rev": 1,
        "signature": format!("vigil {}: {}", it.rule, it.title),
        "category": it.tactic,
        "severity": severity(it.severity),
        "source": it.actors.first().map(|ip| json!({ "ip": ip })),
        "target": it.targets.first().map(|ip| json!({ "ip": ip })),
        "metadata": {
            "finding": [it.id],
            "says": [it.says],
            "confidence": [format!("{:.2}", it.confidence)],
            "risk": [format!("{:.0}", it.risk)],
            "outcome": [it.outcome.name()],
            "mitre_technique_id": it.attack,
            "mitre_tactic_name": [it.tactic],
        },
    });
    fields.insert("alert".into(), without_null(alert));
    without_null(Value::Object(fields))
}

/// Suricata leaves out what it does not know.
fn without_null(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}

/// Suricata knows 1 (high) to 4.
fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Critical | Severity::High => 1,
        Severity::Medium => 2,
        Severity::Low => 3,
        Severity::Info => 4,
    }
}

/// A number that follows from the rule's name, outside of the ranges that are given out (below 1,000,000 to 3,999,999).
fn signature_id(rule: &str) -> u32 {
    let hash = Sha1::digest(rule.as_bytes());
    let number = hash.iter().take(4).fold(0u32, |number, byte| (number << 8) | u32::from(*byte));
    1_000_000_000 + number % 1_000_000_000
}
