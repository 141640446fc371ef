/*
id       = "web-scan"
title    = "Web scan: a client asks for page after page that is not there, or says it is a scanner"
attack   = ["T1595.002", "T1595.003", "T1046"]
impact   = 50
prior    = 0.5
family   = "web-scan"
reads    = ["http"]
window   = "10min"
key      = ["actor"]
fires_on = "web-scan"
benign   = "Scanners that you run yourself; crawlers after a site was rebuilt."
says     = "{actor} asked {target} for {uris} pages, {missing:percent} of them refused or not there; it calls itself {agent}"
filter   = "http.request && ip.src == {actor} && ip.dst == {target}"
[params]
min_uris    = 50    # distinct pages that a client asks for
min_missing = 0.5   # share of them that are refused (4xx) however often they are asked for
min_named   = 3     # requests of a client that says it is a scanner
scanners    = "nmap scripting engine|nikto|sqlmap|dirbuster|dirsearch|gobuster|dirb\\b|wfuzz|ffuf|fuzz faster u fool|feroxbuster|masscan|zgrab|nessus|openvas|acunetix|netsparker|arachni|w3af|wpscan|joomscan|cmsmap|whatweb|wapiti|nuclei|projectdiscovery|jaeles|commix|hydra|havij|jbrofuzz|zmeu|morfeus|muieblackcat|skipfish|webinspect|fimap|l9explore|l9tcpid|censysinspect|burp" # what scanners call themselves
*/
WITH asked AS (
    SELECT *, regexp_extract(lower(coalesce(user_agent, '')), $scanners) AS scanner FROM requests
),
-- A page is refused if no answer ever gave it: servers that ask who is there refuse the first question for each (401, 407).
page AS (
    SELECT id_orig_h, id_resp_h, count(*) AS uris, count(*) FILTER (refused) / greatest(count(*) FILTER (refused IS NOT NULL), 1)::DOUBLE AS missing
    FROM (
        SELECT id_orig_h, id_resp_h, uri,
            CASE WHEN count(status_code) > 0 THEN count(*) FILTER (status_code BETWEEN 400 AND 499) > 0 AND count(*) FILTER (status_code < 400) = 0 END AS refused
        FROM requests GROUP BY id_orig_h, id_resp_h, uri
    )
    GROUP BY id_orig_h, id_resp_h
),
pair AS (
    SELECT
        id_orig_h, id_resp_h, count(*) AS requests,
        count(*) FILTER (scanner <> '') AS named, max(scanner) AS scanner,
        min(user_agent) AS agent,
        min(ts) AS first_seen, max(ts) AS last_seen, min(uri, 10) AS examples, least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
    FROM asked GROUP BY id_orig_h, id_resp_h
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, 'confirmed' AS outcome,
    by_direction(coalesce(way.direction, 'ext'), 35, 60, 60, 50) AS impact,
    [
        term('says it is a scanner', 3, (named >= $min_named)::INT),
        term('many pages', 1, log_scale(uris, $min_uris, 1000)),
        term('not there', 1, 2 * missing - 1)
    ] AS terms,
    {
        'requests': requests, 'uris': uris, 'missing': round(missing, 6), 'named': named, 'scanner': scanner,
        'agent': coalesce(nullif(scanner, ''), agent, 'nothing'), 'examples': examples
    } AS evidence,
    pair.flows, frames
FROM pair JOIN page USING (id_orig_h, id_resp_h)
LEFT JOIN (SELECT id_orig_h, id_resp_h, min(direction) AS direction FROM flows GROUP BY ALL) AS way USING (id_orig_h, id_resp_h)
WHERE named >= $min_named OR (uris >= $min_uris AND missing >= $min_missing)
ORDER BY actor, target
