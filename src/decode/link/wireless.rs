//! Wireless LAN (IEEE 802.11): data frames that are not encrypted. All others are counted.

use super::super::reader::{Next, Reader};
use crate::model::Mac;

/// Bits of the second byte.
mod flag {
    pub(super) const TO_DS: u8 = 0x01;
    pub(super) const FROM_DS: u8 = 0x02;
    pub(super) const PROTECTED: u8 = 0x40;
    pub(super) const ORDER: u8 = 0x80;
}

/// Type and version of data frames, in the lower half of the first byte.
const DATA: u8 = 0x08;
/// Subtype bits, in its upper half: without payload; with a QoS field.
const NO_PAYLOAD: u8 = 0x40;
const QOS: u8 = 0x80;
/// In the QoS field: several Ethernet-like frames in one.
const AGGREGATE: u8 = 0x80;

/// Reads what the receiver noted before the frame itself (<https://www.radiotap.org>), then the frame.
pub(super) fn radiotap(reader: &mut Reader<'_>) -> Next {
    let Some(&[_, _, len1, len2]) = reader.rest().first_chunk() else { return reader.cut_off("link") };
    reader.skip(usize::from(u16::from_le_bytes([len1, len2])));
    read(reader)
}

/// What begins a header of AVS, but for its version; such a header also occurs under the link type of Prism.
const AVS: [u8; 3] = [0x80, 0x21, 0x10];

/// Reads the header of AVS, which tells its length, then the frame.
pub(super) fn avs(reader: &mut Reader<'_>) -> Next {
    let Some(&[_, _, _, _, len1, len2, len3, len4]) = reader.rest().first_chunk() else { return reader.cut_off("link") };
    reader.skip(u32::from_be_bytes([len1, len2, len3, len4]) as usize);
    read(reader)
}

/// Reads the header of Prism, in the byte order of the capturing host, then the frame.
pub(super) fn prism(reader: &mut Reader<'_>) -> Next {
    if reader.rest().starts_with(&AVS) {
        return avs(reader);
    }
    let Some(&[_, _, _, _, len1, len2, len3, len4]) = reader.rest().first_chunk() else { return reader.cut_off("link") };
    let len = u32::from_le_bytes([len1, len2, len3, len4]);
    // Prism headers are 144 bytes long: a large number was written the other way round.
    reader.skip(len.min(len.swap_bytes()) as usize);
    read(reader)
}

/// Reads a frame whose control bytes were swapped on the way.
pub(super) fn swapped(reader: &mut Reader<'_>) -> Next {
    match reader.take() {
        Some([flags, control, _, _]) => data(control, flags, reader),
        None => reader.cut_off("link"),
    }
}

/// Reads the header of a data frame.
pub(super) fn read(reader: &mut Reader<'_>) -> Next {
    match reader.take() {
        Some([control, flags, _, _]) => data(control, flags, reader),
        None => reader.cut_off("link"),
    }
}

fn data(control: u8, flags: u8, reader: &mut Reader<'_>) -> Next {
    if control & 0x0f != DATA {
        return reader.stop("network", "unknown_80211_frame", u32::from(control));
    }
    let (Some(first), Some(second), Some(third), Some(_)) = (reader.take(), reader.take(), reader.take(), reader.take::<2>()) else {
        return reader.cut_off("link");
    };
    let (source, destination) = match (flags & flag::TO_DS != 0, flags & flag::FROM_DS != 0) {
        (false, false) => (Some(second), first),
        (false, true) => (Some(third), first),
        (true, false) => (Some(second), third),
        (true, true) => (reader.take(), third),
    };
    let Some(source) = source else { return reader.cut_off("link") };
    reader.packet.mac_src = Mac(source);
    reader.packet.mac_dst = Mac(destination);
    if control & QOS != 0 {
        let Some([qos, _]) = reader.take() else { return reader.cut_off("link") };
        if qos & AGGREGATE != 0 {
            return reader.stop("network", "aggregated_80211_frame", u32::from(qos));
        }
        if flags & flag::ORDER != 0 && reader.take::<4>().is_none() {
            return reader.cut_off("link");
        }
    }
    if flags & flag::PROTECTED != 0 {
        return reader.stop("network", "encrypted_80211_frame", u32::from(control));
    }
    if control & NO_PAYLOAD != 0 {
        return Next::Payload;
    }
    super::llc::header(reader)
}
