//! What is sealed here with known keys comes out as it went in, or not at all.

use super::*;
use crate::dissect::tls::decrypt::{derive, suite::Suite};
use crate::dissect::{Chunk, Conversation, Setting, hex};
use crate::model::{AppEvent, Keys};
use aes::cipher::{Block, BlockCipherEncrypt, KeyInit};
use ring::{aead, hmac};

const GET: &[u8] = b"GET /secret HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden";

/// Seals the records of one side.
struct Sealer {
    modern: bool,
    aead: Option<aead::LessSafeKey>,
    cbc: Option<(aes::Aes128, hmac::Key)>,
    iv: Vec<u8>,
    number: u64,
}

fn aead(suite: &Suite, key: &[u8]) -> Option<aead::LessSafeKey> {
    Some(aead::LessSafeKey::new(aead::UnboundKey::new(suite.aead()?, key).unwrap()))
}

impl Sealer {
    /// TLS 1.3 with this secret.
    fn modern(cipher: u16, secret: &[u8]) -> Self {
        let suite = Suite::of(cipher).unwrap();
        let expand = |label: &[u8], length| derive::expand(&suite, secret, label, length).unwrap();
        Self { modern: true, aead: aead(&suite, &expand(b"key", suite.key_length())), cbc: None, iv: expand(b"iv", 12), number: 0 }
    }

    /// TLS 1.2 with this master secret, and the randoms of the hellos above.
    fn classic(cipher: u16, master: &[u8], side: usize) -> Self {
        let suite = Suite::of(cipher).unwrap();
        let (mac, key, iv) = (suite.mac_length(), suite.key_length(), suite.iv_length());
        let seed = [&[9; 24][..], b"DOWNGRD\x01", &[7; 32]].concat();
        let block = derive::prf(&suite, false, master, b"key expansion", &seed, 2 * (mac + key + iv));
        let part = |at: usize, length: usize| &block[at + side * length..at + (side + 1) * length];
        let cbc = suite
            .aead()
            .is_none()
            .then(|| (aes::Aes128::new_from_slice(part(2 * mac, key)).unwrap(), hmac::Key::new(hmac::HMAC_SHA256, part(0, mac))));
        Self { modern: false, aead: aead(&suite, part(2 * mac, key)), cbc, iv: part(2 * (mac + key), iv).to_vec(), number: 0 }
    }

    fn seal(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
        let number = self.number.to_be_bytes();
        self.number += 1;
        let beside = [&number[..], &[kind, 3, 3], &(content.len() as u16).to_be_bytes()].concat();
        if let Some((key, mac)) = &self.cbc {
            let mut plain = [content, hmac::sign(mac, &[&beside, content].concat()).as_ref()].concat();
            let pad = 15 - plain.len() % 16;
            plain.extend(vec![pad as u8; pad + 1]);
            let (mut before, mut out) = ([3; 16], vec![3; 16]);
            for block in plain.as_chunks::<16>().0 {
                let mut block = Block::<aes::Aes128>::from(std::array::from_fn(|n| block[n] ^ before[n]));
                key.encrypt_block(&mut block);
                before = block.into();
                out.extend(before);
            }
            return record(kind, &out);
        }
        let key = self.aead.as_ref().unwrap();
        let (mut bytes, nonce, explicit) = if self.iv.len() == 4 {
            (content.to_vec(), [&self.iv[..], &number].concat(), number.to_vec())
        } else {
            let mask = [&[0; 4][..], &number].concat();
            let nonce = self.iv.iter().zip(mask).map(|(a, b)| a ^ b).collect();
            (if self.modern { [content, &[kind, 0, 0]].concat() } else { content.to_vec() }, nonce, Vec::new())
        };
        let aad = if self.modern { [&[23, 3, 3][..], &(bytes.len() as u16 + 16).to_be_bytes()].concat() } else { beside };
        let nonce = aead::Nonce::try_assume_unique_for_key(&nonce).unwrap();
        key.seal_in_place_append_tag(nonce, aead::Aad::from(&aad), &mut bytes).unwrap();
        record(if self.modern { 23 } else { kind }, &[explicit, bytes].concat())
    }
}

