-- What each table says of hosts. A part begins with `-- FROM table`, and is asked only if that table has rows. It gives: address or hardware
-- address of the host, claim, value, protocol, ground (`grounds.rs`), frame, time, and what more there is to say. What has no value, no
-- host, or names something that is no host, is left out afterwards (`mod.rs`).

-- FROM dhcp
SELECT coalesce(assigned_addr, client_addr) AS ip, coalesce(mac, client_chaddr) AS mac, claim, value, 'dhcp' AS source,
       CASE WHEN claim = 'reads' THEN ground WHEN assigned_addr IS NOT NULL THEN 'lease name' ELSE 'request name' END AS ground,
       frame, ts_ns, NULL AS detail
FROM (
    SELECT *, unnest([
        {claim: 'name', value: host_name, ground: ''},
        {claim: 'name', value: client_fqdn, ground: ''},
        {claim: 'reads', value: client_software, ground: 'vendor class'},
        {claim: 'reads', value: array_to_string(param_list, ','), ground: 'dhcp fingerprint'}
    ], recursive := true)
    FROM dhcp
)

-- FROM dhcp
SELECT assigned_addr, NULL, 'mac', coalesce(client_chaddr, mac), 'dhcp', 'lease', frame, ts_ns, NULL
FROM dhcp
WHERE relay_addr IS NULL OR client_chaddr IS NOT NULL

-- FROM dhcp
-- Routers and resolvers, as the server tells everybody; that it is one, it shows.
SELECT unnest(router_opt), NULL, 'role', 'gateway', 'dhcp', 'option', frame, ts_ns, 'given as router by ' || coalesce(server_id, server_addr)
FROM dhcp
UNION ALL
SELECT unnest(dns_opt), NULL, 'role', 'dns_resolver', 'dhcp', 'option', frame, ts_ns, 'given as resolver by ' || coalesce(server_id, server_addr)
FROM dhcp
UNION ALL
SELECT unnest(ntp_opt), NULL, 'role', 'ntp', 'dhcp', 'option', frame, ts_ns, 'given as time server by ' || coalesce(server_id, server_addr)
FROM dhcp

-- FROM dhcpv6
SELECT CASE WHEN is_orig THEN id_orig_h ELSE id_resp_h END, client_mac, claim, value, 'dhcpv6', ground, frame, ts_ns, NULL
FROM (
    SELECT *, unnest([{claim: 'name', value: client_fqdn, ground: 'request name'}, {claim: 'mac', value: client_mac, ground: 'identifier'}], recursive := true)
    FROM dhcpv6
    WHERE msg_type IN ('SOLICIT', 'REQUEST', 'CONFIRM', 'RENEW', 'REBIND', 'INFORMATION-REQUEST')
)

-- FROM arp
SELECT spa, NULL, 'mac', sha, 'arp', 'sender address', frame, ts_ns, NULL
FROM arp
WHERE spa <> '0.0.0.0'

-- FROM ndp
-- A solicitation from `::` asks whether an address is free: it is not yet anybody's.
SELECT target, NULL, 'mac', coalesce(target_mac, eth_src), 'ndp', 'sender address', frame, ts_ns, NULL
FROM ndp
WHERE kind = 'neighbor_advertisement' AND hop_limit = 255
UNION ALL
SELECT src, NULL, 'mac', source_mac, 'ndp', 'sender address', frame, ts_ns, NULL
FROM ndp
WHERE src <> '::' AND kind <> 'neighbor_advertisement' AND hop_limit = 255
UNION ALL
SELECT src, NULL, 'role', 'gateway', 'ndp', 'advertisement', frame, ts_ns, 'advertises itself as default router'
FROM ndp
WHERE kind = 'router_advertisement' AND router_lifetime > 0 AND hop_limit = 255

-- FROM dns
-- NetBIOS: a name of a group belongs to no host (RFC 1002 4.2.1.3), and of the single ones only workstation and server are names of machines.
SELECT id_orig_h, NULL, CASE WHEN nb_group THEN 'domain' ELSE 'name' END, query, 'nbns', 'registration', frame, ts_ns, NULL
FROM dns
WHERE kind = 'nbns' AND opcode_name IN ('netbios-registration', 'netbios-refresh') AND coalesce(rcode, 0) = 0
  AND (CASE WHEN nb_group THEN nb_suffix = 0 ELSE nb_group IS NOT NULL AND nb_suffix IN (0, 32) END)
