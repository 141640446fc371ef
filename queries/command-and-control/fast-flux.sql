/*
id       = "fast-flux"
title    = "A name that wanders: new addresses all over the Internet with every answer"
attack   = ["T1568.001"]
impact   = 65
prior    = 0.4
family   = "dga"
reads    = ["dns"]
also     = ["flows"]
window   = "capture"
key      = ["target"]
fires_on = "fast-flux"
benign   = "Names that hand out volunteers by turns: time servers, trackers, seeds of peer-to-peer networks. Content networks answer with few addresses of few networks."
says     = "The name {name} led to {addresses} addresses in {nets} blocks of the Internet within {span_s:duration}, valid for {ttl_s} s; asked by {askers:hosts}, such as {actor}"
filter   = "dns.qry.name == \"{name}\""
[params]
min_addresses = 10    # addresses in all
min_blocks    = 10    # of blocks of the registries (/8): the addresses of a cloud's region, many as they are, lie in five or so
min_spread    = 0.6   # share of the first fifty addresses that have a block of their own
max_ttl       = 600.0 # seconds that answers are valid: names that stay put are valid for longer
min_turnover  = 2.0   # addresses in all, of those in the longest answer
turns         = "(^|\\.)(ntp|pool|time|dnsseed|seeds?\\d*|tracker|bootstrap|stun|tor|relay)[.-]|(^|\\.)pool\\." # words in names that hand out volunteers
*/
WITH reply AS (
    SELECT lower(query) AS name, ts, flow_id, frame, id_orig_h, answers, list_max(TTLs) AS ttl
    FROM dns WHERE kind = 'dns' AND qtype_name = 'A' AND rcode_name = 'NOERROR' AND len(answers) > 0 AND NOT regexp_matches(lower(query), $turns)
),
short AS (SELECT * FROM reply WHERE ttl <= $max_ttl),
address AS (SELECT name, frame, unnest(answers) AS ip FROM short),
-- Of the addresses alone: aliases are answers too.
size AS (SELECT name, frame, count(DISTINCT ip) AS addresses FROM address WHERE regexp_full_match(ip, '\d{1,3}(\.\d{1,3}){3}') GROUP BY name, frame),
wide AS (
    SELECT name, count(DISTINCT ip) AS addresses, count(DISTINCT regexp_extract(ip, '^\d+')) AS nets, list_slice(list(DISTINCT ip ORDER BY ip), 1, 20) AS examples
    FROM address WHERE regexp_full_match(ip, '\d{1,3}(\.\d{1,3}){3}') GROUP BY name
    HAVING count(DISTINCT ip) >= $min_addresses AND count(DISTINCT regexp_extract(ip, '^\d+')) >= greatest($min_blocks, $min_spread * least(count(DISTINCT ip), 50))
),
turned AS (SELECT name, max(addresses) AS longest, count(*) AS replies FROM size GROUP BY name),
-- Addresses that are asked for the time are time servers, whatever the name.
clock AS (SELECT DISTINCT name FROM address JOIN (SELECT DISTINCT id_resp_h AS ip FROM flows WHERE proto = 'udp' AND id_resp_p = 123) AS clocks USING (ip)),
asked AS (
    SELECT name, min(ts) AS first_seen, max(ts) AS last_seen, count(DISTINCT id_orig_h) AS askers, min(id_orig_h) AS asker, max(ttl) AS ttl, least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
    FROM short SEMI JOIN wide USING (name) GROUP BY name
)
SELECT
    asker AS actor, name AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, 'likely' AS outcome,
    [
        term('many addresses', 1, log_scale(addresses, $min_addresses, 100)),
        term('nearly each in a block of its own', 1, within(nets / least(addresses, 50)::DOUBLE, 0, 1)),
        term('valid for five minutes or less', 0.7, (ttl <= 300)::INT),
        term('each answer is another', 0.7, log_scale(addresses / longest::DOUBLE, $min_turnover, 10))
    ] AS terms,
    {
        'name': name, 'addresses': addresses, 'nets': nets, 'replies': replies, 'longest': longest, 'ttl_s': round(ttl, 1), 'askers': askers, 'examples': examples,
        'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM asked JOIN wide USING (name) JOIN turned USING (name) ANTI JOIN clock USING (name)
WHERE addresses >= $min_turnover * longest
ORDER BY actor, target
