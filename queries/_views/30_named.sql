-- Names that were looked up: address → name, from answers of the capture.
CREATE OR REPLACE TEMP TABLE named AS
SELECT answer AS ip, min(lower(query)) AS name, min(lower(etld1)) AS etld1, count(DISTINCT lower(query)) AS names, min(ts) AS first_ts
FROM (SELECT query, etld1, ts, unnest(answers) AS answer FROM dns WHERE kind = 'dns')
WHERE is_address(answer) AND query IS NOT NULL
GROUP BY answer;
