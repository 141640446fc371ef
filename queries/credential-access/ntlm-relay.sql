/*
id       = "ntlm-relay"
title    = "NTLM relay: a login meant for one host is handed on to another"
attack   = ["T1557.001", "T1550.002"]
impact   = 92
prior    = 0.85
family   = "relay"
reads    = ["ntlm"]
window   = "30s"
key      = ["actor", "target"]
fires_on = "ntlm-relay"
benign   = "A reverse proxy or load balancer that stands between and passes logins through; a capture on both of its sides shows each twice."
says     = "{actor} handed the login of {user} from {victim} on to {target}: the same {same} on both connections; {how}"
filter   = "ntlmssp && ip.addr == {actor}"
[params]
within_s = 60       # seconds between the two
*/
WITH login AS (
    SELECT *, nullif(server_challenge, '0000000000000000') AS challenge, nullif(concat_ws('\', nullif(domainname, ''), username), '') AS account
    FROM ntlm
),
pair AS (
    SELECT
        inner_side.id_orig_h AS victim, inner_side.id_resp_h AS relay, outer_side.id_resp_h AS target, outer_side.id_orig_h AS relay_out,
        coalesce(outer_side.account, inner_side.account) AS account, outer_side.success AS success,
        inner_side.challenge = outer_side.challenge AS same_challenge, inner_side.nt_proof_sha = outer_side.nt_proof_sha AS same_proof,
        least(inner_side.ts, outer_side.ts) AS ts, greatest(inner_side.ts, outer_side.ts) AS last_ts,
        [inner_side.flow_id, outer_side.flow_id] AS flows, [inner_side.frame, outer_side.frame] AS frames, inner_side."over" AS inner_over, outer_side."over" AS outer_over
    FROM login AS inner_side JOIN login AS outer_side
        -- The victim speaks to the relay, the relay to the target.
        ON inner_side.id_resp_h = outer_side.id_orig_h AND inner_side.flow_id <> outer_side.flow_id
        AND (inner_side.challenge = outer_side.challenge OR inner_side.nt_proof_sha = outer_side.nt_proof_sha)
        AND abs(seconds_between(inner_side.ts, outer_side.ts)) <= $within_s
    WHERE inner_side.id_orig_h <> inner_side.id_resp_h
)
SELECT
    relay AS actor, target, min(account) AS user,
    min(ts) AS first_seen, max(last_ts) AS last_seen, CASE WHEN bool_or(coalesce(success, false)) THEN 'confirmed' WHEN bool_or(success IS NULL) THEN 'likely' ELSE 'attempt' END AS outcome,
    [
        term('the same proof', 1.5, coalesce(bool_or(same_proof), false)::INT),
        term('from one protocol into another', 1, bool_or(inner_over <> outer_over)::INT),
        term('a door for many, as a proxy is', -2, (count(DISTINCT victim) >= 10)::INT)
    ] AS terms,
    {
        'victim': array_to_string(least_of(victim, 3), ', '), 'victims': count(DISTINCT victim), 'relays': count(*),
        'same': CASE WHEN bool_or(same_proof) THEN 'proof of the password' ELSE 'challenge' END, 'came_over': min(inner_over), 'went_over': min(outer_over),
        'how': CASE WHEN bool_or(coalesce(success, false)) THEN 'it was let in' WHEN bool_or(success IS NULL) THEN 'what came of it was not seen' ELSE 'it was refused' END
    } AS evidence,
    list_distinct(flatten(list(flows ORDER BY ts, frames)))[1:1000] AS flows, list_distinct(flatten(list(frames ORDER BY ts, frames)))[1:200] AS frames
FROM pair
GROUP BY relay, target
ORDER BY actor, target
