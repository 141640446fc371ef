/*
id       = "dns-tunnel"
title    = "DNS tunnel: data carried in names or records under one domain"
attack   = ["T1071.004", "T1572", "T1048.003"]
impact   = 85
prior    = 0.5
family   = "dns-c2"
reads    = ["dns"]
window   = "capture"
key      = ["actor", "domain"]
fires_on = "dns-tunnel"
benign   = "CDN and antivirus look-ups encode hashes in names: few names per client, short answers. Add such domains to `lookups`."
says     = "{actor} asked {target} for {names} names under {domain}, {information:bytes} of information in {span_s:duration}, {odd_share:percent} in record types that carry data"
filter   = "dns && ip.addr == {actor} && ip.addr == {target}"
[params]
min_names       = 20     # distinct names one client asks under one domain
min_information = 4000   # bytes of information in the names (characters × entropy / 8); 17 hours of a laptop gave 171 at most
min_length      = 40     # mean characters before the domain that only an encoding needs
min_odd_share   = 0.5    # share of record types that carry data: TXT, NULL, CNAME, MX, KEY, SRV, PRIVATE
min_answers     = 1000   # bytes of text in answers of such types, for tunnels that speak in answers
lookups         = ["in-addr.arpa", "ip6.arpa", "sophosxl.net", "mcafee.com", "e5.sk", "spamhaus.org", "sorbs.net", "barracudacentral.org", "surbl.org", "uribl.com", "dnswl.org", "team-cymru.com", "akadns.net", "akamai.net", "cloudfront.net"] # look-up services whose names are questions by design
*/
WITH question AS (
    SELECT
        id_orig_h, id_resp_h,
        -- A tunnel straight to its server needs no domain: then the last label is data. No top-level domain has a digit, but for xn--.
        CASE WHEN regexp_matches(lower(query), '(^|\.)(xn--[a-z0-9-]+|[a-z]{2,24})$') THEN lower(etld1) ELSE 'no domain' END AS domain,
        CASE WHEN regexp_matches(lower(query), '(^|\.)(xn--[a-z0-9-]+|[a-z]{2,24})$') THEN coalesce(sub, '') ELSE lower(query) END AS sub,
        CASE WHEN regexp_matches(lower(query), '(^|\.)(xn--[a-z0-9-]+|[a-z]{2,24})$') THEN coalesce(sub_h1, 0) ELSE 4 END AS sub_h1, qtype_name, qtype, rcode,
        flow_id, frame, ts, answers, resp_bytes,
        -- Names that begin with an underscore ask for services, keys and policies, as they are made to.
        coalesce(qtype IN (10, 15, 16, 5, 25, 33, 65399) OR qtype > 260, false) AND NOT starts_with(query, '_') AS odd
    FROM dns
    WHERE kind = 'dns' AND query IS NOT NULL AND etld1 IS NOT NULL AND len(list_filter($lookups, service -> lower(query) = service OR ends_with(lower(query), '.' || service))) = 0
),
name AS (
    SELECT
        id_orig_h, id_resp_h, domain, sub, max(sub_h1) AS sub_h1, bool_or(odd) AS odd, count(*) AS asked,
        min(ts) AS ts, max(ts) AS last_ts, min(frame) AS frame, min(flow_id) AS flow_id,
        max(coalesce(resp_bytes, 0)) AS resp_bytes,
        max(CASE WHEN odd THEN coalesce(length(array_to_string(answers, '')), 0) ELSE 0 END) AS answered
    FROM question GROUP BY id_orig_h, id_resp_h, domain, sub
),
domain AS (
    SELECT
        id_orig_h, id_resp_h, domain,
        count(*) AS names, sum(asked) AS queries,
        sum(length(sub) * sub_h1 / 8) AS information,
        avg(length(sub)) AS length_mean, max(length(sub)) AS length_max,
        avg(sub_h1) AS entropy_mean,
        sum(odd::INT * asked) / sum(asked)::DOUBLE AS odd_share,
        sum(answered) AS answered,
        avg(resp_bytes) AS resp_bytes_mean,
        min(ts) AS first_seen, max(last_ts) AS last_seen,
        min(sub, 5) AS examples, least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
    FROM name GROUP BY id_orig_h, id_resp_h, domain
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, 'confirmed' AS outcome,
    [
        term('information in names', 1, within(log10(greatest(information, 1) / $min_information), -1, 2)),
        term('long names', 1, within((length_mean - $min_length / 2) / $min_length, -0.5, 1)),
        term('types that carry data', 1.5, odd_share),
        term('text in answers', 1, log_scale(answered, $min_answers / 4.0, 20000)),
        term('every name new', 1, 2 * within(names / queries::DOUBLE, 0, 1) - 1),
        term('many names', 1, log_scale(names, $min_names, 1000))
    ] AS terms,
    {
        'domain': domain, 'names': names, 'queries': queries, 'information': round(information, 6), 'length_mean': round(length_mean, 6),
        'length_max': length_max, 'entropy_mean': round(entropy_mean, 6), 'odd_share': round(odd_share, 6), 'answered': answered,
        'examples': examples, 'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM domain
WHERE ((names >= $min_names AND (information >= $min_information OR length_mean >= $min_length OR odd_share >= $min_odd_share))
    -- One record that is asked for again and again is a policy (SPF), not a conversation.
    OR (queries >= $min_names AND names > 1 AND odd_share >= $min_odd_share AND answered >= $min_answers))
  -- A resolver that passes on what its clients ask is no end of the tunnel: whoever was asked as much under the same domain.
  AND NOT EXISTS (
      SELECT 1 FROM domain asker
      WHERE asker.id_resp_h = domain.id_orig_h AND asker.domain = domain.domain AND asker.id_orig_h <> domain.id_resp_h AND 2 * asker.names >= domain.names
  )
ORDER BY actor, target, domain