fn keys(lines: &[(&str, &[u8])]) -> Keys {
    let keys = Keys::default();
    for (label, secret) in lines {
        assert_eq!(keys.add(format!("{label} {} {}", hex(&[7; 32]), hex(secret)).as_bytes()), 1);
    }
    keys
}

fn listen(keys: &Keys, steps: &[Step]) -> (Vec<AppEvent>, &'static str) {
    let mut conversation = Conversation::perhaps(conn(Proto::Tcp, 443), None, Setting::of_flow(keys));
    let mut events = Vec::new();
    for (frame, step) in (1..).zip(steps) {
        match step {
            Step::Data(dir, bytes) => conversation.data(&Chunk { dir: *dir, bytes, cut: 0, frame, ts_ns: frame as i64 }, &mut events),
            Step::Gap(dir, missing) => conversation.gap(*dir, *missing, &mut events),
            Step::Fin(dir) => conversation.fin(*dir, &mut events),
        }
    }
    conversation.end(&mut events);
    (events, conversation.service())
}

/// Target, status, and whether it is marked.
type Asked = (Option<String>, Option<u16>, bool);

/// What was said under TLS; and whether the handshake's row says that it was read.
fn told(events: &[AppEvent]) -> (Vec<Asked>, Vec<(bool, bool)>) {
    let http = events.iter().filter_map(|event| match &event.event {
        Event::Http(row) => Some((row.uri.clone(), row.status_code, row.decrypted)),
        _ => None,
    });
    let tls = events.iter().filter_map(|event| match &event.event {
        Event::Tls(row) => Some((row.established, row.decrypted)),
        _ => None,
    });
    (http.collect(), tls.collect())
}

const SECRETS: [(&str, &[u8]); 4] = [
    ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", &[1; 32]),
    ("SERVER_HANDSHAKE_TRAFFIC_SECRET", &[2; 32]),
    ("CLIENT_TRAFFIC_SECRET_0", &[3; 32]),
    ("SERVER_TRAFFIC_SECRET_0", &[4; 32]),
];

/// TLS 1.3 with two exchanges, between which the server changes its keys.
fn session_13(cipher: u16) -> Vec<Step> {
    let [mut client_hs, mut server_hs, mut client, mut server] = SECRETS.map(|(_, secret)| Sealer::modern(cipher, secret));
    let next = derive::expand(&Suite::of(cipher).unwrap(), &[4; 32], b"traffic upd", 32).unwrap();
    let mut updated = Sealer::modern(cipher, &next);
    let chosen = message(8, &sized(2, &extension(16, &sized(2, &sized(1, b"http/1.1")))));
    let flight = [chosen, message(20, &[0; 32])].concat();
    vec![
        up(hello(1, &client_body(&[0x0304]))),
        down([hello(2, &server_body(cipher, &[extension(43, &u16s(&[0x0304]))])), record(20, &[1]), server_hs.seal(22, &flight)].concat()),
        up([record(20, &[1]), client_hs.seal(22, &message(20, &[0; 32])), client.seal(23, GET)].concat()),
        down(server.seal(23, OK)),
        down([server.seal(22, &message(24, &[0])), updated.seal(23, b"")].concat()),
        up(client.seal(23, GET)),
        down([updated.seal(23, &OK[..20]), updated.seal(23, &OK[20..])].concat()),
        up(client.seal(21, &[1, 0])),
    ]
}

/// TLS 1.2 with one exchange.
fn session_12(cipher: u16) -> Vec<Step> {
    let [mut client, mut server] = [0, 1].map(|side| Sealer::classic(cipher, &[5; 48], side));
    vec![
        up(hello(1, &client_body(&[]))),
        down([hello(2, &server_body(cipher, &[])), hello(14, &[])].concat()),
        up([hello(16, &[0; 4]), record(20, &[1]), client.seal(22, &message(20, &[0; 12]))].concat()),
        down([record(20, &[1]), server.seal(22, &message(20, &[0; 12]))].concat()),
        up(client.seal(23, GET)),
        down(server.seal(23, OK)),
    ]
}

