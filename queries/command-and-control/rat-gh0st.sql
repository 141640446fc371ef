/*
id       = "rat-gh0st"
title    = "Gh0st remote access: packets of a five-letter word, two lengths and compressed data"
attack   = ["T1219", "T1095", "T1573"]
impact   = 95
prior    = 0.9
family   = "rat"
reads    = ["payloads"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "rat-gh0st"
benign   = "None known: the lengths must agree with the packet, and zlib data must follow."
says     = "{actor} is controlled by {target} port {port}: Gh0st packets marked \"{word}\" in {flows_seen} connections over {span_s:duration}"
filter   = "ip.addr == {actor} && ip.addr == {target} && tcp.port == {port}"
[params]
max_length = 16777216 # bytes that such a packet may announce
*/
WITH packet AS (
    SELECT
        payloads.flow_id, orig_first_bytes AS bytes,
        -- Two lengths in little endian: the whole packet, and what it unpacks to.
        try_cast('0x' || bytes[17:18] || bytes[15:16] || bytes[13:14] || bytes[11:12] AS BIGINT) AS whole,
        try_cast('0x' || bytes[25:26] || bytes[23:24] || bytes[21:22] || bytes[19:20] AS BIGINT) AS unpacked
    FROM payloads
    -- Five letters or digits, eight bytes of lengths, then a zlib header.
    WHERE regexp_matches(orig_first_bytes, '^((3[0-9]|[46][1-9a-f]|[57][0-9a]){5})[0-9a-f]{16}789c')
),
call AS (
    SELECT packet.*, flows.* EXCLUDE (flow_id), ascii_of(bytes[1:10]) AS word
    FROM packet JOIN flows USING (flow_id)
    WHERE whole BETWEEN 15 AND $max_length AND unpacked BETWEEN 1 AND $max_length AND whole <= greatest(orig_bytes, 15) AND proto = 'tcp'
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, 'confirmed' AS outcome,
    [term('several connections', 1, log_scale(count(*), 1, 10))] AS terms,
    {
        'port': min(id_resp_p), 'word': min(word), 'flows_seen': count(*), 'sent': sum(orig_bytes), 'got': sum(resp_bytes),
        'span_s': round(seconds_between(min(ts), max(last_ts)), 6)
    } AS evidence,
    least_of(flow_id, 1000) AS flows, list_distinct(flatten(list(frames ORDER BY flow_id)))[1:200] AS frames
FROM call
GROUP BY id_orig_h, id_resp_h
ORDER BY actor, target
