/*
id       = "asrep-roasting"
title    = "AS-REP roasting: tickets taken for accounts that need not prove who they are"
attack   = ["T1558.004", "T1087.002"]
impact   = 75
prior    = 0.5
family   = "kerberos-roasting"
reads    = ["flows"]
also     = ["kerberos", "ldap_search", "host_role"]
window   = "10min"
key      = ["actor"]
fires_on = "asrep-roasting"
benign   = "One old account without pre-authentication that its own program uses every day."
says     = "{actor} went for accounts without pre-authentication at {target}: {how}"
filter   = "(kerberos || ldap) && ip.addr == {actor} && ip.addr == {target}"
[params]
min_accounts = 3     # accounts that gave a reply to a request without proof; one may be an old program
*/
WITH given AS (
    SELECT
        id_orig_h, id_resp_h, min(ts) AS first_seen, max(ts) AS last_seen, count(DISTINCT lower(client)) AS accounts,
        count(DISTINCT lower(client)) FILTER (reply_etype IN (23, 24)) AS weak,
        bool_or(len(etypes_offered) > 0 AND len(list_filter(etypes_offered, etype -> etype IN (17, 18, 19, 20))) = 0) AS only_rc4,
        min(client) AS account, least_of(lower(client), 5) AS names, least_of(flow_id, 1000) AS flows, least_of(frame, 150) AS frames
    FROM kerberos
    -- Certificates (16, 17) and tunnels (136) prove in another way; machines end in a dollar.
    WHERE request_type = 'AS' AND success AND preauth = false AND NOT ends_with(split_part(client, '/', 1), '$')
      AND len(list_filter(pa_types, pa -> pa IN (2, 16, 17, 136, 138))) = 0 AND NOT regexp_matches(lower(client), '^anonymous|wellknown')
    GROUP BY id_orig_h, id_resp_h
),
asked AS (
    SELECT id_orig_h, id_resp_h, count(DISTINCT lower(client)) AS probed
    FROM kerberos WHERE request_type = 'AS' AND preauth = false AND error_code = 25 GROUP BY ALL
),
search AS (
    SELECT
        id_orig_h, id_resp_h, min(ts) AS first_seen, max(ts) AS last_seen, count(*) AS searches, max(coalesce(result_count, 0)) AS found,
        min_by(filter, (ts, frame)) AS filter, least_of(flow_id, 100) AS flows, least_of(frame, 50) AS frames
    FROM ldap_search
    -- The bit of an account that need not pre-authenticate.
    WHERE regexp_matches(lower(filter), '(1\.2\.840\.113556\.1\.4\.803:|useraccountcontrol):?=4194304\)')
      AND id_orig_h NOT IN (SELECT ip FROM host_role WHERE role = 'dc')
    GROUP BY id_orig_h, id_resp_h
)
SELECT
    coalesce(given.id_orig_h, search.id_orig_h) AS actor, coalesce(given.id_resp_h, search.id_resp_h) AS target, given.account AS user,
    least(given.first_seen, search.first_seen) AS first_seen, greatest(given.last_seen, search.last_seen) AS last_seen,
    CASE WHEN given.accounts > 0 THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('accounts that answered without proof', 1, log_scale(coalesce(given.accounts, 0), 1, 10)),
        term('answers sealed with RC4', 1, (coalesce(given.weak, 0) > 0)::INT),
        term('it offers RC4 alone', 1, coalesce(given.only_rc4, false)::INT),
        term('it asked the directory for such accounts', 1.5, (search.searches > 0)::INT),
        term('it tried many accounts', 1, log_scale(coalesce(asked.probed, 0) + coalesce(given.accounts, 0), 2, 20))
    ] AS terms,
    {
        'accounts': coalesce(given.accounts, 0), 'weak': coalesce(given.weak, 0), 'names': coalesce(given.names, []), 'probed': coalesce(asked.probed, 0),
        'searches': coalesce(search.searches, 0), 'found': coalesce(search.found, 0), 'ldap_filter': search.filter,
        'how': concat_ws('; ',
            CASE WHEN search.searches > 0 THEN 'it asked the directory which accounts they are (' || search.found || ' found)' END,
            CASE WHEN given.accounts > 0 THEN given.accounts || ' gave it a reply to crack' END)
    } AS evidence,
    list_concat(coalesce(given.flows, []), coalesce(search.flows, [])) AS flows, list_concat(coalesce(given.frames, []), coalesce(search.frames, [])) AS frames
FROM (
    SELECT given.* FROM given
    WHERE accounts >= $min_accounts OR (weak > 0 AND only_rc4) OR id_orig_h IN (SELECT id_orig_h FROM search)
) AS given
FULL JOIN search ON search.id_orig_h = given.id_orig_h AND search.id_resp_h = given.id_resp_h
LEFT JOIN asked ON asked.id_orig_h = given.id_orig_h AND asked.id_resp_h = given.id_resp_h
ORDER BY actor, target
