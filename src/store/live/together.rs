//! What several segments say together, where their rows do not merely stand one after the other.

/// Between queries whose rows stand one after the other.
pub(super) const AND: &str = " UNION ALL BY NAME ";

/// The rows of a table in a catalog.
pub(super) fn of(catalog: &str, table: &str) -> String {
    format!("SELECT * FROM {catalog}.main.\"{table}\"")
}

/// The rows of a table in several catalogs, in their order.
pub(super) fn all<'a>(catalogs: impl IntoIterator<Item = &'a str>, table: &str) -> String {
    let parts: Vec<String> = catalogs.into_iter().map(|catalog| of(catalog, table)).collect();
    parts.join(AND)
}

/// Hosts: what was counted of each is added up, its names and hardware addresses are put together.
pub(super) fn hosts(all: &str) -> String {
    format!(
        "SELECT ip, bool_or(internal) AS internal, min(first_ts) AS first_ts, min(first_ts_ns) AS first_ts_ns, max(last_ts) AS last_ts,
            max(last_ts_ns) AS last_ts_ns, sum(flows)::BIGINT AS flows, sum(bytes_out)::BIGINT AS bytes_out,
            sum(bytes_in)::BIGINT AS bytes_in, list_sort(list_distinct(flatten(list(macs)))) AS macs,
            list_sort(list_distinct(flatten(list(names))))[:5] AS names
         FROM ({all}) GROUP BY ip ORDER BY ip"
    )
}

/// Roles of hosts.
pub(super) fn host_role(all: &str) -> String {
    format!("SELECT ip, role, min(why) AS why FROM ({all}) GROUP BY ip, role ORDER BY ip, role")
}

/// Claims of hosts: each once, with its first frame, its last time and the sum; of each host and kind of claim the best, as in one case.
pub(super) fn host_claims(all: &str) -> String {
    use super::super::claims::VALUES_MAX;
    format!(
        "WITH claims AS (
             SELECT ip, mac, claim, value, source, ground, said_by, max(confidence) AS confidence, min(frame) AS frame, min(first_ts) AS first_ts,
                 min(first_ts_ns) AS first_ts_ns, max(last_ts) AS last_ts, max(last_ts_ns) AS last_ts_ns, sum(times)::BIGINT AS times,
                 min(detail) AS detail, sum(left_out)::BIGINT AS left_out
             FROM ({all}) GROUP BY ip, mac, claim, value, source, ground, said_by
         ), listed AS (
             SELECT ip, mac, claim, value, count(*) OVER of_host AS found, sum(sum(left_out)) OVER of_host AS left_before,
                 row_number() OVER (PARTITION BY ip, mac, claim ORDER BY max(confidence) DESC, sum(times) DESC, value) AS place
             FROM claims GROUP BY ip, mac, claim, value WINDOW of_host AS (PARTITION BY ip, mac, claim)
         )
         SELECT c.* REPLACE ((CASE WHEN place = {VALUES_MAX} THEN left_before + found - place ELSE 0 END)::BIGINT AS left_out)
         FROM claims c JOIN listed l
             ON c.ip IS NOT DISTINCT FROM l.ip AND c.mac IS NOT DISTINCT FROM l.mac AND c.claim = l.claim AND c.value = l.value
         WHERE place <= {VALUES_MAX}
         ORDER BY c.ip NULLS LAST, c.mac, c.claim, place, c.confidence DESC, c.source, c.ground"
    )
}

/// What is known from outside, once.
pub(super) fn known(all: &str) -> String {
    format!("SELECT DISTINCT * FROM ({all}) ORDER BY ALL")
}
