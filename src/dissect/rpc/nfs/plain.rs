//! Versions 2 (RFC 1094) and 3 (RFC 1813): arguments and results of one procedure.

use super::super::xdr::Xdr;
use super::transfers::Data;
use super::{Handle, NAME_MAX, State, names, text};
use crate::model::event::Nfs;

/// Handles of version 2, and the longest of version 3.
const HANDLE_2: usize = 32;
const HANDLE_3: usize = 64;
/// Attributes: type, mode, links, owner and group stand before the size.
const ATTRIBUTES_2: usize = 68;
const ATTRIBUTES_3: usize = 84;
const SIZE_AT: usize = 20;

/// What a call is about.
#[derive(Default)]
pub struct Plain {
    handle: Option<Handle>,
    name: Option<String>,
    /// RENAME: the other directory.
    to: Option<Handle>,
    to_name: Option<String>,
    offset: Option<u64>,
    count: Option<u64>,
}

/// Procedures that change more than the content of a file.
pub fn changes(procedure: &str) -> bool {
    matches!(procedure, "SETATTR" | "CREATE" | "MKDIR" | "SYMLINK" | "MKNOD" | "REMOVE" | "RMDIR" | "RENAME" | "LINK")
}

fn handle<'a>(version: u32, xdr: &mut Xdr<'a>) -> Option<&'a [u8]> {
    if version == 2 { xdr.fixed(HANDLE_2) } else { xdr.opaque(HANDLE_3) }
}

/// A number that version 3 made longer.
fn offset(version: u32, xdr: &mut Xdr<'_>) -> Option<u64> {
    if version == 2 { xdr.u32().map(u64::from) } else { xdr.u64() }
}

impl Plain {
    /// Reads arguments as far as they go; the data of a WRITE comes back beside them.
    pub fn parse<'a>(version: u32, procedure: &str, args: &'a [u8]) -> (Self, Option<Data<'a>>) {
        let (mut asked, mut data) = (Self::default(), None);
        asked.read(version, procedure, &mut Xdr::new(args), &mut data);
        (asked, data)
    }

    fn read<'a>(&mut self, version: u32, procedure: &str, xdr: &mut Xdr<'a>, data: &mut Option<Data<'a>>) -> Option<()> {
        if matches!(procedure, "NULL" | "ROOT" | "WRITECACHE") {
            return None;
        }
        let about = handle(version, xdr)?.to_vec();
        self.handle = Some(about.clone());
        match procedure {
            "LOOKUP" | "CREATE" | "MKDIR" | "MKNOD" | "REMOVE" | "RMDIR" => self.name = text(xdr.opaque(NAME_MAX)?),
            "SYMLINK" => {
                self.name = text(xdr.opaque(NAME_MAX)?);
                if version == 3 {
                    settings(xdr)?;
                }
                self.to_name = text(xdr.opaque(NAME_MAX)?);
            }
            "RENAME" => {
                self.name = text(xdr.opaque(NAME_MAX)?);
                self.to = Some(handle(version, xdr)?.to_vec());
                self.to_name = text(xdr.opaque(NAME_MAX)?);
            }
            "LINK" => {
                self.to = Some(handle(version, xdr)?.to_vec());
                self.to_name = text(xdr.opaque(NAME_MAX)?);
            }
            "READ" | "COMMIT" => {
                self.offset = Some(offset(version, xdr)?);
                self.count = Some(u64::from(xdr.u32()?));
            }
            "WRITE" => {
                if version == 2 {
                    xdr.u32()?;
                }
                let offset = offset(version, xdr)?;
                self.offset = Some(offset);
                self.count = Some(u64::from(xdr.u32()?));
                if version == 3 {
                    xdr.u32()?;
                }
                let (length, here) = xdr.opaque_part()?;
                self.count = Some(length);
                *data = Some(Data { handle: about, written: true, offset, length, here, size: None });
            }
            _ => {}
        }
        Some(())
    }

    /// Fills in what the arguments tell.
    pub fn tell(&self, row: &mut Nfs, state: &State) {
        let Some(handle) = &self.handle else { return };
        let spot = state.paths.of(handle);
        row.set_handle(handle);
        row.file_name.clone_from(&self.name);
        row.file_to.clone_from(&self.to_name);
        (row.offset, row.bytes) = (self.offset, self.count);
        row.path = self.name.as_ref().map_or_else(|| Some(spot.clone()), |name| spot.at(name)).map(|spot| spot.shown());
        // A new name in another directory says where that is.
        if let (Some(to), Some(name)) = (self.to.as_ref().filter(|to| *to != handle), &self.to_name) {
            row.file_to = state.paths.known(to).and_then(|spot| spot.at(name)).map(|spot| spot.shown()).or(Some(name.clone()));
        }
    }

    /// Reads results as far as they go; the data of a READ comes back.
    pub fn answer<'a>(&self, row: &mut Nfs, results: &'a [u8], state: &mut State) -> Option<Data<'a>> {
        let xdr = &mut Xdr::new(results);
        let (version, procedure) = (row.version, row.procedure.clone());
        if procedure == "NULL" {
            return None;
        }
        let status = xdr.u32()?;
        row.status = Some(names::status(version, status));
        let about = self.handle.as_deref()?;
        if status != 0 {
            if procedure == "WRITE" {
                state.transfers.told(about, true, None, true);
            }
            if matches!(procedure.as_str(), "READ" | "WRITE") {
                row.bytes = Some(0);
            }
            return None;
        }
        match procedure.as_str() {
            "LOOKUP" => self.learn(handle(version, xdr)?, state),
            "CREATE" | "MKDIR" => self.made(version, xdr, state)?,
            "SYMLINK" | "MKNOD" if version == 3 => self.made(version, xdr, state)?,
            "READLINK" => {
                if version == 3 {
                    attributes(xdr)?;
                }
                row.file_to = text(xdr.opaque(NAME_MAX)?);
            }
            "READDIRPLUS" => {
                listing(about, xdr, state);
            }
            "RENAME" => self.renamed(state),
            "READ" => return self.read_data(row, xdr),
            "WRITE" => self.written(row, xdr, state)?,
            _ => {}
        }
        None
    }

    /// What a name in the directory led to.
    fn learn(&self, found: &[u8], state: &mut State) {
        if let (Some(handle), Some(name)) = (&self.handle, &self.name)
            && !matches!(name.as_str(), "." | "..")
            && let Some(spot) = state.paths.of(handle).at(name)
        {
            state.paths.learn(found, spot);
        }
    }

    /// Version 3 may leave out the handle of what it made.
    fn made(&self, version: u32, xdr: &mut Xdr<'_>, state: &mut State) -> Option<()> {
        if version == 2 || xdr.bool()? {
            self.learn(handle(version, xdr)?, state);
        }
        Some(())
    }

    fn renamed(&self, state: &mut State) {
        let end = |handle: &Option<Handle>, name: &Option<String>| state.paths.of(handle.as_ref()?).at(name.as_ref()?);
        if let (Some(from), Some(to)) = (end(&self.handle, &self.name), end(&self.to, &self.to_name)) {
            state.paths.rename(&from, &to);
        }
    }

    fn read_data<'a>(&self, row: &mut Nfs, xdr: &mut Xdr<'a>) -> Option<Data<'a>> {
        let (handle, offset) = (self.handle.clone()?, self.offset?);
        let mut size = if row.version == 2 { size(xdr.fixed(ATTRIBUTES_2)?, 4) } else { attributes(xdr)? };
        let mut at_end = false;
        if row.version == 3 {
            row.bytes = Some(u64::from(xdr.u32()?));
            at_end = xdr.bool()?;
        }
        let (length, here) = xdr.opaque_part()?;
        row.bytes = Some(length);
        if at_end {
            size = Some(offset.saturating_add(length));
        }
        Some(Data { handle, written: false, offset, length, here, size })
    }

    fn written(&self, row: &mut Nfs, xdr: &mut Xdr<'_>, state: &mut State) -> Option<()> {
        let size = if row.version == 2 {
            size(xdr.fixed(ATTRIBUTES_2)?, 4)
        } else {
            if xdr.bool()? {
                xdr.skip(24)?;
            }
            attributes(xdr)?
        };
        state.transfers.told(self.handle.as_deref()?, true, size, false);
        if row.version == 3 {
            row.bytes = Some(u64::from(xdr.u32()?));
        }
        Some(())
    }
}

