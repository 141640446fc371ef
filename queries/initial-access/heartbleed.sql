/*
id       = "heartbleed"
title    = "Heartbleed: a TLS heartbeat asks for more than it sends (CVE-2014-0160)"
attack   = ["T1190", "T1210", "T1212"]
impact   = 85
prior    = 0.9
family   = "tls-exploit"
reads    = ["tls"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "heartbleed"
benign   = "None known: a heartbeat that announces more than its record holds has no use."
says     = "{actor} sent {target} heartbeats that announce more than they hold, in {connections:connections}; {answer}"
filter   = "tls.heartbeat_message && ip.addr == {actor} && ip.addr == {target}"
[params]
min_leak = 1000 # bytes answered beyond the bytes asked from which memory was probably given away
*/
WITH beat AS (
    SELECT tls.flow_id, tls.frame, tls.ts, tls.id_orig_h, tls.id_resp_h, orig_bytes, resp_bytes, last_ts, flows.frames,
        coalesce(resp_bytes, 0) - coalesce(orig_bytes, 0) >= $min_leak AS leaked
    FROM tls JOIN flows USING (flow_id)
    WHERE heartbeat_oversize
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, CASE WHEN bool_or(leaked) THEN 'confirmed' ELSE 'attempt' END AS outcome,
    [term('the server answered at length', 1, bool_or(leaked)::INT)] AS terms,
    {
        'connections': count(*), 'answered_bytes': max(resp_bytes), 'asked_bytes': max(orig_bytes),
        'answer': CASE WHEN bool_or(leaked) THEN 'the server gave away memory' ELSE 'no long answer was seen' END
    } AS evidence,
    least_of(flow_id, 1000) AS flows, list_distinct(flatten(list(frames ORDER BY flow_id)))[1:200] AS frames
FROM beat GROUP BY id_orig_h, id_resp_h
ORDER BY actor, target
