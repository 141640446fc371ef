/*
id       = "remote-desktop-command"
title    = "A program typed into a remote desktop that nobody looked at"
attack   = ["T1021.001", "T1059"]
impact   = 80
prior    = 0.7
family   = "remote-execution"
reads    = ["rdp"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "remote-desktop-command"
benign   = "A session that is cut off before its first picture: then hardly anything was typed. Monitoring that logs in and leaves types nothing."
says     = "{actor} logged in to the desktop of {target} as {user} {sessions} times, sent {input} keys and clicks, and took {got:bytes} of picture, too little for a screen"
filter   = "tcp.port == {port} && ip.addr == {actor} && ip.addr == {target}"
[params]
min_input   = 40       # messages of the client after the login: a command line has as many keys
max_picture = 20000    # bytes of the server in all; the first screen alone of a person's session takes several times that
min_s       = 3.0      # seconds, so that a login that was cut off is none
*/
WITH session AS (
    SELECT rdp.*, flows.duration, flows.resp_bytes, flows.orig_bytes, flows.last_ts, flows.direction, flows.missed_bytes
    FROM rdp JOIN flows USING (flow_id)
    WHERE auth_success AND input_pkts >= $min_input AND coalesce(flows.duration, 0) >= $min_s
      -- What was not captured may have been the picture.
      AND coalesce(flows.missed_bytes, 0) = 0 AND NOT flows.midstream
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, min(cookie) AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, 'confirmed' AS outcome,
    [
        term('hardly any picture', 1, 1 - log_scale(max(resp_bytes), $max_picture / 10.0, $max_picture)),
        term('much typed', 1, log_scale(max(input_pkts), $min_input, 400)),
        term('more than once', 0.7, (count(*) > 1)::INT)
    ] AS terms,
    {
        'sessions': count(*), 'input': max(input_pkts), 'got': max(resp_bytes), 'sent': max(orig_bytes), 'port': min(id_resp_p),
        'longest_s': round(max(duration), 6)
    } AS evidence,
    least_of(flow_id, 1000) AS flows, least_of(frame, 200) AS frames
FROM session
WHERE resp_bytes <= $max_picture
GROUP BY id_orig_h, id_resp_h
ORDER BY actor, target
