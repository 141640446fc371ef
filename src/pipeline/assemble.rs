//! The case and what was judged of it → one [`Report`]. Reads tables only, so that a report can be written again at will.

use super::Error;
use crate::detect::Detected;
use crate::incident::{Facts, Judged};
use crate::model::report::{Bucket, Claim, Coverage, DamageLine, Evidence, Host, Remark, RuleRun, Run, SetAside, Share, Traffic, Unusual};
use crate::model::{CapHit, Finding, FlowId, Report, Ts};
use crate::report::text::{count, thousands};
use duckdb::{Connection, Row};

/// Buckets of the traffic chart.
const MOST_BUCKETS: usize = 400;

/// Services whose payload nobody but the two ends can read.
const ENCRYPTED: &str = "['ssl', 'tls', 'ssh', 'quic', 'wireguard', 'openvpn', 'dtls', 'ipsec_ike_udp']";

/// What people said, as far as the report shows it.
#[derive(Default)]
pub struct Said {
    /// Findings put aside.
    pub set_aside: Vec<SetAside>,
    /// Comments.
    pub remarks: Vec<Remark>,
}
/// Anomalies that tell of the baseline, and of the capture alone.
const CHANGES: &str = "model IN ('novelty', 'baseline', 'gone')";
const UNLIKE: &str = "model IN ('self', 'ensemble') AND flagged";

/// Puts the report together.
pub fn assemble(db: &Connection, detected: Detected, judged: Judged, said: Said, run: Run, case: &str) -> Result<Report, Error> {
    let Detected { findings, runs: rules, .. } = detected;
    let mut coverage = coverage(db)?;
    let rules_with = |status: &str| rules.iter().filter(|rule| rule.status == status).count() as u64;
    coverage.rules_not_applicable = rules_with("not_applicable");
    coverage.rules_fired = rules_with("fired");
    coverage.rules_run = rules.len() as u64 - coverage.rules_not_applicable;
    coverage.blind_spots = blind_spots(&coverage, rules_with("failed"), &undecoded_links(db)?);
    coverage.set_aside = said.set_aside.len() as u64;
    if coverage.set_aside > 0 {
        coverage.blind_spots.push(format!("{} put aside by people, counted nowhere else.", count(coverage.set_aside, "finding")));
    }
    let hosts_total = one(db, "SELECT count(*) FROM hosts")?;
    let mut judged = judged;
    tell_claims(db, &mut judged.hosts)?;
    Ok(Report {
        case: case.into(),
        verdict: judged.verdict,
        coverage,
        hosts: judged.hosts,
        hosts_total,
        findings,
        // Notes may take findings out of them: they come when these are heeded.
        incidents: Vec::new(),
        timeline: judged.timeline,
        traffic: traffic(db)?,
        services: services(db)?,
        rules,
        evidence: evidence(db)?,
        damage: damage(db)?,
        weird: weird(db)?,
        prose: Vec::new(),
        set_aside: said.set_aside,
        remarks: said.remarks,
        changes: unusual(
            db,
            CHANGES,
            "array_position(['novelty', 'baseline', 'gone'], model), metric, score DESC, observed DESC, entity, flow_id",
            100,
        )?,
        changes_total: one(db, &format!("SELECT count(*) FROM anomalies WHERE {CHANGES}"))?,
        unusual: unusual(db, UNLIKE, "score DESC, model, metric, entity, flow_id", 20)?,
        notes: list(db, "SELECT message FROM system_logs WHERE source IN ('intel', 'geoip', 'baseline') LIMIT 100", |row| row.get(0))?,
        run,
    })
}

/// Rules of a finished case, and what became of them.
pub fn read_rules(db: &Connection) -> Result<Vec<RuleRun>, Error> {
    list(db, "SELECT id, title, tactic, array_to_string(attack, ','), sha256, status, findings, coalesce(why, '') FROM rules", |row| {
        let attack: String = row.get(3)?;
        Ok(RuleRun {
            id: row.get(0)?,
            title: row.get(1)?,
            tactic: row.get(2)?,
            attack: attack.split(',').filter(|id| !id.is_empty()).map(str::to_string).collect(),
            sha256: row.get(4)?,
            status: row.get(5)?,
            findings: number(row, 6)?,
            why: row.get(7)?,
        })
    })
}

