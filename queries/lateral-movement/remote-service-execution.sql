/*
id       = "remote-service-execution"
title    = "A service was made and started on another host (PsExec, smbexec, RemCom)"
attack   = ["T1569.002", "T1021.002", "T1570"]
impact   = 90
prior    = 0.6
family   = "remote-execution"
reads    = ["dce_rpc"]
also     = ["smb_files"]
window   = "10min"
key      = ["actor", "target"]
fires_on = "remote-service-execution"
benign   = "Software distribution, backup agents and administrators who use the same tools."
says     = "{actor} made and started a service on {target}: {created} made or changed, {started} started; {how}"
filter   = "(dcerpc || smb2 || smb) && ip.addr == {actor} && ip.addr == {target}"
[params]
window_s = 600      # seconds around the calls within which files and pipes belong to them
quick_s  = 30.0     # a service that is made, started and deleted within this time only carried a command
ran      = [0, 1053] # results of a start: done; or the program ran but did not answer as services do
*/
WITH act AS (
    SELECT
        caller, callee,
        count(*) FILTER (operation LIKE 'CreateService%' OR operation LIKE 'ChangeServiceConfig%') AS created,
        count(*) FILTER (operation LIKE 'StartService%') AS started,
        count(*) FILTER (operation = 'DeleteService') AS deleted,
        min(req_strings) FILTER (operation LIKE 'CreateService%' AND len(req_strings) > 0) AS named,
        min(ts) AS first_seen, max(ts) AS last_seen,
        seconds_between(min(ts) FILTER (operation LIKE 'CreateService%'), min(ts) FILTER (operation = 'DeleteService')) AS life_s,
        least_of(flow_id, 100) AS flows, least_of(frame, 100) AS frames
    FROM calls
    WHERE endpoint = 'svcctl' AND caller <> callee AND fault IS NULL
      AND ((regexp_matches(operation, '^(CreateService|ChangeServiceConfig)') AND answered)
        OR (operation LIKE 'StartService%' AND (resp_status IS NULL OR list_contains($ran, resp_status)))
        OR operation = 'DeleteService')
    GROUP BY caller, callee
),
-- Shares that only administrators may write to, and what was done there.
touch AS (
    SELECT
        act.caller, act.callee,
        min(name) FILTER (write_bytes > 0 AND NOT is_pipe AND (mime_type = 'application/x-dosexec' OR regexp_matches(lower(name), '\.(exe|dll|bat|cmd|ps1|vbs|scr|sys)$'))) AS program,
        min(name) FILTER (is_pipe AND regexp_matches(lower(name), 'std(in|out|err)')) AS pipe,
        min(name) FILTER (read_bytes > 0 AND NOT is_pipe) AS output,
        least_of(frame, 50) AS frames, least_of(smb_files.flow_id, 50) AS flows
    FROM act JOIN smb_files ON smb_files.id_orig_h = caller AND smb_files.id_resp_h = callee
        AND abs(seconds_between(first_seen, smb_files.ts)) <= $window_s
        AND (is_pipe OR regexp_matches(lower(path), '\\(admin|[a-z])[$]$'))
    GROUP BY ALL
)
SELECT
    act.caller AS actor, act.callee AS target, NULL::VARCHAR AS user,
    first_seen, last_seen,
    CASE WHEN program IS NOT NULL OR pipe IS NOT NULL OR output IS NOT NULL THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('a program was written to an administrative share', 1.5, (program IS NOT NULL)::INT),
        term('pipes for input and output of a command', 2, (pipe IS NOT NULL)::INT),
        term('a file of an administrative share was read', 0.7, (output IS NOT NULL)::INT),
        term('the service was deleted at once', 1.5, coalesce(life_s BETWEEN 0 AND $quick_s, false)::INT)
    ] AS terms,
    {
        'created': created, 'started': started, 'deleted': deleted, 'named': coalesce(named, []), 'program': program, 'pipe': pipe, 'output': output,
        'how': concat_ws('; ',
            CASE WHEN program IS NOT NULL THEN 'it wrote ' || program || ' there' END,
            CASE WHEN pipe IS NOT NULL THEN 'it spoke to the program over pipes' END,
            CASE WHEN output IS NOT NULL THEN 'it read ' || output END,
            CASE WHEN life_s BETWEEN 0 AND $quick_s THEN 'the service was deleted at once' END,
            CASE WHEN program IS NULL AND pipe IS NULL AND output IS NULL THEN 'no file was seen' END)
    } AS evidence,
    list_concat(act.flows, coalesce(touch.flows, [])) AS flows, list_concat(act.frames, coalesce(touch.frames, [])) AS frames
FROM act LEFT JOIN touch USING (caller, callee)
WHERE started > 0 AND (created > 0 OR program IS NOT NULL)
ORDER BY actor, target
