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
says     = "{target} got {packets} {proto} packets ({bytes:bytes}) from {sources:sources} on {ports:ports} in {span_s:duration}, {rate} a second; {answered:percent} were answered"
filter   = "ip.dst == {target} && {proto}"
whole    = "a flood is its number: a finding keeps a thousand flows, and here each is a packet"
[params]
min_packets  = 2000  # packets in all
min_rate     = 500   # packets a second over the whole: a call has fifty to a few hundred
min_spread   = 20    # sources or ports among which they are spread: a stream has one of each
max_answered = 0.1   # packets back for each
*/
WITH thrown AS (
    SELECT
        proto, id_resp_h, count(DISTINCT id_orig_h) AS sources, count(DISTINCT CASE WHEN proto = 'udp' THEN id_resp_p END) AS ports,
        count(DISTINCT CASE WHEN proto = 'udp' THEN id_orig_p END) AS from_ports,
        sum(orig_pkts) AS packets, sum(resp_pkts) AS back, sum(orig_ip_bytes) AS bytes, min(ts) AS first_seen, max(last_ts) AS last_seen,
        min(id_orig_h) AS one_source, count(*) AS flows_in_all
    FROM flows
    WHERE (proto = 'udp' OR (proto = 'icmp' AND id_orig_p IN (8, 128))) AND NOT is_group(id_resp_h) AND orig_pkts > 0
      -- Answers of servers that were never asked are a flood of another kind.
      AND NOT (proto = 'udp' AND id_orig_p < 1024 AND id_resp_p >= 1024)
    GROUP BY proto, id_resp_h
    HAVING sum(orig_pkts) >= $min_packets
),
flood AS (
    SELECT *, greatest(seconds_between(first_seen, last_seen), 1) AS span_s, packets / greatest(seconds_between(first_seen, last_seen), 1) AS rate
    FROM thrown
    WHERE (greatest(sources, ports) >= $min_spread OR from_ports >= 10 * $min_spread OR (proto = 'icmp' AND bytes / packets <= 1500)) AND back <= $max_answered * packets
),
listed AS (
    SELECT flows.proto, flows.id_resp_h, least_of(flow_id, 1000) AS flows, least_of(first_frame, 200) AS frames
    FROM flows SEMI JOIN flood ON flood.proto = flows.proto AND flood.id_resp_h = flows.id_resp_h
    GROUP BY ALL
)
SELECT
    -- Many sources of a flood are made up: naming them would accuse the innocent.
    CASE WHEN sources = 1 THEN one_source END AS actor, flood.id_resp_h AS target, NULL::VARCHAR AS user,
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
WHERE rate >= $min_rate
ORDER BY target, flood.proto
