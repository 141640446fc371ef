/*
id       = "cleartext-credentials"
title    = "A password travelled in clear"
attack   = ["T1040", "T1552.001"]
impact   = 40                       # 65 from ours to outside, 50 where neither side is ours
prior    = 0.95
family   = "cleartext"
reads    = ["credentials"]
also     = ["flows", "snmp"]
window   = "capture"
key      = ["actor", "service"]
fires_on = "cleartext-credentials"
benign   = "It is a fact; whether it is allowed is policy. Anonymous logins are left out."
says     = "{actor} logged in to {target} over {service} as {user} without encryption; {accepted} of {tries} logins were accepted"
[params]
anonymous = ["anonymous", "ftp", "guest"] # accounts that are no secret
*/
WITH login AS (
    SELECT credentials.*, coalesce(flows.direction, 'ext') AS direction
    FROM credentials LEFT JOIN flows USING (flow_id)
    WHERE cleartext AND secret_masked IS NOT NULL AND NOT list_contains($anonymous, lower(coalesce("user", '')))
        -- The community that every agent is shipped with opens what is meant to be read by all; and who is sent answers unasked logged in nowhere.
        AND NOT (credentials.service = 'snmp' AND credentials.flow_id IN (SELECT flow_id FROM snmp
            WHERE len(list_filter(coalesce(communities, []), name -> name <> 'public')) = 0 OR coalesce(get_requests, 0) + coalesce(get_bulk_requests, 0) + coalesce(set_requests, 0) = 0))
        -- What is injected through the field of a login is no account.
        AND NOT regexp_matches(coalesce("user", ''), '[$][{]|[<>";]')
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, min("user") AS user,
    min(ts) AS first_seen, max(ts) AS last_seen,
    'confirmed' AS outcome,
    -- Passwords that were refused are guesses, of little worth to who listens.
    CASE WHEN count(*) FILTER (success IS NULL OR success) = 0 THEN 25 ELSE by_direction(min(direction), 40, 40, 65, 50) END AS impact,
    [term('the server accepted it', 1, coalesce(bool_or(success), false)::INT)] AS terms,
    {
        'service': service, 'tries': count(*), 'accepted': count(*) FILTER (success), 'accounts': count(DISTINCT "user"), 'examples': min(DISTINCT "user", 5),
        'secrets': min(DISTINCT secret_masked, 5)
    } AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
FROM login
GROUP BY id_orig_h, id_resp_h, service
ORDER BY actor, target, service
