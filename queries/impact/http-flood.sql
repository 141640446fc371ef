/*
id       = "http-flood"
title    = "A web server is asked for the same page faster than it can answer"
attack   = ["T1499.002"]
impact   = 60
prior    = 0.6
family   = "flood"
reads    = ["http"]
needs    = ["two_sided"]
window   = "10s"
key      = ["target", "port"]
fires_on = "http-flood"
benign   = "A load test; a program that polls a server of its own and gets its answers. Scans and guessing ask for many pages, or get answers."
says     = "{requests} requests hit {path} of {target} port {port} from {sources:clients}, at most {peak} in ten seconds; {unanswered:percent} had no answer or an error of the server"
filter   = "http.request && ip.dst == {target}"
[params]
min_peak      = 500  # requests for one page in ten seconds
min_failed    = 0.3  # share of them that the server did not answer, or answered that it cannot (500 to 504, 429)
*/
WITH asked AS (
    SELECT
        id_orig_h, id_resp_h, id_resp_p, split_part(coalesce(uri, ''), '?', 1) AS path, epoch_us(ts) // 10000000 AS slot, ts, flow_id, frame,
        status_code IS NULL OR status_code BETWEEN 500 AND 504 OR status_code = 429 AS failed
    FROM http WHERE method IS NOT NULL
),
busy AS (
    SELECT id_resp_h, id_resp_p, path, slot, count(*) AS requests, count(*) FILTER (failed) AS failed
    FROM asked GROUP BY ALL
    HAVING count(*) >= $min_peak AND count(*) FILTER (failed) >= $min_failed * count(*)
),
flood AS (
    SELECT
        id_resp_h, id_resp_p, path, max(busy.requests) AS peak, count(*) AS requests, count(*) FILTER (asked.failed) / count(*)::DOUBLE AS unanswered,
        count(DISTINCT id_orig_h) AS sources, least_of(id_orig_h, 8) AS who, min(ts) AS first_seen, max(ts) AS last_seen, least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
    FROM asked JOIN busy USING (id_resp_h, id_resp_p, path, slot)
    GROUP BY id_resp_h, id_resp_p, path
)
SELECT
    CASE WHEN sources = 1 THEN who[1] END AS actor, id_resp_h AS target, NULL::VARCHAR AS user, first_seen, last_seen, 'confirmed' AS outcome,
    [
        term('requests', 1.5, log_scale(peak, $min_peak, 10000)),
        term('the server fails', 1, unanswered)
    ] AS terms,
    {
        'port': id_resp_p, 'path': path, 'requests': requests, 'peak': peak, 'sources': sources, 'who': who, 'unanswered': round(unanswered, 6),
        'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM flood
ORDER BY target, id_resp_p, path
