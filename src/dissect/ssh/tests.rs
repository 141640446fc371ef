use super::kex::tests::kexinit;
use super::*;
use crate::dissect::Conversation;
use crate::model::{AppEvent, FlowId};
use proptest::prelude::*;

const LISTS: [&str; 8] = [
    "curve25519-sha256",
    "ssh-ed25519",
    "aes128-ctr",
    "aes128-ctr",
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-256-etm@openssh.com",
    "none",
    "none",
];

fn conn() -> Conn {
    let host = |last| std::net::IpAddr::from([192, 0, 2, last]);
    Conn { flow: FlowId::new(1, 0), orig_h: host(1), orig_p: 40_000, resp_h: host(2), resp_p: 2_222, proto: Proto::Tcp }
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(body.len() + 2 + 4).unwrap().to_be_bytes().to_vec();
    bytes.extend([4, kind]);
    bytes.extend(body);
    bytes.extend([0; 4]);
    bytes
}

fn encrypted(length: u32) -> Vec<u8> {
    [length.to_be_bytes().to_vec(), vec![0xee; length as usize + 32]].concat()
}

/// A session with one refused and one accepted password.
fn session() -> Vec<(Dir, Vec<u8>)> {
    let key = [&11u32.to_be_bytes()[..], b"ssh-ed25519", &32u32.to_be_bytes(), &[9; 32]].concat();
    let reply = [&u32::try_from(key.len()).unwrap().to_be_bytes()[..], &key, &[0; 20]].concat();
    let mut turns = vec![
        (Dir::Resp, b"Welcome stranger\r\nSSH-2.0-server_1 x\r\n".to_vec()),
        (Dir::Orig, b"SSH-2.0-client_1\r\n".to_vec()),
        (Dir::Orig, packet(KEXINIT, &kexinit(LISTS))),
        (Dir::Resp, packet(KEXINIT, &kexinit(LISTS))),
        (Dir::Orig, packet(30, &[1; 36])),
        (Dir::Resp, [packet(KEX_REPLY, &reply), packet(NEWKEYS, &[]), encrypted(300)].concat()),
        (Dir::Orig, [packet(NEWKEYS, &[]), encrypted(32)].concat()),
    ];
    for length in [32, 48, 48, 16] {
        turns.push((Dir::Resp, encrypted(length)));
        turns.push((Dir::Orig, encrypted(64)));
    }
    turns
}

fn run(turns: &[(Dir, Vec<u8>)], mut step: impl FnMut() -> usize) -> (Vec<AppEvent>, &'static str) {
    let mut events = Vec::new();
    let mut conversation = Conversation::new(conn());
    for (dir, bytes) in turns {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (part, after) = rest.split_at(step().clamp(1, rest.len()));
            conversation.data(&Chunk { dir: *dir, bytes: part, cut: 0, frame: 1, ts_ns: 1 }, &mut events);
            rest = after;
        }
    }
    conversation.end(&mut events);
    (events, conversation.service())
}

fn row(events: &[AppEvent]) -> &Ssh {
    match events {
        [AppEvent { event: Event::Ssh(ssh), .. }] => ssh,
        other => panic!("one row expected: {other:?}"),
    }
}

#[test]
fn a_session_gives_one_row_with_everything_in_clear_and_the_login() {
    let (events, service) = run(&session(), || usize::MAX);
    let ssh = row(&events);
    assert_eq!(service, "ssh");
    assert_eq!(ssh.version, Some(2));
    assert_eq!(ssh.client.as_deref(), Some("SSH-2.0-client_1"));
    assert_eq!(ssh.server.as_deref(), Some("SSH-2.0-server_1 x"));
    assert_eq!(ssh.kex_alg.as_deref(), Some("curve25519-sha256"));
    assert_eq!(ssh.cipher_alg.as_deref(), Some("aes128-ctr"));
    assert_eq!(ssh.hassh, ssh.hassh_server);
    assert!(ssh.host_key_fingerprint.as_deref().is_some_and(|print| print.starts_with("SHA256:") && print.len() == 39));
    assert!(ssh.host_key_sha256.as_deref().is_some_and(|print| print.starts_with("SHA256:") && print.len() == 50));
    assert_eq!((ssh.auth_success, ssh.auth_attempts), (Some(true), 2), "{}", ssh.auth_evidence);
}

