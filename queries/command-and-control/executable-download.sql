/*
id       = "executable-download"
title    = "A program was downloaded in clear, or hidden in something else"
attack   = ["T1105", "T1204.002", "T1036.008"]
impact   = 70
prior    = 0.4
family   = "download"
reads    = ["files"]
also     = ["http", "smb_files"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "executable-download"
benign   = "Updaters and installers; most come from well-known hosts, under their own name, as what they are."
says     = "{target} took {kind} of {size:bytes} from {actor} ({url}), declared as {declared}"
[params]
updaters = ["microsoft.com", "windowsupdate.com", "windows.com", "gvt1.com", "google.com", "googleapis.com", "mozilla.org", "mozilla.net", "apple.com", "adobe.com", "debian.org", "ubuntu.com", "fedoraproject.org", "centos.org", "oracle.com", "avast.com", "kaspersky.com", "symantec.com", "mcafee.com"] # hosts that updates come from
known    = "^(mimikatz|mimidrv|mimilib|psexesvc|paexec|lazagne|rubeus|seatbelt|sharphound|sharpview|safetykatz|winpeas\\w*|linpeas\\w*|procdump(64)?|nc(at|64)?|netcat|pwdump\\d?|fgdump|gsecdump|wce(32|64)?|juicypotato|printspoofer|godpotato|chisel\\w*|plink|meterpreter|xmrig\\w*)([.](exe|dll|sys|elf))?$" # names that attackers' tools go by
tools    = "powershell|certutil|bitsadmin|curl|wget|python|winhttp|java/" # user agents that fetch programs without a person
*/
WITH file AS (
    SELECT
        files.*,
        CASE
            WHEN first_bytes LIKE '4d5a%' OR mime_type IN ('application/x-dosexec', 'application/vnd.microsoft.portable-executable') THEN 'a Windows program'
            WHEN first_bytes LIKE '7f454c46%' OR mime_type LIKE 'application/x-elf%' OR mime_type IN ('application/x-executable', 'application/x-sharedlib') THEN 'a Linux program'
            WHEN first_bytes LIKE 'cffaedfe%' OR first_bytes LIKE 'cefaedfe%' OR mime_type LIKE '%mach-o%' THEN 'a macOS program'
            WHEN first_bytes LIKE 'cafebabe0000003%' OR mime_type = 'application/x-java-applet' OR mime_type LIKE '%java-vm%' THEN 'a Java class'
            WHEN (first_bytes LIKE '504b0304%' AND (lower(coalesce(url, filename, '')) LIKE '%.jar%' OR coalesce(declared_mime, '') LIKE '%java-archive%')) OR mime_type = 'application/java-archive' THEN 'a Java archive'
            WHEN first_bytes LIKE '4c0000000114020000000000c0%' THEN 'a Windows shortcut'
        END AS kind,
        lower(coalesce(url, filename, '')) AS place
    FROM files
),
program AS (
    SELECT
        file.*,
        regexp_extract(place, '^(?:[a-z]+://)?([^/:?]+)', 1) AS host,
        regexp_extract(regexp_replace(place, '[?#].*$', ''), '\.([a-z0-9]{1,5})$', 1) AS ending,
        request.user_agent, request.referrer,
        CASE WHEN is_orig THEN id_orig_h ELSE id_resp_h END AS giver,
        CASE WHEN is_orig THEN id_resp_h ELSE id_orig_h END AS taker
    FROM file
    LEFT JOIN (
        SELECT flow_id, min(lower(coalesce(user_agent, ''))) AS user_agent, min(referrer) AS referrer FROM http GROUP BY flow_id
    ) AS request USING (flow_id)
    WHERE kind IS NOT NULL AND seen_bytes >= 64
),
judged AS (
    SELECT *,
        -- Declared as, or named like, something that is not a program.
        coalesce(regexp_matches(lower(declared_mime), '^(image|text|audio|video|font)/|pdf|html|json|msword|officedocument'), false) AS disguised_type,
        ending IN ('jpg', 'jpeg', 'png', 'gif', 'bmp', 'ico', 'txt', 'htm', 'html', 'css', 'js', 'pdf', 'doc', 'docx', 'xls', 'xlsx', 'php', 'asp', 'aspx', 'mp3', 'mp4') AS disguised_name,
        regexp_matches(place, '\.(pdf|docx?|xlsx?|jpe?g|png|txt|zip)\.(exe|scr|js|vbs|lnk|hta|bat|cmd|ps1)([?#]|$)') AS double_ending,
        -- Put on a share that only administrators may write to: a program is brought to another host.
        source LIKE 'SMB%' AND is_orig AND flow_id IN (
            SELECT flow_id FROM smb_files WHERE write_bytes > 0 AND NOT is_pipe AND regexp_matches(lower(path), '\\(admin|[a-z])[$]$')
        ) AS brought,
        regexp_matches(regexp_extract(place, '([^/\\]*)$', 1), $known) AS known_tool,
        len(list_filter($updaters, suffix -> host = suffix OR ends_with(host, '.' || suffix))) > 0 AS updater
    FROM program
)
SELECT
    giver AS actor, taker AS target, NULL::VARCHAR AS user,
    ts AS first_seen, ts AS last_seen,
    CASE WHEN updater AND NOT disguised_type THEN 'benign_trigger' WHEN complete OR seen_bytes >= 1024 THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('declared as something else', 1.5, disguised_type::INT),
        term('named like something else', 1, disguised_name::INT),
        term('two endings', 2, double_ending::INT),
        term('from a bare address', 1, (is_address(host) AND source = 'HTTP')::INT),
        term('fetched by a tool or by nobody', 0.8, (source = 'HTTP' AND (coalesce(user_agent, '') = '' OR regexp_matches(user_agent, $tools)))::INT),
        term('no page led to it', 0.3, (source = 'HTTP' AND referrer IS NULL)::INT),
        term('written to an administrative share', 1.2, coalesce(brought, false)::INT),
        term('named like a tool of attackers', 2, known_tool::INT),
        term('an updater', -2.5, updater::INT)
    ] AS terms,
    {
        'kind': kind, 'size': greatest(seen_bytes, coalesce(total_bytes, 0)), 'url': coalesce(url, filename, 'no name'), 'declared': coalesce(declared_mime, 'nothing'),
        'source': source, 'host': host, 'user_agent': user_agent, 'sha256': sha256, 'md5': md5, 'first_bytes': first_bytes, 'entropy': round(entropy, 6), 'complete': complete
    } AS evidence,
    CASE WHEN flow_id IS NULL THEN []::BIGINT[] ELSE [flow_id] END AS flows, [frame] AS frames
FROM judged
-- A program under its own name, from a named host, that somebody clicked on is everyday life.
WHERE disguised_type OR disguised_name OR double_ending OR source <> 'HTTP' OR is_address(host) OR referrer IS NULL OR coalesce(user_agent, '') = '' OR regexp_matches(user_agent, $tools)
ORDER BY ts, frame, actor, target
