//! Functions, services, objects and properties by their names in ASHRAE 135 (clause 21, annex J).

pub(super) fn bvlc(function: u8) -> Option<&'static str> {
    Some(match function {
        0x00 => "BVLC-Result",
        0x01 => "Write-Broadcast-Distribution-Table",
        0x02 => "Read-Broadcast-Distribution-Table",
        0x03 => "Read-Broadcast-Distribution-Table-Ack",
        0x04 => "Forwarded-NPDU",
        0x05 => "Register-Foreign-Device",
        0x06 => "Read-Foreign-Device-Table",
        0x07 => "Read-Foreign-Device-Table-Ack",
        0x08 => "Delete-Foreign-Device-Table-Entry",
        0x09 => "Distribute-Broadcast-To-Network",
        0x0a => "Original-Unicast-NPDU",
        0x0b => "Original-Broadcast-NPDU",
        0x0c => "Secure-BVLL",
        _ => return None,
    })
}

pub(super) fn pdu(kind: u8) -> &'static str {
    match kind {
        0 => "CONFIRMED_REQUEST",
        1 => "UNCONFIRMED_REQUEST",
        2 => "SIMPLE_ACK",
        3 => "COMPLEX_ACK",
        4 => "SEGMENT_ACK",
        5 => "ERROR",
        6 => "REJECT",
        7 => "ABORT",
        _ => "",
    }
}

const CONFIRMED: [&str; 34] = [
    "acknowledge_alarm",
    "confirmed_cov_notification",
    "confirmed_event_notification",
    "get_alarm_summary",
    "get_enrollment_summary",
    "subscribe_cov",
    "atomic_read_file",
    "atomic_write_file",
    "add_list_element",
    "remove_list_element",
    "create_object",
    "delete_object",
    "read_property",
    "read_property_conditional",
    "read_property_multiple",
    "write_property",
    "write_property_multiple",
    "device_communication_control",
    "confirmed_private_transfer",
    "confirmed_text_message",
    "reinitialize_device",
    "vt_open",
    "vt_close",
    "vt_data",
    "authenticate",
    "request_key",
    "read_range",
    "life_safety_operation",
    "subscribe_cov_property",
    "get_event_information",
    "subscribe_cov_property_multiple",
    "confirmed_cov_notification_multiple",
    "confirmed_audit_notification",
    "audit_log_query",
];

const UNCONFIRMED: [&str; 13] = [
    "i_am",
    "i_have",
    "unconfirmed_cov_notification",
    "unconfirmed_event_notification",
    "unconfirmed_private_transfer",
    "unconfirmed_text_message",
    "time_synchronization",
    "who_has",
    "who_is",
    "utc_time_synchronization",
    "write_group",
    "unconfirmed_cov_notification_multiple",
    "unconfirmed_audit_notification",
];

fn numbered(names: &[&str], number: u8) -> String {
    names.get(usize::from(number)).map_or_else(|| format!("unknown-{number}"), |name| (*name).to_owned())
}

pub(super) fn confirmed(number: u8) -> String {
    numbered(&CONFIRMED, number)
}

pub(super) fn unconfirmed(number: u8) -> String {
    numbered(&UNCONFIRMED, number)
}

pub(super) fn network(kind: u8) -> String {
    const NAMES: [&str; 10] = [
        "who_is_router_to_network",
        "i_am_router_to_network",
        "i_could_be_router_to_network",
        "reject_message_to_network",
        "router_busy_to_network",
        "router_available_to_network",
        "initialize_routing_table",
        "initialize_routing_table_ack",
        "establish_connection_to_network",
        "disconnect_connection_to_network",
    ];
    numbered(&NAMES, kind)
}

pub(super) fn object(kind: u32) -> String {
    const NAMES: [&str; 31] = [
        "analog-input",
        "analog-output",
        "analog-value",
        "binary-input",
        "binary-output",
        "binary-value",
        "calendar",
        "command",
        "device",
        "event-enrollment",
        "file",
        "group",
        "loop",
        "multi-state-input",
        "multi-state-output",
        "notification-class",
        "program",
        "schedule",
        "averaging",
        "multi-state-value",
        "trend-log",
        "life-safety-point",
        "life-safety-zone",
        "accumulator",
        "pulse-converter",
        "event-log",
        "global-group",
        "trend-log-multiple",
        "load-control",
        "structured-view",
        "access-door",
    ];
    let known = usize::try_from(kind).ok().and_then(|at| NAMES.get(at));
    known.map_or_else(|| format!("unknown-{kind}"), |name| (*name).to_owned())
}

pub(super) fn property(number: u32) -> String {
    let name = match number {
        4 => "active-text",
        8 => "all",
        11 => "apdu-timeout",
        12 => "application-software-version",
        22 => "cov-increment",
        28 => "description",
        30 => "device-address-binding",
        36 => "event-state",
        44 => "firmware-revision",
        45 => "high-limit",
        46 => "inactive-text",
        56 => "local-date",
        57 => "local-time",
        58 => "location",
        59 => "low-limit",
        62 => "max-apdu-length-accepted",
        70 => "model-name",
        74 => "number-of-states",
        75 => "object-identifier",
        76 => "object-list",
        77 => "object-name",
        79 => "object-type",
        81 => "out-of-service",
        84 => "polarity",
        85 => "present-value",
        87 => "priority-array",
        97 => "protocol-services-supported",
        98 => "protocol-version",
        103 => "reliability",
        104 => "relinquish-default",
        107 => "segmentation-supported",
        110 => "state-text",
        111 => "status-flags",
        112 => "system-status",
        117 => "units",
        120 => "vendor-identifier",
        121 => "vendor-name",
        123 => "weekly-schedule",
        139 => "protocol-revision",
        152 => "active-cov-subscriptions",
        155 => "database-revision",
        _ => return format!("unknown-{number}"),
    };
    name.to_owned()
}
