//! One [`Report`] value → html, json, markdown, csv, and a dozen lines for a terminal.
//!
//! A renderer sees the `Report` and nothing else: no case, no file, no clock. The same value gives the same bytes.
//! What differs from run to run lives in `Report::run`, and each renderer keeps it in one place: `<section id="run"
//! data-volatile>` in HTML, the key `run` in JSON, the last section in Markdown, nowhere in CSV.
//!
//! Strings from packets are hostile, and each sink has its own way to be hurt: markup (HTML), links and tables (Markdown),
//! formulas (CSV), escape sequences (terminal), and characters that reverse or hide text everywhere. So there is no
//! "sanitised string" that is passed around: each renderer escapes at the moment it writes, and [`hostile`] sends one corpus
//! through all of them.
//!
//! To add a format: a file here with its [`Renderer`], a variant of [`Format`], and its line in [`Format::ALL`] and
//! `Format::renderer`.

pub mod attack;
mod csv;
pub(crate) mod facts;
pub(crate) mod html;
mod json;
mod markdown;
mod terminal;
pub(crate) mod text;

#[cfg(test)]
pub mod fixture;
#[cfg(test)]
mod hostile;

pub use csv::Csv;
pub use html::Html;
pub use json::Json;
pub use markdown::Markdown;
pub use terminal::terminal;
pub use text::{shell_path, shell_word, visible};

use crate::model::Report;
use std::{fmt, str::FromStr};

/// Turns a report into the bytes of one file.
pub trait Renderer: Sync {
    /// What a person types after `--format`.
    fn name(&self) -> &'static str;
    /// Name of the file inside the case folder.
    fn file_name(&self) -> &'static str;
    /// The bytes. UTF-8 in all formats there are.
    fn render(&self, report: &Report) -> Result<Vec<u8>, Error>;
}

/// The formats that `--report` and `--format` take.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Format {
    /// One self-contained page.
    Html,
    /// The whole report, for machines.
    Json,
    /// For tickets.
    Md,
    /// Findings only, for spreadsheets.
    Csv,
}

impl Format {
    /// All, in the order in which help texts list them.
    pub const ALL: [Self; 4] = [Self::Html, Self::Json, Self::Md, Self::Csv];

    /// What renders it.
    pub fn renderer(self) -> &'static dyn Renderer {
        match self {
            Self::Html => &Html,
            Self::Json => &Json,
            Self::Md => &Markdown,
            Self::Csv => &Csv,
        }
    }

    /// What a person types.
    pub fn name(self) -> &'static str {
        self.renderer().name()
    }

    /// Name of the file inside the case folder.
    pub fn file_name(self) -> &'static str {
        self.renderer().file_name()
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(typed: &str) -> Result<Self, Error> {
        let wanted = typed.trim();
        Self::ALL
            .into_iter()
            .find(|format| format.name().eq_ignore_ascii_case(wanted))
            .ok_or_else(|| Error::UnknownFormat { typed: visible(wanted).into_owned() })
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not one of [`Format::ALL`].
    #[error("unknown report format '{typed}'. Use one or more of {}, separated by commas.", Format::ALL.map(Format::name).join(", "))]
    UnknownFormat {
        /// What was typed.
        typed: String,
    },
    /// A value that JSON cannot hold.
    #[error("cannot write the report as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// The report in `format`.
pub fn render(format: Format, report: &Report) -> Result<Vec<u8>, Error> {
    format.renderer().render(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_the_name_it_prints() {
        for format in Format::ALL {
            assert_eq!(format.name().parse::<Format>().unwrap(), format);
            assert_eq!(format!(" {} ", format.name().to_uppercase()).parse::<Format>().unwrap(), format);
        }
    }

    #[test]
    fn an_unknown_format_is_named_beside_the_known_ones() {
        let said = "pdf\u{1b}[2J".parse::<Format>().unwrap_err().to_string();
        assert_eq!(said, r"unknown report format 'pdf\u{1b}[2J'. Use one or more of html, json, md, csv, separated by commas.");
    }

    #[test]
    fn file_names_differ_and_need_no_escaping() {
        let mut names = Format::ALL.map(Format::file_name);
        names.sort_unstable();
        assert_eq!(names, ["findings.csv", "report.html", "report.json", "report.md"]);
    }

    #[test]
    fn the_same_report_gives_the_same_bytes() {
        for report in [fixture::attack(), fixture::damaged(), fixture::hostile()] {
            for format in Format::ALL {
                assert_eq!(render(format, &report).unwrap(), render(format, &report.clone()).unwrap(), "{format}");
            }
        }
    }
}