#[test]
fn tls_1_3_is_read_with_its_traffic_secrets_and_without_those_of_its_handshake() {
    let exchange = (Some("/secret".to_owned()), Some(200), true);
    for cipher in [0x1301, 0x1303] {
        for from in [0, 2] {
            let (events, service) = listen(&keys(&SECRETS[from..]), &session_13(cipher));
            assert_eq!(told(&events), (vec![exchange.clone(), exchange.clone()], vec![(true, true)]), "{cipher:x}");
            assert_eq!(service, "ssl,http");
        }
    }
    let (events, _) = listen(&keys(&SECRETS), &session_13(0x1301));
    let Some(Event::Tls(row)) = events.iter().map(|event| &event.event).find(|event| matches!(event, Event::Tls(_))) else { panic!() };
    assert_eq!(row.next_protocol.as_deref(), Some("http/1.1"), "only keys show it");
    assert_eq!(row.ssl_history, "CsiI", "letters are of what is in clear");
}

#[test]
fn tls_1_2_is_read_with_its_master_secret() {
    for cipher in [0xc02f, 0xcca8, 0x003c] {
        let (events, service) = listen(&keys(&[("CLIENT_RANDOM", &[5; 48])]), &session_12(cipher));
        assert_eq!(told(&events), (vec![(Some("/secret".to_owned()), Some(200), true)], vec![(true, true)]), "{cipher:x}");
        assert_eq!(service, "ssl,http");
        let file = events.iter().find_map(|event| if let Event::File(file) = &event.event { Some(file) } else { None }).unwrap();
        assert_eq!((file.decrypted, file.url.as_deref()), (true, Some("https://www.example.com/secret")));
    }
}

#[test]
fn wrong_keys_and_no_keys_show_nothing_and_change_nothing() {
    for steps in [session_12(0xc02f), session_13(0x1301)] {
        let (plain, service) = listen(&Keys::default(), &steps);
        assert_eq!((told(&plain), service), ((vec![], vec![(true, false)]), "ssl"));
        let wrong = keys(&[("CLIENT_RANDOM", &[6; 48]), ("CLIENT_TRAFFIC_SECRET_0", &[6; 32]), ("SERVER_TRAFFIC_SECRET_0", &[6; 32])]);
        assert_eq!(listen(&wrong, &steps), (plain, service));
    }
}

#[test]
fn a_lost_record_costs_itself_alone() {
    let mut steps = session_13(0x1301);
    let Step::Data(dir, lost) = steps.remove(3) else { panic!() };
    steps.insert(3, Step::Gap(dir, lost.len() as u64));
    let (events, _) = listen(&keys(&SECRETS), &steps);
    let (http, tls) = told(&events);
    assert_eq!((http.len(), tls), (2, vec![(true, true)]));
    assert!(http.iter().any(|(_, status, _)| *status == Some(200)), "the second answer is read: {http:?}");
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_rows(sizes in proptest::collection::vec(1usize..400, 1..6)) {
        let keys = keys(&[&SECRETS[..], &[("CLIENT_RANDOM", &[5; 48])]].concat());
        for steps in [session_13(0x1301), session_12(0xc02f), session_12(0x003c)] {
            let (whole, pieces) = (listen(&keys, &steps).0, listen(&keys, &cut(&steps, &sizes)).0);
            prop_assert_eq!(told(&whole), told(&pieces));
        }
    }

    #[test]
    fn any_damage_is_survived_and_never_believed(at in 0usize..10_000, mask in 1u8.., lost: bool) {
        let keys = keys(&[&SECRETS[..], &[("CLIENT_RANDOM", &[5; 48])]].concat());
        for mut steps in [session_13(0x1301), session_12(0xc02f), session_12(0x003c)] {
            let n = at % steps.len();
            if let Step::Data(dir, bytes) = &mut steps[n] {
                if lost {
                    steps[n] = Step::Gap(*dir, bytes.len() as u64);
                } else {
                    let place = at % bytes.len();
                    bytes[place] ^= mask;
                }
            }
            for (uri, ..) in told(&listen(&keys, &steps).0).0 {
                prop_assert!(uri.is_none_or(|uri| uri == "/secret"), "what does not authenticate is not shown");
            }
        }
    }
}
