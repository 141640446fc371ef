/*
id       = "intel-match"
title    = "Traffic with something that a list of known bad things names"
attack   = ["T1071", "T1105"]
impact   = 70
prior    = 0.5
family   = "intel"
reads    = ["indicators"]
also     = ["flows", "dns", "tls", "quic", "http", "files", "x509", "hosts"]
window   = "capture"
key      = ["actor", "target", "value"]
fires_on = "intel-match"
benign   = "Lists go stale: addresses change hands, shared hosting carries good and bad, research and blocking services ask for bad names on purpose."
says     = "{actor} {did} {value}, which {list} ({listed}) lists: {threat}"
filter   = "ip.addr == {actor}"
[params]
early_days     = 30.0  # an entry counts this long before the day from which it is valid: lists learn late
half_life_days = 180.0 # an entry loses half of its weight in this time
common_share   = 0.5   # what so large a share of our hosts meets is hardly their undoing
*/
WITH asked AS (
    SELECT flow_id, frame, ts_ns, ts, id_orig_h, NULL::VARCHAR AS id_resp_h, lower(query) AS name, 'asked for the name' AS did, false AS answered FROM dns WHERE query IS NOT NULL
    UNION ALL
    SELECT flow_id, frame, ts_ns, ts, id_orig_h, id_resp_h, lower(server_name), 'spoke TLS to', coalesce(established, false) FROM tls WHERE server_name IS NOT NULL
    UNION ALL
    SELECT flow_id, frame, ts_ns, ts, id_orig_h, id_resp_h, lower(server_name), 'spoke QUIC to', true FROM quic WHERE server_name IS NOT NULL
    UNION ALL
    SELECT flow_id, frame, ts_ns, ts, id_orig_h, id_resp_h, regexp_replace(lower(host), ':[0-9]+$', ''), 'asked the web server', status_code IS NOT NULL FROM http WHERE host IS NOT NULL
), suffixes AS (
    -- A listed domain means all names below it.
    SELECT name, array_to_string(list_slice(string_split(name, '.'), place, len(string_split(name, '.'))), '.') AS suffix
    FROM (SELECT DISTINCT name FROM asked), unnest(range(1, least(len(string_split(name, '.')), 20))) AS places(place)
), seen AS (
    SELECT 'domain' AS kind, suffix AS value, asked.* EXCLUDE (name), name AS said FROM asked JOIN suffixes USING (name)
    UNION ALL
    SELECT 'ip', id_resp_h, flow_id, first_frame, ts_ns, ts, id_orig_h, id_resp_h, 'talked to', resp_pkts > 0, id_resp_h FROM flows
    UNION ALL
    SELECT 'ip', id_orig_h, flow_id, first_frame, ts_ns, ts, id_orig_h, id_resp_h, 'came from', coalesce(resp_bytes, 0) > 0, id_orig_h FROM flows
    UNION ALL
    SELECT 'url', lower(host) || uri, flow_id, frame, ts_ns, ts, id_orig_h, id_resp_h, 'asked for', status_code IS NOT NULL, lower(host) || uri FROM http WHERE host IS NOT NULL AND uri IS NOT NULL
    UNION ALL
    SELECT unnest(['md5', 'sha1', 'sha256']), unnest([md5, sha1, sha256]), flow_id, frame, ts_ns, ts, id_orig_h, id_resp_h, 'exchanged the file', true, coalesce(filename, url, mime_type) FROM files
    UNION ALL
    SELECT unnest(['sha1', 'sha256']), unnest([sha1, fingerprint]), flow_id, frame, ts_ns, ts, id_orig_h, id_resp_h, 'met the certificate', true, certificate_subject FROM x509
    UNION ALL
    SELECT unnest(['ja3', 'ja3s', 'ja4']), unnest([ja3, ja3s, ja4]), flow_id, frame, ts_ns, ts, id_orig_h, id_resp_h, 'shook hands as', coalesce(established, false), server_name FROM tls
    UNION ALL
    SELECT 'ja4', ja4, flow_id, frame, ts_ns, ts, id_orig_h, id_resp_h, 'shook hands as', true, server_name FROM quic
), hit AS (
    SELECT seen.*, source, threat, listed_ts, listed_as, confidence,
           confidence * pow(0.5, greatest(0, coalesce(seen.ts_ns - listed_ts_ns, 0) / 86400e9) / $half_life_days) AS weight
    FROM seen JOIN indicators AS listed USING (kind, value)
    WHERE value IS NOT NULL
      AND (first_ts_ns IS NULL OR seen.ts_ns >= first_ts_ns - $early_days * 86400e9)
      AND (last_ts_ns IS NULL OR seen.ts_ns <= last_ts_ns)
), spread AS (
    SELECT kind, value, count(DISTINCT id_orig_h) / greatest(10, (SELECT count(*) FROM hosts WHERE internal)) AS share FROM hit GROUP BY kind, value
), met AS (
    SELECT id_orig_h, id_resp_h, kind, value,
           -- The surest list speaks; ties go by its name, so that nothing is left open.
           max({'weight': weight, 'source': source, 'listed': listed_ts, 'threat': threat, 'listed_as': listed_as, 'confidence': confidence}) AS surest,
           count(DISTINCT source) AS lists, bool_or(answered) AS answered, min(did) AS did, min(said) AS said, min(ts) AS first_ts, max(ts) AS last_ts,
           least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames, count(DISTINCT flow_id) AS connections
    FROM hit
    GROUP BY id_orig_h, id_resp_h, kind, value
    -- Who asks for a name and then talks to its host did one thing, not two.
    QUALIFY id_resp_h IS NOT NULL OR NOT bool_or(id_resp_h IS NOT NULL) OVER (PARTITION BY id_orig_h, kind, value)
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user, first_ts AS first_seen, last_ts AS last_seen,
    CASE WHEN answered THEN 'confirmed' WHEN id_resp_h IS NULL THEN 'likely' ELSE 'attempt' END AS outcome,
    [
        term('how sure the list is of such a thing, by its age', 3, ln(within(surest.weight, 0.05, 0.95) / (1 - within(surest.weight, 0.05, 0.95))) / 3),
        term('it answered', 0.8, answered::INT),
        term('several lists agree', 0.7, (lists > 1)::INT),
        term('many of our hosts meet it', -2, (share >= $common_share)::INT)
    ] AS terms,
    {
        'did': did, 'kind': kind, 'value': value, 'seen_as': said, 'list': surest.source, 'listed': coalesce(strftime(surest.listed, '%Y-%m-%d'), 'undated'),
        'listed_as': surest.listed_as, 'threat': coalesce(surest.threat, 'no reason given'), 'list_confidence': round(surest.confidence, 3),
        'lists': lists, 'connections': connections, 'share_of_hosts': round(share, 3)
    } AS evidence,
    flows, frames
FROM met JOIN spread USING (kind, value)
ORDER BY actor, target, kind, value
