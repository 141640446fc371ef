/*
id       = "dhcp-starvation"
title    = "DHCP starvation: a server is asked for lease after lease, or drowned in messages"
attack   = ["T1499.002", "T1557.003"]
impact   = 65
prior    = 0.7
family   = "dhcp"
reads    = ["dhcp"]
window   = "60s"
key      = ["actor"]
fires_on = "dhcp-starvation"
benign   = "Many machines that start at once after a power cut: each asks once or twice, with its own hardware address, over minutes."
says     = "{messages} DHCP messages from {from_whom} in {span_s:duration}: {clients:hardware addresses}, {addresses:client addresses}; {granted:transactions} acknowledged"
filter   = "dhcp"
[params]
min_clients   = 60   # hardware addresses that ask within a minute for the first time
min_addresses = 20   # or client addresses that one hardware address asks with, within a minute
min_messages  = 100  # messages of one hardware address within a minute; a client that gets no answer sends four to eight
*/
WITH transaction AS (
    SELECT *, coalesce(client_chaddr, mac) AS card, len(msg_types) AS messages, epoch_us(ts) // 60000000 AS minute,
        coalesce(client_addr, requested_addr, assigned_addr) AS address
    FROM dhcp
),
-- Many made-up clients: each appears once and is never heard of again.
crowd_minute AS (
    SELECT minute, count(DISTINCT card) AS clients FROM transaction GROUP BY minute HAVING count(DISTINCT card) >= $min_clients
),
one_minute AS (
    SELECT minute, card FROM transaction WHERE card IS NOT NULL
    GROUP BY minute, card HAVING count(DISTINCT address) >= $min_addresses OR sum(messages) >= $min_messages
),
part AS (
    SELECT 'crowd' AS way, NULL::VARCHAR AS source, transaction.* FROM transaction SEMI JOIN crowd_minute USING (minute)
    UNION ALL
    SELECT 'one', card, transaction.* FROM transaction SEMI JOIN one_minute USING (minute, card)
),
flood AS (
    SELECT
        way, source, count(DISTINCT card) AS clients, count(DISTINCT address) AS addresses, sum(messages) AS messages, count(DISTINCT minute) AS minutes,
        count(*) FILTER (list_contains(msg_types, 'ACK')) AS granted, min(coalesce(server_addr, server_id)) AS server, least_of(client_addr, 256) AS hosts,
        min(ts) AS first_seen, max(ts) AS last_seen, least_of(frame, 200) AS frames, list_distinct(flatten(list(uids ORDER BY frame)))[1:1000] AS flows
    FROM part GROUP BY way, source
),
-- One port of a switch that holds many cards gives itself away by its own hardware address.
sender AS (
    SELECT way, source, count(DISTINCT orig_l2_addr) AS cards, min(orig_l2_addr) AS hardware
    FROM (SELECT way, source, unnest(uids) AS flow_id FROM part) JOIN flows USING (flow_id)
    GROUP BY way, source
)
SELECT
    CASE WHEN len(hosts) = 1 THEN hosts[1] ELSE coalesce(flood.source, CASE WHEN cards = 1 THEN hardware END) END AS actor, server AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, CASE WHEN granted > 0 THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('many hardware addresses', 1.5, CASE WHEN flood.way = 'crowd' THEN log_scale(clients, $min_clients / 2, 500) ELSE 0 END),
        term('one hardware address under many addresses', 1.5, CASE WHEN flood.way = 'one' THEN log_scale(addresses, $min_addresses / 2, 200) ELSE 0 END),
        term('messages', 1, log_scale(messages, $min_messages, 2000)),
        term('all from one sender', 1, (flood.way = 'crowd' AND cards = 1)::INT)
    ] AS terms,
    {
        'messages': messages, 'clients': clients, 'addresses': addresses, 'granted': granted, 'minutes': minutes,
        'from_whom': CASE WHEN flood.way = 'one' THEN 'hardware address ' || flood.source WHEN cards = 1 THEN 'one sender, ' || hardware ELSE clients || ' clients' END,
        'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM flood LEFT JOIN sender ON sender.way = flood.way AND sender.source IS NOT DISTINCT FROM flood.source
ORDER BY actor, target, flood.way
