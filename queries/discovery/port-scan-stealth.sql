/*
id       = "port-scan-stealth"
title    = "Stealth scan: TCP packets that open no connection (FIN, NULL, XMAS, Maimon, ACK)"
attack   = ["T1046", "T1595.001"]
impact   = 60                       # 45 from outside
prior    = 0.85
family   = "scan"
reads    = ["flows"]
also     = ["flow_shape"]
window   = "capture"
key      = ["actor", "kind"]
fires_on = "port-scan-stealth"
benign   = "Ends of connections that began before the capture, and one-sided taps, look like FIN and ACK scans; NULL and XMAS packets have no innocent cause."
says     = "{actor} sent {probes} {kind} probes to {ports} ports of {target}"
[params]
min_odd    = 3      # distinct ports for packets that no TCP stack sends (NULL, XMAS, FIN without ACK)
min_maimon = 8      # FIN with ACK also ends old connections
min_ack    = 10     # bare ACKs also keep old connections alive
*/
WITH bare AS (
    SELECT flows.*, first_flags & 63 AS flags, orig_fin, orig_urg,
        first_flags & 63 IN (0, 1, 41) AND coalesce(orig_syn + orig_rst + orig_ack, 1) = 0 AS odd
    FROM flows LEFT JOIN flow_shape USING (flow_id)
    WHERE proto = 'tcp' AND first_flags IS NOT NULL AND midstream AND first_flags & 63 IN (0, 1, 41, 17, 16)
      AND coalesce(orig_bytes, 0) + coalesce(resp_bytes, 0) = 0
),
probe AS (
    SELECT * EXCLUDE (kinds), unnest(kinds) AS kind
    FROM (
        -- Scans of several kinds from one source port are one flow for each port: what its packets carried tells them apart.
        SELECT *, CASE
            WHEN odd THEN list_filter(
                [CASE WHEN orig_fin > orig_urg THEN 'FIN' END, CASE WHEN orig_urg > 0 THEN 'XMAS' END, CASE WHEN orig_pkts > orig_fin THEN 'NULL' END],
                kind -> kind IS NOT NULL
            )
            ELSE [CASE flags WHEN 0 THEN 'NULL' WHEN 1 THEN 'FIN' WHEN 41 THEN 'XMAS' WHEN 17 THEN 'Maimon' ELSE 'ACK' END]
        END AS kinds
        FROM bare
    )
    WHERE orig_pkts + resp_pkts <= 4 * len(kinds)
),
pair AS (
    SELECT
        kind, id_orig_h, id_resp_h,
        min(direction) AS direction,
        count(*) AS probes,
        count(DISTINCT id_resp_p) AS ports,
        count(*) FILTER (contains(lower(history), 'r')) AS reset,
        min(ts) AS first_seen, max(last_ts) AS last_seen,
        min(id_resp_p, 20) AS ports_tried, least_of(flow_id, 1000) AS flows, least_of(first_frame, 200) AS frames
    FROM probe
    -- A server that ends or acknowledges old connections does so from its own port to many high ones.
    WHERE kind IN ('NULL', 'XMAS', 'FIN') OR NOT (id_orig_p < 1024 AND id_resp_p >= 1024)
    GROUP BY kind, id_orig_h, id_resp_h
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, 'confirmed' AS outcome,
    by_direction(direction, 45, 60, 60, 50) AS impact,
    [
        term('packets that no stack sends', 1.5, CASE WHEN kind IN ('NULL', 'XMAS', 'FIN') THEN 1 ELSE 0 END),
        term('many ports', 1.5, log_scale(ports, $min_odd, 100)),
        term('answered with resets', 0.5, 2 * (reset / probes::DOUBLE) - 1)
    ] AS terms,
    {'kind': kind, 'probes': probes, 'ports': ports, 'ports_tried': ports_tried, 'reset': reset} AS evidence,
    flows, frames
FROM pair
WHERE ports >= CASE kind WHEN 'ACK' THEN $min_ack WHEN 'Maimon' THEN $min_maimon ELSE $min_odd END
ORDER BY actor, target, kind
