/*
id       = "held-channel"
title    = "A connection in a protocol of its own is held open to a stranger, with a sign of life now and then"
attack   = ["T1095", "T1571", "T1219"]
impact   = 65
prior    = 0.2
family   = "rat"
reads    = ["flow_shape"]
also     = ["flows", "payloads"]
window   = "capture"
key      = ["actor", "target", "port"]
fires_on = "held-channel"
benign   = "Games, messengers and devices whose protocol is not known here; most of them look up their server's name, or use a port of their own."
says     = "{actor} holds a connection to {target} port {port} open for {longest_s:duration} in a protocol that nothing here knows: {sent_msgs} messages out, {got_msgs} back, silences of up to {silence_s:duration}"
filter   = "tcp.port == {port} && ip.addr == {actor} && ip.addr == {target}"
[params]
min_s       = 300.0 # seconds that a connection is held
min_silence = 15.0  # seconds without data that it outlives
min_msgs    = 6     # packets with data of each side
max_mean    = 400.0 # bytes that such a packet holds on average, on one side at least: signs of life and orders are short
steady      = 2.0   # longest pause, in mean pauses: at twice the mean or less the signs come by a clock
borrowed    = [21, 22, 25, 53, 80, 110, 123, 143, 443, 465, 587, 853, 993, 995, 3128, 8000, 8080, 8443] # ports of protocols that are known here, which firewalls let out
*/
WITH held AS (
    SELECT
        flows.*, flow_shape.* EXCLUDE (flow_id), least(orig_max_gap, resp_max_gap) AS silence,
        orig_max_gap * (orig_data_pkts - 1) / nullif(flow_duration, 0) AS orig_beat, resp_max_gap * (resp_data_pkts - 1) / nullif(flow_duration, 0) AS resp_beat
    FROM flows JOIN flow_shape USING (flow_id)
    WHERE proto = 'tcp' AND service IS NULL AND direction IN ('out', 'ext') AND opened(history) AND flow_duration >= $min_s
      AND orig_data_pkts >= $min_msgs AND resp_data_pkts >= $min_msgs AND least(orig_max_gap, resp_max_gap) >= $min_silence
      AND least(orig_payload_bytes / orig_data_pkts, resp_payload_bytes / resp_data_pkts) <= $max_mean
      AND id_orig_h NOT IN (SELECT id_orig_h FROM crowds)
)
SELECT
    held.id_orig_h AS actor, held.id_resp_h AS target, NULL::VARCHAR AS user,
    min(held.ts) AS first_seen, max(held.last_ts) AS last_seen, 'likely' AS outcome,
    -- Devices at home hold such channels to their makers all day long, and their look-up may lie before the capture: alone that is a weak sign.
    [
        term('on the port of a protocol that this is not', 2, bool_or(list_contains($borrowed, id_resp_p))::INT),
        term('signs of life by a clock', 0.5, bool_or(least(orig_beat, resp_beat) <= $steady)::INT),
        term('nobody looked the peer up', 0.5, bool_and(named.ip IS NULL)::INT),
        term('the called side speaks first', 0.3, bool_or(first_lens[1] < 0)::INT),
        term('no text', 0.2, bool_and(coalesce(orig_printable, 1) < 0.8)::INT)
    ] AS terms,
    {
        'port': id_resp_p, 'connections': count(*), 'longest_s': round(max(flow_duration), 6), 'silence_s': round(max(silence), 6), 'sent_msgs': sum(orig_data_pkts), 'got_msgs': sum(resp_data_pkts),
        'sent': sum(orig_payload_bytes), 'got': sum(resp_payload_bytes), 'beat': round(min(least(orig_beat, resp_beat)), 3),
        'first_bytes': min_by(orig_first_bytes, held.flow_id)
    } AS evidence,
    least_of(held.flow_id, 1000) AS flows, list_distinct(flatten(list(frames ORDER BY held.flow_id)))[1:200] AS frames
FROM held LEFT JOIN payloads USING (flow_id) LEFT JOIN named ON named.ip = held.id_resp_h
WHERE named.ip IS NULL OR list_contains($borrowed, id_resp_p)
GROUP BY held.id_orig_h, held.id_resp_h, id_resp_p
ORDER BY actor, target, id_resp_p
