//! `--filter`: a BPF expression, compiled by libpcap for each link type met, applied to frames as read.

use super::Error;
use crate::model::{Frame, LinkType};
use pcap::{BpfProgram, Capture, Linktype};
use std::collections::HashMap;

/// A compiled filter.
pub struct Filter {
    expression: String,
    /// `None` where the expression makes no sense for a link type: such frames are left out.
    programs: HashMap<LinkType, Option<BpfProgram>>,
}

impl Filter {
    /// Compiles `expression`, or says what is wrong with it.
    pub fn new(expression: &str) -> Result<Self, Error> {
        let program = compile(expression, LinkType::ETHERNET).map_err(|why| Error::Filter { expression: expression.into(), why })?;
        Ok(Self { expression: expression.into(), programs: HashMap::from([(LinkType::ETHERNET, Some(program))]) })
    }

    /// Whether the frame matches.
    pub fn keeps(&mut self, frame: &Frame<'_>) -> bool {
        let expression = &self.expression;
        let program = self.programs.entry(frame.meta.link).or_insert_with_key(|link| compile(expression, *link).ok());
        program.as_ref().is_some_and(|program| program.filter(frame.bytes))
    }
}

fn compile(expression: &str, link: LinkType) -> Result<BpfProgram, String> {
    // libpcap's file numbers for raw IP differ from those of its compiler.
    let link = if link == LinkType::RAW { LinkType::RAW_OLD } else { link };
    let dead = Capture::dead(Linktype(i32::from(link.0))).map_err(|error| error.to_string())?;
    let optimize = true;
    dead.compile(expression, optimize).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FrameMeta;

    #[test]
    fn a_filter_keeps_what_matches_and_a_bad_one_is_named() {
        let mut filter = Filter::new("arp").expect("arp compiles");
        let mut bytes = [0u8; 42];
        let meta = FrameMeta {
            number: 1,
            in_file: 1,
            offset: 0,
            ts_ns: 0,
            capture: 0,
            caplen: 42,
            wire_len: 42,
            start: 0,
            link: LinkType::ETHERNET,
        };
        assert!(!filter.keeps(&Frame { meta: &meta, bytes: &bytes }));
        bytes[12..14].copy_from_slice(&[8, 6]);
        assert!(filter.keeps(&Frame { meta: &meta, bytes: &bytes }));
        let said = Filter::new("port nonsense and").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains("port nonsense and"), "{said}");
    }
}
