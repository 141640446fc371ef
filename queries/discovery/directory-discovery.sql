/*
id       = "directory-discovery"
title    = "Directory mapping: a host asks for accounts, groups, trusts and weak spots of the domain"
attack   = ["T1087.002", "T1069.002", "T1482"]
impact   = 60
prior    = 0.35
family   = "directory-discovery"
reads    = ["flows"]
also     = ["dce_rpc", "ldap_search", "host_role"]
window   = "5min"
key      = ["actor"]
fires_on = "directory-discovery"
benign   = "Management programs, Exchange, Entra Connect, an administrator's console: they ask every day, and often know where to look."
says     = "{actor} mapped the directory at {target}: {what}"
filter   = "(ldap || dcerpc) && ip.addr == {actor}"
[params]
min_kinds   = 4     # kinds of questions about accounts, groups, policy or sessions, within five minutes
min_hosts   = 10    # or hosts asked who is logged in there
min_filters = 2     # or searches that only make sense to who looks for weak spots
min_objects = 1000  # entries of one search that amount to the whole directory
*/
WITH question AS (
    SELECT
        caller AS asker, callee AS asked, ts, flow_id, frame,
        CASE
            WHEN operation IN ('SamrEnumerateUsersInDomain', 'SamrQueryDisplayInformation', 'SamrQueryDisplayInformation2', 'SamrQueryDisplayInformation3', 'SamrQueryInformationUser', 'SamrQueryInformationUser2', 'SamrLookupNamesInDomain', 'SamrLookupIdsInDomain') THEN 'accounts'
            WHEN operation IN ('SamrEnumerateGroupsInDomain', 'SamrEnumerateAliasesInDomain', 'SamrGetMembersInGroup', 'SamrGetMembersInAlias', 'SamrGetGroupsForUser', 'SamrGetAliasMembership', 'SamrQueryInformationGroup') THEN 'groups'
            WHEN operation IN ('SamrQueryInformationDomain', 'SamrQueryInformationDomain2', 'SamrGetUserDomainPasswordInformation', 'SamrGetDomainPasswordInformation') THEN 'password policy'
            WHEN operation IN ('LsarEnumerateTrustedDomains', 'LsarEnumerateTrustedDomainsEx', 'LsarQueryTrustedDomainInfo', 'DsrEnumerateDomainTrusts', 'NetrEnumerateTrustedDomains', 'NetrEnumerateTrustedDomainsEx') THEN 'trusts'
            WHEN operation IN ('LsarEnumerateAccounts', 'LsarEnumerateAccountRights', 'LsarEnumerateAccountsWithUserRight', 'LsarEnumeratePrivileges') THEN 'rights'
            WHEN operation IN ('NetrSessionEnum', 'NetrWkstaUserEnum', 'NetSessionEnum', 'NetWkstaUserEnum') THEN 'sessions'
            WHEN operation IN ('NetrShareEnum', 'NetrShareEnumSticky') THEN 'shares'
            WHEN operation IN ('NetrFileEnum', 'NetrConnectionEnum') THEN 'open files'
            WHEN operation IN ('BaseRegEnumKey', 'OpenUsers') THEN 'users of the registry'
        END AS kind, NULL::VARCHAR AS filter, false AS weak_spot, 0 AS found
    FROM calls
    WHERE caller <> callee AND fault IS NULL
    UNION ALL
    SELECT
        id_orig_h, id_resp_h, ts, flow_id, frame,
        CASE
            WHEN regexp_matches(lower(filter), 'serviceprincipalname=\*') THEN 'service accounts'
            WHEN regexp_matches(lower(filter), '803:=4194304') THEN 'accounts without pre-authentication'
            WHEN regexp_matches(lower(filter), '803:=(524288|16777216)|allowedtodelegateto|allowedtoactonbehalf') THEN 'delegation'
            WHEN regexp_matches(lower(filter), 'admincount=1') THEN 'administrators'
            WHEN regexp_matches(lower(filter), 'trusteddomain') THEN 'trusts'
            WHEN regexp_matches(lower(filter), 'ms-mcs-admpwd|mslaps-') THEN 'local passwords'
            WHEN regexp_matches(lower(filter), 'msds-groupmsamembership|objectclass=msds-groupmanagedserviceaccount') THEN 'managed service accounts'
            WHEN regexp_matches(lower(filter), 'pkicertificatetemplate') THEN 'certificate templates'
            WHEN regexp_matches(lower(filter), 'pkienrollmentservice') THEN 'certificate authorities'
            -- Accounts, groups, machines and trusts in one question, as collectors of whole directories ask it.
            WHEN regexp_matches(lower(filter), 'samaccounttype=268435456') AND regexp_matches(lower(filter), 'samaccounttype=80530636[89]') THEN 'everything'
            WHEN regexp_matches(lower(filter), '803:=32\)') THEN 'accounts without a password'
            WHEN coalesce(result_count, 0) >= $min_objects THEN 'everything'
        END,
        filter,
        regexp_matches(lower(filter), '803:=(4194304|524288|16777216|32\))|allowedtodelegateto|allowedtoactonbehalf|admincount=1|ms-mcs-admpwd|mslaps-|serviceprincipalname=\*\)')
            -- Machines that enrol by themselves ask by category.
            OR regexp_matches(lower(filter), 'objectclass=pki(certificatetemplate|enrollmentservice)')
            OR regexp_matches(lower(filter), 'samaccounttype=268435456.*samaccounttype=80530636[89]|samaccounttype=80530636[89].*samaccounttype=268435456'),
        coalesce(result_count, 0)
    FROM ldap_search
),
told AS (
    SELECT *, epoch_us(ts) // 300000000 AS five_minutes FROM question
    WHERE kind IS NOT NULL AND asker NOT IN (SELECT ip FROM host_role WHERE role = 'dc')
),
span AS (
    SELECT asker, five_minutes, count(DISTINCT kind) AS kinds, count(DISTINCT CASE WHEN kind IN ('sessions', 'users of the registry') THEN asked END) AS hosts,
        count(DISTINCT CASE WHEN weak_spot THEN kind END) AS weak_spots, max(found) AS found
    FROM told GROUP BY asker, five_minutes
),
busy AS (
    SELECT asker, max(kinds) AS kinds, max(hosts) AS hosts, max(weak_spots) AS weak_spots, max(found) AS found
    FROM span WHERE kinds >= $min_kinds OR hosts >= $min_hosts OR weak_spots >= $min_filters
    GROUP BY asker
)
SELECT
    asker AS actor, min(asked) AS target, least_of(asked, 100) AS targets, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(ts) AS last_seen, 'confirmed' AS outcome,
    [
        term('kinds of questions', 1.5, log_scale(min(busy.kinds), 2, 8)),
        term('hosts asked who is logged in', 2, log_scale(min(hosts), $min_hosts / 2, 50)),
        term('searches for weak spots', 2, log_scale(min(weak_spots), 1, 4)),
        term('the whole directory', 0.7, (min(busy.found) >= $min_objects)::INT)
    ] AS terms,
    {
        'kinds': min(busy.kinds), 'hosts': min(hosts), 'weak_spots': min(weak_spots), 'questions': count(*), 'found': min(busy.found),
        'what': array_to_string(list_sort(list(DISTINCT kind ORDER BY kind))[1:8], ', '), 'filters': coalesce(least_of(filter, 5), [])
    } AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
FROM told JOIN busy USING (asker)
GROUP BY asker
ORDER BY actor
