/*
id       = "mac-flooding"
title    = "Hundreds of made-up hardware addresses: a switch is to forget who is where"
attack   = ["T1040", "T1557"]
impact   = 70
prior    = 0.7
family   = "mitm"
reads    = ["flows"]
window   = "1min"
key      = ["target"]
fires_on = "mac-flooding"
benign   = "A radio network with many guests: each of them sends more than one packet, and to a router."
says     = "{cards:hardware addresses} that were never seen before or after sent one packet each within {span_s:duration}, to {destinations:destinations} that never answered"
filter   = "eth.dst.ig == 0 && ip"
[params]
min_cards = 300  # hardware addresses of one packet each within a minute; tables of switches hold 1,000 to 32,000
*/
WITH once AS (
    SELECT orig_l2_addr AS card, min(epoch_us(ts) // 60000000) AS minute, min(ts) AS ts, min(flow_id) AS flow_id, min(first_frame) AS frame, min(id_resp_h) AS target, min(resp_l2_addr) AS toward
    FROM flows WHERE orig_l2_addr IS NOT NULL
    GROUP BY orig_l2_addr HAVING count(*) = 1 AND max(orig_pkts) = 1 AND max(resp_pkts) = 0
),
-- Who speaks to a group is a neighbour that announces itself; who was spoken to exists.
made_up AS (
    SELECT once.* FROM once ANTI JOIN (SELECT DISTINCT resp_l2_addr AS card FROM flows WHERE resp_pkts > 0) AS known USING (card)
    WHERE NOT is_group(target) AND NOT regexp_matches(coalesce(toward, ''), '^(ff:ff|01:|33:33)')
),
told AS (
    SELECT minute, count(*) AS cards, count(DISTINCT target) AS destinations, min(ts) AS first_seen, max(ts) AS last_seen, least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
    FROM made_up GROUP BY minute HAVING count(*) >= $min_cards
)
SELECT
    NULL::VARCHAR AS actor, 'the switch' AS target, NULL::VARCHAR AS user, min(first_seen) AS first_seen, max(last_seen) AS last_seen, 'confirmed' AS outcome,
    [term('hardware addresses', 1.5, log_scale(max(cards), $min_cards, 5000)), term('as many destinations', 0.7, (max(destinations) >= 0.5 * max(cards))::INT)] AS terms,
    {
        'cards': sum(cards), 'peak': max(cards), 'destinations': sum(destinations), 'span_s': round(seconds_between(min(first_seen), max(last_seen)), 6)
    } AS evidence,
    list_sort(list_distinct(flatten(list(flows ORDER BY minute))))[1:1000] AS flows, list_sort(list_distinct(flatten(list(frames ORDER BY minute))))[1:200] AS frames
FROM told
HAVING count(*) > 0
ORDER BY target
