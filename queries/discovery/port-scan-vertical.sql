/*
id       = "port-scan-vertical"
title    = "Port scan: many ports of one host tried in vain"
attack   = ["T1046", "T1595.001"]
impact   = 50                       # 35 from outside, 65 between ours, 70 from ours to outside
prior    = 0.8
family   = "scan"
reads    = ["flows"]
also     = ["icmp"]
window   = "capture"
key      = ["actor"]
fires_on = "port-scan-vertical"
benign   = "Inventory and vulnerability scanners that you run yourself; a monitoring host after a move of services."
says     = "{actor} tried {ports} {proto} ports on {target} in {span_s:duration}; {open_ports} answered"
[params]
min_ports  = 15     # distinct ports that failed on one host: Zeek's Port_Scan, 15
min_failed = 0.6    # share of all ports tried there that failed; passive FTP opens many ports too, and all of them work
*/
WITH port AS (
    SELECT *, NOT answered AS failed
    FROM contacts
    -- An answer to an unseen request comes from a service's port to many high ports: that is no scan.
    WHERE NOT (proto = 'udp' AND orig_p_min < 1024 AND orig_ports <= 2 AND id_resp_p >= 1024)
      -- Traceroute counts up from 33434.
      AND NOT (proto = 'udp' AND id_resp_p BETWEEN 33434 AND 33600)
),
-- Counting first: lists are only made of the few pairs that are worth one.
counted AS (
    SELECT
        proto, id_orig_h, id_resp_h,
        min(direction) AS direction,
        count(*) FILTER (failed) AS failed,
        count(*) AS ports,
        count(*) FILTER (answered) AS open_ports,
        min(first_ts) AS first_seen, max(last_ts) AS last_seen
    FROM port
    GROUP BY proto, id_orig_h, id_resp_h
    HAVING count(*) FILTER (failed) >= $min_ports AND count(*) FILTER (failed) >= $min_failed * count(*)
),
listed AS (
    SELECT
        port.proto, port.id_orig_h, port.id_resp_h,
        min(CASE WHEN port.answered THEN port.id_resp_p END, 20) AS open_list,
        min(port.id_resp_p, 20) AS ports_tried,
        least_of(port.flow_id, 1000) AS flows,
        least_of(port.frame, 200) AS frames
    FROM port JOIN counted USING (proto, id_orig_h, id_resp_h)
    GROUP BY port.proto, port.id_orig_h, port.id_resp_h
),
pair AS (
    SELECT * FROM counted JOIN listed USING (proto, id_orig_h, id_resp_h)
),
unreachable AS (
    SELECT inner_src, inner_dst, count(DISTINCT inner_dport) AS ports
    FROM icmp
    WHERE kind = 3 AND code = 3 AND NOT v6 AND inner_proto = 17
    GROUP BY ALL
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, 'confirmed' AS outcome,
    by_direction(direction, 35, 65, 70, 50) AS impact,
    [
        term('many ports', 2, log_scale(failed, $min_ports, 200)),
        term('almost none of them open', 1, 2 * (failed / pair.ports::DOUBLE) - 1),
        -- Silence alone proves little for datagrams; a host that says "no such port" proves the question.
        term('datagrams without any answer', -1, CASE WHEN proto = 'udp' AND coalesce(unreachable.ports, 0) < $min_ports / 3 THEN 1 ELSE 0 END)
    ] AS terms,
    {
        'proto': proto, 'ports': pair.ports, 'failed': failed, 'open_ports': open_ports,
        'open_list': coalesce(open_list, []), 'ports_tried': ports_tried,
        'unreachable': coalesce(unreachable.ports, 0), 'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM pair
LEFT JOIN unreachable ON proto = 'udp' AND inner_src = id_orig_h AND inner_dst = id_resp_h
ORDER BY actor, target, proto
