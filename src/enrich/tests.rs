//! Lists in every format, and what cannot be used of them; places out of an MMDB file of our own.

use super::intel::{List, of_bytes};
use super::mmdb::{Datum, database};
use super::*;
use crate::model::time::SECOND;
use crate::store::Indicator;
use std::net::IpAddr;

/// When the capture was made, for these tests: a second of 2024-05-01.
const CAPTURED: (i64, i64) = (1_714_564_800 * SECOND, 1_714_564_801 * SECOND);

fn list(name: &str, text: &str) -> List {
    of_bytes(name.into(), text.as_bytes())
}

fn rows(list: List) -> (Vec<Indicator>, Vec<String>) {
    let (rows, notes) = list.rows(Some(CAPTURED), &["203.0.113.77".parse().unwrap(), "198.51.100.1".parse().unwrap()]);
    (rows, notes.into_iter().map(|note| note.message).collect())
}

fn shown(rows: &[Indicator]) -> Vec<String> {
    rows.iter().map(|row| format!("{} {} ({})", row.kind, row.value, row.threat.as_deref().unwrap_or("-"))).collect()
}

#[test]
fn a_plain_list_is_read_with_its_comments_and_its_date() {
    let text = "# Bad hosts, last updated 2024-04-30 10:00:00\n203.0.113.9\n203.0.113.0/24 # spam net\n0.0.0.0 ads.example tracker\n\
                evil[.]example\n10.0.0.1\n8.8.8.8\nwhat is this\n203.0.113.9\nhttp://evil.example/x#y\n";
    let (rows, notes) = rows(list("bad.txt", text));
    assert_eq!(
        shown(&rows),
        [
            "ip 203.0.113.9 (-)",
            "ip 203.0.113.77 (spam net)",
            "net 203.0.113.0/24 (spam net)",
            "domain ads.example (-)",
            "domain evil.example (-)",
            "url evil.example/x (-)"
        ]
    );
    assert_eq!(rows[1].listed_as, "203.0.113.0/24");
    assert!(rows.iter().all(|row| row.listed_ns == Some(1_714_471_200 * SECOND) && row.source == "bad.txt" && row.list_sha256.len() == 64));
    assert_eq!(notes[0], "bad.txt: 6 indicators, 4 of no use");
    let said = notes[1..].join("\n");
    for part in [
        "1 of no use (reserved or private addresses), such as 10.0.0.1",
        "1 of no use (used by nearly everybody), such as 8.8.8.8",
        "repeated",
        "not understood",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn fingerprints_are_told_from_digests_by_the_name_of_their_list() {
    let text = "e7d705a3286e19ea42f587b344ee6865\n";
    assert_eq!(shown(&rows(list("ja3-bad.txt", text)).0), ["ja3 e7d705a3286e19ea42f587b344ee6865 (-)"]);
    assert_eq!(shown(&rows(list("bad.txt", text)).0), ["md5 e7d705a3286e19ea42f587b344ee6865 (-)"]);
}

#[test]
fn tables_are_read_by_their_heads_wherever_these_stand() {
    let with_head = "first_seen_utc,dst_ip,dst_port,malware\n2024-03-01 00:00:00,203.0.113.5,443,Emotet\n";
    assert_eq!(shown(&rows(list("a.csv", with_head)).0), ["ip 203.0.113.5 (Emotet)"]);
    assert_eq!(rows(list("a.csv", with_head)).0[0].listed_ns, Some(1_709_251_200 * SECOND));
    let in_comment = "# Last updated: 2024-04-01 12:00:00 UTC\n#\n# Listingdate,SHA1,Listingreason\n2024-03-01 00:00:00,\
                      aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,\"Dridex C&C, old\"\n";
    assert_eq!(shown(&rows(list("ssl.csv", in_comment)).0), ["sha1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (Dridex C&C, old)"]);
    let typed = "\"ioc_value\";\"ioc_type\";\"confidence_level\";\"expires\"\n\"203.0.113.6:80\";\"ip:port\";\"50\";\"2030-01-01\"\n\
                 \"someone@evil.example\";\"email\";\"90\";\"\"\n\"old.example\";\"domain\";\"100\";\"2020-01-01\"\n";
    let (rows_typed, notes) = rows(list("typed.csv", typed));
    assert_eq!(shown(&rows_typed), ["ip 203.0.113.6 (-)"]);
    assert_eq!(rows_typed[0].confidence, Some(0.275));
    assert!(notes.join("\n").contains("1 of no use (expired before this capture), such as old.example"), "{notes:?}");
    assert!(notes.join("\n").contains("of a kind that packets do not show"), "{notes:?}");
    let headless = "1,2024-01-01,http://evil.example/a.exe,online\n2,2024-01-02,http://worse.example/b.exe,offline\n";
    assert_eq!(shown(&rows(list("urls.csv", headless)).0), ["url evil.example/a.exe (-)", "url worse.example/b.exe (-)"]);
}

#[test]
fn stix_bundles_give_their_indicators_with_validity_and_confidence() {
    let text = r#"{"type":"bundle","id":"bundle--1","objects":[
      {"type":"indicator","spec_version":"2.1","name":"C2 of X","pattern_type":"stix","confidence":80,"created":"2024-01-01T00:00:00Z",
       "pattern":"[domain-name:value = 'c2.example' OR ipv4-addr:value = '203.0.113.8']","valid_from":"2024-01-01T00:00:00Z","valid_until":"2025-01-01T00:00:00.000Z"},
      {"type":"indicator","pattern_type":"stix","pattern":"[ipv4-addr:value = '203.0.113.1']","valid_from":"2019-01-01T00:00:00Z","valid_until":"2020-01-01T00:00:00Z"},
      {"type":"indicator","pattern_type":"stix","revoked":true,"pattern":"[ipv4-addr:value = '203.0.113.2']","valid_from":"2024-01-01T00:00:00Z"},
      {"type":"indicator","pattern_type":"yara","pattern":"rule x {}","valid_from":"2024-01-01T00:00:00Z"},
      {"type":"indicator","pattern_type":"stix","pattern":"[a:b = 'x' AND c:d = 'y']","valid_from":"2024-01-01T00:00:00Z"},
      {"type":"malware","name":"X","is_family":true}]}"#;
    let (rows, notes) = rows(list("feed.json", text));
    assert_eq!(shown(&rows), ["domain c2.example (C2 of X)", "ip 203.0.113.8 (C2 of X)"]);
    assert_eq!((rows[0].confidence, rows[0].first_ns), (Some(0.56), Some(1_704_067_200 * SECOND)));
    assert!(rows[0].last_ns > rows[0].first_ns && rows[0].listed_ns == rows[0].first_ns);
    let said = notes.join("\n");
    for part in ["expired before this capture", "revoked", "of a kind that packets do not show", "patterns of several conditions"] {
        assert!(said.contains(&format!("1 of no use ({part})")), "{part} in {said}");
    }
}