/// Size out of attributes: a number of four bytes, or of eight.
fn size(attributes: &[u8], wide: usize) -> Option<u64> {
    let mut xdr = Xdr::new(attributes.get(SIZE_AT..)?);
    if wide == 4 { xdr.u32().map(u64::from) } else { xdr.u64() }
}

/// Attributes that may be there (post_op_attr): their size. Nothing if they are cut.
fn attributes(xdr: &mut Xdr<'_>) -> Option<Option<u64>> {
    Some(if xdr.bool()? { size(xdr.fixed(ATTRIBUTES_3)?, 8) } else { None })
}

/// What a new file is to look like (sattr3): passed.
fn settings(xdr: &mut Xdr<'_>) -> Option<()> {
    for width in [4, 4, 4, 8] {
        if xdr.bool()? {
            xdr.skip(width)?;
        }
    }
    for _ in 0..2 {
        if xdr.u32()? == 2 {
            xdr.skip(8)?;
        }
    }
    Some(())
}

/// Names of a directory with their handles.
fn listing(directory: &[u8], xdr: &mut Xdr<'_>, state: &mut State) -> Option<()> {
    attributes(xdr)?;
    xdr.skip(8)?;
    let spot = state.paths.of(directory);
    while xdr.bool()? {
        xdr.skip(8)?;
        let name = text(xdr.opaque(NAME_MAX)?)?;
        xdr.skip(8)?;
        attributes(xdr)?;
        if xdr.bool()? {
            let handle = xdr.opaque(HANDLE_3)?;
            if let Some(spot) = spot.at(&name).filter(|_| name != ".") {
                state.paths.learn(handle, spot);
            }
        }
    }
    Some(())
}
