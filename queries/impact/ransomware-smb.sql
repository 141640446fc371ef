/*
id       = "ransomware-smb"
title    = "Files of a share are encrypted one after the other"
attack   = ["T1486", "T1021.002"]
impact   = 100
prior    = 0.6
family   = "ransomware"
reads    = ["smb_files"]
window   = "10min"
key      = ["actor", "target"]
fires_on = "ransomware-smb"
benign   = "A program that compresses or encrypts an archive on the share and renames one kind of file; a batch that converts pictures. They leave what they do not know alone, and no note."
says     = "{actor} changed {victims:files} of {kinds:kinds} on {target}: {how}"
filter   = "(smb || smb2) && ip.addr == {actor} && ip.addr == {target}"
[params]
min_files    = 20    # files within ten minutes; people rename and rewrite a handful
min_kinds    = 3     # different endings of the files before: who rotates logs or converts pictures knows one or two
min_entropy  = 7.2   # bits per byte of the first 1,024 bytes written: random bytes have 7.8, text 4 to 5, programs 5 to 6.5
max_entropy  = 6.9   # and of what was read there before, unless it had a known type
note_words   = "readme|read_me|decrypt|recover|restore|how_to|how to|ransom|instruction|unlock|your_files|files_back" # in names of notes
min_notes    = 3     # folders in which a note of one name was left
*/
WITH act AS (
    SELECT
        id_orig_h, id_resp_h, flow_id, frame, ts, epoch_us(ts) // 600000000 AS slot, action, coalesce(path, '') AS share,
        replace(name, '\\', '\') AS name, replace(prev_name, '\\', '\') AS prev_name, coalesce(write_bytes, 0) AS write_bytes, coalesce(read_bytes, 0) AS read_bytes,
        ent_sample_read, ent_sample_write, mime_type, delete_on_close, disposition
    FROM smb_files WHERE NOT is_pipe AND name IS NOT NULL AND name <> '<share_root>'
),
-- What was deleted, by its whole name and without its ending: it may come back as either with another ending.
gone AS (
    SELECT id_orig_h, id_resp_h, slot, share, name, name AS stem, min(frame) AS frame FROM act WHERE action = 'SMB::FILE_DELETE' GROUP BY ALL
    UNION ALL
    SELECT id_orig_h, id_resp_h, slot, share, name, regexp_replace(name, '\.[^.\\]+$', ''), min(frame) FROM act
    WHERE action = 'SMB::FILE_DELETE' AND regexp_matches(name, '\.[^.\\]+$') GROUP BY ALL
),
made AS (
    SELECT id_orig_h, id_resp_h, slot, share, name, regexp_replace(name, '\.[^.\\]+$', '') AS stem, regexp_extract(name, '\.[^.\\]+$') AS mark, flow_id, ts
    FROM act WHERE write_bytes > 0 AND ent_sample_write >= $min_entropy
),
-- What a file was called, and with what it was marked.
marked AS (
    SELECT id_orig_h, id_resp_h, slot, share, prev_name AS was, substr(name, length(prev_name) + 1) AS mark, flow_id, frame, ts
    FROM act WHERE action = 'SMB::FILE_RENAME' AND prev_name <> '' AND starts_with(name, prev_name) AND length(name) > length(prev_name)
    UNION ALL
    -- Another ending in the place of the old one.
    SELECT id_orig_h, id_resp_h, slot, share, prev_name, regexp_extract(name, '\.[^.\\]+$'), flow_id, frame, ts
    FROM act WHERE action = 'SMB::FILE_RENAME' AND prev_name <> '' AND NOT starts_with(name, prev_name)
      AND regexp_replace(name, '\.[^.\\]+$', '') = regexp_replace(prev_name, '\.[^.\\]+$', '')
    UNION ALL
    -- Written under the new name, the old one deleted.
    SELECT id_orig_h, id_resp_h, slot, share, gone.name, mark, flow_id, gone.frame, made.ts
    FROM made JOIN gone USING (id_orig_h, id_resp_h, slot, share, stem)
    WHERE gone.name <> made.name
),
-- One mark for files of many kinds.
mark AS (
    SELECT id_orig_h, id_resp_h, slot, mark, count(DISTINCT was) AS files, count(DISTINCT lower(regexp_extract(was, '\.[^.\\]+$'))) AS kinds,
        least_of(flow_id, 100) AS flows, least_of(frame, 150) AS frames, min(ts) AS first_seen, max(ts) AS last_seen
    FROM marked WHERE mark <> ''
    GROUP BY id_orig_h, id_resp_h, slot, mark
    HAVING count(DISTINCT was) >= $min_files AND count(DISTINCT lower(regexp_extract(was, '\.[^.\\]+$'))) >= $min_kinds
),
-- Files that held something and hold noise now, under the same name.
file AS (
    SELECT
        id_orig_h, id_resp_h, slot, share, name, max(ent_sample_write) AS wrote, min(ent_sample_read) AS was,
        bool_or(read_bytes > 0 AND mime_type IS NOT NULL AND mime_type NOT IN ('application/octet-stream')) AS known,
        bool_or(write_bytes > 0 AND mime_type IS NOT NULL AND read_bytes = 0 AND mime_type NOT IN ('application/octet-stream')) AS still_known,
        least_of(flow_id, 10) AS flows, least_of(frame, 5) AS frames, min(ts) AS first_seen, max(ts) AS last_seen
    FROM act WHERE action = 'SMB::FILE_OPEN' AND read_bytes + write_bytes > 0
    GROUP BY id_orig_h, id_resp_h, slot, share, name
    HAVING sum(read_bytes) > 0 AND sum(write_bytes) > 0
),
noise AS (
    SELECT id_orig_h, id_resp_h, slot, count(*) AS files, count(DISTINCT lower(regexp_extract(name, '\.[^.\\]+$'))) AS kinds,
        list_sort(list_distinct(flatten(list(flows ORDER BY share, name))))[1:100] AS flows, list_sort(list_distinct(flatten(list(frames ORDER BY share, name))))[1:150] AS frames,
        min(first_seen) AS first_seen, max(last_seen) AS last_seen
    FROM file WHERE wrote >= $min_entropy AND (was <= $max_entropy OR (known AND NOT still_known))
    GROUP BY id_orig_h, id_resp_h, slot
    HAVING count(*) >= $min_files AND count(DISTINCT lower(regexp_extract(name, '\.[^.\\]+$'))) >= $min_kinds
),
note AS (
    SELECT id_orig_h, id_resp_h, max(folders) AS folders, max(note) AS note
    FROM (
        SELECT id_orig_h, id_resp_h, lower(regexp_extract(name, '[^\\]+$')) AS note, count(DISTINCT share || '\' || regexp_replace(name, '[^\\]+$', '')) AS folders
        FROM act WHERE action = 'SMB::FILE_OPEN' AND write_bytes > 0
          AND regexp_matches(lower(regexp_extract(name, '[^\\]+$')), $note_words) AND regexp_matches(lower(name), '\.(txt|html?|hta|rtf|url|bmp|png)$')
        GROUP BY ALL HAVING count(DISTINCT share || '\' || regexp_replace(name, '[^\\]+$', '')) >= $min_notes
    )
    GROUP BY id_orig_h, id_resp_h
),
part AS (
    SELECT id_orig_h, id_resp_h, files AS marked, 0 AS garbled, kinds, mark, flows, frames, first_seen, last_seen FROM mark
    UNION ALL
    SELECT id_orig_h, id_resp_h, 0, files, kinds, NULL, flows, frames, first_seen, last_seen FROM noise
),
told AS (
    SELECT id_orig_h, id_resp_h, sum(marked) AS marked, sum(garbled) AS garbled, max(kinds) AS kinds, min(mark) AS mark,
        list_sort(list_distinct(flatten(list(flows ORDER BY first_seen, marked))))[1:500] AS flows, list_sort(list_distinct(flatten(list(frames ORDER BY first_seen, marked))))[1:200] AS frames,
        min(first_seen) AS first_seen, max(last_seen) AS last_seen
    FROM part GROUP BY id_orig_h, id_resp_h
)
SELECT
    told.id_orig_h AS actor, told.id_resp_h AS target, NULL::VARCHAR AS user, first_seen, last_seen, 'confirmed' AS outcome,
    [
        term('files', 1, log_scale(greatest(marked, garbled), $min_files, 500)),
        term('renamed and turned into noise', 1, (marked > 0 AND garbled > 0)::INT),
        term('what was readable is noise now', 0.7, (garbled > 0)::INT),
        term('a note in several folders', 2, (note.note IS NOT NULL)::INT),
        term('files of many kinds', 0.7, log_scale(told.kinds, $min_kinds, 12))
    ] AS terms,
    {
        'victims': greatest(marked, garbled), 'marked': marked, 'garbled': garbled, 'kinds': told.kinds, 'mark': mark, 'note': note.note, 'folders': coalesce(note.folders, 0),
        'how': concat_ws(', ',
            CASE WHEN marked > 0 THEN marked || ' got the ending ' || mark END,
            CASE WHEN garbled > 0 THEN garbled || ' were readable and are noise now' END,
            CASE WHEN note.note IS NOT NULL THEN 'and ' || note.note || ' was left in ' || note.folders || ' folders' END),
        'span_s': round(seconds_between(first_seen, last_seen), 6)
    } AS evidence,
    flows, frames
FROM told LEFT JOIN note USING (id_orig_h, id_resp_h)
ORDER BY actor, target
