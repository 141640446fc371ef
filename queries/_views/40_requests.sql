-- Web requests as the attacked program reads them: everything a client may put its words into, decoded, in lower case.
CREATE OR REPLACE TEMP TABLE requests AS
SELECT
    flow_id, frame, resp_frame, ts, id_orig_h, id_resp_h, id_resp_p, method, host, uri, user_agent, status_code, response_body_len,
    body_prefix_resp,
    plain_text(coalesce(uri, '')) AS plain_uri,
    plain_text(coalesce(body_prefix_req, '')) AS plain_body,
    plain_text(concat_ws(chr(10), user_agent, referrer, request_headers)) AS plain_headers
FROM http
WHERE method IS NOT NULL;
