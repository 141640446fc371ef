//! Version 4: what the operations of a call are about, by the handles that they hand to each other.

use super::args::{Carried, Compound, Op, op};
use super::paths::Spot;
use super::transfers::Data;
use super::{Handle, State, names};
use crate::model::event::Nfs;

/// The current file at one operation.
#[derive(Clone, Default)]
struct Here {
    handle: Option<Handle>,
    spot: Option<Spot>,
}

impl Here {
    fn at(&self, name: &str) -> Self {
        Self { handle: None, spot: self.spot.as_ref().and_then(|spot| spot.at(name)) }
    }
}

/// How telling an operation is: those that only hand handles on, those that look at them, all others.
fn weight(code: u32) -> u8 {
    match code {
        op::SEQUENCE | op::PUTFH | op::PUTROOTFH | op::PUTPUBFH | op::GETFH | op::SAVEFH | op::RESTOREFH => 0,
        op::GETATTR | op::ACCESS | op::VERIFY | op::NVERIFY => 1,
        _ => 2,
    }
}

/// Operations that change nothing but the content of a file.
fn changes(code: u32) -> bool {
    weight(code) > 1
        && !matches!(
            code,
            op::COMMIT | op::LOOKUP | op::LOOKUPP | op::READ | op::READDIR | op::READLINK | op::RENEW | op::TEST_STATEID | op::WRITE | 63
                ..=65 | 68 | 69
        )
}

impl Compound {
    /// Whether more than the content of a file is changed.
    pub fn changes(&self) -> bool {
        self.ops.iter().any(|op| changes(op.code))
    }

    /// The operation that matters most: the first of the most telling ones.
    fn main(&self) -> Option<(usize, &Op)> {
        let most = self.ops.iter().map(|op| weight(op.code)).max()?;
        self.ops.iter().enumerate().find(|(_, op)| weight(op.code) == most)
    }

    /// The current and the saved file before each operation.
    fn walk(&self, state: &State) -> Vec<(Here, Here)> {
        let (mut here, mut saved) = (Here::default(), Here::default());
        let mut walked = Vec::with_capacity(self.ops.len());
        for op in &self.ops {
            walked.push((here.clone(), saved.clone()));
            match (op.code, &op.name) {
                (op::PUTFH, _) => {
                    here = Here { spot: op.handle.as_deref().map(|handle| state.paths.of(handle)), handle: op.handle.clone() }
                }
                (op::PUTROOTFH | op::PUTPUBFH, _) => here = Here { handle: None, spot: Some(Spot::root()) },
                (op::LOOKUP | op::CREATE | op::OPEN, Some(name)) => here = here.at(name),
                (op::LOOKUPP | op::LOOKUP, _) => here = Here::default(),
                (op::SAVEFH, _) => saved = here.clone(),
                (op::RESTOREFH, _) => here = saved.clone(),
                (op::GETFH, _) => here.handle = op.found.clone().or(here.handle),
                _ => {}
            }
        }
        walked
    }

    /// Fills in what is known by now.
    pub fn tell(&self, row: &mut Nfs, state: &State) {
        row.minor_version = self.minor;
        row.tag.clone_from(&self.tag);
        row.operations = self.ops.iter().map(|op| names::operation(op.code)).collect();
        let walked = self.walk(state);
        let Some((at, main)) = self.main() else { return };
        // What it is about was cut off.
        if weight(main.code) == 0 && self.ops.len() < self.count {
            return;
        }
        row.procedure = names::operation(main.code);
        row.file_name.clone_from(&main.name);
        row.file_to.clone_from(&main.to);
        (row.offset, row.bytes) = (main.offset, main.count);
        let Some((here, saved)) = walked.get(at) else { return };
        let (about, to) = if matches!(main.code, op::RENAME | op::LINK) { (saved, Some(here)) } else { (here, None) };
        if let Some(handle) = &about.handle {
            row.set_handle(handle);
        }
        let named = main.name.as_deref().filter(|_| main.code != op::LINK);
        row.path = named.map_or_else(|| about.spot.clone(), |name| about.at(name).spot).map(|spot| spot.shown());
        if main.code == op::LINK {
            row.file_to = row.file_name.take();
        }
        // A new name in another directory says where that is.
        if let Some(to) = to.filter(|to| to.handle != about.handle && to.spot != about.spot)
            && let Some(path) = row.file_to.as_deref().and_then(|name| to.at(name).spot)
        {
            row.file_to = Some(path.shown());
        }
    }

    /// The data of its operations with the files that it belongs to.
    pub fn carried<'a>(&self, carried: Vec<Carried<'a>>, written: bool, state: &State) -> Vec<Data<'a>> {
        let walked = self.walk(state);
        let data = |Carried { at, length, here }: Carried<'a>| {
            let (op, handle) = (self.ops.get(at)?, walked.get(at)?.0.handle.clone()?);
            Some(Data { handle, written, offset: op.offset?, length, here, size: op.size })
        };
        carried.into_iter().filter_map(data).collect()
    }

    /// Learns from the results; comes back with the files that were closed.
    pub fn learn(&self, state: &mut State) -> Vec<Handle> {
        let mut closed = Vec::new();
        for (op, (here, saved)) in self.ops.iter().zip(self.walk(state)) {
            let done = op.status == Some(0);
            match (op.code, here.handle, here.spot) {
                (op::GETFH | op::LAYOUTGET, _, Some(spot)) => {
                    if let Some(found) = op.found.as_ref().filter(|found| state.paths.known(found) != Some(&spot)) {
                        state.paths.learn(found, spot);
                    }
                }
                (op::GETATTR, Some(handle), _) if op.size.is_some() => state.transfers.told(&handle, true, op.size, false),
                (op::WRITE, Some(handle), _) => state.transfers.told(&handle, true, None, !done),
                (op::CLOSE, Some(handle), _) if done => closed.push(handle),
                (op::RENAME, _, Some(spot)) if done => {
                    let from = op.name.as_deref().and_then(|name| saved.at(name).spot);
                    if let (Some(from), Some(to)) = (from, op.to.as_deref().and_then(|name| spot.at(name))) {
                        state.paths.rename(&from, &to);
                    }
                }
                _ => {}
            }
        }
        closed
    }
}
