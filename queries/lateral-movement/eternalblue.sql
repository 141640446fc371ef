/*
id       = "eternalblue"
title    = "EternalBlue: SMB connections that prepare the server's memory (MS17-010)"
attack   = ["T1210", "T1190"]
impact   = 100
prior    = 0.9
family   = "smb-exploit"
reads    = ["payloads"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "eternalblue"
benign   = "Vulnerability scanners that exploit for real."
says     = "{actor} groomed the memory of {target} over SMB with {grooms} connections; {answer}"
filter   = "tcp.port == 445 && ip.addr == {actor} && ip.addr == {target}"
[params]
min_grooms = 3      # connections that announce 65,527 bytes of SMB2 and send only the start of them
wait_s     = 180    # seconds within which the server opens a connection of its own
*/
WITH groom AS (
    SELECT flow_id, flows.* EXCLUDE (flow_id)
    FROM payloads JOIN flows USING (flow_id)
    -- A NetBIOS length of 0xfff7 before an SMB2 header: buffers of one size, held and then let go.
    WHERE proto = 'tcp' AND id_resp_p IN (445, 139) AND orig_first_bytes LIKE '0000fff7fe534d42%'
),
pair AS (
    SELECT id_orig_h, id_resp_h, count(*) AS grooms, min(ts) AS first_seen, max(last_ts) AS last_seen,
        least_of(flow_id, 1000) AS flows, least_of(first_frame, 200) AS frames
    FROM groom GROUP BY id_orig_h, id_resp_h
),
callback AS (
    SELECT pair.id_orig_h, pair.id_resp_h, min(flows.first_frame) AS call_frame, min(flows.flow_id) AS call_flow, min(flows.id_resp_p) AS call_port
    FROM pair JOIN flows ON flows.id_orig_h = pair.id_resp_h AND flows.id_resp_h = pair.id_orig_h AND flows.proto = 'tcp'
        AND flows.ts >= pair.first_seen AND seconds_between(pair.last_seen, flows.ts) <= $wait_s AND flows.id_resp_p NOT IN (445, 139)
    GROUP BY ALL
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, CASE WHEN call_frame IS NOT NULL THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('connections', 1, log_scale(grooms, $min_grooms, 12)),
        term('the server then called the attacker', 2, (call_frame IS NOT NULL)::INT)
    ] AS terms,
    {
        'grooms': grooms, 'call_port': call_port,
        'answer': CASE WHEN call_frame IS NOT NULL THEN 'the server then called back on port ' || call_port ELSE 'no call back was seen' END
    } AS evidence,
    CASE WHEN call_flow IS NULL THEN flows ELSE list_concat([call_flow], flows) END AS flows,
    CASE WHEN call_frame IS NULL THEN frames ELSE list_concat([call_frame], frames) END AS frames
FROM pair LEFT JOIN callback USING (id_orig_h, id_resp_h)
WHERE grooms >= $min_grooms
ORDER BY actor, target
