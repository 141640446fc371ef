/*
id       = "c2-certificate"
title    = "A certificate that remote-access tools and C2 frameworks make by default"
attack   = ["T1573.002", "T1219", "T1587.003"]
impact   = 95
prior    = 0.9
family   = "c2-tls"
reads    = ["x509"]
also     = ["tls", "flows"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "c2-certificate"
benign   = "Security training and tests of your own."
says     = "{actor} speaks TLS to {target} port {port} whose certificate is that of {tool}: {subject}"
filter   = "tls.handshake && ip.addr == {actor} && ip.addr == {target}"
[params]
names   = "dcrat|asyncrat|venomrat|quasar|xworm|orcus|bitrat|cobalt ?strike|metasploit|empire|covenant|mythic|havoc|sliver|merlin|posh ?c2|pupy|koadic|remcos|njrat|nanocore|limerat|silenttrinity|villain|brute ratel" # names of tools, in subject or issuer
serials = ["8BB00EE", "08BB00EE"] # Cobalt Strike's default
everyday = "empire|covenant|mythic|havoc|sliver|merlin|villain|orcus|quasar|koadic|pupy" # of these names those that mean something else
words   = "server|ca\\b|team|c2|multiplayer|operators" # words that the tools put beside their names
*/
WITH leaf AS (
    SELECT x509.*, lower(certificate_subject || ' ' || certificate_issuer) AS who
    FROM x509 WHERE host_cert AND NOT client_cert
),
known AS (
    SELECT *,
        list_contains($serials, upper(certificate_serial)) AS known_serial,
        CASE WHEN list_contains($serials, upper(certificate_serial)) THEN 'Cobalt Strike' ELSE regexp_extract(who, '(^|[^a-z])(' || $names || ')', 2) END AS tool
    FROM leaf
    WHERE list_contains($serials, upper(certificate_serial)) OR regexp_matches(who, '(^|[^a-z])(' || $names || ')($|[^a-z]|server|client|self)')
)
SELECT
    known.id_orig_h AS actor, known.id_resp_h AS target, NULL::VARCHAR AS user,
    min(known.ts) AS first_seen, max(flows.last_ts) AS last_seen, 'confirmed' AS outcome,
    [
        term('self-signed, or by the same tool', 1, bool_or(self_signed OR regexp_matches(lower(certificate_issuer), $names))::INT),
        term('a word that the tool adds', 1, bool_or(regexp_matches(who, $words))::INT),
        -- Companies and places bear such names too, and an authority says so: tools vouch for themselves.
        term('issued by somebody else', -4, bool_and(NOT known_serial AND NOT self_signed AND NOT regexp_matches(lower(certificate_issuer), '(^|[^a-z])(' || $names || ')'))::INT),
        term('a word of everyday, and no other', -3, bool_and(NOT known_serial AND regexp_full_match(tool, $everyday) AND NOT regexp_matches(who, $words))::INT)
    ] AS terms,
    {
        'tool': min(tool), 'subject': min(certificate_subject), 'issuer': min(certificate_issuer), 'serial': min(certificate_serial), 'fingerprint': min(fingerprint),
        'port': min(known.id_resp_p), 'connections': count(DISTINCT known.flow_id), 'span_s': round(seconds_between(min(known.ts), max(flows.last_ts)), 6)
    } AS evidence,
    least_of(known.flow_id, 1000) AS flows, least_of(known.frame, 200) AS frames
FROM known JOIN flows USING (flow_id)
GROUP BY known.id_orig_h, known.id_resp_h
ORDER BY actor, target
