/*
id       = "odd-certificate"
title    = "TLS to the Internet with a certificate that no authority vouches for"
attack   = ["T1573.002", "T1571", "T1071.001"]
impact   = 50
prior    = 0.2
family   = "c2-tls"
reads    = ["x509"]
also     = ["tls", "flows"]
needs    = ["payload"]
window   = "capture"
key      = ["actor", "target", "port"]
fires_on = "odd-certificate"
benign   = "Devices that speak to their maker with its own certificates, VPN gateways, self-hosted services."
says     = "{actor} speaks TLS to {target} port {port} with a self-signed certificate ({subject}), valid {validity_days} days, {age_days} days old"
filter   = "tls.handshake && ip.addr == {actor} && ip.addr == {target}"
[params]
young_days = 7.0    # certificates younger than this were made for the occasion
long_days  = 3650.0 # nobody who runs a public service makes certificates for ten years
*/
WITH leaf AS (
    SELECT
        x509.*, flows.direction, flows.last_ts, flows.orig_bytes, flows.resp_bytes, tls.server_name, tls.ja4,
        regexp_extract(certificate_subject, 'CN ?= ?([^,/]+)', 1) AS cn
    FROM x509 JOIN flows USING (flow_id)
    LEFT JOIN (
        SELECT flow_id, min(server_name) AS server_name, min(ja4) AS ja4, bool_or(list_contains(client_exts, 14)) AS is_call FROM tls GROUP BY flow_id
    ) AS tls USING (flow_id)
    -- Keys for sound and pictures (extension 14, RFC 5764) are proven by what the parties told each other before: their certificates are made for the call, by themselves (RFC 5763).
    WHERE NOT (x509.proto = 'udp' AND coalesce(is_call, false)) AND host_cert AND NOT client_cert AND direction IN ('out', 'ext') AND flows.id_orig_h <> flows.id_resp_h
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, 'confirmed' AS outcome,
    [
        term('made for the occasion', 1, bool_or(coalesce(age_days, -1) BETWEEN 0 AND $young_days)::INT),
        term('valid for ten years or more', 0.8, bool_or(coalesce(validity_days, 0) >= $long_days)::INT),
        term('port without a registered service', 1.2, bool_or(id_resp_p NOT IN (443, 8443, 465, 587, 636, 853, 989, 990, 993, 995, 5061, 5223, 5228, 8883))::INT),
        term('the client names no server', 0.7, bool_or(server_name IS NULL OR is_address(server_name))::INT),
        term('a short name without a domain', 0.5, bool_or(cn <> '' AND NOT contains(cn, '.'))::INT),
        term('met by a node of a peer-to-peer network', -3, (id_orig_h IN (SELECT id_orig_h FROM crowds))::INT)
    ] AS terms,
    {
        'port': id_resp_p, 'subject': min(certificate_subject), 'issuer': min(certificate_issuer), 'validity_days': round(min(validity_days), 1), 'age_days': round(min(age_days), 1),
        'fingerprint': min(fingerprint), 'server_name': min(server_name), 'ja4': min(ja4), 'connections': count(DISTINCT flow_id), 'sent': sum(orig_bytes), 'got': sum(resp_bytes)
    } AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
FROM leaf
WHERE self_signed
GROUP BY id_orig_h, id_resp_h, id_resp_p
ORDER BY actor, target, id_resp_p
