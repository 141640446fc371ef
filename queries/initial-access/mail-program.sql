/*
id       = "mail-program"
title    = "A message brings a program, or a file that is one in disguise"
attack   = ["T1566.001", "T1204.002"]
impact   = 80
prior    = 0.5
family   = "mail"
reads    = ["smtp"]
also     = ["files", "flows"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "mail-program"
benign   = "Developers who mail programs to each other; tests of a mail filter."
says     = "{actor} brought {target} {messages:messages} with {what}, such as {example} from {from_whom} to {to_whom}; {took}"
filter   = "smtp && ip.addr == {actor} && ip.addr == {target}"
[params]
programs  = "\\.(exe|scr|pif|com|bat|cmd|js|jse|vbs|vbe|wsf|wsh|hta|lnk|jar|ps1|msi|cpl|chm|xll|dll|reg|scf|iqy|slk|iso|img|vhdx?|url)$" # names that Windows runs, mounts or follows when they are opened
macros    = "\\.(doc|xls|ppt|dot|xlt|pot)m$|\\.(one|xlsb)$" # documents that may hold programs
disguised = "\\.(pdf|docx?|xlsx?|jpe?g|png|txt|zip|mp[34])[ _.]*\\.(exe|scr|pif|com|bat|cmd|js|jse|vbs|vbe|wsf|hta|lnk|jar|ps1|msi|iso|img)$" # two endings, of which people see the first
*/
WITH part AS (
    SELECT flow_id, frame, ts, id_orig_h, id_resp_h, lower(trim(coalesce(filename, ''))) AS name, coalesce(mime_type, '') AS kind, sha256
    FROM files WHERE source = 'SMTP' AND depth > 0
),
named_part AS (
    SELECT flow_id, name, kind, sha256 FROM part
    UNION ALL
    SELECT flow_id, lower(trim(unnest(attachments))), '', NULL FROM smtp
),
bad AS (
    SELECT flow_id, name, kind, sha256,
        kind IN ('application/x-dosexec', 'application/x-executable', 'application/x-msdownload', 'application/x-elf', 'application/x-mach-o', 'application/x-java-archive', 'application/x-ms-shortcut') AS runs,
        regexp_matches(name, $programs) AS program, regexp_matches(name, $macros) AS macro, regexp_matches(name, $disguised) AS disguised
    FROM named_part
    WHERE regexp_matches(name, $programs) OR regexp_matches(name, $macros) OR kind IN ('application/x-dosexec', 'application/x-executable', 'application/x-msdownload', 'application/x-elf', 'application/x-mach-o', 'application/x-java-archive', 'application/x-ms-shortcut')
),
flow_part AS (
    SELECT flow_id, bool_or(runs) AS runs, bool_or(program) AS program, bool_or(macro) AS macro, bool_or(disguised) AS disguised,
        bool_or(runs AND name <> '' AND NOT program) AS hidden, min(nullif(name, '')) AS example, min(kind) FILTER (runs) AS kind, min(sha256) FILTER (runs OR program OR macro) AS sha256
    FROM bad GROUP BY flow_id
),
message AS (
    SELECT smtp.*, flow_part.* EXCLUDE (flow_id), flows.direction, flows.last_ts
    FROM smtp JOIN flow_part USING (flow_id) JOIN flows USING (flow_id)
    WHERE mailfrom IS NOT NULL OR "from" IS NOT NULL OR message_bytes > 0
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, CASE WHEN bool_or(accepted) THEN 'likely' ELSE 'attempt' END AS outcome,
    [
        term('it is a program by its content', 1.5, bool_or(runs)::INT),
        term('two endings', 1.5, bool_or(disguised)::INT),
        term('a program under another name', 1, bool_or(hidden)::INT),
        term('it may be a document only', -1.2, bool_and(macro AND NOT program AND NOT runs)::INT),
        term('several recipients or messages', 0.5, log_scale(greatest(count(*), max(len(coalesce(rcptto, [])))), 1, 10)),
        term('among ourselves', -0.5, bool_and(direction = 'lat')::INT)
    ] AS terms,
    {
        'messages': count(*), 'example': coalesce(min(example), min(kind)), 'kind': min(kind), 'sha256': min(sha256), 'from_whom': coalesce(min(mailfrom), min("from"), 'nobody'),
        'to_whom': coalesce(min(array_to_string(list_slice(rcptto, 1, 3), ', ')), min(array_to_string(list_slice("to", 1, 3), ', ')), 'nobody'), 'subject': min(coalesce(subject_text, subject)),
        'what': CASE WHEN bool_or(disguised) THEN 'a program under the name of a document' WHEN bool_or(runs OR program) THEN 'a program' ELSE 'a document that may hold a program' END,
        'took': CASE WHEN bool_or(accepted) THEN 'the server took it' ELSE 'the server was not seen to take it' END, 'port': min(id_resp_p)
    } AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
FROM message
GROUP BY id_orig_h, id_resp_h
ORDER BY actor, target
