//! Live cases: what a look sees, and what is left when segments close, go, or are broken off.

use super::*;
use crate::store::live::{Books, Desk, Lens, LiveCase, Room, Sealing, Segment, Writer};

const ROOM: Room = Room { bytes: 1 << 30, span: i64::MAX };

fn books(last_ts: i64) -> Books {
    let info = CaptureInfo { path: "eth0".into(), frames: 10, last_ts: Some(last_ts), ..CaptureInfo::default() };
    Books { captures: vec![info], ..Books::default() }
}

fn put(writer: &mut Writer, first_frames: &[u64], last_ts: i64) {
    writer.append(first_frames.iter().map(|frame| flow(*frame)).collect(), Vec::new());
    writer.commit(Some(&books(last_ts))).map_err(|(_, error)| error).unwrap();
}

fn seen(desk: &Desk) -> Vec<i64> {
    let mut statement = desk.connection().prepare("SELECT first_frame FROM flows ORDER BY 1").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<duckdb::Result<_>>().unwrap()
}

fn look(desk: &mut Desk, writer: &Writer) -> Vec<i64> {
    let marks = writer.marks().unwrap();
    desk.look(Lens { since: None, until: None, marks: &marks }, writer.segment()).unwrap();
    seen(desk)
}

fn rule() -> crate::model::report::RuleRun {
    crate::model::report::RuleRun { id: "r".into(), status: "silent".into(), ..Default::default() }
}

fn seal(desk: &mut Desk, closed: Segment) {
    desk.seal(Some(closed), &mut Sealing { rules: &[rule()], known: &|_| Ok(()), judged: &mut |_| {} }).unwrap();
}

#[test]
fn a_look_shows_one_moment_of_closed_and_open_flows_while_writing_goes_on() {
    let folder = TempDir::new().unwrap();
    let (case, left) = LiveCase::open(&folder.path().join("x.vigil"), &Options::default()).unwrap();
    assert_eq!((left.next_frame, left.segments.len()), (1, 0));
    let (mut writer, mut desk) = (case.writer(true).unwrap(), case.desk(ROOM).unwrap());
    put(&mut writer, &[1, 20], 5);
    let marks = writer.marks().unwrap();
    put(&mut writer, &[40], 6);
    desk.clear_open().unwrap();
    desk.add_open(&[flow(60)]).unwrap();
    desk.look(Lens { since: None, until: None, marks: &marks }, writer.segment()).unwrap();
    assert_eq!(seen(&desk), [1, 20, 60], "what came later is not in the look");
    desk.clear_open().unwrap();
    assert_eq!(look(&mut desk, &writer), [1, 20, 40]);
}

#[test]
fn what_begins_after_the_end_of_a_look_is_not_in_it_closed_or_open() {
    let folder = TempDir::new().unwrap();
    let (case, _) = LiveCase::open(&folder.path().join("x.vigil"), &Options::default()).unwrap();
    let (mut writer, mut desk) = (case.writer(true).unwrap(), case.desk(ROOM).unwrap());
    let later = |frame: u64| Flow { ts_ns: flow(frame).ts_ns + 10, ..flow(frame) };
    writer.append(vec![flow(1), later(20)], Vec::new());
    writer.commit(Some(&books(5))).map_err(|(_, error)| error).unwrap();
    desk.clear_open().unwrap();
    desk.add_open(&[flow(40), later(60)]).unwrap();
    let marks = writer.marks().unwrap();
    desk.look(Lens { since: None, until: Some(flow(1).ts_ns + 10), marks: &marks }, writer.segment()).unwrap();
    assert_eq!(seen(&desk), [1, 40]);
    desk.look(Lens { since: None, until: None, marks: &marks }, writer.segment()).unwrap();
    assert_eq!(seen(&desk), [1, 20, 40, 60]);
}

