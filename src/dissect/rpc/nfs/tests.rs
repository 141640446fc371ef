use super::super::tests::{call, opaque, record, reply, sys, words};
use super::*;
use crate::dissect::testing::{Step, conn, cut, down, play, said, up};
use crate::model::Proto;
use crate::model::event::File;
use proptest::prelude::*;

const PROGRAM: u32 = 100_003;

/// A call and its reply.
type Exchange = ((u32, u32), Vec<u8>, Vec<u8>);

fn talk(exchanges: &[Exchange]) -> Vec<Step> {
    let caller = sys("client", 1_000, 100);
    let pair = |(n, ((version, procedure), args, results)): (usize, &Exchange)| {
        let xid = 0x1000 + n as u32;
        [up(record(&call(xid, (PROGRAM, *version, *procedure), &caller, args))), down(record(&reply(xid, results)))]
    };
    exchanges.iter().enumerate().flat_map(pair).collect()
}

fn split(events: Vec<Event>) -> (Vec<Nfs>, Vec<File>) {
    let (mut rows, mut files) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            Event::Nfs(row) => rows.push(*row),
            Event::File(file) => files.push(*file),
            other => panic!("{other:?}"),
        }
    }
    (rows, files)
}

fn played(steps: &[Step]) -> (Vec<Nfs>, Vec<File>) {
    split(said(conn(Proto::Tcp, 2_049), steps))
}

