/*
id       = "nameless-tls"
title    = "An encrypted web connection that asks for no name: a program that calls a bare address"
attack   = ["T1071.001", "T1573.002"]
impact   = 65
prior    = 0.2
family   = "c2-tls"
reads    = ["tls"]
also     = ["flows", "flow_shape", "dns", "quic"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "nameless-tls"
benign   = "Resolvers that speak DNS over TLS or HTTPS at a known address, devices that know their server's address, peers of peer-to-peer networks, Windows XP."
says     = "{actor} speaks {protocol} to {target} port {port} without asking for a name{held}; no name was looked up for that address"
filter   = "ip.addr == {actor} && ip.addr == {target} && (tls || quic)"
[params]
min_s     = 60.0    # seconds that a connection is held open, or …
min_calls = 5       # … connections to the same peer
resolvers = ["1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9", "149.112.112.112", "208.67.222.222", "208.67.220.220", "94.140.14.14", "94.140.15.15"] # public resolvers, which are called by address (of their operators' pages, 2026)
*/
WITH hello AS (
    SELECT
        tls.flow_id, tls.frame, tls.ts, tls.id_orig_h, tls.id_resp_h, tls.id_resp_p, tls.proto, ja4, coalesce(client_alpn, []) AS alpn,
        flows.duration, flows.last_ts, flows.orig_bytes, flows.resp_bytes, orig_max_gap, resp_max_gap, flows.service LIKE '%quic%' AS is_quic
    FROM tls JOIN flows USING (flow_id) LEFT JOIN flow_shape USING (flow_id)
    -- A client that sends no extensions at all cannot ask for a name.
    -- Over datagrams the web speaks QUIC; DTLS is for calls and tunnels, which know their peers by address.
    WHERE (tls.proto = 'tcp' OR flows.service LIKE '%quic%') AND server_name IS NULL AND NOT coalesce(ech, false) AND len(coalesce(client_exts, [])) > 0 AND flows.direction IN ('out', 'ext')
      AND tls.id_resp_p NOT IN (25, 465, 587, 993, 995, 853, 989, 990, 5061, 1194, 3389, 3478, 5349) AND coalesce(flows.service, '') NOT LIKE '%smtp%' AND coalesce(flows.service, '') NOT LIKE '%rdp%'
      AND NOT coalesce(resumed, false) AND NOT list_contains($resolvers, tls.id_resp_h) AND resp_pkts > 0 AND coalesce(flows.resp_bytes, 0) > 0
      AND tls.id_orig_h NOT IN (SELECT id_orig_h FROM crowds) AND tls.id_resp_h NOT IN (SELECT ip FROM named)
),
peer AS (
    SELECT
        id_orig_h, id_resp_h, id_resp_p, count(*) AS calls, max(coalesce(duration, 0)) AS longest_s, min(ts) AS first_seen, max(last_ts) AS last_seen,
        bool_or(len(list_filter(alpn, name -> name IN ('h2', 'h3', 'http/1.1'))) > 0) AS web, bool_or(is_quic) AS is_quic, min(ja4) AS ja4,
        -- Held open by a sign of life now and then: both sides fall silent and go on.
        max(least(coalesce(orig_max_gap, 0), coalesce(resp_max_gap, 0))) AS silence_s, sum(coalesce(orig_bytes, 0)) AS sent, sum(coalesce(resp_bytes, 0)) AS got,
        least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
    FROM hello GROUP BY id_orig_h, id_resp_h, id_resp_p
),
breadth AS (SELECT id_orig_h, count(DISTINCT id_resp_h) AS peers FROM hello GROUP BY id_orig_h),
print AS (SELECT id_orig_h, ja4, count(DISTINCT server_name) AS names FROM tls WHERE server_name IS NOT NULL GROUP BY id_orig_h, ja4)
SELECT
    peer.id_orig_h AS actor, peer.id_resp_h AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, 'likely' AS outcome,
    [
        term('it says that it is a browser or library of the web', 1, web::INT),
        term('QUIC, whose clients always ask for a name', 1, is_quic::INT),
        term('held open with long silences', 1, (silence_s >= 5 AND longest_s >= $min_s)::INT),
        term('again and again', 0.7, log_scale(calls, $min_calls, 50)),
        term('a program that nothing else here uses', 0.5, (print.names IS NULL)::INT),
        term('many such peers', -2, log_scale(breadth.peers, 3, 20))
    ] AS terms,
    {
        'port': peer.id_resp_p, 'calls': calls, 'longest_s': round(longest_s, 6), 'silence_s': round(silence_s, 6), 'ja4': peer.ja4, 'sent': sent, 'got': got, 'peers': breadth.peers,
        'protocol': CASE WHEN is_quic THEN 'QUIC' ELSE 'TLS' END, 'held': CASE WHEN longest_s >= $min_s THEN ' and holds the connection open' ELSE ', ' || calls || ' times' END
    } AS evidence,
    peer.flows, peer.frames
FROM peer JOIN breadth USING (id_orig_h)
LEFT JOIN print ON print.id_orig_h = peer.id_orig_h AND print.ja4 = peer.ja4
WHERE longest_s >= $min_s OR calls >= $min_calls
ORDER BY actor, target, peer.id_resp_p
