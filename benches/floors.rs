//! What each floor costs, on traffic made by `vigil::synth`. Every bench asserts its result: one that no longer does its work is no
//! faster.
//!
//! ```text
//! cargo bench --profile dev [-- FLOOR]
//! ```
//!
//! For the whole program on real traffic, beside other tools, see `benches/ratios.py`.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use vigil::capture::{self, Hash, PacketSource};
use vigil::decode;
use vigil::detect::{Rules, Settings};
use vigil::dissect::expect::Kind;
use vigil::dissect::{Chunk, Conversation, PROTOCOLS, Setting};
use vigil::flow::Table;
use vigil::model::packet::Transport;
use vigil::model::{AppEvent, Block, Conn, Dir, Flow, FlowId, FrameMeta, Keys, Limits, LinkType, Packet, Proto};
use vigil::pipeline::{self, Options, Silent};
use vigil::report::{self, Format};
use vigil::store::{self, Case, Replace};
use vigil::synth::{self, Load, Profile, SCENARIOS, scale};

const FLOWS: u64 = 5_000;
const PACKETS: u64 = 100_000;

fn main() {
    divan::main();
}

/// A capture on disk.
struct Evidence {
    folder: tempfile::TempDir,
    frames: u64,
}

static EVIDENCE: LazyLock<Evidence> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let file = std::fs::File::create(folder.path().join("mixed.pcap")).expect("a file");
    let load = Load { flows: FLOWS, packets: PACKETS, seed: 7, profile: Profile::Mixed, ..Load::default() };
    let made = scale(&load, std::io::BufWriter::new(file)).expect("a capture");
    Evidence { folder, frames: made.frames }
});

static DECODED: LazyLock<Vec<(Block, Vec<Packet>)>> = LazyLock::new(|| {
    let blocks = EVIDENCE.blocks(Hash::Blake3).into_iter();
    blocks.map(|block| (decoded(&block), block)).map(|(packets, block)| (block, packets)).collect()
});

impl Evidence {
    fn path(&self) -> PathBuf {
        self.folder.path().join("mixed.pcap")
    }

    fn bytes(&self) -> BytesCount {
        BytesCount::new(self.path().metadata().expect("the capture").len())
    }

    fn blocks(&self, hash: Hash) -> Vec<Block> {
        let mut files = capture::open(&[self.path()], &capture::Options { hash }).expect("it opens");
        std::iter::from_fn(|| files.next_block().expect("it reads")).collect()
    }
}

fn decoded(block: &Block) -> Vec<Packet> {
    let mut packets = Vec::with_capacity(block.frames.len());
    block.iter().for_each(|frame| decode::frame(frame, &mut packets));
    packets
}

/// All flows and events of decoded blocks.
fn flows(blocks: &[(Block, Vec<Packet>)]) -> (Vec<Flow>, Vec<AppEvent>) {
    let mut table = Table::new(Limits::default());
    let (mut flows, mut events) = (Vec::new(), Vec::new());
    for (block, packets) in blocks {
        let batch = table.packets(packets, block, block.newest());
        flows.extend(batch.flows);
        events.extend(batch.events);
    }
    table.finish(|batch| {
        flows.extend(batch.flows);
        events.extend(batch.events);
    });
    (flows, events)
}

#[divan::bench(args = [Hash::Sha256, Hash::Blake3], sample_count = 10)]
fn capture_and_hash(bencher: Bencher<'_, '_>, hash: Hash) {
    bencher.counter(EVIDENCE.bytes()).bench(|| {
        let frames: u64 = EVIDENCE.blocks(hash).iter().map(|block| block.frames.len() as u64).sum();
        assert_eq!(frames, EVIDENCE.frames);
    });
}

#[divan::bench(sample_count = 10)]
fn decode_frames(bencher: Bencher<'_, '_>) {
    bencher.counter(EVIDENCE.bytes()).bench(|| {
        let packets: u64 = DECODED.iter().map(|(block, _)| black_box(decoded(block)).len() as u64).sum();
        assert_eq!(packets, EVIDENCE.frames);
    });
}

#[divan::bench(sample_count = 10)]
fn flow_table(bencher: Bencher<'_, '_>) {
    bencher.counter(EVIDENCE.bytes()).bench(|| assert_eq!(flows(&DECODED).0.len() as u64, FLOWS));
}

