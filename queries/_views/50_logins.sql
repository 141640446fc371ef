-- Logins over all protocols that say or show whether one worked.
CREATE OR REPLACE TEMP TABLE logins AS
WITH clear AS (
    SELECT
        ts, flow_id, frame, id_orig_h, id_resp_h, id_resp_p, service, "user" AS account, secret_sha, success,
        CASE WHEN success THEN 0 WHEN success IS NULL THEN 0 ELSE 1 END AS refused
    FROM credentials
),
-- What says no password in clear but says, or shows, what came of it. Machines log in with passwords that nobody guesses.
sealed AS (
    SELECT ts, flow_id, coalesce(answer_frame, frame) AS frame, id_orig_h, id_resp_h, id_resp_p, "over" AS service,
        lower(concat_ws('\', nullif(domainname, ''), username)) AS account, success
    FROM ntlm
    WHERE success IS NOT NULL AND NOT coalesce(anonymous, false) AND username IS NOT NULL AND NOT ends_with(username, '$')
    UNION ALL
    -- Asking without proof of the password is how every login begins: it is none.
    SELECT ts, flow_id, frame, id_orig_h, id_resp_h, id_resp_p, 'kerberos', lower(client), success
    FROM kerberos
    WHERE request_type = 'AS' AND preauth AND (success OR error_code IN (6, 18, 24)) AND NOT regexp_matches(client, '[$](/|$)')
    UNION ALL
    SELECT ts, flow_id, frame, id_orig_h, id_resp_h, id_resp_p, 'ldap', lower(object), result_code = 0
    FROM ldap
    WHERE opcode = 'bind simple' AND password_present AND result_code IN (0, 49)
    UNION ALL
    SELECT ts, flow_id, frame, id_orig_h, id_resp_h, id_resp_p, 'rdp', lower(cookie), auth_success
    FROM rdp
    WHERE auth_success IS NOT NULL
)
FROM clear
UNION ALL
SELECT ts, flow_id, frame, id_orig_h, id_resp_h, id_resp_p, service, account, NULL, success, (NOT success)::INT
FROM sealed ANTI JOIN credentials USING (flow_id)
UNION ALL
-- An SSH connection holds several attempts; the last one is the one that worked, if any did.
SELECT
    ts, flow_id, frame, id_orig_h, id_resp_h, id_resp_p, 'ssh', NULL, NULL, auth_success,
    greatest(0, auth_attempts - coalesce(auth_success, false)::INT)
FROM ssh
WHERE auth_attempts > 0 OR auth_success IS NOT NULL;
