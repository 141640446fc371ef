use super::*;
use crate::model::{Conn, FlowId, Proto};
use etherparse::PacketBuilder;
use proptest::prelude::*;

const CLIENT: [u8; 4] = [192, 0, 2, 1];
const SERVER: [u8; 4] = [198, 51, 100, 2];

struct Bench {
    messages: Messages,
    out: Out,
}

impl Bench {
    fn new(cap: u32) -> Self {
        let (orig_h, resp_h) = (IpAddr::from(CLIENT), IpAddr::from(SERVER));
        let conn = Conn { flow: FlowId::new(1, 0), orig_h, orig_p: 8, resp_h, resp_p: 0, proto: Proto::Icmp };
        Self { messages: Messages::new(cap), out: Out::new(conn) }
    }

    fn push(&mut self, dir: Dir, v6: bool, icmp: Icmp, payload: &[u8], payload_len: usize) {
        self.messages.message(dir, v6, &icmp, payload, payload_len as u32, 5, 6, &mut self.out);
    }

    fn request(&mut self, seq: u16, payload: &[u8]) {
        self.push(Dir::Orig, false, Icmp { kind: 8, code: 0, id: 3, seq }, payload, payload.len());
    }

    fn reply(&mut self, seq: u16, payload: &[u8]) -> Option<bool> {
        self.push(Dir::Resp, false, Icmp { kind: 0, code: 0, id: 3, seq }, payload, payload.len());
        self.last().reply_match
    }

    fn last(&self) -> &IcmpMessage {
        match self.out.events.last().map(|event| &event.event) {
            Some(Event::Icmp(row)) => row,
            other => unreachable!("an ICMP row, not {other:?}"),
        }
    }
}

#[test]
fn a_reply_is_compared_with_the_request_of_its_number() {
    let mut bench = Bench::new(100);
    bench.request(1, b"one");
    bench.request(2, b"two");
    assert_eq!(bench.last().reply_match, None);
    assert_eq!(bench.reply(1, b"one"), Some(true));
    assert_eq!(bench.reply(2, b"2wo"), Some(false));
    assert_eq!(bench.reply(3, b"three"), None);
    bench.request(2, b"again");
    assert_eq!(bench.reply(2, b"again"), Some(true), "the latest request counts");
    assert_eq!((bench.last().echo_id, bench.last().echo_seq, bench.last().is_orig), (Some(3), Some(2), false));
}

#[test]
fn payloads_cut_off_are_not_compared() {
    let mut bench = Bench::new(100);
    bench.push(Dir::Orig, true, Icmp { kind: 128, code: 0, id: 3, seq: 1 }, b"on", 3);
    bench.push(Dir::Resp, true, Icmp { kind: 129, code: 0, id: 3, seq: 1 }, b"on", 3);
    assert_eq!((bench.last().reply_match, bench.last().len, bench.last().v6), (None, 3, true));
}

#[test]
fn requests_are_forgotten_in_the_order_they_came() {
    let mut bench = Bench::new(1_000);
    for seq in 0..=MOST_REQUESTS as u16 {
        bench.request(seq, b"x");
    }
    assert_eq!(bench.messages.requests.len(), MOST_REQUESTS);
    assert_eq!((bench.reply(0, b"x"), bench.reply(1, b"x")), (None, Some(true)));
}

#[test]
fn rows_end_at_the_cap_and_one_line_says_so() {
    let mut bench = Bench::new(3);
    for seq in 0..10 {
        bench.request(seq, b"x");
    }
    assert_eq!(bench.out.events.len(), 4);
    let Some(Event::Weird(weird)) = bench.out.events.last().map(|event| &event.event) else { unreachable!("a weird row") };
    assert_eq!((weird.name.as_str(), weird.addl.as_str()), ("icmp_rows_capped", "3 messages kept"));
}

