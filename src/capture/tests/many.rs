//! Many captures, one case.

use super::*;
use crate::capture::Error;

/// A nanosecond pcap with frames at these times.
fn at(times: &[Ts]) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), LinkType::ETHERNET, true).unwrap();
    for ts in times {
        writer.frame(*ts, 8, &ts.to_le_bytes()).unwrap();
    }
    writer.finish().unwrap()
}

fn times(reading: &Reading) -> Vec<Ts> {
    reading.frames.iter().map(|frame| frame.ts_ns).collect()
}

#[test]
fn interleaved_captures_merge_in_time_whatever_their_order() {
    let folder = TempDir::new().unwrap();
    let a = put(&folder, "a", &at(&[10, 30, 50, 70, 71, 72]));
    let b = put(&folder, "b", &at(&[20, 30, 40, 80]));
    let c = put(&folder, "c", &at(&[5, 25, 90]));
    let forth = read(&[&a, &b, &c]);
    assert_eq!(times(&forth), [5, 10, 20, 25, 30, 30, 40, 50, 70, 71, 72, 80, 90]);
    // Of equal times, the capture that began first comes first.
    assert_eq!(forth.frames[4..6].iter().map(|frame| frame.capture).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(forth, read(&[&c, &b, &a]));
    assert_eq!(forth, read(&[folder.path()]));
}

#[test]
fn a_clock_that_runs_back_does_not_pull_frames_before_what_was_read() {
    let folder = TempDir::new().unwrap();
    let a = put(&folder, "a", &at(&[10, 50, 20, 60]));
    let b = put(&folder, "b", &at(&[30, 55]));
    assert_eq!(times(&read(&[&a, &b])), [10, 30, 50, 20, 55, 60]);
}

#[test]
fn captures_that_begin_together_follow_their_names() {
    let folder = TempDir::new().unwrap();
    let b = put(&folder, "b", &at(&[10, 11]));
    let a = put(&folder, "a", &at(&[10, 11, 12]));
    let reading = read(&[&b, &a]);
    assert_eq!(reading.frames.iter().map(|frame| frame.capture).collect::<Vec<_>>(), [0, 1, 0, 1, 0]);
    assert!(reading.captures[0].path.ends_with('a'));
}

#[test]
fn hundreds_of_rotated_and_of_parallel_captures_are_read_with_few_open_files() {
    let folder = TempDir::new().unwrap();
    for number in 0..300 {
        put(&folder, &format!("rotated-{number:03}.pcap"), &at(&[1_000 * number, 1_000 * number + 999]));
        put(&folder, &format!("parallel-{number:03}.pcap"), &at(&[1_000 + number, 1_000_000 + number]));
    }
    let reading = read(&[folder.path()]);
    assert_eq!((reading.frames.len(), reading.captures.len()), (1_200, 600));
    assert!(times(&reading).is_sorted());
    assert_eq!(reading.damage, []);
}

#[test]
fn the_same_evidence_given_twice_counts_once() {
    let folder = TempDir::new().unwrap();
    let a = put(&folder, "a.pcap", &pcap(START, 30));
    let b = put(&folder, "b.pcap", &pcap(START, 30));
    let other = put(&folder, "c.pcap", &pcap(START + 1_000_000, 30));
    let again = folder.path().join("../").join(folder.path().file_name().unwrap()).join("a.pcap");
    let reading = read(&[&b, &a, &other, &again, &a]);
    assert_eq!(reading.frames.len(), 60);
    let names: Vec<_> = reading.captures.iter().map(|info| (Path::new(&info.path).to_path_buf(), info.also_at.len())).collect();
    assert_eq!(names, [(a, 1), (other, 0)]);
    assert_eq!(reading.captures[0].also_at, [b.display().to_string()]);
}

#[test]
fn what_is_no_capture_is_damage_where_named_and_nothing_in_a_folder() {
    let folder = TempDir::new().unwrap();
    let capture = put(&folder, "a.txt", &pcap(START, 3));
    let text = put(&folder, "b.pcap", b"this is a letter");
    std::fs::create_dir(folder.path().join("deeper")).unwrap();
    put(&folder, "deeper/c", &pcapng(START, 2, true));
    let in_folder = read(&[folder.path()]);
    assert_eq!((in_folder.captures.len(), in_folder.frames.len(), in_folder.damage.len()), (2, 5, 0));
    let named = read(&[&capture, &text]);
    assert_eq!((named.frames.len(), named.kinds()), (3, vec![DamageKind::NotACapture]));
    assert_eq!((named.damage[0].capture, named.captures[1].format.as_str()), (1, ""));
}

#[test]
fn an_empty_capture_is_a_capture() {
    let reading = read_bytes(&pcap(START, 0));
    assert_eq!((reading.frames.len(), reading.captures[0].format.as_str(), reading.damage.len()), (0, "pcap", 0));
}

#[test]
fn errors_name_the_thing_the_place_and_the_cure() {
    let folder = TempDir::new().unwrap();
    let say = |paths: &[PathBuf]| open(paths, &Options::default()).map(|_| ()).unwrap_err().to_string();
    let missing = folder.path().join("missing.pcap");
    assert!(matches!(open(std::slice::from_ref(&missing), &Options::default()), Err(Error::NotFound(path)) if path == missing));
    let zip = put(&folder, "x.pcap", b"PK\x03\x04 and so on");
    let said = say(&[zip]);
    assert!(said.contains("x.pcap") && said.contains("zip archive; unpack it first"), "{said}");
    assert!(say(&[put(&folder, "empty", b"")]).contains("it is empty"));
    assert!(say(&[put(&folder, "cut", &pcap(START, 1)[..20])]).contains("ends inside its header"));
    assert!(say(&[folder.path().to_path_buf()]).contains(folder.path().to_str().unwrap()));
    assert!(say(&[]).contains("no evidence given"));
}