#[test]
fn a_success_ends_the_reading() {
    let mut connection = Connection::default();
    let mut out = Out::new(conn());
    for (dir, bytes) in session() {
        connection.data(&Chunk { dir, bytes: &bytes, cut: 0, frame: 1, ts_ns: 1 }, &mut out);
    }
    assert_eq!(out.events.len(), 1);
    assert!(!connection.wants(Dir::Orig) && !connection.wants(Dir::Resp));
}

#[test]
fn one_direction_alone_still_tells_banner_and_hassh() {
    for (dir, other) in [(Dir::Orig, Dir::Resp), (Dir::Resp, Dir::Orig)] {
        let turns: Vec<_> = session().into_iter().filter(|(from, _)| *from != other).collect();
        let (events, service) = run(&turns, || usize::MAX);
        if dir == Dir::Orig {
            assert_eq!(service, "ssh");
            assert!(row(&events).hassh.is_some() && row(&events).auth_success.is_none());
        } else {
            // A greeting before the banner hides it from content alone: nobody can know.
            assert_eq!(service, "");
        }
    }
}

#[test]
fn snapped_packets_lose_lists_but_not_the_login() {
    let mut events = Vec::new();
    let mut connection = Connection::default();
    let mut out = Out::new(conn());
    for (dir, bytes) in session() {
        let kept = bytes.len().min(40);
        let cut = u32::try_from(bytes.len() - kept).unwrap();
        connection.data(&Chunk { dir, bytes: &bytes[..kept], cut, frame: 1, ts_ns: 1 }, &mut out);
    }
    connection.end(&mut out);
    events.append(&mut out.events);
    let ssh = row(&events);
    assert_eq!(ssh.client.as_deref(), Some("SSH-2.0-client_1"));
    assert_eq!(ssh.hassh, None);
    assert_eq!((ssh.auth_success, ssh.auth_attempts), (Some(true), 2), "{}", ssh.auth_evidence);
}

#[test]
fn a_peer_that_does_not_answer_in_ssh_is_not_ssh() {
    let turns = [(Dir::Orig, b"GET / HTTP/1.0\r\n\r\n".to_vec()), (Dir::Resp, b"SSH-2.0-x\r\nnonsense".to_vec())];
    let mut connection = Connection::default();
    let mut out = Out::new(conn());
    for (dir, bytes) in &turns {
        connection.data(&Chunk { dir: *dir, bytes, cut: 0, frame: 1, ts_ns: 1 }, &mut out);
    }
    connection.end(&mut out);
    assert!(!connection.confirmed() && out.events.is_empty());
}

#[test]
fn versions_are_agreed_as_the_banners_say() {
    let cases = [
        (Some("SSH-2.0-a"), Some("SSH-1.99-b"), Some(2)),
        (Some("SSH-1.99-a"), Some("SSH-1.99-b"), Some(2)),
        (Some("SSH-1.5-a"), Some("SSH-1.99-b"), Some(1)),
        (Some("SSH-1.5-a"), Some("SSH-2.0-b"), None),
        (Some("SSH-2.0-a"), None, Some(2)),
        (None, None, None),
    ];
    for (client, server, expected) in cases {
        assert_eq!(version(client, server), expected, "{client:?} {server:?}");
    }
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_row(steps in proptest::collection::vec(1usize..200, 1..64)) {
        let mut steps = steps.into_iter().cycle();
        let cut = run(&session(), || steps.next().unwrap());
        prop_assert_eq!(cut, run(&session(), || usize::MAX));
    }

    #[test]
    fn any_bytes_any_losses_never_panic_and_give_at_most_one_row(
        parts in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..80), 0u32..50, 0u8..12), 0..60),
    ) {
        let mut connection = Connection::default();
        let mut out = Out::new(conn());
        let good = session();
        for (orig, bytes, cut, kind) in parts {
            let dir = if orig { Dir::Orig } else { Dir::Resp };
            match kind {
                0 => connection.gap(dir, u64::from(cut), &mut out),
                1..7 => {
                    let (dir, bytes) = &good[(bytes.len() + usize::from(kind)) % good.len()];
                    connection.data(&Chunk { dir: *dir, bytes, cut: 0, frame: 1, ts_ns: 1 }, &mut out);
                }
                _ => connection.data(&Chunk { dir, bytes: &bytes, cut, frame: 1, ts_ns: 1 }, &mut out),
            }
        }
        connection.end(&mut out);
        connection.end(&mut out);
        prop_assert!(out.events.len() <= 1);
    }
}