#[test]
fn misp_events_give_their_attributes_but_those_not_meant_for_matching() {
    let text = r#"{"response":[{"Event":{"info":"Campaign Y","date":"2024-02-01","Attribute":[
       {"type":"ip-dst|port","value":"203.0.113.4|8443","to_ids":true,"comment":"panel"},
       {"type":"domain|ip","value":"y.example|203.0.113.3","to_ids":true},
       {"type":"ip-dst","value":"203.0.113.200","to_ids":false},
       {"type":"mutex","value":"Global\\x","to_ids":true}],
     "Object":[{"name":"file","Attribute":[{"type":"sha256","value":"abababababababababababababababababababababababababababababababab","to_ids":true,"timestamp":"1706745600"}]}]}}]}"#;
    let (rows, notes) = rows(list("misp.json", text));
    assert_eq!(
        shown(&rows),
        [
            "ip 203.0.113.4 (Campaign Y: panel)",
            "domain y.example (Campaign Y)",
            "ip 203.0.113.3 (Campaign Y)",
            &format!("sha256 {} (Campaign Y)", "ab".repeat(32))
        ]
    );
    assert_eq!(rows[3].listed_ns, Some(1_706_745_600 * SECOND));
    assert!(notes.join("\n").contains("(not meant for matching), such as 203.0.113.200"), "{notes:?}");
}

#[test]
fn any_bytes_are_a_list_of_something_or_nothing() {
    let texts = [
        "",
        "{",
        "[]",
        "{}",
        "[1,2]",
        "\u{feff}203.0.113.4",
        "{\"objects\":1}",
        "{\"Event\":[]}",
        "a,b\n\"",
        "\"\"\"\n,",
        "ip\n\n",
        "type,value\n,",
        "é|é\né|é",
    ];
    for text in texts {
        let (rows, notes) = rows(list("any", text));
        assert!(rows.len() <= 1 && !notes.is_empty(), "{text:?}: {rows:?}");
    }
    for seed in 0..200 {
        let mut rng = crate::synth::Rng::new(seed);
        let bytes = rng.bytes(300);
        rows(of_bytes("any".into(), &bytes));
        let text = rng.text(200, "[]{}\":,'=|;\n \\#abip4.");
        rows(list("any", &text));
    }
}

