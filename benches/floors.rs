//! What each floor costs, on traffic made by `vigil::synth`. Every bench asserts its result: one that no longer does its work is no
//! faster.
//!
//! ```text
//! cargo bench --profile dev [-- FLOOR]
//! ```
//!
//! For the whole program on real traffic, beside other tools, see `benches/ratios.py`.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use vigil::capture::{self, Hash, PacketSource};
use vigil::decode;
use vigil::detect::{Rules, Settings};
use vigil::dissect::{Chunk, Conversation};
use vigil::flow::Table;
use vigil::model::{AppEvent, Block, Conn, Dir, Flow, FlowId, Limits, Packet, Proto};
use vigil::pipeline::{self, Options, Silent};
use vigil::report::{self, Format};
use vigil::store::{self, Case, Replace};
use vigil::synth::{Load, Profile, scale};

const FLOWS: u64 = 5_000;
const PACKETS: u64 = 100_000;

/// A capture on disk.
struct Evidence {
    folder: tempfile::TempDir,
    frames: u64,
}

impl Evidence {
    fn make() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = std::fs::File::create(folder.path().join("mixed.pcap")).expect("a file");
        let load = Load { flows: FLOWS, packets: PACKETS, seed: 7, profile: Profile::Mixed };
        let made = scale(&load, std::io::BufWriter::new(file)).expect("a capture");
        Self { folder, frames: made.frames }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("mixed.pcap")
    }

    fn bytes(&self) -> u64 {
        self.path().metadata().expect("the capture").len()
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

fn lower_storey(c: &mut Criterion) {
    let evidence = Evidence::make();
    let mut group = c.benchmark_group("lower");
    group.sample_size(10).throughput(Throughput::Bytes(evidence.bytes()));
    for (name, hash) in [("capture, sha256", Hash::Sha256), ("capture, blake3", Hash::Blake3)] {
        group.bench_function(name, |b| {
            b.iter(|| assert_eq!(evidence.blocks(hash).iter().map(|block| block.frames.len() as u64).sum::<u64>(), evidence.frames));
        });
    }
    let blocks = evidence.blocks(Hash::Blake3);
    group.bench_function("decode", |b| {
        b.iter(|| assert_eq!(blocks.iter().map(|block| black_box(decoded(block)).len() as u64).sum::<u64>(), evidence.frames));
    });
    let blocks: Vec<(Block, Vec<Packet>)> = blocks
        .into_iter()
        .map(|block| {
            let packets = decoded(&block);
            (block, packets)
        })
        .collect();
    group.bench_function("flow", |b| b.iter(|| assert_eq!(flows(&blocks).0.len() as u64, FLOWS)));
    group.finish();
}

fn dissect(c: &mut Criterion) {
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
    let mut group = c.benchmark_group("dissect");
    group.throughput(Throughput::Bytes(answer.len() as u64));
    group.bench_function("http, a file of 1 MB", |b| {
        b.iter(|| {
            let (mut conversation, mut events) = (Conversation::new(conn), Vec::new());
            let chunk = |dir, bytes| Chunk { dir, bytes, cut: 0, frame: 1, ts_ns: 1 };
            conversation.data(&chunk(Dir::Orig, b"GET /file HTTP/1.1\r\nHost: www.example.com\r\n\r\n"), &mut events);
            answer.chunks(1_460).for_each(|part| conversation.data(&chunk(Dir::Resp, part), &mut events));
            conversation.end(&mut events);
            assert_eq!((conversation.service(), events.len()), ("http", 2), "a request and its file");
        });
    });
    group.finish();
}

fn stored(folder: &Path, flows: Vec<Flow>, events: Vec<AppEvent>) -> Case {
    let mut case = Case::create(folder, &store::Options::default(), Replace::Yes).expect("a case");
    case.append(flows, events).expect("rows");
    case.seal().expect("facts");
    case
}

fn upper_storey(c: &mut Criterion) {
    let evidence = Evidence::make();
    let blocks: Vec<(Block, Vec<Packet>)> = evidence
        .blocks(Hash::Blake3)
        .into_iter()
        .map(|block| {
            let packets = decoded(&block);
            (block, packets)
        })
        .collect();
    let (flows, events) = flows(&blocks);
    let folder = evidence.folder.path().join("store.vigil");
    let mut group = c.benchmark_group("upper");
    group.sample_size(10);
    group.throughput(Throughput::Elements(FLOWS));
    group.bench_function("store", |b| {
        b.iter_batched(
            || (flows.clone(), events.clone()),
            |(flows, events)| {
                let case = stored(&folder, flows, events);
                let count = case.connection().query_row("SELECT count(*) FROM flows", [], |row| row.get::<_, u64>(0));
                assert_eq!(count.expect("a count"), FLOWS);
            },
            BatchSize::LargeInput,
        );
    });
    let case = stored(&folder, flows, events);
    let rules = Rules::load(&[], &[]).expect("rules");
    let settings = Settings { threads: 2, ..Settings::default() };
    group.bench_function("queries", |b| {
        b.iter(|| {
            let detected = rules.run(case.connection(), &settings).expect("answers");
            assert_eq!(detected.runs.len(), rules.list().count());
            assert!(detected.runs.iter().all(|run| run.status != "failed"));
        });
    });
    drop(case);
    let options = Options::new(vec![evidence.path()], evidence.folder.path().join("report.vigil"));
    let report = pipeline::analyze(&options, &Silent).expect("a case").report;
    group.bench_function("report", |b| {
        b.iter(|| {
            let html = report::render(Format::Html, &report).expect("a report");
            assert!(html.starts_with(b"<!DOCTYPE html>") && html.ends_with(b"</html>"));
        });
    });
    group.finish();
}

criterion_group!(benches, lower_storey, dissect, upper_storey);
criterion_main!(benches);
