//! The whole report for machines: fields in the order of `model::report`, two blanks of indent, a newline at the end.
//!
//! Parsing gives back exactly what was seen in the packets. The text itself, though, is often printed (`cat`, `jq .`, a
//! pager), so characters that deceive a reader are written as `\uXXXX`, which JSON allows for any character.

use super::{Error, Renderer, text::deceives};
use crate::model::Report;
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

/// `report.json`.
pub struct Json;

impl Renderer for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn file_name(&self) -> &'static str {
        "report.json"
    }

    fn render(&self, report: &Report) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::with_capacity(64 << 10);
        report.serialize(&mut Serializer::with_formatter(&mut bytes, Plain(PrettyFormatter::new())))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// [`PrettyFormatter`], with deceiving characters as `\uXXXX`.
struct Plain(PrettyFormatter<'static>);

impl Formatter for Plain {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| deceives(*c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn keys_stand_in_the_order_of_the_model_and_run_is_last() {
        let text = String::from_utf8(Json.render(&fixture::attack()).unwrap()).unwrap();
        let keys: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("  \"")?.split_once('"').map(|(key, _)| key)).collect();
        let wanted = [
            "case",
            "verdict",
            "coverage",
            "hosts",
            "hosts_total",
            "findings",
            "incidents",
            "timeline",
            "traffic",
            "services",
            "rules",
            "evidence",
            "damage",
            "weird",
            "prose",
            "set_aside",
            "remarks",
            "changes",
            "changes_total",
            "unusual",
            "notes",
            "run",
        ];
        assert_eq!(keys, wanted);
        assert!(text.ends_with("}\n"));
    }

    #[test]
    fn parsing_gives_back_the_findings() {
        let report = fixture::attack();
        let parsed: serde_json::Value = serde_json::from_slice(&Json.render(&report).unwrap()).unwrap();
        let findings: Vec<crate::model::Finding> = serde_json::from_value(parsed["findings"].clone()).unwrap();
        assert_eq!(findings, report.findings);
    }
}
