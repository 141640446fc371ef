//! The port mapper and rpcbind (RFC 1833): which program waits at which port.

use super::programs;
use super::xdr::Xdr;
use crate::dissect::escape;
use crate::model::event::Rpc;

/// Entries of a listing that are kept.
pub const ENTRIES_MAX: usize = 64;
/// Letters of a transport, an address, an owner.
const TEXT_MAX: usize = 256;

/// Reads arguments as far as they go.
pub fn ask(row: &mut Rpc, args: &[u8]) -> Option<()> {
    let xdr = &mut Xdr::new(args);
    match row.procedure.as_deref()? {
        "SET" | "UNSET" | "GETPORT" | "GETADDR" | "GETVERSADDR" | "GETADDRLIST" => {
            asked(row, xdr)?;
            if row.version < Some(3) {
                row.asked_proto = transport(xdr.u32()?);
                row.port = Some(xdr.u32()?).filter(|_| row.procedure.as_deref() == Some("SET"));
            } else {
                row.asked_proto = text(xdr);
                set_address(row, xdr);
            }
        }
        "CALLIT" | "BCAST" | "INDIRECT" => asked(row, xdr)?,
        _ => {}
    }
    Some(())
}

/// Reads results as far as they go.
pub fn answer(row: &mut Rpc, results: &[u8]) -> Option<()> {
    let xdr = &mut Xdr::new(results);
    match (row.procedure.as_deref()?, row.version?) {
        ("SET" | "UNSET", _) => row.status = Some(xdr.bool()?.to_string()),
        ("GETPORT" | "CALLIT", ..=2) => row.port = Some(xdr.u32()?),
        ("GETADDR" | "GETVERSADDR" | "CALLIT" | "BCAST" | "INDIRECT", _) => {
            set_address(row, xdr);
        }
        ("DUMP", version) => {
            while row.entries.len() < ENTRIES_MAX && xdr.bool()? {
                row.entries.push(mapping(version, xdr)?);
            }
        }
        _ => {}
    }
    Some(())
}

fn asked(row: &mut Rpc, xdr: &mut Xdr<'_>) -> Option<()> {
    let program = xdr.u32()?;
    (row.asked_program, row.asked_name) = (Some(program), programs::name(program));
    row.asked_version = Some(xdr.u32()?);
    Some(())
}

/// Protocol numbers of IP.
fn transport(number: u32) -> Option<String> {
    Some(match number {
        0 => return None,
        6 => "tcp".into(),
        17 => "udp".into(),
        number => number.to_string(),
    })
}

fn text(xdr: &mut Xdr<'_>) -> Option<String> {
    Some(escape(xdr.opaque(TEXT_MAX)?, TEXT_MAX)).filter(|text| !text.is_empty())
}

/// The universal address, of which the last two numbers are the port. An empty one says that nothing waits.
fn set_address(row: &mut Rpc, xdr: &mut Xdr<'_>) -> Option<()> {
    row.address = text(xdr);
    row.port = port(row.address.as_deref()?).or(row.port);
    Some(())
}

fn port(address: &str) -> Option<u32> {
    let mut numbers = address.rsplit('.').map(|number| number.parse::<u8>().ok().map(u32::from));
    let (low, high) = (numbers.next()??, numbers.next()??);
    Some(high << 8 | low)
}

/// `nfs 3 tcp 2049`, or `nfs 3 tcp6 ::.8.1`.
fn mapping(version: u32, xdr: &mut Xdr<'_>) -> Option<String> {
    let (program, number) = (xdr.u32()?, xdr.u32()?);
    let name = programs::name(program).map_or_else(|| program.to_string(), str::to_owned);
    let (proto, at) = if version < 3 {
        (transport(xdr.u32()?), Some(xdr.u32()?.to_string()))
    } else {
        let (proto, at) = (text(xdr), text(xdr));
        xdr.opaque(TEXT_MAX)?;
        (proto, at)
    };
    Some(format!("{name} {number} {} {}", proto.unwrap_or_default(), at.unwrap_or_default()))
}
