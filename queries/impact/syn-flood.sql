/*
id       = "syn-flood"
title    = "SYN flood: connections to one port are opened and never finished"
attack   = ["T1499.001", "T1498.001"]
impact   = 60
prior    = 0.7
family   = "flood"
reads    = ["flows"]
window   = "1s"
key      = ["target", "port"]
fires_on = "syn-flood"
benign   = "Load tests; a server that went down under ordinary load."
says     = "{syns} SYNs from {sources:sources} hit port {port} of {target}, at most {peak} a second; {completed:percent} became connections"
filter   = "tcp.flags.syn == 1 && tcp.flags.ack == 0 && ip.dst == {target} && tcp.dstport == {port}"
[params]
min_syns      = 500   # attempts in all; below that a server does not notice
min_peak      = 100   # attempts in the busiest second
max_completed = 0.1   # share of them that became connections, by the minute
*/
WITH first AS (
    SELECT
        id_orig_h, id_resp_h, id_resp_p, direction, ts, last_ts, flow_id, first_frame, orig_pkts,
        epoch_us(ts) // 1000000 AS second, epoch_us(ts) // 60000000 AS minute,
        coalesce(orig_bytes, 0) + coalesce(resp_bytes, 0) > 0 OR regexp_matches(history, '[AD].*|[hH].*A') AS completed
    FROM flows
    WHERE proto = 'tcp' AND opened(history)
),
-- A day of ordinary visits does not hide a minute of flood.
minute AS (
    SELECT id_resp_h, id_resp_p, minute FROM first
    GROUP BY ALL
    HAVING count(*) FILTER (completed) <= $max_completed * count(*)
),
attempt AS (SELECT * FROM first SEMI JOIN minute USING (id_resp_h, id_resp_p, minute)),
second AS (
    SELECT id_resp_h, id_resp_p, second, count(*) AS attempts
    FROM attempt WHERE NOT completed GROUP BY ALL
),
peak AS (SELECT id_resp_h, id_resp_p, max(attempts) AS peak, count(*) AS seconds FROM second GROUP BY ALL),
port AS (
    SELECT
        id_resp_h, id_resp_p,
        count(*) FILTER (NOT completed) AS attempts,
        sum(orig_pkts) FILTER (NOT completed) AS syns,
        count(*) FILTER (completed) / count(*)::DOUBLE AS completed,
        count(DISTINCT id_orig_h) FILTER (NOT completed) AS sources,
        min(id_orig_h) FILTER (NOT completed) AS one_source,
        min(id_orig_h, 5) FILTER (NOT completed) AS examples,
        min(ts) FILTER (NOT completed) AS first_seen, max(last_ts) FILTER (NOT completed) AS last_seen,
        least_of(CASE WHEN NOT completed THEN flow_id END, 1000) AS flows, least_of(CASE WHEN NOT completed THEN first_frame END, 200) AS frames
    FROM attempt GROUP BY id_resp_h, id_resp_p
)
SELECT
    -- Many sources of one attempt each are made up: naming them would accuse the innocent.
    CASE WHEN sources = 1 THEN one_source END AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, 'confirmed' AS outcome,
    [
        term('attempts', 1.5, log_scale(attempts, $min_syns, 5000)),
        term('rate', 1, log_scale(peak, $min_peak, 1000)),
        term('almost none completed', 0.7, 1 - completed / $max_completed)
    ] AS terms,
    {
        'port': id_resp_p, 'syns': syns, 'attempts': attempts, 'peak': peak, 'seconds': seconds, 'sources': sources,
        'spoofed': sources > 0.5 * attempts, 'completed': round(completed, 6), 'examples': examples
    } AS evidence,
    flows, frames
FROM port JOIN peak USING (id_resp_h, id_resp_p)
WHERE attempts >= $min_syns AND peak >= $min_peak
ORDER BY target, id_resp_p
