/*
id       = "slow-http"
title    = "A web server is kept waiting: many connections whose requests never end"
attack   = ["T1499.002"]
impact   = 60
prior    = 0.7
family   = "flood"
reads    = ["flows", "payloads"]
also     = ["http"]
needs    = ["two_sided"]
window   = "capture"
key      = ["actor", "target", "port"]
fires_on = "slow-http"
benign   = "Uploads over a slow line: a few at once, and they arrive. A server that hangs of its own: its clients have sent whole requests."
says     = "{actor} held {at_once:connections} to port {port} of {target} open at once for {held_s:duration} each without ever finishing a request ({bytes:bytes} each)"
filter   = "tcp.port == {port} && ip.addr == {actor} && ip.addr == {target}"
[params]
min_at_once = 30     # connections open at once; browsers open six to a server
min_held    = 20.0   # seconds that such a connection stays open; servers give headers ten to sixty
max_rate    = 200.0  # bytes a second of the client: below any line that people still have
min_pieces  = 3      # packets with data: a request that is simply lost comes in one
verbs       = "^(474554|504f5354|48454144|505554|4f5054494f4e53)20" # GET, POST, HEAD, PUT, OPTIONS and a space
*/
WITH held AS (
    SELECT
        flow_id, id_orig_h, id_resp_h, id_resp_p, ts, last_ts, first_frame, orig_bytes, resp_bytes, flow_duration,
        epoch_us(ts) // 10000000 AS from_slot, epoch_us(last_ts) // 10000000 AS to_slot
    FROM flows JOIN payloads USING (flow_id)
    WHERE proto = 'tcp' AND contains(history, 'h') AND flow_duration >= $min_held AND orig_bytes > 0
      AND orig_bytes / flow_duration <= $max_rate AND regexp_matches(orig_first_bytes, $verbs)
      -- What the server says at most is that it waited long enough.
      AND coalesce(resp_bytes, 0) <= 1000 AND total_fwd_packets >= $min_pieces + 2
),
whole AS (SELECT flow_id FROM http WHERE complete OR status_code BETWEEN 200 AND 399 GROUP BY flow_id),
open AS (SELECT held.* FROM held ANTI JOIN whole USING (flow_id)),
-- How many at once: openings and endings in order of time.
edge AS (
    SELECT id_orig_h, id_resp_h, id_resp_p, ts AS moment, 1 AS step, flow_id FROM open
    UNION ALL
    SELECT id_orig_h, id_resp_h, id_resp_p, last_ts, -1, flow_id FROM open
),
height AS (
    SELECT id_orig_h, id_resp_h, id_resp_p, max(height) AS at_once
    FROM (
        SELECT *, sum(step) OVER (PARTITION BY id_orig_h, id_resp_h, id_resp_p ORDER BY moment, step DESC, flow_id ROWS UNBOUNDED PRECEDING) AS height FROM edge
    )
    GROUP BY ALL
),
told AS (
    SELECT
        id_orig_h, id_resp_h, id_resp_p, count(*) AS connections, median(flow_duration) AS held_s, median(orig_bytes) AS bytes, sum(coalesce(resp_bytes, 0)) AS answered,
        min(ts) AS first_seen, max(last_ts) AS last_seen, least_of(flow_id, 1000) AS flows, least_of(first_frame, 200) AS frames
    FROM open GROUP BY ALL
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user, first_seen, last_seen, 'confirmed' AS outcome,
    [
        term('connections at once', 1.5, log_scale(at_once, $min_at_once, 300)),
        term('held open', 0.7, log_scale(held_s, $min_held, 300)),
        term('the server never answers', 0.5, (answered = 0)::INT)
    ] AS terms,
    {
        'port': id_resp_p, 'at_once': at_once, 'connections': connections, 'held_s': round(held_s, 6), 'bytes': bytes::BIGINT,
        'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM told JOIN height USING (id_orig_h, id_resp_h, id_resp_p)
WHERE at_once >= $min_at_once
ORDER BY actor, target, id_resp_p
