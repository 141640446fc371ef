/*
id       = "port-scan-horizontal"
title    = "Address scan: one port tried in vain on host after host"
attack   = ["T1046", "T1018", "T1595.001"]
impact   = 50                       # 35 from outside, 65 between ours, 70 from ours to outside
prior    = 0.7
family   = "scan"
reads    = ["flows"]
window   = "capture"
key      = ["actor", "proto", "port"]
fires_on = "port-scan-horizontal"
benign   = "Peer-to-peer clients that go through old peer lists; inventory scanners; a client whose servers are all down."
says     = "{actor} tried {proto} port {port} on {hosts} hosts in {span_s:duration}; {failed} did not accept"
[params]
min_walk   = 7      # net failed first contacts: threshold random walk with 0.8/0.2 and a false alarm in 10,000 (Jung 2004)
min_walk_udp = 20   # datagrams that nobody answers are common; it takes more of them
min_failed = 0.7    # share of first contacts that failed
max_named  = 256    # targets that a finding names
*/
WITH step AS (
    SELECT *, CASE WHEN answered THEN -1 ELSE 1 END AS toward_scan
    FROM contacts
    -- Nodes of peer-to-peer networks try peers that left long ago, all over the Internet.
    WHERE NOT (id_orig_h IN (SELECT id_orig_h FROM crowds) AND direction IN ('out', 'ext'))
      AND (proto = 'tcp' OR NOT (orig_p_min < 1024 AND orig_ports <= 2 AND id_resp_p >= 1024))
),
-- Who could reach the thresholds at all: order matters only for them.
suspect AS (
    SELECT id_orig_h, proto, id_resp_p FROM step
    GROUP BY id_orig_h, proto, id_resp_p
    HAVING count(*) FILTER (NOT answered) >= CASE proto WHEN 'tcp' THEN $min_walk ELSE $min_walk_udp END
       AND count(*) FILTER (NOT answered) >= $min_failed * count(*)
),
walk AS (
    SELECT *, sum(toward_scan) OVER trail AS height
    FROM step SEMI JOIN suspect USING (id_orig_h, proto, id_resp_p)
    WINDOW trail AS (PARTITION BY id_orig_h, proto, id_resp_p ORDER BY first_ns, frame, id_resp_h ROWS UNBOUNDED PRECEDING)
),
-- Past good behaviour gives no credit: the walk is measured from its lowest point so far (CUSUM).
climb AS (
    SELECT *, height - least(0, min(height) OVER (PARTITION BY id_orig_h, proto, id_resp_p ORDER BY first_ns, frame, id_resp_h ROWS UNBOUNDED PRECEDING)) AS climbed
    FROM walk
),
scan AS (
    SELECT
        id_orig_h, proto, id_resp_p,
        min(direction) AS direction,
        max(climbed) AS walk,
        count(*) AS hosts,
        count(*) FILTER (NOT answered) AS failed,
        count(DISTINCT net_of(id_resp_h)) AS nets,
        min(first_ts) AS first_seen, max(last_ts) AS last_seen,
        min(CASE WHEN answered THEN id_resp_h END, 20) AS accepted_by
    FROM climb
    GROUP BY id_orig_h, proto, id_resp_p
    HAVING max(climbed) >= CASE proto WHEN 'tcp' THEN $min_walk ELSE $min_walk_udp END
),
-- A finding names at most this many targets; `hosts` counts them all.
tried AS (
    SELECT
        id_orig_h, proto, id_resp_p,
        list(id_resp_h ORDER BY place) AS targets, list(flow_id ORDER BY place) AS flows, list(frame ORDER BY place) AS frames
    FROM (
        SELECT *, row_number() OVER (PARTITION BY id_orig_h, proto, id_resp_p ORDER BY first_ns, frame, id_resp_h) AS place
        FROM contacts SEMI JOIN scan USING (id_orig_h, proto, id_resp_p)
    )
    WHERE place <= $max_named
    GROUP BY id_orig_h, proto, id_resp_p
)
SELECT
    scan.id_orig_h AS actor, targets[1] AS target, targets, NULL::VARCHAR AS user,
    first_seen, last_seen, 'confirmed' AS outcome,
    by_direction(scan.direction, 35, 65, 70, 50) AS impact,
    [
        term('failed in a row', 2, log_scale(walk, $min_walk, 50)),
        term('share that failed', 1, 4 * (failed / hosts::DOUBLE) - 3),
        -- Scans walk through neighbouring addresses; peers of a file-sharing network live all over the Internet.
        term('neighbouring addresses', 1, (nets <= 1 + hosts / 8)::INT),
        term('addresses all over the Internet', CASE scan.proto WHEN 'udp' THEN -3.5 ELSE -1.5 END, (nets > hosts / 2)::INT)
    ] AS terms,
    {
        'proto': scan.proto, 'port': scan.id_resp_p, 'hosts': hosts, 'failed': failed, 'walk': walk,
        'accepted_by': coalesce(accepted_by, []), 'networks': nets, 'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM scan JOIN tried USING (id_orig_h, proto, id_resp_p)
ORDER BY actor, proto, scan.id_resp_p
