use super::*;
use crate::dissect::testing::{Step, conn, cut, down, said, up};
use proptest::prelude::*;

fn told(proto: Proto, port: u16, steps: &[Step]) -> Vec<String> {
    let events = said(conn(proto, port), steps).into_iter();
    let lines = events.filter_map(|event| match event {
        Event::Greeting(row) => {
            let parts = [row.version, row.client, row.server, row.user, row.subject].map(|part| part.unwrap_or_else(|| "-".to_owned()));
            Some(format!("{} {} {}", row.service, parts.join(" "), row.answered))
        }
        Event::Credential(login) => Some(format!("login {} {}", login.user.unwrap_or_default(), login.secret)),
        _ => None,
    });
    lines.collect()
}

fn amqp() -> Vec<Step> {
    let string = |text: &[u8]| [&(text.len() as u32).to_be_bytes()[..], text].concat();
    let table = string(&[&b"\x07productS"[..], &string(b"RabbitMQ"), b"\x07versionS", &string(b"3.8")].concat());
    let frame = |body: &[u8]| [&[1, 0, 0][..], &(body.len() as u32).to_be_bytes(), body, &[0xce]].concat();
    vec![
        up(b"AMQP\0\0\x09\x01"),
        down(frame(&[&[0, 10, 0, 10, 0, 9][..], &table].concat())),
        up(frame(&[&[0, 10, 0, 11][..], &table, b"\x05PLAIN", &string(b"\0jane\0secret")].concat())),
        up(frame(b"\0\x0a\0\x28\x05/shop\0\0")),
    ]
}

fn pool() -> Vec<Step> {
    vec![
        up(
            "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"miner/1.0\"]}\n{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"wallet.w1\",\"x\"]}\n",
        ),
        down("{\"id\":1,\"result\":[],\"error\":null}\n"),
    ]
}

#[test]
fn greetings_say_who_with_what_and_what_for() {
    assert_eq!(told(Proto::Tcp, 5_672, &amqp()), ["login jane secret", "amqp 0.9.1 RabbitMQ 3.8 RabbitMQ 3.8 jane /shop true"]);
    assert_eq!(told(Proto::Tcp, 3_333, &pool()), ["login wallet.w1 x", "stratum - miner/1.0 - wallet.w1 mining.subscribe true"]);
    let monero = up("{\"id\":1,\"method\":\"login\",\"params\":{\"login\":\"4Axx\",\"pass\":\"x\",\"agent\":\"XMRig/6\"}}\n");
    assert_eq!(told(Proto::Tcp, 443, &[monero]), ["login 4Axx x", "stratum - XMRig/6 - 4Axx login false"]);
    let handshake = [&b"\x13BitTorrent protocol"[..], &[0; 8], &[0xab; 20], b"-UT3550-abcdefghijkl"].concat();
    assert_eq!(told(Proto::Tcp, 6_881, &[up(handshake)]), [format!("bittorrent - -UT3550- - - {} false", "ab".repeat(20))]);
    let question = b"d1:ad2:id20:aaaaaaaaaaaaaaaaaaaa9:info_hash20:bbbbbbbbbbbbbbbbbbbbe1:q9:get_peers1:t2:aa1:v4:UT\x00\x011:y1:qe";
    assert_eq!(told(Proto::Udp, 6_881, &[up(question)]), [format!("bittorrent - UT\\x00\\x01 - - {} false", "62".repeat(20))]);
    assert_eq!(told(Proto::Tcp, 11_211, &[up("version\r\n"), down("VERSION 1.6.9\r\n")]), ["memcached 1.6.9 - - - version true"]);
    let mut initiation = vec![1, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef];
    initiation.resize(148, 7);
    assert_eq!(told(Proto::Udp, 51_820, &[up(initiation)]), ["wireguard - - - - deadbeef false"]);
}

proptest! {
    #[test]
    fn cuts_change_nothing(sizes in proptest::collection::vec(1usize..40, 1..6)) {
        for (port, steps) in [(5_672, amqp()), (3_333, pool())] {
            prop_assert_eq!(told(Proto::Tcp, port, &cut(&steps, &sizes)), told(Proto::Tcp, port, &steps));
        }
    }

    #[test]
    fn any_bytes_are_survived(noise in proptest::collection::vec(any::<u8>(), 0..120), at in 0usize..80, bit in 0u8..8) {
        for mut steps in [amqp(), pool()] {
            for step in &mut steps {
                if let Step::Data(_, bytes) = step && let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            steps.insert(1, Step::Gap(Dir::Resp, 5));
            steps.extend([up(&noise), down(&noise)]);
            prop_assert!(told(Proto::Tcp, 5_672, &steps).len() <= 2);
        }
        prop_assert!(told(Proto::Udp, 6_881, &[up([b"d1:ad2:id20:", &noise[..]].concat())]).len() <= 1);
    }
}
