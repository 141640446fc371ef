/*
id       = "mass-mail"
title    = "A host that is no mail server delivers to one mail server after another, as spam bots do"
attack   = ["T1496", "T1566"]
impact   = 60
prior    = 0.4
family   = "mail"
reads    = ["smtp"]
also     = ["flows", "dns"]
window   = "capture"
key      = ["actor"]
fires_on = "mass-mail"
benign   = "Mail servers and mailing-list software, whose own port 25 is not in the capture."
says     = "{actor} delivered mail to {servers} servers outside within {span_s:duration}: {messages:messages} of {senders:senders}, {refused} refused"
filter   = "smtp && ip.addr == {actor}"
[params]
min_servers = 10  # mail servers outside; ntopng asks at 5, and people's programs know one or two
min_failed  = 0.3 # share of deliveries that were refused: lists of spammers are old and their hosts are blocked
*/
WITH delivery AS (
    SELECT flow_id, flows.ts, flows.last_ts, flows.first_frame, flows.id_orig_h, flows.id_resp_h, flows.service LIKE '%smtp%' AS spoke
    FROM flows
    WHERE proto = 'tcp' AND id_resp_p = 25 AND direction IN ('out', 'ext') AND opened(history) AND resp_pkts > 0 AND coalesce(resp_bytes, 0) > 0
),
-- Who takes mail from others is a server of mail.
serves AS (SELECT DISTINCT id_resp_h AS ip FROM flows WHERE proto = 'tcp' AND id_resp_p = 25 AND coalesce(resp_bytes, 0) > 0),
asked AS (SELECT id_orig_h, count(DISTINCT query) AS exchanges FROM dns WHERE qtype_name = 'MX' GROUP BY id_orig_h),
told AS (
    SELECT id_orig_h, count(*) FILTER (mailfrom IS NOT NULL) AS messages, count(DISTINCT lower(mailfrom)) AS senders, count(DISTINCT lower(regexp_extract(mailfrom, '@([^>]+)', 1))) AS domains,
        count(DISTINCT helo) AS names, count(*) FILTER (accepted) AS accepted, count(*) FILTER (refused > 0 OR accepted = false OR regexp_matches(coalesce(last_reply, ''), '^[45]\d\d')) AS refused,
        min(subject) AS subject, least_of(frame, 200) AS frames
    FROM smtp GROUP BY id_orig_h
),
sender AS (
    SELECT id_orig_h, count(DISTINCT id_resp_h) AS servers, count(*) AS deliveries, min(ts) AS first_seen, max(last_ts) AS last_seen, least_of(flow_id, 1000) AS flows, least_of(first_frame, 200) AS first_frames,
        least_of(id_resp_h, 20) AS examples
    FROM delivery WHERE spoke AND id_orig_h NOT IN (SELECT ip FROM serves)
    GROUP BY id_orig_h
    HAVING count(DISTINCT id_resp_h) >= $min_servers
)
SELECT
    sender.id_orig_h AS actor, NULL::VARCHAR AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, 'confirmed' AS outcome,
    [
        term('many servers', 1.5, log_scale(servers, $min_servers / 2, 100)),
        term('senders of many domains', 1.5, log_scale(coalesce(domains, 0), 1, 10)),
        term('it gives itself one name after another', 1, (coalesce(names, 0) > 2)::INT),
        term('refused', 1, (coalesce(refused, 0) >= $min_failed * servers)::INT),
        term('it looks up the servers itself', 0.5, (coalesce(exchanges, 0) >= 5)::INT)
    ] AS terms,
    {
        'servers': servers, 'deliveries': deliveries, 'messages': coalesce(messages, 0), 'senders': coalesce(senders, 0), 'domains': coalesce(domains, 0), 'names': coalesce(names, 0),
        'refused': coalesce(refused, 0), 'accepted': coalesce(accepted, 0), 'subject': subject, 'examples': examples, 'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, coalesce(frames, first_frames) AS frames
FROM sender LEFT JOIN told USING (id_orig_h) LEFT JOIN asked USING (id_orig_h)
ORDER BY actor
