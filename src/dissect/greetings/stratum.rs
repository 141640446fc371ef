//! Mining pools: lines of JSON with a method of theirs (Stratum versions of Bitcoin, Zcash, Ethereum, Monero).

use super::{Seen, TEXT_MAX};
use crate::dissect::{Answer, Probe, escape};
use crate::model::Dir;
use serde_json::Value;

/// Bytes within which a method must stand.
const LOOK: usize = 512;
/// Lines looked at.
const LINES_MAX: usize = 16;

/// A line of JSON that names one of the methods, or a login with an agent, or a job with its blob.
pub(super) fn probe(probe: &Probe<'_>) -> Answer {
    if !matches!(probe.bytes, [b'{', ..]) {
        return Answer::NotForUs;
    }
    let head = probe.bytes.get(..probe.bytes.len().min(LOOK)).unwrap_or_default();
    let has = |word: &[u8]| head.windows(word.len()).any(|part| part == word);
    let method = [&b"\"mining."[..], b"\"eth_submitLogin\"", b"\"eth_getWork\"", b"\"eth_submitWork\""].iter().any(|word| has(word));
    let login = has(b"\"login\"") && has(b"\"pass\"") && (has(b"\"agent\"") || has(b"\"method\""));
    match method || login || (has(b"\"job_id\"") && has(b"\"blob\"")) {
        true => Answer::Certain,
        false if head.len() < LOOK && !head.contains(&b'\n') => Answer::Unsure,
        false => Answer::NotForUs,
    }
}

/// Methods, program, worker and password of the client; whether the pool answers is told by the flow.
pub(super) fn read(seen: &mut Seen, dir: Dir, head: &[u8]) {
    if dir == Dir::Resp {
        return;
    }
    for line in head.split(|&byte| byte == b'\n').take(LINES_MAX) {
        let Ok(message) = serde_json::from_slice::<Value>(line) else { continue };
        let Some(method) = message.get("method").and_then(Value::as_str) else { continue };
        seen.row.subject.get_or_insert_with(|| escape(method.as_bytes(), 64));
        let params = message.get("params");
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(|text| escape(text.as_bytes(), TEXT_MAX));
        let at = |number: usize| text(params.and_then(|params| params.get(number)));
        let named = |name: &str| text(params.and_then(|params| params.get(name)));
        match method {
            "mining.subscribe" => seen.row.client = at(0).filter(|agent| !agent.is_empty()),
            "mining.authorize" | "eth_submitLogin" => (seen.row.user, seen.secret) = (at(0), at(1)),
            "login" => {
                (seen.row.user, seen.secret) = (named("login"), named("pass"));
                seen.row.client = named("agent");
            }
            _ => {}
        }
    }
}
