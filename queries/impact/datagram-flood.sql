/*
id       = "datagram-flood"
title    = "Flood of datagrams: UDP or ICMP drowns a host"
attack   = ["T1498.001"]
impact   = 65
prior    = 0.6
family   = "flood"
reads    = ["flows"]
window   = "1s"
key      = ["target", "proto"]
fires_on = "datagram-flood"
benign   = "Calls, streams and tunnels are as dense, but between two sockets; measurements of speed are answered."
says     = "{target} got {packets} {proto} packets ({bytes:bytes}) from {sources:sources} on {ports:ports} in {span_s:duration}, up to {rate} a second; {answered:percent} were answered"
filter   = "ip.dst == {target} && {proto}"
whole    = "a flood is its number: a finding keeps a thousand flows, and here each is a packet"
[params]
min_packets  = 2000  # packets in all seconds of the flood
min_rate     = 500   # packets in such a second: a call has fifty to a few hundred
min_spread   = 20    # sources or ports among which they are spread: a stream has one of each
max_answered = 0.1   # packets back for each
*/
WITH thrown AS (
    SELECT *, epoch_us(ts) // 1000000 AS second
    FROM flows
    WHERE (proto = 'udp' OR (proto = 'icmp' AND id_orig_p IN (8, 128))) AND NOT is_group(id_resp_h) AND orig_pkts > 0
      -- Answers of servers that were never asked are a flood of another kind.
      AND NOT (proto = 'udp' AND id_orig_p < 1024 AND id_resp_p >= 1024)
),
-- What else the host was sent within hours neither hides a flood nor makes one: only the seconds count in which it was drowned.
rushed AS (
    SELECT proto, id_resp_h, second, sum(orig_pkts) / greatest(seconds_between(min(ts), max(last_ts)), 1) AS rate
    FROM thrown GROUP BY proto, id_resp_h, second
    HAVING sum(orig_pkts) >= $min_rate * greatest(seconds_between(min(ts), max(last_ts)), 1)
),
drowned AS (
    SELECT
        proto, id_resp_h, count(DISTINCT id_orig_h) AS sources, count(DISTINCT CASE WHEN proto = 'udp' THEN id_resp_p END) AS ports,
        count(DISTINCT CASE WHEN proto = 'udp' THEN id_orig_p END) AS from_ports,
        sum(orig_pkts) AS packets, sum(resp_pkts) AS back, sum(orig_ip_bytes) AS bytes, min(ts) AS first_seen, max(last_ts) AS last_seen,
        count(*) AS flows_in_all, max(rate) AS rate
    FROM thrown JOIN rushed USING (proto, id_resp_h, second)
    GROUP BY proto, id_resp_h
    HAVING sum(orig_pkts) >= $min_packets
),
flood AS (
    SELECT *, greatest(seconds_between(first_seen, last_seen), 1) AS span_s
    FROM drowned
    WHERE (greatest(sources, ports) >= $min_spread OR from_ports >= 10 * $min_spread OR (proto = 'icmp' AND bytes / packets <= 1500)) AND back <= $max_answered * packets
),
-- Whoever sent nearly all of it, beside whom the others are ordinary visitors.
source AS (
    SELECT proto, id_resp_h, max_by(id_orig_h, (packets, id_orig_h)) AS main_source, max(packets) / sum(packets)::DOUBLE AS share
    FROM (SELECT proto, id_resp_h, id_orig_h, sum(orig_pkts) AS packets FROM thrown SEMI JOIN rushed USING (proto, id_resp_h, second) GROUP BY ALL)
    GROUP BY proto, id_resp_h
),
listed AS (
    SELECT flows.proto, flows.id_resp_h, least_of(flow_id, 1000) AS flows, least_of(first_frame, 200) AS frames
    FROM flows SEMI JOIN rushed ON rushed.proto = flows.proto AND rushed.id_resp_h = flows.id_resp_h AND rushed.second = epoch_us(flows.ts) // 1000000
    GROUP BY ALL
)
SELECT
    -- Many sources of a flood are made up: naming them would accuse the innocent.
    CASE WHEN share >= 0.9 THEN main_source END AS actor, flood.id_resp_h AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, 'confirmed' AS outcome,
    [
        term('rate', 1.5, log_scale(rate, $min_rate, 20000)),
        term('spread', 1, log_scale(greatest(sources, ports), $min_spread, 1000)),
        term('hardly answered', 0.7, 1 - (back / packets::DOUBLE) / $max_answered)
    ] AS terms,
    {
        'proto': flood.proto, 'packets': packets, 'bytes': bytes, 'sources': sources, 'ports': greatest(ports, 1), 'rate': round(rate, 1), 'span_s': round(span_s, 6),
        'answered': round(back / packets::DOUBLE, 6), 'spoofed': sources > 0.5 * flows_in_all
    } AS evidence,
    listed.flows, frames
FROM flood JOIN listed ON listed.proto = flood.proto AND listed.id_resp_h = flood.id_resp_h
JOIN source ON source.proto = flood.proto AND source.id_resp_h = flood.id_resp_h
ORDER BY target, flood.proto
