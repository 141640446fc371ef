/*
id       = "remote-task"
title    = "A task was registered on another host"
attack   = ["T1053.005", "T1021.002"]
impact   = 90
prior    = 0.6
family   = "remote-execution"
reads    = ["dce_rpc"]
also     = ["smb_files"]
window   = "10min"
key      = ["actor", "target"]
fires_on = "remote-task"
benign   = "Administrators and software distribution that plan work on other hosts; they seldom run it at once and delete it."
says     = "{actor} registered {tasks} tasks on {target}; {how}"
filter   = "(dcerpc || smb2 || smb) && ip.addr == {actor} && ip.addr == {target}"
[params]
window_s = 600      # seconds around the calls within which files belong to them
quick_s  = 60.0     # a task that is registered, run and deleted within this time only carried a command
*/
WITH act AS (
    SELECT
        caller, callee,
        count(*) FILTER (regexp_matches(operation, '(RegisterTask|JobAdd)$') AND answered) AS tasks,
        count(*) FILTER (operation = 'SchRpcRun' AND answered) AS runs,
        min(req_strings[1]) FILTER (operation = 'SchRpcRegisterTask' AND len(req_strings) > 1) AS named,
        min(ts) AS first_seen, max(ts) AS last_seen,
        seconds_between(min(ts), max(ts) FILTER (regexp_matches(operation, '(SchRpcDelete|JobDel)$'))) AS life_s,
        least_of(flow_id, 100) AS flows, least_of(frame, 100) AS frames
    FROM calls
    WHERE endpoint IN ('ITaskSchedulerService', 'atsvc') AND caller <> callee AND fault IS NULL
      AND regexp_matches(operation, '(RegisterTask|JobAdd|SchRpcRun|SchRpcDelete|JobDel)$')
    GROUP BY caller, callee
),
touch AS (
    SELECT
        act.caller, act.callee,
        min(name) FILTER (read_bytes > 0) AS output,
        least_of(frame, 50) AS frames, least_of(smb_files.flow_id, 50) AS flows
    FROM act JOIN smb_files ON smb_files.id_orig_h = caller AND smb_files.id_resp_h = callee
        AND abs(seconds_between(first_seen, smb_files.ts)) <= $window_s
        AND NOT is_pipe AND regexp_matches(lower(path), '\\(admin|[a-z])[$]$')
    GROUP BY ALL
)
SELECT
    act.caller AS actor, act.callee AS target, NULL::VARCHAR AS user,
    first_seen, last_seen,
    CASE WHEN runs > 0 OR output IS NOT NULL THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('it was run at once', 1, (runs > 0)::INT),
        term('it was deleted at once', 1.5, coalesce(life_s BETWEEN 0 AND $quick_s, false)::INT),
        term('a file of an administrative share was read', 1, (output IS NOT NULL)::INT)
    ] AS terms,
    {
        'tasks': tasks, 'runs': runs, 'named': named, 'output': output, 'life_s': round(life_s, 6),
        'how': concat_ws(', ',
            CASE WHEN runs > 0 THEN 'ran it' ELSE 'no order to run it was seen' END,
            CASE WHEN life_s BETWEEN 0 AND $quick_s THEN 'deleted it at once' END,
            CASE WHEN output IS NOT NULL THEN 'read ' || output END)
    } AS evidence,
    list_concat(act.flows, coalesce(touch.flows, [])) AS flows, list_concat(act.frames, coalesce(touch.frames, [])) AS frames
FROM act LEFT JOIN touch USING (caller, callee)
WHERE tasks > 0
ORDER BY actor, target