/// What is known of every host.
pub fn host_facts(db: &Connection) -> Result<Facts, Error> {
    let hosts = list(
        db,
        "SELECT ip, internal, array_to_string(names[:5], chr(31)), array_to_string(macs[:3], chr(31)), flows, bytes_out, bytes_in, \
         coalesce((SELECT string_agg(role, chr(31) ORDER BY role) FROM host_role r WHERE r.ip = h.ip), '') FROM hosts h ORDER BY ip",
        |row| {
            let split = |text: Option<String>| split(&text.unwrap_or_default());
            Ok(Host {
                ip: row.get(0)?,
                internal: row.get::<_, Option<bool>>(1)?.unwrap_or(false),
                names: split(row.get(2)?),
                macs: split(row.get(3)?),
                flows: number(row, 4)?,
                bytes_out: number(row, 5)?,
                bytes_in: number(row, 6)?,
                roles: split(row.get(7)?),
                ..Host::default()
            })
        },
    )?;
    let frames = one(db, "SELECT coalesce(sum(frames), 0)::BIGINT FROM captures")?;
    let flows = one(db, "SELECT count(*) FROM flows")?;
    Ok(Facts { hosts, frames, flows, damaged: one(db, "SELECT count(*) FROM damage WHERE loses_evidence")? })
}

/// Hosts whose claims are told: as many as any report shows.
const CLAIMED_HOSTS: usize = 50;

/// What is claimed of the gravest hosts: of each kind the three best values, each by its best ground. Cases of earlier versions have none.
fn tell_claims(db: &Connection, hosts: &mut [Host]) -> Result<(), Error> {
    if one(db, "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'host_claims' AND column_name = 'ground'")? == 0 {
        return Ok(());
    }
    let kinds = "['name', 'user', 'os', 'model', 'vendor', 'domain', 'role', 'service', 'software', 'account', 'alias']";
    let sql = format!(
        "WITH best AS (
             SELECT *, row_number() OVER (PARTITION BY claim, value ORDER BY confidence DESC, times DESC, source, ground) AS place
             FROM host_claims WHERE ip = ? AND list_contains({kinds}, claim)
         ), few AS (
             SELECT *, row_number() OVER (PARTITION BY claim ORDER BY confidence DESC, times DESC, value) AS rank FROM best WHERE place = 1
         )
         SELECT claim, value, source, ground, said_by, confidence, frame FROM few WHERE rank <= 3
         ORDER BY list_position({kinds}, claim), rank LIMIT 12"
    );
    let mut statement = db.prepare(&sql)?;
    for host in hosts.iter_mut().take(CLAIMED_HOSTS) {
        let found = statement.query_map([&host.ip], |row| {
            Ok(Claim {
                claim: row.get(0)?,
                value: row.get(1)?,
                source: row.get(2)?,
                ground: row.get(3)?,
                said_by: row.get(4)?,
                confidence: row.get(5)?,
                frame: number(row, 6)?,
            })
        })?;
        host.claims = found.collect::<duckdb::Result<_>>()?;
    }
    Ok(())
}

/// A list that DuckDB joined with the unit separator.
fn split(joined: &str) -> Vec<String> {
    joined.split('\u{1f}').filter(|part| !part.is_empty()).map(str::to_string).collect()
}

/// Findings of a finished case, as stored.
pub fn read_findings(folder: &std::path::Path) -> Result<Vec<Finding>, Error> {
    let path = folder.join("findings.ndjson");
    let text = std::fs::read_to_string(&path).map_err(|error| Error::Read { what: path.display().to_string(), why: error.to_string() })?;
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).map_err(|error| Error::Read { what: path.display().to_string(), why: error.to_string() }))
        .collect()
}

