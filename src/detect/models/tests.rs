//! The models on a case: every flow gets a score, the same one each time; the stranger stands out and is explained; and of what is
//! harmless as little is called unusual as was promised.

use super::*;
use crate::store::schema;

/// A case with flows of web clients, and what is asked of it.
fn case(flows: u64, odd: &[u64]) -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(&schema::ddl()).unwrap();
    db.execute_batch(schema::VIEWS).unwrap();
    let odd: Vec<String> = odd.iter().map(u64::to_string).collect();
    // Sizes and gaps out of a hash: no two alike, none far out, but for those named.
    let sql = format!(
        "INSERT INTO flows BY NAME
         WITH drawn AS (SELECT i, i IN ({odd}) AS odd, hash(i) % 1000 / 1000.0 AS a, hash(i + 7000000) % 1000 / 1000.0 AS b,
                               hash(i + 9000000) % 1000 / 1000.0 AS c FROM range(1, {flows} + 1) t(i))
         SELECT i * 16 AS flow_id, i * 1000000000 AS ts_ns, make_timestamp(i * 1000000) AS ts,
                '10.0.' || (i % 7) || '.' || (i % 50) AS id_orig_h, '203.0.113.' || (i % 9) AS id_resp_h, 443 AS id_resp_p, 'tcp' AS proto,
                'ssl' AS service, 'out' AS direction, 'SF' AS conn_state, 'ShADadFf' AS history,
                (500 + 300 * a)::BIGINT AS orig_ip_bytes, CASE WHEN odd THEN 900000000 ELSE (4000 + 2000 * b)::BIGINT END AS resp_ip_bytes,
                CASE WHEN odd THEN 90000.0 ELSE 1 + c END AS flow_duration,
                (8 + 4 * a)::BIGINT AS total_fwd_packets, (10 + 5 * b)::BIGINT AS total_bwd_packets, (18 + 4 * a + 5 * b)::BIGINT AS total_packets,
                300 + 50 * a AS packet_length_mean, 100 + 9 * b AS packet_length_std, 80 + 9 * a AS fwd_packet_length_mean,
                30 + 5 * b AS fwd_packet_length_std, CASE WHEN odd THEN 1500 ELSE 500 + 50 * c END AS bwd_packet_length_mean,
                200 + 40 * a AS bwd_packet_length_std, 0.05 + 0.02 * a AS iat_mean, 0.02 + 0.01 * b AS iat_std, 0.1 + 0.02 * c AS fwd_iat_mean,
                0.03 + 0.01 * a AS fwd_iat_std, 0.08 + 0.02 * b AS bwd_iat_mean, 0.04 + 0.01 * c AS bwd_iat_std
         FROM drawn ORDER BY i",
        odd = if odd.is_empty() { "-1".into() } else { odd.join(", ") }
    );
    db.execute_batch(&sql).unwrap();
    db
}

fn judged(db: &Connection, settings: &Settings, threads: usize) -> (Vec<FlowScore>, Vec<Anomaly>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let mut scores = Vec::new();
    let take = |rows: &[FlowScore]| -> Result<()> {
        scores.extend_from_slice(rows);
        Ok(())
    };
    let (anomalies, _) = run(db, &pool, settings, &[], take).unwrap();
    (scores, anomalies)
}

#[test]
fn every_flow_has_a_score_and_a_tenth_of_them_is_anomalous_by_default() {
    let (scores, _) = judged(&case(3_000, &[]), &Settings::default(), 2);
    assert_eq!(scores.len(), 3_000);
    assert!(scores.windows(2).all(|pair| pair[0].flow < pair[1].flow));
    let anomalous = scores.iter().filter(|score| score.is_anomaly).count();
    assert!((290..=310).contains(&anomalous), "{anomalous}");
    assert!(scores.iter().all(|score| (0.0..=1.0).contains(&score.score) && score.is_anomaly == (score.score > 0.5) || score.score == 0.5));
    let (scores, _) = judged(&case(3_000, &[]), &Settings { contamination: 0.01, ..Settings::default() }, 2);
    assert!((25..=35).contains(&scores.iter().filter(|score| score.is_anomaly).count()));
}

