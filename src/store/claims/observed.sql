-- What follows from what hosts did. `ends` has every address at an end of a flow or in an ARP message, by hardware address.
INSERT INTO said
WITH loads AS (
    SELECT mac, count(DISTINCT ip) AS addresses, count(DISTINCT ip) FILTER (NOT internal) AS foreigners FROM ends WHERE mac IS NOT NULL GROUP BY mac
)
-- A hardware address that carries foreign addresses, or many, is a router's and says nothing about the hosts behind it. Of several of one
-- host those count that carry the fewest: the others pass it on.
SELECT ip, NULL, 'mac', mac, 'ethernet', 'frames', frame, ts_ns, last_ts_ns, flows, 1, NULL
FROM ends JOIN loads USING (mac)
WHERE internal AND foreigners = 0 AND addresses <= 4
QUALIFY addresses = min(addresses) OVER (PARTITION BY ip);

-- What a host was seen to answer.
INSERT INTO said
WITH answered AS (
    SELECT id_resp_h AS ip, id_resp_p AS port, proto, min(service) AS service, count(*) AS flows, min(first_frame) AS frame, min(ts_ns) AS ts_ns, max(last_ts_ns) AS last_ts_ns
    FROM flows
    WHERE resp_pkts > 0 AND proto IN ('tcp', 'udp', 'sctp')
      AND (proto <> 'tcp' OR (conn_state IN ('SF', 'S1', 'S2', 'S3', 'RSTO', 'RSTR') AND coalesce(resp_bytes, 0) > 0))
    GROUP BY ALL
), controllers AS (
    SELECT ip, min(frame) AS frame, min(ts_ns) AS ts_ns, max(last_ts_ns) AS last_ts_ns, sum(flows)::BIGINT AS flows
    FROM answered
    WHERE port IN (88, 389, 636, 445)
    GROUP BY ip
    HAVING bool_or(port = 88) AND bool_or(port IN (389, 636)) AND bool_or(port = 445 AND proto = 'tcp')
), resolvers AS (
    SELECT id_resp_h AS ip, min(coalesce(answer_frame, frame)) AS frame, min(ts_ns) AS ts_ns, max(ts_ns) AS last_ts_ns, count(DISTINCT flow_id) AS flows
    FROM dns
    WHERE kind = 'dns' AND rcode IS NOT NULL AND id_resp_p = 53
    GROUP BY ip
), leases AS (
    SELECT CASE WHEN id_resp_p = 67 THEN id_resp_h ELSE id_orig_h END AS ip, min(first_frame) AS frame, min(ts_ns) AS ts_ns, max(last_ts_ns) AS last_ts_ns, count(*) AS flows
    FROM flows
    WHERE proto = 'udp' AND (id_resp_p = 67 AND resp_pkts > 0 OR id_orig_p = 67 AND id_resp_p = 68)
    GROUP BY ip
), routed AS (
    SELECT mac, count(DISTINCT ip) AS foreigners, min(frame) AS frame, min(ts_ns) AS ts_ns, max(last_ts_ns) AS last_ts_ns, sum(flows)::BIGINT AS flows
    FROM ends
    WHERE mac IS NOT NULL AND NOT internal
    GROUP BY mac
    HAVING foreigners >= 3
), by_port AS (
    SELECT ip, role, string_agg(DISTINCT port::VARCHAR, ',' ORDER BY port::VARCHAR) AS ports, min(frame) AS frame, min(ts_ns) AS ts_ns, max(last_ts_ns) AS last_ts_ns,
           sum(flows)::BIGINT AS flows
    FROM (
        SELECT *, CASE
            WHEN proto = 'udp' AND port = 123 THEN 'ntp'
            WHEN proto = 'tcp' AND port IN (25, 110, 143, 465, 587, 993, 995) THEN 'mail'
            WHEN proto = 'tcp' AND port IN (515, 631, 9100) THEN 'printer'
            WHEN service = 'nfs' THEN 'nfs_server'
            WHEN proto = 'tcp' AND port IN (102, 502, 2404, 20000, 44818) THEN 'ot_plc'
        END AS role
        FROM answered
    )
    WHERE role IS NOT NULL
    GROUP BY ip, role
), roles AS (
    SELECT ip, 'dns_resolver' AS role, 'dns' AS source, frame, ts_ns, last_ts_ns, flows, format('answered DNS in {} flows', flows) AS why FROM resolvers WHERE flows >= 5
    UNION ALL
    SELECT ip, 'dc', 'flows', frame, ts_ns, last_ts_ns, flows, 'answers Kerberos, LDAP and SMB' FROM controllers
    UNION ALL
    SELECT ip, 'dhcp_server', 'dhcp', frame, ts_ns, last_ts_ns, flows, 'sends from UDP port 67' FROM leases
    UNION ALL
    SELECT owner.ip, 'gateway', 'arp', routed.frame, routed.ts_ns, routed.last_ts_ns, routed.flows, format('its hardware address {} carries {} foreign addresses', mac, foreigners)
    FROM routed JOIN (SELECT DISTINCT ip, value AS mac FROM said WHERE claim = 'mac' AND source = 'arp') AS owner USING (mac)
    UNION ALL
    SELECT ip, role, 'flows', frame, ts_ns, last_ts_ns, flows, 'answers on port ' || ports FROM by_port
)
SELECT ip, NULL, 'role', role, source, 'behaviour', frame, ts_ns, last_ts_ns, flows, 1, why FROM roles
UNION ALL
-- The higher port of two may be the client's, where nobody saw who began.
SELECT ip, NULL, 'service', concat_ws(' ', format('{}/{}', port, proto), service), 'flows', CASE WHEN service IS NULL THEN 'open port' ELSE 'answers' END,
       frame, ts_ns, last_ts_ns, flows, 1, NULL
FROM answered
WHERE service IS NOT NULL OR port < 10000;