UNION ALL
SELECT unnest(string_split(answers[1], ' ')), NULL, 'name', query, 'nbns', 'own answer', coalesce(answer_frame, frame), ts_ns, NULL
FROM dns
WHERE kind = 'nbns' AND answer_types[1] = 'NB' AND rcode = 0 AND NOT nb_group AND nb_suffix IN (0, 32) AND opcode_name = 'netbios-query'
UNION ALL
-- Status: the list of names of whoever answers. Its server service, else its first name, is the machine.
SELECT CASE WHEN id_orig_p = 137 AND id_resp_p <> 137 THEN id_orig_h ELSE id_resp_h END, NULL, 'name',
       coalesce(nullif(regexp_extract(answers[1], '(\S+)<20>', 1), ''), regexp_extract(answers[1], '^(\S+)<00>', 1)), 'nbns', 'status',
       coalesce(answer_frame, frame), ts_ns, answers[1]
FROM dns
WHERE kind = 'nbns' AND answer_types[1] = 'NBSTAT' AND (query_frame IS NOT NULL OR id_orig_p <> id_resp_p)

-- FROM dns
-- LLMNR: hosts ask for all records of their own name, to see that nobody else has it (RFC 4795 4.1); and answer for themselves alone.
SELECT id_orig_h, NULL, 'name', query, 'llmnr', 'own name', frame, ts_ns, NULL
FROM dns
WHERE kind = 'llmnr' AND qtype = 255 AND query_frame IS NOT NULL
UNION ALL
SELECT unnest(answers), NULL, 'name', query, 'llmnr', 'own answer', coalesce(answer_frame, frame), ts_ns, NULL
FROM dns
WHERE kind = 'llmnr' AND rcode = 0 AND len(list_filter(answer_types, t -> t NOT IN ('A', 'AAAA'))) = 0

-- FROM dns
-- mDNS: a row has the name of its first record only, so further ones count where all are addresses. The target of a service is its sender.
SELECT unnest(answers), NULL, 'name', regexp_replace(query, '\.local$', ''), 'mdns', 'announcement', coalesce(answer_frame, frame), ts_ns, NULL
FROM dns
WHERE kind = 'mdns' AND NOT contains(query, '_') AND query ILIKE '%.local' AND len(list_filter(answer_types, t -> t NOT IN ('A', 'AAAA'))) = 0
UNION ALL
SELECT id_orig_h, NULL, 'name', regexp_replace(answers[list_position(answer_types, 'SRV')], '\.local$', ''), 'mdns', 'announcement',
       coalesce(answer_frame, frame), ts_ns, query
FROM dns
WHERE kind = 'mdns' AND list_contains(answer_types, 'SRV') AND id_resp_h IN ('224.0.0.251', 'ff02::fb')
UNION ALL
SELECT id_orig_h, NULL, 'model', regexp_extract(answers[list_position(answer_types, 'TXT')], 'model=(\S+)', 1), 'mdns', 'announcement',
       coalesce(answer_frame, frame), ts_ns, query
FROM dns
WHERE kind = 'mdns' AND list_contains(answer_types, 'TXT') AND id_resp_h IN ('224.0.0.251', 'ff02::fb') AND contains(query, '_device-info')

-- FROM dns
-- Answers of resolvers. Behind an alias the address belongs to the last name of the chain; who asked meant the first one.
WITH told AS (
    SELECT lower(query) AS query, answers, answer_types, list_filter(answers, (a, n) -> answer_types[n] = 'CNAME') AS chain,
           coalesce(answer_frame, frame) AS frame, ts_ns, CASE WHEN id_orig_p = 53 AND id_resp_p <> 53 THEN id_orig_h ELSE id_resp_h END AS teller
    FROM dns
    WHERE kind = 'dns' AND rcode = 0 AND query IS NOT NULL AND list_has_any(answer_types, ['A', 'AAAA', 'PTR'])
), addresses AS (
    SELECT unnest(answers) AS ip, unnest(answer_types) AS type, query, chain, frame, ts_ns, teller FROM told
)
SELECT ip, NULL, CASE WHEN chain = [] THEN 'name' ELSE 'alias' END, query, 'dns', CASE WHEN chain = [] THEN 'address record' ELSE 'alias record' END,
       frame, ts_ns, 'told by ' || teller
