/*
id       = "overpass-the-hash"
title    = "Overpass-the-hash: a login with an old key alone, in a domain that has newer ones"
attack   = ["T1550.002", "T1558"]
impact   = 85
prior    = 0.45
family   = "kerberos-tickets"
reads    = ["kerberos"]
window   = "capture"
key      = ["actor", "user"]
fires_on = "overpass-the-hash"
benign   = "Keytabs and old systems (Windows XP, Java, storage) that hold nothing but an RC4 key."
says     = "{actor} logged in at {target} as {user} with an RC4 key and offered nothing newer, though the domain seals its own tickets with {theirs}; {how}"
filter   = "kerberos && ip.addr == {actor} && ip.addr == {target}"
[params]
newer = [17, 18, 19, 20] # AES of either length: what every Windows since 2008 offers
*/
WITH login AS (
    SELECT
        *, lower(split_part(client, '/', 1)) AS account,
        -- Tools that swap keys in memory leave the places of the newer ones empty.
        list_contains(etypes_offered, 0) AS emptied, etypes_offered = [23] AS single
    FROM kerberos
    WHERE request_type = 'AS' AND preauth AND success AND list_contains(pa_types, 2) AND reply_etype IN (23, 24, -133, -128, -135)
      AND len(etypes_offered) > 0 AND len(list_filter(etypes_offered, etype -> list_contains($newer, etype))) = 0
      AND list_contains($newer, ticket_etype) AND NOT ends_with(split_part(client, '/', 1), '$')
),
habit AS (
    SELECT id_orig_h, count(*) FILTER (len(list_filter(etypes_offered, etype -> list_contains($newer, etype))) > 0) AS newer_asked, count(*) AS asked
    FROM kerberos WHERE request_type = 'AS' AND len(etypes_offered) > 0 GROUP BY id_orig_h
)
SELECT
    login.id_orig_h AS actor, login.id_resp_h AS target, account AS user,
    min(ts) AS first_seen, max(ts) AS last_seen, 'confirmed' AS outcome,
    [
        term('the places of newer keys are empty', 2, bool_or(emptied)::INT),
        term('the same host offers newer keys elsewhere', 1.2, (min(newer_asked) > 0)::INT),
        term('a list of one, as tools send', 0.7, bool_or(single)::INT),
        term('again and again, as old programs do', -1.5, (count(*) >= 10)::INT)
    ] AS terms,
    {
        'logins': count(*), 'offered': min(etypes_offered), 'theirs': CASE WHEN min(ticket_etype) = 17 THEN 'AES-128' ELSE 'AES-256' END,
        'newer_asked': min(newer_asked),
        'how': CASE WHEN bool_or(emptied) THEN 'its list has empty places, as tools leave them that put a stolen key into memory'
            WHEN min(newer_asked) > 0 THEN 'the same host offers newer keys for other accounts' ELSE 'that host asked for nothing else' END
    } AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
FROM login JOIN habit USING (id_orig_h)
GROUP BY login.id_orig_h, login.id_resp_h, account
ORDER BY actor, target, account
