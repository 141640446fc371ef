//! Version 4 (RFC 7530, 8881, 7862, 8276): the operations of a call.

use super::super::xdr::Xdr;
use super::{Handle, NAME_MAX, names, text};
use crate::dissect::escape;

/// Operations that are read of one call.
pub const OPERATIONS_MAX: usize = 64;
/// Longest handle.
pub const HANDLE_MAX: usize = 128;
/// Bytes of owners, attributes and other opaques.
pub const OPAQUE_MAX: usize = 64 << 10;
/// Letters of a tag.
pub const TAG_MAX: usize = 1_024;
/// Words of a bitmap of attributes.
pub const BITMAP_MAX: usize = 64;
const STATEID: usize = 16;

/// Numbers of operations that are more than passed.
pub mod op {
    pub const ACCESS: u32 = 3;
    pub const CLOSE: u32 = 4;
    pub const COMMIT: u32 = 5;
    pub const CREATE: u32 = 6;
    pub const GETATTR: u32 = 9;
    pub const GETFH: u32 = 10;
    pub const LINK: u32 = 11;
    pub const LOCK: u32 = 12;
    pub const LOOKUP: u32 = 15;
    pub const LOOKUPP: u32 = 16;
    pub const NVERIFY: u32 = 17;
    pub const OPEN: u32 = 18;
    pub const PUTFH: u32 = 22;
    pub const PUTPUBFH: u32 = 23;
    pub const PUTROOTFH: u32 = 24;
    pub const READ: u32 = 25;
    pub const READDIR: u32 = 26;
    pub const READLINK: u32 = 27;
    pub const REMOVE: u32 = 28;
    pub const RENAME: u32 = 29;
    pub const RENEW: u32 = 30;
    pub const RESTOREFH: u32 = 31;
    pub const SAVEFH: u32 = 32;
    pub const SECINFO: u32 = 33;
    pub const SETATTR: u32 = 34;
    pub const VERIFY: u32 = 37;
    pub const WRITE: u32 = 38;
    pub const LAYOUTGET: u32 = 50;
    pub const SEQUENCE: u32 = 53;
    pub const TEST_STATEID: u32 = 55;
}

/// One operation with its result.
#[derive(Clone, Default)]
pub struct Op {
    /// Number.
    pub code: u32,
    /// Name within the current directory.
    pub name: Option<String>,
    /// The new name, or where a link leads.
    pub to: Option<String>,
    /// PUTFH: the handle.
    pub handle: Option<Handle>,
    /// READ and WRITE: where.
    pub offset: Option<u64>,
    /// How much.
    pub count: Option<u64>,
    /// Result; `None` if it was not seen.
    pub status: Option<u32>,
    /// GETFH: the handle; LAYOUTGET: the one that the data has.
    pub found: Option<Handle>,
    /// Size of the file: attributes, or the end that was read.
    pub size: Option<u64>,
}

/// Data of a READ or WRITE: which operation it belongs to.
pub struct Carried<'a> {
    /// Its position.
    pub at: usize,
    /// All its bytes.
    pub length: u64,
    /// Those that are here.
    pub here: &'a [u8],
}

/// A call of version 4.
#[derive(Default)]
pub struct Compound {
    /// The client's word for it.
    pub tag: Option<String>,
    /// Minor version.
    pub minor: Option<u32>,
    /// Operations that it says it has.
    pub count: usize,
    /// Operations as far as they could be read; the reply may tell of more.
    pub ops: Vec<Op>,
}

impl Compound {
    /// Reads arguments as far as they go.
    pub fn parse(args: &[u8]) -> (Self, Vec<Carried<'_>>) {
        let (mut compound, mut data) = (Self::default(), Vec::new());
        compound.read(&mut Xdr::new(args), &mut data);
        (compound, data)
    }

    fn read<'a>(&mut self, xdr: &mut Xdr<'a>, data: &mut Vec<Carried<'a>>) -> Option<()> {
        self.tag = Some(escape(xdr.opaque(TAG_MAX)?, TAG_MAX)).filter(|tag| !tag.is_empty());
        self.minor = Some(xdr.u32()?);
        let count = usize::try_from(xdr.u32()?).ok()?;
        self.count = count;
        for at in 0..count.min(OPERATIONS_MAX) {
            let code = xdr.u32().filter(|&code| names::is_operation(code))?;
            let mut op = Op { code, ..Op::default() };
            let read = arguments(&mut op, xdr, at, data);
            self.ops.push(op);
            read?;
        }
        Some(())
    }
}

/// Operations whose arguments have one length.
fn fixed(code: u32) -> Option<usize> {
    Some(match code {
        op::ACCESS | 19 | 52 | 58 => 4,
        7 | op::RENEW | 57 => 8,
        op::COMMIT | 74 => 12,
        36 | 44 | 45 | 66 | 67 | 8 => 16,
        op::CLOSE | 20 => 20,
        41 | 48 => 24,
        21 | 68 | 69 => 28,
        op::SEQUENCE | 59 | 62 => 32,
        14 => 40,
        op::LAYOUTGET | 71 => 56,
        op::GETFH | op::LOOKUPP | op::PUTPUBFH | op::PUTROOTFH | op::READLINK | op::RESTOREFH | op::SAVEFH => 0,
        _ => return None,
    })
}

