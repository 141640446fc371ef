//! Profiles of small made-up cases: what is far from usual is found, what is not is left alone, and files keep their promises.

use super::*;
use crate::store::schema;
use duckdb::Connection;

/// An office of twenty clients for `hours`; with `changed`, one of them does what it never did.
fn case(hours: i64, changed: bool) -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(&schema::ddl()).unwrap();
    let day = 1_770_000_000;
    let flow = |from: &str, wild: &str| {
        format!(
            "INSERT INTO flows BY NAME SELECT (SELECT count(*) FROM flows) * 16 + row_number() OVER (ORDER BY t, c) * 16 AS flow_id,
                ({day} + t) * 1000000000 AS ts_ns, ({day} + t + 2) * 1000000000 AS last_ts_ns, make_timestamp(({day} + t) * 1000000) AS ts,
                '10.0.0.' || (10 + c) AS id_orig_h, true AS local_orig, 'tcp' AS proto, 'ssl' AS service, 'SF' AS conn_state,
                resp.ip AS id_resp_h, resp.port AS id_resp_p, resp.ours AS local_resp, CASE WHEN resp.ours THEN 'lat' ELSE 'out' END AS direction,
                10 AS resp_pkts, 500 AS resp_bytes, 10 AS orig_pkts, {wild} AS orig_ip_bytes, (3000 + hash(t, c, 2) % 900)::BIGINT AS resp_ip_bytes,
                1.0 + (hash(t, c, 3) % 100) / 100.0 AS flow_duration, (12 + hash(t, c, 4) % 6)::BIGINT AS total_packets, (hash(t, c) % 1000)::INTEGER AS id_orig_p
             FROM {from}"
        )
    };
    let usual = "(SELECT c, s AS t FROM range(20) a(c), range(0, {span}, 40) b(s)),
                 LATERAL (SELECT CASE WHEN hash(t, c, 9) % 3 = 0 THEN '10.0.0.5' ELSE '203.0.113.' || (hash(t, c, 8) % 12) END AS ip,
                                 CASE WHEN hash(t, c, 9) % 3 = 0 THEN 445 ELSE 443 END AS port, hash(t, c, 9) % 3 = 0 AS ours) resp";
    db.execute_batch(&flow(&usual.replace("{span}", &(hours * 3_600).to_string()), "(700 + hash(t, c, 1) % 300)::BIGINT")).unwrap();
    if changed {
        let wild = "(SELECT 3 AS c, s AS t FROM range(1200, 1800, 2) b(s)),
                    LATERAL (SELECT CASE WHEN t % 4 = 0 THEN '10.0.0.' || (t % 200) ELSE '198.51.100.77' END AS ip,
                                    CASE WHEN t % 4 = 0 THEN 4444 ELSE 443 END AS port, t % 4 = 0 AS ours) resp";
        db.execute_batch(&flow(wild, "90000000::BIGINT")).unwrap();
    }
    db.execute_batch(
        "INSERT INTO hosts BY NAME SELECT ip, ip LIKE '10.%' AS internal, min(ts_ns) AS first_ts_ns, max(ts_ns) AS last_ts_ns, count(*) AS flows,
                []::VARCHAR[] AS names, []::VARCHAR[] AS macs
         FROM (SELECT id_orig_h AS ip, ts_ns FROM flows UNION ALL SELECT id_resp_h, ts_ns FROM flows) GROUP BY ip ORDER BY ip",
    )
    .unwrap();
    let sha256 = format!("{hours}{changed}");
    db.execute_batch(&format!("INSERT INTO captures BY NAME SELECT '{sha256}' AS sha256")).unwrap();
    db
}

fn metrics(found: &[crate::store::Anomaly], model: &str) -> std::collections::BTreeSet<String> {
    found.iter().filter(|anomaly| anomaly.model == model).map(|anomaly| anomaly.metric.clone()).collect()
}

#[test]
fn an_ordinary_day_after_an_ordinary_day_has_nothing_to_tell() {
    let profile = observe(&case(3, false), &[]).unwrap();
    let (found, logs) = judge(&case(2, false), &profile, Mode::Trained, 5.0).unwrap();
    assert!(found.is_empty(), "{:?}", found.iter().map(|a| &a.says).collect::<Vec<_>>());
    assert!(logs.iter().any(|log| log.message.contains("hours of the day are judged from")));
}

