/*
id       = "outside-proxy"
title    = "A host goes through a proxy outside, past the rules of its own network"
attack   = ["T1090.002", "T1572"]
impact   = 40
prior    = 0.4
family   = "anonymity"
reads    = ["flows"]
also     = ["socks", "http"]
window   = "capture"
key      = ["actor", "target", "port"]
fires_on = "outside-proxy"
benign   = "People who use a proxy service or a jump host on purpose; whether they may is policy."
says     = "{actor} has {target} port {port} open connections for it over {way}: {requests:requests} to {peers:places}, such as {example}; {sent:bytes} out and {got:bytes} back"
filter   = "ip.addr == {actor} && ip.addr == {target} && tcp.port == {port}"
[params]
min_bytes = 300 # bytes of each side: less is a knock at a proxy that lets nobody through
web       = [80, 443, 8080, 3128, 8443] # ports that people's browsers reach by way of a web proxy
*/
WITH asked AS (
    SELECT flow_id, frame, ts, 'SOCKS' AS way, coalesce(request_name, request_host) AS place, request_p AS place_port
    FROM socks WHERE command = 'connect' AND coalesce(status, '') IN ('succeeded', 'request granted') AND reply_frame IS NOT NULL
    UNION ALL
    SELECT flow_id, frame, ts, 'HTTP CONNECT', regexp_extract(uri, '^(.*):\d+$', 1), try_cast(regexp_extract(uri, ':(\d+)$', 1) AS INTEGER)
    FROM http WHERE method = 'CONNECT' AND status_code BETWEEN 200 AND 299
),
used AS (
    SELECT asked.*, flows.id_orig_h, flows.id_resp_h, flows.id_resp_p, flows.orig_bytes, flows.resp_bytes, flows.last_ts
    FROM asked JOIN flows USING (flow_id)
    WHERE direction IN ('out', 'ext') AND coalesce(orig_bytes, 0) >= $min_bytes AND coalesce(resp_bytes, 0) >= $min_bytes AND place IS NOT NULL
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, 'confirmed' AS outcome,
    [
        term('SOCKS, which takes any protocol', 0.7, (way = 'SOCKS')::INT),
        term('several connections', 0.5, log_scale(count(DISTINCT flow_id), 1, 20)),
        term('to ports beyond those of the web', 1, bool_or(NOT list_contains($web, place_port))::INT),
        term('nobody looked the proxy up', 0.5, bool_and(named.ip IS NULL)::INT)
    ] AS terms,
    {
        'port': id_resp_p, 'way': way, 'requests': count(*), 'peers': count(DISTINCT place), 'example': min_by(place || ' port ' || place_port, frame), 'sent': sum(orig_bytes), 'got': sum(resp_bytes),
        'span_s': round(seconds_between(min(ts), max(last_ts)), 6)
    } AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
FROM used LEFT JOIN named ON named.ip = used.id_resp_h
GROUP BY id_orig_h, id_resp_h, id_resp_p, way
ORDER BY actor, target, id_resp_p, way
