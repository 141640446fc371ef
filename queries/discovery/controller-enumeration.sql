/*
id       = "controller-enumeration"
title    = "A client tries out what controllers there are and what they answer to"
attack   = ["T0846", "T0888"]
impact   = 60
prior    = 0.6
family   = "control-discovery"
reads    = ["flows"]
also     = ["modbus", "dnp3", "s7comm", "iec104", "cip", "enip", "bacnet"]
needs    = ["two_sided"]
window   = "capture"
key      = ["actor"]
fires_on = "controller-enumeration"
benign   = "An inventory of the plant by its own engineers; a gateway whose serial devices are all off."
says     = "{actor} tried out {protocol} controllers: {what}"
filter   = "ip.addr == {actor}"
[params]
min_units     = 10 # units or stations behind one address that were tried within a minute and did not answer
min_functions = 6  # functions that one device refused within a minute
min_points    = 10 # points that one device refused within a minute
min_devices   = 8  # devices that were asked within a minute what they are
max_tries     = 3  # orders for one unit or point; who polls what is not there asks for it again and again
max_named     = 64 # targets that a finding names
*/
WITH asked AS (
    SELECT *, epoch_us(ts) // 60000000 AS minute
    FROM orders WHERE client IS NOT NULL AND device IS NOT NULL AND NOT is_group(device)
),
-- A unit that answered once is there; one that only refused may be there or not.
alive AS (SELECT DISTINCT client, device, unit FROM asked WHERE done),
once_unit AS (
    SELECT client, device, unit FROM asked ANTI JOIN alive USING (client, device, unit)
    WHERE protocol IN ('Modbus', 'DNP3', 'IEC 104')
    GROUP BY ALL HAVING count(*) <= $max_tries
),
once_point AS (
    SELECT client, device, what, place FROM asked GROUP BY ALL HAVING count(*) <= $max_tries
),
dead AS (
    SELECT client, device, minute, count(DISTINCT unit) AS units
    FROM asked SEMI JOIN once_unit USING (client, device, unit)
    GROUP BY ALL HAVING count(DISTINCT unit) >= $min_units
),
refused AS (
    SELECT client, device, minute, count(DISTINCT what) AS functions,
        -- Clients of building automation ask for properties that not every device has.
        count(DISTINCT CASE WHEN protocol IN ('Modbus', 'DNP3', 'IEC 104') THEN place END) AS points
    FROM asked SEMI JOIN once_point USING (client, device, what, place) WHERE refused IS NOT NULL AND NOT done AND refused NOT IN ('GATEWAY_PATH_UNAVAILABLE', 'GATEWAY_TARGET_DEVICE_FAILED_TO_RESPOND', 'SLAVE_DEVICE_BUSY', 'ACKNOWLEDGE', 'SLAVE_DEVICE_FAILURE')
    GROUP BY ALL
    HAVING count(DISTINCT what) >= $min_functions OR count(DISTINCT CASE WHEN protocol IN ('Modbus', 'DNP3', 'IEC 104') THEN place END) >= $min_points
),
many AS (
    SELECT client, minute, count(DISTINCT device) AS devices
    FROM asked WHERE kind = 'identify'
    GROUP BY ALL HAVING count(DISTINCT device) >= $min_devices
),
part AS (
    SELECT client, device, asked.minute, flow_id, frame, ts, protocol, units, NULL::BIGINT AS functions, NULL::BIGINT AS points, NULL::BIGINT AS devices FROM asked JOIN dead USING (client, device, minute)
    UNION ALL
    SELECT client, device, asked.minute, flow_id, frame, ts, protocol, NULL, functions, points, NULL FROM asked JOIN refused USING (client, device, minute) WHERE refused IS NOT NULL
    UNION ALL
    SELECT client, device, asked.minute, flow_id, frame, ts, protocol, NULL, NULL, NULL, devices FROM asked JOIN many USING (client, minute) WHERE kind = 'identify'
),
told AS (
    SELECT
        client, min(protocol) AS protocol, least_of(device, $max_named) AS targets, count(DISTINCT frame) AS orders,
        coalesce(max(units), 0) AS units, coalesce(max(functions), 0) AS functions, coalesce(max(points), 0) AS points, coalesce(max(devices), 0) AS devices,
        min(ts) AS first_seen, max(ts) AS last_seen, least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
    FROM part GROUP BY client
)
SELECT
    client AS actor, targets[1] AS target, targets, NULL::VARCHAR AS user, first_seen, last_seen, 'confirmed' AS outcome,
    [
        term('units that do not answer', 1, log_scale(units, $min_units, 100)),
        term('functions refused', 1, log_scale(functions, $min_functions, 40)),
        term('points refused', 1, log_scale(points, $min_points, 200)),
        term('devices asked what they are', 1, log_scale(devices, $min_devices, 64)),
        term('in several ways', 1, ((units >= $min_units)::INT + (functions >= $min_functions)::INT + (points >= $min_points)::INT + (devices >= $min_devices)::INT >= 2)::INT)
    ] AS terms,
    {
        'protocol': protocol, 'orders': orders, 'units': units, 'functions': functions, 'points': points, 'devices': devices,
        'what': concat_ws(', ',
            CASE WHEN units >= $min_units THEN units || ' units that did not answer' END,
            CASE WHEN functions >= $min_functions THEN functions || ' functions that were refused' END,
            CASE WHEN points >= $min_points THEN points || ' points that were refused' END,
            CASE WHEN devices >= $min_devices THEN devices || ' devices asked what they are' END),
        'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM told
ORDER BY actor
