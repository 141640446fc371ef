/*
id       = "webshell"
title    = "Web shell: a page of the server carries out what is posted to it"
attack   = ["T1505.003", "T1059"]
impact   = 90
prior    = 0.4
family   = "webshell"
reads    = ["http"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "webshell"
benign   = "Consoles of administrators that are pages by design; security tests of your own."
says     = "{actor} runs commands on {target} through its page {script}: {requests:requests}, {how}"
filter   = "http && ip.addr == {actor} && ip.addr == {target}"
[params]
scripts     = "\\.(php\\d?|phtml|jspx?|aspx?|ashx|asmx|cfm|cgi|pl|war)$" # what servers run
commands    = "(whoami|id|uname|hostname|ls|dir|cat|type|pwd|ps|netstat|ifconfig|ipconfig|systeminfo|tasklist|net (user|localgroup|view|group|start)|wget|curl|certutil|wmic|query|reg|sc|schtasks|powershell|cmd(\\.exe)?|/bin/(ba|da)?sh|chmod|mkdir|rm|del|copy|cp|mv|echo|ping|arp|route|w|who|cd|find|sudo|python\\d?|perl|nc)" # what is typed, at the start of a parameter
said        = "uid=\\d+\\([a-z0-9_-]+\\) gid=\\d+\\(|Volume Serial Number is|Directory of [A-Z]:\\\\|Windows IP Configuration|root:[x*]:0:0:|nt authority\\\\|\\btotal \\d+\\s+[d-][rwx-]{9}|is not recognized as an internal or external command|Microsoft Windows \\[Version \\d|Host Name: +\\S+|sh: (\\d+: )?\\S+: (command )?not found|Linux \\S+ \\d+\\.\\d+\\.\\d+\\S* #\\d|Image Name\\s+PID Session|Active Connections\\s+Proto" # what commands print
keys        = "(c|e|x|cmd|cmdline|command|exec|execute|shell|run|system|do_cmd)" # what parameters that take any command are called
code        = "(eval|assert|system|exec|passthru|shell_exec|popen|execute)\\s*\\(\\s*(base64_decode\\s*\\(\\s*)?(\\$_(post|get|request|cookie)|request(\\.item|\\.form)?\\s*[\\[(\\\"])|getruntime\\(\\)\\.exec\\(\\s*request\\.getparameter" # pages that run what they are sent
sent_code   = "^[^=&]{1,32}=\\s*(@?eval\\s*\\(|@?assert\\s*\\(|@?ini_set\\s*\\(|execute\\s*\\(|response\\.write\\s*\\(|array_map\\s*\\()|=\\s*(qgluav9zzxq|qgv2ywwo|zxzhbcgk)" # clients of the China Chopper kind send code, plain or in base64
min_sealed  = 3     # sealed posts to one page, each answered in kind
min_letters = 64    # letters of such a post
*/
WITH pages AS MATERIALIZED (
    -- Few requests are for pages that servers run: what is dear is asked of those alone.
    SELECT *, regexp_extract(lower(coalesce(uri, '')), '^[^?;]*') AS script
    FROM requests
    WHERE method IN ('GET', 'POST', 'PUT') AND (regexp_matches(regexp_extract(lower(coalesce(uri, '')), '^[^?;]*'), $scripts) OR regexp_matches(plain_body, $code))
),
asked AS (
    SELECT
        pages.*, trim(regexp_replace(coalesce(http.body_prefix_req, ''), '\\x0[ad]', ' ', 'g')) AS raw_body, trim(regexp_replace(coalesce(pages.body_prefix_resp, ''), '\\x0[9ad]', ' ', 'g')) AS answer,
        http.referrer,
        -- Parameters, one a line, as the page reads them.
        replace(concat_ws('&', nullif(regexp_extract(pages.plain_uri, '[?](.*)$', 1), ''), nullif(pages.plain_body, '')), '&', chr(10)) AS parameters
    FROM pages JOIN http USING (flow_id, frame)
),
marked AS (
    SELECT *,
        (regexp_matches(parameters, '(?m)^[a-z0-9_\[\]-]{1,24}=\s*' || $commands || '(\s|$|[;|&>])') OR regexp_matches(parameters, '(?m)^' || $keys || '=\s*\S')) AND regexp_matches(answer, '(?i)' || $said) AS shown,
        regexp_matches(parameters, '(?m)^[a-z0-9_\[\]-]{1,24}=\s*' || $commands || '\s+[^\s=]*[-/\\.]') AND status_code BETWEEN 200 AND 299 AS typed,
        method IN ('POST', 'PUT') AND regexp_matches(plain_body, $code) AND status_code BETWEEN 200 AND 299 AS planted,
        method = 'POST' AND regexp_matches(plain_body, $sent_code) AND coalesce(status_code, 0) = 200 AS code,
        -- Behinder posts nothing but base64; Godzilla one parameter of it, and is answered between the halves of a digest.
        method = 'POST' AND referrer IS NULL AND coalesce(status_code, 0) = 200
            AND (length(raw_body) >= $min_letters AND regexp_full_match(raw_body, '[A-Za-z0-9+/]+={0,2}') AND regexp_full_match(answer, '[A-Za-z0-9+/]{16,}={0,2}')
                OR length(raw_body) >= $min_letters AND regexp_full_match(raw_body, '[A-Za-z0-9_]{1,32}=([A-Za-z0-9+/]|%2[bBfF])+(=|%3[dD]){0,2}') AND regexp_full_match(answer, '[0-9A-Fa-f]{16}[A-Za-z0-9+/]+={0,2}([0-9A-Fa-f]{16})?')) AS sealed
    FROM asked
),
page AS (
    SELECT
        id_orig_h, id_resp_h, script, min(ts) AS first_seen, max(ts) AS last_seen, count(*) AS requests,
        count(*) FILTER (shown) AS shown, count(*) FILTER (planted) AS planted, count(*) FILTER (code) AS codes, count(*) FILTER (sealed) AS sealed,
        count(*) FILTER (code AND coalesce(response_body_len, 0) > 0) AS ran, count(DISTINCT left(parameters, 200)) FILTER (typed) AS typed,
        min_by(left(parameters, 160), frame) FILTER (shown OR typed) AS example, min_by(left(answer, 160), frame) FILTER (shown) AS answer,
        least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
    FROM marked
    WHERE shown OR typed OR planted OR code OR sealed
    GROUP BY id_orig_h, id_resp_h, script
),
way AS (SELECT id_orig_h, id_resp_h, min(direction) AS direction FROM flows GROUP BY id_orig_h, id_resp_h)
SELECT
    page.id_orig_h AS actor, page.id_resp_h AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, CASE WHEN shown + ran > 0 THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('the answer holds what a command prints', 2.5, (shown > 0)::INT),
        term('code was posted', 2.5, (codes > 0)::INT),
        term('a page that runs what it is sent was stored', 1.5, (planted > 0)::INT),
        term('sealed posts, answered in kind', 1, (sealed >= $min_sealed)::INT),
        term('several commands', 1, (typed >= 2)::INT),
        -- What a host of ours posts to a stranger is not control of that stranger.
        term('to a server outside', -2, (direction = 'out')::INT)
    ] AS terms,
    {
        'script': script, 'requests': requests, 'shown': shown, 'commands': typed, 'codes': codes, 'sealed': sealed, 'planted': planted, 'example': example, 'answer': answer,
        'how': CASE WHEN shown > 0 THEN 'an answer holds the output' WHEN codes > 0 THEN 'code was posted' WHEN planted > 0 THEN 'a page that runs what it is sent was stored' WHEN sealed >= $min_sealed THEN 'posts and answers are sealed' ELSE 'commands in a parameter' END
    } AS evidence,
    page.flows, page.frames
FROM page LEFT JOIN way USING (id_orig_h, id_resp_h)
WHERE shown > 0 OR codes > 0 OR planted > 0 OR typed >= 2 OR sealed >= $min_sealed
ORDER BY actor, target, script
