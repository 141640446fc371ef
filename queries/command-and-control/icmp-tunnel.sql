/*
id       = "icmp-tunnel"
title    = "ICMP tunnel: pings that carry something else"
attack   = ["T1095", "T1572", "T1048.003"]
impact   = 75
prior    = 0.4
family   = "icmp-c2"
reads    = ["icmp"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "icmp-tunnel"
benign   = "Path-MTU probes and `ping -s` send large echoes too: one size, a known filler, and the reply repeats the request."
says     = "{actor} and {target} exchanged {all_messages:echo messages}: {told}"
filter   = "icmp && ip.addr == {actor} && ip.addr == {target}"
[params]
min_messages = 5     # echo messages whose payload is neither short nor a known filler
min_bytes    = 2000  # of such payload
short        = 64    # payloads up to this many bytes are what ping programs send
min_entropy  = 3.0   # bits per byte; fillers that we do not know are usually below
min_contents = 3     # contents under one and the same counter: a ping counts up
unlike_least = 3     # replies that differ from their request: a ping never does that
*/
WITH message AS (
    SELECT
        id_orig_h, id_resp_h, ts, flow_id, frame, is_orig, len, coalesce(entropy, 0) AS entropy, reply_match, first_bytes, echo_id, echo_seq, kind,
        len > $short AND pattern IS NULL AND coalesce(entropy, 0) >= $min_entropy AS unusual
    FROM icmp
    WHERE kind IN (0, 8, 128, 129) AND NOT is_group(id_resp_h)
),
pair AS (
    SELECT
        least(id_orig_h, id_resp_h) AS a, greatest(id_orig_h, id_resp_h) AS b,
        min_by(id_orig_h, frame) AS first_orig, min_by(id_resp_h, frame) AS first_resp,
        count(*) FILTER (unusual) AS messages,
        coalesce(sum(len) FILTER (unusual), 0) AS bytes,
        count(DISTINCT len) FILTER (unusual) AS sizes,
        count(DISTINCT first_bytes) FILTER (len > $short) AS contents,
        count(*) FILTER (reply_match = false AND len > 0) AS differing,
        count(*) FILTER (reply_match) AS mirrored,
        round(avg(entropy) FILTER (unusual), 6) AS entropy_mean,
        count(DISTINCT (echo_id, echo_seq, is_orig)) AS counters, count(*) AS all_messages,
        count(DISTINCT first_bytes) FILTER (is_orig AND kind IN (8, 128) AND len > $short) AS asked, count(DISTINCT (echo_id, echo_seq)) FILTER (is_orig AND kind IN (8, 128) AND len > $short) AS asked_counters,
        min(ts) AS first_seen, max(ts) AS last_seen,
        least_of(flow_id, 1000) AS flows,
        list_concat(coalesce(least_of(CASE WHEN unusual THEN frame END, 150), []), min(frame, 50)) AS frames,
        min(first_bytes, 3) FILTER (unusual) AS examples
    FROM message GROUP BY a, b
)
SELECT
    first_orig AS actor, first_resp AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, CASE WHEN differing >= $unlike_least OR contents >= $min_messages OR asked > 2 * asked_counters THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('replies unlike their request', 1.5, log_scale(differing, 1, 20)),
        term('many sizes', 1, log_scale(sizes, 2, 30)),
        term('contents change', 1, log_scale(contents, 2, 30)),
        term('bytes', 1, log_scale(bytes, $min_bytes, 200000)),
        term('replies repeat the request', -1.5, CASE WHEN differing = 0 AND sizes = 1 THEN mirrored / greatest(all_messages / 2.0, 1) ELSE 0 END),
        term('counters reused', 1, (counters < 0.5 * all_messages)::INT),
        term('new contents under an old counter', 2, (asked >= $min_contents AND asked > 2 * asked_counters)::INT)
    ] AS terms,
    {
        'messages': messages, 'bytes': bytes, 'sizes': sizes, 'contents': contents, 'differing': differing, 'mirrored': mirrored,
        'entropy_mean': entropy_mean, 'all_messages': all_messages, 'examples': examples,
        'told': concat_ws(', ', CASE WHEN messages > 0 THEN format('{} with unusual payload ({} bytes)', messages, bytes) END,
                          CASE WHEN contents > 1 THEN format('{} different contents', contents) END,
                          CASE WHEN differing > 0 THEN format('{} replies unlike their request', differing) END,
                          CASE WHEN asked > 2 * asked_counters THEN 'new contents under an old counter' END)
    } AS evidence,
    flows, frames
FROM pair
WHERE (messages >= $min_messages AND bytes >= $min_bytes)
   OR (asked >= $min_contents AND asked > 2 * asked_counters)
   OR (differing >= $unlike_least AND messages >= $unlike_least)
   -- Shells that speak in messages as small as a ping's: of a ping no reply differs, of them hardly any is the same.
   OR (differing >= $unlike_least AND differing > mirrored)
ORDER BY actor, target
