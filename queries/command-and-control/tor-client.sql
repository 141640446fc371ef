/*
id       = "tor-client"
title    = "Tor: TLS under made-up names to servers with made-up certificates"
attack   = ["T1090.003", "T1573"]
impact   = 50
prior    = 0.6
family   = "anonymity"
reads    = ["tls"]
also     = ["x509", "dns", "flows"]
window   = "capture"
key      = ["actor"]
fires_on = "tor-client"
benign   = "People who use the Tor browser; whether they may is policy."
says     = "{actor} speaks Tor to {relays} servers, such as {target} as {name}"
filter   = "tls.handshake && ip.addr == {actor}"
[params]
made_up = "^www\\.[a-z2-7]{8,20}\\.(com|net)$" # names that Tor makes up, base32 letters
odd     = "[a-z][2-7]+[a-z]|[bcdfghjklmnpqrstvwxz]{6}" # what sets them apart from words: digits amid letters, or nothing to speak
*/
WITH hello AS (
    SELECT
        tls.flow_id, tls.frame, tls.ts, tls.id_orig_h, tls.id_resp_h, tls.id_resp_p, server_name,
        server_name NOT IN (SELECT lower(query) FROM dns WHERE query IS NOT NULL) AS unasked,
        coalesce(regexp_matches(regexp_extract(subject, 'CN ?= ?([^,/]+)', 1), $made_up) AND regexp_matches(regexp_extract(issuer, 'CN ?= ?([^,/]+)', 1), $made_up), false) AS certified
    FROM tls
    WHERE (regexp_matches(lower(coalesce(server_name, '')), $made_up) AND regexp_matches(lower(server_name[5:-5]), $odd))
       OR (regexp_matches(regexp_extract(coalesce(subject, ''), 'CN ?= ?([^,/]+)', 1), $made_up) AND regexp_matches(regexp_extract(coalesce(issuer, ''), 'CN ?= ?([^,/]+)', 1), $made_up))
),
-- A name that was looked up is an ordinary site with an odd name.
relay AS (SELECT * FROM hello WHERE certified OR unasked),
client AS (
    SELECT id_orig_h, count(DISTINCT id_resp_h) AS relays, count(DISTINCT server_name) AS names, bool_or(certified) AS certified, min(coalesce(server_name, 'a name unseen')) AS name FROM relay GROUP BY id_orig_h
)
SELECT
    relay.id_orig_h AS actor, relay.id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(ts) AS last_seen, 'confirmed' AS outcome,
    [
        term('made-up names on both ends of the certificate', 2, client.certified::INT),
        term('several relays', 1.5, log_scale(relays, 1, 4)),
        -- A server has one name; Tor makes up a new one for each connection.
        term('several names for one server', 1.5, (names > relays)::INT)
    ] AS terms,
    {'relays': relays, 'names': names, 'name': name, 'connections': count(*)} AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
FROM relay JOIN client USING (id_orig_h)
WHERE relays >= 2 OR names >= 2 OR client.certified
GROUP BY relay.id_orig_h, relay.id_resp_h, relays, names, name, client.certified
ORDER BY actor, target
