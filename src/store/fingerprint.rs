//! One hash per table over its rows in stored order: what "same evidence, same case" compares. The bytes of the database
//! file are no measure: DuckDB does not promise them.

use super::{Result, StoreError};
use duckdb::Connection;
use duckdb::arrow::array::{Array, AsArray, StructArray};
use duckdb::arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use ring::digest::{Context, SHA256};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Tables hashed beside each other: most are small, and the largest one decides.
const THREADS_MAX: usize = 8;

/// Hashes of all tables, and of the packet index where it is a view of this connection.
pub fn fingerprint(conn: &Connection) -> Result<BTreeMap<String, String>> {
    names(conn)?.into_iter().map(|name| hash_of(conn, &name).map(|hash| (name, hash))).collect()
}

/// The same by several threads, each with a connection of its own: which one hashes what changes nothing. Views of this connection alone
/// are left out.
pub fn fingerprint_by(conn: &Connection, threads: usize) -> Result<BTreeMap<String, String>> {
    let mut names = names(conn)?;
    names.retain(|name| name != "packets");
    let next = AtomicUsize::new(0);
    let clones = (0..threads.clamp(1, THREADS_MAX)).map(|_| conn.try_clone()).collect::<duckdb::Result<Vec<_>>>();
    let clones = clones.map_err(StoreError::database("opening further connections"))?;
    let work = |conn: Connection| -> Result<Vec<(String, String)>> {
        let mut done = Vec::new();
        while let Some(name) = names.get(next.fetch_add(1, Relaxed)) {
            done.push((name.clone(), hash_of(&conn, name)?));
        }
        Ok(done)
    };
    let work = &work;
    let done: Result<Vec<Vec<_>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = clones.into_iter().map(|conn| scope.spawn(move || work(conn))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    Ok(done?.into_iter().flatten().collect())
}

fn names(conn: &Connection) -> Result<Vec<String>> {
    let names = super::query(
        conn,
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND NOT internal AND NOT temporary
         UNION SELECT view_name FROM duckdb_views() WHERE view_name = 'packets' ORDER BY 1",
    )?;
    Ok(names.rows.into_iter().flatten().map(|name| name.to_string()).collect())
}

/// Each column has a hash of its own, fed value by value, so that the size of DuckDB's chunks does not matter.
fn hash_of(conn: &Connection, table: &str) -> Result<String> {
    let failed = || StoreError::database(format!("hashing '{table}'"));
    let mut statement = conn.prepare(&format!("FROM \"{table}\"")).map_err(failed())?;
    let mut columns: Vec<Context> = Vec::new();
    let mut total = Context::new(&SHA256);
    let names = statement.stream_arrow([]).map_err(failed())?.get_schema();
    for field in names.fields() {
        total.update(format!("{} {}\n", field.name(), field.data_type()).as_bytes());
        columns.push(Context::new(&SHA256));
    }
    let mut bytes = Vec::new();
    // Stepping by hand: the iterator would panic where a chunk cannot be read.
    while let Some(chunk) = statement.step().map_err(failed())? {
        absorb(&chunk, &mut columns, &mut bytes);
    }
    columns.into_iter().for_each(|column| total.update(column.finish().as_ref()));
    Ok(super::schema::flows::Hex(total.finish()).to_string())
}

fn absorb(chunk: &StructArray, columns: &mut [Context], bytes: &mut Vec<u8>) {
    for (array, column) in chunk.columns().iter().zip(columns) {
        bytes.clear();
        (0..array.len()).for_each(|row| feed(array.as_ref(), row, bytes));
        column.update(bytes);
    }
}

/// One value: whether it is there, then its bytes, lists and texts after their length.
fn feed(array: &dyn Array, row: usize, bytes: &mut Vec<u8>) {
    bytes.push(u8::from(array.is_valid(row)));
    if array.is_null(row) {
        return;
    }
    match array.data_type() {
        DataType::Boolean => bytes.push(u8::from(array.as_boolean().value(row))),
        DataType::Int32 => bytes.extend(array.as_primitive::<Int32Type>().value(row).to_le_bytes()),
        DataType::Int64 => bytes.extend(array.as_primitive::<Int64Type>().value(row).to_le_bytes()),
        DataType::Float64 => bytes.extend(array.as_primitive::<Float64Type>().value(row).to_bits().to_le_bytes()),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            bytes.extend(array.as_primitive::<TimestampMicrosecondType>().value(row).to_le_bytes());
        }
        DataType::Utf8 => {
            let text = array.as_string::<i32>().value(row);
            bytes.extend(text.len().to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>().value(row);
            bytes.extend(list.len().to_le_bytes());
            (0..list.len()).for_each(|index| feed(list.as_ref(), index, bytes));
        }
        // `Kind` has no other type; a table that was made by hand is told apart by its schema at least.
        other => bytes.extend(format!("{other}").as_bytes()),
    }
}
