//! The Internet checksum (RFC 1071), as it is judged: the sum over everything, checksum field included, is all ones.

use crate::model::packet::Ip;
use std::net::IpAddr;

/// Whether an IPv4 header's sum is right.
pub(super) fn header_ok(header: &[u8]) -> bool {
    all_ones(sum(header))
}

/// Whether a TCP or UDP segment's sum over pseudo header (RFC 9293 3.1, RFC 8200 8.1) and segment is right; its checksum field
/// stands at `field`. `None` where the sender left it to the network card: the field then holds the sum of the pseudo header
/// alone, with the length or (segmentation offload) without.
pub(super) fn segment_ok(ip: &Ip, segment: &[u8], field: usize) -> Option<bool> {
    let addresses = match (ip.src, ip.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => sum(&src.octets()) + sum(&dst.octets()),
        (IpAddr::V6(src), IpAddr::V6(dst)) => sum(&src.octets()) + sum(&dst.octets()),
        _ => return Some(false),
    };
    let len = u32::try_from(segment.len()).unwrap_or(u32::MAX);
    let (proto, len) = (sum(&[0, ip.proto]), sum(&len.to_be_bytes()));
    if all_ones(addresses + proto + len + sum(segment)) {
        return Some(true);
    }
    let written = segment.get(field..field + 2).map(sum)?;
    let left_to_the_card = [addresses + proto + len, addresses + proto].into_iter().any(|pseudo| fold(pseudo) == written);
    (!left_to_the_card).then_some(false)
}

/// Adds up 16-bit words in the machine's own byte order, which does not matter to the result (RFC 1071 2B). Two words at a time
/// into 64 bits: nothing can overflow, and compilers make vector instructions of it, several times as fast as carrying.
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    let words: u64 = words.iter().map(|&word| u64::from(u32::from_ne_bytes(word))).sum();
    let mut last = [0; 4];
    for (byte, &from) in last.iter_mut().zip(rest) {
        *byte = from;
    }
    words + u64::from(u32::from_ne_bytes(last))
}

fn all_ones(sum: u64) -> bool {
    fold(sum) == 0xffff
}

fn fold(mut sum: u64) -> u64 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::checksum::Sum16BitWords;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_agrees_with_the_word_by_word_sum(mut bytes in prop::collection::vec(any::<u8>(), 2..100), right: bool) {
            bytes[..2].fill(0);
            if right {
                let sum = Sum16BitWords::new().add_slice(&bytes).ones_complement();
                bytes[..2].copy_from_slice(&sum.to_ne_bytes());
            }
            prop_assert_eq!(header_ok(&bytes), Sum16BitWords::new().add_slice(&bytes).ones_complement() == 0);
            prop_assert!(!right || header_ok(&bytes));
        }
    }
}
