//! Any frames of any link type, one after the other through one defragmenter: values out, ranges inside the frame, caps kept.
//!
//! Input: link type (2 bytes), then frames: pause in units of 250 ms (1), bytes not captured in units of 16 (1), length (2), bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vigil::decode::{self, Defragmenter};
use vigil::model::packet::Payload;
use vigil::model::{Block, Limits, LinkType, Packet};
use vigil_fuzz::{Bytes, push};

/// Small, so that the cap is reached.
const FRAGMENT_BYTES: usize = 32 << 10;

/// The longest IP packet, with the longest header of the other version around it.
const MOST_ANNOUNCED: u32 = 65_535 + 40;

fuzz_target!(|data: &[u8]| {
    let mut data = Bytes(data);
    let Some(link) = data.u16() else { return };
    let limits = Limits { fragment_bytes: FRAGMENT_BYTES, ..Limits::default() };
    let (mut fragments, mut ts_ns, mut number) = (Defragmenter::new(&limits), 0, 0);
    let (mut pushed, mut counted) = (0, 0);
    while let (Some(pause), Some(beyond), Some(len)) = (data.u8(), data.u8(), data.u16()) {
        let bytes = data.take(usize::from(len));
        (ts_ns, number) = (ts_ns + i64::from(pause) * 250_000_000, number + 1);
        let mut block = Block::default();
        push(&mut block, number, ts_ns, LinkType(link), bytes.len() + usize::from(beyond) * 16, bytes);
        let mut packets = Vec::new();
        decode::frame(block.frame(0), &mut packets);
        assert!(!packets.is_empty() && packets.len() <= 5, "{} packets in one frame", packets.len());
        for (layer, packet) in packets.into_iter().enumerate() {
            assert_eq!(usize::from(packet.layer), layer);
            check(&packet, bytes);
            pushed += u64::from(Defragmenter::wants(&packet));
            let mut whole = Vec::new();
            fragments.push(packet, bytes, &mut whole);
            assert!(whole.len() <= 5, "{} packets in one datagram", whole.len());
            whole.iter().for_each(|packet| check(packet, bytes));
            assert!(fragments.held_bytes() <= FRAGMENT_BYTES);
        }
        counted += fragments.take_weirds().iter().map(|weird| weird.count).sum::<u64>();
    }
    fragments.flush();
    counted += fragments.take_weirds().iter().map(|weird| weird.count).sum::<u64>();
    // A datagram may carry fragments of another.
    let seen = fragments.counts().fragments;
    assert!(fragments.held_bytes() == 0 && seen >= pushed);
    assert!(counted <= 8 * seen, "{counted} oddities of {seen} fragments");
});

/// What always holds of a packet.
fn check(packet: &Packet, frame: &[u8]) {
    match &packet.payload {
        Payload::Frame(range) => {
            assert!(range.start <= range.end && range.end as usize <= frame.len(), "{range:?} of {}", frame.len());
            assert!(range.end - range.start <= packet.payload_len, "{packet:?}");
        }
        Payload::Joined(bytes) => assert!(bytes.len() <= 65_535 + 40),
    }
    if let Some(stop) = packet.stop {
        // Behind what was captured, but within what headers announce.
        assert!(stop.offset <= packet.wire_len + MOST_ANNOUNCED, "{stop:?}");
    }
}
