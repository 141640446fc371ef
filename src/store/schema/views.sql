-- Zeek's own names of the two tables that are called differently here.
CREATE VIEW conn AS
SELECT flow_id AS uid, ts, ts_ns, id_orig_h, id_orig_p, id_resp_h, id_resp_p, proto, service, duration, orig_bytes, resp_bytes, conn_state,
       local_orig, local_resp, missed_bytes, history, orig_pkts, orig_ip_bytes, resp_pkts, resp_ip_bytes, tunnel_parents, ip_proto,
       community_id, vlan, inner_vlan, orig_l2_addr, resp_l2_addr
FROM flows;

CREATE VIEW ssl AS
SELECT flow_id AS uid, * EXCLUDE (flow_id) FROM tls;

-- Findings as an alert list, gravest first.
CREATE VIEW alerts AS
SELECT first_seen AS ts, last_seen, id, severity, risk, confidence, outcome, rule, title, says, actors, targets, attack, tactic, incident
FROM findings
ORDER BY risk DESC, first_ns, id;

-- Each flow with what the models say of it. `is_anomaly` is the Isolation Forest's share of the flows, whatever they are; `is_unusual` is
-- beyond the bearable number of false findings.
CREATE VIEW flow_scores AS
SELECT flows.*, scores.anomaly_score, coalesce(scores.is_anomaly, false) AS is_anomaly, coalesce(scores.threat_level, 'LOW') AS threat_level,
       scores.forest, scores.extended, scores.tails, scores.rarity, scores.p,
       flow_id IN (SELECT anomalies.flow_id FROM anomalies WHERE anomalies.flagged AND anomalies.flow_id IS NOT NULL) AS is_unusual
FROM flows
LEFT JOIN scores USING (flow_id);

-- Elastic Common Schema, dotted names.
CREATE VIEW ecs_connection AS
SELECT ts AS "@timestamp", ts AS "event.start", last_ts AS "event.end", CAST(flow_duration * 1e9 AS BIGINT) AS "event.duration",
       'network' AS "event.category", 'network_traffic' AS "event.dataset", CAST(flow_id AS VARCHAR) AS "event.id",
       id_orig_h AS "source.ip", id_orig_p AS "source.port", orig_ip_bytes AS "source.bytes", orig_pkts AS "source.packets",
       orig_l2_addr AS "source.mac", id_resp_h AS "destination.ip", id_resp_p AS "destination.port", resp_ip_bytes AS "destination.bytes",
       resp_pkts AS "destination.packets", resp_l2_addr AS "destination.mac", proto AS "network.transport", service AS "network.protocol",
       CASE WHEN contains(id_orig_h, ':') THEN 'ipv6' ELSE 'ipv4' END AS "network.type", CAST(ip_proto AS VARCHAR) AS "network.iana_number",
       orig_ip_bytes + resp_ip_bytes AS "network.bytes", orig_pkts + resp_pkts AS "network.packets", community_id AS "network.community_id",
       CASE direction WHEN 'out' THEN 'outbound' WHEN 'in' THEN 'inbound' WHEN 'lat' THEN 'internal' ELSE 'external' END AS "network.direction",
       CAST(vlan AS VARCHAR) AS "network.vlan.id", CAST(inner_vlan AS VARCHAR) AS "network.inner.vlan.id"
FROM flows;

CREATE VIEW ecs_dns AS
SELECT ts AS "@timestamp", 'network' AS "event.category", 'dns' AS "event.dataset", CAST(flow_id AS VARCHAR) AS "event.id",
       id_orig_h AS "source.ip", id_orig_p AS "source.port", id_resp_h AS "destination.ip", id_resp_p AS "destination.port",
       proto AS "network.transport", 'dns' AS "network.protocol", CAST(trans_id AS VARCHAR) AS "dns.id", opcode_name AS "dns.op_code",
       query AS "dns.question.name", qtype_name AS "dns.question.type", qclass_name AS "dns.question.class",
       etld1 AS "dns.question.registered_domain", sub AS "dns.question.subdomain", rcode_name AS "dns.response_code",
       answers AS "dns.answers.data", answer_types AS "dns.answers.type", TTLs AS "dns.answers.ttl",
       CASE WHEN rcode IS NULL THEN 'query' ELSE 'answer' END AS "dns.type"
FROM dns;

