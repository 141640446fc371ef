//! Function codes under Zeek's names.

const REQUESTS: [&str; 34] = [
    "CONFIRM",
    "READ",
    "WRITE",
    "SELECT",
    "OPERATE",
    "DIRECT_OPERATE",
    "DIRECT_OPERATE_NR",
    "IMMED_FREEZE",
    "IMMED_FREEZE_NR",
    "FREEZE_CLEAR",
    "FREEZE_CLEAR_NR",
    "FREEZE_AT_TIME",
    "FREEZE_AT_TIME_NR",
    "COLD_RESTART",
    "WARM_RESTART",
    "INITIALIZE_DATA",
    "INITIALIZE_APPL",
    "START_APPL",
    "STOP_APPL",
    "SAVE_CONFIG",
    "ENABLE_UNSOLICITED",
    "DISABLE_UNSOLICITED",
    "ASSIGN_CLASS",
    "DELAY_MEASURE",
    "RECORD_CURRENT_TIME",
    "OPEN_FILE",
    "CLOSE_FILE",
    "DELETE_FILE",
    "GET_FILE_INFO",
    "AUTHENTICATE_FILE",
    "ABORT_FILE",
    "ACTIVATE_CONFIG",
    "AUTHENTICATE_REQ",
    "AUTHENTICATE_ERR",
];

/// `READ`, `RESPONSE`, `unknown-99`.
pub(super) fn function(code: u8) -> String {
    let name = match code {
        0x81 => "RESPONSE",
        0x82 => "UNSOLICITED_RESPONSE",
        0x83 => "AUTHENTICATE_RESP",
        _ => match REQUESTS.get(usize::from(code)) {
            Some(name) => name,
            None => return format!("unknown-{code}"),
        },
    };
    name.to_owned()
}
