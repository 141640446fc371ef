/*
id       = "file-hoarding"
title    = "One client reads its way through the files of a share"
attack   = ["T1039", "T1119"]
impact   = 65
prior    = 0.25
family   = "collection"
reads    = ["smb_files"]
window   = "10min"
key      = ["actor", "target"]
fires_on = "file-hoarding"
benign   = "Backups, indexers and virus scanners, which do the same by the clock; people who copy a folder."
says     = "{actor} read {files:files} in {folders:folders} of {target} within {span_s:duration}, {bytes:bytes}; {how}"
filter   = "(smb || smb2) && ip.addr == {actor} && ip.addr == {target}"
[params]
min_files   = 100 # files read within ten minutes
min_folders = 5   # folders that they lie in
telling     = "kdbx?|pst|ost|ppk|pem|pfx|p12|dit|kirbi|wallet|ovpn" # endings of what thieves look for: vaults, mailboxes, keys
min_telling = 3   # such files
*/
WITH act AS (
    SELECT
        id_orig_h, id_resp_h, flow_id, frame, ts, epoch_us(ts) // 600000000 AS slot, replace(coalesce(path, '') || '\' || name, '\\', '\') AS name, read_bytes, coalesce(write_bytes, 0) AS write_bytes
    FROM smb_files WHERE NOT is_pipe AND action = 'SMB::FILE_OPEN' AND read_bytes > 0
),
taken AS (
    SELECT
        id_orig_h, id_resp_h, slot, count(DISTINCT name) AS files, count(DISTINCT regexp_replace(name, '[^\\]+$', '')) AS folders,
        count(DISTINCT CASE WHEN regexp_matches(lower(name), '\.(' || $telling || ')$') THEN name END) AS telling,
        min(CASE WHEN regexp_matches(lower(name), '\.(' || $telling || ')$') THEN name END) AS example,
        sum(read_bytes) AS bytes, sum(write_bytes) AS written, min(ts) AS first_seen, max(ts) AS last_seen, least_of(flow_id, 200) AS flows, least_of(frame, 200) AS frames
    FROM act GROUP BY id_orig_h, id_resp_h, slot
    HAVING count(DISTINCT name) >= $min_files AND count(DISTINCT regexp_replace(name, '[^\\]+$', '')) >= $min_folders
),
-- What the other clients of the server do: where all do it, it is how this network works.
others AS (SELECT id_resp_h, count(DISTINCT id_orig_h) AS clients FROM taken GROUP BY id_resp_h)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user, min(first_seen) AS first_seen, max(last_seen) AS last_seen, 'confirmed' AS outcome,
    [
        term('files that thieves look for', 1, (sum(telling) >= $min_telling)::INT),
        term('files', 1, log_scale(max(files), $min_files, 2000)),
        term('it writes as well', -0.5, (sum(written) > sum(bytes) / 4)::INT),
        term('several clients do so', -1, (min(others.clients) >= 3)::INT)
    ] AS terms,
    {
        'files': max(files), 'folders': max(folders), 'bytes': sum(bytes), 'telling': sum(telling), 'example': min(example),
        'how': CASE WHEN sum(telling) > 0 THEN sum(telling) || ' of a kind that thieves look for, such as ' || min(example) ELSE 'none of a kind that thieves look for' END,
        'span_s': round(seconds_between(min(first_seen), max(last_seen)), 6)
    } AS evidence,
    list_sort(list_distinct(flatten(list(flows ORDER BY slot))))[1:500] AS flows, list_sort(list_distinct(flatten(list(frames ORDER BY slot))))[1:200] AS frames
FROM taken JOIN others USING (id_resp_h)
GROUP BY id_orig_h, id_resp_h
ORDER BY actor, target
