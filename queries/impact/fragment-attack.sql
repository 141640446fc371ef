/*
id       = "fragment-attack"
title    = "Fragments that no sender makes: they contradict each other, reach beyond the largest packet, or hide the header"
attack   = ["T1499.004"]
impact   = 60
prior    = 0.7
family   = "fragments"
reads    = ["frag"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "fragment-attack"
benign   = "Large datagrams over links with a small MTU, tunnels among them: pieces of full length that fit together. Copies of a capture point that sees them twice, which say the same."
says     = "{actor} sent {target} {sets:datagrams} in fragments that no sender makes: {how}"
filter   = "ip.addr == {actor} && ip.addr == {target} && (ip.flags.mf == 1 || ip.frag_offset > 0 || ipv6.fraghdr)"
[params]
largest    = 65535  # bytes that an IP packet can have (RFC 791; of IPv6 without its header)
tiny       = 16     # bytes of a first fragment of TCP that hide its flags (RFC 1858)
min_broken = 150    # datagrams to one host within a minute of which pieces never come: memory is their aim
*/
WITH piece AS (
    SELECT
        src, dst, ts, frame, frames, proto, diff_bytes, max_off, min_frag, complete, epoch_us(ts) // 60000000 AS minute,
        -- 20 bytes of header go on top of the payload of IPv4.
        CASE
            WHEN max_off > $largest - CASE WHEN contains(src, ':') THEN 0 ELSE 20 END THEN 'beyond'
            WHEN diff_bytes THEN 'contrary'
            WHEN proto = 6 AND min_frag <= $tiny AND n_frags > 1 THEN 'tiny'
            WHEN dropped = 'incomplete_fragment_set' THEN 'broken'
        END AS fault
    FROM frag
),
-- On a link that loses packets most datagrams arrive all the same.
crowd AS (
    SELECT dst, minute FROM piece GROUP BY dst, minute
    HAVING count(*) FILTER (fault = 'broken') >= $min_broken AND count(*) FILTER (complete) <= 0.1 * count(*) FILTER (fault = 'broken')
),
bad AS (
    SELECT *, CASE WHEN fault = 'broken' THEN NULL ELSE src END AS sender FROM piece WHERE fault IN ('beyond', 'contrary', 'tiny')
    UNION ALL
    -- Pieces that are never followed by the rest come under any address.
    SELECT *, NULL FROM piece SEMI JOIN crowd USING (dst, minute) WHERE fault = 'broken'
),
told AS (
    SELECT
        sender, dst, count(*) AS sets, count(*) FILTER (fault = 'beyond') AS beyond, count(*) FILTER (fault = 'contrary') AS contrary, count(*) FILTER (fault = 'tiny') AS tiny, count(*) FILTER (fault = 'broken') AS broken,
        max(max_off) AS farthest, count(DISTINCT src) AS sources, min(src) AS one, min(ts) AS first_seen, max(ts) AS last_seen,
        list_distinct(flatten(list(list_slice(frames, 1, CASE WHEN fault = 'broken' THEN 1 ELSE 8 END) ORDER BY frame)))[1:200] AS frames
    FROM bad GROUP BY sender, dst
)
SELECT
    coalesce(sender, CASE WHEN sources = 1 THEN one END) AS actor, dst AS target, NULL::VARCHAR AS user, first_seen, last_seen, 'confirmed' AS outcome,
    [
        term('longer than a packet can be', 1.5, (beyond > 0)::INT),
        term('they contradict each other', 1, (contrary > 0)::INT),
        term('the header is torn', 0.5, (tiny > 0)::INT),
        term('often', 0.7, log_scale(sets, 2, 100)),
        term('once, as a damaged packet may', -1.5, (sets = 1 AND beyond = 0)::INT)
    ] AS terms,
    {
        'sets': sets, 'beyond': beyond, 'contrary': contrary, 'tiny': tiny, 'broken': broken, 'farthest': farthest, 'sources': sources,
        'how': concat_ws(', ',
            CASE WHEN beyond > 0 THEN beyond || ' reach to byte ' || farthest || ', beyond the largest packet' END,
            CASE WHEN contrary > 0 THEN contrary || ' with pieces that contradict each other' END,
            CASE WHEN tiny > 0 THEN tiny || ' with a first piece that tears the TCP header' END,
            CASE WHEN broken > 0 THEN broken || ' never completed' END),
        'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    []::BIGINT[] AS flows, frames
FROM told
ORDER BY actor, target
