//! Where a live run's packets come from: opened with rights, read without them.

use super::super::Error;
use super::programs::Programs;
use super::{From, LiveOptions};
use crate::capture::live::{self as device, Interfaces, Opened, Paced, Rights, give_up};
use crate::capture::ring::Ring;
use crate::capture::{self, PacketSource};
use crate::model::{Block, CaptureInfo};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What is open before rights are given up.
pub(super) struct Input {
    opened: Option<Opened>,
    files: Option<Paced>,
    ring: Option<(PathBuf, u64)>,
    programs: Option<Programs>,
    filter: Option<capture::filter::Filter>,
}

impl Input {
    /// Opens what needs rights, and gives them up.
    pub fn open(options: &LiveOptions, stop: &Arc<AtomicBool>) -> Result<Self, Error> {
        let mut input = Self { opened: None, files: None, ring: options.ring.clone(), programs: None, filter: None };
        match &options.from {
            From::Interfaces { names, listening } => {
                input.opened = Some(device::open(names, listening)?);
                if options.programs {
                    let programs = Programs::start(names, device::addresses(), stop).map_err(capture::Error::Thread)?;
                    input.programs = Some(programs);
                }
                // Root without its rights may not write into the folder of whoever called it with sudo, but into its own.
                make(&options.common.folder)?;
                options.ring.iter().try_for_each(|(folder, _)| make(folder))?;
                give_up(Rights::None).map_err(Error::Rights)?;
            }
            From::Files { speed } => {
                input.filter = options.common.filter.as_deref().map(capture::filter::Filter::new).transpose()?;
                let files = capture::open(&options.common.paths, &capture::Options { hash: options.common.hash })?;
                input.files = Some(Paced::new(files, *speed, stop.clone()));
            }
        }
        Ok(input)
    }

    /// Starts to listen, frames being numbered from `first` on.
    pub fn start(self, first: u64, stop: &Arc<AtomicBool>) -> Result<Source, Error> {
        let interfaces = self.opened.map(|opened| opened.start(first, stop)).transpose()?;
        let ring = match (self.ring, &interfaces) {
            (Some((folder, most)), Some(interfaces)) => Some(Ring::open(&folder, most, interfaces.links())?),
            _ => None,
        };
        Ok(Source { interfaces, files: self.files, ring, programs: self.programs, filter: self.filter, first, base: None })
    }
}

fn make(folder: &std::path::Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|error| Error::Write { what: folder.display().to_string(), error })
}

/// Where blocks come from, and where their packets are kept.
pub(super) struct Source {
    /// Interfaces that are listened to.
    pub interfaces: Option<Interfaces>,
    /// Files that are replayed.
    pub files: Option<Paced>,
    /// Where packets are kept.
    pub ring: Option<Ring>,
    /// Programs of this machine.
    pub programs: Option<Programs>,
    /// What of a file is wanted; interfaces filter themselves.
    pub filter: Option<capture::filter::Filter>,
    first: u64,
    /// Added to the numbers of a file's frames, so that a case that goes on never uses one twice.
    base: Option<u64>,
}

impl Source {
    /// The next frames, numbered on from those of earlier runs; `None` when there are no more.
    pub fn next_block(&mut self) -> Result<Option<Block>, capture::Error> {
        let block = match (&mut self.interfaces, &mut self.files) {
            (Some(interfaces), _) => interfaces.next_block()?,
            (None, Some(files)) => files.next_block()?,
            (None, None) => None,
        };
        let Some(mut block) = block else { return Ok(None) };
        if self.interfaces.is_none() && self.first > 1 {
            let base = *self.base.get_or_insert(self.first - 1);
            block.frames.iter_mut().for_each(|frame| frame.number += base);
        }
        Ok(Some(block))
    }

    /// Whether packets can be found again later.
    pub fn is_kept(&self) -> bool {
        self.ring.is_some() || self.files.is_some()
    }

    /// What captures are, beside what is counted of them.
    pub fn described(&mut self) -> Vec<CaptureInfo> {
        match (&mut self.ring, &self.interfaces) {
            (Some(ring), _) => ring.captures(),
            (None, Some(interfaces)) => interfaces.described(),
            (None, None) => Vec::new(),
        }
    }
}
