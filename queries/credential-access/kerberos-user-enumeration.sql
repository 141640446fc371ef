/*
id       = "kerberos-user-enumeration"
title    = "Kerberos account search: a client asks for name after name that the domain does not know"
attack   = ["T1087.002", "T1110.003"]
impact   = 70                       # 85 where a guess then opened a door
prior    = 0.6
family   = "guessing"
reads    = ["kerberos"]
window   = "10min"
key      = ["actor"]
fires_on = "kerberos-user-enumeration"
benign   = "A gateway or terminal server through which many people log in and some mistype their name: most of its requests succeed."
says     = "{actor} asked {target} for {names} accounts, {unknown} of which do not exist, within {span_s:duration}; {refused} passwords were refused, {accepted} accepted"
filter   = "kerberos && ip.addr == {actor} && ip.addr == {target}"
[params]
min_unknown = 10    # names that do not exist, within ten minutes: nobody mistypes so often
quick_least = 5     # or so many of them within `quick_s`, which hands cannot type
quick_s     = 30    # seconds
max_good    = 0.5   # share of all names that get a ticket: of people who mistype nearly all do
*/
WITH asked AS (
    SELECT
        ts, flow_id, frame, id_orig_h, id_resp_h, lower(split_part(client, '/', 1)) AS account, coalesce(preauth, false) AS preauth,
        coalesce(success, false) AS success, error_code
    FROM kerberos
    -- Machines ask with the name of their account, which ends in a dollar.
    WHERE request_type = 'AS' AND client IS NOT NULL AND NOT ends_with(split_part(client, '/', 1), '$')
),
missing AS (
    SELECT id_orig_h, id_resp_h, account, min(ts) AS ts FROM asked WHERE error_code = 6 GROUP BY ALL
),
pace AS (
    SELECT id_orig_h, id_resp_h,
        count(*) OVER ten AS in_ten_minutes, count(*) OVER half AS quickly
    FROM missing
    WINDOW ten AS (PARTITION BY id_orig_h, id_resp_h ORDER BY ts RANGE BETWEEN INTERVAL 10 MINUTES PRECEDING AND CURRENT ROW),
        half AS (PARTITION BY id_orig_h, id_resp_h ORDER BY ts RANGE BETWEEN to_seconds($quick_s) PRECEDING AND CURRENT ROW)
),
busy AS (
    SELECT id_orig_h, id_resp_h, max(in_ten_minutes) AS in_ten_minutes, max(quickly) AS quickly
    FROM pace GROUP BY ALL
),
client AS (
    SELECT
        id_orig_h, id_resp_h, count(DISTINCT account) AS names, count(DISTINCT account) FILTER (error_code = 6) AS unknown,
        count(DISTINCT account) FILTER (success) AS good, count(*) FILTER (error_code IN (18, 24)) AS refused,
        count(*) FILTER (success AND preauth) AS accepted,
        -- The tool went on to try a password, or got a ticket, after it had found who exists.
        min(account) FILTER (success AND preauth) AS got_in,
        min(ts) AS first_seen, max(ts) AS last_seen, least_of(account, 5) AS examples,
        least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
    FROM asked GROUP BY id_orig_h, id_resp_h
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, got_in AS user,
    first_seen, last_seen, 'confirmed' AS outcome,
    CASE WHEN got_in IS NOT NULL AND refused > 0 THEN 85 ELSE 70 END AS impact,
    [
        term('names that do not exist', 1.5, log_scale(unknown, $quick_least, 50)),
        term('faster than hands type', 1, (quickly >= $quick_least)::INT),
        term('passwords refused too', 0.7, (refused > 0)::INT),
        term('some names get tickets', -2, good / names::DOUBLE)
    ] AS terms,
    {
        'names': names, 'unknown': unknown, 'refused': refused, 'accepted': accepted, 'in_ten_minutes': in_ten_minutes, 'quickly': quickly,
        'examples': examples, 'got_in': got_in, 'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM client JOIN busy USING (id_orig_h, id_resp_h)
WHERE (in_ten_minutes >= $min_unknown OR quickly >= $quick_least) AND good <= $max_good * names
ORDER BY actor, target
