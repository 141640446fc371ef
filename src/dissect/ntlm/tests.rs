use super::*;
use crate::dissect::testing::conn;
use crate::model::Proto;
use proptest::prelude::*;

/// UTF-16.
pub fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn fields(header: usize, head: &[u8], tail: &[u8], payload: &[&[u8]]) -> Vec<u8> {
    let mut at = header;
    let mut described = Vec::new();
    for part in payload {
        described.extend((part.len() as u16).to_le_bytes());
        described.extend((part.len() as u16).to_le_bytes());
        described.extend((at as u32).to_le_bytes());
        at += part.len();
    }
    [head, &described, tail, &payload.concat()].concat()
}

/// An offer of a Windows 10 client.
pub fn negotiate() -> Vec<u8> {
    [&b"NTLMSSP\0"[..], &1u32.to_le_bytes(), &0xe208_8297u32.to_le_bytes(), &[0; 16], &[10, 0, 0x61, 0x4a, 0, 0, 0, 15]].concat()
}

fn pair(id: u16, value: &[u8]) -> Vec<u8> {
    [&id.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), value].concat()
}

fn pairs() -> Vec<u8> {
    let texts = [(2, "EXAMPLE"), (1, "SRV"), (4, "example.org"), (3, "srv.example.org"), (5, "example.org")];
    let mut list: Vec<u8> = texts.iter().flat_map(|&(id, text)| pair(id, &wide(text))).collect();
    list.extend(pair(0, &[]));
    list
}

/// A challenge of SRV in EXAMPLE.
pub fn challenge() -> Vec<u8> {
    let (name, pairs) = (wide("EXAMPLE"), pairs());
    let mut bytes = [&b"NTLMSSP\0"[..], &2u32.to_le_bytes()].concat();
    bytes.extend([14, 0, 14, 0, 56, 0, 0, 0]);
    bytes.extend(0xe289_8215u32.to_le_bytes());
    bytes.extend([1, 2, 3, 4, 5, 6, 7, 8]);
    bytes.extend([0; 8]);
    let length = (pairs.len() as u16).to_le_bytes();
    bytes.extend([length, length].concat());
    bytes.extend((56 + name.len() as u32).to_le_bytes());
    bytes.extend([6, 1, 0xb1, 0x1d, 0, 0, 0, 15]);
    [bytes, name, pairs].concat()
}

/// An answer with these responses.
pub fn authenticate(domain: &str, user: &str, host: &str, lm: &[u8], nt: &[u8]) -> Vec<u8> {
    let head = [&b"NTLMSSP\0"[..], &3u32.to_le_bytes()].concat();
    let tail = [&0xe288_8215u32.to_le_bytes()[..], &[10, 0, 0x61, 0x4a, 0, 0, 0, 15], &[7; 16]].concat();
    fields(88, &head, &tail, &[lm, nt, &wide(domain), &wide(user), &wide(host), b""])
}

/// A response as long as NTLMv2's, with its attributes.
pub fn nt_v2() -> Vec<u8> {
    let attributes = [pair(6, &2u32.to_le_bytes()), pair(9, &wide("cifs/srv")), pair(0, &[])].concat();
    [&[9; 16][..], &[1, 1, 0, 0, 0, 0, 0, 0], &[0; 8], &[5; 8], &[0; 4], &attributes].concat()
}

fn rows(play: impl FnOnce(&mut Logins, &mut Out)) -> Vec<Ntlm> {
    let (mut logins, mut out) = (Logins::new("smb"), Out::new(conn(Proto::Tcp, 445)));
    play(&mut logins, &mut out);
    logins.end(&mut out);
    out.events.into_iter().filter_map(|event| if let Event::Ntlm(row) = event.event { Some(*row) } else { None }).collect()
}

