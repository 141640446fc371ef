/*
id       = "stolen-ticket"
title    = "Pass-the-ticket: a Kerberos ticket is used by a host that it was not given to"
attack   = ["T1550.003", "T1558"]
impact   = 90
prior    = 0.7
family   = "kerberos-tickets"
reads    = ["kerberos"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "user"]
fires_on = "stolen-ticket"
benign   = "One machine with several addresses, or two behind one translation of addresses; delegated tickets, which are marked and left out."
says     = "{actor} shows {target} a ticket of {user} that was given to {owner}"
filter   = "kerberos && (ip.addr == {actor} || ip.addr == {owner})"
[params]
max_users = 3       # hosts that show one ticket; more are a capture on both sides of a translation of addresses
*/
WITH given AS (
    SELECT new_ticket AS ticket, id_orig_h AS owner, min(ts) AS ts, min(client) AS client, min(service) AS service, min(frame) AS frame, min(flow_id) AS flow_id
    FROM kerberos
    -- Forwarded tickets (bit 2) are made to be handed on; so are proxied ones (bit 4).
    WHERE success AND new_ticket IS NOT NULL AND (coalesce(kdc_options, 0) & 671088640) = 0
    GROUP BY new_ticket, id_orig_h
),
shown AS (
    SELECT auth_ticket AS ticket, id_orig_h AS holder, id_resp_h AS server, min(ts) AS ts, max(ts) AS last_ts, count(*) AS times, min(frame) AS frame,
        least_of(flow_id, 100) AS flows, least_of(frame, 50) AS frames
    FROM kerberos WHERE auth_ticket IS NOT NULL
    GROUP BY auth_ticket, id_orig_h, id_resp_h
),
hardware AS (
    SELECT ip, unnest(macs) AS mac FROM hosts
),
holders AS (SELECT ticket, count(DISTINCT holder) AS holders FROM shown GROUP BY ticket)
SELECT
    holder AS actor, server AS target, lower(split_part(client, '/', 1)) AS user,
    given.ts AS first_seen, shown.last_ts AS last_seen, 'confirmed' AS outcome,
    [
        term('a ticket that opens all services', 0.7, (lower(service) LIKE 'krbtgt/%')::INT),
        term('the owner uses it too', 0.5, (given.owner IN (SELECT holder FROM shown AS other WHERE other.ticket = given.ticket))::INT)
    ] AS terms,
    {'owner': given.owner, 'service': service, 'times': shown.times, 'ticket': given.ticket} AS evidence,
    list_concat([given.flow_id], shown.flows) AS flows, list_concat([given.frame], shown.frames) AS frames
FROM given JOIN shown USING (ticket) JOIN holders USING (ticket)
WHERE holder <> given.owner AND holders <= $max_users AND shown.ts >= given.ts
  -- Two addresses of one card, or of the two families, may well be one machine.
  AND contains(holder, ':') = contains(given.owner, ':')
  AND NOT EXISTS (FROM hardware AS one JOIN hardware AS other USING (mac) WHERE one.ip = holder AND other.ip = given.owner)
ORDER BY actor, target, user
