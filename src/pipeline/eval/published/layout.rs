//! Which column of a label file is what. Editions of the same set name them differently.

/// Where a row says what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Layout {
    pub source: usize,
    pub source_port: usize,
    pub target: usize,
    pub target_port: usize,
    pub protocol: usize,
    pub start: usize,
    pub span: Span,
    pub label: usize,
}

/// How long it lasted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Span {
    /// Until then.
    Until(usize),
    /// So many seconds.
    Seconds(usize),
    /// So many microseconds.
    Micros(usize),
}

/// Columns of `UNSW-NB15_1.csv` to `_4.csv`, which have no head.
const UNSW: Layout =
    Layout { source: 0, source_port: 1, target: 2, target_port: 3, protocol: 4, start: 28, span: Span::Until(29), label: 47 };
/// How many they have.
const UNSW_CELLS: usize = 49;

impl Layout {
    /// By the first line of a file, and whether that line is a head.
    pub fn of(first: &[&str]) -> Option<(Self, bool)> {
        if first.len() == UNSW_CELLS && first.first()?.trim().parse::<std::net::IpAddr>().is_ok() {
            return Some((UNSW, false));
        }
        let plain = |cell: &&str| cell.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let head: Vec<String> = first.iter().map(plain).collect();
        let at = |names: &[&str]| names.iter().find_map(|name| head.iter().position(|cell| cell == name));
        let span = (at(&["lasttime", "ltime"]).map(Span::Until))
            .or_else(|| at(&["flowduration"]).map(Span::Micros))
            .or_else(|| at(&["dur"]).map(Span::Seconds))?;
        let layout = Self {
            source: at(&["sourceip", "srcip", "srcaddr"])?,
            source_port: at(&["sourceport", "srcport", "sport"])?,
            target: at(&["destinationip", "dstip", "dstaddr"])?,
            target_port: at(&["destinationport", "dstport", "dport", "dsport"])?,
            protocol: at(&["protocol", "proto"])?,
            start: at(&["timestamp", "starttime", "stime"])?,
            span,
            label: at(&["attackcategory", "attackcat", "label"])?,
        };
        Some((layout, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(head: &str) -> Option<(Layout, bool)> {
        Layout::of(&head.split(',').collect::<Vec<_>>())
    }

    #[test]
    fn columns_are_found_by_each_edition_s_names() {
        let (old, _) =
            of("Flow ID, Source IP, Source Port, Destination IP, Destination Port, Protocol, Timestamp, Flow Duration, Label").unwrap();
        let (new, head) =
            of("id,Flow ID,Src IP,Src Port,Dst IP,Dst Port,Protocol,Timestamp,Flow Duration,Label,Attempted Category").unwrap();
        assert_eq!((old.source, old.start, old.span, old.label), (1, 6, Span::Micros(7), 8));
        assert_eq!((new.source, new.label, head), (2, 9, true));
        let (argus, _) = of("StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label").unwrap();
        assert_eq!((argus.target, argus.target_port, argus.span), (6, 7, Span::Seconds(1)));
        let (truth, _) = of("Start time,Last time,Attack category,Attack subcategory,Protocol,Source IP,Source Port,Destination IP,Destination Port,Attack Name,Attack Reference,.").unwrap();
        assert_eq!((truth.start, truth.span, truth.label), (0, Span::Until(1), 2));
        let bare = format!("192.0.2.1,1,198.51.100.1,53,udp{}", ",0".repeat(44));
        assert_eq!(of(&bare), Some((UNSW, false)));
        assert_eq!(of("a,b,c"), None);
    }
}
