-- First contacts: what each host tried on each port of each other host, once, and whether anything came of it.
-- Connections that began before the capture are left out: what they would say about success is unknown.
CREATE OR REPLACE TEMP TABLE contacts AS
SELECT
    proto, id_orig_h, id_resp_h, id_resp_p,
    min(direction)  AS direction,
    min(ts)         AS first_ts,
    max(last_ts)    AS last_ts,
    min(ts_ns)      AS first_ns,
    count(*)        AS flows,
    min(flow_id)    AS flow_id,
    min(first_frame) AS frame,
    -- The port answered with something that is not a refusal.
    bool_or(CASE WHEN proto = 'tcp' THEN contains(history, 'h') OR coalesce(resp_bytes, 0) > 0 ELSE resp_pkts > 0 END) AS answered,
    -- More than a probe: data went over it.
    bool_or(CASE WHEN proto = 'tcp' THEN contains(history, 'h') AND coalesce(orig_bytes, 0) + coalesce(resp_bytes, 0) > 0 ELSE resp_pkts > 0 END) AS used,
    bool_or(proto = 'tcp' AND NOT contains(history, 'h') AND contains(history, 'r')) AS refused,
    min(id_orig_p)  AS orig_p_min,
    count(DISTINCT id_orig_p) AS orig_ports
FROM flows
WHERE (proto = 'tcp' AND opened(history) AND (NOT regexp_matches(history, '[ADF]') OR resp_pkts > 0))
   OR (proto = 'udp' AND orig_pkts > 0 AND NOT is_group(id_resp_h))
GROUP BY proto, id_orig_h, id_resp_h, id_resp_p;
