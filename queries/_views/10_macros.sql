-- Words that rules share. Another engine can define them its own way.

-- One term of the confidence: weight in log-odds, value usually 0 to 1.
CREATE OR REPLACE TEMP MACRO term(what, weight, value) AS
    {'name': what, 'weight': round(weight::DOUBLE, 6), 'value': round(coalesce(value::DOUBLE, 0), 6)};

-- x, kept within bounds.
CREATE OR REPLACE TEMP MACRO within(x, low, high) AS greatest(low, least(high, x));

-- The n least values of a group, each once, in order. DuckDB's own min(x, n) sets room for all n aside in every group, which a million
-- groups cannot afford.
CREATE OR REPLACE TEMP MACRO least_of(x, n) AS list_slice(list(DISTINCT x ORDER BY x) FILTER (x IS NOT NULL), 1, n);

-- 0 at `low`, 1 at `high`, along the logarithm: 15 ports against 1000 ports.
CREATE OR REPLACE TEMP MACRO log_scale(x, low, high) AS
    greatest(0, least(1, ln(greatest(x, 1e-9) / low::DOUBLE) / ln(high / low::DOUBLE)));

-- Addresses of groups, not of hosts.
CREATE OR REPLACE TEMP MACRO is_group(ip) AS
    ip LIKE 'ff__:%' OR ip LIKE '255.%' OR ip LIKE '%.255' OR regexp_matches(ip, '^2(2[4-9]|3[0-9])\.');

-- The neighbourhood of an address: /16 of IPv4, /48 of IPv6.
CREATE OR REPLACE TEMP MACRO net_of(ip) AS regexp_extract(ip, '^(\d+\.\d+|[0-9a-f]+:[0-9a-f]+:[0-9a-f]*)', 1);

-- How much an act weighs by where it goes: from outside in it is the weather of the Internet, from inside it is one of ours.
CREATE OR REPLACE TEMP MACRO by_direction(direction, incoming, sideways, outgoing, elsewhere) AS
    CASE direction WHEN 'in' THEN incoming WHEN 'lat' THEN sideways WHEN 'out' THEN outgoing ELSE elsewhere END;

-- The same, but addresses of one /24 that are neither ours are neighbours all the same: a public network that was not named with --home-net.
CREATE OR REPLACE TEMP MACRO way_between(direction, a, b) AS
    CASE WHEN direction = 'ext' AND regexp_extract(a, '^(\d+\.\d+\.\d+)\.', 1) <> '' AND regexp_extract(a, '^(\d+\.\d+\.\d+)\.', 1) = regexp_extract(b, '^(\d+\.\d+\.\d+)\.', 1) THEN 'lat' ELSE direction END;

-- The originator opened the connection within the capture. A wrong checksum is noted before the SYN that had it.
CREATE OR REPLACE TEMP MACRO opened(history) AS regexp_matches(history, '^[Cc]*S');

-- Seconds between two timestamps.
CREATE OR REPLACE TEMP MACRO seconds_between(earlier, later) AS (epoch_us(later) - epoch_us(earlier)) / 1e6;

-- Percent-decoding that never fails: pairs beyond ASCII become `?`, since they may be no UTF-8.
CREATE OR REPLACE TEMP MACRO unescape(raw) AS
    CASE WHEN contains(raw, '%') THEN url_decode(regexp_replace(raw, '%[89a-fA-F][0-9a-fA-F]', '?', 'g')) ELSE raw END;

-- Text as the attacked program reads it: decoded twice, lower case.
CREATE OR REPLACE TEMP MACRO plain_text(raw) AS lower(unescape(unescape(replace(raw, '+', ' '))));

-- Bytes given in hex as text that can be searched: what is no printable ASCII becomes a dot.
CREATE OR REPLACE TEMP MACRO ascii_of(bytes_hex) AS regexp_replace(decode(unhex(coalesce(bytes_hex, '')), 'replace'), '[^ -~]', '.', 'g');

-- An address, not a name.
CREATE OR REPLACE TEMP MACRO is_address(host) AS
    coalesce(regexp_full_match(host, '\d{1,3}(\.\d{1,3}){3}|\[?[0-9a-fA-F:]*:[0-9a-fA-F:]+\]?'), false);
