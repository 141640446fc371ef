//! What a case shows: its tables → a profile.

use super::profile::{Profile, Seen};
use super::sketch::{BIN, Sketch};
use super::{OF_FLOWS, OF_WINDOWS, WINDOW_S};
use crate::detect::{Error, Result};
use crate::model::Ts;
use crate::model::time::SECOND;
use duckdb::{Connection, Row};
use std::collections::BTreeSet;

/// Windows of hosts that are read at most.
const MOST_WINDOWS: usize = 500_000;
/// Things of a kind that are read at most.
const MOST_THINGS: usize = 200_000;
/// What counts of an observation of a host that rules found at something.
const SUSPECT_WEIGHT: f64 = 0.01;

/// What one host did in one window.
pub struct Window {
    /// Address.
    pub ip: String,
    /// What it is for, or `client`.
    pub role: String,
    /// Start.
    pub start_ns: Ts,
    /// Measures, in the order of [`OF_WINDOWS`].
    pub values: Vec<f64>,
    /// Its first flow.
    pub flow: i64,
}

impl Window {
    /// Hour of the week in which it starts, from Thursday (1970-01-01 was one), UTC.
    pub fn hour(&self) -> i64 {
        self.start_ns.div_euclid(3_600 * SECOND).rem_euclid(168)
    }
}

/// Something that was seen.
pub struct Thing {
    /// `host`, `service`, `destination`, `fingerprint`.
    pub kind: &'static str,
    /// What.
    pub name: String,
    /// When and how often.
    pub seen: Seen,
    /// A host that had to do with it.
    pub who: String,
    /// How many had.
    pub hosts: i64,
    /// Its first flow.
    pub flow: Option<i64>,
}

/// Everything in a case that a profile is made of, learnt with care where `suspects` are concerned.
pub fn observe(db: &Connection, suspects: &[String]) -> Result<Profile> {
    let mut profile = measures(db, suspects)?;
    for thing in things(db)? {
        profile.see(thing.kind, &thing.name, thing.seen);
    }
    Ok(profile)
}

/// The measures alone: all that a capture needs to be held against itself.
pub fn measures(db: &Connection, suspects: &[String]) -> Result<Profile> {
    let mut profile = Profile::new();
    let (first, last): (Option<Ts>, Option<Ts>) =
        one(db, "SELECT min(ts_ns), max(last_ts_ns) FROM flows", |row| Ok((row.get(0)?, row.get(1)?)))?;
    profile.span = first.zip(last);
    profile.evidence =
        many(db, "SELECT coalesce(sha256, blake3) FROM captures WHERE coalesce(sha256, blake3) IS NOT NULL", |row| row.get(0))?
            .into_iter()
            .collect::<BTreeSet<String>>();
    for window in windows(db)? {
        let weight = if suspects.contains(&window.ip) { SUSPECT_WEIGHT } else { 1.0 };
        profile.days.insert(window.start_ns.div_euclid(86_400 * SECOND));
        let groups = [
            format!("host {}", window.ip),
            format!("role {}", window.role),
            format!("role {} hour {}", window.role, window.hour()),
            "all".into(),
        ];
        for group in groups {
            let measures = profile.windows.entry(group).or_default();
            for ((name, ..), value) in OF_WINDOWS.iter().zip(&window.values) {
                measures.entry((*name).into()).or_default().add(Sketch::bin(*value), weight);
            }
        }
    }
    for (names, measure, bin, weight) in flow_bins(db, suspects)? {
        for group in names.groups() {
            profile.flows.entry(group).or_default().entry(measure.clone()).or_default().add(bin, weight);
        }
    }
    Ok(profile)
}

