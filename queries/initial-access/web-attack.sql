/*
id       = "web-attack"
title    = "Web attack: requests carry SQL, commands, scripts or paths out of the site"
attack   = ["T1190", "T1059", "T1595.002"]
impact   = 75
prior    = 0.4
family   = "web-exploit"
reads    = ["http"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "web-attack"
benign   = "Security tests of your own; forums and code sites whose ordinary text looks like SQL."
says     = "{actor} sent {target} {requests:requests} with {kinds}, {shapes} different ones; {answer}"
filter   = "http.request && ip.src == {actor} && ip.dst == {target}"
[params]
min_shapes = 5   # different attacking requests that make it sure
*/
WITH text AS (
    SELECT *, concat_ws(chr(10), plain_uri, plain_body) AS plain, regexp_replace(concat_ws(chr(10), plain_uri, plain_body), '/\*.*?\*/', ' ', 'g') AS uncommented
    FROM requests
),
marked AS (
    SELECT *,
        regexp_matches(uncommented, '\bunion\s+(all\s+)?select\b|[''")]\s*(or|and)\s+[''"(]*\w+[''"]*\s*(=|like|<|>)|\b(and|or)\s+\d+\s*=\s*\d+|\bselect\b.{1,80}\bfrom\s+(information_schema|mysql\.|sysobjects|pg_catalog|dual\b)|\b(sleep|benchmark|pg_sleep|extractvalue|updatexml)\s*\(|waitfor\s+delay|;\s*(drop|insert|update|delete)\s+(table|into|from)?|\bload_file\s*\(|\binto\s+(out|dump)file\b|\border\s+by\s+\d+\s*(--|#)') AS sql,
        regexp_matches(plain, '(\.\.[/\\]){2,}|(\.%2e|%2e\.|%2e%2e|%%32%65|\.\.%5c)[/\\%]|/etc/(passwd|shadow)\b|\b(win|boot)\.ini\b|/proc/self/environ|/\.git/(head|config)|/\.env\b|/\.\.;/') AS path,
        regexp_matches(plain, '[;|&`]\s*(id|whoami|uname|ifconfig|ipconfig|wget|curl|nc|ncat|netcat|bash|sh|powershell|cmd(\.exe)?|cat|ping)\b[\s;|&`$]|\$\((id|whoami|uname|wget|curl|nc|bash|sh|cat)\b|/bin/(ba|da|z)?sh\b|cmd\.exe\s*/c|php://(input|filter)|<\?php|data://text/plain|\bro0ab[a-z0-9+/]|#_memberaccess|class\.module\.classloader|\{\{\s*\d+\s*\*\s*\d+\s*\}\}|\$\{\s*\d+\s*\*\s*\d+\s*\}') AS command,
        regexp_matches(plain, '<\s*script\b|javascript:\s*\w|\bon(error|load|mouseover|focus)\s*=\s*[''"\w]*\s*\w+\(|<\s*(img|svg|iframe)\b[^>]*\bon\w+\s*=|document\.cookie') AS script
    FROM text
),
hit AS (
    SELECT *,
        -- Two requests that differ only in numbers and letters' case are one shape.
        regexp_replace(left(plain, 400), '\d+', '0', 'g') AS shape,
        regexp_matches(coalesce(body_prefix_resp, ''), 'root:[x*]:0:0:|uid=\d+\(|\[(boot loader|fonts|extensions)\]|Windows IP Configuration') AS shown,
        regexp_matches(coalesce(body_prefix_resp, ''), 'SQL syntax|mysql_fetch|ORA-\d{5}|SQLSTATE|SQLite3?::|PG::|Unclosed quotation mark|ODBC') AS sql_error
    FROM marked
    WHERE sql OR path OR command OR script
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(ts) AS last_seen,
    CASE
        WHEN bool_or(shown) THEN 'confirmed'
        WHEN bool_or(sql_error) OR bool_or(command AND coalesce(status_code, 0) BETWEEN 200 AND 299) OR bool_or(sql AND coalesce(status_code, 0) BETWEEN 200 AND 299) THEN 'likely'
        ELSE 'attempt'
    END AS outcome,
    [
        term('different requests', 2, log_scale(count(DISTINCT shape), 1, $min_shapes)),
        term('many requests', 1, log_scale(count(*), 5, 200)),
        term('the answer holds what was asked for', 3, bool_or(shown)::INT),
        term('the database complained', 1.5, bool_or(sql_error)::INT),
        term('commands or paths', 1, bool_or(command OR path)::INT),
        term('statements of SQL', 0.8, bool_or(sql)::INT),
        -- Editors post scripts in forms; nobody types them into an address.
        term('scripts in an address', 1.3, bool_or(script AND regexp_matches(plain_uri, '<\s*script|javascript:|\bon\w+\s*='))::INT)
    ] AS terms,
    {
        'requests': count(*), 'shapes': count(DISTINCT shape),
        'kinds': concat_ws(', ', CASE WHEN bool_or(sql) THEN 'SQL' END, CASE WHEN bool_or(command) THEN 'commands' END, CASE WHEN bool_or(path) THEN 'forbidden paths' END, CASE WHEN bool_or(script) THEN 'scripts' END),
        'sql': count(*) FILTER (sql), 'commands': count(*) FILTER (command), 'paths': count(*) FILTER (path), 'scripts': count(*) FILTER (script),
        'examples': list_transform(min(left(plain, 160), 5), example -> example),
        'accepted': count(*) FILTER (status_code BETWEEN 200 AND 299),
        'answer': CASE WHEN bool_or(shown) THEN 'an answer holds what was asked for' WHEN bool_or(sql_error) THEN 'the database complained' WHEN count(*) FILTER (status_code BETWEEN 200 AND 299) > 0 THEN 'the server accepted some' ELSE 'the server accepted none' END
    } AS evidence,
    least_of(flow_id, 1000) AS flows,
    list_concat(coalesce(min(frame, 50) FILTER (shown OR sql_error), []), least_of(frame, 150)) AS frames
FROM hit
GROUP BY id_orig_h, id_resp_h
ORDER BY actor, target
