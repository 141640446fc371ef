//! Wrong passwords cost time: each address a few tries, then a wait that doubles; all addresses together a few tries a second.

use super::super::problem::Problem;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong passwords that cost nothing.
const FREE: u32 = 5;
/// The first wait; each further failure doubles it.
const WAIT: Duration = Duration::from_secs(2);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// After this without a failure an address starts afresh.
const FORGIVEN: Duration = Duration::from_secs(60 * 60);
/// Addresses remembered; beyond that, the one that failed longest ago is forgotten.
const ADDRESSES: usize = 10_000;
/// Failures of all addresses within [`WINDOW`] after which nobody may try: guesses from many addresses are still guesses.
const TOGETHER: u32 = 100;
const WINDOW: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Memory {
    by: BTreeMap<IpAddr, (u32, Instant)>,
    window: Option<(u32, Instant)>,
}

/// Counts failures.
#[derive(Default)]
pub struct Throttle(Mutex<Memory>);

/// Whoever has one IPv6 address has its network.
fn origin(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) >> 64 << 64)),
        four => four,
    }
}

fn wait(failures: u32) -> Duration {
    match failures.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(more) => WAIT.saturating_mul(1 << more.min(16)).min(LONGEST),
    }
}

impl Throttle {
    /// Refuses whoever has to wait.
    pub fn may_try(&self, peer: IpAddr) -> Result<(), Problem> {
        self.may_try_at(peer, Instant::now())
    }

    /// Notes a wrong password.
    pub fn failed(&self, peer: IpAddr) {
        self.failed_at(peer, Instant::now());
    }

    /// A right password clears the address.
    pub fn succeeded(&self, peer: IpAddr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by.remove(&origin(peer));
    }

    fn may_try_at(&self, peer: IpAddr, now: Instant) -> Result<(), Problem> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = memory
            .by
            .get(&origin(peer))
            .map_or(Duration::ZERO, |(failures, last)| wait(*failures).saturating_sub(now.duration_since(*last)));
        let all = memory.window.map_or(Duration::ZERO, |(failures, since)| {
            if failures >= TOGETHER { WINDOW.saturating_sub(now.duration_since(since)) } else { Duration::ZERO }
        });
        match own.max(all) {
            Duration::ZERO => Ok(()),
            left => Err(Problem::TooMany(left.as_secs() + 1)),
        }
    }

    fn failed_at(&self, peer: IpAddr, now: Instant) {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let window = memory.window.filter(|(_, since)| now.duration_since(*since) < WINDOW).unwrap_or((0, now));
        memory.window = Some((window.0.saturating_add(1), window.1));
        let own = memory.by.entry(origin(peer)).or_insert((0, now));
        let failures = if now.duration_since(own.1) < FORGIVEN { own.0.saturating_add(1) } else { 1 };
        *own = (failures, now);
        if memory.by.len() > ADDRESSES
            && let Some(oldest) = memory.by.iter().min_by_key(|(_, (_, last))| *last).map(|(address, _)| *address)
        {
            memory.by.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn guesses_wait_ever_longer_and_others_do_not() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..FREE {
            throttle.may_try_at(PEER, now).unwrap();
            throttle.failed_at(PEER, now);
        }
        assert!(matches!(throttle.may_try_at(PEER, now), Err(Problem::TooMany(3))));
        assert!(throttle.may_try_at("192.0.2.2".parse().unwrap(), now).is_ok());
        throttle.failed_at(PEER, now);
        assert!(throttle.may_try_at(PEER, now + WAIT).is_err() && throttle.may_try_at(PEER, now + WAIT * 2).is_ok());
        throttle.succeeded(PEER);
        assert!(throttle.may_try_at(PEER, now).is_ok());
    }

    #[test]
    fn guesses_from_everywhere_wait_too() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        (0..TOGETHER).for_each(|n| throttle.failed_at(IpAddr::from((n + 1).to_be_bytes()), now));
        assert!(throttle.may_try_at(PEER, now).is_err());
        assert!(throttle.may_try_at(PEER, now + WINDOW).is_ok());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_memory_is_bounded() {
        assert_eq!(origin("2001:db8::1".parse().unwrap()), origin("2001:db8::ffff:2".parse().unwrap()));
        assert_eq!(origin("::ffff:192.0.2.1".parse().unwrap()), PEER);
        let (throttle, now) = (Throttle::default(), Instant::now());
        (0..ADDRESSES as u32 + 10).for_each(|n| throttle.failed_at(IpAddr::from(n.to_be_bytes()), now));
        assert_eq!(throttle.0.lock().unwrap().by.len(), ADDRESSES);
    }
}
