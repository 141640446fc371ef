//! Bridge protocol data units (IEEE 802.1D 9.3, 802.1Q 14), and Cisco's per VLAN with the VLAN behind them.

use super::mac;
use crate::dissect::messages::Fields;
use crate::model::event::Stp;

/// A tree's number of the VLAN, type and length, of Cisco's (at the end).
const VLAN_TLV: [u8; 4] = [0, 0, 0, 2];

/// Reads a unit; `None` if it is none.
pub(super) fn read(bytes: &[u8], eth_src: String, pvst: bool) -> Option<Stp> {
    let mut fields = Fields(bytes);
    let (0, version, kind) = (fields.be16()?, fields.u8()?, fields.u8()?) else { return None };
    let mut row = Stp { eth_src, version: name(version, pvst), ..Stp::default() };
    row.kind = match kind {
        0x00 => "configuration",
        0x02 => "rapid",
        0x80 => "topology_change",
        _ => return None,
    };
    if kind == 0x80 {
        row.topology_change = true;
        return Some(row);
    }
    let flags = fields.u8()?;
    (row.topology_change, row.topology_change_ack) = (flags & 1 != 0, flags & 0x80 != 0);
    row.root = bridge(&mut fields);
    row.root_cost = fields.be32();
    row.bridge = bridge(&mut fields);
    row.port = fields.be16();
    // Times are counted in 256ths of a second.
    let mut seconds = || fields.be16().map(|time| f64::from(time) / 256.0);
    (row.message_age, row.max_age) = (seconds(), seconds());
    (row.hello_time, row.forward_delay) = (seconds(), seconds());
    if pvst {
        let at = bytes.windows(6).skip(35).find(|part| part.starts_with(&VLAN_TLV));
        row.vlan = at.and_then(|part| part.last_chunk::<2>()).map(|vlan| u16::from_be_bytes(*vlan));
    }
    Some(row)
}

fn name(version: u8, pvst: bool) -> &'static str {
    match (version, pvst) {
        (0, false) => "STP",
        (2, false) => "RSTP",
        (3, false) => "MSTP",
        (0, true) => "PVST+",
        (2, true) => "Rapid PVST+",
        _ => "",
    }
}

/// Priority and address: `32768.00:1c:0e:87:78:00`.
fn bridge(fields: &mut Fields<'_>) -> Option<String> {
    let priority = fields.be16()?;
    Some(format!("{priority}.{}", mac(fields.take(6)?)?))
}