FROM addresses
WHERE type IN ('A', 'AAAA') AND ip IN (SELECT ip FROM ends)
UNION ALL
SELECT ip, NULL, 'name', chain[-1], 'dns', 'canonical name', frame, ts_ns, 'told by ' || teller
FROM addresses
WHERE type IN ('A', 'AAAA') AND chain <> [] AND ip IN (SELECT ip FROM ends)
UNION ALL
SELECT array_to_string(list_reverse(string_split(regexp_extract(query, '^(\d+\.\d+\.\d+\.\d+)\.in-addr\.arpa$', 1), '.')), '.'), NULL, 'name',
       answers[1], 'dns', 'reverse record', frame, ts_ns, 'told by ' || teller
FROM told
WHERE answer_types = ['PTR'] AND regexp_matches(query, '^\d+\.\d+\.\d+\.\d+\.in-addr\.arpa$')

-- FROM tls
-- What is asked of a proxy is meant for someone else.
SELECT id_resp_h, NULL, 'name', server_name, 'tls', CASE WHEN sni_matches_cert THEN 'proven server name' WHEN sni_matches_cert = false THEN 'denied server name' ELSE 'server name' END,
       frame, ts_ns, NULL
FROM tls
WHERE server_frame IS NOT NULL AND flow_id NOT IN (SELECT flow_id FROM proxied)

-- FROM x509
-- A certificate names its holder: of many names it is a crowd's, a star is a domain's.
SELECT id_resp_h, NULL, 'name', coalesce(san_dns[1], regexp_extract(certificate_subject, '(?:^|,)CN=([^,]+)', 1)), source,
       CASE source WHEN 'rdp' THEN 'machine certificate' ELSE 'certificate' END, frame, ts_ns, certificate_subject
FROM (
    SELECT *, CASE WHEN flow_id IN (SELECT flow_id FROM rdp) OR id_resp_p = 3389 THEN 'rdp' ELSE 'tls' END AS source
    FROM x509
    WHERE host_cert AND NOT coalesce(client_cert, false) AND len(san_dns) <= 3 AND flow_id NOT IN (SELECT flow_id FROM proxied)
)
WHERE source = 'rdp' OR contains(coalesce(san_dns[1], certificate_subject), '.')

-- FROM quic
SELECT id_resp_h, NULL, 'name', server_name, 'quic', 'server name', frame, ts_ns, NULL
FROM quic
WHERE server_scid IS NOT NULL
UNION ALL
SELECT id_orig_h, NULL, 'reads', user_agent, 'quic', 'user agent', frame, ts_ns, NULL
FROM quic

-- FROM http
WITH asked AS (
    SELECT id_orig_h, id_resp_h, host, user_agent, server, status_code, frame, resp_frame, ts_ns, len(proxied) > 0 AS relayed,
           len(proxied) > 0 OR method = 'CONNECT' OR (NOT starts_with(uri, '/') AND contains(uri, '://')) OR flow_id IN (SELECT flow_id FROM proxied) AS by_proxy
    FROM http
)
SELECT id_resp_h, NULL, 'name', regexp_replace(host, ':[0-9]+$', ''), 'http', 'host header', frame, ts_ns, NULL
FROM asked
WHERE NOT coalesce(by_proxy, false) AND status_code IS NOT NULL
UNION ALL
SELECT id_orig_h, NULL, 'reads', user_agent, 'http', 'user agent', frame, ts_ns, NULL
FROM asked
WHERE NOT coalesce(relayed, false)
UNION ALL
SELECT id_resp_h, NULL, 'reads', server, 'http', 'banner', coalesce(resp_frame, frame), ts_ns, NULL
FROM asked
WHERE NOT coalesce(by_proxy, false)

