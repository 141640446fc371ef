/*
id       = "sweep-icmp"
title    = "Ping sweep: one host pings address after address"
attack   = ["T1018", "T1595.001"]
impact   = 35                       # 50 where it goes quickly through a neighbourhood
prior    = 0.7
family   = "scan"
reads    = ["icmp"]
window   = "capture"
key      = ["actor"]
fires_on = "sweep-icmp"
benign   = "Monitoring that pings its hosts on a schedule: few unanswered, the same addresses again and again."
says     = "{actor} pinged {addresses} addresses in {span_s:duration}; {answered} answered"
filter   = "(icmp || icmpv6) && ip.addr == {actor}"
[params]
min_addresses = 25  # distinct addresses pinged: Zeek's and Slips' 25
whole         = 100 # addresses, at `whole_rate`, that amount to going through a neighbourhood
whole_rate    = 2.0 # addresses per second: monitoring takes its time
min_rate      = 0.1 # new addresses per second; monitoring that grows to 25 hosts over a day is none
max_answered  = 0.8 # share that may answer
*/
WITH ping AS (
    SELECT id_orig_h, id_resp_h, ts, flow_id, frame, is_orig
    FROM icmp
    -- Echo, and the timestamps and address masks that scanners ask for where echo is filtered.
    WHERE (kind IN (0, 8, 13, 14, 17, 18) AND NOT v6 OR kind IN (128, 129) AND v6) AND NOT is_group(id_resp_h)
),
address AS (
    SELECT
        id_orig_h, id_resp_h, min(ts) FILTER (is_orig) AS first_ts,
        bool_or(NOT is_orig) AS answered, min(flow_id) AS flow_id, min(frame) FILTER (is_orig) AS frame
    FROM ping GROUP BY id_orig_h, id_resp_h
    HAVING bool_or(is_orig)
),
sweep AS (
    SELECT
        id_orig_h, count(*) AS addresses, count(*) FILTER (answered) AS answered,
        min(first_ts) AS first_seen, max(first_ts) AS last_seen,
        min(id_resp_h, 10) AS examples, least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
    FROM address GROUP BY id_orig_h
)
SELECT
    id_orig_h AS actor, NULL::VARCHAR AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, 'confirmed' AS outcome,
    CASE WHEN addresses >= $whole AND addresses >= $whole_rate * seconds_between(first_seen, last_seen) THEN 50 ELSE 35 END AS impact,
    [
        term('many addresses', 1.5, log_scale(addresses, $min_addresses, 250)),
        term('few of them live', 1, 1 - 2 * answered / addresses::DOUBLE)
    ] AS terms,
    {
        'addresses': addresses, 'answered': answered, 'examples': examples,
        'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM sweep
WHERE addresses >= $min_addresses AND answered <= $max_answered * addresses
  AND addresses >= $min_rate * seconds_between(first_seen, last_seen)
ORDER BY actor
