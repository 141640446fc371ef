//! NSL-KDD: 41 features of connections of 1998, a label and how hard it was for others, without packets. Models learn the harmless half of
//! `KDDTrain+.txt` and are judged on `KDDTest+.txt`.

use super::class::Class;
use super::{ClassReport, Kind, Published, SetReport, below, file, name_of, unreadable};
use crate::detect::models::Settings;
use crate::detect::models::table::{Judged, Table, judge};
use crate::pipeline::Error;
use rayon::ThreadPool;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Features of a row; the label follows, and in the text files how hard it is.
const FEATURES: usize = 41;
/// Protocol, service and flag: names, not numbers.
const NAMES: [usize; 3] = [1, 2, 3];
/// Service, flag and protocol, from what tells most to what tells least.
const KINDS: [usize; 3] = [2, 3, 1];
/// Share at which a row of a class is counted as improbable.
const IMPROBABLE: f64 = 0.01;

/// Rows of the files, the training's first.
#[derive(Default)]
struct Rows {
    table: Table,
    labels: Vec<Class>,
    names: BTreeMap<String, u64>,
}

/// What the models said of the rows to be judged.
pub(in crate::pipeline::eval) struct Verdicts {
    /// Beside the figures.
    pub report: SetReport,
    /// Of each row to be judged: what was said, and whether it is an attack.
    pub rows: Vec<(Judged, bool)>,
}

/// Learns and judges.
pub(in crate::pipeline::eval) fn run(folder: &Path, pool: &ThreadPool, settings: &Settings) -> Result<Verdicts, Error> {
    let (train, test) = (one(folder, "kddtrain+.txt")?, one(folder, "kddtest+.txt")?);
    let (mut rows, mut report) = (Rows::default(), SetReport { set: Published::NslKdd.name().into(), ..SetReport::default() });
    for (path, learn) in [(&train, true), (&test, false)] {
        let mut told = file(path)?;
        rows.read(path, learn, &mut told)?;
        report.files.push(told);
    }
    let judged = judge(&rows.table, pool, settings)?;
    if judged.is_empty() {
        return Err(unreadable(&train, "too few rows that are normal to learn from"));
    }
    let first = report.files.first().map_or(0, |file| file.rows) as usize;
    let mut classes: BTreeMap<&str, ClassReport> = BTreeMap::new();
    let mut found = Vec::new();
    for (class, said) in rows.labels.iter().zip(judged).skip(first) {
        let told = classes.entry(&class.name).or_insert_with(|| ClassReport {
            name: class.name.clone(),
            kind: class.kind,
            ..ClassReport::default()
        });
        told.rows += 1;
        told.improbable += u64::from(said.p <= IMPROBABLE);
        found.push((said, class.kind == Kind::Attack));
    }
    report.classes = classes.into_values().collect();
    report.labelled = found.len() as u64;
    Ok(Verdicts { report, rows: found })
}

/// The file of this name below a folder.
fn one(folder: &Path, name: &str) -> Result<PathBuf, Error> {
    let found = below(folder, &|file| file.eq_ignore_ascii_case(name))?;
    found.into_iter().next().ok_or_else(|| unreadable(folder, &format!("no {name} in it; {} are needed", Published::NslKdd.expects())))
}

impl Rows {
    fn read(&mut self, path: &Path, train: bool, told: &mut super::LabelFile) -> Result<(), Error> {
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error.to_string()))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match self.row(line, train) {
                Some(kind) => {
                    told.rows += 1;
                    told.attacks += u64::from(kind == Kind::Attack);
                }
                None => told.unreadable += 1,
            }
        }
        match told.rows {
            0 => Err(unreadable(path, &format!("no rows of {FEATURES} features and a label: is it {}?", name_of(path)))),
            _ => Ok(()),
        }
    }

    fn row(&mut self, line: &str, train: bool) -> Option<Kind> {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let class = Class::of(Published::NslKdd, cells.get(FEATURES).filter(|label| label.parse::<f64>().is_err())?);
        let numbers: Vec<f64> =
            (0..FEATURES).filter(|at| !NAMES.contains(at)).map(|at| cells.get(at)?.parse().ok()).collect::<Option<_>>()?;
        if self.table.numbers.is_empty() {
            self.table.numbers = (0..FEATURES).filter(|at| !NAMES.contains(at)).map(|at| (at.to_string(), Vec::new())).collect();
            self.table.kinds = KINDS.map(|_| Vec::new()).to_vec();
        }
        self.table.numbers.iter_mut().zip(numbers).for_each(|((_, column), value)| column.push(value));
        for (column, at) in self.table.kinds.iter_mut().zip(KINDS) {
            let next = self.names.len() as u64;
            column.push(*self.names.entry(cells.get(at).copied().unwrap_or_default().to_owned()).or_insert(next));
        }
        let kind = class.kind;
        self.table.learn.push(train && kind == Kind::Harmless);
        self.labels.push(class);
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::models::binomial_interval;

    /// A row as the set has them: few bytes there, some back, and counters of the last two seconds.
    fn row(service: &str, sent: u32, back: u32, count: u32, label: &str) -> String {
        let rates = "0.00,".repeat(7);
        format!("0,tcp,{service},SF,{sent},{back}{},{count},{count},{rates}255,{count},{}{label},21\n", ",0".repeat(16), "0.10,".repeat(8))
    }

    #[test]
    fn models_learn_what_is_normal_in_one_file_and_are_judged_on_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let normal =
            |n: u32| row(if n.is_multiple_of(3) { "smtp" } else { "http" }, 200 + n * 7 % 90, 1_000 + n * 131 % 5_000, 1 + n % 9, "normal");
        let flood = |n: u32| row("private", 0, 0, 400 + n % 90, "neptune");
        let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        write("KDDTrain+.txt", (0..600).map(normal).chain((0..300).map(flood)).collect());
        write("KDDTest+.txt", (600..900).map(normal).chain((300..400).map(flood)).chain(["1,2,3\n".to_owned()]).collect());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let found = run(folder.path(), &pool, &Settings::default()).unwrap();
        let files: Vec<_> = found.report.files.iter().map(|file| (file.rows, file.attacks, file.unreadable)).collect();
        assert_eq!(files, [(900, 300, 0), (400, 100, 1)]);
        let class = |name: &str| found.report.classes.iter().find(|class| class.name == name).unwrap();
        assert_eq!((class("neptune").rows, class("neptune").improbable), (100, 100));
        assert!(binomial_interval(300, IMPROBABLE).1 as u64 >= class("normal").improbable, "{:?}", class("normal"));
        std::fs::remove_file(folder.path().join("KDDTest+.txt")).unwrap();
        assert!(run(folder.path(), &pool, &Settings::default()).is_err_and(|error| error.to_string().contains("kddtest+.txt")));
    }
}
