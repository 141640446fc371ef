/*
id       = "coercion"
title    = "Forced login: a server is told to open a file on the caller's host (PetitPotam, PrinterBug, DFSCoerce, ShadowCoerce, CheeseOunce)"
attack   = ["T1187"]
impact   = 88
prior    = 0.5
family   = "coercion"
reads    = ["dce_rpc"]
also     = ["ntlm", "flows", "host_role"]
window   = "30s"
key      = ["actor", "target"]
fires_on = "coercion"
benign   = "Print servers and clients watch each other's queues with one of these calls; encrypting file systems and DFS management use others, to their own hosts."
says     = "{actor} called {operations} on {target}{where}; {how}"
filter   = "(dcerpc || smb2 || ntlmssp) && ip.addr == {target}"
[params]
wait_s = 30         # seconds within which the called host must call back
device = "(?i)^\\\\{1,2}[?]{2}\\\\{1,2}UNC\\\\|^\\\\{4}[^\\\\?.]" # a path to another host, as the kernel or as programs write it; backslashes may be doubled
*/
WITH forced AS (
    SELECT
        caller, callee, ts, flow_id, frame, resp_frame, operation, endpoint, coalesce(resp_status, 0) AS status,
        coalesce(target_name_in_stub, list_filter(req_strings, said -> starts_with(said, '\\') OR regexp_matches(said, $device))[1]) AS named
    FROM calls
    WHERE caller <> callee AND (
        (endpoint = 'efsrpc' AND opnum IN (0, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16))
        OR (endpoint = 'spoolss' AND opnum IN (62, 65))
        OR (endpoint = 'netdfs' AND opnum IN (12, 13))
        OR (endpoint = 'FileServerVssAgent' AND opnum IN (8, 9))
        -- Opening a saved event log is everyday; opening one on another host is not.
        OR (endpoint = 'eventlog' AND opnum = 9 AND len(list_filter(req_strings, said -> regexp_matches(said, $device))) > 0))
),
pair AS (
    SELECT
        caller, callee, min(endpoint) AS endpoint, array_to_string(list_sort(list(DISTINCT operation ORDER BY operation))[1:4], ', ') AS operations, count(*) AS calls,
        min(named) AS named, count(*) FILTER (status IN (53, 67, 1722)) AS no_path, count(*) FILTER (status = 5) AS denied, count(DISTINCT endpoint) AS interfaces,
        min(ts) AS first_seen, max(ts) AS last_seen, least_of(flow_id, 500) AS flows, least_of(frame, 100) AS frames
    FROM forced GROUP BY caller, callee
),
-- The called host then logs in somewhere with the account of its machine: at the caller, or where the caller said.
callback AS (
    SELECT
        caller, callee, min(ntlm.id_resp_h) AS lured_to, min(username) AS username, min(ntlm.frame) AS frame, min(ntlm.flow_id) AS flow_id, 'a login of ' || min(username) AS what
    FROM pair JOIN ntlm ON ntlm.id_orig_h = callee AND seconds_between(first_seen, ntlm.ts) BETWEEN 0 AND seconds_between(first_seen, last_seen) + $wait_s
        AND username IS NOT NULL AND (ntlm.id_resp_h = caller OR contains(lower(coalesce(named, '')), ntlm.id_resp_h))
    GROUP BY caller, callee
),
knock AS (
    SELECT caller, callee, min(flows.id_resp_h) AS lured_to, min(flows.first_frame) AS frame, min(flows.flow_id) AS flow_id, min(id_resp_p) AS port
    FROM pair JOIN flows ON flows.id_orig_h = callee AND id_resp_p IN (80, 139, 443, 445) AND proto = 'tcp'
        AND seconds_between(first_seen, flows.ts) BETWEEN 0 AND seconds_between(first_seen, last_seen) + $wait_s
        AND (flows.id_resp_h = caller OR contains(lower(coalesce(named, '')), flows.id_resp_h))
    GROUP BY caller, callee
)
SELECT
    pair.caller AS actor, pair.callee AS target, callback.username AS user,
    first_seen, last_seen, CASE WHEN callback.frame IS NOT NULL OR no_path > 0 THEN 'confirmed' WHEN knock.frame IS NOT NULL THEN 'likely' ELSE 'attempt' END AS outcome,
    [
        term('the target logged in where it was told', 2, (callback.frame IS NOT NULL)::INT),
        term('the target called back', 1.5, (callback.frame IS NULL AND knock.frame IS NOT NULL)::INT),
        term('the answer that an opened path gives', 2, (no_path > 0)::INT),
        term('a domain controller', 0.7, (pair.callee IN (SELECT ip FROM host_role WHERE role = 'dc'))::INT),
        term('several interfaces, one after the other', 1.5, (interfaces > 1)::INT),
        term('printing, and nobody called back', -2.5, (endpoint = 'spoolss' AND interfaces = 1 AND callback.frame IS NULL AND knock.frame IS NULL)::INT)
    ] AS terms,
    {
        'operations': operations, 'calls': calls, 'interfaces': interfaces, 'named': named, 'no_path': no_path, 'denied': denied,
        'lured_to': coalesce(callback.lured_to, knock.lured_to),
        'where': CASE WHEN named IS NOT NULL THEN ', naming ' || named ELSE '' END,
        'how': coalesce(callback.what || ' followed', 'it called back on port ' || knock.port, CASE WHEN no_path > 0 THEN 'it answered that the path was not found, so it had looked' END, 'nothing followed')
    } AS evidence,
    list_concat(flows, list_filter([callback.flow_id, knock.flow_id], id -> id IS NOT NULL)) AS flows,
    list_concat(list_filter([callback.frame, knock.frame], number -> number IS NOT NULL), frames) AS frames
FROM pair LEFT JOIN callback USING (caller, callee) LEFT JOIN knock USING (caller, callee)
ORDER BY actor, target