#[test]
fn segments_close_are_seen_together_and_go() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("x.vigil");
    let (case, _) = LiveCase::open(&place, &Options::default()).unwrap();
    let (mut writer, mut desk) = (case.writer(false).unwrap(), case.desk(ROOM).unwrap());
    for part in 0..3 {
        put(&mut writer, &[part * 20 + 1], part as i64 * 100);
        let closed = writer.rotate().unwrap();
        seal(&mut desk, closed);
    }
    put(&mut writer, &[90], 400);
    assert_eq!(look(&mut desk, &writer), [1, 21, 41, 90]);
    desk.let_go(150).unwrap();
    assert_eq!(look(&mut desk, &writer), [1, 21, 41, 90], "what was let go is opened again when it is wanted");
    assert_eq!(desk.delete_before(150).unwrap(), 2);
    assert_eq!(look(&mut desk, &writer), [41, 90]);
    let last = writer.finish().unwrap();
    seal(&mut desk, last);
    drop(desk);
    case.finish(&json!({})).unwrap();
    let open = open_read_only(&place, GIB, 1).unwrap();
    let count = |sql: &str| query(open.connection(), sql).unwrap().rows[0][0].clone();
    assert_eq!(count("SELECT count(*) FROM flows"), Cell::Int(2));
    assert_eq!(count("SELECT sum(frames)::BIGINT FROM captures"), Cell::Int(20));
    assert_eq!(count("SELECT count(*) FROM hosts"), Cell::Int(2));
    assert_eq!(count("SELECT count(*) FROM conn"), Cell::Int(2));
    assert!(query(open.connection(), "SELECT * FROM read_csv('/etc/passwd')").is_err(), "nothing else can be reached");
}

#[test]
fn a_case_that_was_broken_off_goes_on_with_numbers_that_were_never_used() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("x.vigil");
    let (case, _) = LiveCase::open(&place, &Options::default()).unwrap();
    let mut writer = case.writer(false).unwrap();
    put(&mut writer, &[1, 20], 5);
    // Neither sealed nor finished.
    drop(writer);
    drop(case);
    let (case, left) = LiveCase::open(&place, &Options::default()).unwrap();
    assert_eq!((left.segments.len(), left.segments[0].flows()), (1, 2));
    assert!(left.next_frame > 29, "{}", left.next_frame);
    let (mut writer, mut desk) = (case.writer(false).unwrap(), case.desk(ROOM).unwrap());
    assert_eq!(writer.segment().number, 2);
    put(&mut writer, &[left.next_frame], 9);
    assert_eq!(look(&mut desk, &writer), [1, 20, left.next_frame as i64]);
}

#[test]
fn a_live_case_is_not_replaced_and_not_captured_into_twice() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("x.vigil");
    let (case, _) = LiveCase::open(&place, &Options::default()).unwrap();
    assert!(matches!(LiveCase::open(&place, &Options::default()), Err(StoreError::Live(_))));
    drop(case);
    assert!(matches!(Case::create(&place, &Options::default(), Replace::Yes), Err(StoreError::Exists(_))));
}

/// A case of so many closed segments, flow by flow, merged as far as that is due.
fn many(place: &Path, segments: u64) -> (LiveCase, Writer, Desk) {
    let (case, _) = LiveCase::open(place, &Options::default()).unwrap();
    let (mut writer, mut desk) = (case.writer(true).unwrap(), case.desk(ROOM).unwrap());
    for part in 0..segments {
        put(&mut writer, &[part * 20 + 1], part as i64 * 100);
        let closed = writer.rotate().unwrap();
        seal(&mut desk, closed);
        desk.tidy(writer.segment().number).unwrap();
    }
    (case, writer, desk)
}

/// Waits until nothing is being merged.
fn settle(desk: &mut Desk, writer: &Writer) {
    while desk.is_merging() {
        std::thread::sleep(std::time::Duration::from_millis(5));
        desk.tidy(writer.segment().number).unwrap();
    }
}

fn files(place: &Path) -> Vec<String> {
    let names = std::fs::read_dir(place.join("segments")).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.contains('.')).collect();
    names.sort();
    names
}

