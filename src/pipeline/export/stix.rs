//! A STIX 2.1 bundle: what was seen as observed data, what it means as attack patterns and sightings, what can be looked for as
//! indicators. Every id follows from content, so that the same case gives the same bundle, and other cases the same addresses.

use super::navigator::is_technique;
use crate::model::{Finding, Outcome, Report, Severity, Ts};
use crate::pipeline::Error;
use crate::store::{Cell, query};
use chrono::DateTime;
use duckdb::Connection;
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Namespace of observables, STIX 2.1 section 2.9: 00abedb4-aa42-466c-9c01-fed23315a9b7.
const OBSERVABLES: u128 = 0x00abedb4_aa42_466c_9c01_fed23315a9b7;
/// Namespace of everything else that vigil writes; the standard forbids the one above for it.
const OURS: u128 = 0x6f1c_1c5e_3a0b_5d0f_9a55_7669_6769_6c01;
/// Flows of a finding that become network traffic; the case has the others.
const FLOWS: usize = 20;
/// Hosts of one side of a finding that become observables.
const HOSTS: usize = 50;

/// Objects by id, in the order in which they are added.
#[derive(Default)]
struct Bundle {
    order: Vec<String>,
    objects: BTreeMap<String, Value>,
}

impl Bundle {
    /// Adds an object and returns its id. One that is there already stays as it is.
    fn add(&mut self, object: Value) -> String {
        let id = object["id"].as_str().unwrap_or_default().to_owned();
        if !self.objects.contains_key(&id) {
            self.order.push(id.clone());
            self.objects.insert(id.clone(), object);
        }
        id
    }

    fn finish(mut self, id: String) -> Value {
        let objects: Vec<Value> = self.order.iter().filter_map(|id| self.objects.remove(id)).collect();
        json!({ "type": "bundle", "id": id, "objects": objects })
    }
}

/// The bundle of a report.
pub(super) fn bundle(db: &Connection, report: &Report) -> Result<Value, Error> {
    let key = super::case_key(report);
    let made = report.coverage.last_ts.or(report.coverage.first_ts).unwrap_or(0);
    let mut all = Bundle::default();
    let author = all.add(object(
        "identity",
        &key_of(&["vigil"]),
        0,
        None,
        json!({ "name": "vigil", "identity_class": "system", "description": "Offline-first forensic pcap analyzer" }),
    ));
    let mut told = Vec::new();
    for finding in &report.findings {
        told.extend(one(db, &mut all, report, finding, &key, &author)?);
    }
    if !told.is_empty() {
        told.sort();
        told.dedup();
        let fields = json!({
            "name": format!("vigil: {}", report.case),
            "description": report.verdict.line,
            "report_types": ["observed-data"],
            "published": time(made),
            "object_refs": told,
        });
        all.add(object("report", &key_of(&[&key, "report"]), made, Some(&author), fields));
    }
    Ok(all.finish(format!("bundle--{}", uuid(OURS, &key_of(&[&key, "bundle"])))))
}

/// All that one finding becomes.
fn one(db: &Connection, all: &mut Bundle, report: &Report, it: &Finding, key: &str, author: &str) -> Result<Vec<String>, Error> {
    let mut seen = Vec::new();
    for name in it.actors.iter().take(HOSTS).chain(it.targets.iter().take(HOSTS)) {
        seen.extend(observable(name).map(|object| all.add(object)));
    }
    for user in it.users.iter().take(HOSTS) {
        seen.push(all.add(observed("user-account", &[("account_login", json!(user))], &[])));
    }
    for field in ["sha256", "domain"] {
        if let Some(text) = it.evidence.get(field).and_then(Value::as_str) {
            seen.extend(named(field, text).map(|object| all.add(object)));
        }
    }
    seen.extend(traffic(db, all, it)?);
    seen.sort();
    seen.dedup();
    let mut made = seen.clone();
    let place = [key, &it.key];
    let mut sources = Vec::new();
    if !seen.is_empty() {
        let fields = json!({
            "first_observed": time(it.first_ns),
            "last_observed": time(it.last_ns),
            "number_observed": it.folded.clamp(1, 999_999_999),
            "object_refs": seen,
        });
        sources.push(all.add(object(
            "observed-data",
            &key_of(&[&place[..], &["observed"][..]].concat()),
            it.last_ns,
            Some(author),
            fields,
        )));
    }
    let patterns: Vec<String> = it.attack.iter().filter(|id| is_technique(id)).map(|id| all.add(attack_pattern(id))).collect();
    let indicators = indicators(all, report, it, &place, author);
    for indicator in &indicators {
        for pattern in &patterns {
            let fields = json!({ "relationship_type": "indicates", "source_ref": indicator, "target_ref": pattern });
            made.push(all.add(object(
                "relationship",
                &key_of(&[indicator.as_str(), "indicates", pattern.as_str()]),
                it.last_ns,
                Some(author),
                fields,
            )));
        }
    }
    for about in patterns.iter().take(1).chain(&indicators) {
        let fields = json!({
            "first_seen": time(it.first_ns),
            "last_seen": time(it.last_ns),
            "count": it.folded.clamp(1, 999_999_999),
            "sighting_of_ref": about,
            "observed_data_refs": sources,
            "where_sighted_refs": [author],
            "description": format!("{}: {}", it.id, it.says),
            "confidence": (it.confidence * 100.0).round() as i64,
        });
        made.push(all.add(object(
            "sighting",
            &key_of(&[&place[..], &["sighting", about.as_str()][..]].concat()),
            it.last_ns,
            Some(author),
            fields,
        )));
    }
    made.extend(sources);
    made.extend(patterns);
    made.extend(indicators);
    Ok(made)
}

