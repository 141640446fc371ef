//! All rules: the embedded ones, those of `--rules`, and what `--set` changed.

use super::header::{Header, TACTICS};
use super::params::{Override, Param, unknown};
use super::{Error, Result, sql};
use crate::dissect::hex;
use include_dir::{Dir, include_dir};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/queries");

/// Folder of the helper views and macros.
const VIEWS: &str = "_views";

/// One rule, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What it says about itself.
    pub header: Header,
    /// The folder it stands in.
    pub tactic: String,
    /// Its parameters, in the order of the file.
    pub params: Vec<Param>,
    /// The whole file.
    pub text: String,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// Where it comes from: `embedded`, or its path.
    pub origin: String,
    pub(super) statement: String,
}

impl Rule {
    /// From the text of a file; `path` is used for the id, the tactic and messages.
    pub fn parse(path: &Path, text: &str, origin: &str) -> Result<Self> {
        let wrong = |why: String| Error::File { path: path.display().to_string(), why };
        let (header, params, statement) = Header::parse(text).map_err(&wrong)?;
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if stem != header.id {
            return Err(wrong(format!("its id is `{}`, so the file must be called {}.sql", header.id, header.id)));
        }
        let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).filter(|name| TACTICS.contains(name));
        let tactic = folder.map(str::to_owned).or_else(|| header.tactic.clone());
        let tactic =
            tactic.ok_or_else(|| wrong(format!("it stands in no tactic's folder; add `tactic = \"…\"`: {}", TACTICS.join(", "))))?;
        let statement = statement.trim().trim_end_matches(';').to_owned();
        let sha256 = hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref());
        Ok(Self { header, tactic, params, text: text.to_owned(), sha256, origin: origin.to_owned(), statement })
    }

    /// The statement with its parameters written in.
    pub fn sql(&self) -> String {
        sql::bind(&self.statement, &self.params)
    }

    /// The parameters and the `$names` of the statement must be the same.
    pub fn check_names(&self) -> Result<(), String> {
        let used = sql::names_used(&self.statement);
        let declared: Vec<&str> = self.params.iter().map(|param| param.name.as_str()).collect();
        for name in &used {
            if !declared.contains(name) {
                return Err(format!("${name} is used but not declared under [params]"));
            }
        }
        match declared.iter().find(|name| !used.contains(name)) {
            Some(idle) => Err(format!("parameter `{idle}` is declared but never used as ${idle}")),
            None => Ok(()),
        }
    }
}

/// The rules in force, by id.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: BTreeMap<String, Rule>,
    views: BTreeMap<String, String>,
}

impl Rules {
    /// The embedded rules, then each folder of `dirs` (a file of the same id replaces), then the overrides.
    pub fn load(dirs: &[PathBuf], overrides: &[Override]) -> Result<Self> {
        let mut rules = Self::default();
        for (path, text) in embedded(&EMBEDDED) {
            rules.add(&path, text, "embedded")?;
        }
        for dir in dirs {
            for path in sql_files(dir)? {
                let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
                rules.add(&path, &text, &path.display().to_string())?;
            }
        }
        for change in overrides {
            rules.set(change)?;
        }
        Ok(rules)
    }

    /// All, by id.
    pub fn list(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// Those rules that `wanted` picks, with all helpers.
    pub fn only(&self, wanted: impl Fn(&Rule) -> bool) -> Self {
        let rules = self.rules.iter().filter(|(_, rule)| wanted(rule)).map(|(id, rule)| (id.clone(), rule.clone())).collect();
        Self { rules, views: self.views.clone() }
    }

    /// The rule of that id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// The rule of that id, or a message that names those that exist.
    pub fn expect(&self, id: &str) -> Result<&Rule> {
        self.get(id).ok_or_else(|| Error::Rule { rule: id.to_owned(), why: unknown("rule", id, &self.ids()) })
    }

    /// Helper views and macros in the order in which they build on each other: by file name.
    pub fn views(&self) -> impl Iterator<Item = (&str, &str)> {
        self.views.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    #[cfg(test)]
    pub(super) fn add_for_tests(&mut self, rule: Rule) {
        self.rules.insert(rule.header.id.clone(), rule);
    }

    fn ids(&self) -> Vec<&str> {
        self.rules.keys().map(String::as_str).collect()
    }

    fn add(&mut self, path: &Path, text: &str, origin: &str) -> Result<()> {
        let is_view = path.parent().and_then(Path::file_name).is_some_and(|folder| folder == VIEWS);
        if is_view {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            self.views.insert(name.to_owned(), text.to_owned());
            return Ok(());
        }
        let rule = Rule::parse(path, text, origin)?;
        rule.check_names().map_err(|why| Error::File { path: path.display().to_string(), why })?;
        if let Some(twin) = self.rules.get(&rule.header.id).filter(|twin| twin.origin == rule.origin && origin == "embedded") {
            return Err(Error::File { path: path.display().to_string(), why: format!("{} has the same id", twin.tactic) });
        }
        self.rules.insert(rule.header.id.clone(), rule);
        Ok(())
    }

    fn set(&mut self, change: &Override) -> Result<()> {
        let wrong = |why: String| Error::Set { given: change.to_string(), why };
        if !self.rules.contains_key(&change.rule) {
            return Err(wrong(unknown("rule", &change.rule, &self.ids())));
        }
        let Some(rule) = self.rules.get_mut(&change.rule) else { return Ok(()) };
        let names: Vec<&str> = rule.params.iter().map(|param| param.name.as_str()).collect();
        let Some(at) = names.iter().position(|name| *name == change.param) else {
            return Err(wrong(unknown(&format!("parameter of {}", change.rule), &change.param, &names)));
        };
        let param = &mut rule.params[at];
        param.value = param.default.parse_like(&change.value).map_err(wrong)?;
        Ok(())
    }
}

/// Embedded `.sql` files, sorted by path.
fn embedded<'a>(dir: &'a Dir<'a>) -> Vec<(PathBuf, &'a str)> {
    let mut files: Vec<(PathBuf, &str)> = dir.dirs().flat_map(embedded).collect();
    files.extend(dir.files().filter(|file| is_sql(file.path())).filter_map(|file| Some((file.path().to_owned(), file.contents_utf8()?))));
    files.sort();
    files
}

/// `.sql` files below `dir`, sorted by path, so that the same folder gives the same rules everywhere.
fn sql_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|error| unreadable(dir, &error))? {
        let path = entry.map_err(|error| unreadable(dir, &error))?.path();
        if path.is_dir() {
            found.extend(sql_files(&path)?);
        } else if is_sql(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn is_sql(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "sql")
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::File { path: path.display().to_string(), why: format!("cannot be read: {error}") }
}
