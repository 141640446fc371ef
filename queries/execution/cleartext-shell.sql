/*
id       = "cleartext-shell"
title    = "A command shell runs over a bare connection"
attack   = ["T1059", "T1071", "T1095"]
impact   = 90
prior    = 0.8
family   = "shell"
reads    = ["payloads"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "cleartext-shell"
benign   = "A serial console or a debug port that prints a prompt without a login."
says     = "{target} gave {actor} a shell on port {port}: {shown}"
filter   = "tcp.port == {port} && ip.addr == {actor} && ip.addr == {target}"
[params]
shells = "Microsoft Windows .{0,12}\\[?Version|[A-Z]:\\\\[A-Za-z0-9_ ().~-]*(\\\\[A-Za-z0-9_ ().~-]*)*>|uid=\\d+\\([a-z0-9_-]+\\) gid=|sh: (no job control|cannot set terminal process group)|can't access tty; job control turned off|(ba)?sh-\\d\\.\\d+[$#] |(Linux|Darwin) [A-Za-z0-9.-]+ \\d+\\.\\d+\\.\\d+\\S* (#\\d|Darwin)|^.{0,24}[a-z_][a-z0-9_-]{0,31}@[A-Za-z0-9.-]+:[~/][A-Za-z0-9_./~-]*[$#] " # how shells greet, as a regular expression
typed  = "^\\s*(id|whoami|uname -a|ipconfig|ifconfig|net user|cat /etc/(passwd|shadow)|cmd\\.exe|powershell|/bin/(ba)?sh|python\\d? -c ..?import pty|start [a-z]+\\.exe|tftp -i)\\b" # what people type first
ports  = [21, 22, 23, 25, 53, 80, 110, 143, 443, 513, 514, 2323] # ports of services whose text may look like what people type
doors  = [23, 513, 514, 992, 2323, 3270] # ports of terminals, where a prompt is what one expects; elsewhere nothing but a shell prints one
*/
WITH spoken AS (
    SELECT flow_id, flows.* EXCLUDE (flow_id), ascii_of(orig_first_bytes) AS orig_says, ascii_of(resp_first_bytes) AS resp_says,
        orig_printable, resp_printable
    FROM payloads JOIN flows USING (flow_id)
    WHERE proto = 'tcp' AND service IS NULL AND NOT list_contains($doors, id_resp_p)
),
judged AS (
    SELECT *,
        -- A prompt amid bytes that cannot be printed is chance.
        regexp_matches(orig_says, $shells) AND coalesce(orig_printable, 0) >= 0.7 AS orig_is_shell,
        regexp_matches(resp_says, $shells) AND coalesce(resp_printable, 0) >= 0.7 AS resp_is_shell,
        regexp_matches(orig_says, $typed) AND NOT list_contains($ports, id_resp_p) AS orig_types,
        regexp_matches(resp_says, $typed) AND NOT list_contains($ports, id_resp_p) AS resp_types
    FROM spoken
),
shell AS (
    SELECT *,
        -- Who prints the prompt gives the shell, whoever connected: a reverse shell calls its master. A shell may echo what is typed.
        CASE WHEN orig_is_shell OR (resp_types AND NOT resp_is_shell AND NOT orig_types) THEN id_orig_h ELSE id_resp_h END AS giver,
        CASE WHEN orig_is_shell OR (resp_types AND NOT resp_is_shell AND NOT orig_types) THEN id_resp_h ELSE id_orig_h END AS master,
        orig_is_shell OR resp_is_shell AS prompt, orig_types OR resp_types AS commands
    FROM judged
    WHERE orig_is_shell OR resp_is_shell OR orig_types OR resp_types
)
SELECT
    master AS actor, giver AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, CASE WHEN bool_or(prompt) THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('a prompt and commands', 1, bool_or(prompt AND commands)::INT),
        term('commands without a prompt', -0.7, (NOT bool_or(prompt))::INT),
        term('the shell calls its master', 1, bool_or(giver = id_orig_h)::INT)
    ] AS terms,
    {
        'port': min(id_resp_p), 'flows': count(*), 'reverse': bool_or(giver = id_orig_h),
        'shown': min_by(CASE WHEN giver = id_orig_h THEN orig_says ELSE resp_says END, flow_id),
        'typed': min_by(CASE WHEN giver = id_orig_h THEN resp_says ELSE orig_says END, flow_id),
        'span_s': round(seconds_between(min(ts), max(last_ts)), 6)
    } AS evidence,
    least_of(flow_id, 1000) AS flows, list_distinct(flatten(list(frames ORDER BY flow_id)))[1:200] AS frames
FROM shell
GROUP BY master, giver
ORDER BY actor, target
