/*
id       = "sweep-arp"
title    = "ARP sweep: one station asks for address after address"
attack   = ["T1018", "T1016"]
impact   = 35                       # 50 where it goes through a neighbourhood
prior    = 0.6
family   = "scan"
reads    = ["arp"]
window   = "60s"
key      = ["actor"]
fires_on = "sweep-arp"
benign   = "Gateways that are themselves being swept from outside, network management, address-conflict checks after a restart."
says     = "{actor} ({mac}) asked for {addresses} addresses within a minute; {answered} answered"
filter   = "arp.opcode == 1 && arp.src.hw_mac == {mac}"
[params]
min_addresses = 20  # distinct addresses asked within a minute; a busy host looks up a handful of neighbours
whole         = 100 # distinct addresses within a minute that amount to going through a neighbourhood: no gateway or monitor asks for so many dead ones
max_answered  = 0.5 # share of them that may answer; who knows its neighbours asks for living ones
*/
WITH request AS (
    SELECT sha, spa, tpa, ts, frame, epoch_us(ts) // 60000000 AS minute
    FROM arp
    WHERE op = 1 AND NOT gratuitous AND spa <> tpa
),
alive AS (SELECT DISTINCT spa FROM arp WHERE op = 2),
minute AS (
    SELECT sha, minute, count(DISTINCT tpa) AS addresses, count(DISTINCT tpa) FILTER (tpa IN (SELECT spa FROM alive)) AS answered
    FROM request GROUP BY sha, minute
),
busiest AS (
    SELECT sha, max(addresses) AS addresses, max(answered) AS answered
    FROM minute
    WHERE addresses >= $min_addresses AND answered <= $max_answered * addresses
    GROUP BY sha
)
SELECT
    -- Probes before an address is taken carry none (0.0.0.0): then the station is named by its hardware.
    coalesce(max(spa) FILTER (spa <> '0.0.0.0'), sha) AS actor, NULL::VARCHAR AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(ts) AS last_seen, 'confirmed' AS outcome,
    CASE WHEN busiest.addresses >= $whole THEN 50 ELSE 35 END AS impact,
    [
        term('many addresses', 2, log_scale(busiest.addresses, $min_addresses, 200)),
        term('few of them live', 1, 1 - 2 * busiest.answered / busiest.addresses::DOUBLE)
    ] AS terms,
    {
        'mac': sha, 'addresses': busiest.addresses, 'answered': busiest.answered, 'asked_in_all': count(DISTINCT tpa),
        'examples': min(tpa, 10)
    } AS evidence,
    []::BIGINT[] AS flows, least_of(frame, 200) AS frames
FROM request JOIN busiest USING (sha)
GROUP BY sha, busiest.addresses, busiest.answered
ORDER BY actor, sha