#[test]
fn known_fillers_are_recognised() {
    let windows = b"abcdefghijklmnopqrstuvwabcdefghi";
    let counted: Vec<u8> = (0..56).collect();
    let mut linux = counted.clone();
    linux[..16].copy_from_slice(&[0x3b, 0x9a, 0xca, 0, 0, 0, 0, 0, 0x12, 0x34, 5, 0, 0, 0, 0, 0]);
    let mut macos = counted.clone();
    macos[..8].copy_from_slice(&[0x65, 0x12, 0xab, 0xcd, 0, 9, 0x12, 0x34]);
    let mut busybox = [0; 56];
    busybox[..4].copy_from_slice(&[0xde, 0xad, 0xbe, 0xef]);
    assert_eq!(pattern(windows), "windows");
    for ping in [&counted, &linux, &macos] {
        assert_eq!(pattern(ping), "increment");
    }
    assert_eq!((pattern(&busybox), pattern(&[0; 5]), pattern(&[0x55; 32])), ("zero", "zero", "constant"));
}

#[test]
fn what_carries_something_is_no_filler() {
    let mut almost = *b"abcdefghijklmnopqrstuvwabcdefghi";
    almost[31] = b'X';
    for payload in [&almost[..], b"", b"ab", b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"] {
        assert_eq!(pattern(payload), "");
    }
}

#[test]
fn numbers_about_the_payload_are_kept() {
    let mut bench = Bench::new(10);
    bench.request(1, &[0xab; 40]);
    let row = bench.last();
    assert_eq!((row.entropy, row.len, row.first_bytes.as_str()), (Some(0.0), 40, "ab".repeat(32).as_str()));
    bench.request(2, b"");
    assert_eq!((bench.last().entropy, bench.last().first_bytes.as_str()), (None, ""));
}

#[test]
fn errors_tell_of_the_packet_they_quote() {
    let mut v4 = Vec::new();
    PacketBuilder::ipv4(CLIENT, SERVER, 64).tcp(50_000, 443, 1, 2).write(&mut v4, b"data").expect("written");
    let mut v6 = Vec::new();
    PacketBuilder::ipv6([1; 16], [2; 16], 64).udp(5_000, 33_434).write(&mut v6, b"data").expect("written");
    let mut bench = Bench::new(10);
    bench.push(Dir::Resp, false, Icmp { kind: 3, code: 3, id: 0, seq: 0 }, &v4[..28], 28);
    let row = bench.last();
    assert_eq!((row.inner_src, row.inner_dst), (Some(IpAddr::from(CLIENT)), Some(IpAddr::from(SERVER))));
    assert_eq!((row.inner_proto, row.inner_dport, row.echo_id), (Some(6), Some(443), None));
    bench.push(Dir::Resp, true, Icmp { kind: 3, code: 0, id: 0, seq: 0 }, &v6, v6.len());
    let row = bench.last();
    assert_eq!((row.inner_dst, row.inner_proto, row.inner_dport), (Some(IpAddr::from([2; 16])), Some(17), Some(33_434)));
}

#[test]
fn a_quoted_later_fragment_has_no_ports() {
    let mut quoted = Vec::new();
    PacketBuilder::ipv4(CLIENT, SERVER, 64).udp(1, 2).write(&mut quoted, b"data").expect("written");
    quoted[7] = 9;
    let mut bench = Bench::new(10);
    bench.push(Dir::Resp, false, Icmp { kind: 11, code: 1, id: 0, seq: 0 }, &quoted, quoted.len());
    assert_eq!((bench.last().inner_proto, bench.last().inner_dport), (Some(17), None));
}

proptest! {
    #[test]
    fn any_message_is_survived(v6: bool, orig: bool, kind: u8, payload in prop::collection::vec(any::<u8>(), 0..100), beyond in 0usize..100) {
        let mut bench = Bench::new(10);
        let dir = if orig { Dir::Orig } else { Dir::Resp };
        bench.push(dir, v6, Icmp { kind, code: 0, id: 0, seq: 0 }, &payload, payload.len() + beyond);
        prop_assert_eq!(bench.last().len as usize, payload.len() + beyond);
    }
}