/// A line a row, in order of procedure and name.
fn lines(rows: &[Nfs]) -> Vec<String> {
    let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let number = |number: Option<u64>| number.map_or_else(|| "-".into(), |number| number.to_string());
    let line = |row: &Nfs| {
        let names = format!("{} {} {}", word(&row.path), word(&row.file_to), word(&row.status));
        format!("{} {names} {} {} x{}", row.procedure, number(row.offset), number(row.bytes), row.calls)
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.sort();
    lines
}

/// Attributes of version 3 with a size.
fn attributes(size: u64) -> Vec<u8> {
    let mut attributes = [words(&[1, 0o644, 1, 0, 0]), size.to_be_bytes().to_vec()].concat();
    attributes.resize(84, 0);
    [words(&[1]), attributes].concat()
}

fn offset(offset: u64) -> Vec<u8> {
    offset.to_be_bytes().to_vec()
}

const CONTENT: &[u8] = b"#!/bin/sh\necho all the numbers\n";

/// A file is made, written in two parts, read in two parts, moved and removed (version 3).
fn version_3() -> Vec<Step> {
    let (root, dir, file) = (opaque([1; 20]), opaque([2; 24]), opaque([3; 28]));
    let nothing = words(&[0]);
    let wcc = |size| [words(&[0]), attributes(size)].concat();
    let (first, second) = CONTENT.split_at(12);
    let write = |at: u64, bytes: &[u8]| [file.clone(), offset(at), words(&[bytes.len() as u32, 2]), opaque(bytes)].concat();
    let written = |bytes: &[u8], size| [words(&[0]), wcc(size), words(&[bytes.len() as u32, 2, 5, 6])].concat();
    let read = |at: u64| [file.clone(), offset(at), words(&[12])].concat();
    let data = |bytes: &[u8], end: u32| [words(&[0]), attributes(31), words(&[bytes.len() as u32, end]), opaque(bytes)].concat();
    talk(&[
        ((3, 0), vec![], vec![]),
        ((3, 3), [root.clone(), opaque("projects")].concat(), [nothing.clone(), dir.clone(), words(&[0, 0])].concat()),
        ((3, 3), [dir.clone(), opaque("tool.sh")].concat(), words(&[2, 0])),
        ((3, 8), [dir.clone(), opaque("tool.sh"), words(&[0])].concat(), [words(&[0, 1]), file.clone(), words(&[0, 0, 0])].concat()),
        ((3, 7), write(0, first), written(first, 12)),
        ((3, 7), write(12, second), written(second, 31)),
        ((3, 6), read(0), data(first, 0)),
        ((3, 6), read(12), data(second, 1)),
        ((3, 14), [dir.clone(), opaque("tool.sh"), root.clone(), opaque("old")].concat(), words(&[0, 0, 0, 0, 0])),
        ((3, 1), file.clone(), [words(&[0]), attributes(31)[4..].to_vec()].concat()),
        ((3, 12), [root, opaque("old")].concat(), words(&[13, 0, 0])),
    ])
}

#[test]
fn version_3_has_names_paths_and_contents() {
    let (rows, files) = played(&version_3());
    assert_eq!(
        lines(&rows),
        [
            "CREATE projects/tool.sh - NFS3_OK - - x1",
            "GETATTR old - NFS3_OK - - x1",
            "LOOKUP projects - NFS3_OK - - x1",
            "LOOKUP projects/tool.sh - NFS3ERR_NOENT - - x1",
            "NULL - - - - - x1",
            "READ projects/tool.sh - NFS3_OK 0 31 x2",
            "REMOVE old - NFS3ERR_ACCES - - x1",
            "RENAME projects/tool.sh old NFS3_OK - - x1",
            "WRITE projects/tool.sh - NFS3_OK 0 31 x2"
        ]
    );
    assert!(
        rows.iter()
            .all(|row| row.call.machine_name.as_deref() == Some("client") && (row.call.uid, row.call.gid) == (Some(1_000), Some(100)))
    );
    let told: Vec<_> =
        files.iter().map(|file| (file.is_orig, file.filename.as_deref(), file.seen_bytes, file.complete, file.source)).collect();
    assert_eq!(told, [(false, Some("tool.sh"), 31, true, "NFS"), (true, Some("old"), 31, true, "NFS")]);
    assert!(files[0].sha256.is_some() && files[0].sha256 == files[1].sha256);
    assert_eq!(files[0].url.as_deref(), Some("projects/tool.sh"));
}

#[test]
fn version_2_is_read_over_datagrams() {
    let (root, file) = (vec![1u8; 32], vec![2u8; 32]);
    let mut attributes = words(&[1, 0o644, 1, 0, 0, 6]);
    attributes.resize(68, 0);
    let caller = sys("old", 0, 0);
    let ask = |xid, procedure, args: &[&[u8]]| up(call(xid, (PROGRAM, 2, procedure), &caller, &args.concat()));
    let steps = [
        ask(1, 9, &[&root, &opaque("note"), &[0; 32]]),
        down(reply(1, &[words(&[0]), file.clone(), attributes.clone()].concat())),
        ask(2, 8, &[&file, &words(&[0, 0, 6]), &opaque("hello\n")]),
        down(reply(2, &[words(&[0]), attributes.clone()].concat())),
        ask(3, 6, &[&file, &words(&[0, 4_096, 4_096])]),
        down(reply(3, &[words(&[0]), attributes, opaque("hello\n")].concat())),
        ask(4, 11, &[&root, &opaque("note"), &root, &opaque("read.me")]),
        down(reply(4, &words(&[0]))),
        ask(5, 17, &[&root]),
        down(reply(5, &words(&[70]))),
    ];
    let (events, service) = play(conn(Proto::Udp, 2_049), &steps);
    let (rows, files) = split(events.into_iter().map(|event| event.event).collect());
    assert_eq!(
        lines(&rows),
        [
            "CREATE note - NFS_OK - - x1",
            "READ note - NFS_OK 0 6 x1",
            "RENAME note read.me NFS_OK - - x1",
            "STATFS  - NFSERR_STALE - - x1",
            "WRITE note - NFS_OK 0 6 x1"
        ]
    );
    assert_eq!((service, files.len(), files[0].complete, files[0].seen_bytes), ("nfs", 2, true, 6));
}

/// `SEQUENCE` and its result.
fn sequence() -> (Vec<u8>, Vec<u8>) {
    ([words(&[53]), vec![0; 32]].concat(), [words(&[53, 0]), vec![0; 36]].concat())
}

/// A call of version 4.1: each operation with its arguments and its result.
fn compound(status: u32, ops: &[(Vec<u8>, Vec<u8>)]) -> Exchange {
    let (asked, told): (Vec<_>, Vec<_>) = std::iter::once(sequence()).chain(ops.iter().cloned()).unzip();
    let count = asked.len() as u32;
    let args = [opaque("job"), words(&[1, count]), asked.concat()].concat();
    ((4, 1), args, [words(&[status]), opaque("job"), words(&[count]), told.concat()].concat())
}

fn step(code: u32, args: &[&[u8]], result: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
    ([words(&[code]), args.concat()].concat(), [words(&[code, 0]), result.concat()].concat())
}

/// A file is looked up from the root, opened, written, closed, moved (version 4.1).
fn version_4(length: usize) -> Vec<Step> {
    let (dir, file) = (opaque([4; 40]), opaque([5; 48]));
    let content: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
    let put = |handle: &[u8]| step(22, &[handle], &[]);
    let get = |handle: &[u8]| step(10, &[], &[handle]);
    // Change and size are asked for.
    let attributes = [words(&[1, 0b11000]), opaque([offset(9), offset(length as u64)].concat())].concat();
    let open = [&words(&[0, 2, 0, 0, 0])[..], &opaque("owner"), &words(&[1, 0, 0, 0]), &words(&[0]), &opaque("plan.txt")].concat();
    let opened = [&[0; 16][..], &[0; 20], &words(&[0, 0, 0])].concat();
    let write = [&[0; 16][..], &offset(0), &words(&[2]), &opaque(&content)].concat();
    let written = [words(&[length as u32, 2]), vec![0; 8]].concat();
    let close = words(&[0, 0, 0, 0, 0]);
    talk(&[
        compound(0, &[step(24, &[], &[]), step(15, &[&opaque("srv")], &[]), step(15, &[&opaque("data")], &[]), get(&dir)]),
        compound(0, &[put(&dir), step(18, &[&open], &[&opened]), get(&file)]),
        compound(0, &[put(&file), step(38, &[&write], &[&written]), step(9, &[&words(&[1, 0b11000])], &[&attributes])]),
        compound(0, &[put(&file), step(4, &[&close], &[&[0; 16]])]),
        compound(0, &[put(&dir), step(32, &[], &[]), put(&dir), step(29, &[&opaque("plan.txt"), &opaque("plan.old")], &[&[0; 40]])]),
        compound(13, &[put(&dir), (words(&[28, 2, 0, 0, 0]), words(&[28, 13]))]),
    ])
}

#[test]
fn version_4_tells_of_every_operation_and_of_paths_from_the_root() {
    for length in [5, 40_000] {
        let (rows, files) = played(&version_4(length));
        assert_eq!(
            lines(&rows),
            [
                "CLOSE /srv/data/plan.txt - NFS4_OK - - x1".to_owned(),
                "LOOKUP /srv - NFS4_OK - - x1".into(),
                "OPEN /srv/data/plan.txt - NFS4_OK - - x1".into(),
                "REMOVE /srv/data/\\x00\\x00 - NFS4ERR_ACCESS - - x1".into(),
                "RENAME /srv/data/plan.txt plan.old NFS4_OK - - x1".into(),
                format!("WRITE /srv/data/plan.txt - NFS4_OK 0 {length} x1"),
            ]
        );
        let write = rows.iter().find(|row| row.procedure == "WRITE").expect("it wrote");
        assert_eq!(write.operations, ["SEQUENCE", "PUTFH", "WRITE", "GETATTR"]);
        assert_eq!((write.minor_version, write.tag.as_deref()), (Some(1), Some("job")));
        let [file] = files.as_slice() else { panic!("{files:?}") };
        assert_eq!(
            (file.seen_bytes, file.complete, file.url.as_deref(), file.is_orig),
            (length as u64, true, Some("/srv/data/plan.txt"), true)
        );
    }
}

#[test]
fn a_refused_write_leaves_no_file_and_a_lost_part_no_digest() {
    let file = opaque([3; 28]);
    let write = |bytes: &[u8]| [file.clone(), offset(0), words(&[bytes.len() as u32, 2]), opaque(bytes)].concat();
    let (rows, files) = played(&talk(&[((3, 7), write(b"never"), words(&[30, 0, 0]))]));
    assert_eq!((lines(&rows), files.len()), (vec!["WRITE  - NFS3ERR_ROFS 0 0 x1".to_owned()], 0));

    let steps =
        talk(&[((3, 6), [file, offset(0), words(&[40_000])].concat(), [words(&[0, 0, 40_000, 1]), opaque(vec![7; 40_000])].concat())]);
    let Step::Data(dir, bytes) = steps[1].clone() else { panic!("a reply") };
    let lossy =
        [steps[0].clone(), Step::Data(dir, bytes[..20_000].to_vec()), Step::Gap(dir, 10_000), Step::Data(dir, bytes[30_000..].to_vec())];
    let (rows, files) = played(&lossy);
    assert_eq!(lines(&rows), ["READ  - NFS3_OK 0 40000 x1"]);
    assert_eq!((files[0].seen_bytes, files[0].missing_bytes, files[0].sha256.is_some()), (30_000, 10_000, false));
}

#[test]
fn a_compound_that_was_cut_is_no_more_than_that() {
    let ((version, procedure), args, results) =
        compound(0, &[step(22, &[&opaque([5; 48])], &[]), step(9, &[&words(&[1, 8])], &[&words(&[0, 0])])]);
    let ask = call(1, (PROGRAM, version, procedure), &sys("client", 0, 0), &args);
    let told = |asked: &[u8], told: &[u8]| {
        let (rows, _) = split(said(conn(Proto::Udp, 2_049), &[up(asked), down(told)]));
        rows.into_iter().map(|row| (row.procedure, row.operations.len())).collect::<Vec<_>>()
    };
    let answer = reply(1, &results);
    assert_eq!(told(&ask, &answer), [("GETATTR".to_owned(), 3)]);
    assert_eq!(told(&ask[..ask.len() - 60], &answer[..32]), [("COMPOUND".to_owned(), 2)]);
    assert_eq!(told(&ask[..ask.len() - 60], &answer), [("GETATTR".to_owned(), 3)], "the reply tells the rest");
}

#[test]
fn what_is_written_twice_is_whole_only_if_it_is_the_same() {
    let file = opaque([3; 28]);
    let write = |at: u64, bytes: &[u8], size| {
        let args = [file.clone(), offset(at), words(&[bytes.len() as u32, 2]), opaque(bytes)].concat();
        ((3, 7), args, [words(&[0, 0]), attributes(size), words(&[bytes.len() as u32, 2, 5, 6])].concat())
    };
    let (_, same) = played(&talk(&[write(0, b"one\n", 4), write(0, b"one\ntwo\n", 8)]));
    let (_, other) = played(&talk(&[write(0, b"one\n", 4), write(0, b"two\n", 4)]));
    assert_eq!((same[0].complete, same[0].seen_bytes, other[0].complete, other[0].sha256.is_some()), (true, 8, false, false));
}

#[test]
fn the_data_of_a_layout_belongs_to_the_file_it_was_given_for() {
    let (file, data) = (opaque([5; 48]), opaque([6; 48]));
    let layout = [vec![0; 16], words(&[0, 0, 0, 0, 1]), data.clone()].concat();
    let granted = [vec![0; 20], words(&[1]), vec![0; 20], words(&[1]), opaque(layout)].concat();
    let (_, files) = played(&talk(&[
        compound(0, &[step(24, &[], &[]), step(15, &[&opaque("plan")], &[]), step(10, &[], &[&file])]),
        compound(0, &[step(22, &[&file], &[]), step(50, &[&[0; 56]], &[&granted])]),
        compound(0, &[step(22, &[&data], &[]), step(38, &[&[0; 16], &offset(0), &words(&[2]), &opaque("text")], &[&[0; 16]])]),
    ]));
    assert_eq!(files[0].url.as_deref(), Some("/plan"));
}

#[test]
fn what_is_sealed_has_a_row_without_names() {
    let gss = [words(&[6]), opaque(words(&[1, 0, 9, 3, 0]))].concat();
    let steps = [up(record(&call(1, (PROGRAM, 4, 1), &gss, b"noise and more noise"))), down(record(&reply(1, b"noise")))];
    let (rows, _) = played(&steps);
    assert_eq!((lines(&rows), rows[0].call.auth.as_deref()), (vec!["COMPOUND - - - - - x1".to_owned()], Some("RPCSEC_GSS")));
}

#[test]
fn one_direction_is_enough_for_what_it_says() {
    let calls: Vec<Step> = version_3().into_iter().step_by(2).collect();
    let (rows, files) = played(&calls);
    assert_eq!((rows.iter().map(|row| row.calls).sum::<u64>(), files.len(), files[0].seen_bytes), (11, 1, 31));
    assert!(rows.iter().all(|row| row.call.status.is_none()));
}

#[test]
fn crc_is_that_of_the_standard() {
    assert_eq!(crc(b"123456789"), 0xcbf4_3926);
}

proptest! {
    #[test]
    fn cuts_change_nothing(sizes in proptest::collection::vec(1usize..900, 1..6)) {
        for steps in [version_3(), version_4(40_000)] {
            let ((rows, files), (cut_rows, cut_files)) = (played(&steps), played(&cut(&steps, &sizes)));
            prop_assert_eq!(lines(&rows), lines(&cut_rows));
            prop_assert_eq!(files.iter().map(|file| &file.sha256).collect::<Vec<_>>(), cut_files.iter().map(|file| &file.sha256).collect::<Vec<_>>());
        }
    }

    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..90), at in 0usize..200, bit in 0u8..8, end in 0usize..200, lost in 0usize..12, swap in 0usize..11) {
        for talk in [version_3(), version_4(300)] {
            let mut steps = talk;
            for step in &mut steps {
                if let Step::Data(_, bytes) = step && let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            let whole = steps.clone();
            steps[lost] = Step::Gap(Dir::Orig, 9);
            steps.swap(swap, swap + 1);
            steps.extend([up(&noise), down(&noise)]);
            prop_assert!(said(conn(Proto::Tcp, 2_049), &steps).len() <= 64);
            for (n, step) in whole.iter().enumerate() {
                // Datagrams and segments that were cut, and one side alone.
                if let Step::Data(dir, bytes) = step && n % 2 == lost % 2 {
                    let short = [Step::Data(*dir, bytes[..end.min(bytes.len())].to_vec())];
                    prop_assert!(said(conn(Proto::Udp, 2_049), &short).len() <= 4);
                }
            }
        }
    }
}

#[test]
fn every_length_of_every_message_is_survived() {
    for steps in [version_3(), version_4(60)] {
        for step in steps {
            let Step::Data(dir, bytes) = step else { continue };
            for end in 0..bytes.len() {
                let record = [Step::Data(dir, bytes[..end].to_vec())];
                assert!(said(conn(Proto::Tcp, 2_049), &record).len() <= 3);
                assert!(said(conn(Proto::Udp, 2_049), &[Step::Data(dir, bytes[4.min(end)..end].to_vec())]).len() <= 3);
            }
        }
    }
}
