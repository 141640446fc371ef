//! Functions and exceptions under Zeek's names, and what they do.

/// `READ_COILS`, `WRITE_SINGLE_COIL_EXCEPTION`, `unknown-99`.
pub(super) fn function(code: u8) -> String {
    match (known(code & 0x7f), code & 0x80) {
        (Some(name), 0) => name.to_owned(),
        (Some(name), _) => format!("{name}_EXCEPTION"),
        (None, _) => format!("unknown-{code}"),
    }
}

pub(super) fn known(code: u8) -> Option<&'static str> {
    Some(match code {
        0x01 => "READ_COILS",
        0x02 => "READ_DISCRETE_INPUTS",
        0x03 => "READ_HOLDING_REGISTERS",
        0x04 => "READ_INPUT_REGISTERS",
        0x05 => "WRITE_SINGLE_COIL",
        0x06 => "WRITE_SINGLE_REGISTER",
        0x07 => "READ_EXCEPTION_STATUS",
        0x08 => "DIAGNOSTICS",
        0x09 => "PROGRAM_484",
        0x0a => "POLL_484",
        0x0b => "GET_COMM_EVENT_COUNTER",
        0x0c => "GET_COMM_EVENT_LOG",
        0x0d => "PROGRAM_584_984",
        0x0e => "POLL_584_984",
        0x0f => "WRITE_MULTIPLE_COILS",
        0x10 => "WRITE_MULTIPLE_REGISTERS",
        0x11 => "REPORT_SLAVE_ID",
        0x12 => "PROGRAM_884_U84",
        0x13 => "RESET_COMM_LINK_884_U84",
        0x14 => "READ_FILE_RECORD",
        0x15 => "WRITE_FILE_RECORD",
        0x16 => "MASK_WRITE_REGISTER",
        0x17 => "READ_WRITE_MULTIPLE_REGISTERS",
        0x18 => "READ_FIFO_QUEUE",
        0x28 => "PROGRAM_CONCEPT",
        0x2b => "ENCAP_INTERFACE_TRANSPORT",
        0x7d => "FIRMWARE_REPLACEMENT",
        0x7e => "PROGRAM_584_984_2",
        0x7f => "REPORT_LOCAL_ADDRESS",
        _ => return None,
    })
}

/// `ILLEGAL_FUNCTION`, `unknown-77`.
pub(super) fn exception(code: u8) -> String {
    let name = match code {
        0x01 => "ILLEGAL_FUNCTION",
        0x02 => "ILLEGAL_DATA_ADDRESS",
        0x03 => "ILLEGAL_DATA_VALUE",
        0x04 => "SLAVE_DEVICE_FAILURE",
        0x05 => "ACKNOWLEDGE",
        0x06 => "SLAVE_DEVICE_BUSY",
        0x08 => "MEMORY_PARITY_ERROR",
        0x0a => "GATEWAY_PATH_UNAVAILABLE",
        0x0b => "GATEWAY_TARGET_DEVICE_FAILED_TO_RESPOND",
        _ => return format!("unknown-{code}"),
    };
    name.to_owned()
}

/// Whether a function reads or writes the process image or the program.
pub(super) fn access(code: u8) -> &'static str {
    match code & 0x7f {
        0x01..=0x04 | 0x07 | 0x0b | 0x0c | 0x11 | 0x14 | 0x18 | 0x2b => "read",
        0x05 | 0x06 | 0x09 | 0x0d | 0x0f | 0x10 | 0x12 | 0x15 | 0x16 | 0x28 | 0x7d | 0x7e => "write",
        0x17 => "both",
        _ => "",
    }
}
