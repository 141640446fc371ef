//! Published sets of labelled traffic, as their publishers give them out: the user downloads captures and label files, and says which set it is.
//!
//! ```text
//! label files ─layout, clock→ rows by ends ─flows of a capture→ attack, harmless, or left out
//! ```
//!
//! Nothing about a set is known but how its labels are written and what they mean. docs/evaluation.md has the known errors of each.

mod checksums;
mod class;
mod clock;
pub(super) mod kdd;
mod labels;
mod layout;

pub use class::Kind;
pub(super) use labels::Labels;

use super::truth::unreadable;
use crate::pipeline::Error;
use labels::Labelled;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Sets whose labels are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// CIC-IDS2017 of the Canadian Institute for Cybersecurity, its first edition or either corrected one.
    CicIds2017,
    /// CTU-13 of the Czech Technical University: bidirectional flows of argus.
    Ctu13,
    /// UNSW-NB15 of the University of New South Wales: the list of attacks, or the four files of all flows.
    UnswNb15,
    /// NSL-KDD: connections without packets, for the models alone.
    NslKdd,
}

/// Endings of captures, compressed or not.
const CAPTURES: [&str; 4] = ["pcap", "pcapng", "cap", "trace"];
/// Endings of compression.
const COMPRESSED: [&str; 5] = ["gz", "bz2", "xz", "zst", "lz4"];

impl Published {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::CicIds2017, Self::Ctu13, Self::UnswNb15, Self::NslKdd];

    /// As typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::CicIds2017 => "cic-ids2017",
            Self::Ctu13 => "ctu-13",
            Self::UnswNb15 => "unsw-nb15",
            Self::NslKdd => "nsl-kdd",
        }
    }

    /// What files it is recognised by, for people.
    pub(super) fn expects(self) -> &'static str {
        match self {
            Self::CicIds2017 => {
                "CSV files with Source IP (or Src IP), Timestamp, Flow Duration and Label, as in TrafficLabelling or the corrected editions; MachineLearningCVE lacks addresses and will not do"
            }
            Self::Ctu13 => "*.binetflow files with StartTime, SrcAddr, DstAddr and Label",
            Self::UnswNb15 => {
                "NUSW-NB15_GT.csv, or UNSW-NB15_1.csv to UNSW-NB15_4.csv; the training and testing sets lack addresses and will not do"
            }
            Self::NslKdd => "KDDTrain+.txt and KDDTest+.txt",
        }
    }

    /// Whether a file holds labels of it, by its name.
    fn has_labels(self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        match self {
            Self::CicIds2017 => name.ends_with(".csv"),
            Self::Ctu13 => name.ends_with(".binetflow"),
            // Beside them lie a list of features, one of events, and the parts for learning machines.
            Self::UnswNb15 => name.ends_with("_gt.csv") || (1..=4).any(|part| name.ends_with(&format!("nb15_{part}.csv"))),
            Self::NslKdd => false,
        }
    }

    /// Label files below a folder, in the order of their names.
    pub(super) fn label_files(self, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        let found = below(folder, &|name| self.has_labels(name))?;
        if found.is_empty() {
            return Err(unreadable(folder, &format!("no labels of {} in it; they are {}", self.name(), self.expects())));
        }
        Ok(found)
    }
}

impl std::str::FromStr for Published {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_', ' '], "");
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|set| plain(set.name()) == plain(text)).ok_or_else(|| format!("known are {}", names()))
    }
}

/// What was measured on a published set, beside what is measured on any.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SetReport {
    /// Its name.
    pub set: String,
    /// Label files.
    pub files: Vec<LabelFile>,
    /// Flows of the captures that a row speaks of, or that stand nowhere in a list of attacks.
    pub labelled: u64,
    /// Flows that no row speaks of, or of which its publisher does not know: left out of the figures of the models.
    pub left_out: u64,
    /// Its labels.
    pub classes: Vec<ClassReport>,
}

impl SetReport {
    /// Counts the flows of a capture: what labels say, and what was found of them.
    pub(super) fn count(&mut self, labelled: &Labelled, found: &[bool], improbable: &[Option<bool>]) {
        for (at, flow) in labelled.flows.iter().enumerate() {
            let known = flow.is_some_and(|(_, kind)| kind != Kind::Unclear);
            *if known { &mut self.labelled } else { &mut self.left_out } += 1;
            let class = flow.and_then(|(class, _)| self.classes.get_mut(usize::from(class?)));
            let is = |flags: Option<bool>| u64::from(flags.unwrap_or(false));
            if let Some(class) = class {
                class.flows += 1;
                class.in_findings += is(found.get(at).copied());
                class.improbable += is(improbable.get(at).copied().flatten());
            }
        }
        for (file, zone) in self.files.iter_mut().zip(&labelled.zones) {
            file.zone = file.zone.take().or_else(|| zone.clone());
        }
    }
}

