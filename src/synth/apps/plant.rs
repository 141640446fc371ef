//! What controllers are told: Modbus over TCP (Modbus messaging guide 1.0b) and S7 (behind RFC 1006).

use crate::synth::Tcp;
use crate::synth::net::MILLI;

/// A Modbus message behind its header: transaction, protocol 0, length, unit.
fn modbus(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let length = (pdu.len() as u16 + 1).to_be_bytes();
    [&transaction.to_be_bytes()[..], &[0, 0], &length, &[unit], pdu].concat()
}

/// An S7 message in its two envelopes: kind, number, error (of answers), parameters, data.
fn s7(kind: u8, number: u16, error: &[u8], parameters: &[u8], data: &[u8]) -> Vec<u8> {
    let lengths = [(parameters.len() as u16).to_be_bytes(), (data.len() as u16).to_be_bytes()].concat();
    let inner = [&[0x32, kind, 0, 0], &number.to_be_bytes()[..], &lengths, error, parameters, data].concat();
    let length = (inner.len() as u16 + 7).to_be_bytes();
    [&[3, 0], &length[..], &[2, 0xf0, 0x80], &inner].concat()
}

impl Tcp<'_> {
    /// A Modbus order and its answer; the answer to an order that the unit does not know is an exception.
    pub fn modbus(&mut self, transaction: u16, unit: u8, order: &[u8], answer: &[u8]) {
        self.send(&modbus(transaction, unit, order));
        self.reply(&modbus(transaction, unit, answer));
    }

    /// Reads `count` holding registers that all hold 100.
    pub fn modbus_read(&mut self, transaction: u16, unit: u8, address: u16, count: u8) {
        let order = [&[3][..], &address.to_be_bytes(), &[0, count]].concat();
        let answer = [vec![3, count * 2], [0, 100].repeat(usize::from(count))].concat();
        self.modbus(transaction, unit, &order, &answer);
    }

    /// Writes one register; the answer repeats the order.
    pub fn modbus_write(&mut self, transaction: u16, unit: u8, address: u16, value: u16) {
        let order = [&[6][..], &address.to_be_bytes(), &value.to_be_bytes()].concat();
        self.modbus(transaction, unit, &order, &order);
    }

    /// An order that is refused with `exception`.
    pub fn modbus_refused(&mut self, transaction: u16, unit: u8, order: &[u8], exception: u8) {
        let function = order.first().copied().unwrap_or_default();
        self.modbus(transaction, unit, order, &[function | 0x80, exception]);
    }

    /// Connection to the processor in slot 2, and what both can do.
    pub fn s7_connect(&mut self) {
        self.send(&[3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2, 0xc0, 1, 10]);
        self.reply(&[3, 0, 0, 22, 17, 0xd0, 0, 1, 0, 6, 0, 0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2]);
        let setup = [0xf0, 0, 0, 1, 0, 1, 0, 240];
        self.send(&s7(1, 0, &[], &setup, &[]));
        self.reply(&s7(3, 0, &[0, 0], &setup, &[]));
    }

    /// Reads four bytes of data block 1.
    pub fn s7_read(&mut self, number: u16) {
        self.send(&s7(1, number, &[], &[4, 1, 0x12, 10, 0x10, 2, 0, 4, 0, 1, 0x84, 0, 0, 80], &[]));
        self.reply(&s7(3, number, &[0, 0], &[4, 1], &[0xff, 4, 0, 32, 1, 2, 3, 4]));
    }

    /// Writes a byte of data block 1.
    pub fn s7_write(&mut self, number: u16, value: u8) {
        self.send(&s7(1, number, &[], &[5, 1, 0x12, 10, 0x10, 2, 0, 1, 0, 1, 0x84, 0, 0, 80], &[0, 4, 0, 8, value]));
        self.reply(&s7(3, number, &[0, 0], &[5, 1], &[0xff]));
    }

    /// Stops the program; the controller agrees.
    pub fn s7_stop(&mut self, number: u16) {
        self.send(&s7(1, number, &[], b"\x29\0\0\0\0\0\x09P_PROGRAM", &[]));
        self.pause(40 * MILLI);
        self.reply(&s7(3, number, &[0, 0], &[0x29], &[]));
    }
}
