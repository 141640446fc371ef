/*
id       = "arp-spoof"
title    = "ARP spoofing: a station claims the address of another, or tells two neighbours that it is the other"
attack   = ["T1557.002", "T1040"]
impact   = 85
prior    = 0.5
family   = "mitm"
reads    = ["arp"]
also     = ["hosts"]
window   = "300s"
key      = ["actor"]
fires_on = "arp-spoof"
benign   = "Redundant routers (VRRP, HSRP, CARP), Wi-Fi bridges and proxy ARP, a machine that moved or changed its card, an address given out anew."
says     = "{actor} claimed {address}, which belongs to {owner}, {claims:times}; {how}"
filter   = "arp.src.proto_ipv4 == {address}"
[params]
min_claims  = 4     # replies in which the second station claims the address
min_changes = 2     # times that the address passed from one station to the other: a move passes it once
alive_s     = 300   # seconds within which both must have claimed it
virtual     = ["00:00:5e:00:01", "00:00:5e:00:02", "00:00:0c:07:ac", "00:00:0c:9f:f0", "00:05:73:a0", "02:bf:", "00:07:b4:00"] # hardware addresses that are shared by design
*/
WITH claim AS (
    SELECT spa, sha, tha, tpa, op, gratuitous, ts, ts_ns, frame,
        lag(sha) OVER turn AS before, lag(ts_ns) OVER turn AS before_ns
    FROM arp
    -- A message that names another station than the frame around it is damaged, or passed on.
    WHERE spa IS NOT NULL AND spa <> '0.0.0.0' AND sha <> '00:00:00:00:00:00' AND sha = coalesce(eth_src, sha)
      AND len(list_filter($virtual, virtual -> starts_with(sha, virtual))) = 0
    WINDOW turn AS (PARTITION BY spa ORDER BY ts_ns, frame)
),
station AS (
    SELECT spa, sha, count(*) AS claims, count(*) FILTER (op = 2) AS replies, min(ts_ns) AS first_ns, min(ts) AS first_ts, max(ts) AS last_ts,
        least_of(CASE WHEN op = 2 THEN frame END, 100) AS frames
    FROM claim GROUP BY spa, sha
),
change AS (
    SELECT spa, count(*) AS changes
    FROM claim WHERE sha <> before AND (ts_ns - before_ns) / 1e9 <= $alive_s
    GROUP BY spa
),
-- How many addresses a station answers for: a bridge or proxy answers for a whole neighbourhood.
breadth AS (SELECT sha, count(DISTINCT spa) AS addresses FROM claim WHERE op = 2 GROUP BY sha),
-- Requests ask the station that answers for an address that others go through: a gateway is asked for by many.
wanted AS (SELECT tpa AS spa, count(DISTINCT spa) AS askers FROM arp WHERE op = 1 AND NOT gratuitous GROUP BY tpa),
conflict AS (
    SELECT
        false_claim.spa AS address, false_claim.sha AS intruder, rightful.sha AS owner,
        false_claim.replies AS claims, changes, false_claim.first_ts AS first_seen, false_claim.last_ts AS last_seen,
        false_claim.frames AS intruder_frames, rightful.frames AS owner_frames
    FROM station AS false_claim
    JOIN station AS rightful ON rightful.spa = false_claim.spa AND rightful.sha <> false_claim.sha
    JOIN change ON change.spa = false_claim.spa
    -- The station that answers without being asked more often is the one that insists.
    WHERE false_claim.replies > rightful.replies OR (false_claim.replies = rightful.replies AND false_claim.first_ns > rightful.first_ns)
),
-- Told without being asked, to one neighbour about the other and to the other about the one: the way into the middle, whether or not
-- the rightful owners are heard to speak. Proxies and bridges answer when they are asked.
told AS (
    SELECT sha, spa, tpa, count(*) AS times, min(ts) AS first_ts, max(ts) AS last_ts, least_of(frame, 100) AS frames
    FROM arp
    WHERE op = 2 AND answers_frame IS NULL AND NOT gratuitous AND spa <> tpa AND spa <> '0.0.0.0' AND tpa <> '0.0.0.0' AND sha <> '00:00:00:00:00:00'
      AND len(list_filter($virtual, virtual -> starts_with(sha, virtual))) = 0
    GROUP BY sha, spa, tpa
    HAVING count(*) >= $min_claims
),
-- Whoever really has the address, as far as its own packets show.
hardware AS (SELECT ip, unnest(macs) AS mac FROM hosts),
between AS (
    SELECT
        one.spa AS address, one.sha AS intruder, coalesce(min(mac) FILTER (mac <> one.sha), 'another station') AS owner,
        min(one.times) AS claims, 0 AS changes, min(one.first_ts) AS first_seen, max(one.last_ts) AS last_seen,
        min(one.frames) AS intruder_frames, min(other.frames) AS owner_frames
    FROM told AS one JOIN told AS other ON other.sha = one.sha AND other.spa = one.tpa AND other.tpa = one.spa
    LEFT JOIN hardware ON ip = one.spa
    GROUP BY one.spa, one.sha, one.tpa
),
clash AS (
    SELECT *, format('the claims changed hands {} times', changes) AS how, false AS mutual FROM conflict WHERE claims >= $min_claims AND changes >= $min_changes
    UNION ALL
    SELECT *, 'it told two neighbours, unasked, that it is the other', true FROM between
    WHERE (address, intruder) NOT IN (SELECT (address, intruder) FROM conflict WHERE claims >= $min_claims AND changes >= $min_changes)
),
-- The intruder under its own address: the one that it claims most often and nobody else does.
own AS (
    SELECT sha, min(spa) AS ip FROM station
    WHERE spa NOT IN (SELECT address FROM conflict UNION ALL SELECT address FROM between) GROUP BY sha
)
SELECT
    intruder AS actor, address AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, CASE WHEN claims >= 3 * $min_claims THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('claims', 1.5, log_scale(claims, $min_claims, 100)),
        term('changes of hand', 1, log_scale(changes, $min_changes, 50)),
        term('it stands between two neighbours', 2, mutual::INT),
        term('an address that many ask for', 1, (coalesce(askers, 0) >= 2)::INT),
        term('claims several addresses of others', 0.7, (count(*) OVER (PARTITION BY intruder) >= 2)::INT),
        term('answers for a whole neighbourhood', -2, (coalesce(breadth.addresses, 1) >= 8)::INT)
    ] AS terms,
    {
        'address': address, 'owner': owner, 'intruder': intruder, 'intruder_ip': own.ip, 'claims': claims, 'changes': changes,
        'askers': coalesce(askers, 0), 'answers_for': coalesce(breadth.addresses, 0), 'how': how
    } AS evidence,
    []::BIGINT[] AS flows, list_concat(coalesce(intruder_frames, []), coalesce(owner_frames, [])) AS frames
FROM clash
LEFT JOIN breadth ON breadth.sha = intruder
LEFT JOIN wanted ON wanted.spa = address
LEFT JOIN own ON own.sha = intruder
ORDER BY actor, target, owner