#[test]
fn scores_are_equal_on_every_run_and_thread_count_and_differ_with_the_seed() {
    let db = case(2_000, &[777]);
    let first = judged(&db, &Settings::default(), 1);
    assert!(first == judged(&db, &Settings::default(), 2));
    assert!(first == judged(&db, &Settings::default(), 8));
    assert!(first.0 != judged(&db, &Settings { seed: 43, ..Settings::default() }, 2).0);
}

#[test]
fn the_flow_that_is_unlike_all_others_is_named_with_its_reasons() {
    let db = case(3_000, &[1_234]);
    // In fifty minutes of three thousand flows the rarest that can be told is one in three thousand: a budget of one a day is less.
    let (scores, anomalies) = judged(&db, &Settings { false_per_day: 100.0, ..Settings::default() }, 2);
    // To the Isolation Forest, for which a flow beyond the range of its samples is like one at the edge, it is one of many.
    assert!(scores.iter().any(|score| score.flow == 1_234 * 16 && score.is_anomaly));
    let found = anomalies.first().expect("it is beyond a budget of three");
    assert_eq!(found.flow.unwrap().0, 1_234 * 16);
    let says = &found.says;
    assert!(says.contains("flow duration") || says.contains("resp ip bytes") || says.contains("bwd packet length mean"), "{says}");
    assert!(says.contains("usually") && found.peers.as_deref() == Some("ssl out"), "{says}");
    assert!(found.why["features"].as_array().is_some_and(|features| !features.is_empty() && features.len() <= 4));
}

#[test]
fn harmless_traffic_keeps_to_the_number_of_false_findings_that_was_asked_for() {
    // 20,000 seconds: a fifth of a day at one false finding a day.
    let (scores, anomalies) = judged(&case(20_000, &[]), &Settings::default(), 2);
    assert!(anomalies.len() <= 2, "{:?}", anomalies.iter().map(|a| &a.says).collect::<Vec<_>>());
    for share in [0.1, 0.01] {
        let below = scores.iter().filter(|score| score.p.unwrap() <= share).count();
        let (low, high) = binomial_interval(scores.len(), share);
        assert!((low..=high).contains(&below), "p {share}: {below} not in {low}..={high}");
    }
}

#[test]
fn of_a_half_that_was_held_back_as_many_look_improbable_as_was_promised() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let check = held_back(&case(12_000, &[]), &pool, &Settings::default(), &[]).unwrap().expect("there are enough flows");
    assert!(check.flows > 5_000 && check.nominal == 0.01);
    assert!((check.interval.0..=check.interval.1).contains(&check.below), "{}", check.says());
    assert!(held_back(&case(100, &[]), &pool, &Settings::default(), &[]).unwrap().is_none());
}

#[test]
fn few_flows_get_a_score_and_no_probability_and_none_get_nothing() {
    let (scores, anomalies) = judged(&case(20, &[3]), &Settings::default(), 1);
    assert!(scores.len() == 20 && anomalies.is_empty() && scores.iter().all(|score| score.p.is_none()));
    let (scores, _) = judged(&case(1, &[]), &Settings::default(), 1);
    assert_eq!((scores[0].score, scores[0].is_anomaly), (0.0, false));
    assert_eq!(judged(&case(0, &[]), &Settings::default(), 1), (Vec::new(), Vec::new()));
}

#[test]
fn models_that_are_not_wanted_are_not_asked() {
    let db = case(500, &[]);
    assert_eq!(judged(&db, &Settings { which: Which::None, ..Settings::default() }, 1).0, []);
    let (scores, _) = judged(&db, &Settings { which: Which::Forest, ..Settings::default() }, 1);
    assert!(scores.len() == 500 && scores.iter().all(|score| score.p.is_none() && score.tails.is_none()));
}

#[test]
fn settings_of_the_forest_are_tuned_like_rules_and_others_are_left_alone() {
    let mut overrides = vec![Override::parse("models.trees=7").unwrap(), Override::parse("beacon.min_events=12").unwrap()];
    let tuned = Settings::default().tune(&mut overrides).unwrap();
    assert_eq!((tuned.trees, overrides.len()), (7, 1));
    let error = Settings::default().tune(&mut vec![Override::parse("models.tree=7").unwrap()]).unwrap_err().to_string();
    assert!(error.contains("did you mean `trees`?"), "{error}");
    let error = Settings::default().tune(&mut vec![Override::parse("models.samples=1").unwrap()]).unwrap_err().to_string();
    assert!(error.contains("from 2 to 4096"), "{error}");
}
