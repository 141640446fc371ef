//! The endpoints of the LAN monitor, with its field names, over a case: its clients read a case as they read their own server.

use super::{List, document};
use crate::model::Severity;
use crate::serve::access::users::Role;
use crate::serve::described::message;
use crate::serve::desk::rows;
use crate::serve::exchange::{Body, Json, Query};
use crate::serve::problem::Problem;
use crate::serve::{App, Open, Server, Shared};
use crate::store::Cell;
use axum::extract::State;
use axum::routing::{get, post};
use duckdb::types::Value;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::net::IpAddr;
use std::sync::atomic::Ordering::Relaxed;

/// Rows of a page unless told otherwise, and at most.
const ROWS: u64 = 50;
const MOST_ROWS: u64 = 1_000;
/// Addresses checked at once.
const ADDRESSES: usize = 256;
/// Risk from which a host is a threat: the band `low`.
const THREAT: f64 = 20.0;

message! {
    /// A connection.
    #[derive(Serialize)]
    struct Connection {
        /// Address of the end inside, or of the one that began.
        local_address: Option<String>,
        /// Its port.
        local_port: Option<i64>,
        /// Address of the other end.
        remote_address: Option<String>,
        /// Its port.
        remote_port: Option<i64>,
        /// `tcp`, `udp` …
        protocol: Option<String>,
        /// Zeek's state of the connection.
        state: Option<String>,
        /// Program behind the local end; packets do not tell.
        executable: Option<String>,
        /// Where the remote address is said to be.
        location: Option<String>,
        /// Flow in the case.
        flow_id: Option<i64>,
    }
}

message! {
    #[derive(Serialize)]
    struct Connections {
        /// Connections of this page.
        connections: Vec<Connection>,
        /// Page, from 1.
        page: u64,
        /// Rows of a page.
        limit: u64,
        /// All connections.
        total: u64,
    }
}

