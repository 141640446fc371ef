/*
id       = "raw-program"
title    = "A program is sent over a bare connection: the next stage of an exploit"
attack   = ["T1105", "T1095", "T1571"]
impact   = 90
prior    = 0.8
family   = "stage"
reads    = ["payloads"]
also     = ["flows", "ftp"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "raw-program"
benign   = "Software distribution over a protocol of its own."
says     = "{actor} sent {target} {kind} without any protocol around it, port {port}, {bytes:bytes}"
filter   = "tcp.port == {port} && ip.addr == {actor} && ip.addr == {target}"
[params]
starts = "^(.{8})?(4d5a(90000300|e8000000|41525548|5245e800|4152554889)|7f454c460[12]0[12]01)|^2321(20)?2f(7573722f)?62696e2f" # how a program of Windows or Linux begins: the usual header, or one that is itself code, or the line of a script; four bytes of length may stand before a program
ports  = [20, 69, 139, 445] # ports of protocols that carry files
*/
WITH sent AS (
    SELECT flow_id, flows.* EXCLUDE (flow_id),
        regexp_matches(coalesce(orig_first_bytes, ''), $starts) AS by_orig, regexp_matches(coalesce(resp_first_bytes, ''), $starts) AS by_resp,
        coalesce(orig_first_bytes, '') AS orig_first_bytes, coalesce(resp_first_bytes, '') AS resp_first_bytes
    FROM payloads JOIN flows USING (flow_id)
    -- Data connections of FTP carry files too: a connection whose client's side is silent from a port that a session named is one.
    WHERE proto = 'tcp' AND service IS NULL AND NOT list_contains($ports, id_resp_p) AND NOT list_contains($ports, id_orig_p)
      AND id_orig_h || id_resp_h NOT IN (SELECT id_orig_h || id_resp_h FROM ftp UNION ALL SELECT id_resp_h || id_orig_h FROM ftp)
),
stage AS (
    SELECT *, CASE WHEN by_orig THEN id_orig_h ELSE id_resp_h END AS giver, CASE WHEN by_orig THEN id_resp_h ELSE id_orig_h END AS taker
    FROM sent WHERE by_orig OR by_resp
)
SELECT
    giver AS actor, taker AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, 'confirmed' AS outcome,
    [
        term('a length before it, as loaders send', 1, bool_or(substr(CASE WHEN by_orig THEN orig_first_bytes ELSE resp_first_bytes END, 9, 4) IN ('4d5a', '7f45'))::INT),
        term('the taker called the giver', 0.5, bool_or(by_resp)::INT),
        term('a script, which people send each other so', -2.5, bool_and(starts_with(CASE WHEN by_orig THEN orig_first_bytes ELSE resp_first_bytes END, '2321'))::INT),
        term('port without a registered service', 0.5, bool_or(id_resp_p > 1023)::INT)
    ] AS terms,
    {
        'kind': CASE WHEN bool_or(contains(left(CASE WHEN by_orig THEN orig_first_bytes ELSE resp_first_bytes END, 16), '7f454c46')) THEN 'a Linux program'
            WHEN bool_or(starts_with(CASE WHEN by_orig THEN orig_first_bytes ELSE resp_first_bytes END, '2321')) THEN 'a script' ELSE 'a Windows program' END,
        'port': min(id_resp_p), 'bytes': max(greatest(coalesce(orig_bytes, 0), coalesce(resp_bytes, 0))),
        'first_bytes': min_by(CASE WHEN by_orig THEN orig_first_bytes ELSE resp_first_bytes END, flow_id), 'connections': count(*)
    } AS evidence,
    least_of(flow_id, 1000) AS flows, list_distinct(flatten(list(frames ORDER BY flow_id)))[1:200] AS frames
FROM stage GROUP BY giver, taker
ORDER BY actor, target
