/*
id       = "false-browser"
title    = "A program that calls itself a browser, and is none"
attack   = ["T1071.001", "T1036"]
impact   = 45
prior    = 0.15
family   = "http-c2"
reads    = ["http"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "false-browser"
benign   = "Updaters, players and devices whose makers borrowed a browser's name; checks whether the network is there."
says     = "{actor} asks {target} ({example}) as \"{agent}\": {why}; {requests:requests}, {posts} of them posts"
filter   = "http.request && ip.addr == {actor} && ip.addr == {target}"
[params]
min_requests = 3     # requests of that kind: one alone is any helper's
never        = "windows nt ([789]|1[1-9])\\.|moz+il+a/|^user-agent:|windows nt 5\\.[0-2].*chrome/([6-9]\\d|1\\d\\d)\\.|msie 8\\.0;.*trident/[5-7]|msie 9\\.0;.*trident/[67]|msie 1[1-9]\\.|firefox/\\d+\\.\\d+.*chrome/" # what no browser ever called itself
checks       = "generate_204|ncsi|connecttest|hotspot-detect|success\\.(txt|html)|\\.(crl|crt|cer)$|ocsp" # paths of checks whether the network is there, and of certificates
*/
WITH claimed AS (
    SELECT
        http.*, lower(user_agent) AS agent, flows.direction,
        -- Mozilla's own name is spelled in one way; the pattern above finds others.
        regexp_matches(replace(lower(user_agent), 'mozilla/', ''), $never) AS impossible,
        -- Browsers of all makers say with every page and form what they take.
        len(client_header_names) > 0 AND NOT list_has_any(client_header_names, ['ACCEPT', 'ACCEPT-LANGUAGE', 'SEC-FETCH-MODE', 'RANGE', 'UPGRADE', 'ICY-METADATA']) AS bare
    FROM http JOIN flows USING (flow_id)
    WHERE method IN ('GET', 'POST') AND direction IN ('out', 'ext') AND regexp_matches(lower(user_agent), '^(user-agent: *)?moz+il+a/\d') AND NOT regexp_matches(lower(coalesce(uri, '')), $checks)
      AND len(coalesce(proxied, [])) = 0
),
odd AS (
    SELECT * FROM claimed
    WHERE impossible OR (bare AND regexp_matches(agent, 'msie \d|trident/|firefox/\d|chrome/\d|applewebkit/\d') AND NOT regexp_matches(agent, 'bot|spider|crawl|preview|android|cfnetwork|smart-?tv|like mac os x'))
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(ts) AS last_seen, 'confirmed' AS outcome,
    [
        term('a name that no browser ever had', 1.5, bool_or(impossible)::INT),
        term('it says nothing of what it takes', 1, bool_or(bare)::INT),
        term('it posts', 1, bool_or(method = 'POST')::INT),
        term('to a bare address', 1.2, bool_or(is_address(regexp_replace(coalesce(host, ''), ':\d+$', '')))::INT),
        term('on a port of its own', 0.5, bool_or(id_resp_p NOT IN (80, 443, 8080, 3128))::INT),
        term('again and again', 0.5, log_scale(count(*), $min_requests, 100)),
        term('it keeps cookies', -1, bool_or(cookie_present)::INT)
    ] AS terms,
    {
        'agent': left(min(user_agent), 120), 'requests': count(*), 'posts': count(*) FILTER (method = 'POST'), 'example': min_by(left(concat(host, uri), 100), frame),
        'headers': min_by(array_to_string(client_header_names, ' '), frame), 'port': min(id_resp_p),
        'why': CASE WHEN bool_or(impossible) THEN 'no browser ever had that name' ELSE 'browsers say what types and languages they take, this says nothing' END
    } AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
FROM odd
GROUP BY id_orig_h, id_resp_h
HAVING count(*) >= $min_requests OR bool_or(impossible)
ORDER BY actor, target
