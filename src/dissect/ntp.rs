//! NTP (RFC 5905), its control messages (RFC 9327) and the private ones that reflection attacks misuse: one row a message.

use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape};
use crate::model::{Event, Proto, Ts, event::Ntp};
use std::net::Ipv4Addr;

/// Weak shape, so at home only (RFC 5905 7.3; modes 6 and 7 are control and private messages).
pub const PROTOCOL: Protocol = Protocol {
    name: "ntp",
    over: &[Proto::Udp],
    probe: |probe: &Probe<'_>| {
        let home = [probe.orig_p, probe.resp_p].contains(&123);
        if home && read(probe.bytes).is_some() { Answer::Certain } else { Answer::NotForUs }
    },
    make: |_| Box::new(Clock::default()),
};

/// Rows of a flow: floods are told by the flow.
const ROWS_MAX: u32 = 1_000;
/// Seconds from 1900 to 1970.
const EPOCH: i64 = 2_208_988_800;
/// Bytes of the fixed part.
const FIXED: usize = 48;

#[derive(Default)]
struct Clock {
    rows: u32,
}

impl Dissector for Clock {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        if let Some(mut row) = read(chunk.bytes).filter(|_| self.rows < ROWS_MAX) {
            self.rows += 1;
            row.bytes = u32::try_from(chunk.bytes.len()).unwrap_or(u32::MAX).saturating_add(chunk.cut);
            out.say(chunk.frame, chunk.ts_ns, Event::Ntp(Box::new(row)));
        }
    }

    fn confirmed(&self) -> bool {
        self.rows > 0
    }

    fn wants(&self, _dir: crate::model::Dir) -> bool {
        self.rows < ROWS_MAX
    }
}

fn read(bytes: &[u8]) -> Option<Ntp> {
    let first = *bytes.first()?;
    let (version, mode) = (first >> 3 & 7, first & 7);
    if !(1..=4).contains(&version) || mode == 0 {
        return None;
    }
    let mut row = Ntp { version, mode, ..Ntp::default() };
    match (mode, bytes) {
        (6, [_, second, _, _, _, _, _, _, ..]) => {
            (row.is_response, row.control_op) = (second & 0x80 != 0, Some(second & 0x1f));
        }
        (7, [_, _, _, code, _, _, _, _, ..]) => (row.is_response, row.req_code) = (first & 0x80 != 0, Some(*code)),
        (6 | 7, _) => return None,
        _ => clock(bytes, &mut row)?,
    }
    Some(row)
}

/// The fields of a message about time; a cut one needs its fixed part but the last field.
fn clock(bytes: &[u8], row: &mut Ntp) -> Option<()> {
    let (stratum, poll, precision) = (*bytes.get(1)?, *bytes.get(2)?, *bytes.get(3)?);
    bytes.get(..FIXED - 4)?;
    let word = |at: usize| Some(u32::from_be_bytes(bytes.get(at..)?.first_chunk().copied()?));
    let short = |at| word(at).map(|value| f64::from(value) / 65_536.0);
    row.stratum = Some(stratum);
    (row.poll, row.precision) = (Some(power(poll)), Some(power(precision)));
    (row.root_delay, row.root_disp) = (short(4), short(8));
    let id = *bytes.get(12..)?.first_chunk::<4>()?;
    row.ref_id = Some(if stratum < 2 { escape(&id, 4) } else { Ipv4Addr::from(id).to_string() });
    let time = |at| Some(moment(word(at)?, word(at + 4)?));
    (row.ref_time, row.org_time, row.rec_time, row.xmt_time) = (time(16), time(24), time(32), time(40));
    row.num_exts = Some(extensions(bytes.get(FIXED..).unwrap_or_default()));
    Some(())
}

/// Two to a signed exponent.
fn power(exponent: u8) -> f64 {
    2f64.powi(i32::from(exponent.cast_signed()))
}

/// A timestamp of 32 bits of seconds since 1900 and 32 of fraction; zero, which says "never", is 1970 (as Zeek has it).
fn moment(seconds: u32, fraction: u32) -> Ts {
    if seconds == 0 && fraction == 0 {
        return 0;
    }
    (i64::from(seconds) - EPOCH) * 1_000_000_000 + ((i64::from(fraction) * 1_000_000_000) >> 32)
}

/// Extension fields (RFC 7822): type and length, behind them perhaps a key id and a digest of 16 or 20 bytes.
fn extensions(mut bytes: &[u8]) -> u8 {
    let mut count = 0;
    while bytes.len() > 24 && count < u8::MAX {
        let Some(&[_, _, high, low]) = bytes.first_chunk::<4>() else { break };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(rest) = bytes.get(length..).filter(|_| length >= 16) else { break };
        bytes = rest;
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{conn, down, play, said, up};
    use proptest::prelude::*;

    fn reply() -> Vec<u8> {
        let mut bytes = vec![0x24, 2, 6, 0xec, 0, 0, 0x0b, 0xd9, 0, 0, 6, 0x30, 193, 204, 114, 232];
        for seconds in [3_768_235_400u32, 3_768_235_401, 3_768_235_402, 3_768_235_403] {
            bytes.extend(seconds.to_be_bytes());
            bytes.extend([0x80, 0, 0, 0]);
        }
        bytes
    }

    #[test]
    fn a_servers_answer_is_read_whole() {
        let (events, service) = play(conn(Proto::Udp, 123), &[down(reply())]);
        let Event::Ntp(row) = &events[0].event else { panic!("{events:?}") };
        assert_eq!(
            (row.mode, row.stratum, row.poll, row.ref_id.as_deref(), service),
            (4, Some(2), Some(64.0), Some("193.204.114.232"), "ntp")
        );
        assert_eq!(row.ref_time, Some(1_559_246_600_500_000_000));
        assert!((row.root_delay.unwrap() - 0.046_28).abs() < 1e-5 && (row.precision.unwrap() - 9.5e-7).abs() < 1e-8);
    }

    #[test]
    fn monlist_and_control_messages_are_named_by_number() {
        let events = said(
            conn(Proto::Udp, 123),
            &[up([0x17, 0, 3, 42, 0, 0, 0, 0]), down([0xd7, 0, 3, 42, 0, 6, 0, 72]), up([0x16, 2, 0, 1, 0, 0, 0, 0])],
        );
        let told: Vec<_> = events
            .iter()
            .filter_map(
                |event| if let Event::Ntp(row) = event { Some((row.mode, row.req_code, row.control_op, row.is_response)) } else { None },
            )
            .collect();
        assert_eq!(told, [(7, Some(42), None, false), (7, Some(42), None, true), (6, None, Some(2), false)]);
    }

    #[test]
    fn extensions_are_counted_and_elsewhere_it_is_no_ntp() {
        let mut bytes = reply();
        bytes.extend([&[1, 4, 0, 36][..], &[0; 32], &[2, 4, 0, 16], &[0; 12], &[9; 20]].concat());
        let events = said(conn(Proto::Udp, 123), &[down(&bytes)]);
        assert!(matches!(&events[0], Event::Ntp(row) if row.num_exts == Some(2)), "{events:?}");
        assert!(said(conn(Proto::Udp, 9_999), &[up(reply())]).is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            prop_assert!(said(conn(Proto::Udp, 123), &[up(&bytes), down(&bytes)]).len() <= 2);
        }
    }
}
