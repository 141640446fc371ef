/*
id       = "unprotected-tls"
title    = "TLS that protects nothing: no encryption, nobody proven, or keys that anyone can break"
attack   = ["T1557", "T1040", "T1562.010"]
impact   = 50
prior    = 0.55
family   = "weak-tls"
reads    = ["tls"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "target", "cipher"]
fires_on = "unprotected-tls"
benign   = "Old devices inside; smart cards and meters that only want to be recognised; mail servers, which take any encryption before none."
says     = "{actor} and {target} port {port} agreed on {cipher} ({version}), {weakness}: {handshakes:handshakes}"
filter   = "tls.handshake && ip.addr == {actor} && ip.addr == {target}"
[params]
min_seen = 1 # handshakes that ended so
*/
WITH weak AS (
    SELECT tls.*, flows.last_ts, flows.direction,
        CASE WHEN regexp_matches(cipher, '_NULL_(SHA|MD5|SHA256|SHA384)$|WITH_NULL') THEN 'which encrypts nothing'
             WHEN regexp_matches(cipher, 'EXPORT') THEN 'whose keys of 40 or 56 bits anyone can break'
             WHEN regexp_matches(cipher, '(?i)_anon_') THEN 'which proves nobody, so that anyone can stand between' END AS weakness
    FROM tls JOIN flows USING (flow_id)
    WHERE established AND regexp_matches(cipher, '(?i)_anon_|EXPORT|WITH_NULL') AND coalesce(flows.service, '') NOT LIKE '%smtp%'
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, 'confirmed' AS outcome,
    [
        term('across the border', 0.7, bool_or(direction <> 'lat')::INT),
        term('several times', 0.5, log_scale(count(*), 1, 20)),
        term('the client asked for nothing better', -0.5, bool_and(len(list_filter(coalesce(client_ciphers, []), suite -> suite LIKE 'c0%' OR suite LIKE '13%' OR suite IN ('009c', '009d', '009e', '009f', '002f', '0035'))) = 0)::INT)
    ] AS terms,
    {
        'cipher': cipher, 'version': min(version), 'weakness': min(weakness), 'handshakes': count(*), 'port': min(id_resp_p), 'server_name': min(server_name),
        'span_s': round(seconds_between(min(ts), max(last_ts)), 6)
    } AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(coalesce(server_frame, frame), 200) AS frames
FROM weak
GROUP BY id_orig_h, id_resp_h, cipher
HAVING count(*) >= $min_seen
ORDER BY actor, target, cipher
