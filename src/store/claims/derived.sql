-- `host_claims` out of `said`, and `hosts` and `host_role` out of that.

-- One row for each thing said: hosts that exist, values that mean something.
CREATE OR REPLACE TEMP TABLE sound AS
WITH plain AS (
    SELECT ip, CASE WHEN ip IS NULL THEN mac END AS mac, claim, CASE WHEN claim IN ('name', 'alias', 'domain') THEN lower(rtrim(value, '.')) ELSE value END AS value,
           source, ground, frame, ts_ns, last_ts_ns, times, sure, detail
    FROM said
    WHERE claim <> 'reads'
), silent AS (
    -- Addresses of networks, as far as their form tells, from which nobody speaks.
    SELECT ip FROM ends WHERE ip LIKE '%.255' GROUP BY ip HAVING sum(sent) = 0
), merged AS (
    SELECT ip, mac, claim, value, source, ground, min(frame) AS frame, min(ts_ns) AS ts_ns, max(last_ts_ns) AS last_ts_ns, sum(times)::BIGINT AS times,
           max(sure) AS sure, min(detail) AS detail
    FROM plain
    WHERE (ip IS NULL OR NOT (ip IN ('0.0.0.0', '::') OR ip LIKE 'ff__:%' OR ip LIKE '255.%' OR regexp_matches(ip, '^2(2[4-9]|3[0-9])\.')))
      AND (ip IS NULL OR ip NOT IN (SELECT ip FROM silent))
    GROUP BY ALL
)
SELECT merged.*, said_by, confidence * sure AS confidence
FROM merged JOIN grounds USING (ground)
WHERE CASE WHEN claim IN ('name', 'alias') THEN
          length(value) <= 253 AND NOT regexp_matches(value, '[^\pL\pN_ .''’()-]') AND regexp_matches(value, '^[\pL\pN_]') AND NOT regexp_full_match(value, '[0-9.]+')
          AND value NOT IN ('localhost', 'localhost.localdomain', 'localdomain', 'workgroup', 'mshome', 'unknown', '(none)', 'none', 'wpad', 'isatap')
      -- What is typed to attack is nobody's name.
      WHEN claim IN ('user', 'account') THEN NOT regexp_matches(value, '[<>{}"();]')
      WHEN claim = 'mac' THEN substr(value, 2, 1) IN ('0', '2', '4', '6', '8', 'a', 'c', 'e') AND value <> '00:00:00:00:00:00'
      ELSE true END;

-- Each host's best values, in their order. What a host says of itself with more than three faces is said for others.
INSERT INTO host_claims
WITH faces AS (
    -- Different machines, not different spellings of one: the first label of names, the first word of systems.
    SELECT coalesce(ip, mac) AS host, claim, count(DISTINCT regexp_extract(value, '^[^. ]+')) AS faces
    FROM sound
    WHERE said_by = 'host' AND claim IN ('name', 'os')
    GROUP BY ALL
    HAVING faces > 3
), weighed AS (
    SELECT sound.* REPLACE (round(CASE WHEN said_by = 'host' THEN confidence * 3 / coalesce(faces, 3) ELSE confidence END, 3) AS confidence)
    FROM sound LEFT JOIN faces ON host = coalesce(ip, mac) AND sound.claim = faces.claim
), listed AS (
    SELECT ip, mac, claim, value, row_number() OVER (PARTITION BY ip, mac, claim ORDER BY max(confidence) DESC, sum(times) DESC, value) AS place,
           count(*) OVER (PARTITION BY ip, mac, claim) AS found
    FROM weighed
    GROUP BY ip, mac, claim, value
)
SELECT w.ip, w.mac, w.claim, w.value, source, ground, said_by, confidence, frame, make_timestamp((ts_ns - (ts_ns % 1000 + 1000) % 1000) // 1000), ts_ns, make_timestamp((last_ts_ns - (last_ts_ns % 1000 + 1000) % 1000) // 1000),
       last_ts_ns, times, left(detail, 200), CASE WHEN place = {VALUES_MAX} THEN found - {VALUES_MAX} ELSE 0 END
FROM weighed w JOIN listed l ON w.ip IS NOT DISTINCT FROM l.ip AND w.mac IS NOT DISTINCT FROM l.mac AND w.claim = l.claim AND w.value = l.value
WHERE place <= {VALUES_MAX}
ORDER BY w.ip NULLS LAST, w.mac, w.claim, place, confidence DESC, source, ground;

INSERT INTO hosts
WITH names AS (
    SELECT ip, list(value ORDER BY confidence DESC, times DESC, value)[1:5] AS names
    FROM (SELECT ip, value, max(confidence) AS confidence, sum(times) AS times FROM host_claims WHERE ip IS NOT NULL AND claim IN ('name', 'alias') GROUP BY ip, value)
    GROUP BY ip
), macs AS (
    SELECT ip, list(DISTINCT value ORDER BY value) AS macs FROM host_claims WHERE ip IS NOT NULL AND claim = 'mac' AND confidence >= 0.6 GROUP BY ip
), seen AS (
    SELECT ip, bool_or(internal) AS internal, min(ts) AS first_ts, min(ts_ns) AS first_ts_ns, max(last_ts) AS last_ts,
           max(last_ts_ns) AS last_ts_ns, sum(flows)::BIGINT AS flows, sum(sent)::BIGINT AS bytes_out, sum(got)::BIGINT AS bytes_in
    FROM ends
    GROUP BY ip
)
SELECT ip, internal, first_ts, first_ts_ns, last_ts, last_ts_ns, flows, bytes_out, bytes_in, coalesce(macs, []), coalesce(names, [])
FROM seen LEFT JOIN macs USING (ip) LEFT JOIN names USING (ip)
ORDER BY ip;

-- Roles that hosts showed, not those that others gave them.
INSERT INTO host_role
SELECT ip, value, detail FROM host_claims WHERE claim = 'role' AND ground = 'behaviour' AND ip IS NOT NULL
ORDER BY ALL;
