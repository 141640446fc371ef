-- Every address at an end of a flow or in an ARP message, by the hardware address that its frames carried. `arp_home` holds the ARP addresses
-- that lie in a home network.
CREATE OR REPLACE TEMP TABLE ends AS
SELECT ip, mac, bool_or(internal) AS internal, min(frame) AS frame, min(ts) AS ts, min(ts_ns) AS ts_ns, max(last_ts) AS last_ts, max(last_ts_ns) AS last_ts_ns,
       sum(flows)::BIGINT AS flows, sum(sent)::BIGINT AS sent, sum(got)::BIGINT AS got
FROM (
    SELECT id_orig_h AS ip, local_orig AS internal, first_frame AS frame, ts, ts_ns, last_ts, last_ts_ns, 1 AS flows, orig_ip_bytes AS sent, resp_ip_bytes AS got,
           CASE WHEN layer = 0 AND orig_pkts > 0 THEN orig_l2_addr END AS mac
    FROM flows
    UNION ALL
    SELECT id_resp_h, local_resp, first_frame, ts, ts_ns, last_ts, last_ts_ns, 1, resp_ip_bytes, orig_ip_bytes,
           CASE WHEN layer = 0 AND resp_pkts > 0 THEN resp_l2_addr END
    FROM flows
    UNION ALL
    SELECT spa, spa IN (SELECT ip FROM arp_home), frame, ts, ts_ns, ts, ts_ns, 0, 0, 0, NULL
    FROM arp
    WHERE spa IS NOT NULL AND spa <> '0.0.0.0'
)
GROUP BY ip, mac;

-- Connections through which a proxy was asked: what is said in them is meant for others.
CREATE OR REPLACE TEMP TABLE proxied AS
SELECT flow_id FROM http WHERE method = 'CONNECT' AND flow_id IS NOT NULL
UNION
SELECT flow_id FROM socks WHERE flow_id IS NOT NULL;

CREATE OR REPLACE TEMP TABLE said (
    ip VARCHAR, mac VARCHAR, claim VARCHAR, value VARCHAR, source VARCHAR, ground VARCHAR, frame BIGINT, ts_ns BIGINT, last_ts_ns BIGINT,
    times BIGINT, sure DOUBLE, detail VARCHAR
);
