-- Logins over all protocols that say or show whether one worked.
CREATE OR REPLACE TEMP TABLE logins AS
SELECT
    ts, flow_id, frame, id_orig_h, id_resp_h, id_resp_p, service, "user" AS account, secret_sha, success,
    CASE WHEN success THEN 0 WHEN success IS NULL THEN 0 ELSE 1 END AS refused
FROM credentials
UNION ALL
-- An SSH connection holds several attempts; the last one is the one that worked, if any did.
SELECT
    ts, flow_id, frame, id_orig_h, id_resp_h, id_resp_p, 'ssh', NULL, NULL, auth_success,
    greatest(0, auth_attempts - coalesce(auth_success, false)::INT)
FROM ssh
WHERE auth_attempts > 0 OR auth_success IS NOT NULL;
