//! SNMP version 2c (RFC 3416) and TFTP (RFC 1350): how network devices are looked after, and their settings carried about.

use super::x509::element;
use crate::synth::net::{Host, Net};

/// `sysDescr.0`.
pub const DESCRIPTION: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 1, 0];
/// `sysLocation.0`.
pub const LOCATION: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 6, 0];
/// `ccCopyServerAddress.7` of CISCO-CONFIG-COPY-MIB.
pub const COPY_TO: &[u8] = &[0x2b, 6, 1, 4, 1, 9, 9, 96, 1, 1, 1, 1, 5, 7];

/// Operations of a message.
const GET: u8 = 0xa0;
const RESPONSE: u8 = 0xa2;
const SET: u8 = 0xa3;

fn message(operation: u8, community: &str, number: u8, object: &[u8], value: &[u8]) -> Vec<u8> {
    let variable = element(0x30, &[element(6, object), value.to_vec()].concat());
    let pdu = [element(2, &[number]), element(2, &[0]), element(2, &[0]), element(0x30, &variable)].concat();
    element(0x30, &[element(2, &[1]), element(4, community.as_bytes()), element(operation, &pdu)].concat())
}

impl Net {
    /// Asks for a text.
    pub fn snmp_get(&mut self, (client, port): (Host, u16), device: Host, community: &str, object: &[u8], text: &str) {
        let question = message(GET, community, 1, object, &element(5, &[]));
        let answer = message(RESPONSE, community, 1, object, &element(4, text.as_bytes()));
        self.udp_exchange((client, port), (device, 161), &question, &answer);
    }

    /// Sets a text; the device repeats it.
    pub fn snmp_set(&mut self, (client, port): (Host, u16), device: Host, community: &str, object: &[u8], text: &str) {
        let value = element(4, text.as_bytes());
        let question = message(SET, community, 2, object, &value);
        let answer = message(RESPONSE, community, 2, object, &value);
        self.udp_exchange((client, port), (device, 161), &question, &answer);
    }

    /// A device sends a file of less than 512 bytes to a TFTP server.
    pub fn tftp_put(&mut self, device: Host, server: Host, file: &str, content: &[u8]) {
        let (own, other) = (self.next_port(device), self.next_port(server));
        let request = [&[0, 2][..], file.as_bytes(), b"\0octet\0"].concat();
        self.udp((device, own), (server, 69), &request);
        self.react(server);
        self.udp((server, other), (device, own), &[0, 4, 0, 0]);
        self.react(device);
        self.udp((device, own), (server, other), &[&[0, 3, 0, 1], content].concat());
        self.react(server);
        self.udp((server, other), (device, own), &[0, 4, 0, 1]);
    }
}
