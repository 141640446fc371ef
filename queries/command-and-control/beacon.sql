/*
id       = "beacon"
title    = "Beacon: a host calls the same peer again and again at a steady pace"
attack   = ["T1071.001", "T1573", "T1029"]
impact   = 75
prior    = 0.15
family   = "periodic"
reads    = ["flows"]
also     = ["dns", "tls", "http", "payloads"]
window   = "capture"
key      = ["actor", "target", "port"]
fires_on = "beacon"
benign   = "Time servers, update checks, telemetry and push services keep a pace too; they go to well-known names and often from many hosts."
says     = "{actor} called {target} port {port} ({name}) {calls} times, every {period_s:duration} (regularity {regularity}) for {span_s:duration}"
[params]
min_regularity = 0.6    # 1 - 1.4826·MAD/median of the pauses; people and web pages stay below 0.52 (99.5 %)
min_calls      = 8      # pauses between calls
min_span_s     = 300    # seconds from first to last call; retries and polls of a minute are none
few_regularity = 0.85   # steadiness at which fewer calls are enough
few_calls      = 5      # pauses that are enough at that steadiness
common         = 0.3    # share of our hosts that call a peer from which it is everyday
min_hosts      = 10     # hosts of ours from which such a share means something
quiet          = ["ntp", "dhcp", "dns", "mdns", "llmnr", "nbns", "snmp"] # services that keep a pace by design
quiet_ports    = [53, 67, 68, 123, 137, 138, 161, 514, 546, 547, 1900, 3702, 5353, 5355] # their ports
*/
WITH often AS (
    -- Most pairs meet once or twice: to leave them out first is cheap, to put them in order of time is not.
    SELECT id_orig_h, id_resp_h, id_resp_p, proto
    FROM flows
    -- Resets and ends of connections nobody saw, without an answer, are no calls.
    WHERE proto IN ('tcp', 'udp') AND NOT is_group(id_resp_h) AND orig_pkts > 0
      AND NOT (proto = 'tcp' AND resp_pkts = 0 AND coalesce(orig_bytes, 0) = 0 AND NOT contains(coalesce(history, ''), 'S'))
      AND NOT list_contains($quiet_ports, id_resp_p) AND NOT list_contains($quiet, coalesce(service, ''))
    GROUP BY ALL
    HAVING count(*) > $few_calls AND seconds_between(min(ts), max(last_ts)) >= $min_span_s
),
call AS (
    SELECT
        id_orig_h, id_resp_h, id_resp_p, proto, direction, service, ts_ns, ts, last_ts, flow_id, first_frame,
        coalesce(orig_bytes, 0) AS sent, coalesce(resp_bytes, 0) AS got, resp_pkts > 0 AS answered,
        (ts_ns - lag(ts_ns) OVER peer) / 1e9 AS pause
    FROM flows SEMI JOIN often USING (id_orig_h, id_resp_h, id_resp_p, proto)
    WHERE orig_pkts > 0 AND NOT list_contains($quiet, coalesce(service, ''))
    WINDOW peer AS (PARTITION BY id_orig_h, id_resp_h, id_resp_p, proto ORDER BY ts_ns, first_frame)
),
-- A burst of connections is one call: what follows within a tenth of the usual pause belongs to it.
burst AS (
    SELECT id_orig_h, id_resp_h, id_resp_p, proto, within(0.1 * quantile_cont(pause, 0.9), 1, 30) AS least_pause
    FROM call WHERE pause IS NOT NULL GROUP BY ALL
    HAVING count(*) >= $few_calls
),
start AS (
    SELECT call.* FROM call JOIN burst USING (id_orig_h, id_resp_h, id_resp_p, proto)
    WHERE pause IS NULL OR pause > least_pause
),
pace AS (
    SELECT *, (ts_ns - lag(ts_ns) OVER peer) / 1e9 AS period
    FROM start
    WINDOW peer AS (PARTITION BY id_orig_h, id_resp_h, id_resp_p, proto ORDER BY ts_ns, first_frame)
),
peer AS (
    SELECT
        id_orig_h, id_resp_h, id_resp_p, proto, count(period) AS calls,
        round(median(period), 6) AS period_s,
        round(greatest(0, 1 - 1.4826 * mad(period) / nullif(median(period), 0)), 6) AS regularity,
        min(ts) AS first_seen, max(last_ts) AS last_seen
    FROM pace GROUP BY id_orig_h, id_resp_h, id_resp_p, proto
),
steady AS (
    SELECT * FROM peer
    WHERE seconds_between(first_seen, last_seen) >= $min_span_s AND ((regularity >= $min_regularity AND calls >= $min_calls) OR (regularity >= $few_regularity AND calls >= $few_calls))
),
-- What else is known of them, for the few that keep a pace.
regular AS (
    SELECT
        id_orig_h, id_resp_h, id_resp_p, proto, min(steady.calls) AS calls, min(period_s) AS period_s, min(regularity) AS regularity,
        min(direction) AS direction, coalesce(max(service), '') AS service,
        -- Without captured payload nothing could be recognised, and that means nothing.
        coalesce(max(service), '') = '' AND bool_or(flow_id IN (SELECT flow_id FROM payloads)) AS unknown,
        round(greatest(0, 1 - 1.4826 * mad(sent) / greatest(median(sent), 1)), 6) AS sameness,
        round(avg(answered::INT), 6) AS answered,
        sum(sent) AS sent, sum(got) AS got,
        min(first_seen) AS first_seen, min(last_seen) AS last_seen,
        least_of(flow_id, 1000) AS flows, least_of(first_frame, 200) AS frames
    FROM start JOIN steady USING (id_orig_h, id_resp_h, id_resp_p, proto)
    GROUP BY id_orig_h, id_resp_h, id_resp_p, proto
),
client AS (SELECT id_resp_h, id_resp_p, count(DISTINCT id_orig_h) AS clients FROM flows GROUP BY ALL),
greeting AS (
    SELECT id_resp_h, id_resp_p, min(server_name) AS server_name, bool_or(coalesce(sni_matches_cert AND subject <> issuer, false)) AS certified,
        bool_or(coalesce(subject = issuer, false)) AS self_signed
    FROM tls GROUP BY ALL
),
page AS (SELECT id_resp_h, id_resp_p, min(host) AS host FROM http GROUP BY ALL)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, 'confirmed' AS outcome,
    [
        term('regular pauses', 2, within((regularity - 0.6) / 0.4, 0, 1)),
        term('same size each time', 1, within((sameness - 0.6) / 0.4, 0, 1)),
        term('many calls', 0.7, log_scale(calls, $min_calls, 100)),
        term('few calls', -1.2, (calls < $min_calls)::INT),
        term('protocol not recognised', 1, unknown::INT),
        term('port without a registered service', 0.8, (unknown AND id_resp_p NOT IN (80, 443, 8080, 8443, 25, 110, 143, 465, 587, 993, 995, 1883, 5222, 5228, 8883))::INT),
        term('no name for the peer', 0.5, (direction <> 'lat' AND named.name IS NULL AND server_name IS NULL AND (host IS NULL OR is_address(host)))::INT),
        term('a certificate that fits its name', -1, coalesce(certified, false)::INT),
        term('a certificate that nobody signed', 0.8, coalesce(self_signed, false)::INT),
        term('encrypted web with a name', -0.5, (service LIKE '%ssl%' AND server_name IS NOT NULL)::INT),
        term('several of our hosts call it', -0.5, (clients >= 3)::INT),
        term('most of our hosts call it', -3, ((SELECT count(DISTINCT id_orig_h) FROM flows WHERE local_orig) >= $min_hosts AND clients >= $common * (SELECT count(DISTINCT id_orig_h) FROM flows WHERE local_orig))::INT),
        term('the peer is one of ours', -2.5, (direction = 'lat')::INT),
        term('called from outside', -1.5, (direction = 'in')::INT),
        term('one of dozens of peers of a socket', -3, (crowds.peers IS NOT NULL)::INT),
        term('slower than every hour', -1.2, (period_s >= 3600)::INT),
        term('never answered', -0.5, (answered < 0.1)::INT)
    ] AS terms,
    {
        'port': id_resp_p, 'proto': proto, 'service': service, 'name': coalesce(server_name, host, named.name, 'no name known'),
        'calls': calls + 1, 'period_s': period_s, 'regularity': regularity, 'sameness': sameness, 'answered': answered,
        'sent': sent, 'got': got, 'clients': clients, 'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    regular.flows, frames
FROM regular
LEFT JOIN crowds USING (id_orig_h)
LEFT JOIN client USING (id_resp_h, id_resp_p)
LEFT JOIN greeting USING (id_resp_h, id_resp_p)
LEFT JOIN page USING (id_resp_h, id_resp_p)
LEFT JOIN named ON named.ip = id_resp_h
ORDER BY actor, target, id_resp_p, proto