#[test]
fn new_hosts_services_destinations_and_volumes_are_told() {
    let profile = observe(&case(3, false), &[]).unwrap();
    let (found, _) = judge(&case(2, true), &profile, Mode::Trained, 5.0).unwrap();
    let new = metrics(&found, "novelty");
    for kind in ["host", "service", "destination"] {
        assert!(new.contains(kind), "{kind} in {new:?}");
    }
    assert!(
        found.iter().any(|a| a.says == "new destination: 198.51.100.77, 10.0.0.13"),
        "{:?}",
        found.iter().map(|a| &a.says).collect::<Vec<_>>()
    );
    let volumes = metrics(&found, "baseline");
    assert!(volumes.contains("bytes_out") && volumes.contains("flows") && volumes.contains("orig_ip_bytes"), "{volumes:?}");
    let sent = found.iter().find(|a| a.model == "baseline" && a.metric == "bytes_out").unwrap();
    assert_eq!(sent.entity.as_deref(), Some("10.0.0.13"));
    assert!(sent.deviation.unwrap() > 5.0 && sent.observed.unwrap() > 1e9 && sent.baseline.unwrap() < 1e6 && sent.peers.is_some());
}

#[test]
fn within_one_capture_the_host_that_leaves_its_peers_behind_stands_out() {
    let db = case(2, true);
    let own = observe(&db, &["10.0.0.13".into()]).unwrap();
    let (found, _) = judge(&db, &own, Mode::Itself, 5.0).unwrap();
    let hosts: std::collections::BTreeSet<_> = found.iter().filter_map(|anomaly| anomaly.entity.as_deref()).collect();
    assert_eq!(hosts.into_iter().collect::<Vec<_>>(), ["10.0.0.13"]);
    assert!(found.iter().all(|anomaly| anomaly.model == "self" && anomaly.deviation >= Some(5.0)));
    assert!(judge(&db, &own, Mode::Itself, 80.0).unwrap().0.len() < found.len(), "sigma is a setting");
}

#[test]
fn a_profile_survives_its_file_and_one_that_measured_other_things_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("office.profile");
    let profile = observe(&case(1, false), &[]).unwrap();
    profile.save(&path).unwrap();
    assert!(Profile::load(&path).unwrap() == profile);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"window_s\":300", "\"window_s\":600")).unwrap();
    let error = Profile::load(&path).unwrap_err().to_string();
    assert!(error.contains("other feature definitions") && error.contains("train it again"), "{error}");
    for (wrong, part) in [("{}", "no profile"), ("not json", "no profile"), ("", "vigil train")] {
        std::fs::write(&path, wrong).unwrap();
        assert!(Profile::load(&path).unwrap_err().to_string().contains(part), "{wrong}");
    }
    assert!(Profile::load(&folder.path().join("none")).unwrap_err().to_string().contains("none"));
}

#[test]
fn a_profile_learns_from_new_evidence_once_and_lets_the_old_fade() {
    let (day, week) = (observe(&case(1, false), &[]).unwrap(), observe(&case(2, true), &[]).unwrap());
    let mut rolling = day.clone();
    rolling.add(&day);
    assert!(rolling == day, "the same evidence twice counts once");
    let weight = |profile: &Profile| profile.windows["all"]["flows"].n();
    let mut later = week.clone();
    later.span = week.span.map(|(first, last)| (first, last + 10 * 86_400 * 1_000_000_000));
    rolling.update(&later);
    let faded = weight(&rolling) - weight(&later);
    assert!(faded < weight(&day) * 0.75 && faded > weight(&day) * 0.70, "ten days at three percent: {faded} of {}", weight(&day));
    assert!(rolling.things["service"].len() > day.things["service"].len());
    assert_eq!(rolling.evidence.len(), 2);
}

#[test]
fn what_suspects_do_weighs_next_to_nothing() {
    let db = case(1, true);
    let (trusting, careful) = (observe(&db, &[]).unwrap(), observe(&db, &["10.0.0.13".into()]).unwrap());
    let weight = |profile: &Profile| profile.windows["host 10.0.0.13"]["flows"].n();
    assert!((weight(&careful) - weight(&trusting) * 0.01).abs() < 1e-9);
}

#[test]
fn nothing_on_either_side_does_no_harm() {
    let empty = Connection::open_in_memory().unwrap();
    empty.execute_batch(&schema::ddl()).unwrap();
    let nothing = observe(&empty, &[]).unwrap();
    assert!(judge(&empty, &nothing, Mode::Trained, 3.5).unwrap().0.is_empty());
    assert!(nothing.says().starts_with("no evidence"));
    let (found, _) = judge(&case(1, false), &nothing, Mode::Trained, 3.5).unwrap();
    assert!(found.iter().all(|anomaly| anomaly.model == "novelty"));
}