/// What others can look for: outside hosts and files of what is grave enough and did happen.
fn indicators(all: &mut Bundle, report: &Report, it: &Finding, place: &[&str], author: &str) -> Vec<String> {
    if it.severity < Severity::Medium || it.outcome == Outcome::BenignTrigger {
        return Vec::new();
    }
    let inside = |ip: &String| report.hosts.iter().find(|host| host.ip == *ip).is_some_and(|host| host.internal);
    let mut patterns = Vec::new();
    for name in it.actors.iter().chain(&it.targets).filter(|name| !inside(name)).take(HOSTS) {
        match name.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) if is_public(IpAddr::V4(ip)) => patterns.push(("ipv4-addr:value", ip.to_string())),
            Ok(IpAddr::V6(ip)) if is_public(IpAddr::V6(ip)) => patterns.push(("ipv6-addr:value", ip.to_string())),
            _ => {}
        }
    }
    let field = |name: &str| it.evidence.get(name).and_then(Value::as_str).map(str::to_owned);
    patterns.extend(field("domain").filter(|name| is_domain(name)).map(|name| ("domain-name:value", name)));
    patterns.extend(field("sha256").filter(|hash| is_sha256(hash)).map(|hash| ("file:hashes.'SHA-256'", hash)));
    let indicator = |(path, value): (&str, String)| {
        let fields = json!({
            "name": format!("{value}: {}", it.title),
            "description": it.says,
            "indicator_types": ["malicious-activity"],
            "pattern": format!("[{path} = '{}']", value.replace('\\', "\\\\").replace('\'', "\\'")),
            "pattern_type": "stix",
            "pattern_version": "2.1",
            "valid_from": time(it.first_ns),
            "confidence": (it.confidence * 100.0).round() as i64,
        });
        object("indicator", &key_of(&[place, &[path, value.as_str()][..]].concat()), it.last_ns, Some(author), fields)
    };
    patterns.into_iter().map(|pattern| all.add(indicator(pattern))).collect()
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_broadcast() || ip.is_multicast() || ip.is_unspecified())
        }
        IpAddr::V6(ip) => {
            !(ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || ip.is_unique_local() || ip.is_unicast_link_local())
        }
    }
}

fn is_domain(name: &str) -> bool {
    name.contains('.') && name.len() <= 253 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// An attack pattern is the same in all cases.
fn attack_pattern(id: &str) -> Value {
    let url = format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/"));
    let words = crate::narrate::technique(id);
    let fields = json!({ "name": words, "external_references": [{ "source_name": "mitre-attack", "external_id": id, "url": url }] });
    object("attack-pattern", &key_of(&["attack", id]), 0, None, fields)
}

/// The observable of an address, hardware or name.
fn observable(name: &str) -> Option<Value> {
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => Some(observed("ipv4-addr", &[("value", json!(ip.to_string()))], &[])),
        Ok(IpAddr::V6(ip)) => Some(observed("ipv6-addr", &[("value", json!(ip.to_string()))], &[])),
        Err(_) if name.len() == 17 && name.split(':').count() == 6 => {
            Some(observed("mac-addr", &[("value", json!(name.to_lowercase()))], &[]))
        }
        Err(_) => named("domain", name),
    }
}

fn named(field: &str, text: &str) -> Option<Value> {
    match field {
        "sha256" if is_sha256(text) => Some(observed("file", &[("hashes", json!({ "SHA-256": text.to_lowercase() }))], &[])),
        "domain" if is_domain(text) => Some(observed("domain-name", &[("value", json!(text))], &[])),
        _ => None,
    }
}

/// Flows of a finding as network traffic.
fn traffic(db: &Connection, all: &mut Bundle, it: &Finding) -> Result<Vec<String>, Error> {
    let ids: Vec<u64> = it.flows.iter().filter_map(|id| id.parse::<crate::model::FlowId>().ok()).map(|id| id.0).take(FLOWS).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let listed = ids.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let rows = query(
        db,
        &format!(
            "SELECT id_orig_h, id_orig_p, id_resp_h, id_resp_p, proto, coalesce(service, ''), ts_ns, last_ts_ns, orig_ip_bytes, resp_ip_bytes, \
             orig_pkts, resp_pkts FROM flows WHERE flow_id IN ({listed}) ORDER BY flow_id"
        ),
    )?;
    Ok(rows.rows.iter().filter_map(|row| flow(all, row)).collect())
}