/// The talks of the generated scenes, by the protocol that reads them.
static TALKS: LazyLock<BTreeMap<&'static str, Vec<Talk>>> = LazyLock::new(|| {
    let mut talks: BTreeMap<_, Vec<Talk>> = BTreeMap::new();
    for talk in SCENARIOS.iter().flat_map(|scenario| talks_of(&scenario.make())) {
        let (service, events) = talk.replayed();
        if let Some(protocol) = PROTOCOLS.iter().find(|protocol| Some(protocol.name) == service.split(',').next_back()) {
            talks.entry(protocol.name).or_default().push(Talk { events, ..talk });
        }
    }
    talks
});

/// What two hosts said to each other.
struct Talk {
    conn: Conn,
    said: Vec<(Dir, Vec<u8>)>,
    events: usize,
}

impl Talk {
    /// What it was, and how much was understood of it.
    fn replayed(&self) -> (&'static str, usize) {
        let (mut conversation, mut events) = (Conversation::new(self.conn), Vec::new());
        for (frame, (dir, bytes)) in (1..).zip(&self.said) {
            conversation.data(&Chunk { dir: *dir, bytes, cut: 0, frame, ts_ns: frame as i64 * 1_000_000 }, &mut events);
        }
        conversation.end(&mut events);
        (conversation.service(), events.len())
    }
}

/// The talks of a scene, whose segments are all there and in order.
fn talks_of(scene: &synth::Capture) -> Vec<Talk> {
    let mut block = Block::default();
    let mut talks: BTreeMap<_, Talk> = BTreeMap::new();
    for (number, (ts_ns, bytes)) in (1..).zip(&scene.frames) {
        let (start, caplen) = (block.bytes.len() as u32, bytes.len() as u32);
        let meta = FrameMeta {
            number,
            in_file: number,
            offset: 0,
            ts_ns: *ts_ns,
            capture: 0,
            caplen,
            wire_len: caplen,
            start,
            link: LinkType::ETHERNET,
        };
        block.frames.push(meta);
        block.bytes.extend_from_slice(bytes);
    }
    for packet in decoded(&block) {
        let (sport, dport, proto) = match &packet.transport {
            Transport::Tcp(tcp) => (tcp.sport, tcp.dport, Proto::Tcp),
            Transport::Udp(udp) => (udp.sport, udp.dport, Proto::Udp),
            _ => continue,
        };
        let Some(ip) = packet.ip() else { continue };
        let (there, back) = ((ip.src, sport, ip.dst, dport, proto), (ip.dst, dport, ip.src, sport, proto));
        let dir = if talks.contains_key(&back) { Dir::Resp } else { Dir::Orig };
        let conn = Conn { flow: FlowId::new(1, 0), orig_h: ip.src, orig_p: sport, resp_h: ip.dst, resp_p: dport, proto };
        let talk = talks.entry(if dir == Dir::Resp { back } else { there }).or_insert(Talk { conn, said: Vec::new(), events: 0 });
        let bytes = packet.payload.of(block.frame(packet.frame as usize - 1).bytes);
        talk.said.push((dir, bytes.to_vec()));
    }
    talks.into_values().collect()
}

/// Each dissector on what the generated scenes say in its protocol.
#[divan::bench(args = TALKS.keys(), sample_count = 10)]
fn dissect(bencher: Bencher<'_, '_>, protocol: &str) {
    let talks = &TALKS[protocol];
    let bytes: usize = talks.iter().flat_map(|talk| &talk.said).map(|(_, bytes)| bytes.len()).sum();
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        let understood: usize = talks.iter().map(|talk| talk.replayed().1).sum();
        assert_eq!(understood, talks.iter().map(|talk| talk.events).sum::<usize>());
        assert!(understood > 0);
    });
}

#[divan::bench]
fn dissect_http(bencher: Bencher<'_, '_>) {
    const BODY: usize = 1_000_000;
    let conn = Conn {
        flow: FlowId::new(1, 0),
        orig_h: [10, 0, 0, 1].into(),
        orig_p: 40_000,
        resp_h: [192, 0, 2, 1].into(),
        resp_p: 80,
        proto: Proto::Tcp,
    };
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY}\r\n\r\n").into_bytes();
    answer.resize(answer.len() + BODY, b'x');
    bencher.counter(BytesCount::of_slice(&answer)).bench(|| {
        let (mut conversation, mut events) = (Conversation::new(conn), Vec::new());
        let chunk = |dir, bytes| Chunk { dir, bytes, cut: 0, frame: 1, ts_ns: 1 };
        conversation.data(&chunk(Dir::Orig, b"GET /file HTTP/1.1\r\nHost: www.example.com\r\n\r\n"), &mut events);
        answer.chunks(1_460).for_each(|part| conversation.data(&chunk(Dir::Resp, part), &mut events));
        conversation.end(&mut events);
        assert_eq!((conversation.service(), events.len()), ("http", 2), "a request and its file");
    });
}