message! {
    /// Somebody to be wary of.
    #[derive(Clone, Debug, PartialEq, Serialize)]
    struct Threat {
        /// Address.
        ip: String,
        /// Who says so: a rule of vigil, or a list of indicators.
        source: String,
        /// Why.
        reason: String,
        /// 0 to 100.
        risk: f64,
        /// How sure the source is, 0 to 100.
        credibility: f64,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Place {
    limit: String,
    page: String,
}

message! {
    /// What to look up.
    #[derive(Deserialize)]
    struct Check {
        /// Addresses, at most 256.
        ips: Option<Vec<String>>,
        /// One address.
        ip: Option<String>,
    }
}

message! {
    /// What may be changed while the server runs; what is left out stays as it is.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        /// Seconds that a statement of SQL may take, 1 to 50.
        sql_timeout: Option<u64>,
    }
}

message! {
    /// What is known of an address.
    #[derive(Serialize)]
    struct Reputation {
        /// Address.
        ip: String,
        /// `malicious`, `suspicious`, `seen` or `unknown`. Unknown is not harmless.
        verdict: &'static str,
        /// 0 to 100, the gravest of the threats.
        risk: f64,
        /// What speaks against it.
        threats: Vec<Threat>,
    }
}

pub fn list(list: &mut List) {
    list.get("/api/netstats", "monitor", "Connections, in the order of their beginning.", get(netstats))
        .with(vec![
            document::query("limit", json!({ "type": "integer", "minimum": 1 }), "Rows of a page, 1 to 1000; 50 unless told."),
            document::query("page", json!({ "type": "integer", "minimum": 1 }), "Page, from 1."),
        ])
        .answers::<Connections>();
    list.get(
        "/api/threats",
        "monitor",
        "Addresses to be wary of, gravest first: `threats`, each with ip, source, reason, risk, credibility.",
        get(threats),
    );
    list.get("/api/config", "monitor", "How this server is set up.", get(config)).by(Some(Role::Admin));
    list.post::<Config>("/api/config", "monitor", "Changes how this server is set up, until it ends.", post(configure))
        .by(Some(Role::Admin));
    list.post::<Check>(
        "/api/check",
        "monitor",
        "Reputation of addresses: `results`, from indicators and findings of this case.",
        post(check),
    );
}

async fn netstats(Open(app): Open, Query(place): Query<Place>) -> Result<Json<Connections>, Problem> {
    let number = |text: &str, usual: u64| if text.is_empty() { Some(usual) } else { text.parse().ok() };
    let limit = number(&place.limit, ROWS).unwrap_or(0);
    let page = number(&place.page, 1).unwrap_or(0);
    if !(1..=MOST_ROWS).contains(&limit) || !(1..=1 << 32).contains(&page) {
        return Err(Problem::Wrong(format!("limit is 1 to {MOST_ROWS}, page is 1 or more")));
    }
    // Views, which the tables of a live case are, have no row numbers.
    let order = if app.live { "f.ts_ns, f.flow_id" } else { "f.rowid" };
    let found = app.desk.ask(move |conn| {
        let sql = "SELECT f.local_orig, f.local_resp, f.id_orig_h, f.id_orig_p, f.id_resp_h, f.id_resp_p, f.proto, f.conn_state, f.flow_id \
            FROM flows f ORDER BY ";
        let sql = format!("{sql}{order} LIMIT ? OFFSET ?");
        let found = rows(conn, &sql, &[Value::UBigInt(limit), Value::UBigInt((page - 1).saturating_mul(limit))])?;
        let mut connections: Vec<Connection> = found.cells.iter().map(|row| connection(row)).collect();
        located(conn, &mut connections)?;
        Ok(connections)
    });
    let connections = found.await?;
    Ok(Json(Connections { connections, page, limit, total: app.report.coverage.flows }))
}

fn text(cell: Option<&Cell>) -> Option<String> {
    cell.filter(|cell| **cell != Cell::Null).map(Cell::to_string)
}

fn number(cell: Option<&Cell>) -> Option<i64> {
    text(cell)?.parse().ok()
}

fn connection(row: &[Cell]) -> Connection {
    // Local is the end inside; where both are or neither is, the one that began.
    let turned = row.first() == Some(&Cell::Bool(false)) && row.get(1) == Some(&Cell::Bool(true));
    let (local, remote) = if turned { (4, 2) } else { (2, 4) };
    Connection {
        local_address: text(row.get(local)),
        local_port: number(row.get(local + 1)),
        remote_address: text(row.get(remote)),
        remote_port: number(row.get(remote + 1)),
        protocol: text(row.get(6)),
        state: text(row.get(7)),
        executable: None,
        location: None,
        flow_id: number(row.get(8)),
    }
}

/// Adds places, where the case has any.
fn located(conn: &duckdb::Connection, connections: &mut [Connection]) -> Result<(), Problem> {
    let mut remotes: Vec<&String> = connections.iter().filter_map(|connection| connection.remote_address.as_ref()).collect();
    remotes.sort();
    remotes.dedup();
    let values: Vec<Value> = remotes.into_iter().map(|ip| Value::Text(ip.clone())).collect();
    if values.is_empty() {
        return Ok(());
    }
    let marks = vec!["?"; values.len()].join(", ");
    let sql = format!("SELECT ip, min(concat_ws(', ', city, country, organisation)) FROM places WHERE ip IN ({marks}) GROUP BY ip");
    for row in rows(conn, &sql, &values)?.cells {
        let (ip, place) = (text(row.first()), text(row.get(1)));
        connections
            .iter_mut()
            .filter(|connection| connection.remote_address == ip)
            .for_each(|connection| connection.location = place.clone());
    }
    Ok(())
}

/// All threats of the case, gravest first: hosts with a risk that act, and addresses that indicators name.
async fn all_threats(app: &App) -> Result<Vec<Threat>, Problem> {
    let mut threats = Vec::new();
    for host in app.report.hosts.iter().filter(|host| host.risk >= THREAT && host.state != "targeted") {
        let named = app.report.findings.iter().find(|finding| finding.actors.contains(&host.ip));
        let Some(finding) = named.or_else(|| app.report.findings.iter().find(|finding| host.findings.contains(&finding.id))) else {
            continue;
        };
        threats.push(Threat {
            ip: host.ip.clone(),
            source: format!("vigil rule {}", finding.rule),
            reason: finding.says.clone(),
            risk: tenths(host.risk),
            credibility: tenths(finding.confidence * 100.0),
        });
    }
    let found = app.desk.ask(|conn| {
        let sql = "SELECT i.value, i.source, coalesce(i.threat, 'listed'), coalesce(i.confidence, 0.5) FROM indicators i \
            JOIN hosts h ON h.ip = i.value WHERE i.kind = 'ip' ORDER BY 4 DESC, 1, 2 LIMIT 10000";
        rows(conn, sql, &[])
    });
    threats.extend(found.await?.cells.iter().filter_map(|row| listed(row)));
    threats.sort_by(|a, b| b.risk.total_cmp(&a.risk).then_with(|| (&a.ip, &a.source).cmp(&(&b.ip, &b.source))));
    Ok(threats)
}

fn listed(row: &[Cell]) -> Option<Threat> {
    let sure = text(row.get(3))?.parse::<f64>().unwrap_or(0.5);
    Some(Threat {
        ip: text(row.first())?,
        source: text(row.get(1))?,
        reason: text(row.get(2))?,
        risk: tenths(sure * 100.0),
        credibility: tenths(sure * 100.0),
    })
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

async fn threats(Open(app): Open) -> Result<Json<serde_json::Value>, Problem> {
    let threats = all_threats(&app).await?;
    Ok(Json(json!({ "total": threats.len(), "threats": threats })))
}

async fn config(State(server): State<Shared>) -> Json<serde_json::Value> {
    Json(configured(&server))
}

fn configured(server: &Server) -> serde_json::Value {
    let options = &server.options;
    json!({
        "cases": server.shelf.names(),
        "address": options.addr.to_string(),
        "hosts": options.hosts,
        "login": server.access.demanded(),
        "tls": options.tls.is_some(),
        "memory": options.memory,
        "threads": options.threads,
        "sql_timeout": server.sql_timeout().as_secs(),
        "captures": options.captures,
        "capture_bytes": options.capture_bytes,
        "vigil": env!("CARGO_PKG_VERSION"),
    })
}

/// Only what is safe to change while the server runs.
async fn configure(State(server): State<Shared>, Body(wanted): Body<Config>) -> Result<Json<serde_json::Value>, Problem> {
    if let Some(seconds) = wanted.sql_timeout {
        if !(1..=50).contains(&seconds) {
            return Err(Problem::Wrong("sql_timeout is a number of seconds from 1 to 50".into()));
        }
        server.counts.sql_seconds.store(seconds, Relaxed);
    }
    Ok(Json(configured(&server)))
}

async fn check(Open(app): Open, Body(check): Body<Check>) -> Result<Json<serde_json::Value>, Problem> {
    let asked: Vec<String> = check.ips.into_iter().flatten().chain(check.ip).collect();
    if asked.is_empty() || asked.len() > ADDRESSES {
        return Err(Problem::Wrong(format!("name 1 to {ADDRESSES} addresses in `ips`")));
    }
    let wrong = |ip: &String| Problem::Wrong(format!("{:?} is no address", crate::report::visible(ip)));
    // As the case writes them.
    let ips = asked
        .iter()
        .map(|ip| ip.trim().parse::<IpAddr>().map(|ip| ip.to_canonical().to_string()).map_err(|_| wrong(ip)))
        .collect::<Result<Vec<_>, _>>()?;
    let threats = all_threats(&app).await?;
    let values: Vec<Value> = ips.iter().map(|ip| Value::Text(ip.clone())).collect();
    let found = app.desk.ask(move |conn| {
        let marks = vec!["?"; values.len()].join(", ");
        let seen = rows(conn, &format!("SELECT ip FROM hosts WHERE ip IN ({marks})"), &values)?;
        let known = rows(conn, &format!("SELECT value, source, coalesce(threat, 'listed'), coalesce(confidence, 0.5) FROM indicators WHERE kind = 'ip' AND value IN ({marks})"), &values)?;
        Ok((seen.cells, known.cells))
    });
    let (seen, known) = found.await?;
    let known: Vec<Threat> = known.iter().filter_map(|row| listed(row)).collect();
    let results: Vec<Reputation> = ips
        .into_iter()
        .map(|ip| {
            let mut against: Vec<Threat> = threats.iter().chain(&known).filter(|threat| threat.ip == ip).cloned().collect();
            against.dedup();
            let risk = against.iter().map(|threat| threat.risk).fold(0.0, f64::max);
            let seen = seen.iter().any(|row| text(row.first()).is_some_and(|there| there == ip));
            let verdict = match Severity::of_risk(risk) {
                Severity::High | Severity::Critical => "malicious",
                _ if !against.is_empty() => "suspicious",
                _ if seen => "seen",
                _ => "unknown",
            };
            Reputation { ip, verdict, risk, threats: against }
        })
        .collect();
    Ok(Json(json!({ "results": results })))
}
