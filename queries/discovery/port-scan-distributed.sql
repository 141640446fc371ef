/*
id       = "port-scan-distributed"
title    = "Many hosts share out the ports of one target among them"
attack   = ["T1046", "T1595.001"]
impact   = 55                       # 45 from outside, 70 between ours and from ours to outside
prior    = 0.6
family   = "scan"
reads    = ["flows"]
window   = "10min"
key      = ["target"]
fires_on = "port-scan-distributed"
benign   = "A host that left a file-sharing network: strangers call it on one port. A flood from made-up addresses, each of which calls once."
says     = "{sources} hosts tried {ports} tcp ports of {target} within {span_s:duration}, each its own: {shared:percent} were tried by more than one; {failed:percent} did not accept"
filter   = "tcp.flags.syn == 1 && tcp.flags.ack == 0 && ip.dst == {target}"
[params]
min_sources = 8    # hosts that take part; fewer are a few scanners
min_each    = 3    # ports that each of them tries: made-up addresses come once
min_ports   = 60   # ports in all within ten minutes
max_shared  = 0.2  # share of ports that more than one tried; independent scanners want the same well-known ports
min_failed  = 0.7  # share of first contacts that failed
*/
WITH try AS (
    SELECT *, epoch_us(first_ts) // 600000000 AS slot FROM contacts WHERE proto = 'tcp'
),
-- Targets of which enough ports were tried at all.
busy AS (
    SELECT id_resp_h, slot FROM try GROUP BY id_resp_h, slot
    HAVING count(DISTINCT id_resp_p) >= $min_ports AND count(DISTINCT id_orig_h) >= $min_sources
),
source AS (
    SELECT id_resp_h, slot, id_orig_h FROM try SEMI JOIN busy USING (id_resp_h, slot)
    GROUP BY id_resp_h, slot, id_orig_h
    HAVING count(DISTINCT id_resp_p) >= $min_each AND count(*) FILTER (NOT answered) >= $min_failed * count(*)
),
part AS (SELECT try.* FROM try SEMI JOIN source USING (id_resp_h, slot, id_orig_h)),
port AS (SELECT id_resp_h, slot, id_resp_p, count(DISTINCT id_orig_h) AS sources FROM part GROUP BY ALL),
shared AS (SELECT id_resp_h, slot, count(*) AS ports, count(*) FILTER (sources > 1) / count(*)::DOUBLE AS shared FROM port GROUP BY ALL),
scan AS (
    SELECT
        id_resp_h, slot, count(DISTINCT id_orig_h) AS sources, count(*) FILTER (NOT answered) / count(*)::DOUBLE AS failed, min(direction) AS direction,
        count(DISTINCT net_of(id_orig_h)) AS nets, min(first_ts) AS first_seen, max(last_ts) AS last_seen,
        least_of(id_orig_h, 16) AS who, least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
    FROM part GROUP BY id_resp_h, slot
)
SELECT
    NULL::VARCHAR AS actor, id_resp_h AS target, NULL::VARCHAR AS user, first_seen, last_seen, 'confirmed' AS outcome,
    by_direction(direction, 45, 70, 70, 55) AS impact,
    [
        term('hosts', 1, log_scale(sources, $min_sources, 100)),
        term('ports', 1, log_scale(ports, $min_ports, 1000)),
        term('hardly a port twice', 1, 1 - shared / $max_shared),
        term('almost all in vain', 0.5, (failed >= 0.9)::INT)
    ] AS terms,
    {
        'sources': sources, 'ports': ports, 'shared': round(shared, 6), 'failed': round(failed, 6), 'networks': nets, 'who': who,
        'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM scan JOIN shared USING (id_resp_h, slot)
WHERE sources >= $min_sources AND ports >= $min_ports AND shared <= $max_shared
ORDER BY target, slot
