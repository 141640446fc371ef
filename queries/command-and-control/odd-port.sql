/*
id       = "odd-port"
title    = "A protocol that takes remote control goes out through the port of another"
attack   = ["T1571", "T1572"]
impact   = 55
prior    = 0.35
family   = "odd-port"
reads    = ["flows"]
window   = "capture"
key      = ["actor", "target", "port"]
fires_on = "odd-port"
benign   = "Administrators whose firewall lets little through; servers that offer SSH on 443 for that reason; messengers that try one port after another."
says     = "{actor} speaks {service} with {target} on port {port}, which is that of {meant}: {connections:connections}, {sent:bytes} out and {got:bytes} back"
filter   = "ip.addr == {actor} && ip.addr == {target} && (tcp.port == {port} || udp.port == {port})"
[params]
min_bytes = 200   # bytes of each side in a connection: less is a knock at the wrong door
*/
WITH meant(port, proto, words, fits) AS (
    -- Ports that firewalls let out, and what may be said there.
    VALUES (21, 'tcp', 'FTP', ['ftp', 'ssl']), (22, 'tcp', 'SSH', ['ssh']), (25, 'tcp', 'mail', ['smtp']), (53, 'tcp', 'DNS', ['dns']), (53, 'udp', 'DNS', ['dns', 'dnscrypt']),
        (80, 'tcp', 'the web', ['http', 'websocket', 'ssl', 'rtmp', 'rtsp', 'shoutcast']), (110, 'tcp', 'mail', ['pop3', 'imap']), (123, 'udp', 'NTP', ['ntp']), (143, 'tcp', 'mail', ['imap', 'pop3']),
        (443, 'tcp', 'the encrypted web', ['ssl', 'quic', 'http2', 'openvpn']), (587, 'tcp', 'mail', ['smtp']), (853, 'tcp', 'DNS over TLS', ['ssl', 'dns']), (993, 'tcp', 'mail', ['ssl', 'imap']), (995, 'tcp', 'mail', ['ssl', 'pop3'])
),
spoken AS (
    SELECT flows.*, string_split(service, ',') AS services, meant.words AS meant, meant.fits
    FROM flows JOIN meant ON meant.port = flows.id_resp_p AND meant.proto = flows.proto
    WHERE service IS NOT NULL AND direction IN ('out', 'ext') AND coalesce(orig_bytes, 0) >= $min_bytes AND coalesce(resp_bytes, 0) >= $min_bytes
),
odd AS (
    SELECT *
    FROM (SELECT *, unnest(services) AS said FROM spoken WHERE NOT list_has_any(fits, services))
    WHERE said IN ('ssh', 'rdp', 'rfb', 'irc', 'socks', 'telnet', 'smb', 'http', 'ssl', 'openvpn', 'wireguard', 'radmin', 'teamviewer')
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, 'confirmed' AS outcome,
    [
        term('a protocol of remote control', 1, bool_or(said IN ('ssh', 'rdp', 'rfb', 'irc', 'socks', 'telnet', 'smb', 'radmin'))::INT),
        term('a port that resolves names or tells the time', 1, bool_or(id_resp_p IN (53, 123))::INT),
        term('nobody looked the peer up', 0.5, bool_and(named.ip IS NULL)::INT),
        term('plain text where encryption is meant', -0.7, bool_or(said = 'http' AND id_resp_p = 443)::INT)
    ] AS terms,
    {
        'service': said, 'port': id_resp_p, 'meant': min(meant), 'connections': count(*), 'sent': sum(orig_bytes), 'got': sum(resp_bytes),
        'span_s': round(seconds_between(min(ts), max(last_ts)), 6)
    } AS evidence,
    least_of(flow_id, 1000) AS flows, list_distinct(flatten(list(frames ORDER BY flow_id)))[1:200] AS frames
FROM odd LEFT JOIN named ON named.ip = odd.id_resp_h
GROUP BY id_orig_h, id_resp_h, id_resp_p, said
ORDER BY actor, target, id_resp_p, said
