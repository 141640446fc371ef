/*
id       = "dga"
title    = "Names made by an algorithm: a burst of look-ups for domains that do not exist"
attack   = ["T1568.002"]
impact   = 75
prior    = 0.3
family   = "dga"
reads    = ["dns"]
needs    = ["two_sided"]
window   = "10min"
key      = ["actor"]
fires_on = "dga"
benign   = "Browsers try three random names without a dot; a wrong search suffix repeats real names; blocklists and antivirus ask for hashes."
says     = "{actor} asked for {domains} domains that do not exist within ten minutes, such as {examples}; {found} answered"
filter   = "dns.flags.rcode == 3 && ip.addr == {actor}"
[params]
min_domains = 10    # distinct registered domains that do not exist: Slips' 10
min_share   = 0.5   # share of all domains that the host asked for meanwhile
sure        = 30    # so many that the look of the names no longer matters
min_odd     = 0.6   # share of them that look made up: eight letters or more, hard to speak
*/
WITH question AS (
    SELECT
        id_orig_h, ts, flow_id, frame, lower(etld1) AS domain, rcode, epoch_us(ts) // 600000000 AS ten_minutes,
        regexp_extract(lower(etld1), '^([^.]+)\.', 1) AS label
    FROM dns
    WHERE kind = 'dns' AND etld1 IS NOT NULL AND contains(etld1, '.') AND qtype IN (1, 28)
      AND regexp_matches(lower(etld1), '\.[a-z]{2,24}$') AND NOT regexp_matches(lower(query), '\.(local|lan|home|internal|corp|localdomain|arpa)$')
),
domain AS (
    SELECT id_orig_h, ten_minutes, domain, min(label) AS label, bool_and(rcode = 3) AS missing, bool_or(rcode = 0) AS found,
        min(ts) AS ts, min(flow_id) AS flow_id, min(frame) AS frame
    FROM question WHERE rcode IS NOT NULL GROUP BY ALL
),
look AS (
    SELECT *,
        -- Few vowels, long runs of consonants, or digits amid letters: nobody chose such a name to be remembered.
        length(label) >= 8 AND (
            length(regexp_replace(label, '[^aeiouy]', '', 'g')) < 0.25 * length(label)
            OR regexp_matches(label, '[bcdfghjklmnpqrstvwxz]{5}') OR regexp_matches(label, '[a-z][0-9]+[a-z]+[0-9]')
        ) AS odd
    FROM domain
),
burst AS (
    SELECT
        id_orig_h, ten_minutes, count(*) FILTER (missing) AS domains, count(*) AS all_domains, count(*) FILTER (missing AND odd) AS odd,
        count(*) FILTER (found AND odd) AS found,
        min(ts) FILTER (missing) AS first_seen, max(ts) FILTER (missing) AS last_seen,
        min(domain, 5) FILTER (missing) AS examples, least_of(CASE WHEN missing THEN flow_id END, 1000) AS flows, least_of(CASE WHEN missing THEN frame END, 200) AS frames
    FROM look GROUP BY id_orig_h, ten_minutes
)
SELECT
    id_orig_h AS actor, NULL::VARCHAR AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, CASE WHEN found > 0 THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('domains that do not exist', 1.5, log_scale(domains, $min_domains, 100)),
        term('names hard to speak', 2, within((odd / domains::DOUBLE - 0.3) / 0.5, -1, 1)),
        term('hardly anything else asked', 1, 2 * (domains / all_domains::DOUBLE) - 1),
        term('one of them answered', 1, (found > 0)::INT)
    ] AS terms,
    {'domains': domains, 'all_domains': all_domains, 'odd': odd, 'found': found, 'examples': examples} AS evidence,
    flows, frames
FROM burst
WHERE domains >= $min_domains AND domains >= $min_share * all_domains AND (domains >= $sure OR odd >= $min_odd * domains)
ORDER BY actor, first_seen
