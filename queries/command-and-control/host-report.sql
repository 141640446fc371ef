/*
id       = "host-report"
title    = "A program reports the machine it runs on: names of computer and user with a mark, in web requests"
attack   = ["T1071.001", "T1082", "T1033"]
impact   = 80
prior    = 0.35
family   = "http-c2"
reads    = ["http"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "host-report"
benign   = "Inventory agents, licence checks and error reports of known makers name the machine too; they say who they are and go to their maker."
says     = "{actor} told {host} ({target}) its names: computer {computer}, user {account}, mark {mark}; {requests:requests}, {accepted} accepted"
filter   = "http && ip.addr == {actor} && ip.addr == {target}"
[params]
makers = ["microsoft.com", "windows.com", "live.com", "office.com", "google.com", "googleapis.com", "mozilla.org", "mozilla.com", "apple.com", "adobe.com", "intel.com", "nvidia.com", "hp.com", "dell.com", "lenovo.com", "vmware.com", "citrix.com", "avast.com", "mcafee.com", "symantec.com", "kaspersky.com", "eset.com", "sophos.com", "bitdefender.com"] # makers whose programs report so
cheap  = "\\.(top|xyz|info|club|online|site|pw|tk|ml|ga|cf|gq|su|cc|ws|space|icu|bid|win|loan|click|buzz|fun|cfd|sbs|monster|cyou|rest)$" # ends of names that cost next to nothing
*/
WITH said AS (
    SELECT http.*, flows.direction,
        '&' || unescape(regexp_extract(coalesce(uri, ''), '\?(.*)$', 1)) || '&' || unescape(left(coalesce(body_prefix_req, ''), 1000)) || '&' AS fields
    FROM http JOIN flows USING (flow_id)
    WHERE method IN ('GET', 'POST') AND referrer IS NULL AND NOT coalesce(cookie_present, false) AND host IS NOT NULL
      AND len(list_filter($makers, maker -> lower(host) = maker OR ends_with(lower(host), '.' || maker))) = 0
),
read AS (
    SELECT *,
        -- NetBIOS names: capitals, digits and hyphens, at most fifteen.
        regexp_extract(fields, '[&;](?:c|pc|cn|hn|host|hostname|comp|computer|computername|compname|machine|machinename|pcname|mn|wsname|box)=([A-Z][A-Z0-9-]{3,14})[&;]', 1) AS computer,
        regexp_extract(fields, '[&;](?:u|un|usr|user|username|uname|login|account|usern)=([A-Za-z][A-Za-z0-9 ._\\-]{1,24})[&;]', 1) AS account,
        regexp_extract(fields, '=(\{?[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\}?|[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{32}|[0-9A-Fa-f]{16})[&;]', 1) AS mark
    FROM said
),
report AS (
    SELECT *, split_part(lower(regexp_replace(host, ':\d+$', '')), '.', 1) AS label FROM read
    WHERE computer <> '' AND account <> '' AND mark <> ''
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(ts) AS last_seen, CASE WHEN bool_or(status_code BETWEEN 200 AND 299) THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('to the outside', 0.5, bool_or(direction IN ('out', 'ext'))::INT),
        term('it posts them', 0.7, bool_or(method = 'POST')::INT),
        term('it says no name of its own, or that of a browser', 0.7, bool_or(coalesce(user_agent, '') = '' OR starts_with(user_agent, 'Mozilla/'))::INT),
        term('a bare address', 1, bool_or(is_address(host))::INT),
        term('a name that costs nothing', 0.7, bool_or(regexp_matches(lower(host), $cheap))::INT),
        term('a name made of hexadecimal digits', 1.2, bool_or(regexp_full_match(label, '[0-9a-f]{7,32}') AND regexp_matches(label, '[0-9]') AND regexp_matches(label, '[a-f]'))::INT),
        term('one of ours', -2, bool_and(direction = 'lat')::INT)
    ] AS terms,
    {
        'host': min(host), 'computer': min(computer), 'account': min(account), 'mark': min(mark), 'requests': count(*), 'accepted': count(*) FILTER (status_code BETWEEN 200 AND 299),
        'example': min_by(left(concat(host, uri), 120), frame), 'user_agent': min(user_agent)
    } AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
FROM report
GROUP BY id_orig_h, id_resp_h
ORDER BY actor, target
