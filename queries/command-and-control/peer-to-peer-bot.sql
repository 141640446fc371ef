/*
id       = "peer-to-peer-bot"
title    = "One host pings hundreds of strangers on one odd port with messages of one size"
attack   = ["T1071", "T1095", "T1008"]
impact   = 70
prior    = 0.3
family   = "p2p"
reads    = ["flows"]
also     = ["payloads"]
window   = "capture"
key      = ["actor", "port"]
fires_on = "peer-to-peer-bot"
benign   = "File sharing and game networks do the same; they are readable, on many ports, and their messages differ in size."
says     = "{actor} sent datagrams of {size} bytes to port {port} of {peers} hosts all over the Internet, {answered} of which answered"
filter   = "udp.port == {port} && ip.addr == {actor}"
[params]
min_peers = 40    # strangers on one port
min_nets  = 0.5   # share of them in networks (/16) of their own
same_size = 0.7   # share of first datagrams that have the commonest size
known     = [53, 123, 443, 1900, 3478, 4500, 5353, 6346, 6347, 6881, 6882, 6883, 6889, 33434] # ports of networks that people use
*/
WITH wide AS (
    SELECT id_orig_h, id_resp_p
    FROM flows
    WHERE proto = 'udp' AND orig_pkts > 0 AND direction IN ('out', 'ext') AND NOT is_group(id_resp_h) AND NOT list_contains($known, id_resp_p)
    GROUP BY ALL
    HAVING count(DISTINCT id_resp_h) >= $min_peers AND count(DISTINCT net_of(id_resp_h)) >= $min_nets * count(DISTINCT id_resp_h)
),
call AS (
    SELECT flows.*, abs(first_lens[1]) AS first_size, orig_entropy, orig_printable, orig_first_bytes
    FROM flows SEMI JOIN wide USING (id_orig_h, id_resp_p) JOIN flow_shape USING (flow_id) LEFT JOIN payloads USING (flow_id)
    WHERE proto = 'udp' AND orig_pkts > 0 AND direction IN ('out', 'ext') AND NOT is_group(id_resp_h)
),
size AS (
    SELECT id_orig_h, id_resp_p, first_size, count(*) AS calls FROM call GROUP BY ALL
),
common AS (
    SELECT id_orig_h, id_resp_p, max(calls) AS calls, max_by(first_size, (calls, first_size)) AS first_size, sum(calls) AS all_calls FROM size GROUP BY ALL
),
port AS (
    SELECT
        id_orig_h, id_resp_p, count(DISTINCT id_resp_h) AS peers, count(DISTINCT id_resp_h) FILTER (resp_pkts > 0) AS answered,
        count(DISTINCT net_of(id_resp_h)) AS nets,
        avg(orig_printable) AS printable, avg(orig_entropy) AS entropy,
        bool_or(coalesce(starts_with(orig_first_bytes, '64313a') OR starts_with(orig_first_bytes, '474e44'), false)) AS file_sharing,
        min(ts) AS first_seen, max(last_ts) AS last_seen, least_of(flow_id, 1000) AS flows, least_of(first_frame, 200) AS frames, min(id_resp_h, 10) AS examples
    FROM call GROUP BY id_orig_h, id_resp_p
)
SELECT
    id_orig_h AS actor, NULL::VARCHAR AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, 'confirmed' AS outcome,
    [
        term('peers', 1.5, log_scale(peers, $min_peers, 400)),
        term('messages of one size', 1.5, within((common.calls / all_calls::DOUBLE - 0.5) / 0.4, 0, 1)),
        term('unreadable', 0.7, (coalesce(printable, 0) < 0.5)::INT),
        term('most do not answer', 0.7, (answered < 0.5 * peers)::INT),
        term('file sharing by its first bytes', -3, file_sharing::INT)
    ] AS terms,
    {
        'port': id_resp_p, 'peers': peers, 'answered': answered, 'nets': nets, 'size': common.first_size, 'same_size': round(common.calls / all_calls::DOUBLE, 6),
        'entropy': round(entropy, 3), 'printable': round(printable, 3), 'examples': examples, 'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM port JOIN common USING (id_orig_h, id_resp_p)
WHERE common.calls >= $same_size * all_calls
ORDER BY actor, id_resp_p