/// A label file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LabelFile {
    /// Name.
    pub file: String,
    /// Of its bytes.
    pub sha256: String,
    /// Its publisher's checksum, which lies beside it, holds.
    pub verified: bool,
    /// Rows that were understood.
    pub rows: u64,
    /// Of these, attacks.
    pub attacks: u64,
    /// Rows that were not: without addresses, ports or a time.
    pub unreadable: u64,
    /// Its hours were those of a clock with twelve.
    pub twelve_hours: bool,
    /// The zone of its times, found by comparing them with the flows of the captures; none where no flow has the ends of a row.
    pub zone: Option<String>,
}

/// A label.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ClassReport {
    /// As its publisher calls it.
    pub name: String,
    /// What it says.
    pub kind: Kind,
    /// Rows with it.
    pub rows: u64,
    /// Flows that they speak of.
    pub flows: u64,
    /// Of these, part of a finding of low severity or more.
    pub in_findings: u64,
    /// Of these, improbable at one in a hundred to the ensemble.
    pub improbable: u64,
}

/// Reads all labels below a folder.
pub(super) fn read(set: Published, folder: &Path) -> Result<(Labels, SetReport), Error> {
    let mut labels = Labels::default();
    let mut report = SetReport { set: set.name().into(), ..SetReport::default() };
    for path in set.label_files(folder)? {
        let mut told = file(&path)?;
        labels.read(set, &path, &mut told)?;
        report.files.push(told);
    }
    labels.finish();
    let class = |(name, kind, rows)| ClassReport { name, kind, rows, ..ClassReport::default() };
    report.classes = labels.classes().into_iter().map(class).collect();
    Ok((labels, report))
}

/// A file that is what was published, as far as its publisher says.
fn file(path: &Path) -> Result<LabelFile, Error> {
    let (sha256, holds) = checksums::of(path)?;
    if holds == Some(false) {
        return Err(checksums::refused(path));
    }
    Ok(LabelFile { file: name_of(path), sha256, verified: holds == Some(true), ..LabelFile::default() })
}

/// Captures below a folder, each what was published, as far as its publisher says.
pub(super) fn captures(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let found = below(folder, &is_capture)?;
    if found.is_empty() {
        return Err(unreadable(folder, "no captures in it; --captures DIR says where they lie"));
    }
    for path in &found {
        if checksums::is_published(path) && checksums::of(path)?.1 == Some(false) {
            return Err(checksums::refused(path));
        }
    }
    Ok(found)
}

fn is_capture(name: &str) -> bool {
    let mut endings = name.rsplit('.').map(str::to_ascii_lowercase);
    let last = endings.next().unwrap_or_default();
    let ending = if COMPRESSED.contains(&last.as_str()) { endings.next().unwrap_or_default() } else { last };
    CAPTURES.contains(&ending.as_str()) && name.contains('.')
}

/// Files below a folder whose names are wanted, in order; a file stands for itself.
fn below(path: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<PathBuf>, Error> {
    let failed = |error: std::io::Error| unreadable(path, &error.to_string());
    if path.is_file() {
        return Ok(if wanted(&name_of(path)) { vec![path.to_owned()] } else { Vec::new() });
    }
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(path).map_err(failed)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(failed)?;
    entries.sort();
    let mut found = Vec::new();
    // A link may lead back up.
    for entry in entries.iter().filter(|entry| !(entry.is_symlink() && entry.is_dir())) {
        found.extend(below(entry, wanted)?);
    }
    Ok(found)
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_typed_as_people_write_them() {
        assert_eq!("CIC-IDS2017".parse(), Ok(Published::CicIds2017));
        assert_eq!("ctu13".parse(), Ok(Published::Ctu13));
        assert!("kdd99".parse::<Published>().unwrap_err().contains("nsl-kdd"));
    }

    #[test]
    fn captures_and_label_files_are_told_apart_by_their_names() {
        for name in ["Friday-WorkingHours.pcap", "capture20110810.truncated.pcap.bz2", "1.PCAP"] {
            assert!(is_capture(name), "{name}");
        }
        for name in ["Monday-WorkingHours.pcap_ISCX.csv", "pcap", "notes.txt.gz"] {
            assert!(!is_capture(name), "{name}");
        }
        assert!(Published::CicIds2017.has_labels("Monday-WorkingHours.pcap_ISCX.csv"));
        assert!(Published::UnswNb15.has_labels("NUSW-NB15_GT.csv") && Published::UnswNb15.has_labels("UNSW-NB15_2.csv"));
        assert!(!Published::UnswNb15.has_labels("UNSW_NB15_training-set.csv"));
        assert!(Published::Ctu13.has_labels("capture20110810.binetflow"));
    }

    #[test]
    fn what_was_not_published_so_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("x.pcap", "not what it was");
        assert_eq!(captures(folder.path()).unwrap().len(), 1);
        write("x.md5", "900150983cd24fb0d6963f7d28e17f72");
        let refused = captures(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("x.pcap") && refused.contains("download it again"), "{refused}");
        assert!(Published::NslKdd.label_files(folder.path()).unwrap_err().to_string().contains("KDDTrain+.txt"));
    }
}
