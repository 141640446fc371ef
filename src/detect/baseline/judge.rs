//! A profile and a case → what is unusual, or has changed.

use super::observe::{PEERS, Peers, ROLES, Window, many, things, windows};
use super::profile::{Measures, Profile};
use super::sketch::Sketch;
use super::usual::Usual;
use super::{Mode, OF_FLOWS, OF_SETS, OF_WINDOWS};
use crate::detect::Result;
use crate::detect::models::rounded;
use crate::model::FlowId;
use crate::model::time::human_bytes;
use crate::store::{Anomaly, SystemLog};
use duckdb::Connection;
use serde_json::json;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Windows that a host needs to be compared with itself.
const OWN_WINDOWS: f64 = 12.0;
/// Observations that a group needs to speak for itself.
const LEAST: f64 = 200.0;
/// The same of windows.
const LEAST_WINDOWS: f64 = 30.0;
/// Days from which on hours of the day differ, and from which on days of the week do.
const DAYS_FOR_HOURS: usize = 3;
const DAYS_FOR_WEEKS: usize = 21;
/// Rows of each kind at most, farthest out first.
const MOST: usize = 200;
/// Population stability index from which on a group is not what it was.
const DRIFTED: f64 = 0.25;
/// How much wider the usual is then taken.
const WIDENED: f64 = 1.5;

/// What lies `sigma` robust deviations or more above the usual, and, against other evidence, what was never seen there.
/// With it, what is to be said about the baseline itself.
pub fn judge(db: &Connection, profile: &Profile, mode: Mode, sigma: f64) -> Result<(Vec<Anomaly>, Vec<SystemLog>)> {
    let model = if mode == Mode::Itself { "self" } else { "baseline" };
    let (mut found, mut logs) = (Vec::new(), Vec::new());
    let here = windows(db)?;
    let widen = drift(profile, &here, mode, &mut logs);
    let mut unusual: Vec<Anomaly> = here.iter().flat_map(|window| of_window(profile, window, &widen, sigma, model)).collect();
    found.append(&mut strongest(&mut unusual));
    found.extend(of_flows(db, profile, sigma, model)?);
    if mode == Mode::Trained {
        found.extend(changes(db, profile)?);
    }
    if profile.days.len() < DAYS_FOR_HOURS {
        let days = if profile.days.len() == 1 { "one day".into() } else { format!("{} days", profile.days.len()) };
        let message = format!("the baseline has {days}: hours of the day are judged from {DAYS_FOR_HOURS} days on");
        logs.push(log("info", message, 1));
    }
    Ok((found, logs))
}

fn log(level: &str, message: String, count: u64) -> SystemLog {
    SystemLog { level: level.into(), source: "baseline".into(), message, count }
}

/// Farthest out first, ties by what and when, and no more than can be read.
fn strongest(found: &mut Vec<Anomaly>) -> Vec<Anomaly> {
    let order = |a: &Anomaly| (a.metric.clone(), a.entity.clone(), a.ts_ns, a.flow);
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| order(a).cmp(&order(b))));
    found.truncate(MOST);
    std::mem::take(found)
}

/// Measures whose distribution over all hosts is not what it was: nothing is judged by them as sharply as before.
fn drift(profile: &Profile, here: &[Window], mode: Mode, logs: &mut Vec<SystemLog>) -> BTreeMap<&'static str, f64> {
    let mut widen = BTreeMap::new();
    let Some(before) = profile.windows.get("all").filter(|_| mode == Mode::Trained) else { return widen };
    for (at, (name, ..)) in OF_WINDOWS.iter().enumerate() {
        let mut now = Sketch::default();
        here.iter().filter_map(|window| window.values.get(at)).for_each(|value| now.add(Sketch::bin(*value), 1.0));
        let Some(was) = before.get(*name).filter(|was| was.n() >= LEAST && now.n() >= LEAST) else { continue };
        let index = was.drift(&now);
        if index > DRIFTED {
            widen.insert(*name, WIDENED);
            logs.push(log(
                "warning",
                format!("{name} of hosts has drifted since the baseline (stability index {index:.2}): judged more loosely"),
                1,
            ));
        }
    }
    widen
}

