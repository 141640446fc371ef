/*
id       = "bare-post"
title    = "Programs that post to a bare address, as malware does when it reports home"
attack   = ["T1071.001", "T1041", "T1132"]
impact   = 65
prior    = 0.15
family   = "http-c2"
reads    = ["http"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "bare-post"
benign   = "Devices and games that speak to a fixed address; internal services without names."
says     = "{actor} posted {posts:times} to {target} by its bare address ({example}), {sent:bytes} out and {got:bytes} back"
filter   = "http.request.method == \"POST\" && ip.addr == {actor} && ip.addr == {target}"
[params]
old_agents = "MSIE [4-9]\\.|Windows NT 5\\.|Mozilla/[1-4]\\.0 \\((compatible|Windows)|^(Mozilla/[45]\\.0|test|agent|http)$" # what programs call themselves that no browser of today does
*/
WITH post AS (
    SELECT http.*, flows.direction,
        -- A page that refers to itself is a program that fills in what browsers would.
        referrer IS NOT NULL AND contains(referrer, uri) AS refers_to_itself
    FROM http JOIN flows USING (flow_id)
    WHERE method = 'POST' AND is_address(regexp_replace(host, ':\d+$', '')) AND (referrer IS NULL OR contains(referrer, uri)) AND NOT coalesce(cookie_present, false) AND direction IN ('out', 'ext')
      -- Structured calls of applications: SOAP, JSON-RPC and UPnP name themselves.
      AND NOT coalesce(regexp_matches(lower(request_content_type), 'json|xml|soap|grpc|dns-message|ocsp'), false)
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(ts) AS last_seen, CASE WHEN bool_or(status_code BETWEEN 200 AND 299) THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('calls itself what no browser does', 1.2, bool_or(coalesce(user_agent, '') = '' OR regexp_matches(user_agent, $old_agents))::INT),
        term('on a port of its own', 0.8, bool_or(id_resp_p NOT IN (80, 443, 8080))::INT),
        term('a path of random words', 1, bool_or(regexp_matches(coalesce(uri, ''), '^(/[A-Za-z0-9_-]{4,32}){2,}/?$|^/[A-Za-z0-9]{16,}'))::INT),
        term('refers to itself', 1, bool_or(refers_to_itself)::INT),
        term('binary bodies', 0.8, bool_or(regexp_matches(coalesce(body_prefix_req, ''), '(\\x[0-9a-f]{2}){8}'))::INT),
        term('no page was asked for before', 0.8, (count(*) FILTER (coalesce(trans_depth, 1) = 1) > 0)::INT),
        term('brings more back than it sends', 0.5, (sum(response_body_len) > 10 * sum(request_body_len))::INT)
    ] AS terms,
    {
        'posts': count(*), 'example': min_by(left(concat(host, uri), 120), frame), 'user_agent': min(user_agent), 'sent': sum(request_body_len), 'got': sum(response_body_len),
        'port': min(id_resp_p)
    } AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
FROM post
GROUP BY id_orig_h, id_resp_h
ORDER BY actor, target
