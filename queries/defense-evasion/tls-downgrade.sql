/*
id       = "tls-downgrade"
title    = "TLS was talked down: the server says that the client could have had better"
attack   = ["T1557", "T1562.010"]
impact   = 75
prior    = 0.5
family   = "tls-downgrade"
reads    = ["tls"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "tls-downgrade"
benign   = "Middle boxes that hand through a server's random bytes while they speak an older version themselves."
says     = "Between {actor} and {target} TLS ended at {version}, though the client offered {offered} and the server marks its answer as held down; {ended}"
filter   = "tls.handshake && ip.addr == {actor} && ip.addr == {target}"
[params]
min_seen = 1 # handshakes with the mark
*/
WITH marked AS (
    SELECT tls.*, flows.last_ts
    FROM tls JOIN flows USING (flow_id)
    -- RFC 8446, 4.1.3: servers of 1.3 mark each older handshake. A client that offered 1.3 to such a server would have got it, had nobody changed the offer.
    WHERE downgrade_sentinel AND client_version = 'TLSv13' AND version IN ('SSLv3', 'TLSv10', 'TLSv11', 'TLSv12') AND NOT coalesce(resumed, false)
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, CASE WHEN bool_or(established) THEN 'confirmed' ELSE 'attempt' END AS outcome,
    [
        term('several times', 0.7, log_scale(count(*), 1, 5)),
        term('below TLS 1.2', 1, bool_or(version <> 'TLSv12')::INT),
        term('the client went on regardless', 0.5, bool_or(established)::INT),
        term('the client noticed', 0.5, bool_or(last_alert IN ('illegal_parameter', 'inappropriate_fallback'))::INT)
    ] AS terms,
    {
        'version': min(version), 'offered': 'TLSv13', 'handshakes': count(*), 'server_name': min(server_name), 'cipher': min(cipher), 'alert': min(last_alert), 'port': min(id_resp_p),
        'ended': CASE WHEN bool_or(established) THEN 'the client went on regardless' WHEN bool_or(last_alert IS NOT NULL) THEN 'the client broke off' ELSE 'the handshake was not completed' END
    } AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(coalesce(server_frame, frame), 200) AS frames
FROM marked
GROUP BY id_orig_h, id_resp_h
HAVING count(*) >= $min_seen
ORDER BY actor, target
