/*
id       = "stealer-upload"
title    = "A host asks for its own public address and then uploads by FTP or mail: the way of information stealers"
attack   = ["T1048.003", "T1041", "T1071.003"]
impact   = 75
prior    = 0.35
family   = "exfil"
reads    = ["flows", "dns"]
also     = ["ftp", "http", "tls"]
window   = "1h"
key      = ["actor", "target"]
fires_on = "stealer-upload"
benign   = "Servers and scripts that register a dynamic address and send their log by mail."
says     = "{actor} asked {service} for its public address and then sent {sent:bytes} to {target} over {channel}"
filter   = "ip.addr == {actor} && ip.addr == {target}"
[params]
checks = ["api.ipify.org", "api64.ipify.org", "ipify.org", "ip-api.com", "checkip.dyndns.org", "checkip.amazonaws.com", "icanhazip.com", "ipinfo.io", "whatismyip.com", "whatismyipaddress.com", "ifconfig.me", "myexternalip.com", "wtfismyip.com", "ipecho.net", "ident.me", "freegeoip.app", "reallyfreegeoip.org", "api.myip.com", "geoiplookup.io", "ipv4bot.whatismyipaddress.com"] # services that tell a host its public address
min_sent = 200      # bytes sent, so that a login alone is no upload
*/
WITH asked AS (
    SELECT id_orig_h, min(ts) AS asked_at, min(lower(query)) AS service, min(frame) AS frame, min(flow_id) AS flow_id
    FROM dns
    WHERE len(list_filter($checks, name -> lower(query) = name OR ends_with(lower(query), '.' || name))) > 0
    GROUP BY id_orig_h
),
upload AS (
    SELECT
        id_orig_h, id_resp_h,
        CASE WHEN service LIKE '%smtp%' OR id_resp_p IN (25, 465, 587, 2525) THEN 'mail' ELSE 'FTP' END AS channel,
        sum(coalesce(orig_bytes, 0)) AS sent, min(ts) AS ts, max(last_ts) AS last_ts, least_of(flow_id, 1000) AS flows, least_of(first_frame, 150) AS frames, min(direction) AS direction
    FROM flows
    WHERE proto = 'tcp' AND direction IN ('out', 'ext') AND resp_pkts > 0
      AND (service LIKE '%ftp%' OR service LIKE '%smtp%' OR id_resp_p IN (21, 25, 465, 587, 2525)
           -- Connections that carry the files themselves.
           OR id_orig_h || ' ' || id_resp_h IN (SELECT id_orig_h || ' ' || id_resp_h FROM ftp WHERE command = 'STOR'))
    GROUP BY ALL
)
SELECT
    upload.id_orig_h AS actor, upload.id_resp_h AS target, NULL::VARCHAR AS user,
    asked_at AS first_seen, last_ts AS last_seen, 'confirmed' AS outcome,
    [
        term('within minutes', 1, (seconds_between(asked_at, upload.ts) BETWEEN 0 AND 600)::INT),
        term('stored files', 0.8, (upload.id_orig_h IN (SELECT id_orig_h FROM ftp WHERE command = 'STOR'))::INT),
        term('more than a greeting', 0.5, log_scale(sent, $min_sent, 20000))
    ] AS terms,
    {'service': asked.service, 'channel': channel, 'sent': sent, 'asked_at': asked_at, 'pause_s': round(seconds_between(asked_at, upload.ts), 6)} AS evidence,
    list_concat([asked.flow_id], upload.flows) AS flows, list_concat([asked.frame], frames) AS frames
FROM upload JOIN asked USING (id_orig_h)
WHERE sent >= $min_sent AND upload.ts >= asked_at AND seconds_between(asked_at, upload.ts) <= 3600
ORDER BY actor, target, channel
