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

/// What is known from outside, once.
pub(super) fn known(all: &str) -> String {
    format!("SELECT DISTINCT * FROM ({all}) ORDER BY ALL")
}
