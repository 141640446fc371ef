/*
id       = "password-guessing"
title    = "Password guessing: login after login is refused"
attack   = ["T1110.001", "T1110.003"]
impact   = 65                       # 55 from outside, 80 where one of ours does it
prior    = 0.6
family   = "guessing"
reads    = ["flows"]
also     = ["credentials", "ssh", "ntlm", "kerberos", "ldap", "rdp"]
window   = "10min"
key      = ["actor", "service"]
fires_on = "password-guessing"
benign   = "A program with an old password: one account, one password, a steady pace. Automation that logs in often, and succeeds."
says     = "{actor} tried {tries} {service} logins on {target}, {refused} were refused, at most {peak} in ten minutes ({proof})"
[params]
min_refused  = 10     # refused logins within ten minutes
min_secrets  = 10     # or distinct passwords on one target, where the server's answer is not seen
min_sessions = 20     # or short sessions of one shape, where the protocol is encrypted
max_session  = 15.0   # seconds that such a session lasts
max_spread   = 0.15   # spread of the bytes answered: refusals are all alike
min_pace     = 12.0   # such sessions a minute; people and scheduled jobs are slower
person_s     = 5.0    # pause between logins from which it may be a person at a keyboard; tools are faster, unless they hide
ports        = [21, 22, 23, 25, 110, 143, 389, 445, 465, 587, 993, 995, 1433, 1521, 3306, 3389, 5432, 5900, 5985, 5986, 6379, 27017] # ports of services that ask for a password
*/
WITH login AS (
    SELECT *, sum(refused) OVER (PARTITION BY id_orig_h, id_resp_h, service ORDER BY ts RANGE BETWEEN INTERVAL 10 MINUTES PRECEDING AND CURRENT ROW) AS recent
    FROM logins
    WHERE NOT (service = 'ssh' AND success IS NULL)
),
said AS (
    SELECT
        id_orig_h, id_resp_h, service, 'said by the server' AS proof,
        count(*) + coalesce(sum(refused) FILTER (service = 'ssh'), 0) AS tries,
        sum(refused) AS refused, count(*) FILTER (success) AS accepted,
        coalesce(max(recent), 0) AS peak,
        count(DISTINCT account) AS accounts, count(DISTINCT secret_sha) AS secrets,
        seconds_between(min(ts), max(ts)) / greatest(count(*) - 1, 1) AS pause_s,
        min(ts) AS first_seen, max(ts) AS last_seen, min(account, 5) AS examples,
        least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
    FROM login GROUP BY id_orig_h, id_resp_h, service
    HAVING max(recent) >= $min_refused
        OR (count(DISTINCT secret_sha) >= $min_secrets AND count(*) FILTER (success) <= 0.2 * count(*))
),
session AS (
    SELECT
        id_orig_h, id_resp_h, id_resp_p, coalesce(nullif(service, ''), 'port ' || id_resp_p) AS service,
        ts, last_ts, duration, orig_bytes, resp_bytes, flow_id, first_frame, epoch_us(ts) // 60000000 AS minute
    FROM flows
    WHERE proto = 'tcp' AND coalesce(orig_bytes, 0) > 0 AND coalesce(resp_bytes, 0) > 0 AND coalesce(duration, 0) <= $max_session
      AND (list_contains($ports, id_resp_p) OR service LIKE '%ssh%' OR service LIKE '%ftp%' OR service LIKE '%rdp%' OR service LIKE '%smb%')
      AND coalesce(service, '') NOT LIKE '%http%' AND coalesce(service, '') NOT LIKE 'ftp-data%'
      -- Where the login itself could be read, it says more than the shape.
      AND flow_id NOT IN (SELECT flow_id FROM logins WHERE flow_id IS NOT NULL AND success IS NOT NULL)
),
shape AS (
    SELECT
        id_orig_h, id_resp_h, service, 'shape of the sessions' AS proof,
        count(*) AS tries, count(*) AS refused, 0 AS accepted, count(*) AS peak, 0 AS accounts, 0 AS secrets,
        seconds_between(min(ts), max(last_ts)) / greatest(count(*) - 1, 1) AS pause_s,
        min(ts) AS first_seen, max(last_ts) AS last_seen, []::VARCHAR[] AS examples,
        least_of(flow_id, 1000) AS flows, least_of(first_frame, 200) AS frames,
        count(DISTINCT minute) AS minutes,
        1.4826 * mad(resp_bytes) / greatest(median(resp_bytes), 1) AS spread
    FROM session GROUP BY id_orig_h, id_resp_h, service
    HAVING count(*) >= $min_sessions
),
guess AS (
    SELECT * FROM said
    UNION ALL
    SELECT * EXCLUDE (minutes, spread) FROM shape
    WHERE spread <= $max_spread AND tries >= $min_pace * greatest(seconds_between(first_seen, last_seen) / 60, 1)
)
SELECT
    guess.id_orig_h AS actor, guess.id_resp_h AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, 'guessing' AS outcome,
    by_direction(way_between(coalesce(way.direction, 'ext'), guess.id_orig_h, guess.id_resp_h), 55, 80, 80, 70) AS impact,
    [
        term('refused logins', 2, 1 - exp(-refused / 15.0)),
        term('many passwords', 1, log_scale(secrets, 2, 20)),
        term('many accounts', 0.7, log_scale(accounts, 2, 20)),
        term('one account and one password', -2, (accounts = 1 AND secrets = 1)::INT),
        term('only the shape tells', -0.5, (proof = 'shape of the sessions')::INT),
        term('the pace of a person', -2, (pause_s >= $person_s)::INT),
        term('half of them work', -2, (accepted >= refused)::INT)
    ] AS terms,
    {
        'service': guess.service, 'tries': tries, 'refused': refused, 'accepted': accepted, 'peak': peak, 'accounts': accounts, 'passwords': secrets,
        'pause_s': round(pause_s, 6), 'examples': coalesce(examples, []), 'proof': proof, 'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    guess.flows, frames
FROM guess
LEFT JOIN (SELECT id_orig_h, id_resp_h, min(direction) AS direction FROM flows GROUP BY ALL) AS way USING (id_orig_h, id_resp_h)
ORDER BY actor, target, guess.service, proof
