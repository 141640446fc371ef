/*
id       = "rogue-dhcp"
title    = "Rogue DHCP server: a second server hands out another way to the network"
attack   = ["T1557.003"]
impact   = 80
prior    = 0.6
family   = "mitm"
reads    = ["dhcp"]
also     = ["flows"]
window   = "capture"
key      = ["actor"]
fires_on = "rogue-dhcp"
benign   = "Two servers that share their work: they hand out the same routers and resolvers. A planned move, which does not hand out both ways at once."
says     = "{actor} answered {clients:clients} beside {others} and handed out {what} where they hand out {usual}"
filter   = "dhcp && ip.src == {actor}"
[params]
quick_s = 300       # seconds within which both ways must have been handed out
*/
WITH answer AS (
    SELECT
        ts, frame, uids, server_id AS server, coalesce(client_chaddr, mac) AS card, server_ids, race_s,
        list_sort(coalesce(router_opt, [])) AS routers, list_sort(coalesce(dns_opt, [])) AS resolvers, wpad_opt, boot_file, msg_types,
        coalesce(assigned_addr, client_addr) AS address, subnet_mask
    FROM dhcp
    WHERE server_id IS NOT NULL AND (list_contains(msg_types, 'OFFER') OR list_contains(msg_types, 'ACK')) AND relay_addr IS NULL
),
-- One way into the network: what a server tells its clients, in one neighbourhood of addresses.
way AS (
    SELECT
        server, net_of(address) AS net, routers, resolvers, coalesce(wpad_opt, '') AS wpad, count(*) AS answers, count(DISTINCT card) AS clients, min(ts) AS first_seen, max(ts) AS last_seen,
        count(*) FILTER (len(server_ids) > 1) AS races, least_of(frame, 100) AS frames, list_distinct(flatten(list(uids ORDER BY frame)))[1:500] AS flows
    FROM answer WHERE len(routers) + len(resolvers) > 0
    GROUP BY ALL
),
pair AS (
    SELECT rogue.*, usual.server AS other, usual.routers AS usual_routers, usual.resolvers AS usual_resolvers, usual.first_seen AS usual_first, usual.last_seen AS usual_last,
        usual.clients AS usual_clients, usual.flows AS usual_flows, usual.frames AS usual_frames
    FROM way AS rogue JOIN way AS usual ON rogue.server <> usual.server AND rogue.net IS NOT DISTINCT FROM usual.net
        AND (rogue.routers <> usual.routers OR rogue.resolvers <> usual.resolvers)
        -- Both at the same time: one that follows the other is a move.
        AND seconds_between(usual.first_seen, rogue.last_seen) >= -$quick_s AND seconds_between(rogue.first_seen, usual.last_seen) >= -$quick_s
    -- The newcomer: the one that fewer clients know, or that appeared later.
    WHERE rogue.clients < usual.clients OR (rogue.clients = usual.clients AND (rogue.first_seen, rogue.server) > (usual.first_seen, usual.server))
)
SELECT
    server AS actor, NULL::VARCHAR AS target, NULL::VARCHAR AS user,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen, CASE WHEN sum(clients) > 0 THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('it makes itself the router', 1.5, bool_or(list_contains(routers, server) AND NOT list_contains(usual_routers, server))::INT),
        term('it makes itself the resolver', 1, bool_or(list_contains(resolvers, server) AND NOT list_contains(usual_resolvers, server))::INT),
        term('both answered the same question', 1, (sum(races) > 0)::INT),
        term('it names a proxy script', 1, bool_or(wpad <> '')::INT),
        term('few clients of either', -0.5, (max(usual_clients) < 2)::INT)
    ] AS terms,
    {
        'others': array_to_string(list_sort(list(DISTINCT other ORDER BY other)), ', '), 'clients': max(clients), 'races': sum(races),
        'what': concat('router ', array_to_string(min(routers), ' '), ' and resolver ', array_to_string(min(resolvers), ' ')),
        'usual': concat('router ', array_to_string(min(usual_routers), ' '), ' and resolver ', array_to_string(min(usual_resolvers), ' '))
    } AS evidence,
    -- What the other server says belongs to the proof: alone, the newcomer is a server like any other.
    list_concat(list_sort(list_distinct(flatten(list(flows ORDER BY first_seen))))[1:500], list_sort(list_distinct(flatten(list(usual_flows ORDER BY first_seen))))[1:500]) AS flows,
    list_concat(list_sort(list_distinct(flatten(list(frames ORDER BY first_seen))))[1:100], list_sort(list_distinct(flatten(list(usual_frames ORDER BY first_seen))))[1:100]) AS frames
FROM pair
GROUP BY server
ORDER BY actor
