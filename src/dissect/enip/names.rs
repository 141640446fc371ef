//! Commands, services, classes and statuses by their names in the ODVA's volumes 1 and 2.

pub(super) fn command(code: u16) -> Option<&'static str> {
    Some(match code {
        0x0000 => "NOP",
        0x0004 => "List Services",
        0x0063 => "List Identity",
        0x0064 => "List Interfaces",
        0x0065 => "Register Session",
        0x0066 => "Unregister Session",
        0x006f => "Send RR Data",
        0x0070 => "Send Unit Data",
        0x0072 => "Indicate Status",
        0x0073 => "Cancel",
        _ => return None,
    })
}

pub(super) fn status(code: u32) -> String {
    let name = match code {
        0x00 => "Success",
        0x01 => "Invalid or Unsupported Command",
        0x02 => "Insufficient Memory",
        0x03 => "Incorrect Data",
        0x64 => "Invalid Session Handle",
        0x65 => "Invalid Length",
        0x69 => "Unsupported Protocol Version",
        _ => return format!("unknown-{code}"),
    };
    name.to_owned()
}

/// Services that all classes share, then those of single classes and of Rockwell's controllers.
pub(super) fn service(code: u8, class: Option<u32>) -> String {
    let name = match (code, class) {
        (0x01, _) => "Get Attributes All",
        (0x02, _) => "Set Attributes All",
        (0x03, _) => "Get Attribute List",
        (0x04, _) => "Set Attribute List",
        (0x05, _) => "Reset",
        (0x06, _) => "Start",
        (0x07, _) => "Stop",
        (0x08, _) => "Create",
        (0x09, _) => "Delete",
        (0x0a, _) => "Multiple Service Packet",
        (0x0d, _) => "Apply Attributes",
        (0x0e, _) => "Get Attribute Single",
        (0x10, _) => "Set Attribute Single",
        (0x11, _) => "Find Next Object Instance",
        (0x15, _) => "Restore",
        (0x16, _) => "Save",
        (0x17, _) => "No Operation",
        (0x18, _) => "Get Member",
        (0x19, _) => "Set Member",
        (0x1a, _) => "Insert Member",
        (0x1b, _) => "Remove Member",
        (0x1c, _) => "Group Sync",
        (0x4b, Some(0x67)) => "Execute PCCC",
        (0x4c, _) => "Read Tag",
        (0x4d, _) => "Write Tag",
        (0x4e, Some(6)) => "Forward Close",
        (0x4e, _) => "Read Modify Write Tag",
        (0x52, Some(6)) => "Unconnected Send",
        (0x52, _) => "Read Tag Fragmented",
        (0x53, _) => "Write Tag Fragmented",
        (0x54, _) => "Forward Open",
        (0x55, _) => "Get Instance Attribute List",
        (0x56, _) => "Get Connection Data",
        (0x57, _) => "Search Connection Data",
        (0x5a, _) => "Get Connection Owner",
        (0x5b, _) => "Large Forward Open",
        _ => return format!("unknown-{code}"),
    };
    name.to_owned()
}

/// Whether a service changes the device.
pub(super) fn writes(code: u8, class: Option<u32>) -> bool {
    matches!(code, 0x02 | 0x04..=0x09 | 0x0d | 0x10 | 0x15 | 0x16 | 0x19..=0x1b | 0x4d | 0x53) || (code == 0x4e && class != Some(6))
}

pub(super) fn class(id: u32) -> Option<&'static str> {
    Some(match id {
        0x01 => "Identity",
        0x02 => "Message Router",
        0x03 => "DeviceNet",
        0x04 => "Assembly",
        0x05 => "Connection",
        0x06 => "Connection Manager",
        0x07 => "Register",
        0x0f => "Parameter",
        0x37 => "File",
        0x43 => "Time Sync",
        0x5d => "Security",
        0x5e => "EtherNet/IP Security",
        0x5f => "Certificate Management",
        0x64 => "Program Name",
        0x67 => "PCCC",
        0x68 => "Program",
        0x6b => "Symbol",
        0x6c => "Template",
        0x70 => "Task",
        0x8b => "Wall Clock Time",
        0x8e => "Controller",
        0xac => "Controller Info",
        0xf4 => "Port",
        0xf5 => "TCP/IP Interface",
        0xf6 => "Ethernet Link",
        _ => return None,
    })
}

pub(super) fn general_status(code: u8) -> String {
    let name = match code {
        0x00 => "Success",
        0x01 => "Connection Failure",
        0x02 => "Resource Unavailable",
        0x03 => "Invalid Parameter Value",
        0x04 => "Path Segment Error",
        0x05 => "Path Destination Unknown",
        0x06 => "Partial Transfer",
        0x07 => "Connection Lost",
        0x08 => "Service Not Supported",
        0x09 => "Invalid Attribute Value",
        0x0a => "Attribute List Error",
        0x0b => "Already In Requested Mode",
        0x0c => "Object State Conflict",
        0x0d => "Object Already Exists",
        0x0e => "Attribute Not Settable",
        0x0f => "Privilege Violation",
        0x10 => "Device State Conflict",
        0x11 => "Reply Data Too Large",
        0x13 => "Not Enough Data",
        0x14 => "Attribute Not Supported",
        0x15 => "Too Much Data",
        0x16 => "Object Does Not Exist",
        0x1c => "Missing Attribute List Entry Data",
        0x1e => "Embedded Service Error",
        0x1f => "Vendor Specific Error",
        0x20 => "Invalid Parameter",
        0x26 => "Path Size Invalid",
        _ => return format!("unknown-{code}"),
    };
    name.to_owned()
}