-- Suricata's EVE flow record, dotted names.
CREATE VIEW eve_flow AS
SELECT ts AS timestamp, flow_id, 'flow' AS event_type, id_orig_h AS src_ip, id_orig_p AS src_port, id_resp_h AS dest_ip, id_resp_p AS dest_port,
       upper(proto) AS proto, coalesce(replace(service, 'ssl', 'tls'), 'failed') AS app_proto, community_id, vlan,
       orig_pkts AS "flow.pkts_toserver", resp_pkts AS "flow.pkts_toclient", orig_ip_bytes AS "flow.bytes_toserver",
       resp_ip_bytes AS "flow.bytes_toclient", ts AS "flow.start", last_ts AS "flow.end", CAST(floor(flow_duration) AS BIGINT) AS "flow.age",
       CASE WHEN conn_state IN ('SF', 'RSTO', 'RSTR', 'REJ', 'RSTOS0', 'RSTRH') THEN 'closed' WHEN resp_pkts > 0 THEN 'established' ELSE 'new' END
           AS "flow.state",
       CASE WHEN end_reason = 'idle' THEN 'timeout' WHEN end_reason = 'capture_end' THEN 'shutdown' ELSE 'forced' END AS "flow.reason"
FROM flows;

-- What was said of hosts, by whom: one row for each thing said, with the frame that said it first. Nothing is decided here: who lies, lies here too.
-- `confidence` is how far the source is to be believed, by its kind: what a host proves or a server assigns 0.9, what it says of itself 0.7 to 0.8,
-- what others say of it 0.6, what follows from its habits 0.5.
CREATE VIEW host_claims AS
WITH said AS (
    -- Names and systems out of address assignment.
    SELECT coalesce(client_addr, assigned_addr, requested_addr) AS ip, 'name' AS claim, host_name AS value, 'dhcp' AS source, frame, 0.8 AS confidence FROM dhcp
    UNION ALL SELECT coalesce(client_addr, assigned_addr, requested_addr), 'name', client_fqdn, 'dhcp', frame, 0.8 FROM dhcp
    UNION ALL SELECT coalesce(client_addr, assigned_addr), 'mac', mac, 'dhcp', frame, 0.8 FROM dhcp
    UNION ALL SELECT coalesce(client_addr, assigned_addr, requested_addr), 'system', client_software, 'dhcp', frame, 0.6 FROM dhcp
    UNION ALL SELECT server_addr, 'system', server_software, 'dhcp', frame, 0.6 FROM dhcp
    UNION ALL SELECT server_addr, 'role', 'dhcp_server', 'dhcp', frame, 0.9 FROM dhcp WHERE assigned_addr IS NOT NULL
    UNION ALL SELECT router, 'role', 'gateway', 'dhcp', frame, 0.6 FROM (SELECT unnest(router_opt) AS router, frame FROM dhcp)
    UNION ALL SELECT resolver, 'role', 'dns_resolver', 'dhcp', frame, 0.6 FROM (SELECT unnest(dns_opt) AS resolver, frame FROM dhcp)
    -- Hardware addresses.
    UNION ALL SELECT spa, 'mac', sha, 'arp', frame, 0.8 FROM arp WHERE spa <> '0.0.0.0'
    -- Windows: what NTLM's messages carry of both ends, and who logs in from where.
    UNION ALL SELECT id_orig_h, 'name', hostname, 'ntlm', coalesce(answer_frame, frame), 0.7 FROM ntlm
    UNION ALL SELECT id_orig_h, 'user', CASE WHEN coalesce(domainname, '') = '' THEN username ELSE domainname || '\' || username END, 'ntlm',
                     coalesce(answer_frame, frame), CASE WHEN success THEN 0.9 ELSE 0.5 END
        FROM ntlm WHERE NOT coalesce(anonymous, false)
    UNION ALL SELECT id_orig_h, 'system', 'Windows ' || client_version, 'ntlm', frame, 0.6 FROM ntlm
    UNION ALL SELECT id_resp_h, 'name', coalesce(server_dns_computer_name, server_nb_computer_name), 'ntlm', coalesce(challenge_frame, frame), 0.8 FROM ntlm
    UNION ALL SELECT id_resp_h, 'domain', coalesce(server_dns_domain_name, server_nb_domain_name), 'ntlm', coalesce(challenge_frame, frame), 0.8 FROM ntlm
    UNION ALL SELECT id_resp_h, 'system', 'Windows ' || server_version, 'ntlm', coalesce(challenge_frame, frame), 0.7 FROM ntlm
    -- Kerberos: a name with a dollar is the machine's own account.
    UNION ALL SELECT id_orig_h, CASE WHEN contains(client, '$/') THEN 'name' ELSE 'user' END, replace(client, '$/', '/'), 'kerberos', frame,
                     CASE WHEN success THEN 0.9 ELSE 0.5 END
        FROM kerberos WHERE request_type = 'AS'
    UNION ALL SELECT id_resp_h, 'role', 'kdc', 'kerberos', coalesce(reply_frame, frame), 0.9 FROM kerberos WHERE request_type IN ('AS', 'TGS') AND success
    UNION ALL SELECT id_resp_h, 'domain', realm, 'kerberos', coalesce(reply_frame, frame), 0.8 FROM kerberos WHERE request_type = 'AS' AND success
    -- Names that hosts answer to, on their own network and in general.
    UNION ALL SELECT ip, 'name', query, kind, frame, CASE kind WHEN 'dns' THEN 0.6 ELSE 0.7 END
        FROM (SELECT query, kind, coalesce(answer_frame, frame) AS frame, unnest(answers) AS ip, unnest(answer_types) AS type FROM dns WHERE rcode = 0)
        WHERE type IN ('A', 'AAAA')
    UNION ALL SELECT id_orig_h, 'name', query, kind, frame, 0.7 FROM dns WHERE kind = 'nbns' AND opcode_name IN ('registration', 'refresh')
    UNION ALL SELECT id_resp_h, 'name', server_name, 'tls', frame, 0.5 FROM tls WHERE established
    -- Remote desktops and databases tell the client's machine.
    UNION ALL SELECT id_orig_h, 'name', client_name, 'rdp', frame, 0.7 FROM rdp
    UNION ALL SELECT id_orig_h, 'system', client_build, 'rdp', frame, 0.6 FROM rdp
    UNION ALL SELECT id_orig_h, 'name', host, 'tds', frame, 0.7 FROM tds
    -- Programs, and the systems that they admit to.
    UNION ALL SELECT id_orig_h, 'system', system, 'http', frame, 0.5
        FROM (SELECT id_orig_h, frame, CASE
                  WHEN user_agent LIKE '%Windows NT%' THEN 'Windows NT ' || regexp_extract(user_agent, 'Windows NT ([0-9.]+)', 1)
                  WHEN user_agent LIKE '%Windows-Update-Agent%' OR user_agent LIKE 'Microsoft-CryptoAPI/%' OR user_agent LIKE 'Microsoft-%' THEN 'Windows'
                  WHEN user_agent LIKE '%Android%' THEN trim('Android ' || regexp_extract(user_agent, 'Android ([0-9.]+)', 1))
                  WHEN user_agent LIKE '%iPhone%' OR user_agent LIKE '%iPad%' THEN 'iOS ' || replace(regexp_extract(user_agent, 'OS ([0-9_]+)', 1), '_', '.')
                  WHEN user_agent LIKE '%Mac OS X%' THEN 'macOS ' || replace(regexp_extract(user_agent, 'Mac OS X ([0-9_.]+)', 1), '_', '.')
                  WHEN user_agent LIKE '%CrOS%' THEN 'ChromeOS'
                  WHEN user_agent LIKE '%Linux%' THEN 'Linux'
              END AS system FROM http)
    UNION ALL SELECT id_resp_h, 'service', server, 'http', coalesce(resp_frame, frame), 0.7 FROM http
    UNION ALL SELECT id_orig_h, 'program', client, 'ssh', frame, 0.7 FROM ssh
    UNION ALL SELECT id_resp_h, 'service', server, 'ssh', frame, 0.8 FROM ssh
    UNION ALL SELECT id_resp_h, 'system', display_string, 'snmp', frame, 0.8 FROM snmp
    UNION ALL SELECT id_resp_h, 'system', product_name || ' ' || revision, 'enip', frame, 0.8 FROM cip_identity
    -- Who logs in in clear, from where.
    UNION ALL SELECT id_orig_h, 'user', "user", service, frame, CASE WHEN success THEN 0.9 ELSE 0.5 END FROM credentials
    UNION ALL SELECT id_orig_h, 'user', request_from, 'sip', frame, CASE WHEN status_code BETWEEN 200 AND 299 THEN 0.9 ELSE 0.5 END
        FROM sip WHERE method = 'REGISTER'
    UNION ALL SELECT id_orig_h, 'program', user_agent, 'sip', frame, 0.7 FROM sip
    UNION ALL SELECT id_resp_h, 'service', server, 'sip', coalesce(reply_frame, frame), 0.7 FROM sip
    -- Switches, telephones and the like, under the addresses by which they are managed.
    UNION ALL SELECT unnest(addresses), 'name', coalesce(system_name, device), 'lldp', frame, 0.8 FROM lldp
    UNION ALL SELECT unnest(addresses), 'system', coalesce(platform, system_description), 'lldp', frame, 0.8 FROM lldp
    UNION ALL SELECT unnest(addresses), 'mac', eth_src, 'lldp', frame, 0.6 FROM lldp
    UNION ALL SELECT unnest(addresses), 'name', coalesce(device, system_name), 'cdp', frame, 0.8 FROM cdp
    UNION ALL SELECT unnest(addresses), 'system', coalesce(platform, system_description), 'cdp', frame, 0.8 FROM cdp
    UNION ALL SELECT unnest(addresses), 'mac', eth_src, 'cdp', frame, 0.6 FROM cdp
)
SELECT ip, claim, value, source, min(frame) AS frame, count(*) AS times, max(confidence)::DOUBLE AS confidence
FROM said
WHERE ip IS NOT NULL AND value IS NOT NULL AND trim(value) <> ''
GROUP BY ip, claim, value, source
ORDER BY ip, claim, value, source;
