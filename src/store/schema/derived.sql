-- Hosts: every address at an end of a flow or in an ARP message. `arp_home` holds the ARP addresses that lie in a home network.
INSERT INTO hosts
WITH ends AS (
    SELECT id_orig_h AS ip, local_orig AS internal, ts, ts_ns, last_ts, last_ts_ns, 1 AS flows, orig_ip_bytes AS sent, resp_ip_bytes AS got,
           CASE WHEN layer = 0 AND orig_pkts > 0 THEN orig_l2_addr END AS mac
    FROM flows
    UNION ALL
    SELECT id_resp_h, local_resp, ts, ts_ns, last_ts, last_ts_ns, 1, resp_ip_bytes, orig_ip_bytes,
           CASE WHEN layer = 0 AND resp_pkts > 0 THEN resp_l2_addr END
    FROM flows
    UNION ALL
    SELECT spa, spa IN (SELECT ip FROM arp_home), ts, ts_ns, ts, ts_ns, 0, 0, 0, NULL
    FROM arp
    WHERE spa IS NOT NULL AND spa <> '0.0.0.0'
), claims AS (
    SELECT DISTINCT spa AS ip, sha AS mac FROM arp WHERE spa <> '0.0.0.0' AND sha IS NOT NULL
), loads AS (
    SELECT mac, count(DISTINCT ip) AS addresses, count(DISTINCT ip) FILTER (NOT internal) AS foreigners FROM ends WHERE mac IS NOT NULL GROUP BY mac
), on_link AS (
    -- A hardware address belongs to a host if the host claims it by ARP. Without that, one that carries foreign
    -- addresses, or many, is a router's and says nothing about the hosts behind it.
    SELECT ip, mac FROM claims
    UNION
    SELECT DISTINCT ends.ip, ends.mac
    FROM ends JOIN loads USING (mac)
    WHERE ends.internal AND loads.foreigners = 0 AND loads.addresses <= 4
), hardware AS (
    SELECT ip, list(mac ORDER BY mac) AS macs
    FROM (SELECT DISTINCT ip, mac FROM on_link WHERE substr(mac, 2, 1) IN ('0', '2', '4', '6', '8', 'a', 'c', 'e'))
    GROUP BY ip
), said AS (
    SELECT ip, lower(name) AS name, 1 AS rank
    FROM (SELECT query AS name, unnest(answers) AS ip, unnest(answer_types) AS type FROM dns WHERE query IS NOT NULL)
    WHERE type IN ('A', 'AAAA')
    UNION ALL
    SELECT id_resp_h, lower(server_name), 2 FROM tls WHERE server_name IS NOT NULL
    UNION ALL
    -- A Host header may carry a port, or nothing but the address.
    SELECT id_resp_h, regexp_replace(lower(host), ':[0-9]+$', ''), 3
    FROM http
    WHERE host IS NOT NULL AND NOT regexp_matches(host, '^([0-9.]+|\[.*\])(:[0-9]+)?$')
), named AS (
    SELECT ip, name, min(rank) AS rank, count(*) AS times FROM said WHERE name <> '' GROUP BY ip, name
), names AS (
    SELECT ip, list(name ORDER BY rank, times DESC, name)[1:5] AS names FROM named GROUP BY ip
), seen AS (
    SELECT ip, bool_or(internal) AS internal, min(ts) AS first_ts, min(ts_ns) AS first_ts_ns, max(last_ts) AS last_ts,
           max(last_ts_ns) AS last_ts_ns, sum(flows)::BIGINT AS flows, sum(sent)::BIGINT AS bytes_out, sum(got)::BIGINT AS bytes_in
    FROM ends
    GROUP BY ip
)
SELECT ip, internal, first_ts, first_ts_ns, last_ts, last_ts_ns, flows, bytes_out, bytes_in, coalesce(macs, []), coalesce(names, [])
FROM seen LEFT JOIN hardware USING (ip) LEFT JOIN names USING (ip)
ORDER BY ip;

-- Roles, from what a host was seen to answer.
INSERT INTO host_role
WITH answered AS (
    SELECT id_resp_h AS ip, id_resp_p AS port, proto, count(*) AS flows, count(DISTINCT id_orig_h) AS clients
    FROM flows
    WHERE resp_pkts > 0 AND (proto <> 'tcp' OR (conn_state IN ('SF', 'S1', 'S2', 'S3', 'RSTO', 'RSTR') AND coalesce(resp_bytes, 0) > 0))
    GROUP BY ALL
), resolvers AS (
    SELECT id_resp_h AS ip, count(DISTINCT flow_id) AS flows
    FROM dns
    WHERE kind = 'dns' AND rcode IS NOT NULL AND id_resp_p = 53
    GROUP BY ip
), controllers AS (
    SELECT ip FROM answered WHERE port IN (88, 389, 636, 445)
    GROUP BY ip
    HAVING bool_or(port = 88) AND bool_or(port IN (389, 636)) AND bool_or(port = 445 AND proto = 'tcp')
), leases AS (
    SELECT id_resp_h AS ip FROM flows WHERE proto = 'udp' AND id_resp_p = 67 AND resp_pkts > 0
    UNION
    SELECT id_orig_h FROM flows WHERE proto = 'udp' AND id_orig_p = 67 AND id_resp_p = 68
), routed AS (
    SELECT mac, count(DISTINCT ip) AS foreigners
    FROM (
        SELECT orig_l2_addr AS mac, id_orig_h AS ip FROM flows WHERE layer = 0 AND NOT local_orig AND orig_pkts > 0
        UNION ALL
        SELECT resp_l2_addr, id_resp_h FROM flows WHERE layer = 0 AND NOT local_resp AND resp_pkts > 0
    )
    WHERE mac IS NOT NULL
    GROUP BY mac
    HAVING foreigners >= 3
), by_port AS (
    SELECT ip, role, string_agg(DISTINCT port::VARCHAR, ',' ORDER BY port::VARCHAR) AS ports
    FROM (
        SELECT ip, port, CASE
            WHEN proto = 'udp' AND port = 123 THEN 'ntp'
            WHEN proto = 'tcp' AND port IN (25, 110, 143, 465, 587, 993, 995) THEN 'mail'
            WHEN proto = 'tcp' AND port IN (515, 631, 9100) THEN 'printer'
            WHEN proto = 'tcp' AND port IN (102, 502, 2404, 20000, 44818) THEN 'ot_plc'
        END AS role
        FROM answered
    )
    WHERE role IS NOT NULL
    GROUP BY ip, role
), roles AS (
    SELECT ip, 'dns_resolver' AS role, format('answered DNS in {} flows', flows) AS why FROM resolvers WHERE flows >= 5
    UNION ALL
    SELECT ip, 'dc', 'answers Kerberos, LDAP and SMB' FROM controllers
    UNION ALL
    SELECT ip, 'dhcp_server', 'sends from UDP port 67' FROM leases
    UNION ALL
    SELECT DISTINCT spa, 'gateway', format('its hardware address {} carries {} foreign addresses', mac, foreigners)
    FROM routed JOIN arp ON arp.sha = routed.mac
    WHERE spa IS NOT NULL AND spa <> '0.0.0.0'
    UNION ALL
    SELECT ip, role, 'answers on port ' || ports FROM by_port
)
SELECT ip, role, why FROM roles ORDER BY ip, role, why;