fn coverage(db: &Connection) -> Result<Coverage, Error> {
    let mut c = Coverage::default();
    db.query_row(
        "SELECT coalesce(sum(bytes), 0)::BIGINT, coalesce(sum(frames), 0)::BIGINT, coalesce(sum(truncated_frames), 0)::BIGINT, \
         sum(reported_drops)::BIGINT, min(first_ts_ns), max(last_ts_ns) FROM captures",
        [],
        |row| {
            (c.bytes, c.frames, c.truncated_frames) = (number(row, 0)?, number(row, 1)?, number(row, 2)?);
            c.reported_drops = row.get::<_, Option<i64>>(3)?.map(i64::unsigned_abs);
            (c.first_ts, c.last_ts) = (row.get(4)?, row.get(5)?);
            Ok(())
        },
    )?;
    db.query_row(
        &format!(
            "SELECT count(*), \
             coalesce(sum(orig_payload_bytes + resp_payload_bytes), 0)::BIGINT, \
             coalesce(sum(orig_payload_bytes + resp_payload_bytes) FILTER (list_has_any(string_split(service, ','), {list})), 0)::BIGINT, \
             count(*) FILTER (two_way), count(*) FILTER (two_way AND one_sided), count(*) FILTER (midstream), \
             coalesce(sum(missed_bytes), 0)::BIGINT, coalesce(sum(orig_dup_pkts + resp_dup_pkts), 0)::BIGINT \
             FROM (SELECT *, proto = 'tcp' AND (orig_data_pkts > 0 OR resp_data_pkts > 0) AS two_way, orig_pkts = 0 OR resp_pkts = 0 AS one_sided \
                   FROM flows JOIN flow_shape USING (flow_id))",
            list = ENCRYPTED,
        ),
        [],
        |row| {
            (c.flows, c.payload_bytes, c.encrypted_bytes) = (number(row, 0)?, number(row, 1)?, number(row, 2)?);
            (c.two_way_flows, c.one_sided_flows, c.midstream_flows) = (number(row, 3)?, number(row, 4)?, number(row, 5)?);
            (c.missed_bytes, c.duplicate_frames) = (number(row, 6)?, number(row, 7)?);
            Ok(())
        },
    )?;
    c.decoded = one(db, "SELECT coalesce(sum(frames), 0)::BIGINT FROM packets_summary WHERE coalesce(reason, '') = ''")?;
    c.undecoded = list(
        db,
        "SELECT layer, reason, number, sum(frames)::BIGINT, sum(bytes)::BIGINT FROM packets_summary WHERE reason <> '' \
         GROUP BY ALL ORDER BY 4 DESC, 1, 2, 3 LIMIT 20",
        |row| {
            let (layer, reason, code): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get::<_, Option<i64>>(2)?.unwrap_or(0));
            Ok(Share {
                name: reason,
                count: number(row, 3)?,
                bytes: number(row, 4)?,
                note: if code == 0 { layer } else { format!("{layer} {code}") },
            })
        },
    )?;
    c.damaged = one(db, "SELECT count(*) FROM damage WHERE loses_evidence")?;
    c.caps = list(
        db,
        "SELECT source, message, sum(count)::BIGINT FROM system_logs WHERE level = 'cap' GROUP BY ALL ORDER BY source, message",
        |row| {
            let limit: String = row.get(1)?;
            Ok(CapHit { cap: row.get(0)?, limit: limit.parse().unwrap_or(0), hits: number(row, 2)? })
        },
    )?;
    Ok(c)
}

