//! Every table as a Parquet file, row group by row group, with the crate that writes the packet index: no extension, no staging.

use super::{MEMORY, Written, create, unwritable, written};
use crate::pipeline::Error;
use crate::store::{self, folder::files, query};
use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression;
use ::parquet::file::properties::WriterProperties;
use duckdb::Connection;
use duckdb::arrow::record_batch::RecordBatch;
use std::path::Path;

/// Writes into `out`, a folder that is new or empty.
pub(super) fn write(folder: &Path, out: &Path) -> Result<Vec<Written>, Error> {
    std::fs::create_dir_all(out).map_err(|error| unwritable(out, error))?;
    let mut entries = std::fs::read_dir(out).map_err(|error| unwritable(out, error))?;
    if entries.next().is_some() {
        return Err(Error::Occupied { path: out.display().to_string() });
    }
    let case = store::open_read_only(folder, MEMORY, 1)?;
    let db = case.connection();
    let names = query(db, "SELECT table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary ORDER BY 1")?;
    let mut all = Vec::new();
    for name in names.rows.iter().flatten().map(ToString::to_string) {
        let path = out.join(format!("{name}.parquet"));
        let rows = table(db, &name, &path)?;
        all.push(written(&path, format!("{rows} rows"))?);
    }
    let (index, copy) = (case.folder().join(files::PACKETS), out.join(files::PACKETS));
    if index.exists() {
        std::fs::copy(&index, &copy).map_err(|error| unwritable(&copy, error))?;
        all.push(written(&copy, "the packet index".into())?);
    }
    Ok(all)
}

fn table(db: &Connection, name: &str, path: &Path) -> Result<u64, Error> {
    let failed = |error: ::parquet::errors::ParquetError| unwritable(path, std::io::Error::other(error));
    let mut statement = db.prepare(&format!("FROM main.\"{name}\""))?;
    let schema = statement.stream_arrow([])?.get_schema();
    let properties = WriterProperties::builder()
        .set_created_by(concat!("vigil ", env!("CARGO_PKG_VERSION")).into())
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer = ArrowWriter::try_new(create(path)?, schema, Some(properties)).map_err(failed)?;
    let mut rows = 0;
    while let Some(chunk) = statement.step()? {
        let batch = RecordBatch::from(&chunk);
        rows += batch.num_rows() as u64;
        writer.write(&batch).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(rows)
}
