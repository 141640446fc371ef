//! Names of functions, areas and types, as Wireshark and Siemens' manuals use them.

pub(super) const READ: u8 = 0x04;
pub(super) const WRITE: u8 = 0x05;

pub(super) fn rosctr(kind: u8) -> &'static str {
    match kind {
        1 => "Job-Request",
        2 => "Ack",
        3 => "Ack-Data",
        7 => "User-Data",
        _ => "Unknown",
    }
}

pub(super) fn function(code: u8) -> Option<&'static str> {
    Some(match code {
        0x00 => "CPU Services",
        READ => "Read Variable",
        WRITE => "Write Variable",
        0x1a => "Request Download",
        0x1b => "Download Block",
        0x1c => "Download Ended",
        0x1d => "Start Upload",
        0x1e => "Upload",
        0x1f => "End Upload",
        0x28 => "PI Service",
        0x29 => "PLC Stop",
        0xf0 => "Setup Communication",
        _ => return None,
    })
}

pub(super) fn action(code: u8) -> &'static str {
    match code {
        READ => "read",
        WRITE => "write",
        0x1a..=0x1c => "download",
        0x1d..=0x1f => "upload",
        0x28 => "start",
        0x29 => "stop",
        0xf0 => "setup",
        _ => "",
    }
}

pub(super) fn user_group(group: u8) -> &'static str {
    match group {
        0 => "Mode Transition",
        1 => "Programmer Commands",
        2 => "Cyclic Data",
        3 => "Block Functions",
        4 => "CPU Functions",
        5 => "Security",
        6 => "PBC BSEND/BRECV",
        7 => "Time Functions",
        15 => "NC Programming",
        _ => "Unknown",
    }
}

pub(super) fn user_function(group: u8, number: u8) -> Option<&'static str> {
    Some(match (group, number) {
        (3, 1) => "List Blocks",
        (3, 2) => "List Blocks Of Type",
        (3, 3) => "Get Block Info",
        (4, 1) => "Read SZL",
        (4, 2) => "Message Service",
        (4, 3) => "Diagnostic Message",
        (5, 1) => "PLC Password",
        (7, 1) => "Read Clock",
        (7, 2) => "Set Clock",
        (7, 3) => "Read Clock Following",
        (7, 4) => "Set Clock Following",
        _ => return None,
    })
}

pub(super) fn area(code: u8) -> &'static str {
    match code {
        0x03 => "SYSINFO",
        0x05 => "SYSFLAGS",
        0x06 => "ANAIN",
        0x07 => "ANAOUT",
        0x1c => "C",
        0x1d => "T",
        0x80 => "P",
        0x81 => "I",
        0x82 => "Q",
        0x83 => "M",
        0x84 => "DB",
        0x85 => "DI",
        0x86 => "L",
        0x87 => "V",
        _ => "UNKNOWN",
    }
}

pub(super) fn transport(kind: u8) -> &'static str {
    match kind {
        0x01 => "BIT",
        0x02 => "BYTE",
        0x03 => "CHAR",
        0x04 => "WORD",
        0x05 => "INT",
        0x06 => "DWORD",
        0x07 => "DINT",
        0x08 => "REAL",
        0x09 => "DATE",
        0x0a => "TOD",
        0x0b => "TIME",
        0x0c => "S5TIME",
        0x0f => "DATE_AND_TIME",
        0x1c => "COUNTER",
        0x1d => "TIMER",
        _ => "UNKNOWN",
    }
}
