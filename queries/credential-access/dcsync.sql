/*
id       = "dcsync"
title    = "DCSync or DCShadow: a host that is no domain controller replicates the directory"
attack   = ["T1003.006", "T1207"]
impact   = 98
prior    = 0.9
family   = "directory-replication"
reads    = ["dce_rpc"]
also     = ["flows", "host_role"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "dcsync"
benign   = "Programs that keep another directory in step (Entra Connect), a domain controller that is being set up, backup of the directory."
says     = "{actor} replicates the directory of {target} though nothing shows it to be a domain controller: {what}; {proof}"
filter   = "dcerpc && ip.addr == {actor} && ip.addr == {target}"
[params]
data_bytes = 1000   # an answer of this size carries objects: refusals are far shorter
*/
WITH controller AS (
    SELECT ip FROM host_role WHERE role = 'dc'
    UNION
    -- Or it serves both the directory and replication.
    (SELECT callee FROM calls WHERE endpoint = 'drsuapi' INTERSECT SELECT id_resp_h FROM flows WHERE id_resp_p IN (88, 389) AND resp_pkts > 0)
),
-- Connections whose opening was not seen name no interface; sealed calls of these numbers, and no others, with such answers are replication.
nameless AS (
    SELECT flow_id FROM calls
    WHERE "over" = 'tcp'
    GROUP BY flow_id
    HAVING bool_and(endpoint IS NULL AND auth_level = 6 AND object_uuid IS NULL)
       AND bool_and(opnum IN (0, 1, 3, 12, 16))
       AND bool_or(opnum = 0 AND req_stub_len BETWEEN 72 AND 160 AND resp_stub_len BETWEEN 72 AND 160)
       AND bool_or(opnum = 12) AND bool_or(opnum = 16) AND bool_or(opnum = 3 AND resp_stub_len >= $data_bytes)
),
pull AS (
    SELECT
        caller, callee,
        count(*) FILTER (step = 'DRSGetNCChanges') AS pulls,
        count(*) FILTER (step <> 'DRSGetNCChanges') AS pushes,
        bool_or(answered AND (step <> 'DRSGetNCChanges' OR resp_stub_len >= $data_bytes)) AS done,
        bool_and(endpoint IS NULL) AS inferred,
        coalesce(sum(resp_stub_len), 0) AS bytes,
        min(ts) AS first_seen, max(ts) AS last_seen, least_of(flow_id, 100) AS flows, least_of(frame, 100) AS frames
    FROM (
        SELECT *, CASE WHEN endpoint IS NULL THEN 'DRSGetNCChanges' ELSE operation END AS step
        FROM calls
        WHERE (endpoint = 'drsuapi' AND operation IN ('DRSGetNCChanges', 'DRSReplicaAdd', 'DRSReplicaDel', 'DRSReplicaModify', 'DRSAddEntry'))
           OR (flow_id IN (SELECT flow_id FROM nameless) AND opnum = 3)
    )
    WHERE caller <> callee AND caller NOT IN (SELECT ip FROM controller)
    GROUP BY caller, callee
)
SELECT
    caller AS actor, callee AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, CASE WHEN done THEN 'confirmed' ELSE 'attempt' END AS outcome,
    [
        term('it offers itself as a source', 0.5, (pushes > 0)::INT),
        term('the interface is inferred', -1.5, inferred::INT)
    ] AS terms,
    {
        'pulls': pulls, 'pushes': pushes, 'bytes': bytes,
        'what': CASE WHEN pushes > 0 THEN 'it had changes of its own fetched (DCShadow)' ELSE 'it fetched ' || bytes || ' bytes of objects in ' || pulls || ' calls (DCSync)' END,
        'proof': CASE WHEN inferred THEN 'the opening of the connection was not seen, the calls are told by their numbers and sizes' ELSE 'the calls are named' END
    } AS evidence,
    flows, frames
FROM pull
ORDER BY actor, target
