/*
id       = "irc-bot"
title    = "Bots take orders in a chat room"
attack   = ["T1071", "T1571"]
impact   = 85
prior    = 0.3
family   = "irc"
reads    = ["irc"]
also     = ["flows"]
window   = "capture"
key      = ["actor", "target"]
fires_on = "irc-bot"
benign   = "Helpful robots that answer to marks and words of their own; people whose nicks end in a year."
says     = "{actor} joined {channel} on {target} port {port} as {nick}: {why}"
filter   = "irc && ip.addr == {actor} && ip.addr == {target}"
[params]
orders = "^[.!@$*-]{1,2}(adv(ance)?scan|asc|scan(all|start|stop)?|ddos|dos|(syn|udp|tcp|icmp|http|ack|ping|ssyn|phat|random)[._-]?(flood|storm|ddos)?|flood|wget|download|dl|update|upd|execute|exec|open|shell|cmd|sh|run|visit|keylog|getclip|harvest|spam|redirect|socks4?5?|proxy|uninstall|remove|rm|die|kill|login|auth|l|threads|spread|install|version|sysinfo|netinfo|pstore|steal|miner?|http\\.(dos|exec|execute|update|download|visit)|ftp\\.(exec|update|download)|ddos\\.\\w+|bot\\.\\w+|download\\.\\w+|scan\\.\\w+)(\\s|$)" # orders, with the mark before them that bots listen for
weighty = "https?://|ftp://|\\b\\d{1,3}(\\.\\d{1,3}){3}\\b|\\b(asn1|lsass|dcom|netapi|ms0\\d_?\\d+|ntpass|vnc|lsass_?\\d*|wkssvc|symantec)\\b|[a-z]:\\\\|%temp%|\\s-[rsbax]\\b" # what orders are about: addresses, places, weak services
nicks  = "^[\\[{(<]([a-z]{2,3}|new|bot|\\d{2})[|\\])}>].*\\d{4,}|^([a-z]{2,3}|\\d{2})\\|.*\\d{4,}|^[a-z]?[\\[{][a-z]{2,3}[|\\]].*\\d{4,}|^[a-z]{5,9}\\d{5,}$" # nicks that programs make up of country, system and numbers
min_heavy = 1 # orders that name an address, a place or a service, or are the room's topic
usual  = [194, 994, 6660, 6661, 6662, 6663, 6664, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 7000, 7070] # ports of chat
*/
WITH said AS (
    SELECT irc.*, trim(coalesce(addl, '')) AS words
    FROM irc
),
-- Orders come down from the server; the topic of the room is the order to all who join.
order_line AS (
    SELECT flow_id, frame, ts, command, value, words, command = 'TOPIC' AS topic, command = 'TOPIC' OR regexp_matches(words, '(?i)' || $weighty) AS heavy
    FROM said
    WHERE command IN ('PRIVMSG', 'TOPIC', 'NOTICE') AND NOT is_orig AND regexp_matches(words, '(?i)' || $orders)
),
room AS (
    SELECT
        said.flow_id, min(id_orig_h) AS id_orig_h, min(id_resp_h) AS id_resp_h, min(id_resp_p) AS id_resp_p, min(ts) AS first_seen, max(ts) AS last_seen,
        coalesce(min_by(value, frame) FILTER (command = 'NICK' AND is_orig), min(nick)) AS nick,
        min_by(value, frame) FILTER (command = 'JOIN' AND is_orig) AS channel,
        bool_or(command = 'JOIN' AND is_orig AND contains(coalesce(addl, ''), 'key')) AS keyed,
        count(*) FILTER (command IN ('PRIVMSG', 'NOTICE') AND is_orig) AS spoken, least_of(CASE WHEN command IN ('NICK', 'JOIN', 'USER') THEN frame END, 60) AS frames
    FROM said GROUP BY said.flow_id
),
judged AS (
    SELECT room.*, coalesce(orders, 0) AS orders, coalesce(heavy, 0) AS heavy, coalesce(topics, 0) AS topics, example, coalesce(order_frames, []) AS order_frames,
        regexp_matches(coalesce(nick, ''), '(?i)' || $nicks) AS made_up
    FROM room
    LEFT JOIN (
        SELECT flow_id, count(*) AS orders, count(*) FILTER (heavy) AS heavy, count(*) FILTER (topic) AS topics, min_by(left(words, 120), frame) AS example,
            list_slice(list(frame ORDER BY frame), 1, 100) AS order_frames
        FROM order_line GROUP BY flow_id
    ) AS given USING (flow_id)
)
SELECT
    id_orig_h AS actor, id_resp_h AS target, NULL::VARCHAR AS user,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen, CASE WHEN sum(heavy) > 0 THEN 'confirmed' ELSE 'likely' END AS outcome,
    [
        term('orders with an address, a place or a service', 2, log_scale(sum(heavy), 0.5, 2)),
        term('the topic of the room is an order', 1.5, (sum(topics) > 0)::INT),
        term('a nick of country, system or number', 1, bool_or(made_up)::INT),
        term('the room has a key', 0.5, bool_or(keyed)::INT),
        term('on a port that chat does not use', 0.8, bool_or(NOT list_contains($usual, id_resp_p))::INT),
        term('it talks like people do', -1, log_scale(sum(spoken), 10, 100))
    ] AS terms,
    {
        'port': min(id_resp_p), 'nick': coalesce(min(nick), 'nobody'), 'channel': coalesce(min(channel), 'no room'), 'orders': sum(orders), 'topics': sum(topics), 'example': min(example),
        'why': CASE WHEN sum(orders) > 0 THEN sum(orders) || ' orders, such as ' || min(example) ELSE 'a nick that a program made up, in a room with a key' END
    } AS evidence,
    least_of(flow_id, 1000) AS flows, list_distinct(flatten(list(list_concat(order_frames, coalesce(frames, [])) ORDER BY flow_id)))[1:200] AS frames
FROM judged
WHERE heavy >= $min_heavy OR (made_up AND keyed AND spoken = 0)
GROUP BY id_orig_h, id_resp_h
ORDER BY actor, target