/// What this capture cannot show, in sentences, gravest first.
fn blind_spots(c: &Coverage, rules_failed: u64, links: &[String]) -> Vec<String> {
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 };
    let mut said = Vec::new();
    if c.frames == 0 {
        said.push("No frame could be read: nothing can be said about this network.".into());
    }
    if c.damaged > 0 {
        said.push(format!("The evidence is damaged in {} place(s); what was lost there cannot be judged.", c.damaged));
    }
    if rules_failed > 0 {
        said.push(format!("{} failed to run; see the list of rules.", count(rules_failed, "rule")));
    }
    if !links.is_empty() {
        said.push(format!("Frames of link type {} are counted but not decoded.", links.join(", ")));
    }
    let undecoded = c.frames.saturating_sub(c.decoded);
    if share(undecoded, c.frames) >= 5.0 {
        said.push(format!("{:.0} % of the frames were not decoded up to the transport layer.", share(undecoded, c.frames)));
    }
    if c.two_way_flows >= 5 && share(c.one_sided_flows, c.two_way_flows) > 30.0 {
        let part = share(c.one_sided_flows, c.two_way_flows);
        said.push(format!("Only one direction was captured in {part:.0} % of the conversations: failures and answers cannot be told."));
    }
    if share(c.truncated_frames, c.frames) >= 5.0 {
        let part = share(c.truncated_frames, c.frames);
        said.push(format!("{part:.0} % of the frames were cut by the capturing program: their contents are partly unseen."));
    }
    if c.reported_drops.is_some_and(|drops| drops > 0) {
        said.push(format!("The capturing program reported {} dropped packets.", c.reported_drops.unwrap_or(0)));
    }
    if c.missed_bytes > 0 && share(c.missed_bytes, c.payload_bytes + c.missed_bytes) >= 1.0 {
        said.push(format!(
            "{:.0} % of the TCP payload is missing from the capture.",
            share(c.missed_bytes, c.payload_bytes + c.missed_bytes)
        ));
    }
    if share(c.encrypted_bytes, c.payload_bytes) >= 20.0 {
        let part = share(c.encrypted_bytes, c.payload_bytes);
        said.push(format!("{part:.0} % of the payload is encrypted: judged by names, fingerprints, sizes and times only."));
    }
    for cap in &c.caps {
        let (limit, times) = (thousands(cap.limit), count(cap.hits, "time"));
        said.push(format!("The cap {} of {limit} was reached {times}: what did not fit was let go.", cap.cap));
    }
    said
}

/// Link types of frames that could not be read at all.
fn undecoded_links(db: &Connection) -> Result<Vec<String>, Error> {
    list(db, "SELECT DISTINCT number FROM packets_summary WHERE reason = 'unknown_link_type' ORDER BY 1", |row| {
        Ok(row.get::<_, i64>(0)?.to_string())
    })
}

fn traffic(db: &Connection) -> Result<Traffic, Error> {
    let rows = list(db, "SELECT ts_ns, bucket_ns, frames, bytes, flows FROM statistics ORDER BY ts_ns", |row| {
        let bucket = Bucket { frames: number(row, 2)?, bytes: number(row, 3)?, flows: number(row, 4)? };
        Ok((row.get::<_, Ts>(0)?, row.get::<_, i64>(1)?, bucket))
    })?;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Traffic::default()) };
    let width = first.1.max(1);
    let span = last.0.saturating_sub(first.0) / width + 1;
    let merge = (span as u64).div_ceil(MOST_BUCKETS as u64).max(1) as i64;
    let bucket_ns = width.saturating_mul(merge);
    let mut buckets = vec![Bucket::default(); (span as u64).div_ceil(merge as u64) as usize];
    for (ts, _, counts) in &rows {
        let index = (ts.saturating_sub(first.0) / bucket_ns) as usize;
        if let Some(bucket) = buckets.get_mut(index) {
            bucket.frames += counts.frames;
            bucket.bytes += counts.bytes;
            bucket.flows += counts.flows;
        }
    }
    Ok(Traffic { bucket_ns, from_ns: first.0, buckets })
}

fn services(db: &Connection) -> Result<Vec<Share>, Error> {
    list(
        db,
        "SELECT coalesce(nullif(service, ''), proto || ' (not recognised)') AS name, count(*), \
         coalesce(sum(orig_ip_bytes + resp_ip_bytes), 0)::BIGINT AS bytes FROM flows GROUP BY ALL ORDER BY bytes DESC, name LIMIT 20",
        |row| Ok(Share { name: row.get(0)?, count: number(row, 1)?, bytes: number(row, 2)?, note: String::new() }),
    )
}

