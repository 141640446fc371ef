/*
id       = "rogue-router"
title    = "A second router is announced over IPv6, or the true one is announced away"
attack   = ["T1557"]
impact   = 80
prior    = 0.35
family   = "mitm"
reads    = ["ndp"]
also     = ["flows"]
window   = "1h"
key      = ["actor"]
fires_on = "rogue-router"
benign   = "Two routers that back each other up: they announce the same prefixes. A border router of a network of things, which announces no default route."
says     = "{actor} announced itself as an IPv6 router {messages:times}: {how}"
filter   = "icmpv6.type == 134"
[params]
min_senders = 10   # routers that appear within a minute: no link has so many
*/
WITH said AS (
    SELECT ndp.*, coalesce(vlan, 0) AS vlan, epoch_us(ts) // 60000000 AS minute
    FROM ndp LEFT JOIN (SELECT flow_id, vlan FROM flows) AS link USING (flow_id)
    -- Whatever crossed a router is ignored by everybody (RFC 4861, 6.1.2).
    WHERE kind = 'router_advertisement' AND hop_limit = 255 AND starts_with(src, 'fe80') AND eth_src IS NOT NULL
      -- Virtual routers share an address between two machines: VRRP, HSRP, GLBP.
      AND NOT regexp_matches(lower(eth_src), '^(00:00:5e:00:0[12]|00:05:73:a|00:07:b4)')
),
sender AS (
    SELECT
        vlan, src, lower(eth_src) AS mac, list_sort(list_distinct(flatten(list(list_transform(coalesce(prefixes, []), lambda one: split_part(one, ' ', 1)) ORDER BY frame)))) AS prefixes,
        list_sort(list_distinct(flatten(list(coalesce(dns_servers, []) ORDER BY frame)))) AS resolvers, max(router_lifetime) AS lifetime, min(router_lifetime) AS least_lifetime,
        bool_or(preference = 'high') AS preferred, count(*) AS messages, min(ts) AS first_seen, max(ts) AS last_seen, min(frame) AS first_frame, least_of(frame, 100) AS frames, least_of(flow_id, 200) AS flows
    FROM said GROUP BY vlan, src, lower(eth_src)
),
-- A flood of made-up routers.
crowd AS (
    SELECT minute, count(DISTINCT src) AS senders FROM said WHERE router_lifetime > 0 OR len(prefixes) > 0 GROUP BY minute HAVING count(DISTINCT src) >= $min_senders
),
flood AS (
    SELECT max(crowd.senders) AS senders, count(*) AS messages, min(ts) AS first_seen, max(ts) AS last_seen, least_of(frame, 200) AS frames, least_of(flow_id, 1000) AS flows,
        count(DISTINCT eth_src) AS cards, min(lower(eth_src)) AS card
    FROM said JOIN crowd USING (minute) HAVING count(*) > 0
),
-- The one that was there first.
usual AS (
    SELECT * FROM sender WHERE lifetime > 0 AND NOT EXISTS (FROM crowd)
    QUALIFY row_number() OVER (PARTITION BY vlan ORDER BY first_seen, first_frame) = 1
),
second AS (
    SELECT
        sender.*, usual.src AS other, usual.frames AS usual_frames, usual.flows AS usual_flows,
        sender.src = usual.src AS same_address,
        len(list_filter(sender.prefixes, lambda one: NOT list_contains(usual.prefixes, one))) AS new_prefixes,
        len(list_filter(sender.resolvers, lambda one: NOT list_contains(usual.resolvers, one))) AS new_resolvers
    FROM sender JOIN usual ON sender.vlan = usual.vlan AND sender.mac <> usual.mac
        -- What the first one said still held.
        AND seconds_between(usual.last_seen, sender.first_seen) <= usual.lifetime
)
SELECT
    src AS actor, other AS target, NULL::VARCHAR AS user, first_seen, last_seen, 'confirmed' AS outcome,
    [
        term('under the address of the true router', 1.5, same_address::INT),
        term('it says that the true router is none any more', 1.5, (same_address AND least_lifetime = 0)::INT),
        term('it wants to be preferred', 1, preferred::INT),
        term('it names a resolver', 0.7, (new_resolvers > 0)::INT),
        term('another prefix', 0.3, (new_prefixes > 0)::INT)
    ] AS terms,
    {
        'messages': messages, 'hardware': mac, 'other': other, 'lifetime_s': lifetime, 'prefixes': prefixes, 'resolvers': resolvers,
        'how': concat_ws(', ',
            CASE WHEN same_address THEN 'from another card than the router that has this address' ELSE 'beside ' || other END,
            CASE WHEN same_address AND least_lifetime = 0 THEN 'saying that it is no router any more' END,
            CASE WHEN NOT same_address AND new_prefixes > 0 THEN 'with the prefix ' || list_filter(prefixes, lambda one: true)[1] END,
            CASE WHEN new_resolvers > 0 THEN 'with the resolver ' || resolvers[1] END,
            CASE WHEN preferred THEN 'with high preference' END),
        'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    list_concat(flows, usual_flows) AS flows, list_concat(frames, usual_frames) AS frames
FROM second
WHERE same_address OR (lifetime > 0 AND new_prefixes + new_resolvers > 0)
UNION ALL
SELECT
    CASE WHEN cards = 1 THEN card END, 'ff02::1', NULL, first_seen, last_seen, 'confirmed',
    [term('routers', 2, log_scale(senders, $min_senders, 200)), term('all from one card', 1, (cards = 1)::INT)],
    {
        'messages': messages, 'hardware': card, 'other': '', 'lifetime_s': NULL, 'prefixes': [], 'resolvers': [],
        'how': senders || ' made-up routers within a minute', 'span_s': round(seconds_between(first_seen, last_seen), 6)
    },
    flows, frames
FROM flood
ORDER BY actor, target, first_seen
