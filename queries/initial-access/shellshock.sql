/*
id       = "shellshock"
title    = "Shellshock: a header defines a Bash function and a command behind it (CVE-2014-6271)"
attack   = ["T1190", "T1059.004"]
impact   = 90
prior    = 0.85
family   = "web-exploit"
reads    = ["http"]
also     = ["flows"]
window   = "60s"
key      = ["actor", "target"]
fires_on = "shellshock"
benign   = "Scanners of the whole Internet, and your own; without an effect nothing was run."
says     = "{actor} sent {target} a Bash function with a command in {requests:requests}; {answer}"
filter   = "http && ip.addr == {actor} && ip.addr == {target}"
[params]
wait_s = 60     # seconds within which the attacked server reaches out to the attacker
*/
WITH attack AS (
    SELECT *, concat_ws(chr(10), plain_headers, plain_uri) AS plain,
        regexp_matches(coalesce(body_prefix_resp, ''), 'uid=\d+\(|root:[x*]:0:0:') AS shown
    FROM requests
    -- Bash takes a variable for a function when its value begins with it: a header's, or that of the query.
    WHERE regexp_matches(plain_headers, '(?m)^([a-z0-9-]+:)?\s*\(\s*\)\s*\{[^}\n]*;?[^}\n]*\}\s*;?[^\n]*\S')
       OR regexp_matches(plain_uri, '[?&=/]\(\s*\)\s*\{[^}\n]*;[^}\n]*\}\s*;\s*\S')
),
callback AS (
    SELECT attack.frame, min(flows.flow_id) AS call_flow, min(flows.first_frame) AS call_frame
    FROM attack
    JOIN flows ON flows.id_orig_h = attack.id_resp_h AND flows.id_resp_h = attack.id_orig_h AND attack.id_orig_h <> attack.id_resp_h
        AND flows.ts >= attack.ts AND seconds_between(attack.ts, flows.ts) <= $wait_s AND flows.flow_id <> attack.flow_id
    GROUP BY attack.frame
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(ts) AS last_seen,
    CASE WHEN bool_or(shown) OR count(call_frame) > 0 THEN 'confirmed' ELSE 'attempt' END AS outcome,
    [
        term('the server reached out to the attacker', 4, (count(call_frame) > 0)::INT),
        term('the answer holds the output of a command', 3, bool_or(shown)::INT)
    ] AS terms,
    {
        'requests': count(*), 'example': left(min_by(regexp_extract(plain, '\(\s*\)\s*\{.{0,200}'), attack.frame), 240), 'calls_back': count(call_frame),
        'answer': CASE WHEN bool_or(shown) THEN 'the answer holds the output of a command' WHEN count(call_frame) > 0 THEN 'the server then reached out to the attacker' ELSE 'no effect was seen' END
    } AS evidence,
    list_concat(least_of(flow_id, 500), coalesce(least_of(call_flow, 500), [])) AS flows,
    list_concat(coalesce(min(DISTINCT call_frame, 50), []), least_of(attack.frame, 150)) AS frames
FROM attack LEFT JOIN callback ON callback.frame = attack.frame
GROUP BY id_orig_h, id_resp_h
ORDER BY actor, target