/// What Zeek's own baseline says of these captures: `(version, client, server, success, attempts, cipher, mac, kex, host key, fingerprint)`.
#[test]
fn real_captures_agree_with_zeek_s_baseline() {
    let Some(golden) = crate::dissect::replay::shared("golden") else { return };
    let mut compared = 0;
    for entry in std::fs::read_dir(golden.join("expect/zeek")).unwrap() {
        let path = entry.unwrap().path();
        let expected: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let Some(rows) = expected["logs"]["ssh"]["rows"].as_array().filter(|rows| rows[0].get("id.orig_p").is_some()) else { continue };
        let capture = golden.join(expected["capture"].as_str().unwrap());
        let flows = crate::dissect::replay::replay(&capture);
        let found: Vec<&Ssh> = flows.iter().flat_map(|flow| &flow.events).map(|event| row(std::slice::from_ref(event))).collect();
        assert_eq!(found.len(), rows.len(), "{}", path.display());
        for (ssh, row) in found.into_iter().zip(rows) {
            let text = |name: &str| row[name].as_str();
            assert_eq!(ssh.version.map(u64::from), row["version"].as_u64(), "{}", path.display());
            assert_eq!(ssh.auth_success, row["auth_success"].as_bool(), "{}: {}", path.display(), ssh.auth_evidence);
            assert_eq!(Some(u64::from(ssh.auth_attempts)), row["auth_attempts"].as_u64(), "{}", path.display());
            assert_eq!(ssh.client.as_deref(), text("client"));
            assert_eq!(ssh.server.as_deref(), text("server"));
            assert_eq!(ssh.cipher_alg.as_deref(), text("cipher_alg"));
            assert_eq!(ssh.mac_alg.as_deref(), text("mac_alg"));
            assert_eq!(ssh.compression_alg.as_deref(), text("compression_alg"));
            assert_eq!(ssh.kex_alg.as_deref(), text("kex_alg"));
            assert_eq!(ssh.host_key_alg.as_deref(), text("host_key_alg"));
            // Zeek prints the first 24 of its 32 bytes.
            let theirs = text("host_key_fingerprint").unwrap();
            assert!(ssh.host_key_fingerprint.as_deref().is_some_and(|ours| ours.starts_with(theirs)));
            compared += 1;
        }
    }
    assert!(compared > 0);
}

/// A look at every SSH capture at hand: `cargo test ssh_captures -- --ignored --nocapture`.
#[test]
#[ignore = "prints, for people"]
fn ssh_captures_at_a_glance() {
    let Some(folder) = crate::dissect::replay::shared("corpus/captures") else { return };
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_string_lossy().contains("ssh"));
    for path in paths {
        println!("{}", path.display());
        for flow in crate::dissect::replay::replay(&path) {
            for event in &flow.events {
                if let Event::Ssh(ssh) = &event.event {
                    println!("  {:?} {} {}", ssh.auth_success, ssh.auth_attempts, ssh.auth_evidence);
                }
            }
        }
    }
}
