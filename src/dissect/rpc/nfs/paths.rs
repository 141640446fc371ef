//! Where handles lie, as look-ups and listings of the flow tell it.

use super::Handle;
use std::collections::{BTreeMap, VecDeque};

/// Handles known at once; beyond that the oldest is forgotten.
const HANDLES_MAX: usize = 1_024;
/// Letters of a path.
const PATH_MAX: usize = 1_024;

/// Where something lies: below the root of the server (version 4), or below a directory of which only the handle was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    below: Option<u32>,
    path: String,
}

impl Spot {
    /// The root that version 4 begins at.
    pub fn root() -> Self {
        Self { below: None, path: String::new() }
    }

    /// Path; absolute below the root, empty for a directory without a name.
    pub fn shown(&self) -> String {
        match (&self.below, self.path.as_str()) {
            (None, "") => "/".into(),
            (None, path) => path.into(),
            (Some(_), path) => path.trim_start_matches('/').into(),
        }
    }

    /// Its last name.
    pub fn name(&self) -> Option<&str> {
        self.path.rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// What `name` means in it.
    pub fn at(&self, name: &str) -> Option<Self> {
        match name {
            "." => Some(self.clone()),
            ".." => None,
            _ => (self.path.len() + name.len() < PATH_MAX).then(|| Self { below: self.below, path: format!("{}/{name}", self.path) }),
        }
    }
}

/// All of one flow.
#[derive(Default)]
pub struct Paths {
    spots: BTreeMap<Handle, Spot>,
    order: VecDeque<Handle>,
}

impl Paths {
    /// Where a handle lies; one that was never looked up is where others are counted from.
    pub fn of(&self, handle: &[u8]) -> Spot {
        self.known(handle).cloned().unwrap_or_else(|| Spot { below: Some(super::crc(handle)), path: String::new() })
    }

    /// Where a handle lies, if that was told.
    pub fn known(&self, handle: &[u8]) -> Option<&Spot> {
        self.spots.get(handle)
    }

    /// Remembers.
    pub fn learn(&mut self, handle: &[u8], spot: Spot) {
        if let Some(known) = self.spots.get_mut(handle) {
            *known = spot;
            return;
        }
        while self.spots.len() >= HANDLES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.spots.remove(&oldest);
        }
        self.order.push_back(handle.to_vec());
        self.spots.insert(handle.to_vec(), spot);
    }

    /// Something has moved, and what lies in it.
    pub fn rename(&mut self, from: &Spot, to: &Spot) {
        for spot in self.spots.values_mut().filter(|spot| spot.below == from.below) {
            if let Some(rest) = spot.path.strip_prefix(from.path.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('/')) {
                let path = format!("{}{rest}", to.path);
                if path.len() <= PATH_MAX {
                    *spot = Spot { below: to.below, path };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_directory_moves_with_it() {
        let mut paths = Paths::default();
        let home = paths.of(b"root");
        let (old, new) = (home.at("a").expect("short"), home.at("b").expect("short"));
        paths.learn(b"dir", old.clone());
        paths.learn(b"file", old.at("x").expect("short"));
        paths.learn(b"other", home.at("ab").expect("short"));
        paths.rename(&old, &new);
        assert_eq!([b"dir".as_slice(), b"file", b"other"].map(|handle| paths.of(handle).shown()), ["b", "b/x", "ab"]);
    }

    #[test]
    fn no_more_than_a_bounded_number_of_handles_is_known() {
        let mut paths = Paths::default();
        for n in 0..5_000u32 {
            let spot = Spot::root().at(&n.to_string()).expect("short");
            paths.learn(&n.to_be_bytes(), spot);
        }
        assert_eq!((paths.spots.len(), paths.order.len()), (HANDLES_MAX, HANDLES_MAX));
        assert_eq!((paths.known(&[0; 4]), paths.of(&4_999u32.to_be_bytes()).shown()), (None, "/4999".into()));
    }
}
