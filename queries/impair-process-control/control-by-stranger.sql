/*
id       = "control-by-stranger"
title    = "A stranger writes to a controller that somebody else runs"
attack   = ["T0855", "T0836"]
impact   = 90
prior    = 0.5
family   = "control"
reads    = ["flows"]
also     = ["modbus", "dnp3", "s7comm", "iec104", "cip", "enip", "bacnet"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "control-by-stranger"
benign   = "A second operator station that is started while the first runs: it goes on reading. An engineer's laptop."
says     = "{actor} wrote {points:points} of the {protocol} controller {target} in {writes:orders}, while {master} runs it; {how}"
filter   = "ip.addr == {actor} && ip.addr == {target}"
[params]
min_usual = 20     # orders that make a client the one that runs the controller
settled_s = 30.0   # seconds that it did so before the stranger appeared
console   = 20     # reads of the stranger from which on it may be a second operator station
contrary_s = 60    # seconds within which both wrote different values to one point
*/
WITH client AS (
    SELECT
        client, device, min(protocol) AS protocol, count(*) AS orders, count(*) FILTER (kind = 'write') AS writes, count(*) FILTER (kind = 'read') AS reads,
        count(DISTINCT CASE WHEN kind = 'write' THEN place END) AS points, count(*) FILTER (kind = 'write' AND done) AS done, count(*) FILTER (refused IS NOT NULL) AS refused,
        min(ts) AS first_ts, max(ts) AS last_ts, min(ts) FILTER (kind = 'write') AS first_write, max(ts) FILTER (kind = 'write') AS last_write
    FROM orders WHERE client IS NOT NULL AND device IS NOT NULL AND NOT is_group(device)
    GROUP BY client, device
),
-- Who was there first and went on: one for each device, so that a crowd of strangers stays a list.
master AS (
    SELECT device, client AS master, first_ts, last_ts, orders
    FROM client WHERE orders >= $min_usual AND seconds_between(first_ts, last_ts) >= $settled_s
    QUALIFY row_number() OVER (PARTITION BY device ORDER BY first_ts, client) = 1
),
stranger AS (
    SELECT client.*, master, master.first_ts AS since
    FROM client JOIN master USING (device)
    WHERE client.client <> master AND writes > 0
      AND seconds_between(master.first_ts, client.first_ts) >= $settled_s AND master.last_ts >= client.first_write
),
wrote AS (
    SELECT DISTINCT device, client, place, value, epoch_us(ts) // ($contrary_s * 1000000)::BIGINT AS slot
    FROM orders SEMI JOIN stranger USING (device) WHERE kind = 'write' AND value IS NOT NULL
),
-- Both at one point, with different values, one right after the other.
contrary AS (
    SELECT stranger.client, stranger.device, count(DISTINCT wrote.place) AS points
    FROM stranger JOIN wrote USING (client, device)
    JOIN wrote AS other ON other.device = wrote.device AND other.client = stranger.master AND other.place = wrote.place AND other.slot = wrote.slot
    WHERE other.value <> wrote.value
    GROUP BY ALL
),
proof AS (
    SELECT stranger.client, stranger.device, least_of(orders.flow_id, 200) AS flows, least_of(orders.frame, 150) AS frames
    FROM stranger JOIN orders USING (client, device) WHERE kind = 'write' GROUP BY ALL
),
usual AS (
    SELECT stranger.client, stranger.device, least_of(orders.flow_id, 200) AS flows, min(orders.frame) AS frame
    FROM stranger JOIN orders ON orders.device = stranger.device AND orders.client = stranger.master GROUP BY ALL
)
SELECT
    stranger.client AS actor, stranger.device AS target, NULL::VARCHAR AS user, first_write AS first_seen, last_write AS last_seen,
    CASE WHEN done > 0 THEN 'confirmed' ELSE 'attempt' END AS outcome,
    [
        term('it contradicts who runs it', 1.5, (coalesce(contrary.points, 0) > 0)::INT),
        term('many points', 1, log_scale(stranger.points, 2, 30)),
        term('it hardly reads', 0.7, (reads <= 2)::INT),
        term('refused', 0.5, (refused > 0)::INT),
        term('from outside', 1, (way.direction = 'in')::INT),
        term('it may be a second operator station', -2, (reads >= $console AND refused = 0)::INT)
    ] AS terms,
    {
        'protocol': protocol, 'writes': writes, 'points': stranger.points, 'reads': reads, 'refused': refused, 'master': master, 'contradicted': coalesce(contrary.points, 0),
        'how': CASE WHEN coalesce(contrary.points, 0) > 0 THEN 'other values than that one writes' WHEN done = 0 THEN 'no order was seen to be accepted' ELSE 'the controller accepted' END,
        'span_s': round(seconds_between(first_write, last_write), 6)
    } AS evidence,
    list_concat(proof.flows, usual.flows) AS flows, list_concat(proof.frames, [usual.frame]) AS frames
FROM stranger JOIN proof ON proof.client = stranger.client AND proof.device = stranger.device
JOIN usual ON usual.client = stranger.client AND usual.device = stranger.device
LEFT JOIN contrary ON contrary.client = stranger.client AND contrary.device = stranger.device
LEFT JOIN (SELECT flow_id, direction FROM flows) AS way ON way.flow_id = proof.flows[1]
ORDER BY actor, target
