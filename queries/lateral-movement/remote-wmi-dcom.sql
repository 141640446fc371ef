/*
id       = "remote-wmi-dcom"
title    = "A program was started on another host through WMI or DCOM"
attack   = ["T1047", "T1021.003"]
impact   = 90
prior    = 0.6
family   = "remote-execution"
reads    = ["dce_rpc"]
also     = ["smb_files"]
window   = "10min"
key      = ["actor", "target"]
fires_on = "remote-wmi-dcom"
benign   = "Inventory and management programs that call methods of WMI, most of all those that read the registry through it."
says     = "{actor} had {target} run something through {through}: {methods:calls}; {how}"
filter   = "(dcerpc || smb2 || smb) && ip.addr == {actor} && ip.addr == {target}"
[params]
window_s = 600      # seconds around the calls within which files belong to them
shells   = "(?i)(^|[\\\\/ \"])(cmd|powershell|pwsh|mshta|rundll32|regsvr32|wscript|cscript)([.]exe)?($|[ \"])|win32_process" # programs that run what they are told
*/
WITH act AS (
    SELECT
        caller, callee,
        count(*) FILTER (endpoint = 'IWbemServices') AS wmi,
        count(*) FILTER (endpoint IS DISTINCT FROM 'IWbemServices') AS dcom,
        count(*) FILTER (endpoint = 'IDispatch' AND len(coalesce(req_strings, [])) = 0) AS sealed,
        min(list_filter(req_strings, said -> regexp_matches(said, $shells))[1]) AS command,
        min(ts) AS first_seen, max(ts) AS last_seen,
        least_of(flow_id, 100) AS flows, least_of(frame, 100) AS frames
    FROM calls
    WHERE caller <> callee AND fault IS NULL
      AND ((endpoint = 'IWbemServices' AND operation IN ('ExecMethod', 'ExecMethodAsync') AND answered)
        -- A call of an object that was made there, whose arguments are a command line.
        OR (object_uuid IS NOT NULL AND len(list_filter(req_strings, said -> regexp_matches(said, $shells))) > 0)
        -- Or a method of a scriptable object whose arguments are sealed: that alone is no proof.
        OR (endpoint = 'IDispatch' AND operation = 'Invoke' AND auth_level = 6 AND answered))
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
    CASE WHEN command IS NOT NULL OR output IS NOT NULL THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('a command line is among the arguments', 2.5, (command IS NOT NULL)::INT),
        term('a file of an administrative share was read', 1.5, (output IS NOT NULL)::INT),
        term('many calls, as inventories make them', -1.5, (wmi >= 20)::INT)
    ] AS terms,
    {
        'through': CASE WHEN wmi > 0 THEN 'WMI' ELSE 'DCOM' END, 'methods': wmi + dcom, 'command': command, 'output': output,
        'how': CASE WHEN command IS NOT NULL THEN 'the arguments name ' || command WHEN output IS NOT NULL THEN 'it read ' || output
            ELSE 'the arguments are encrypted' END
    } AS evidence,
    list_concat(act.flows, coalesce(touch.flows, [])) AS flows, list_concat(act.frames, coalesce(touch.frames, [])) AS frames
FROM act LEFT JOIN touch USING (caller, callee)
-- Sealed methods count where the output of a command was then fetched.
WHERE wmi + dcom > sealed OR output IS NOT NULL
ORDER BY actor, target