/// A flow between two hosts.
fn between(resp_p: u16, proto: Proto) -> Conn {
    Conn { flow: FlowId::new(1, 0), orig_h: [10, 0, 0, 1].into(), orig_p: 40_000, resp_h: [192, 0, 2, 1].into(), resp_p, proto }
}

#[divan::bench]
fn dissect_http2(bencher: Bencher<'_, '_>) {
    const FRAMES: usize = 64;
    let frame =
        |kind: u8, flags: u8, payload: &[u8]| [&(payload.len() as u32).to_be_bytes()[1..], &[kind, flags, 0, 0, 0, 1], payload].concat();
    // GET / of a name without Huffman's code, and 200; then one body of a megabyte.
    let ask = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(1, 5, b"\x82\x84\x86\x01\x0fwww.example.com")].concat();
    let mut answer = frame(1, 4, b"\x88");
    (1..=FRAMES).for_each(|n| answer.extend(frame(0, u8::from(n == FRAMES), &[b'x'; 16_384])));
    bencher.counter(BytesCount::of_slice(&answer)).bench(|| {
        let (mut conversation, mut events) = (Conversation::new(between(80, Proto::Tcp)), Vec::new());
        let chunk = |dir, bytes| Chunk { dir, bytes, cut: 0, frame: 1, ts_ns: 1 };
        conversation.data(&chunk(Dir::Orig, &ask), &mut events);
        answer.chunks(1_460).for_each(|part| conversation.data(&chunk(Dir::Resp, part), &mut events));
        conversation.end(&mut events);
        assert_eq!((conversation.service(), events.len()), ("http2", 2), "a request and its file");
    });
}

#[divan::bench]
fn dissect_rtp(bencher: Bencher<'_, '_>) {
    const PACKETS: u16 = 10_000;
    let packet = |n: u16| [&[0x80, 0][..], &n.to_be_bytes(), &(u32::from(n) * 160).to_be_bytes(), &[0, 0, 0, 7], &[0xff; 160]].concat();
    let packets: Vec<Vec<u8>> = (0..PACKETS).map(packet).collect();
    bencher.counter(ItemsCount::new(PACKETS)).bench(|| {
        let mut conversation = Conversation::perhaps(between(40_002, Proto::Udp), Some(Kind::Rtp), Setting::default());
        let mut events = Vec::new();
        for (n, bytes) in (0..).zip(&packets) {
            conversation.data(&Chunk { dir: Dir::Orig, bytes, cut: 0, frame: 1, ts_ns: n * 20_000_000 }, &mut events);
        }
        conversation.end(&mut events);
        assert_eq!((conversation.service(), events.len()), ("rtp", 1), "one source");
    });
}

/// TLS 1.3 with AES-128-GCM whose traffic secrets are known: a request, and an answer of a megabyte.
#[divan::bench]
fn dissect_tls_with_keys(bencher: Bencher<'_, '_>) {
    const BODY: usize = 1_000_000;
    let hello = |kind: u8, random: u8, rest: &[u8]| {
        let body = [&[3, 3][..], &[random; 32], &[0], rest].concat();
        let message = [&[kind, 0, 0, body.len() as u8][..], &body].concat();
        [&[22, 3, 3, 0, message.len() as u8][..], &message].concat()
    };
    let (client, server) = (hello(1, 7, &[0, 2, 0x13, 1, 1, 0]), hello(2, 9, &[0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]));
    let ask = sealed(&[3; 32], b"GET /file HTTP/1.1\r\nHost: www.example.com\r\n\r\n");
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY}\r\n\r\n").into_bytes();
    answer.resize(answer.len() + BODY, b'x');
    let answer = sealed(&[4; 32], &answer);
    let keys = Keys::default();
    for (label, secret) in [("CLIENT_TRAFFIC_SECRET_0", "03"), ("SERVER_TRAFFIC_SECRET_0", "04")] {
        assert_eq!(keys.add(format!("{label} {} {}", "07".repeat(32), secret.repeat(32)).as_bytes()), 1);
    }
    bencher.counter(BytesCount::of_slice(&answer)).bench(|| {
        let mut conversation = Conversation::perhaps(between(443, Proto::Tcp), None, Setting::of_flow(&keys));
        let mut events = Vec::new();
        let chunk = |dir, bytes| Chunk { dir, bytes, cut: 0, frame: 1, ts_ns: 1 };
        for (dir, bytes) in [(Dir::Orig, &client), (Dir::Resp, &server), (Dir::Orig, &ask)] {
            conversation.data(&chunk(dir, bytes), &mut events);
        }
        answer.chunks(1_460).for_each(|part| conversation.data(&chunk(Dir::Resp, part), &mut events));
        conversation.end(&mut events);
        assert_eq!((conversation.service(), events.len()), ("ssl,http", 3), "a handshake, a request and its file");
    });
}