fn flow(all: &mut Bundle, row: &[Cell]) -> Option<String> {
    let text = |at: usize| row.get(at).map(Cell::to_string).unwrap_or_default();
    let int = |at: usize| row.get(at).and_then(|cell| if let Cell::Int(n) = cell { i64::try_from(*n).ok() } else { None });
    let (from, to) = (all.add(observable(&text(0))?), all.add(observable(&text(2))?));
    let network = if text(0).contains(':') { "ipv6" } else { "ipv4" };
    let mut protocols = vec![network.to_owned(), text(4).to_lowercase()];
    protocols.extend(text(5).split(',').filter(|service| !service.is_empty()).map(str::to_lowercase));
    let mut contributing = vec![
        ("start", json!(time(int(6)?))),
        ("end", json!(time(int(7)?))),
        ("src_ref", json!(from)),
        ("dst_ref", json!(to)),
        ("protocols", json!(protocols)),
    ];
    if matches!(text(4).as_str(), "tcp" | "udp" | "sctp") {
        contributing.extend([("src_port", json!(int(1)?)), ("dst_port", json!(int(3)?))]);
    }
    // Written with all digits, unlike in the id: validators compare times as texts, in which `.5Z` comes before `Z`.
    let whole = |at: usize| Some(json!(DateTime::from_timestamp_nanos(int(at)?).format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()));
    let mut more = vec![("is_active", json!(false)), ("start", whole(6)?), ("end", whole(7)?)];
    for (name, at) in [("src_byte_count", 8), ("dst_byte_count", 9), ("src_packets", 10), ("dst_packets", 11)] {
        more.extend(int(at).map(|n| (name, json!(n))));
    }
    Some(all.add(observed("network-traffic", &contributing, &more)))
}

/// An observable: its id follows from the properties that the standard names, as canonical JSON.
fn observed(kind: &str, contributing: &[(&str, Value)], more: &[(&str, Value)]) -> Value {
    let fields: BTreeMap<&str, &Value> = contributing.iter().map(|(name, value)| (*name, value)).collect();
    // Keys sorted, no blanks: RFC 8785 for what stands here, which has no fractions.
    let canonical = serde_json::to_string(&fields).unwrap_or_default();
    let mut object = Map::new();
    object.insert("type".into(), kind.into());
    object.insert("spec_version".into(), "2.1".into());
    object.insert("id".into(), format!("{kind}--{}", uuid(OBSERVABLES, &canonical)).into());
    for (name, value) in contributing.iter().chain(more) {
        object.insert((*name).into(), value.clone());
    }
    Value::Object(object)
}

/// A domain object or relationship. `made` is capture time: the wall clock would give other bytes each time.
fn object(kind: &str, key: &str, made: Ts, author: Option<&str>, fields: Value) -> Value {
    let mut object = Map::new();
    object.insert("type".into(), kind.into());
    object.insert("spec_version".into(), "2.1".into());
    object.insert("id".into(), format!("{kind}--{}", uuid(OURS, &format!("{kind} {key}"))).into());
    for name in ["created", "modified"] {
        object.insert(name.into(), DateTime::from_timestamp_nanos(made.max(0)).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into());
    }
    if let Some(author) = author {
        object.insert("created_by_ref".into(), author.into());
    }
    if let Value::Object(fields) = fields {
        object.extend(fields);
    }
    Value::Object(object)
}

/// Parts of a key with something between that none of them holds.
fn key_of(parts: &[&str]) -> String {
    parts.join("\u{1f}")
}

/// RFC 3339 without zeros at the end of a fraction: ids follow from the text, and others write it so.
fn time(ts: Ts) -> String {
    let text = DateTime::from_timestamp_nanos(ts).format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    format!("{}Z", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A version 5 UUID (RFC 9562 5.5): SHA-1 of namespace and name.
fn uuid(namespace: u128, name: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(namespace.to_be_bytes());
    hash.update(name.as_bytes());
    let mut number = hash.finalize().iter().take(16).fold(0u128, |number, byte| (number << 8) | u128::from(*byte));
    number = number & !(0xf << 76) | (0x5 << 76);
    number = number & !(0x3 << 62) | (0x2 << 62);
    let hex = format!("{number:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_those_of_the_standard() {
        // RFC 9562 appendix A.4: the name www.example.com in the namespace of DNS.
        assert_eq!(uuid(0x6ba7b810_9dad_11d1_80b4_00c04fd430c8, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }

    #[test]
    fn an_address_has_the_same_id_everywhere() {
        let (one, other) = (observable("198.51.100.3").unwrap(), observable("198.51.100.3").unwrap());
        assert_eq!(one, other);
        assert_eq!(one["type"], "ipv4-addr");
        assert_ne!(one["id"], observable("198.51.100.4").unwrap()["id"]);
    }
}