fn of_window(profile: &Profile, window: &Window, widen: &BTreeMap<&'static str, f64>, sigma: f64, model: &str) -> Vec<Anomaly> {
    let mut found = Vec::new();
    for ((name, counts, what), value) in OF_WINDOWS.iter().zip(&window.values) {
        let widen = widen.get(name).copied().unwrap_or(1.0);
        // What is unusual is so by all measures there are: for the host itself, for its peers, for the time of day.
        let against = groups(profile, window, name).into_iter().map(|(group, own, parent)| {
            let usual = Usual::of(&own, parent, widen);
            (if *counts { usual.deviation_of_count(*value) } else { usual.deviation(*value) }, group, usual)
        });
        let Some((deviation, group, usual)) = against.min_by(|a, b| a.0.total_cmp(&b.0)) else { continue };
        if deviation < sigma {
            continue;
        }
        let shown = |value: f64| if name.starts_with("bytes") { human_bytes(value as u64) } else { format!("{value:.0}") };
        let says = format!("{}: {} {what} in five minutes, usually {} ({group})", window.ip, shown(*value), shown(usual.value()));
        found.push(Anomaly {
            entity: Some(window.ip.clone()),
            flow: None,
            model: model.into(),
            score: rounded(deviation),
            p: None,
            peers: Some(group),
            flagged: true,
            metric: (*name).into(),
            observed: Some(*value),
            baseline: Some(rounded(usual.value())),
            deviation: Some(rounded(deviation)),
            ts_ns: Some(window.start_ns),
            says,
            why: json!({ "n": usual.n.round(), "sigma": sigma, "first_flow": window.flow }),
        });
    }
    found
}

/// The groups that a window is held against: name, sketch, and the wider one it is drawn to.
fn groups<'a>(profile: &'a Profile, window: &Window, measure: &str) -> Vec<(String, Cow<'a, Sketch>, &'a Sketch)> {
    let sketch = |group: &str| profile.windows.get(group).and_then(|measures: &Measures| measures.get(measure));
    let Some(all) = sketch("all").filter(|all| all.n() >= LEAST_WINDOWS) else { return Vec::new() };
    let role_name = format!("role {}", window.role);
    let role = sketch(&role_name).filter(|role| role.n() >= LEAST_WINDOWS);
    let mut against = match role {
        Some(role) => vec![(role_name.clone(), Cow::Borrowed(role), all)],
        None => vec![("all".to_owned(), Cow::Borrowed(all), all)],
    };
    let parent = role.unwrap_or(all);
    let own_name = format!("host {}", window.ip);
    against.extend(sketch(&own_name).filter(|own| own.n() >= OWN_WINDOWS).map(|own| (own_name, Cow::Borrowed(own), parent)));
    against.extend(season(profile.days.len(), window.hour(), |hour| sketch(&format!("{role_name} hour {hour}"))).map(|(when, hour)| {
        // As many observations as a group needs, or the hour says nothing of its own.
        (format!("{role_name}, {when}"), Cow::Owned(hour), parent)
    }));
    against
}

/// What is usual at this time: of the week after three weeks, of the day after three days.
fn season<'a>(days: usize, hour: i64, sketch: impl Fn(i64) -> Option<&'a Sketch>) -> Option<(String, Sketch)> {
    let mut merged = Sketch::default();
    let when = match days {
        DAYS_FOR_WEEKS.. => {
            sketch(hour).into_iter().for_each(|sketch| merged.merge(sketch));
            // 1970-01-01 was a Thursday.
            let day = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"].get((hour / 24) as usize)?;
            format!("{day} {:02} h UTC", hour % 24)
        }
        DAYS_FOR_HOURS.. => {
            (0..7).filter_map(|day| sketch((hour + 24 * day) % 168)).for_each(|sketch| merged.merge(sketch));
            format!("{:02} h UTC", hour % 24)
        }
        _ => return None,
    };
    (merged.n() >= LEAST_WINDOWS).then_some((when, merged))
}