#[test]
fn a_folder_is_read_in_order_and_what_is_missing_is_said() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("b.txt"), "b.example\n").unwrap();
    std::fs::write(folder.path().join("a.txt"), "a.example\n").unwrap();
    std::fs::write(folder.path().join(".git"), "c.example\n").unwrap();
    let lists = intel::read(&[folder.path().to_owned()]).unwrap();
    assert_eq!(lists.iter().map(|list| list.name.as_str()).collect::<Vec<_>>(), ["a.txt", "b.txt"]);
    let error = intel::read(&[folder.path().join("none.txt")]).unwrap_err().to_string();
    assert!(error.contains("none.txt") && error.contains("--intel"), "{error}");
}

/// A city map and a map of autonomous systems, as files.
pub fn maps(folder: &std::path::Path) -> Vec<PathBuf> {
    let home: IpAddr = "203.0.113.77".parse().unwrap();
    let six: IpAddr = "2001:db8::1".parse().unwrap();
    let country = |code| Datum::Map(vec![("iso_code", Datum::Text(code))]);
    let city = Datum::Map(vec![
        ("city", Datum::Map(vec![("names", Datum::Map(vec![("en", Datum::Text("Oxford"))]))])),
        ("country", country("GB")),
        ("location", Datum::Map(vec![("latitude", Datum::Double(51.75)), ("longitude", Datum::Double(-1.25))])),
    ]);
    let only_country = Datum::Map(vec![("registered_country", country("NZ"))]);
    let system = Datum::Map(vec![
        ("autonomous_system_number", Datum::Number(64_500)),
        ("autonomous_system_organization", Datum::Text("Example Networks of a name longer than twenty-nine letters")),
    ]);
    let files = [
        ("city.mmdb", database("GeoLite2-City", 1_714_521_600, &[(home, city), (six, only_country)])),
        ("asn.mmdb", database("GeoLite2-ASN", 1_714_521_600, &[(home, system)])),
    ];
    files
        .map(|(name, bytes)| {
            let path = folder.join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        })
        .to_vec()
}

#[test]
fn places_put_together_what_each_map_knows() {
    let folder = tempfile::tempdir().unwrap();
    let atlas = Atlas::open(&maps(folder.path())).unwrap();
    let addresses = ["10.0.0.1", "203.0.113.77", "2001:db8::1", "198.51.100.1"].map(|text| text.parse().unwrap());
    let (places, notes) = atlas.places(&addresses);
    assert_eq!(places.len(), 2);
    let place = &places[0];
    assert_eq!((place.country.as_deref(), place.city.as_deref(), place.asn), (Some("GB"), Some("Oxford"), Some(64_500)));
    assert_eq!((place.latitude, place.longitude), (Some(51.75), Some(-1.25)));
    assert!(place.organisation.as_deref().is_some_and(|name| name.starts_with("Example Networks")));
    assert_eq!(place.source, "GeoLite2-City 2024-05-01, GeoLite2-ASN 2024-05-01");
    assert_eq!((places[1].ip.as_str(), places[1].country.as_deref()), ("2001:db8::1", Some("NZ")));
    assert!(notes[0].message.ends_with("2 of 3 outside addresses found"), "{}", notes[0].message);
}

#[test]
fn a_file_that_is_no_map_or_a_broken_one_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mmdb");
    std::fs::write(&path, b"no map").unwrap();
    let error = Atlas::open(std::slice::from_ref(&path)).err().unwrap().to_string();
    assert!(error.contains("x.mmdb") && error.contains("GeoLite2-City.mmdb"), "{error}");
    let whole = std::fs::read(&maps(folder.path())[0]).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut broken = whole.clone();
        broken[at] ^= 0xff;
        std::fs::write(&path, &broken).unwrap();
        if let Ok(atlas) = Atlas::open(std::slice::from_ref(&path)) {
            atlas.places(&["203.0.113.77".parse().unwrap(), "2001:db8::1".parse().unwrap()]);
        }
    }
}