/// Records of application data, sealed with the keys of a traffic secret (RFC 8446 5.2, 7.3).
fn sealed(secret: &[u8; 32], content: &[u8]) -> Vec<u8> {
    use ring::{aead, hkdf};
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, secret);
    let expand = |label: &[u8], length: usize| {
        let mut out = vec![0; length];
        let info = [&[0, length as u8, label.len() as u8][..], label, &[0]];
        prk.expand(&info, Length(length)).expect("a label").fill(&mut out).expect("its length");
        out
    };
    let key = aead::UnboundKey::new(&aead::AES_128_GCM, &expand(b"tls13 key", 16)).expect("a key");
    let (key, iv) = (aead::LessSafeKey::new(key), expand(b"tls13 iv", 12));
    let mut out = Vec::new();
    for (number, part) in (0u64..).zip(content.chunks(16_384)) {
        let mask = [&[0; 4][..], &number.to_be_bytes()].concat();
        let nonce: Vec<u8> = iv.iter().zip(mask).map(|(a, b)| a ^ b).collect();
        let mut bytes = [part, &[23]].concat();
        let header = [&[23, 3, 3][..], &(bytes.len() as u16 + 16).to_be_bytes()].concat();
        let nonce = aead::Nonce::try_assume_unique_for_key(&nonce).expect("a nonce");
        key.seal_in_place_append_tag(nonce, aead::Aad::from(&header), &mut bytes).expect("room");
        out.extend(header);
        out.extend(bytes);
    }
    out
}

fn stored(folder: &Path, flows: Vec<Flow>, events: Vec<AppEvent>) -> Case {
    let mut case = Case::create(folder, &store::Options::default(), Replace::Yes).expect("a case");
    case.append(flows, events).expect("rows");
    case.seal().expect("facts");
    case
}

#[divan::bench(sample_count = 5)]
fn store_flows(bencher: Bencher<'_, '_>) {
    let folder = EVIDENCE.folder.path().join("store.vigil");
    let rows = flows(&DECODED);
    bencher.counter(ItemsCount::new(FLOWS)).with_inputs(|| rows.clone()).bench_values(|(flows, events)| {
        let case = stored(&folder, flows, events);
        let count = case.connection().query_row("SELECT count(*) FROM flows", [], |row| row.get::<_, u64>(0));
        assert_eq!(count.expect("a count"), FLOWS);
    });
}

#[divan::bench(sample_count = 5)]
fn run_queries(bencher: Bencher<'_, '_>) {
    let rows = flows(&DECODED);
    let case = stored(&EVIDENCE.folder.path().join("queries.vigil"), rows.0, rows.1);
    let rules = Rules::load(&[], &[]).expect("rules");
    let settings = Settings { threads: 2, ..Settings::default() };
    bencher.counter(ItemsCount::new(rules.list().count())).bench_local(|| {
        let detected = rules.run(case.connection(), &settings).expect("answers");
        assert_eq!(detected.runs.len(), rules.list().count());
        assert!(detected.runs.iter().all(|run| run.status != "failed"));
    });
}

#[divan::bench(sample_count = 10)]
fn render_report(bencher: Bencher<'_, '_>) {
    let options = Options::new(vec![EVIDENCE.path()], EVIDENCE.folder.path().join("report.vigil"));
    let report = pipeline::analyze(&options, &Silent).expect("a case").report;
    bencher.bench(|| {
        let html = report::render(Format::Html, &report).expect("a report");
        assert!(html.starts_with(b"<!DOCTYPE html>") && html.ends_with(b"</html>"));
    });
}
