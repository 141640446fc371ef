-- Remote procedure calls by who called whom. Where the start of a connection was missed its ends may be the wrong way round: the server
-- then names its own port as that of the originator.
CREATE OR REPLACE TEMP TABLE calls AS
SELECT
    *,
    CASE WHEN named_pipe = id_orig_p::VARCHAR THEN id_resp_h ELSE id_orig_h END AS caller,
    CASE WHEN named_pipe = id_orig_p::VARCHAR THEN id_orig_h ELSE id_resp_h END AS callee,
    -- Done, or at least not refused: results that are sealed tell no status.
    resp_frame IS NOT NULL AND fault IS NULL AND coalesce(resp_status, 0) = 0 AS answered
FROM dce_rpc
WHERE operation IS NOT NULL OR opnum IS NOT NULL;
