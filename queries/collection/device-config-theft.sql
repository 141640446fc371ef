/*
id       = "device-config-theft"
title    = "A network device is made to hand over or take a configuration"
attack   = ["T1602.002"]
impact   = 85
prior    = 0.5
family   = "insecure-management"
reads    = ["flows"]
also     = ["snmp", "tftp", "payloads"]
window   = "10min"
key      = ["target"]
fires_on = "device-config-theft"
benign   = "Administrators who save configurations by TFTP; devices that fetch theirs when they start."
says     = "{actor} {ordered} {target}; {moved}"
filter   = "ip.addr == {target} && (snmp || tftp || tcp.port == 4786)"
[params]
window_s = 600.0                         # seconds from the order to the transfer that belongs to it
copy     = "^1\\.3\\.6\\.1\\.4\\.1\\.9\\.(9\\.96\\.1\\.1\\.1\\.1|2\\.1\\.5[0-9])" # CISCO-CONFIG-COPY-MIB ccCopyTable; OLD-CISCO-SYS-MIB writeNet, hostConfigSet
names    = "running-?config|startup-?config|^config\\.text|-confg$|\\.cfg$|\\.conf$|vlan\\.dat|nvram" # how configurations are called
*/
WITH ordered AS (
    SELECT id_orig_h AS actor, id_resp_h AS target, ts, flow_id, frame, 'gave by SNMP the order to copy a configuration to' AS how, errors = 0 AND get_responses > 0 AS done
    FROM snmp WHERE set_requests > 0 AND len(list_filter(set_oids, lambda one: regexp_matches(ltrim(one, '.'), $copy))) > 0
    UNION ALL
    -- Smart Install: words of 32 bits, the first of which is 1 from a director and 2 from a client (Cisco, Talos 2018).
    SELECT id_orig_h, id_resp_h, ts, flow_id, first_frame, 'gave Smart Install orders to', coalesce(resp_bytes, 0) > 0
    FROM flows JOIN payloads USING (flow_id)
    WHERE proto = 'tcp' AND id_resp_p = 4786 AND contains(history, 'h') AND orig_bytes >= 16 AND regexp_matches(orig_first_bytes, '^0000000[12]0000000[0-9]')
),
transfer AS (
    SELECT ts, flow_id, data_flow_id, frame, id_orig_h, id_resp_h, op, file, bytes
    FROM tftp WHERE coalesce(bytes, 0) > 0 AND error_code IS NULL
),
followed AS (
    SELECT
        ordered.actor, ordered.target, min(transfer.file) AS file, min(transfer.op) AS op, min(transfer.id_resp_h) AS place, sum(transfer.bytes) AS bytes, max(transfer.ts) AS last_ts,
        least_of(transfer.flow_id, 50) AS flows, least_of(transfer.data_flow_id, 50) AS data, least_of(transfer.frame, 50) AS frames
    FROM ordered JOIN transfer ON transfer.id_orig_h = ordered.target AND seconds_between(ordered.ts, transfer.ts) BETWEEN 0 AND $window_s
    GROUP BY ALL
),
act AS (
    SELECT actor, target, min(how) AS how, bool_or(done) AS done, count(*) AS orders, min(ts) AS first_seen, max(ts) AS last_seen, least_of(flow_id, 100) AS flows, least_of(frame, 100) AS frames
    FROM ordered GROUP BY actor, target
)
SELECT
    act.actor, act.target, NULL::VARCHAR AS user, first_seen, greatest(last_seen, coalesce(followed.last_ts, last_seen)) AS last_seen,
    CASE WHEN file IS NOT NULL THEN 'confirmed' WHEN done THEN 'likely' ELSE 'attempt' END AS outcome,
    [
        term('a transfer followed', 2, (file IS NOT NULL)::INT),
        term('called as configurations are', 1, coalesce(regexp_matches(lower(file), $names), false)::INT),
        term('the device agreed', 0.5, done::INT)
    ] AS terms,
    {
        'orders': orders, 'file': file, 'place': place, 'bytes': bytes,
        'ordered': how,
        'moved': CASE WHEN op = 'write' THEN concat('it sent ', file, ' to ', place) WHEN op = 'read' THEN concat('it fetched ', file, ' from ', place) WHEN done THEN 'it answered' ELSE 'no answer was seen' END,
        'span_s': round(seconds_between(first_seen, greatest(last_seen, coalesce(followed.last_ts, last_seen))), 6)
    } AS evidence,
    list_concat(list_concat(act.flows, coalesce(followed.flows, [])), coalesce(followed.data, [])) AS flows, list_concat(act.frames, coalesce(followed.frames, [])) AS frames
FROM act LEFT JOIN followed ON followed.actor = act.actor AND followed.target = act.target
ORDER BY actor, target
