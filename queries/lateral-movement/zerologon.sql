/*
id       = "zerologon"
title    = "Zerologon: logins as a domain controller with credentials of zeros (CVE-2020-1472)"
attack   = ["T1210", "T1068"]
impact   = 100
prior    = 0.9
family   = "netlogon-exploit"
reads    = ["dce_rpc"]
window   = "2min"
key      = ["actor", "target"]
fires_on = "zerologon"
benign   = "Vulnerability scanners that try it; they do not set a password afterwards."
says     = "{actor} tried {tries:Netlogon logins} on {target} with credentials of zeros; {how}"
filter   = "dcerpc && ip.addr == {actor} && ip.addr == {target}"
[params]
min_zero  = 2       # logins with an all-zero credential: chance makes one in 2^64
min_tries = 10      # or logins of any kind, nearly all refused, where arguments are cut off
refused   = 0.8     # share of them that is refused
*/
WITH login AS (
    SELECT
        caller, callee,
        count(*) FILTER (operation LIKE 'NetrServerAuthenticate%') AS tries,
        count(*) FILTER (operation LIKE 'NetrServerAuthenticate%' AND zero_credential) AS zeros,
        count(*) FILTER (operation LIKE 'NetrServerAuthenticate%' AND (fault IS NOT NULL OR resp_status <> 0)) AS refused,
        min(frame) FILTER (operation LIKE 'NetrServerAuthenticate%' AND zero_credential AND resp_frame IS NOT NULL AND fault IS NULL AND resp_status = 0) AS let_in,
        min(frame) FILTER (operation = 'NetrServerPasswordSet2' AND answered) AS password_set,
        min(req_strings[1]) AS named,
        min(ts) AS first_seen, max(ts) AS last_seen, least_of(flow_id, 1000) AS flows, least_of(frame, 150) AS frames
    FROM calls
    WHERE endpoint = 'netlogon' AND regexp_matches(operation, '^NetrServer(ReqChallenge|Authenticate|PasswordSet)')
    GROUP BY caller, callee
)
SELECT
    caller AS actor, callee AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, CASE WHEN let_in IS NOT NULL THEN 'confirmed' ELSE 'attempt' END AS outcome,
    [
        term('credentials of zeros', 1.5, log_scale(zeros, 1, 20)),
        term('one of them was accepted', 2, (let_in IS NOT NULL)::INT),
        term('a password was then set', 1, (let_in IS NOT NULL AND password_set IS NOT NULL)::INT),
        term('the credentials were not seen', -2, (zeros = 0)::INT)
    ] AS terms,
    {
        'tries': tries, 'zeros': zeros, 'refused': refused, 'named': named,
        'how': CASE WHEN let_in IS NULL THEN 'none was accepted' WHEN password_set IS NULL THEN 'one was accepted' ELSE 'one was accepted, and a password was set' END
    } AS evidence,
    flows, list_concat(list_filter([let_in, password_set], frame -> frame IS NOT NULL), frames) AS frames
FROM login
WHERE zeros >= $min_zero OR (tries >= $min_tries AND refused >= $refused * tries)
ORDER BY actor, target