#[test]
fn an_exchange_is_one_row_with_both_sides_names() {
    let rows = rows(|logins, out| {
        logins.token(&negotiate(), (1, 1), out);
        logins.token(&challenge(), (2, 2), out);
        logins.token(&authenticate("EXAMPLE", "jane", "PC-1", &[0; 24], &nt_v2()), (3, 3), out);
        assert_eq!(logins.user().as_deref(), Some("EXAMPLE\\\\jane"));
        logins.verdict(Some(false), Some("LOGON_FAILURE".into()), out);
    });
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    let told = |text: &Option<String>| text.clone().unwrap_or_default();
    assert_eq!((told(&row.username), told(&row.domainname), told(&row.hostname)), ("jane".into(), "EXAMPLE".into(), "PC-1".into()));
    assert_eq!(told(&row.server_nb_computer_name), "SRV");
    assert_eq!(told(&row.server_dns_computer_name), "srv.example.org");
    assert_eq!(told(&row.server_tree_name), "example.org");
    assert_eq!(told(&row.server_challenge), "0102030405060708");
    assert_eq!((told(&row.client_version), told(&row.server_version)), ("10.0.19041".into(), "6.1.7601".into()));
    assert_eq!((row.ntlm_version, row.mic, told(&row.target_name)), (Some(2), Some(true), "cifs/srv".into()));
    assert_eq!((row.success, told(&row.status), row.lm_response, row.anonymous), (Some(false), "LOGON_FAILURE".into(), false, false));
    assert_eq!((row.challenge_frame, row.answer_frame), (Some(2), Some(3)));
}

#[test]
fn the_same_proof_has_the_same_hash_and_shows_nothing_of_itself() {
    let hash = |nt: &[u8]| rows(|logins, out| _ = logins.token(&authenticate("D", "u", "h", &[], nt), (1, 1), out)).remove(0).nt_proof_sha;
    let (a, b) = (hash(&nt_v2()), hash(&[8; 60]));
    assert_eq!(a, hash(&nt_v2()));
    assert_ne!(a, b);
    assert_eq!(a.map(|hash| (hash.len(), hash.contains("0909"))), Some((64, false)));
}

#[test]
fn version_1_is_told_by_the_length_and_an_lm_response_by_its_end() {
    let row = |lm: &[u8], nt: &[u8]| rows(|logins, out| _ = logins.token(&authenticate("D", "u", "h", lm, nt), (1, 1), out)).remove(0);
    let extended = [&[1u8; 8][..], &[0; 16]].concat();
    assert_eq!((row(&extended, &[2; 24]).ntlm_version, row(&extended, &[2; 24]).lm_response), (Some(1), false));
    assert!(row(&[3; 24], &[2; 24]).lm_response);
    assert!(!row(&[2; 24], &[2; 24]).lm_response, "the NT response said twice");
    assert!(!row(&[3; 24], &nt_v2()).lm_response, "LMv2 is no LM response");
    let nobody = rows(|logins, out| _ = logins.token(&authenticate("", "", "", &[0], &[]), (1, 1), out)).remove(0);
    assert!(nobody.anonymous && nobody.ntlm_version.is_none());
}

#[test]
fn attempts_one_after_the_other_are_rows_of_their_own() {
    let rows = rows(|logins, out| {
        for user in ["a", "b", "c"] {
            logins.token(&negotiate(), (1, 1), out);
            logins.token(&challenge(), (2, 2), out);
            logins.token(&authenticate("D", user, "h", &[0; 24], &nt_v2()), (3, 3), out);
        }
    });
    let users: Vec<_> = rows.iter().filter_map(|row| row.username.as_deref()).collect();
    assert_eq!(users, ["a", "b", "c"]);
}

#[test]
fn a_challenge_alone_names_the_server() {
    let rows = rows(|logins, out| _ = logins.token(&challenge(), (7, 7), out));
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].server_nb_computer_name.as_deref(), rows[0].username.as_deref()), (Some("SRV"), None));
}

proptest! {
    #[test]
    fn any_cut_and_any_flip_is_survived(kind in 0usize..3, cut in 0usize..400, at in 0usize..300, flip: u8) {
        let mut bytes = match kind {
            0 => negotiate(),
            1 => challenge(),
            _ => authenticate("EXAMPLE", "jane", "PC-1", &[0; 24], &nt_v2()),
        };
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= flip;
        }
        bytes.truncate(cut);
        let rows = rows(|logins, out| _ = logins.token(&bytes, (1, 1), out));
        prop_assert!(rows.len() <= 1);
    }
}
