/*
id       = "guessing-success"
title    = "Guessed: a login worked after many were refused"
attack   = ["T1110", "T1078"]
impact   = 95
prior    = 0.7
family   = "guessing-success"
reads    = ["flows"]
also     = ["credentials", "ssh", "ntlm", "kerberos", "ldap", "rdp"]
window   = "1h"
key      = ["actor", "target", "service"]
fires_on = "guessing-success"
benign   = "Somebody who mistypes a few times: one account, three tries, pauses of a person."
says     = "{actor} got into {target} over {service} after {refused:refused logins}"
[params]
min_refused = 5     # refused logins within the hour before the one that worked
person_s    = 5.0   # pause between logins from which it may be somebody who forgot a password
*/
WITH login AS (
    SELECT *,
        sum(refused) OVER (PARTITION BY id_orig_h, id_resp_h, service ORDER BY ts RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW) AS refused_before,
        count(*) FILTER (success) OVER (PARTITION BY id_orig_h, id_resp_h, service ORDER BY ts RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW) AS worked_before
    FROM logins
),
pair AS (
    SELECT
        id_orig_h, id_resp_h, service,
        max(refused_before) FILTER (success) AS refused,
        min(ts) FILTER (success AND refused_before >= $min_refused) AS got_in,
        min_by(account, (ts, frame)) FILTER (success AND refused_before >= $min_refused) AS account,
        count(DISTINCT account) AS accounts, count(DISTINCT secret_sha) AS secrets,
        count(*) FILTER (success) AS worked,
        seconds_between(min(ts), max(ts)) / greatest(count(*) - 1, 1) AS pause_s,
        min(ts) AS first_seen, max(ts) AS last_seen,
        min(frame, 50) FILTER (success) AS success_frames, least_of(frame, 150) AS frames, least_of(flow_id, 1000) AS flows
    FROM login GROUP BY id_orig_h, id_resp_h, service
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, account AS user,
    first_seen, last_seen, 'confirmed' AS outcome,
    [
        term('refused logins', 1.5, log_scale(refused, $min_refused, 50)),
        term('many passwords', 1, log_scale(secrets, 2, 20)),
        term('the pace of a person', -3, (pause_s >= $person_s)::INT),
        term('most logins work', -2.5, (worked >= refused)::INT)
    ] AS terms,
    {
        'service': service, 'refused': refused, 'accepted': worked, 'accounts': accounts, 'passwords': secrets, 'pause_s': round(pause_s, 6), 'got_in': got_in
    } AS evidence,
    flows, list_concat(coalesce(success_frames, []), frames) AS frames
FROM pair
WHERE refused >= $min_refused
ORDER BY actor, target, service
