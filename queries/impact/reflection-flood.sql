/*
id       = "reflection-flood"
title    = "Reflected flood: answers from many servers to questions never asked"
attack   = ["T1498.002"]
impact   = 65
prior    = 0.8
family   = "flood"
reads    = ["flows"]
window   = "60s"
key      = ["target", "service_port"]
fires_on = "reflection-flood"
benign   = "A one-sided tap in front of a busy client shows answers without questions."
says     = "{target} got {packets} unasked packets ({bytes:bytes}) from {sources:servers}, {proto} port {service_port}"
needs    = ["two_sided"]
[params]
min_sources = 50    # servers that answered without a question within a minute
reflectors  = [17, 19, 53, 69, 111, 123, 137, 161, 389, 427, 1900, 3283, 3702, 5060, 5353, 5683, 10001, 11211, 37810] # datagram services that answer more than they are asked
*/
WITH side AS (
    -- The service's side sent, the other never did. Which side counts as originator depends on the first packet.
    SELECT proto, id_resp_h AS server, id_orig_h AS victim, id_resp_p AS port, resp_pkts AS pkts, resp_ip_bytes AS bytes, ts, last_ts, flow_id, first_frame
    FROM flows
    WHERE orig_pkts = 0 AND resp_pkts > 0
    UNION ALL
    SELECT proto, id_orig_h, id_resp_h, id_orig_p, orig_pkts, orig_ip_bytes, ts, last_ts, flow_id, first_frame
    FROM flows
    WHERE resp_pkts = 0 AND (proto = 'udp' OR (proto = 'tcp' AND first_flags & 63 IN (18, 4, 20)))
),
unasked AS (
    SELECT *, CASE WHEN proto = 'tcp' THEN -1 ELSE port END AS service_port
    FROM side
    WHERE NOT is_group(victim) AND (proto = 'tcp' OR list_contains($reflectors, port))
)
SELECT
    NULL::VARCHAR AS actor, victim AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, 'confirmed' AS outcome,
    [
        term('servers', 2, log_scale(count(DISTINCT server), $min_sources, 2000)),
        term('large answers', 0.7, (sum(bytes) / greatest(sum(pkts), 1) >= 300)::INT)
    ] AS terms,
    {
        'proto': proto, 'service_port': CASE WHEN proto = 'tcp' THEN 'any' ELSE service_port::VARCHAR END, 'sources': count(DISTINCT server),
        'packets': sum(pkts), 'bytes': sum(bytes), 'examples': min(server, 5)
    } AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(first_frame, 200) AS frames
FROM unasked
GROUP BY proto, victim, service_port, epoch_us(ts) // 60000000
HAVING count(DISTINCT server) >= $min_sources
ORDER BY target, proto, service_port, first_seen