#[test]
fn many_segments_become_few_and_show_the_same_rows_in_the_same_order() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("x.vigil");
    let (case, writer, mut desk) = many(&place, 70);
    settle(&mut desk, &writer);
    assert!(desk.segments().len() <= 15, "{:?}", desk.segments());
    assert_eq!(desk.segments().iter().map(|segment| segment.covers).sum::<u64>(), 70);
    assert_eq!(desk.segments().iter().map(|segment| segment.flows()).sum::<u64>(), 70);
    let all: Vec<i64> = (0..70).map(|part| part * 20 + 1).collect();
    assert_eq!(look(&mut desk, &writer), all);
    let last = writer.finish().unwrap();
    seal(&mut desk, last);
    drop(desk);
    case.finish(&json!({})).unwrap();
    let open = open_read_only(&place, GIB, 1).unwrap();
    let ask = |sql: &str| query(open.connection(), sql).unwrap().rows;
    let frames: Vec<Cell> = ask("SELECT first_frame FROM flows").into_iter().flatten().collect();
    assert_eq!(frames, all.iter().map(|frame| Cell::Int(i128::from(*frame))).collect::<Vec<_>>(), "in the order in which they came");
    assert_eq!(ask("SELECT sum(frames)::BIGINT, count(*) FROM captures"), [[Cell::Int(700), Cell::Int(70)]]);
    assert_eq!(ask("SELECT count(*), max(flows) FROM hosts"), [[Cell::Int(2), Cell::Int(70)]]);
    let claimed = "SELECT sum(times)::BIGINT, min(frame), count(*) FROM host_claims WHERE claim = 'service'";
    assert_eq!(ask(claimed), [[Cell::Int(70), Cell::Int(1), Cell::Int(1)]], "each claim once, with its first frame and the sum");
    assert_eq!(ask("SELECT id FROM rules"), [[Cell::Text("r".into())]]);
    assert!(query(open.connection(), "FROM sealed").is_err(), "how segments are kept is no part of the case");
}

#[test]
fn what_a_crash_leaves_of_merging_counts_no_row_twice_and_is_cleared_away() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("x.vigil");
    let (case, writer, mut desk) = many(&place, 7);
    let before = files(&place);
    let copies: Vec<(String, Vec<u8>)> =
        before.iter().take(7).map(|name| (name.clone(), std::fs::read(place.join("segments").join(name)).unwrap())).collect();
    drop((writer, desk, case));
    let (case, _) = LiveCase::open(&place, &Options::default()).unwrap();
    let mut writer = case.writer(false).unwrap();
    desk = case.desk(ROOM).unwrap();
    put(&mut writer, &[901], 900);
    let closed = writer.rotate().unwrap();
    seal(&mut desk, closed);
    desk.tidy(writer.segment().number).unwrap();
    settle(&mut desk, &writer);
    assert_eq!(desk.segments().len(), 2, "seven and the empty one of the first run became one: {:?}", desk.segments());
    drop((writer, desk, case));
    // As if the power had failed between the renaming and the end of the others, and while the next were being merged.
    for (name, bytes) in &copies {
        std::fs::write(place.join("segments").join(name), bytes).unwrap();
    }
    std::fs::write(place.join("segments/00000099.merging"), b"half").unwrap();
    let open = open_read_only(&place, GIB, 1).unwrap();
    let count = query(open.connection(), "SELECT count(*), count(DISTINCT flow_id) FROM flows").unwrap().rows;
    assert_eq!(count, [[Cell::Int(8), Cell::Int(8)]]);
    drop(open);
    let (case, left) = LiveCase::open(&place, &Options::default()).unwrap();
    assert_eq!(left.segments.iter().map(Segment::flows).sum::<u64>(), 8);
    assert!(
        !files(&place).iter().any(|name| copies.iter().any(|(copy, _)| copy == name) || name.ends_with("merging")),
        "{:?}",
        files(&place)
    );
    drop(case);
}
