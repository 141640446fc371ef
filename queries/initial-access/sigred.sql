/*
id       = "sigred"
title    = "SIGRed: a DNS answer of 64 kB with a signature record (CVE-2020-1350)"
attack   = ["T1210", "T1190", "T1068"]
impact   = 90
prior    = 0.85
family   = "dns-exploit"
reads    = ["dns"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "sigred"
benign   = "Tests of your own: nobody else answers with SIG or KEY records of that size."
says     = "{actor} answered {target} with a {type} record of {bytes:bytes} for {name}, which overruns Windows DNS servers"
filter   = "dns && tcp && ip.addr == {actor} && ip.addr == {target}"
[params]
min_bytes = 60000   # length of the answer; the overrun needs one close to 65,535
types     = [24, 25] # SIG and KEY
*/
SELECT
    id_resp_h AS actor, id_orig_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(ts) AS last_seen, 'attempt' AS outcome,
    [term('over TCP, as the overrun needs', 1, bool_or(proto = 'tcp')::INT)] AS terms,
    {'answers': count(*), 'bytes': max(resp_bytes), 'type': min(qtype_name), 'name': min(query)} AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(coalesce(answer_frame, frame), 200) AS frames
FROM dns
WHERE list_contains($types, qtype) AND resp_bytes >= $min_bytes
GROUP BY id_resp_h, id_orig_h
ORDER BY actor, target
