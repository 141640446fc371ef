/*
id       = "made-up-domain"
title    = "Traffic to a domain whose name is a row of hexadecimal digits, as algorithms make them"
attack   = ["T1568.002", "T1071.001"]
impact   = 65
prior    = 0.3
family   = "dga"
reads    = ["flows"]
also     = ["http", "tls"]
window   = "capture"
key      = ["actor", "domain"]
fires_on = "made-up-domain"
benign   = "Advertisers and content networks rent such names too; browsers reach them from a page, which they name as referrer."
says     = "{actor} spoke to {domain} ({target}) {times:times}; {how}"
filter   = "ip.addr == {actor} && ip.addr == {target}"
[params]
min_length = 7      # digits; shorter ones are often words
cheap      = "\\.(top|xyz|info|club|online|site|pw|tk|ml|ga|cf|gq|su|cc|ws|space|icu|bid|win|loan|click|buzz|fun|cfd|sbs|monster|cyou|rest)$" # ends of names that cost next to nothing
*/
WITH spoken AS (
    SELECT flow_id, frame, ts, id_orig_h, id_resp_h, lower(regexp_replace(host, ':\d+$', '')) AS name, referrer IS NULL AND NOT coalesce(cookie_present, false) AS bare, method = 'POST' AS posts,
        status_code BETWEEN 200 AND 299 AS accepted, 'web' AS how
    FROM http WHERE host IS NOT NULL
    UNION ALL
    SELECT flow_id, frame, ts, id_orig_h, id_resp_h, lower(server_name), false, false, coalesce(established, true), 'TLS'
    FROM tls WHERE server_name IS NOT NULL
),
made_up AS (
    SELECT *, split_part(name, '.', 1) AS label
    FROM spoken
    -- Registered names of two parts: below others, hashes are everyday.
    WHERE regexp_full_match(name, '[0-9a-f]{5,32}\.[a-z]{2,24}') AND length(split_part(name, '.', 1)) >= $min_length
      -- Digits among letters, not before or behind them as in names of years and numbers.
      AND regexp_matches(split_part(name, '.', 1), '[a-f][0-9]+[a-f]') AND length(regexp_replace(split_part(name, '.', 1), '[^0-9]', '', 'g')) >= 2
),
others AS (SELECT id_orig_h, count(DISTINCT name) AS names FROM spoken GROUP BY id_orig_h)
SELECT
    id_orig_h AS actor, min(id_resp_h) AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(ts) AS last_seen, CASE WHEN bool_or(accepted) THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('no page led to it', 1, coalesce(bool_and(bare), false)::INT),
        term('it posts there', 0.7, bool_or(posts)::INT),
        term('a name that costs nothing', 0.8, bool_or(regexp_matches(name, $cheap))::INT),
        term('one of dozens of names', -1, (min(others.names) >= 30)::INT)
    ] AS terms,
    {
        'domain': name, 'times': count(*), 'posts': count(*) FILTER (posts), 'others': min(others.names),
        'how': CASE WHEN bool_or(posts) THEN 'it posted there' WHEN bool_and(bare) THEN 'no page led to it' ELSE min(how) END
    } AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
FROM made_up JOIN others USING (id_orig_h)
GROUP BY id_orig_h, name
ORDER BY actor, name