/// Flows far above the usual of their peers: limits are worked out here, flows beyond them are found by the database.
fn of_flows(db: &Connection, profile: &Profile, sigma: f64, model: &str) -> Result<Vec<Anomaly>> {
    let sql = format!("WITH {ROLES} SELECT DISTINCT {PEERS} FROM flows LEFT JOIN roles USING (id_orig_h) ORDER BY ALL");
    let here = many(db, &sql, |row| Peers::read(row, 0))?;
    let mut found = Vec::new();
    for (measure, column) in OF_FLOWS {
        let judged: Vec<(&Peers, String, Usual)> =
            here.iter().filter_map(|peers| of_peers(profile, peers, measure).map(|(group, usual)| (peers, group, usual))).collect();
        if judged.is_empty() {
            continue;
        }
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let limit = |(at, (peers, _, usual)): (usize, &(&Peers, String, Usual))| {
            let Peers { service, direction, role, proto } = peers;
            let limit = usual.limit(sigma).min(1e300);
            format!("({at}, {}, {}, {}, {}, {limit:?}::DOUBLE)", quoted(service), quoted(direction), quoted(role), quoted(proto))
        };
        let limits: Vec<String> = judged.iter().enumerate().map(limit).collect();
        let sql = format!(
            "WITH {ROLES}, limits(place, service, direction, role, proto, most) AS (VALUES {}), \
             judged AS (SELECT flow_id, ts_ns, id_orig_h, id_resp_h, id_resp_p, {column}::DOUBLE AS value, {PEERS} FROM flows LEFT JOIN roles USING (id_orig_h)) \
             SELECT place::INTEGER, flow_id, ts_ns, id_orig_h, id_resp_h, id_resp_p, value \
             FROM judged JOIN limits USING (service, direction, role, proto) WHERE value > most ORDER BY value / (most + 1) DESC, flow_id LIMIT {MOST}",
            limits.join(", ")
        );
        let beyond = many(db, &sql, |row| {
            Ok((
                row.get::<_, i32>(0)?,
                row.get::<_, i64>(1)?,
                row.get(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, String>(4)?,
                row.get::<_, i32>(5)?,
                row.get::<_, f64>(6)?,
            ))
        })?;
        for (place, flow, ts_ns, orig, resp, port, value) in beyond {
            let Some((_, group, usual)) = judged.get(place.unsigned_abs() as usize) else { continue };
            let deviation = rounded(usual.deviation(value));
            let shown = |value: f64| match measure {
                "flow_duration" => format!("{value:.1} s"),
                "total_packets" => format!("{value:.0} packets"),
                _ => human_bytes(value as u64),
            };
            let what = match measure {
                "flow_duration" => "lasted ",
                "orig_ip_bytes" => "sent ",
                "resp_ip_bytes" => "received ",
                _ => "",
            };
            found.push(Anomaly {
                flow: Some(FlowId(flow.unsigned_abs())),
                model: model.into(),
                score: deviation,
                peers: Some(group.clone()),
                flagged: true,
                metric: measure.into(),
                observed: Some(rounded(value)),
                baseline: Some(rounded(usual.value())),
                deviation: Some(deviation),
                ts_ns: Some(ts_ns),
                says: format!("{orig} to {resp} port {port}: {what}{}, usually {} ({group})", shown(value), shown(usual.value())),
                why: json!({ "n": usual.n.round(), "sigma": sigma }),
                ..Anomaly::default()
            });
        }
    }
    Ok(strongest(&mut found))
}

/// The most specific group of a flow's peers that is large enough, drawn to the next wider one.
fn of_peers(profile: &Profile, peers: &Peers, measure: &str) -> Option<(String, Usual)> {
    let groups = peers.groups();
    let sketch = |group: &String| profile.flows.get(group).and_then(|measures| measures.get(measure));
    let at = groups.iter().position(|group| sketch(group).is_some_and(|sketch| sketch.n() >= LEAST))?;
    let own = sketch(&groups[at])?;
    let parent = groups.get(at + 1).and_then(sketch).unwrap_or(own);
    Some((groups[at].clone(), Usual::of(own, parent, 1.0)))
}

/// What is new here, and what is gone.
fn changes(db: &Connection, profile: &Profile) -> Result<Vec<Anomaly>> {
    let here = things(db)?;
    let mut found = Vec::new();
    for (kind, what) in OF_SETS {
        let known = profile.things.get(kind).cloned().unwrap_or_default();
        // How often something new turned up among all that was seen: the rarer, the more surprising is the next.
        let p = (known.len() as f64 + 1.0) / (known.values().map(|seen| seen.times).sum::<f64>() + 2.0);
        let mut new: Vec<Anomaly> = here
            .iter()
            .filter(|thing| thing.kind == kind && !known.contains_key(&thing.name))
            .map(|thing| {
                let with = match (kind, thing.hosts) {
                    ("host", _) => String::new(),
                    (_, 1) => format!(", {}", thing.who),
                    (_, hosts) => format!(", {} and {} more", thing.who, hosts - 1),
                };
                Anomaly {
                    flow: thing.flow.map(|flow| FlowId(flow.unsigned_abs())),
                    entity: Some(thing.name.clone()),
                    model: "novelty".into(),
                    score: rounded(-p.log10()),
                    p: Some(rounded(p.min(1.0))),
                    flagged: true,
                    metric: kind.into(),
                    observed: Some(thing.seen.times),
                    baseline: Some(0.0),
                    ts_ns: Some(thing.seen.first),
                    says: format!("new {what}: {}{with}", thing.name),
                    why: json!({ "hosts": thing.hosts, "known": known.len() }),
                    ..Anomaly::default()
                }
            })
            .collect();
        new.sort_by(|a, b| b.observed.partial_cmp(&a.observed).unwrap_or(std::cmp::Ordering::Equal).then_with(|| a.entity.cmp(&b.entity)));
        new.truncate(5 * MOST);
        found.append(&mut new);
        if matches!(kind, "host" | "service") {
            let present: BTreeSet<&str> = here.iter().filter(|thing| thing.kind == kind).map(|thing| thing.name.as_str()).collect();
            let gone = known.iter().filter(|(name, _)| !present.contains(name.as_str())).take(MOST);
            found.extend(gone.map(|(name, seen)| Anomaly {
                entity: Some(name.clone()),
                model: "gone".into(),
                metric: kind.into(),
                observed: Some(0.0),
                baseline: Some(rounded(seen.times)),
                says: format!("{what} not seen any more: {name}"),
                why: json!({ "last_seen_ns": seen.last }),
                ..Anomaly::default()
            }));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(n: f64) -> Vec<Sketch> {
        (0..168i64)
            .map(|hour| {
                let mut sketch = Sketch::default();
                // Busy at nine in the morning, and on one day at ten.
                sketch.add(Sketch::bin(if hour % 24 == 9 || hour == 34 { 1_000.0 } else { 10.0 }), n);
                sketch
            })
            .collect()
    }

    #[test]
    fn times_of_day_count_after_three_days_and_days_of_the_week_after_three_weeks() {
        let hours = hours(40.0);
        let of = |days: usize, hour: i64| season(days, hour, |hour| hours.get(hour as usize));
        assert!(of(2, 9).is_none());
        let (when, nine) = of(3, 33).unwrap();
        assert_eq!(when, "09 h UTC");
        assert!((nine.quantile(0.5).exp_m1() / 1_000.0 - 1.0).abs() < 0.06 && nine.n() == 280.0);
        assert!(of(3, 34).unwrap().1.quantile(0.5).exp_m1() < 11.0, "one busy day of seven does not make the hour");
        let (when, ten) = of(21, 34).unwrap();
        assert!(when == "Friday 10 h UTC" && ten.quantile(0.5).exp_m1() > 900.0, "{when}");
        let thin = super::tests::hours(2.0);
        assert!(season(21, 9, |hour| thin.get(hour as usize)).is_none());
    }
}
