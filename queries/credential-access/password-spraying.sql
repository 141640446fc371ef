/*
id       = "password-spraying"
title    = "Password spraying: a few passwords tried with many accounts"
attack   = ["T1110.003", "T1078"]
impact   = 65                       # 55 from outside, 80 where one of ours does it
prior    = 0.6
family   = "guessing"
reads    = ["flows"]
also     = ["credentials", "ssh", "ntlm", "kerberos", "ldap", "rdp"]
window   = "capture"
key      = ["actor", "service"]
fires_on = "password-spraying"
benign   = "A gateway through which many people log in: most of their logins work."
says     = "{actor} tried {accounts} accounts over {service}, {per_account:passwords} each; {refused_accounts} never got in, {accepted} did"
[params]
min_accounts = 10   # accounts that were refused
max_each     = 3    # tries with each, as a rule; locks close after a few more
max_worked   = 0.3  # share of accounts that got in: of people who mistype nearly all do
quick_s      = 600  # seconds for all of them
*/
WITH account AS (
    SELECT
        id_orig_h, service, account, count(*) AS tries, bool_or(coalesce(success, false)) AS worked,
        min(ts) AS first_ts, max(ts) AS last_ts, min(frame) AS frame, min(flow_id) AS flow_id, min(id_resp_h) AS server,
        min(frame) FILTER (success) AS worked_frame
    FROM logins WHERE account IS NOT NULL AND success IS NOT NULL
    GROUP BY id_orig_h, service, account
),
campaign AS (
    SELECT
        id_orig_h, service, count(*) AS accounts, count(*) FILTER (NOT worked) AS refused_accounts, count(*) FILTER (worked) AS accepted,
        median(tries) AS per_account, min(first_ts) AS first_seen, max(last_ts) AS last_seen,
        least_of(server, 50) AS targets, least_of(CASE WHEN worked THEN account END, 5) AS got_in, least_of(account, 5) AS examples,
        least_of(flow_id, 1000) AS flows, least_of(worked_frame, 20) AS worked_frames, least_of(frame, 150) AS frames
    FROM account GROUP BY id_orig_h, service
)
SELECT
    campaign.id_orig_h AS actor, targets[1] AS target, targets, NULL::VARCHAR AS user,
    first_seen, last_seen, CASE WHEN accepted > 0 THEN 'confirmed' ELSE 'guessing' END AS outcome,
    by_direction(way_between(coalesce(way.direction, 'ext'), campaign.id_orig_h, targets[1]), 55, 80, 80, 70) AS impact,
    [
        term('accounts', 2, log_scale(refused_accounts, $min_accounts, 100)),
        term('within minutes', 1, (seconds_between(first_seen, last_seen) <= $quick_s)::INT),
        term('some got in', -1, log_scale(1 + accepted, 1, 10))
    ] AS terms,
    {
        'service': campaign.service, 'accounts': accounts, 'refused_accounts': refused_accounts, 'accepted': accepted, 'per_account': per_account,
        'got_in': coalesce(got_in, []), 'examples': coalesce(examples, []), 'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, list_concat(coalesce(worked_frames, []), frames) AS frames
FROM campaign
LEFT JOIN (SELECT id_orig_h, id_resp_h, min(direction) AS direction FROM flows GROUP BY ALL) AS way
    ON way.id_orig_h = campaign.id_orig_h AND way.id_resp_h = targets[1]
WHERE refused_accounts >= $min_accounts AND per_account <= $max_each AND accepted <= $max_worked * accounts
ORDER BY actor, campaign.service
