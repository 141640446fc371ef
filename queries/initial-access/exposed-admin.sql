/*
id       = "exposed-admin"
title    = "An administrative service of ours answers strangers from outside"
attack   = ["T1133", "T1021"]
impact   = 60                       # 30 for SSH, which is often meant to be reached
prior    = 0.35
family   = "exposure"
reads    = ["flows"]
also     = ["credentials", "ssh", "ntlm", "rdp"]
window   = "capture"
key      = ["target", "port"]
fires_on = "exposed-admin"
benign   = "Gateways that are meant to be reached, such as a jump host; partners whose addresses are known."
says     = "{sources:hosts} outside, such as {actor}, reached {what} of {target} on port {port}; the longest session lasted {longest_s:duration}, {accepted:logins} worked"
filter   = "ip.addr == {target} && tcp.port == {port}"
[params]
min_answer = 300    # bytes that the service sent to a stranger: a greeting alone is shorter
doors      = [23, 88, 135, 139, 389, 445, 513, 514, 1433, 1521, 2375, 3268, 3306, 3389, 5432, 5900, 5901, 5985, 5986, 6379, 9200, 11211, 27017] # ports of services that nobody outside should reach
*/
WITH door AS (
    SELECT
        *,
        CASE
            WHEN service LIKE '%rdp%' OR id_resp_p = 3389 THEN 'the remote desktop'
            WHEN service LIKE '%rfb%' OR id_resp_p IN (5900, 5901) THEN 'the screen (VNC)'
            WHEN service LIKE '%smb%' OR id_resp_p IN (139, 445) THEN 'the file shares (SMB)'
            WHEN service LIKE '%dce_rpc%' OR id_resp_p = 135 THEN 'remote procedures'
            WHEN service LIKE '%telnet%' OR id_resp_p IN (23, 513, 514) THEN 'the terminal (Telnet)'
            WHEN id_resp_p IN (5985, 5986) THEN 'remote management (WinRM)'
            WHEN id_resp_p IN (88, 389, 3268) THEN 'the directory (Kerberos, LDAP)'
            WHEN id_resp_p = 2375 THEN 'the container engine'
            WHEN id_resp_p IN (1433, 1521, 3306, 5432, 6379, 9200, 11211, 27017) THEN 'the database'
            WHEN service LIKE '%ssh%' THEN 'the shell (SSH)'
        END AS what
    FROM flows
    WHERE proto = 'tcp' AND direction = 'in' AND opened(history) AND contains(history, 'h') AND coalesce(resp_bytes, 0) >= $min_answer AND coalesce(orig_bytes, 0) > 0
      AND (list_contains($doors, id_resp_p) OR regexp_matches(coalesce(service, ''), 'ssh|rdp|rfb|smb|dce_rpc|telnet'))
),
welcome AS (SELECT flow_id, bool_or(coalesce(success, false)) AS accepted FROM logins WHERE flow_id IS NOT NULL GROUP BY flow_id)
SELECT
    min_by(id_orig_h, (first_frame)) AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, CASE WHEN bool_or(coalesce(accepted, false)) THEN 'confirmed' ELSE 'likely' END AS outcome,
    CASE WHEN min(what) = 'the shell (SSH)' THEN 30 ELSE 60 END AS impact,
    [
        term('a login from outside worked', 1, bool_or(coalesce(accepted, false))::INT),
        term('a session that lasts', 0.7, log_scale(max(coalesce(duration, 0)), 10, 600)),
        term('many strangers', 0.5, log_scale(count(DISTINCT id_orig_h), 1, 20))
    ] AS terms,
    {
        'port': id_resp_p, 'what': min(what), 'sources': count(DISTINCT id_orig_h), 'connections': count(*), 'accepted': count(*) FILTER (accepted),
        'longest_s': round(max(coalesce(duration, 0)), 6), 'answered': sum(resp_bytes), 'examples': least_of(id_orig_h, 5)
    } AS evidence,
    least_of(door.flow_id, 1000) AS flows, least_of(first_frame, 200) AS frames
FROM door LEFT JOIN welcome USING (flow_id)
WHERE what IS NOT NULL
GROUP BY id_resp_h, id_resp_p
ORDER BY target, id_resp_p
