/*
id       = "controller-tampering"
title    = "A controller was stopped, restarted, or given another program"
attack   = ["T0816", "T0858", "T0843"]
impact   = 90                       # 75 where nothing was stopped or restarted
prior    = 0.5
family   = "control"
reads    = ["flows"]
also     = ["modbus", "dnp3", "s7comm", "iec104", "cip", "enip", "bacnet"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "controller-tampering"
benign   = "Maintenance: an engineer who loads a program, and stops and starts the controller for it."
says     = "{actor} told the {protocol} controller {target} to {what}: {orders:orders} ({named}); {answer}"
filter   = "ip.addr == {actor} && ip.addr == {target}"
[params]
usual_orders = 100 # other orders of the same client from which on it is the one that runs this controller
several      = 2   # controllers that one client stops or restarts: nobody maintains two at once
*/
WITH act AS (
    SELECT
        client, device, min(protocol) AS protocol, count(*) AS orders,
        count(*) FILTER (kind = 'stop') AS stops, count(*) FILTER (kind = 'restart') AS restarts, count(*) FILTER (kind = 'program') AS programs,
        count(*) FILTER (done) AS done, count(*) FILTER (refused IS NOT NULL) AS refused,
        min(ts) AS first_seen, max(ts) AS last_seen, list_sort(list(DISTINCT what ORDER BY what))[1:4] AS named,
        least_of(flow_id, 200) AS flows, least_of(frame, 200) AS frames
    FROM orders WHERE kind IN ('stop', 'restart', 'program') AND client IS NOT NULL AND device IS NOT NULL
    GROUP BY client, device
),
-- Everything else that was said to these devices, and by whom.
beside AS (
    SELECT client, device, count(*) AS orders
    FROM orders SEMI JOIN act USING (device) WHERE kind NOT IN ('stop', 'restart', 'program')
    GROUP BY client, device
),
most AS (SELECT device, max(orders) AS orders, max(CASE WHEN orders >= $usual_orders / 5 THEN client END) AS one, count(*) FILTER (orders >= $usual_orders / 5) AS busy FROM beside GROUP BY device),
breadth AS (SELECT client, count(*) FILTER (stops + restarts > 0) AS devices FROM act GROUP BY client),
way AS (SELECT flow_id, direction FROM flows)
SELECT
    act.client AS actor, act.device AS target, NULL::VARCHAR AS user, first_seen, last_seen,
    CASE WHEN done > 0 THEN 'confirmed' ELSE 'attempt' END AS outcome,
    CASE WHEN stops + restarts > 0 THEN 90 ELSE 75 END AS impact,
    [
        term('somebody else runs this controller', 1, (coalesce(busy, 0) > (coalesce(beside.orders, 0) >= $usual_orders / 5)::INT)::INT),
        term('several controllers stopped or restarted', 1.5, (devices >= $several)::INT),
        term('it asked for nothing else', 0.5, (coalesce(beside.orders, 0) <= 3)::INT),
        term('stopped and left', 0.5, (stops > 0 AND restarts = 0)::INT),
        term('from outside', 1, (way.direction = 'in')::INT),
        term('it only loads a program', -0.5, (stops + restarts = 0)::INT),
        term('it runs this controller', -1.5, (coalesce(beside.orders, 0) >= $usual_orders)::INT)
    ] AS terms,
    {
        'protocol': protocol, 'orders': act.orders, 'stops': stops, 'restarts': restarts, 'programs': programs, 'controllers': devices,
        'named': array_to_string(named, ', '),
        'what': array_to_string(list_filter([CASE WHEN stops > 0 THEN 'stop' END, CASE WHEN restarts > 0 THEN 'restart' END, CASE WHEN programs > 0 THEN 'take another program or file' END], lambda one: one IS NOT NULL), ', to '),
        'answer': CASE WHEN done > 0 THEN 'it agreed' WHEN refused > 0 THEN 'it refused' ELSE 'no answer was seen' END,
        'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM act LEFT JOIN beside USING (client, device) LEFT JOIN most USING (device) JOIN breadth USING (client) LEFT JOIN way ON way.flow_id = flows[1]
ORDER BY actor, target