/// What hosts of ours did, window by window.
pub fn windows(db: &Connection) -> Result<Vec<Window>> {
    let sql = format!(
        "WITH done AS (
             SELECT id_orig_h AS ip, ts_ns // {width} AS slot, count(*) AS flows, count(DISTINCT id_resp_h) AS peers,
                    count(DISTINCT id_resp_p) AS ports,
                    count(*) FILTER (proto = 'tcp' AND conn_state IN ('S0', 'REJ', 'RSTOS0', 'RSTRH', 'SH', 'SHR')) AS failures,
                    sum(orig_ip_bytes)::DOUBLE AS bytes_out, sum(resp_ip_bytes)::DOUBLE AS bytes_in, min(flow_id) AS flow
             FROM flows WHERE local_orig GROUP BY ip, slot
         ), missing AS (
             SELECT id_orig_h AS ip, ts_ns // {width} AS slot, count(DISTINCT query) AS missing_names
             FROM dns WHERE rcode_name = 'NXDOMAIN' GROUP BY ip, slot
         ), roles AS (SELECT ip, min(role) AS role FROM host_role GROUP BY ip)
         SELECT ip, coalesce(role, 'client'), slot * {width}, flow, flows::DOUBLE, peers::DOUBLE, ports::DOUBLE, failures::DOUBLE,
                coalesce(missing_names, 0)::DOUBLE, bytes_out, bytes_in
         FROM done LEFT JOIN missing USING (ip, slot) LEFT JOIN roles USING (ip) ORDER BY ip, slot LIMIT {MOST_WINDOWS}",
        width = WINDOW_S * SECOND
    );
    many(db, &sql, |row| {
        let values = (0..OF_WINDOWS.len()).map(|measure| row.get(4 + measure)).collect::<duckdb::Result<_>>()?;
        Ok(Window { ip: row.get(0)?, role: row.get(1)?, start_ns: row.get(2)?, flow: row.get(3)?, values })
    })
}

/// What a flow is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Peers {
    pub service: String,
    pub direction: String,
    pub role: String,
    pub proto: String,
}

impl Peers {
    /// Groups from the most specific to the widest.
    pub fn groups(&self) -> [String; 4] {
        let Self { service, direction, role, proto } = self;
        [format!("{service} {direction} {role}"), format!("{service} {direction}"), format!("{service} any"), format!("any {proto}")]
    }

    /// Out of four columns.
    pub fn read(row: &Row<'_>, at: usize) -> duckdb::Result<Self> {
        Ok(Self { service: row.get(at)?, direction: row.get(at + 1)?, role: row.get(at + 2)?, proto: row.get(at + 3)? })
    }
}

/// SQL for the four parts of [`Peers`], from `flows` joined with `roles`.
pub const PEERS: &str = "coalesce(service, proto || CASE WHEN id_resp_p < 1024 THEN ' system port' ELSE ' high port' END) AS service, \
                         direction, coalesce(role, 'client') AS role, proto";
/// SQL for `roles`.
pub const ROLES: &str = "roles AS (SELECT ip AS id_orig_h, min(role) AS role FROM host_role GROUP BY ip)";

type Bin = (Peers, String, i32, f64);

/// How often flows of each group took which value, counted by the database.
fn flow_bins(db: &Connection, suspects: &[String]) -> Result<Vec<Bin>> {
    let listed: Vec<String> = suspects.iter().map(|ip| format!("'{}'", ip.replace('\'', "''"))).collect();
    let weight = if listed.is_empty() {
        "1.0".into()
    } else {
        format!("CASE WHEN id_orig_h IN ({}) THEN {SUSPECT_WEIGHT} ELSE 1.0 END", listed.join(", "))
    };
    let mut bins = Vec::new();
    for (measure, column) in OF_FLOWS {
        // Weights of equal size add up without rounding that depends on their order only if they are counted first.
        let sql = format!(
            "WITH {ROLES}, judged AS (SELECT {PEERS}, round(ln(1 + greatest({column}, 0)::DOUBLE) / {BIN})::INTEGER AS bin, {weight} AS weight \
             FROM flows LEFT JOIN roles USING (id_orig_h) WHERE {column} IS NOT NULL) \
             SELECT service, direction, role, proto, bin, weight::DOUBLE, count(*) FROM judged GROUP BY ALL ORDER BY ALL"
        );
        let read = |row: &Row<'_>| {
            Ok((Peers::read(row, 0)?, measure.to_owned(), row.get(4)?, row.get::<_, f64>(5)? * row.get::<_, i64>(6)? as f64))
        };
        bins.extend(many(db, &sql, read)?);
    }
    Ok(bins)
}

