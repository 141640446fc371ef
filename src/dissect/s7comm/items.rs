//! Items of reads and writes: area, block, address, as programmers write them.

use super::names;
use crate::dissect::messages::Fields;
use crate::model::event::S7comm;

/// Items named in a row.
const ITEMS_MAX: usize = 8;

/// The items behind their number.
pub(super) fn read(parameters: &[u8], row: &mut S7comm) {
    let mut fields = Fields(parameters);
    let Some(count) = fields.u8() else { return };
    for _ in 0..usize::from(count).min(ITEMS_MAX) {
        // Variable specification, its length, then as many bytes.
        let (Some(0x12), Some(length)) = (fields.u8(), fields.u8()) else { break };
        let Some(item) = fields.take(usize::from(length)) else { break };
        if let Some(item) = Item::read(item) {
            if row.items.is_empty() {
                (row.area, row.address) = (Some(item.area), Some(item.bits >> 3));
                row.db = item.is_block().then_some(item.db);
            }
            row.items.push(item.shown());
        }
        // Items lie on even addresses.
        if length % 2 == 1 {
            fields.take(1);
        }
    }
}

/// An address of the kind "any pointer", the one in use.
struct Item {
    kind: u8,
    count: u16,
    db: u16,
    area: &'static str,
    bits: u32,
}

impl Item {
    fn read(bytes: &[u8]) -> Option<Self> {
        let &[0x10, kind, count1, count2, db1, db2, area, high, middle, low] = bytes.first_chunk::<10>()? else { return None };
        Some(Self {
            kind,
            count: u16::from_be_bytes([count1, count2]),
            db: u16::from_be_bytes([db1, db2]),
            area: names::area(area),
            bits: u32::from_be_bytes([0, high, middle, low]),
        })
    }

    fn is_block(&self) -> bool {
        matches!(self.area, "DB" | "DI")
    }

    /// `DB1.DBX0.0 BYTE 4`, `M10.3 BIT 1`.
    fn shown(&self) -> String {
        let (byte, bit) = (self.bits >> 3, self.bits & 7);
        let kind = names::transport(self.kind);
        let place =
            if self.is_block() { format!("{}{}.DBX{byte}.{bit}", self.area, self.db) } else { format!("{}{byte}.{bit}", self.area) };
        format!("{place} {kind} {}", self.count)
    }
}
