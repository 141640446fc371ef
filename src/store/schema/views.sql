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
