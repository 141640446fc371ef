/*
id       = "exfil-volume"
title    = "Exfiltration by volume: one host sends far more out than it takes in"
attack   = ["T1041", "T1048", "T1567"]
impact   = 85
prior    = 0.2
family   = "exfil"
reads    = ["flows"]
also     = ["dns", "tls"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "exfil-volume"
benign   = "Backups, cloud synchronisation, video calls, uploads of large files that somebody meant to share."
says     = "{actor} sent {sent:bytes} to {target} ({name}) and took {got:bytes} back, ratio {ratio}"
[params]
min_sent  = 50000000 # bytes sent to one peer
min_ratio = 5.0      # sent per byte taken
min_z     = 3.0      # deviation of ln(bytes) from the host's other peers, in robust standard deviations
backup    = ["backblaze.com", "dropbox.com", "dropboxapi.com", "onedrive.com", "sharepoint.com", "icloud-content.com", "icloud.com", "googleapis.com", "google.com", "box.com", "zoom.us", "teams.microsoft.com", "live.com", "office.com", "github.com", "gitlab.com"] # where people upload by habit
meetings  = [3478, 3479, 3480, 3481, 8801] # ports of calls
*/
WITH peer AS (
    SELECT
        id_orig_h, id_resp_h, min(direction) AS direction,
        sum(coalesce(orig_bytes, 0)) AS sent, sum(coalesce(resp_bytes, 0)) AS got, count(*) AS flows_in_all,
        sum(coalesce(duration, 0)) AS seconds,
        coalesce(bool_or(service IS NULL), false) AS unknown_protocol,
        coalesce(bool_and(proto = 'udp' AND list_contains($meetings, id_resp_p)), false) AS meeting,
        min(ts) AS first_seen, max(last_ts) AS last_seen, min(id_resp_p) AS port, min(proto) AS proto
    FROM flows
    WHERE proto IN ('tcp', 'udp', 'icmp') AND NOT is_group(id_resp_h) AND direction IN ('out', 'ext')
    GROUP BY id_orig_h, id_resp_h
),
habit AS (
    SELECT id_orig_h, median(ln(1 + sent)) AS middle, greatest(1.4826 * mad(ln(1 + sent)), 0.5) AS spread, count(*) AS peers
    FROM peer GROUP BY id_orig_h
),
name AS (
    SELECT id_resp_h, min(server_name) AS server_name FROM tls GROUP BY id_resp_h
),
upload AS (
    SELECT peer.*, peers, round((ln(1 + sent) - middle) / spread, 6) AS z, (sent + 1) / (got + 1)::DOUBLE AS ratio,
        coalesce(server_name, named.name) AS name
    FROM peer JOIN habit USING (id_orig_h)
    LEFT JOIN name USING (id_resp_h)
    LEFT JOIN named ON named.ip = id_resp_h
    WHERE sent >= $min_sent AND (sent + 1) / (got + 1)::DOUBLE >= $min_ratio
),
-- Lists only for the few that matter: making them for every pair costs more than all the rest.
proof AS (
    SELECT id_orig_h, id_resp_h, least_of(flow_id, 1000) AS flows, least_of(first_frame, 100) AS frames
    FROM flows SEMI JOIN upload USING (id_orig_h, id_resp_h)
    WHERE proto IN ('tcp', 'udp', 'icmp') AND direction IN ('out', 'ext')
    GROUP BY id_orig_h, id_resp_h
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    first_seen, last_seen, 'confirmed' AS outcome,
    [
        term('unlike its other peers', 0.5, within(z - $min_z, 0, 4)),
        term('no other peers to compare with', -0.5, (peers < 5)::INT),
        term('one-way', 1, log_scale(ratio, $min_ratio, 100)),
        term('volume', 1, log_scale(sent, $min_sent, 2000000000)),
        term('no name for the peer', 1, (name IS NULL)::INT),
        term('protocol not recognised', 0.5, unknown_protocol::INT),
        term('where people upload by habit', -2, (len(list_filter($backup, suffix -> coalesce(name, '') = suffix OR ends_with(coalesce(name, ''), '.' || suffix))) > 0)::INT),
        term('a call', -3, meeting::INT)
    ] AS terms,
    {
        'sent': sent, 'got': got, 'ratio': round(ratio, 6), 'z': z, 'peers': peers, 'name': coalesce(name, 'no name known'), 'port': port, 'proto': proto,
        'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM upload JOIN proof USING (id_orig_h, id_resp_h)
WHERE z >= $min_z OR peers < 5
ORDER BY actor, target