-- FROM ntlm
-- In a connection whose start was missed over a port that says nothing, nobody knows who asked.
WITH told AS (
    SELECT ntlm.*, coalesce(answer_frame, ntlm.frame) AS answered, coalesce(challenge_frame, ntlm.frame) AS challenged
    FROM ntlm LEFT JOIN flows USING (flow_id)
    WHERE NOT coalesce(midstream, false) OR ntlm.id_resp_p < 1024 OR ntlm.id_resp_p IN (1433, 3389, 5985, 5986, 8080)
)
SELECT id_orig_h, NULL, 'name', hostname, 'ntlm', 'workstation', answered, ts_ns, NULL FROM told
UNION ALL
SELECT id_orig_h, NULL, 'user', concat_ws('\', nullif(nullif(domainname, ''), '.'), username), 'ntlm',
       CASE WHEN success THEN 'login' WHEN success IS NULL THEN 'unanswered login' ELSE 'refused login' END, answered, ts_ns, 'over ' || "over"
FROM told
WHERE NOT coalesce(anonymous, false) AND username <> '' AND NOT ends_with(username, '$')
UNION ALL
SELECT id_resp_h, NULL, 'account', concat_ws('\', nullif(nullif(domainname, ''), '.'), username), 'ntlm', 'login let in', answered, ts_ns, 'over ' || "over"
FROM told
WHERE success AND NOT coalesce(anonymous, false) AND username <> ''
UNION ALL
SELECT id_orig_h, NULL, 'name', rtrim(username, '$'), 'ntlm', 'machine account', answered, ts_ns, username
FROM told
WHERE success AND ends_with(username, '$')
UNION ALL
SELECT id_orig_h, NULL, 'reads', client_version, 'ntlm', 'version', answered, ts_ns, NULL FROM told
UNION ALL
SELECT id_resp_h, NULL, 'reads', server_version, 'ntlm', 'version', challenged, ts_ns, NULL FROM told
UNION ALL
SELECT id_resp_h, NULL, 'name', server_nb_computer_name, 'ntlm', 'target', challenged, ts_ns, NULL FROM told
UNION ALL
SELECT id_resp_h, NULL, 'name', server_dns_computer_name, 'ntlm', 'target', challenged, ts_ns, NULL FROM told
UNION ALL
SELECT id_resp_h, NULL, 'domain', coalesce(nullif(server_dns_domain_name, ''), server_nb_domain_name), 'ntlm', 'target', challenged, ts_ns, NULL
FROM told
WHERE lower(coalesce(nullif(server_dns_domain_name, ''), server_nb_domain_name)) NOT IN (lower(server_nb_computer_name), lower(server_dns_computer_name))

-- FROM kerberos
-- Names of accounts end in a dollar where they are machines'. That nobody has an account is no claim at all.
WITH asked AS (
    SELECT *, split_part(client, '/', 1) AS account, nullif(split_part(client, '/', 2), '') AS its_realm FROM kerberos
    WHERE request_type IN ('AS', 'TGS') AND id_orig_p NOT IN (88, 464)
)
SELECT id_orig_h, NULL, CASE WHEN ends_with(account, '$') THEN 'name' ELSE 'user' END,
       CASE WHEN ends_with(account, '$') THEN rtrim(account, '$') ELSE concat_ws('@', account, its_realm) END, 'kerberos',
       -- That proof is wanted (25) is how every login begins.
       CASE WHEN success IS NULL OR error_code = 25 THEN 'unanswered login' WHEN NOT success THEN 'refused login' WHEN ends_with(account, '$') THEN 'machine account' ELSE 'login' END,
       frame, ts_ns, CASE WHEN NOT success THEN error_msg END
FROM asked
WHERE account <> '' AND error_code IS DISTINCT FROM 6 AND (success OR request_type = 'AS')
UNION ALL
SELECT id_orig_h, NULL, 'name', client_addrs[1], 'kerberos', 'ticket address', frame, ts_ns, NULL FROM asked WHERE len(client_addrs) = 1
UNION ALL
SELECT id_resp_h, NULL, 'domain', realm, 'kerberos', 'realm', coalesce(reply_frame, frame), ts_ns, NULL FROM asked WHERE success
UNION ALL
SELECT id_resp_h, NULL, 'role', 'kdc', 'kerberos', 'behaviour', coalesce(reply_frame, frame), ts_ns, 'grants tickets' FROM asked WHERE success

-- FROM ldap
SELECT id_orig_h, NULL, 'user', object, 'ldap', CASE result_code WHEN 0 THEN 'login' WHEN 49 THEN 'refused login' ELSE 'unanswered login' END, frame, ts_ns, NULL
FROM ldap
WHERE opcode = 'bind simple' AND password_present AND (result_code IS NULL OR result_code IN (0, 49))

-- FROM ldap_search
-- Clients look for a controller by telling who they are ([MS-ADTS] 6.3.3).
SELECT id_orig_h, NULL, claim, value, 'ldap', 'controller search', frame, ts_ns, NULL
FROM (
    SELECT *, unnest([
        {claim: 'name', value: regexp_extract(filter, '\(Host=([^()\\]+)\)', 1, 'i')},
        {claim: 'domain', value: rtrim(regexp_extract(filter, '\(DnsDomain=([^()\\]+)\)', 1, 'i'), '.')}
    ], recursive := true)
    FROM ldap_search
    WHERE contains(filter, 'NtVer=')
)

-- FROM smb_mapping
SELECT id_resp_h, NULL, 'name', regexp_extract(path, '^\\+([^\\]+)\\', 1), 'smb', 'share path', frame, ts_ns, path
FROM smb_mapping
WHERE status = 'SUCCESS'

-- FROM nfs
-- Where the capture begins in the middle, the client may stand as the responder.
SELECT CASE WHEN is_orig THEN id_orig_h ELSE id_resp_h END, NULL, 'name', machine_name, 'nfs', 'client name', frame, ts_ns, NULL FROM nfs

-- FROM rpc
SELECT CASE WHEN is_orig THEN id_orig_h ELSE id_resp_h END, NULL, 'name', machine_name, 'rpc', 'client name', frame, ts_ns, NULL FROM rpc
-- Servers call back under transient numbers, with credentials that the client gave them.
WHERE program_number < 1073741824

-- FROM rdp
SELECT id_orig_h, NULL, 'name', client_name, 'rdp', 'client name', frame, ts_ns, NULL FROM rdp
UNION ALL
SELECT id_orig_h, NULL, 'user', cookie, 'rdp', CASE WHEN auth_success THEN 'login' ELSE 'cookie' END, frame, ts_ns, NULL FROM rdp
UNION ALL
SELECT id_orig_h, NULL, 'reads', client_build, 'rdp', 'client build', frame, ts_ns, NULL FROM rdp

-- FROM tds
SELECT id_orig_h, NULL, 'name', host, 'tds', 'client name', frame, ts_ns, NULL FROM tds WHERE command = 'login'
UNION ALL
SELECT id_orig_h, NULL, 'user', "user", 'tds', CASE WHEN success THEN 'login' WHEN success IS NULL THEN 'unanswered login' ELSE 'refused login' END, frame, ts_ns, NULL
FROM tds
WHERE command = 'login'
UNION ALL
SELECT id_resp_h, NULL, 'name', regexp_extract(server, '^(?:tcp:)?([^\\,:]+)', 1), 'tds', 'share path', frame, ts_ns, server FROM tds WHERE command = 'login' AND server <> '.'

-- FROM mysql
SELECT id_resp_h, NULL, 'reads', server_version, 'mysql', 'banner', coalesce(reply_frame, frame), ts_ns, NULL FROM mysql
UNION ALL
SELECT id_orig_h, NULL, 'user', arg, 'mysql', CASE WHEN success THEN 'login' WHEN success IS NULL THEN 'unanswered login' ELSE 'refused login' END, frame, ts_ns, NULL
FROM mysql
WHERE cmd = 'login'

-- FROM postgresql
SELECT id_orig_h, NULL, 'user', "user", 'postgresql', CASE WHEN bool_or(backend = 'auth_ok') THEN 'login' WHEN bool_or(success = false) THEN 'refused login' ELSE 'unanswered login' END,
       min(frame), min(ts_ns), NULL
FROM postgresql
GROUP BY flow_id, id_orig_h, "user"

-- FROM mongodb
SELECT id_orig_h, NULL, 'user', "user", 'mongodb', CASE WHEN success THEN 'login' WHEN success IS NULL THEN 'unanswered login' ELSE 'refused login' END, frame, ts_ns, NULL
FROM mongodb

-- FROM credentials
-- Who logged in where: the account is one of the server only if that let it in.
SELECT id_orig_h, NULL, 'user', "user", service, CASE WHEN success THEN 'login' WHEN success IS NULL THEN 'unanswered login' ELSE 'refused login' END, frame, ts_ns,
       'at ' || id_resp_h
FROM credentials
UNION ALL
SELECT id_resp_h, NULL, 'account', "user", service, 'login let in', frame, ts_ns, NULL FROM credentials WHERE success

-- FROM telnet
SELECT id_resp_h, NULL, 'name', regexp_extract(prompt, '^\[?[a-z_][a-z0-9_-]*@([A-Za-z0-9][A-Za-z0-9.-]*)[: ]', 1), service, 'prompt', frame, ts_ns, prompt FROM telnet
UNION ALL
SELECT id_orig_h, NULL, 'user', "user", service, 'login', frame, ts_ns, NULL FROM telnet

-- FROM radius
SELECT framed_addr, mac, 'user', username, 'radius', CASE result WHEN 'success' THEN 'login' WHEN 'failed' THEN 'refused login' ELSE 'unanswered login' END, frame, ts_ns, NULL
FROM radius
WHERE framed_addr IS NOT NULL OR mac IS NOT NULL
UNION ALL
SELECT nas_addr, NULL, 'name', nas_id, 'radius', 'request name', frame, ts_ns, NULL FROM radius

-- FROM sip
SELECT id_orig_h, NULL, 'user', regexp_extract(request_from, 'sips?:([^@>;]+@[^>;:]+)', 1), 'sip',
       CASE WHEN status_code BETWEEN 200 AND 299 THEN 'login' WHEN status_code IN (401, 403, 407) THEN 'refused login' ELSE 'unanswered login' END, frame, ts_ns, NULL
FROM sip
WHERE method = 'REGISTER'
UNION ALL
SELECT id_orig_h, NULL, 'reads', user_agent, 'sip', 'user agent', frame, ts_ns, NULL FROM sip WHERE len(request_path) <= 1
UNION ALL
SELECT id_resp_h, NULL, 'reads', server, 'sip', 'banner', coalesce(reply_frame, frame), ts_ns, NULL FROM sip

-- FROM mqtt_connect
SELECT id_orig_h, NULL, 'user', username, 'mqtt', 'unanswered login', frame, ts_ns, client_id FROM mqtt_connect

-- FROM irc
SELECT id_orig_h, NULL, 'user', nick, 'irc', 'unanswered login', frame, ts_ns, NULL FROM irc WHERE command IN ('JOIN', 'PRIVMSG') AND is_orig

-- FROM socks
SELECT id_orig_h, NULL, 'user', "user", 'socks', 'unanswered login', frame, ts_ns, NULL FROM socks

-- FROM snmp
SELECT id_resp_h, NULL, 'reads', display_string, 'snmp', 'description', frame, ts_ns, NULL FROM snmp
UNION ALL
SELECT id_orig_h, NULL, 'user', unnest(usernames), 'snmp', 'unanswered login', frame, ts_ns, NULL FROM snmp

-- FROM ssh
SELECT id_resp_h, NULL, 'reads', server, 'ssh', 'banner', frame, ts_ns, NULL FROM ssh
UNION ALL
SELECT id_orig_h, NULL, 'reads', client, 'ssh', 'client banner', frame, ts_ns, NULL FROM ssh

-- FROM smtp
-- A relay names itself, not the author: the name is that of whoever opened the connection.
SELECT id_orig_h, NULL, 'name', helo, 'smtp', 'hello', frame, ts_ns, NULL FROM smtp
UNION ALL
SELECT id_resp_h, NULL, 'name', regexp_extract(banner, '^(?:220[ -])?([A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{2,})(?: |$)', 1), 'smtp', 'greeting', frame, ts_ns, banner FROM smtp
UNION ALL
SELECT id_resp_h, NULL, 'reads', banner, 'smtp', 'banner', frame, ts_ns, NULL FROM smtp

-- FROM rfb
SELECT id_resp_h, NULL, 'name', regexp_extract(desktop_name, '\(([A-Za-z0-9][A-Za-z0-9.-]*):\d+', 1), 'rfb', 'greeting', frame, ts_ns, desktop_name FROM rfb

-- FROM syslog
-- RFC 3164 and RFC 5424: after the time the name of the sender, unless it passes on what others sent.
SELECT id_orig_h, NULL, 'name',
       coalesce(nullif(regexp_extract(message, '^[A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d ([A-Za-z0-9][A-Za-z0-9.-]*) [^ :]+:? ', 1), ''),
                regexp_extract(message, '^1 \d{4}-\d\d-\d\dT\S+ ([A-Za-z0-9][A-Za-z0-9.-]*) ', 1)), 'syslog', 'message', frame, ts_ns, NULL
FROM syslog

-- FROM lldp
SELECT unnest(list_distinct(list_append(addresses, ''))), eth_src, claim, value, 'lldp', 'self-description', frame, ts_ns, NULL
FROM (
    SELECT *, unnest([
        {claim: 'name', value: system_name}, {claim: 'model', value: platform}, {claim: 'reads', value: system_description},
        {claim: 'role', value: CASE WHEN list_contains(capabilities, 'telephone') THEN 'telephone' WHEN list_contains(capabilities, 'router') THEN 'router'
                                    WHEN list_contains(capabilities, 'wlan_access_point') THEN 'access_point' WHEN list_contains(capabilities, 'bridge') THEN 'switch' END}
    ], recursive := true)
    FROM lldp
)

-- FROM cdp
SELECT unnest(list_distinct(list_append(addresses, ''))), eth_src, claim, value, 'cdp', 'self-description', frame, ts_ns, NULL
FROM (
    SELECT *, unnest([
        {claim: 'name', value: coalesce(system_name, device)}, {claim: 'model', value: platform}, {claim: 'reads', value: system_description},
        {claim: 'role', value: CASE WHEN list_contains(capabilities, 'telephone') THEN 'telephone' WHEN list_contains(capabilities, 'router') THEN 'router'
                                    WHEN list_contains(capabilities, 'switch') THEN 'switch' END}
    ], recursive := true)
    FROM cdp
)

-- FROM stp
SELECT NULL, eth_src, 'role', 'switch', 'stp', 'behaviour', frame, ts_ns, 'sends spanning tree messages' FROM stp

-- FROM cip_identity
SELECT id_resp_h, NULL, 'model', concat_ws(' ', product_name, revision), 'enip', 'self-description', frame, ts_ns, 'serial ' || serial_number FROM cip_identity

-- FROM bacnet
SELECT CASE WHEN is_orig THEN id_orig_h ELSE id_resp_h END, NULL, CASE property WHEN 'model_name' THEN 'model' ELSE 'software' END, value, 'bacnet', 'self-description', frame, ts_ns, property
FROM bacnet
WHERE property IN ('model_name', 'firmware_revision', 'application_software_version') AND pdu_type = 'COMPLEX_ACK'

-- FROM opcua_binary
SELECT id_resp_h, NULL, 'name', regexp_extract(endpoint_url, '^opc\.tcp://([^:/]+)', 1), 'opcua', 'share path', frame, ts_ns, endpoint_url FROM opcua_binary WHERE msg_type = 'HEL'

-- FROM flow_shape
-- How a system opens connections, with the hops that are left: three families, whose options have stood in this order for decades.
SELECT id_orig_h, NULL, 'os',
       CASE WHEN syn_opts = '2-4-8-1-3' THEN 'Linux' WHEN syn_opts = '2-1-3-1-1-8-4' THEN 'Apple' ELSE 'Windows' END, 'tcp', 'syn fingerprint',
       first_frame, ts_ns, format('SYN options {} with {} hops left', syn_opts, orig_ttl_max)
FROM flow_shape JOIN flows USING (flow_id)
WHERE resp_pkts > 0 AND ((syn_opts IN ('2-4-8-1-3', '2-1-3-1-1-8-4') AND orig_ttl_max BETWEEN 33 AND 64)
   OR (syn_opts IN ('2-1-3-1-1-4', '2-1-1-4') AND orig_ttl_max BETWEEN 97 AND 128))
