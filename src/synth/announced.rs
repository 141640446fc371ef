//! Data connections through the lower storey: one flow announces another, whichever parts of the flow table they belong to, wherever the border of
//! a block falls, at any number of threads.

use super::net::{Host, MILLI, Net, Os};
use crate::decode;
use crate::dissect::transfers::Transfers;
use crate::flow::Table;
use crate::model::event::{File, Ftp, Tftp};
use crate::model::{AppEvent, Block, Event, Flow, FrameMeta, Limits, LinkType, Ts, time::SECOND};

const CONTENT: &[u8] = b"%PDF-1.4 the quarterly figures, as they were on the first day of the quarter\n";

fn story() -> Vec<(Ts, Vec<u8>)> {
    let mut net = Net::new(7, 1_700_000_000 * SECOND);
    let client = net.host("pc", [192, 0, 2, 10], Os::Linux);
    let server = net.host("files", [192, 0, 2, 20], Os::Linux);
    let mut tcp = net.tcp(client, server, 21);
    tcp.connect();
    tcp.greeting("220 FTP");
    tcp.ftp_login("ann", "secret", true);
    tcp.ftp_retrieve("q1.pdf", 39_001, CONTENT);
    tcp.line("PORT 192,0,2,10,152,90", "200 ok");
    tcp.line("STOR up.bin", "150 go on");
    active(tcp.net, server, client, 39_002);
    tcp.reply(b"226 done\r\n");
    tcp.close();
    tftp(&mut net, client, server);
    net.finish("announced").frames
}

/// The server opens the data connection and takes what the client sends.
fn active(net: &mut Net, server: Host, client: Host, port: u16) {
    let mut data = net.tcp(server, client, port).from_port(20);
    data.connect();
    data.reply(b"\x7fELF stored");
    data.close_by_server();
}

fn tftp(net: &mut Net, client: Host, server: Host) {
    net.udp((client, 40_001), (server, 69), b"\0\x01pxe/boot.img\0octet\0");
    net.wait(2 * MILLI);
    net.udp((server, 50_000), (client, 40_001), &[&[0, 3, 0, 1][..], &[7; 512]].concat());
    net.udp((client, 40_001), (server, 50_000), &[0, 4, 0, 1]);
    net.udp((server, 50_000), (client, 40_001), &[0, 3, 0, 2, b'e', b'n', b'd']);
    net.udp((client, 40_001), (server, 50_000), &[0, 4, 0, 2]);
}

/// Blocks of so many frames.
fn blocks(frames: &[(Ts, Vec<u8>)], size: usize) -> Vec<Block> {
    let mut number = 0;
    let block = |part: &[(Ts, Vec<u8>)]| {
        let mut block = Block::default();
        for (ts_ns, bytes) in part {
            number += 1;
            let (len, start) = (bytes.len() as u32, block.bytes.len() as u32);
            let link = LinkType::ETHERNET;
            block.frames.push(FrameMeta {
                number,
                in_file: number,
                offset: 0,
                ts_ns: *ts_ns,
                capture: 0,
                caplen: len,
                wire_len: len,
                start,
                link,
            });
            block.bytes.extend_from_slice(bytes);
        }
        block
    };
    frames.chunks(size).map(block).collect()
}

fn read(frames: &[(Ts, Vec<u8>)], size: usize) -> (Vec<Flow>, Vec<AppEvent>) {
    let (mut table, mut transfers) = (Table::new(Limits::default()), Transfers::default());
    let (mut flows, mut events) = (Vec::new(), Vec::new());
    for block in blocks(frames, size) {
        let mut packets = Vec::new();
        block.iter().for_each(|frame| decode::frame(frame, &mut packets));
        let now = block.frames.last().map(|frame| frame.ts_ns);
        let mut batch = table.packets(&packets, &block, now);
        transfers.gather(&mut batch.events, now);
        flows.extend(batch.flows);
        events.extend(batch.events);
    }
    table.finish(|mut batch| {
        transfers.gather(&mut batch.events, None);
        flows.extend(batch.flows);
        events.extend(batch.events);
    });
    events.extend(transfers.finish());
    flows.sort_by_key(|flow| flow.id);
    events.sort_by_key(|event| (event.frame, event.conn.map(|conn| conn.flow)));
    (flows, events)
}

fn all<'a, T>(events: &'a [AppEvent], pick: impl Fn(&'a Event) -> Option<&'a T> + 'a) -> Vec<&'a T> {
    events.iter().filter_map(|event| pick(&event.event)).collect()
}

fn files(events: &[AppEvent]) -> Vec<&File> {
    all(events, |event| if let Event::File(file) = event { Some(&**file) } else { None })
}

#[test]
fn data_connections_are_known_and_their_content_has_the_name_of_the_command() {
    let (flows, events) = read(&story(), usize::MAX);
    let services: Vec<&str> = flows.iter().map(|flow| flow.service.as_str()).collect();
    assert_eq!(services, ["ftp", "ftp-data", "ftp-data", "tftp", "tftp"]);
    let told: Vec<_> =
        files(&events).iter().map(|file| (file.source, file.filename.as_deref(), file.seen_bytes, file.complete, file.is_orig)).collect();
    assert_eq!(
        told,
        [
            ("FTP_DATA", Some("q1.pdf"), CONTENT.len() as u64, true, false),
            ("FTP_DATA", Some("up.bin"), 11, true, false),
            ("TFTP", Some("boot.img"), 515, true, true),
        ]
    );
    let moved: Vec<_> = all::<Ftp>(&events, |event| if let Event::Ftp(row) = event { Some(&**row) } else { None });
    let moved: Vec<_> =
        moved.into_iter().filter(|row| row.fuid.is_some()).map(|row| (row.command.as_deref(), row.mime_type.as_deref())).collect();
    assert_eq!(moved, [(Some("RETR"), Some("application/pdf")), (Some("STOR"), Some("application/x-executable"))]);
    let requests: Vec<_> = all::<Tftp>(&events, |event| if let Event::Tftp(row) = event { Some(&**row) } else { None });
    assert_eq!(
        (requests.len(), requests[0].file.as_deref(), requests[0].bytes, requests[0].blocks),
        (1, Some("pxe/boot.img"), Some(515), Some(2))
    );
}

#[test]
fn borders_of_blocks_and_threads_change_nothing() {
    let frames = story();
    let whole = format!("{:?}", read(&frames, usize::MAX));
    for threads in [1, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        for size in [1, 2, 3, 7, 20] {
            let cut = pool.install(|| read(&frames, size));
            assert_eq!(format!("{cut:?}"), whole, "blocks of {size} frames, {threads} threads");
        }
    }
}

#[test]
fn a_port_that_was_announced_for_files_and_carries_a_talk_is_read_as_what_it_is() {
    let mut net = Net::new(7, 1_700_000_000 * SECOND);
    let client = net.host("pc", [192, 0, 2, 10], Os::Linux);
    let server = net.host("files", [192, 0, 2, 20], Os::Linux);
    let mut tcp = net.tcp(client, server, 21);
    tcp.connect();
    tcp.greeting("220 FTP");
    tcp.line("PASV", "227 Entering Passive Mode (192,0,2,20,152,90).");
    let mut talk = tcp.net.tcp(client, server, 39_002);
    talk.connect();
    talk.send(b"GET /shell HTTP/1.1\r\nHost: x\r\n\r\n");
    talk.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    talk.close();
    let (flows, events) = read(&net.finish("talk").frames, usize::MAX);
    assert_eq!(flows[1].service, "http");
    assert!(events.iter().any(|event| matches!(event.event, Event::Http(_))));
}
