/*
id       = "name-poisoning"
title    = "LLMNR, NBNS or mDNS poisoning: one host answers to names that are not its own"
attack   = ["T1557.001"]
impact   = 85
prior    = 0.5
family   = "mitm"
reads    = ["dns"]
also     = ["ntlm", "flows"]
window   = "10min"
key      = ["actor"]
fires_on = "name-poisoning"
benign   = "A host with several names of its own, a proxy of mDNS between networks, a WINS server: they answer for names that exist."
says     = "{actor} answered {clients:hosts} to {names} names with its own address ({examples}); {how}"
filter   = "(llmnr || nbns || mdns) && ip.src == {actor}"
[params]
min_names = 2       # unrelated names that one host claims; a host has one name, with and without a suffix
wait_s    = 30      # seconds within which somebody logs in to the answerer
decoys    = ["wpad", "isatap", "proxysrv"] # names that nobody has and every Windows asks for
*/
WITH answered AS (
    SELECT
        ts, flow_id, frame, kind, id_orig_h, id_resp_h,
        -- `HOST<20>` of NetBIOS, `host.local` of mDNS, a trailing dot: one name.
        regexp_replace(regexp_replace(lower(query), '<[0-9a-f]{2}>$', ''), '\.(local|lan)?\.?$|\.local$', '') AS name,
        unnest(answers) AS address
    FROM dns
    WHERE kind IN ('llmnr', 'nbns') AND query IS NOT NULL AND len(answers) > 0
),
-- Whoever claims a name speaks from the address that it names.
claim AS (
    SELECT *, CASE WHEN address = id_resp_h THEN id_orig_h ELSE id_resp_h END AS asker
    FROM answered
    WHERE is_address(address) AND (address = id_resp_h OR address = id_orig_h OR is_group(id_resp_h)) AND name <> '' AND NOT starts_with(name, '*') AND name NOT LIKE '%\x01%'
),
-- What a host calls itself, in leases, logins and announcements, is its own.
own AS (
    SELECT assigned_addr AS ip, lower(host_name) AS name FROM dhcp WHERE host_name IS NOT NULL AND assigned_addr IS NOT NULL
    UNION SELECT id_resp_h, lower(server_nb_computer_name) FROM ntlm WHERE server_nb_computer_name IS NOT NULL
    UNION SELECT id_resp_h, lower(split_part(server_dns_computer_name, '.', 1)) FROM ntlm WHERE server_dns_computer_name IS NOT NULL
    UNION SELECT id_orig_h, lower(hostname) FROM ntlm WHERE hostname IS NOT NULL
    UNION SELECT ip, split_part(name, '.', 1) FROM named
),
asked AS (
    SELECT address AS answerer, asker, name, min(ts) AS ts, max(ts) AS last_ts, count(*) AS answers, min(kind) AS kind, min(flow_id) AS flow_id, min(frame) AS frame
    FROM claim
    WHERE (address, name) NOT IN (SELECT ip, name FROM own WHERE ip IS NOT NULL AND name IS NOT NULL)
    GROUP BY address, asker, name
),
-- Names that the real name server says do not exist, or that another host claims too.
absent AS (
    SELECT split_part(lower(query), '.', 1) AS name FROM dns WHERE kind = 'dns' AND rcode = 3 GROUP BY ALL
),
twin AS (SELECT name FROM asked GROUP BY name HAVING count(DISTINCT answerer) > 1),
login AS (
    SELECT
        answerer, count(DISTINCT ntlm.id_orig_h) AS victims, min(username) AS username, min(ntlm.frame) AS frame, min(ntlm.flow_id) AS flow_id,
        -- It then called itself something else: whoever asks for a host by its name meets one of that name. NetBIOS cuts names at fifteen letters.
        bool_or(left(lower(server_nb_computer_name), 15) <> left(split_part(asked.name, '.', 1), 15)
            AND lower(split_part(coalesce(server_dns_computer_name, ''), '.', 1)) <> split_part(asked.name, '.', 1)) AS another
    FROM asked JOIN ntlm ON ntlm.id_resp_h = answerer AND ntlm.id_orig_h = asker AND username IS NOT NULL
        AND seconds_between(asked.ts, ntlm.ts) BETWEEN 0 AND $wait_s
    GROUP BY answerer
),
host AS (
    SELECT
        answerer, count(DISTINCT name) AS names, count(DISTINCT asker) AS clients, sum(answers) AS answers,
        count(DISTINCT name) FILTER (list_contains($decoys, name)) AS decoys,
        count(DISTINCT name) FILTER (name IN (FROM absent)) AS absent, count(DISTINCT name) FILTER (name IN (FROM twin)) AS twins,
        min(ts) AS first_seen, max(last_ts) AS last_seen, least_of(name, 5) AS examples, least_of(asker, 50) AS targets,
        least_of(flow_id, 1000) AS flows, least_of(frame, 150) AS frames
    FROM asked GROUP BY answerer
)
SELECT
    host.answerer AS actor, targets[1] AS target, targets, username AS user,
    first_seen, last_seen, CASE WHEN victims > 0 OR names >= 2 * $min_names THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('names', 1.5, log_scale(names, 1, 8)),
        term('one name alone, which may be an alias', -1, (names < $min_names AND decoys = 0)::INT),
        term('a name that nobody has', 1, (decoys > 0)::INT),
        term('names that do not exist', 0.7, (absent > 0)::INT),
        term('somebody then logged in there', 2, (coalesce(victims, 0) > 0)::INT)
    ] AS terms,
    {
        'names': names, 'clients': clients, 'answers': answers, 'decoys': decoys, 'absent': absent, 'twins': twins, 'examples': examples, 'victims': coalesce(victims, 0),
        'how': CASE WHEN victims > 0 THEN victims || ' then sent it a login' ELSE 'no login followed' END
    } AS evidence,
    CASE WHEN login.flow_id IS NULL THEN flows ELSE list_append(flows, login.flow_id) END AS flows,
    CASE WHEN login.frame IS NULL THEN frames ELSE list_concat([login.frame], frames) END AS frames
FROM host LEFT JOIN login USING (answerer)
WHERE names >= $min_names OR decoys > 0 OR coalesce(another, false)
ORDER BY actor
