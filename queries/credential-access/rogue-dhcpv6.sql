/*
id       = "rogue-dhcpv6"
title    = "A host that is no router hands out IPv6 addresses and itself as the resolver"
attack   = ["T1557", "T1557.003"]
impact   = 85
prior    = 0.3
family   = "mitm"
reads    = ["dhcpv6"]
also     = ["ndp", "dns", "flows"]
window   = "capture"
key      = ["actor"]
fires_on = "rogue-dhcpv6"
benign   = "A DHCPv6 server with a resolver of its own: it hands out addresses of the network's prefix, which a router announces."
says     = "{actor} answered {clients:DHCPv6 clients} and made itself their resolver ({resolver}); {how}"
filter   = "dhcpv6 && ipv6.src == {actor}"
*/
WITH answer AS (
    SELECT
        *, CASE WHEN is_orig THEN id_orig_h ELSE id_resp_h END AS server, CASE WHEN is_orig THEN id_resp_h ELSE id_orig_h END AS client,
        list_filter(addresses, lambda one: starts_with(lower(one), 'fe80')) AS local_addresses,
        list_filter(dns_servers, lambda one: starts_with(lower(one), 'fe80')) AS local_resolvers
    FROM dhcpv6 WHERE msg_type IN ('ADVERTISE', 'REPLY') AND len(dns_servers) > 0 AND relay_link IS NULL
),
router AS (SELECT DISTINCT src FROM ndp WHERE kind = 'router_advertisement' AND router_lifetime > 0),
server AS (
    SELECT
        answer.server, count(DISTINCT coalesce(client_duid, client)) AS clients, min(server_duid) AS duid,
        count(*) FILTER (len(local_addresses) > 0) AS gave_local, count(*) FILTER (list_contains(dns_servers, answer.server)) AS itself,
        min(list_extract(CASE WHEN list_contains(dns_servers, answer.server) THEN [answer.server] ELSE dns_servers END, 1)) AS resolver,
        bool_or(router.src IS NOT NULL) AS is_router,
        bool_or(len(domains) > 0) AS domains, count(*) FILTER (msg_type = 'REPLY') AS replies,
        min(ts) AS first_seen, max(ts) AS last_seen, least_of(flow_id, 500) AS flows, least_of(frame, 200) AS frames, min(list_extract(local_addresses, 1)) AS example
    FROM answer LEFT JOIN router ON router.src = answer.server
    GROUP BY answer.server
),
asked AS (
    SELECT id_resp_h AS server, count(DISTINCT id_orig_h) AS askers, count(*) AS questions, least_of(frame, 50) AS frames, least_of(flow_id, 100) AS flows
    FROM dns SEMI JOIN (SELECT resolver FROM server) AS named ON named.resolver = dns.id_resp_h
    WHERE kind = 'dns' GROUP BY id_resp_h
),
others AS (SELECT count(*) AS servers FROM server)
SELECT
    server.server AS actor, NULL::VARCHAR AS target, NULL::VARCHAR AS user, first_seen, last_seen, CASE WHEN replies > 0 OR askers > 0 THEN 'confirmed' ELSE 'attempt' END AS outcome,
    [
        -- Link-local addresses are made by their owner (RFC 4862): no server has any to give.
        term('it hands out link-local addresses', 3, (gave_local > 0)::INT),
        term('it is no router', 0.3, (NOT is_router)::INT),
        term('it is not the only server', 0.7, (servers > 1)::INT),
        term('clients ask it for names', 0.7, (coalesce(askers, 0) > 0)::INT)
    ] AS terms,
    {
        'clients': clients, 'resolver': resolver, 'replies': replies, 'servers': servers, 'questions': coalesce(questions, 0),
        'how': concat_ws(', ',
            CASE WHEN gave_local > 0 THEN 'it handed out link-local addresses such as ' || example ELSE 'it announced no route' END,
            CASE WHEN askers > 0 THEN askers || ' asked it for names' END),
        'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    list_concat(server.flows, coalesce(asked.flows, [])) AS flows, list_concat(server.frames, coalesce(asked.frames, [])) AS frames
FROM server LEFT JOIN asked ON asked.server = server.resolver CROSS JOIN others
WHERE gave_local > 0 OR (itself > 0 AND NOT is_router)
ORDER BY actor
