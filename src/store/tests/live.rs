//! Live cases: what a look sees, and what is left when segments close, go, or are broken off.

use super::*;
use crate::store::live::{Books, Desk, Lens, LiveCase, Writer};

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
    desk.look(Lens { since: None, marks: &marks }, writer.segment()).unwrap();
    seen(desk)
}

fn rule() -> crate::model::report::RuleRun {
    crate::model::report::RuleRun { id: "r".into(), status: "silent".into(), ..Default::default() }
}

#[test]
fn a_look_shows_one_moment_of_closed_and_open_flows_while_writing_goes_on() {
    let folder = TempDir::new().unwrap();
    let (case, left) = LiveCase::open(&folder.path().join("x.vigil"), &Options::default()).unwrap();
    assert_eq!((left.next_frame, left.segments.len()), (1, 0));
    let (mut writer, mut desk) = (case.writer(true).unwrap(), case.desk().unwrap());
    put(&mut writer, &[1, 20], 5);
    let marks = writer.marks().unwrap();
    put(&mut writer, &[40], 6);
    desk.clear_open().unwrap();
    desk.add_open(&[flow(60)]).unwrap();
    desk.look(Lens { since: None, marks: &marks }, writer.segment()).unwrap();
    assert_eq!(seen(&desk), [1, 20, 60], "what came later is not in the look");
    desk.clear_open().unwrap();
    assert_eq!(look(&mut desk, &writer), [1, 20, 40]);
}

#[test]
fn segments_close_are_seen_together_and_go() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("x.vigil");
    let (case, _) = LiveCase::open(&place, &Options::default()).unwrap();
    let (mut writer, mut desk) = (case.writer(false).unwrap(), case.desk().unwrap());
    for part in 0..3 {
        put(&mut writer, &[part * 20 + 1], part as i64 * 100);
        let closed = writer.rotate().unwrap();
        desk.seal(closed, &[rule()], |_| Ok(())).unwrap();
    }
    put(&mut writer, &[90], 400);
    assert_eq!(look(&mut desk, &writer), [1, 21, 41, 90]);
    desk.let_go(150).unwrap();
    assert_eq!(look(&mut desk, &writer), [1, 21, 41, 90], "what was let go is opened again when it is wanted");
    assert_eq!(desk.delete_before(150).unwrap(), 2);
    assert_eq!(look(&mut desk, &writer), [41, 90]);
    let last = writer.finish().unwrap();
    desk.seal(last, &[rule()], |_| Ok(())).unwrap();
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
    let (mut writer, mut desk) = (case.writer(false).unwrap(), case.desk().unwrap());
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
