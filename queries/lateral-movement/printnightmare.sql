/*
id       = "printnightmare"
title    = "A printer driver is installed on another host, as PrintNightmare does (CVE-2021-1675, CVE-2021-34527)"
attack   = ["T1068", "T1547.012"]
impact   = 90
prior    = 0.6
family   = "spooler-exploit"
reads    = ["dce_rpc"]
also     = ["smb_files"]
window   = "10min"
key      = ["actor", "target"]
fires_on = "printnightmare"
benign   = "Administrators who install drivers on a print server: once, with no path to a file of another host."
says     = "{actor} asked the print spooler of {target} {times:times} to install a driver; {how}"
filter   = "dcerpc && ip.addr == {actor} && ip.addr == {target}"
[params]
wait_s     = 30     # seconds within which the target fetches the driver
min_repeat = 2      # calls in a row: the exploit has to try several times
*/
WITH install AS (
    SELECT
        caller, callee, count(*) AS times, count(*) FILTER (answered) AS answers,
        min(list_filter(req_strings, said -> regexp_matches(lower(said), '^\\\\.*[.]dll$'))[1]) AS driver,
        min(ts) AS first_seen, max(ts) AS last_seen, least_of(flow_id, 100) AS flows, least_of(frame, 100) AS frames
    FROM calls
    WHERE operation IN ('RpcAddPrinterDriver', 'RpcAddPrinterDriverEx', 'RpcAsyncAddPrinterDriver') AND caller <> callee
    GROUP BY caller, callee
),
taken AS (
    SELECT caller, callee, min(name) AS fetched, min(smb_files.frame) AS frame
    FROM install JOIN smb_files ON smb_files.id_orig_h = callee AND read_bytes > 0 AND regexp_matches(lower(name), '[.]dll$')
        AND seconds_between(first_seen, smb_files.ts) >= 0 AND seconds_between(last_seen, smb_files.ts) <= $wait_s
    GROUP BY caller, callee
)
SELECT
    caller AS actor, callee AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, CASE WHEN fetched IS NOT NULL THEN 'confirmed' WHEN answers > 0 THEN 'likely' ELSE 'attempt' END AS outcome,
    [
        term('again and again', 0.7, (times >= $min_repeat)::INT),
        term('the driver lies on another host', 1.5, (driver IS NOT NULL)::INT),
        term('the target fetched a library', 2, (fetched IS NOT NULL)::INT),
        term('it was refused', -0.5, (answers = 0)::INT)
    ] AS terms,
    {
        'times': times, 'answers': answers, 'driver': driver, 'fetched': fetched,
        'how': CASE WHEN fetched IS NOT NULL THEN 'the target then fetched ' || fetched WHEN driver IS NOT NULL THEN 'the driver is ' || driver
            WHEN answers = 0 THEN 'it was refused' ELSE 'the arguments are encrypted' END
    } AS evidence,
    flows, CASE WHEN frame IS NULL THEN frames ELSE list_concat([frame], frames) END AS frames
FROM install LEFT JOIN taken USING (caller, callee)
ORDER BY actor, target