fn evidence(db: &Connection) -> Result<Vec<Evidence>, Error> {
    list(
        db,
        "SELECT capture_id, path, format, compression, bytes, sha256, blake3, frames, first_ts_ns, last_ts_ns, \
         array_to_string(links, chr(31)), array_to_string(also_at, chr(31)) FROM captures ORDER BY capture_id",
        |row| {
            let text = |at| row.get::<_, Option<String>>(at).map(Option::unwrap_or_default);
            let format = [text(2)?, text(3)?].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
            Ok(Evidence {
                id: row.get::<_, i32>(0)?.unsigned_abs(),
                path: text(1)?,
                format,
                bytes: number(row, 4)?,
                sha256: text(5)?,
                blake3: text(6)?,
                frames: number(row, 7)?,
                first_ts: row.get(8)?,
                last_ts: row.get(9)?,
                links: split(&text(10)?),
                also_at: split(&text(11)?),
            })
        },
    )
}

fn damage(db: &Connection) -> Result<Vec<DamageLine>, Error> {
    list(
        db,
        "SELECT path, after_frame, \"offset\", kind, detail FROM damage JOIN captures USING (capture_id) ORDER BY capture_id, \"offset\", kind, detail LIMIT 200",
        |row| {
            Ok(DamageLine {
                path: row.get(0)?,
                after_frame: number(row, 1)?,
                offset: number(row, 2)?,
                kind: row.get(3)?,
                detail: row.get(4)?,
            })
        },
    )
}

fn weird(db: &Connection) -> Result<Vec<Share>, Error> {
    list(db, "SELECT name, sum(count)::BIGINT AS times, min(frame) FROM weird GROUP BY name ORDER BY times DESC, name LIMIT 50", |row| {
        Ok(Share { name: row.get(0)?, count: number(row, 1)?, bytes: 0, note: format!("first in frame {}", row.get::<_, i64>(2)?) })
    })
}

fn unusual(db: &Connection, which: &str, order: &str, most: usize) -> Result<Vec<Unusual>, Error> {
    // A host that does the same strange thing two hundred times is one line.
    let sql = format!(
        "SELECT model, coalesce(metric, ''), coalesce(says, ''), ts_ns, flow_id, score, times FROM (
             SELECT anomalies.*, count(*) OVER alike AS times,
                 row_number() OVER (alike ORDER BY score DESC, anomalies.ts_ns, flow_id) AS place
             FROM anomalies LEFT JOIN flows USING (flow_id)
             WHERE {which}
             WINDOW alike AS (PARTITION BY model, metric, entity, id_orig_h, id_resp_h, id_resp_p)
         ) WHERE place = 1 ORDER BY {order} LIMIT {most}"
    );
    list(db, &sql, |row| {
        let flow = row.get::<_, Option<i64>>(4)?.map(|flow| FlowId(flow.unsigned_abs()).to_string());
        let times = number(row, 6)?;
        let says: String = row.get(2)?;
        Ok(Unusual {
            model: row.get(0)?,
            metric: row.get(1)?,
            says: if times > 1 { format!("{says}; {times} times") } else { says },
            ts_ns: row.get(3)?,
            flow,
            score: row.get::<_, Option<f64>>(5)?.unwrap_or(0.0),
        })
    })
}

fn number(row: &Row<'_>, at: usize) -> duckdb::Result<u64> {
    Ok(row.get::<_, Option<i64>>(at)?.unwrap_or(0).unsigned_abs())
}

fn one(db: &Connection, sql: &str) -> Result<u64, Error> {
    Ok(db.query_row(sql, [], |row| number(row, 0))?)
}

fn list<T>(db: &Connection, sql: &str, read: impl FnMut(&Row<'_>) -> duckdb::Result<T>) -> Result<Vec<T>, Error> {
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<duckdb::Result<Vec<T>>>()?)
}
