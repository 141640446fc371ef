/*
id       = "default-community"
title    = "Devices answer SNMP to a community that everybody knows"
attack   = ["T1602.001", "T1078.001"]
impact   = 25                       # 85 where one was written to, 55 from outside, 40 where tables were read out
prior    = 0.7
family   = "insecure-management"
reads    = ["snmp"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "community"]
fires_on = "default-community"
benign   = "Monitoring and printing in a network that never changed it: true all the same, and open to everybody."
says     = "{devices:devices} answered {actor} to the SNMP community {community} (version {version}): {what}"
filter   = "snmp && ip.addr == {actor}"
[params]
known     = ["public", "private", "admin", "administrator", "cisco", "cable-docsis", "ilmi", "manager", "monitor", "network", "password", "read", "write", "rw", "ro", "secret", "security", "snmp", "snmpd", "switch", "system", "tech", "test", "community", "default", "hp_admin", "mngt", "openview", "router", "root", "netman"] # what devices are delivered with, and guessing lists begin with
min_walk  = 60    # variables of one device that amount to reading out a table
max_named = 64    # targets that a finding names
*/
WITH talk AS (
    SELECT snmp.*, lower(list_filter(communities, lambda one: list_contains($known, lower(one)))[1]) AS weak, direction
    FROM snmp JOIN (SELECT flow_id, direction FROM flows) AS way USING (flow_id)
    -- An answer to a question that was never seen is a reflection, or half of a talk.
    WHERE version IN ('1', '2c') AND get_responses > 0 AND get_requests + get_bulk_requests + set_requests > 0 AND NOT is_group(id_resp_h) AND id_resp_p = 161
),
client AS (
    SELECT
        id_orig_h, weak, least_of(id_resp_h, $max_named) AS targets, count(DISTINCT id_resp_h) AS devices, min(version) AS version, bool_or(direction = 'in') AS stranger,
        -- A write that drew no error was done.
        sum(set_requests) AS sets, coalesce(sum(set_requests) FILTER (errors = 0), 0) AS done, sum(get_responses) AS read,
        min(list_extract(set_oids, 1)) AS wrote, min(ts) AS first_seen, max(ts + to_microseconds((coalesce(duration, 0) * 1e6)::BIGINT)) AS last_seen,
        least_of(flow_id, 500) AS flows, least_of(frame, 200) AS frames
    FROM talk WHERE weak IS NOT NULL
    GROUP BY id_orig_h, weak
)
SELECT
    id_orig_h AS actor, targets[1] AS target, targets, NULL::VARCHAR AS user, first_seen, last_seen, 'confirmed' AS outcome,
    CASE WHEN done > 0 THEN 85 WHEN stranger THEN 55 WHEN read >= $min_walk * devices THEN 40 ELSE 25 END AS impact,
    [
        term('written to', 0.7, (done > 0)::INT),
        term('from outside', 1, stranger::INT),
        term('read out', 0.5, log_scale(read / devices::DOUBLE, $min_walk, 2000))
    ] AS terms,
    {
        'community': weak, 'version': version, 'devices': devices, 'sets': sets, 'variables': read, 'wrote': wrote,
        'what': concat_ws(', ', read || ' variables read', CASE WHEN done > 0 THEN done || ' written, such as ' || wrote WHEN sets > 0 THEN sets || ' that were refused to be written' END, CASE WHEN stranger THEN 'by somebody from outside' END),
        'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM client
ORDER BY actor, weak