/// Hosts, services, destinations and fingerprints of a case.
pub fn things(db: &Connection) -> Result<Vec<Thing>> {
    let mut things = Vec::new();
    let hosts = "WITH ends AS (SELECT id_orig_h AS ip, flow_id FROM flows UNION ALL SELECT id_resp_h, flow_id FROM flows), \
                      firsts AS (SELECT ip, min(flow_id) AS flow FROM ends GROUP BY ip) \
                 SELECT ip, first_ts_ns, last_ts_ns, flows::DOUBLE, ip, 1::BIGINT, flow FROM hosts LEFT JOIN firsts USING (ip) \
                 WHERE internal AND first_ts_ns IS NOT NULL \
                   AND NOT (ip LIKE '%.255' OR ip LIKE '224.%' OR ip LIKE '239.%' OR ip LIKE 'ff%') ORDER BY ip";
    things.extend(of_kind(db, "host", hosts)?);
    let services = "SELECT id_resp_h || ' ' || proto || '/' || id_resp_p AS name, min(ts_ns), max(last_ts_ns), count(*)::DOUBLE, min(id_orig_h), \
                           count(DISTINCT id_orig_h), min(flow_id) \
                    FROM flows WHERE local_resp AND resp_pkts > 0 AND (proto = 'udp' OR (proto = 'tcp' AND coalesce(resp_bytes, 0) > 0)) \
                      AND NOT (proto = 'udp' AND id_resp_p > 32767) GROUP BY name ORDER BY name";
    things.extend(of_kind(db, "service", services)?);
    let destinations = "SELECT coalesce(h.names[1], f.id_resp_h) AS name, min(f.ts_ns), max(f.last_ts_ns), count(*)::DOUBLE, min(f.id_orig_h), \
                               count(DISTINCT f.id_orig_h), min(f.flow_id) \
                        FROM flows f LEFT JOIN hosts h ON h.ip = f.id_resp_h WHERE f.direction = 'out' AND f.resp_pkts > 0 GROUP BY name ORDER BY name";
    things.extend(registered(of_kind(db, "destination", destinations)?));
    let fingerprints = "SELECT name, min(ts_ns), max(ts_ns), count(*)::DOUBLE, min(id_orig_h), count(DISTINCT id_orig_h), min(flow_id) FROM ( \
                            SELECT 'ja4 ' || ja4 AS name, ts_ns, id_orig_h, flow_id FROM tls \
                            UNION ALL SELECT 'ja4 ' || ja4, ts_ns, id_orig_h, flow_id FROM quic \
                            UNION ALL SELECT 'hassh ' || hassh, ts_ns, id_orig_h, flow_id FROM ssh \
                            UNION ALL SELECT 'host key ' || host_key_sha256 || ' of ' || id_resp_h, ts_ns, id_orig_h, flow_id FROM ssh \
                            UNION ALL SELECT 'user agent ' || left(user_agent, 200), ts_ns, id_orig_h, flow_id FROM http) \
                        WHERE name IS NOT NULL GROUP BY name ORDER BY name";
    things.extend(of_kind(db, "fingerprint", fingerprints)?);
    Ok(things)
}

fn of_kind(db: &Connection, kind: &'static str, sql: &str) -> Result<Vec<Thing>> {
    many(db, &format!("{sql} LIMIT {MOST_THINGS}"), |row| {
        Ok(Thing {
            kind,
            name: row.get(0)?,
            seen: Seen { first: row.get(1)?, last: row.get(2)?, times: row.get(3)? },
            who: row.get(4)?,
            hosts: row.get(5)?,
            flow: row.get(6)?,
        })
    })
}

/// Names of one registered domain are one destination: `cdn7.example.com` is no news after `cdn3.example.com`.
fn registered(things: Vec<Thing>) -> Vec<Thing> {
    let mut merged: std::collections::BTreeMap<String, Thing> = std::collections::BTreeMap::new();
    for mut thing in things {
        let address = thing.name.parse::<std::net::IpAddr>().is_ok();
        if !address && let Some(domain) = psl::domain_str(&thing.name) {
            thing.name = domain.to_owned();
        }
        match merged.get_mut(&thing.name) {
            None => {
                merged.insert(thing.name.clone(), thing);
            }
            Some(known) => {
                let times = known.seen.times + thing.seen.times;
                if thing.seen.first < known.seen.first {
                    (known.who, known.flow, known.seen.first) = (thing.who, thing.flow, thing.seen.first);
                }
                known.seen = Seen { last: known.seen.last.max(thing.seen.last), times, ..known.seen };
                known.hosts = known.hosts.max(thing.hosts);
            }
        }
    }
    merged.into_values().collect()
}

/// Rows of a query.
pub fn many<T>(db: &Connection, sql: &str, read: impl FnMut(&Row<'_>) -> duckdb::Result<T>) -> Result<Vec<T>> {
    let failed = |source| Error::Database { doing: "looking at what is usual".into(), source };
    let mut statement = db.prepare(sql).map_err(failed)?;
    let rows = statement.query_map([], read).map_err(failed)?;
    rows.collect::<duckdb::Result<_>>().map_err(failed)
}

fn one<T>(db: &Connection, sql: &str, read: impl FnOnce(&Row<'_>) -> duckdb::Result<T>) -> Result<T> {
    db.query_row(sql, [], read).map_err(|source| Error::Database { doing: "looking at what is usual".into(), source })
}
