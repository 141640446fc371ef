-- Hosts that speak to dozens of strangers from one socket: nodes of a peer-to-peer network. They keep in touch with all of
-- them at a pace, knock at doors of peers that left, and meet certificates that nobody signed.
CREATE OR REPLACE TEMP TABLE crowds AS
SELECT id_orig_h, max(peers) AS peers
FROM (
    SELECT id_orig_h, id_orig_p, count(DISTINCT id_resp_h) AS peers
    FROM flows
    WHERE proto = 'udp' AND id_orig_p > 1023 AND id_resp_p > 1023 AND NOT is_group(id_resp_h)
    GROUP BY id_orig_h, id_orig_p
)
GROUP BY id_orig_h
HAVING max(peers) >= 20;
