/*
id       = "crypto-mining"
title    = "Cryptocurrency mining: a host takes work from a pool"
attack   = ["T1496.001"]
impact   = 60
prior    = 0.9
family   = "mining"
reads    = ["payloads"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "crypto-mining"
benign   = "Mining that the owner of the machine wants."
says     = "{actor} mines for the pool {target} port {port}: {line}"
filter   = "ip.addr == {actor} && ip.addr == {target} && tcp.port == {port}"
[params]
methods = "\"(method|id)\" *: *\"(mining\\.(subscribe|authorize|extranonce|configure|hello)|eth_(submitLogin|login|getWork)|login)\"|\"mining\\.(notify|set_difficulty)\"|xmrig|cpuminer|stratum" # how stratum and its kin begin
*/
WITH line AS (
    SELECT flow_id, flows.* EXCLUDE (flow_id), ascii_of(orig_first_bytes) AS orig_says, ascii_of(resp_first_bytes) AS resp_says
    FROM payloads JOIN flows USING (flow_id)
    WHERE proto = 'tcp' AND service IS NULL
),
pool AS (
    SELECT * FROM line
    WHERE starts_with(ltrim(orig_says), '{')
      AND (regexp_matches(orig_says, $methods) OR regexp_matches(resp_says, $methods))
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, 'confirmed' AS outcome,
    [
        term('the pool answers in kind', 1.5, bool_or(starts_with(ltrim(resp_says), '{'))::INT),
        term('held open', 0.5, (max(coalesce(duration, 0)) >= 60)::INT)
    ] AS terms,
    {
        'port': min(id_resp_p), 'line': min_by(orig_says, flow_id), 'answer': min_by(resp_says, flow_id), 'flows_seen': count(*),
        'span_s': round(seconds_between(min(ts), max(last_ts)), 6)
    } AS evidence,
    least_of(flow_id, 1000) AS flows, list_distinct(flatten(list(frames ORDER BY flow_id)))[1:200] AS frames
FROM pool
GROUP BY id_orig_h, id_resp_h
ORDER BY actor, target
