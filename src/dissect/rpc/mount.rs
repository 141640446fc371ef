//! The mount protocol, versions 1 to 3 (RFC 1094, appendix A; RFC 1813, appendix I): who gets the handle of which directory.

use super::nfs;
use super::portmap::ENTRIES_MAX;
use super::xdr::Xdr;
use crate::dissect::escape;
use crate::model::event::Rpc;

/// Letters of a directory, and of a name of a host or group.
const PATH_MAX: usize = 1_024;
const NAME_MAX: usize = 255;
/// Groups shown of one export.
const GROUPS_MAX: usize = 16;

/// Reads arguments as far as they go.
pub fn ask(row: &mut Rpc, args: &[u8]) -> Option<()> {
    if matches!(row.procedure.as_deref(), Some("MNT" | "UMNT" | "PATHCONF")) {
        row.path = Some(escape(Xdr::new(args).opaque(PATH_MAX)?, PATH_MAX));
    }
    Some(())
}

/// Reads results as far as they go.
pub fn answer(row: &mut Rpc, results: &[u8]) -> Option<()> {
    let xdr = &mut Xdr::new(results);
    match row.procedure.as_deref()? {
        "MNT" => {
            let status = xdr.u32()?;
            row.status = Some(named(row.version, status));
            if status == 0 {
                let handle = if row.version < Some(3) { xdr.fixed(32)? } else { xdr.opaque(64)? };
                row.file_handle = Some(format!("{:08x}", nfs::crc(handle)));
            }
        }
        "DUMP" => {
            while row.entries.len() < ENTRIES_MAX && xdr.bool()? {
                let host = escape(xdr.opaque(NAME_MAX)?, NAME_MAX);
                row.entries.push(format!("{host}:{}", escape(xdr.opaque(PATH_MAX)?, PATH_MAX)));
            }
        }
        "EXPORT" | "EXPORTALL" => {
            while row.entries.len() < ENTRIES_MAX && xdr.bool()? {
                row.entries.push(export(xdr)?);
            }
        }
        _ => {}
    }
    Some(())
}

/// A directory, and who may have it: `/srv 192.0.2.0/24 clients`; alone it is for everybody.
fn export(xdr: &mut Xdr<'_>) -> Option<String> {
    let mut shown = escape(xdr.opaque(PATH_MAX)?, PATH_MAX);
    let mut groups = 0;
    while xdr.bool()? {
        let group = xdr.opaque(NAME_MAX)?;
        groups += 1;
        if groups <= GROUPS_MAX {
            shown.push(' ');
            shown.push_str(&escape(group, NAME_MAX));
        }
    }
    Some(shown)
}

fn named(version: Option<u32>, status: u32) -> String {
    let prefix = if version < Some(3) { "MNT" } else { "MNT3" };
    let error = match status {
        0 => return format!("{prefix}_OK"),
        1 => "PERM",
        2 => "NOENT",
        5 => "IO",
        13 => "ACCES",
        20 => "NOTDIR",
        22 => "INVAL",
        63 => "NAMETOOLONG",
        10_004 => "NOTSUPP",
        10_006 => "SERVERFAULT",
        _ => return format!("{prefix}ERR_{status}"),
    };
    format!("{prefix}ERR_{error}")
}