/// Reads the arguments of one operation; nothing if what follows cannot be found.
fn arguments<'a>(op: &mut Op, xdr: &mut Xdr<'a>, at: usize, data: &mut Vec<Carried<'a>>) -> Option<()> {
    if let Some(length) = fixed(op.code) {
        return xdr.skip(length);
    }
    match op.code {
        op::CREATE => create(op, xdr),
        op::GETATTR => xdr.skip_words(BITMAP_MAX),
        op::LINK | op::LOOKUP | op::REMOVE | op::SECINFO | 72 | 75 => name(&mut op.name, xdr),
        op::RENAME => name(&mut op.name, xdr).and_then(|()| name(&mut op.to, xdr)),
        op::LOCK => lock(xdr),
        13 => xdr.skip(28).and_then(|()| xdr.opaque(OPAQUE_MAX)).map(|_| ()),
        op::VERIFY | op::NVERIFY => attributes(xdr).map(|_| ()),
        op::OPEN => open(op, xdr),
        op::PUTFH => {
            op.handle = Some(xdr.opaque(HANDLE_MAX)?.to_vec());
            Some(())
        }
        op::READ => {
            xdr.skip(STATEID)?;
            (op.offset, op.count) = (Some(xdr.u64()?), Some(u64::from(xdr.u32()?)));
            Some(())
        }
        op::READDIR => xdr.skip(24).and_then(|()| xdr.skip_words(BITMAP_MAX)),
        op::SETATTR => xdr.skip(STATEID).and_then(|()| attributes(xdr)).map(|_| ()),
        op::WRITE => {
            xdr.skip(STATEID)?;
            op.offset = Some(xdr.u64()?);
            xdr.u32()?;
            let (length, here) = xdr.opaque_part()?;
            op.count = Some(length);
            data.push(Carried { at, length, here });
            (here.len() as u64 == length).then_some(())
        }
        39 => xdr.skip(8).and_then(|()| xdr.opaque(OPAQUE_MAX)).map(|_| ()),
        47 => xdr.skip(24).and_then(|()| xdr.skip_words(BITMAP_MAX)),
        51 => layout_return(xdr),
        op::TEST_STATEID => {
            let count = usize::try_from(xdr.u32()?).ok().filter(|&count| count <= OPAQUE_MAX)?;
            xdr.skip(STATEID * count)
        }
        63 => xdr.skip(32).and_then(|()| xdr.skip_words(BITMAP_MAX)),
        _ => None,
    }
}

fn name(into: &mut Option<String>, xdr: &mut Xdr<'_>) -> Option<()> {
    *into = text(xdr.opaque(NAME_MAX)?);
    Some(())
}

/// Which attributes, and their values: the size, if it is among them (RFC 7530 5.6, 5.8.1).
pub fn attributes(xdr: &mut Xdr<'_>) -> Option<Option<u64>> {
    let words = usize::try_from(xdr.u32()?).ok().filter(|&words| words <= BITMAP_MAX)?;
    let bitmap = xdr.fixed(4 * words)?;
    let mut values = Xdr::new(xdr.opaque(OPAQUE_MAX)?);
    let first = Xdr::new(bitmap).u32().unwrap_or(0);
    let has = |bit: u32| first >> bit & 1 == 1;
    let mut size = || -> Option<u64> {
        if has(0) {
            values.skip_words(BITMAP_MAX)?;
        }
        // Type, kind of expiry, number of the last change.
        for (bit, width) in [(1, 4), (2, 4), (3, 8)] {
            if has(bit) {
                values.skip(width)?;
            }
        }
        if has(4) { values.u64() } else { None }
    };
    Some(size())
}

fn create(op: &mut Op, xdr: &mut Xdr<'_>) -> Option<()> {
    match xdr.u32()? {
        5 => name(&mut op.to, xdr)?,
        3 | 4 => xdr.skip(8)?,
        _ => {}
    }
    name(&mut op.name, xdr)?;
    attributes(xdr).map(|_| ())
}

fn lock(xdr: &mut Xdr<'_>) -> Option<()> {
    xdr.skip(24)?;
    if xdr.bool()? {
        xdr.skip(4 + STATEID + 4 + 8)?;
        xdr.opaque(OPAQUE_MAX).map(|_| ())
    } else {
        xdr.skip(STATEID + 4)
    }
}

/// Share, owner, how to create, and what it is claimed by.
fn open(op: &mut Op, xdr: &mut Xdr<'_>) -> Option<()> {
    xdr.skip(12 + 8)?;
    xdr.opaque(OPAQUE_MAX)?;
    if xdr.u32()? == 1 {
        match xdr.u32()? {
            0 | 1 => attributes(xdr).map(|_| ())?,
            2 => xdr.skip(8)?,
            3 => xdr.skip(8).and_then(|()| attributes(xdr)).map(|_| ())?,
            _ => return None,
        }
    }
    match xdr.u32()? {
        0 | 3 => name(&mut op.name, xdr),
        1 => xdr.skip(4),
        2 => xdr.skip(STATEID).and_then(|()| name(&mut op.name, xdr)),
        4 | 6 => Some(()),
        5 => xdr.skip(STATEID),
        _ => None,
    }
}

fn layout_return(xdr: &mut Xdr<'_>) -> Option<()> {
    xdr.skip(12)?;
    if xdr.u32()? == 1 {
        xdr.skip(16 + STATEID)?;
        xdr.opaque(OPAQUE_MAX)?;
    }
    Some(())
}
