/*
id       = "log4shell"
title    = "Log4Shell: a request asks Java's logging to fetch code (CVE-2021-44228)"
attack   = ["T1190", "T1203", "T1105"]
impact   = 90
prior    = 0.85
family   = "web-exploit"
reads    = ["http"]
also     = ["flows", "dns"]
window   = "60s"
key      = ["actor", "target"]
fires_on = "log4shell"
benign   = "Scanners of the whole Internet, and your own; without a call back from the server nothing was run."
says     = "{actor} sent {target} a JNDI look-up to {callback} in {requests:requests}; {answer}"
filter   = "http && ip.addr == {actor} && ip.addr == {target}"
[params]
wait_s = 120    # seconds within which the attacked server calls back
*/
WITH text AS (
    SELECT *, concat_ws(chr(10), plain_uri, plain_headers, plain_body) AS plain FROM requests
),
-- ${lower:j}, ${::-n} and their kind are taken off from the inside out: three rounds undo what is seen in the wild.
bare AS (
    SELECT *, regexp_replace(regexp_replace(regexp_replace(plain,
        '\$\{[^${}]*(?::-|lower:|upper:)([^${}]{0,3})\}', '\1', 'g'),
        '\$\{[^${}]*(?::-|lower:|upper:)([^${}]{0,3})\}', '\1', 'g'),
        '\$\{[^${}]*(?::-|lower:|upper:)([^${}]{0,8})\}', '\1', 'g') AS bare
    FROM text
    WHERE contains(plain, '${')
),
attack AS (
    SELECT
        *,
        regexp_extract(bare, '\$\{\s*jndi\s*:\s*(ldaps?|rmi|dns|iiop|https?|nis|corba|nds)\s*:/{0,2}([^\s}"'']{0,200})', 1) AS scheme,
        regexp_extract(bare, '\$\{\s*jndi\s*:\s*(ldaps?|rmi|dns|iiop|https?|nis|corba|nds)\s*:/{0,2}([^\s}"'']{0,200})', 2) AS place
    FROM bare
    WHERE regexp_matches(bare, '\$\{\s*jndi\s*:')
),
aimed AS (
    SELECT *, regexp_extract(place, '^(?:[^@/]*@)?(\[[0-9a-f:.]+\]|[^:/?}]+)', 1) AS callback_host,
        coalesce(try_cast(regexp_extract(place, '^[^/]*?:(\d{1,5})', 1) AS INTEGER), CASE scheme WHEN 'rmi' THEN 1099 WHEN 'dns' THEN 53 ELSE 389 END) AS callback_port
    FROM attack
),
callback AS (
    SELECT
        aimed.frame, min(flows.flow_id) AS call_flow, min(flows.first_frame) AS call_frame, bool_or(flows.resp_pkts > 0) AS answered
    FROM aimed
    JOIN flows ON flows.id_orig_h = aimed.id_resp_h AND flows.ts_ns >= epoch_ns(aimed.ts) AND seconds_between(aimed.ts, flows.ts) <= $wait_s
    LEFT JOIN named ON named.ip = flows.id_resp_h
    WHERE flows.flow_id <> aimed.flow_id
      AND (flows.id_resp_h = aimed.callback_host OR named.name = aimed.callback_host
           OR (flows.id_resp_h = aimed.id_orig_h AND flows.id_resp_p = aimed.callback_port AND flows.id_resp_h <> aimed.id_resp_h))
    GROUP BY aimed.frame
),
looked_up AS (
    SELECT aimed.frame, min(dns.frame) AS dns_frame
    FROM aimed JOIN dns ON dns.id_orig_h = aimed.id_resp_h AND lower(dns.query) = aimed.callback_host
        AND dns.ts >= aimed.ts AND seconds_between(aimed.ts, dns.ts) <= $wait_s
    GROUP BY aimed.frame
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(ts) AS last_seen,
    CASE WHEN bool_or(coalesce(answered, false)) THEN 'confirmed' WHEN count(call_frame) + count(dns_frame) > 0 THEN 'likely' ELSE 'attempt' END AS outcome,
    [
        term('the server called back', 4, (count(call_frame) > 0)::INT),
        term('the server looked the name up', 2, (count(dns_frame) > 0)::INT),
        term('hidden from filters', 0.5, bool_or(NOT contains(plain, '${jndi:'))::INT)
    ] AS terms,
    {
        'requests': count(*), 'callback': min_by(CASE WHEN place = '' THEN 'an unreadable place' ELSE place END, aimed.frame), 'example': left(min_by(plain, aimed.frame), 300),
        'calls_back': count(call_frame), 'looks_up': count(dns_frame),
        'answer': CASE WHEN count(call_frame) > 0 THEN 'the server called back' WHEN count(dns_frame) > 0 THEN 'the server looked the name up' ELSE 'no call back was seen' END
    } AS evidence,
    list_concat(least_of(flow_id, 500), coalesce(least_of(call_flow, 500), [])) AS flows,
    list_concat(coalesce(min(DISTINCT call_frame, 50), []), coalesce(min(DISTINCT dns_frame, 20), []), least_of(aimed.frame, 100)) AS frames
FROM aimed
LEFT JOIN callback ON callback.frame = aimed.frame
LEFT JOIN looked_up ON looked_up.frame = aimed.frame
GROUP BY id_orig_h, id_resp_h
ORDER BY actor, target
