//! Commands and their names, as Zeek's `mysql.log` writes them.

use super::packets::{integer, string, take};

/// Parameters read of one query.
const PARAMETERS_MAX: u64 = 256;

const NAMES: [&str; 32] = [
    "sleep",
    "quit",
    "init_db",
    "query",
    "field_list",
    "create_db",
    "drop_db",
    "refresh",
    "shutdown",
    "statistics",
    "process_info",
    "connect",
    "process_kill",
    "debug",
    "ping",
    "time",
    "delayed_insert",
    "change_user",
    "binlog_dump",
    "table_dump",
    "connect_out",
    "register_slave",
    "stmt_prepare",
    "stmt_execute",
    "stmt_send_long_data",
    "stmt_close",
    "stmt_reset",
    "set_option",
    "stmt_fetch",
    "daemon",
    "binlog_dump_gtid",
    "reset_connection",
];

/// Command numbers used here.
pub mod command {
    pub const QUIT: u8 = 1;
    pub const QUERY: u8 = 3;
    pub const CHANGE_USER: u8 = 17;
    pub const PREPARE: u8 = 22;
    pub const CLOSE: u8 = 25;
    pub const LONG_DATA: u8 = 24;
}

/// Name of a command.
pub fn name(number: u8) -> String {
    NAMES.get(usize::from(number)).map_or_else(|| format!("unknown-{number}"), |name| (*name).to_owned())
}

/// Whether the server says nothing to it.
pub fn is_silent(number: u8) -> bool {
    matches!(number, command::QUIT | command::CLOSE | command::LONG_DATA)
}

/// The text of a query, behind its attributes where the client sends them.
pub fn query(mut bytes: &[u8], attributes: bool) -> &[u8] {
    let whole = bytes;
    if attributes && skip_attributes(&mut bytes).is_none() {
        return whole;
    }
    bytes
}

/// Query attributes: count, sets, and where there are any a bitmap of nulls, a flag, types with names, values.
fn skip_attributes(bytes: &mut &[u8]) -> Option<()> {
    let count = integer(bytes).filter(|&count| count <= PARAMETERS_MAX)?;
    integer(bytes)?;
    if count == 0 {
        return Some(());
    }
    let count = usize::try_from(count).ok()?;
    let nulls = take(bytes, count.div_ceil(8))?;
    take(bytes, 1).filter(|flag| *flag == [1])?;
    let mut kinds = Vec::with_capacity(count);
    for _ in 0..count {
        let [kind, _unsigned] = *take(bytes, 2)?.first_chunk::<2>()?;
        string(bytes)?;
        kinds.push(kind);
    }
    for (n, kind) in kinds.into_iter().enumerate() {
        let null = nulls.get(n / 8).is_some_and(|bits| bits >> (n % 8) & 1 == 1);
        if null {
            continue;
        }
        match kind {
            1 => take(bytes, 1),
            2 | 13 => take(bytes, 2),
            3 | 4 | 9 => take(bytes, 4),
            5 | 8 => take(bytes, 8),
            6 => take(bytes, 0),
            7 | 10..=12 => {
                let length = usize::from(*take(bytes, 1)?.first()?);
                take(bytes, length)
            }
            _ => string(bytes),
        }?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_before_a_query_are_skipped() {
        assert_eq!(query(b"\x00\x01SELECT 1", true), b"SELECT 1");
        assert_eq!(query(b"SELECT 1", false), b"SELECT 1");
        let with = [&[2, 1, 0b10, 1, 0xfe, 0, 1, b'a', 8, 0, 1, b'b', 3][..], b"xyz", b"SELECT 2"].concat();
        assert_eq!(query(&with, true), b"SELECT 2");
        assert_eq!(name(3), "query");
    }
}
