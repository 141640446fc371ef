//! Version 4: what became of the operations of a call.

use super::super::xdr::Xdr;
use super::args::{BITMAP_MAX, Carried, Compound, HANDLE_MAX, OPAQUE_MAX, OPERATIONS_MAX, Op, TAG_MAX, attributes, op};
use super::{NAME_MAX, names, text};

/// Before and after of a directory.
const CHANGE: usize = 20;
const STATEID: usize = 16;
/// Layouts of files, by number; at most so many at once; bytes of the name of a device.
const FILE_LAYOUT: u32 = 1;
const LAYOUTS_MAX: u32 = 64;
const DEVICE: usize = 16;
const NO_DELEGATION: u32 = 0;
const READ_DELEGATION: u32 = 1;
const WRITE_DELEGATION: u32 = 2;
const NOT_WANTED: u32 = 3;

impl Compound {
    /// Reads results as far as they go: the status of all, and the data that was read.
    pub fn results<'a>(&mut self, results: &'a [u8]) -> (Option<u32>, Vec<Carried<'a>>) {
        let (xdr, mut data) = (&mut Xdr::new(results), Vec::new());
        let status = xdr.u32();
        self.read_results(xdr, &mut data);
        (status, data)
    }

    fn read_results<'a>(&mut self, xdr: &mut Xdr<'a>, data: &mut Vec<Carried<'a>>) -> Option<()> {
        xdr.opaque(TAG_MAX)?;
        let count = usize::try_from(xdr.u32()?).ok()?;
        for at in 0..count.min(OPERATIONS_MAX) {
            let code = xdr.u32().filter(|&code| names::is_operation(code))?;
            match self.ops.get(at) {
                // It answers something else.
                Some(asked) if asked.code != code => return None,
                Some(_) => {}
                // The call was cut, or not read so far.
                None => self.ops.push(Op { code, ..Op::default() }),
            }
            let op = self.ops.get_mut(at)?;
            let status = xdr.u32()?;
            op.status = Some(status);
            if code == op::SETATTR {
                xdr.skip_words(BITMAP_MAX)?;
            }
            if status != 0 {
                return None;
            }
            result(op, xdr, at, data)?;
        }
        Some(())
    }
}

/// Operations whose results have one length.
fn fixed(code: u32) -> Option<usize> {
    Some(match code {
        7 | 8 | 13 | 19 | op::RENEW | 36 | 39 | 44 | 45 | 57 | 58 | 59 | 62 | 71 => 0,
        op::LOOKUP
        | op::LOOKUPP
        | op::NVERIFY
        | op::VERIFY
        | op::PUTFH
        | op::PUTPUBFH
        | op::PUTROOTFH
        | op::RESTOREFH
        | op::SAVEFH
        | op::SETATTR => 0,
        op::ACCESS | op::COMMIT => 8,
        69 => 12,
        op::CLOSE | op::LOCK | 14 | 20 | 21 | 35 | op::WRITE => 16,
        op::LINK | op::REMOVE => CHANGE,
        41 => 24,
        op::SEQUENCE => 36,
        op::RENAME => 2 * CHANGE,
        _ => return None,
    })
}

/// Reads the result of one operation that succeeded; nothing if what follows cannot be found.
fn result<'a>(op: &mut Op, xdr: &mut Xdr<'a>, at: usize, data: &mut Vec<Carried<'a>>) -> Option<()> {
    if let Some(length) = fixed(op.code) {
        return xdr.skip(length);
    }
    match op.code {
        op::CREATE => xdr.skip(CHANGE).and_then(|()| xdr.skip_words(BITMAP_MAX)),
        op::GETATTR => {
            op.size = attributes(xdr)?;
            Some(())
        }
        op::GETFH => {
            op.found = Some(xdr.opaque(HANDLE_MAX)?.to_vec());
            Some(())
        }
        op::OPEN => opened(xdr),
        op::READ => {
            let at_end = xdr.bool()?;
            let (length, here) = xdr.opaque_part()?;
            op.count = Some(length);
            op.size = op.offset.filter(|_| at_end).map(|offset| offset.saturating_add(length));
            data.push(Carried { at, length, here });
            (here.len() as u64 == length).then_some(())
        }
        op::READDIR => listing(xdr),
        op::READLINK => {
            op.to = text(xdr.opaque(NAME_MAX)?);
            Some(())
        }
        49 => {
            if xdr.bool()? {
                xdr.skip(8)
            } else {
                Some(())
            }
        }
        op::LAYOUTGET => layouts(op, xdr),
        51 => {
            if xdr.bool()? {
                xdr.skip(STATEID)
            } else {
                Some(())
            }
        }
        op::TEST_STATEID => xdr.skip_words(OPAQUE_MAX),
        _ => None,
    }
}

/// State, change of the directory, flags, attributes set, delegation.
fn opened(xdr: &mut Xdr<'_>) -> Option<()> {
    xdr.skip(STATEID + CHANGE + 4)?;
    xdr.skip_words(BITMAP_MAX)?;
    match xdr.u32()? {
        NO_DELEGATION => Some(()),
        READ_DELEGATION => xdr.skip(STATEID + 4).and_then(|()| entry(xdr)),
        WRITE_DELEGATION => xdr.skip(STATEID + 4 + 12).and_then(|()| entry(xdr)),
        NOT_WANTED => match xdr.u32()? {
            // Contention and lack of resources say whether the server will call back.
            1 | 2 => xdr.skip(4),
            _ => Some(()),
        },
        _ => None,
    }
}

/// An entry of an access list.
fn entry(xdr: &mut Xdr<'_>) -> Option<()> {
    xdr.skip(12)?;
    xdr.opaque(OPAQUE_MAX).map(|_| ())
}

fn listing(xdr: &mut Xdr<'_>) -> Option<()> {
    xdr.skip(8)?;
    while xdr.bool()? {
        xdr.skip(8)?;
        xdr.opaque(NAME_MAX)?;
        attributes(xdr)?;
    }
    xdr.skip(4)
}

/// Layouts; the first file in them is where the data goes (RFC 8881 13.3).
fn layouts(op: &mut Op, xdr: &mut Xdr<'_>) -> Option<()> {
    xdr.skip(4 + STATEID)?;
    let count = xdr.u32().filter(|&count| count <= LAYOUTS_MAX)?;
    for _ in 0..count {
        xdr.skip(20)?;
        let kind = xdr.u32()?;
        let mut layout = Xdr::new(xdr.opaque(OPAQUE_MAX)?);
        if kind == FILE_LAYOUT && op.found.is_none() && layout.skip(DEVICE + 16).is_some() && layout.u32() > Some(0) {
            op.found = layout.opaque(HANDLE_MAX).map(<[u8]>::to_vec);
        }
    }
    Some(())
}
