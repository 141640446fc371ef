/*
id       = "kerberoasting"
title    = "Kerberoasting: tickets of service accounts are gathered to crack their passwords"
attack   = ["T1558.003"]
impact   = 80
prior    = 0.6
family   = "kerberos-roasting"
reads    = ["flows"]
also     = ["kerberos", "ldap_search", "host_role"]
window   = "10min"
key      = ["actor"]
fires_on = "kerberoasting"
benign   = "Old programs (Java, Samba, storage) that know nothing but RC4 ask so for one or two services; directory audits list service accounts."
says     = "{actor} looked for service accounts at {target}: {how}"
filter   = "(kerberos || ldap) && ip.addr == {actor} && ip.addr == {target}"
[params]
min_services = 3     # services whose tickets came with RC4, within ten minutes
min_burst    = 10    # services of any encryption within `burst_s`; a login asks for three or four
burst_s      = 10    # seconds
*/
WITH granted AS (
    SELECT
        ts, flow_id, frame, id_orig_h, id_resp_h, lower(service) AS service, ticket_etype,
        -- The client offers RC4 and nothing newer, though the key of its own ticket is newer.
        len(etypes_offered) > 0 AND len(list_filter(etypes_offered, etype -> etype IN (17, 18, 19, 20))) = 0 AS only_rc4,
        -- Or it would rather have RC4 than what it offers besides: nothing but a tool that wants something to crack asks so.
        etypes_offered[1] = 23 AND len(list_filter(etypes_offered, etype -> etype IN (17, 18, 19, 20))) > 0 AS rather_rc4
    FROM kerberos
    -- Tickets for machines are sealed with passwords of 120 characters that nobody cracks.
    WHERE request_type = 'TGS' AND success AND service IS NOT NULL
      AND NOT regexp_matches(lower(service), '^krbtgt/|^kadmin/|[$](@|/|$)')
),
service AS (
    SELECT id_orig_h, id_resp_h, service, min(ts) AS ts, bool_or(ticket_etype IN (23, 24)) AS rc4, bool_or(only_rc4) AS only_rc4, bool_or(rather_rc4) AS rather_rc4
    FROM granted GROUP BY ALL
),
-- Programs that know nothing newer offer nothing newer anywhere.
habit AS (
    SELECT id_orig_h, bool_or(len(list_filter(etypes_offered, etype -> etype IN (17, 18, 19, 20))) > 0) AS newer
    FROM kerberos WHERE len(etypes_offered) > 0 GROUP BY id_orig_h
),
pace AS (
    SELECT *,
        count(*) FILTER (rc4) OVER (PARTITION BY id_orig_h, id_resp_h ORDER BY ts RANGE BETWEEN INTERVAL 10 MINUTES PRECEDING AND CURRENT ROW) AS weak,
        count(*) OVER (PARTITION BY id_orig_h, id_resp_h ORDER BY ts RANGE BETWEEN to_seconds($burst_s) PRECEDING AND CURRENT ROW) AS burst
    FROM service
),
tickets AS (
    SELECT id_orig_h, id_resp_h, max(weak) AS weak, max(burst) AS burst, count(*) FILTER (rc4 AND (only_rc4 OR rather_rc4)) AS downgraded, least_of(service, 5) AS services,
        count(*) AS services_in_all, count(*) FILTER (rc4 AND (rather_rc4 OR (only_rc4 AND coalesce(habit.newer, false)))) AS picked
    FROM pace LEFT JOIN habit USING (id_orig_h) GROUP BY id_orig_h, id_resp_h
),
place AS (
    SELECT id_orig_h, id_resp_h, min(ts) AS first_seen, max(ts) AS last_seen, least_of(flow_id, 1000) AS flows, least_of(frame, 150) AS frames
    FROM granted GROUP BY id_orig_h, id_resp_h
),
-- All accounts of people that have a service name: nothing but such a list needs that question.
search AS (
    SELECT
        id_orig_h, id_resp_h, min(ts) AS first_seen, max(ts) AS last_seen, count(*) AS searches, max(coalesce(result_count, 0)) AS found,
        bool_or(regexp_matches(lower(filter), 'krbtgt|803:=2\)')) AS leaves_out,
        min_by(filter, (ts, frame)) AS filter, least_of(flow_id, 100) AS flows, least_of(frame, 50) AS frames
    FROM ldap_search
    WHERE regexp_matches(lower(filter), 'serviceprincipalname=\*\)')
      AND regexp_matches(lower(filter), 'samaccounttype=805306368|objectc(lass|ategory)=(user|person)|!\(?objectc(lass|ategory)=computer')
      AND id_orig_h NOT IN (SELECT ip FROM host_role WHERE role = 'dc')
    GROUP BY id_orig_h, id_resp_h
)
SELECT
    coalesce(t.id_orig_h, search.id_orig_h) AS actor, coalesce(t.id_resp_h, search.id_resp_h) AS target, NULL::VARCHAR AS user,
    least(place.first_seen, search.first_seen) AS first_seen, greatest(place.last_seen, search.last_seen) AS last_seen,
    CASE WHEN t.weak >= $min_services OR t.downgraded > 0 THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('service tickets with RC4', 1.5, log_scale(coalesce(t.weak, 0), 1, 10)),
        term('it wants RC4', 1.5, (coalesce(t.downgraded, 0) > 0)::INT),
        term('it offers newer encryption elsewhere', 0.7, (coalesce(t.picked, 0) > 0)::INT),
        term('it listed accounts that have services', 1.5, (search.searches > 0)::INT),
        term('the list leaves out krbtgt or disabled accounts', 1, coalesce(search.leaves_out, false)::INT),
        term('the newer encryption, which few can crack', -1, (search.searches IS NULL AND coalesce(t.weak, 0) = 0)::INT)
    ] AS terms,
    {
        'rc4_services': coalesce(t.weak, 0), 'burst': coalesce(t.burst, 0), 'downgraded': coalesce(t.downgraded, 0), 'services': coalesce(t.services, []),
        'searches': coalesce(search.searches, 0), 'found': coalesce(search.found, 0), 'ldap_filter': search.filter,
        'how': concat_ws('; ',
            CASE WHEN search.searches > 0 THEN 'it asked the directory for all accounts with a service name (' || search.found || ' found)' END,
            CASE WHEN t.weak > 0 THEN t.weak || ' tickets of services came with RC4' WHEN t.burst > 0 THEN t.burst || ' tickets of services within seconds' END)
    } AS evidence,
    list_concat(coalesce(place.flows, []), coalesce(search.flows, [])) AS flows, list_concat(coalesce(search.frames, []), coalesce(place.frames, [])) AS frames
FROM (SELECT * FROM tickets WHERE weak >= $min_services OR burst >= $min_burst OR (downgraded > 0 AND id_orig_h IN (SELECT id_orig_h FROM search)) OR picked > 0) AS t
FULL JOIN search ON search.id_orig_h = t.id_orig_h AND search.id_resp_h = t.id_resp_h
LEFT JOIN place ON place.id_orig_h = t.id_orig_h AND place.id_resp_h = t.id_resp_h
ORDER BY actor, target
