//! Numbers of SMB by name, as MS-CIFS, MS-SMB2 and MS-ERREF define and Zeek writes them.

/// SMB1 commands (MS-CIFS 2.2.2.1).
pub fn command1(number: u8) -> String {
    let name = match number {
        0x00 => "CREATE_DIRECTORY",
        0x01 => "DELETE_DIRECTORY",
        0x02 => "OPEN",
        0x03 => "CREATE",
        0x04 => "CLOSE",
        0x05 => "FLUSH",
        0x06 => "DELETE",
        0x07 => "RENAME",
        0x08 => "QUERY_INFORMATION",
        0x09 => "SET_INFORMATION",
        0x0a => "READ",
        0x0b => "WRITE",
        0x0c => "LOCK_BYTE_RANGE",
        0x0d => "UNLOCK_BYTE_RANGE",
        0x0e => "CREATE_TEMPORARY",
        0x0f => "CREATE_NEW",
        0x10 => "CHECK_DIRECTORY",
        0x11 => "PROCESS_EXIT",
        0x12 => "SEEK",
        0x13 => "LOCK_AND_READ",
        0x14 => "WRITE_AND_UNLOCK",
        0x1a => "READ_RAW",
        0x1b => "READ_MPX",
        0x1d => "WRITE_RAW",
        0x1e => "WRITE_MPX",
        0x22 => "SET_INFORMATION2",
        0x23 => "QUERY_INFORMATION2",
        0x24 => "LOCKING_ANDX",
        0x25 => "TRANSACTION",
        0x26 => "TRANSACTION_SECONDARY",
        0x27 => "IOCTL",
        0x2b => "ECHO",
        0x2c => "WRITE_AND_CLOSE",
        0x2d => "OPEN_ANDX",
        0x2e => "READ_ANDX",
        0x2f => "WRITE_ANDX",
        0x31 => "CLOSE_AND_TREE_DISC",
        0x32 => "TRANSACTION2",
        0x33 => "TRANSACTION2_SECONDARY",
        0x34 => "FIND_CLOSE2",
        0x70 => "TREE_CONNECT",
        0x71 => "TREE_DISCONNECT",
        0x72 => "NEGOTIATE",
        0x73 => "SESSION_SETUP_ANDX",
        0x74 => "LOGOFF_ANDX",
        0x75 => "TREE_CONNECT_ANDX",
        0x80 => "QUERY_INFORMATION_DISK",
        0x81 => "SEARCH",
        0x82 => "FIND",
        0xa0 => "NT_TRANSACT",
        0xa1 => "NT_TRANSACT_SECONDARY",
        0xa2 => "NT_CREATE_ANDX",
        0xa4 => "NT_CANCEL",
        0xa5 => "NT_RENAME",
        0xc0 => "OPEN_PRINT_FILE",
        0xc1 => "WRITE_PRINT_FILE",
        0xc2 => "CLOSE_PRINT_FILE",
        other => return format!("unknown-{other}"),
    };
    name.to_owned()
}

/// SMB2 commands (MS-SMB2 2.2.1.2).
pub fn command2(number: u16) -> String {
    const NAMES: [&str; 19] = [
        "NEGOTIATE_PROTOCOL",
        "SESSION_SETUP",
        "LOGOFF",
        "TREE_CONNECT",
        "TREE_DISCONNECT",
        "CREATE",
        "CLOSE",
        "FLUSH",
        "READ",
        "WRITE",
        "LOCK",
        "IOCTL",
        "CANCEL",
        "ECHO",
        "QUERY_DIRECTORY",
        "CHANGE_NOTIFY",
        "QUERY_INFO",
        "SET_INFO",
        "OPLOCK_BREAK",
    ];
    NAMES.get(usize::from(number)).map_or_else(|| format!("unknown-{number}"), |&name| name.to_owned())
}

/// SMB2 dialects (MS-SMB2 2.2.4).
pub fn dialect2(revision: u16) -> String {
    match revision {
        0x0202 => "2.0.2".into(),
        0x0210 => "2.1".into(),
        0x02ff => "2.1+".into(),
        0x0300 => "3.0".into(),
        0x0302 => "3.0.2".into(),
        0x0311 => "3.1.1".into(),
        other => format!("unknown-{other}"),
    }
}

/// SMB2 share types (MS-SMB2 2.2.10).
pub fn share_type2(number: u8) -> String {
    match number {
        1 => "DISK".into(),
        2 => "PIPE".into(),
        3 => "PRINT".into(),
        other => format!("unknown-{other}"),
    }
}

/// What to do if the file is there or not (MS-SMB2 2.2.13).
pub fn disposition(number: u32) -> Option<&'static str> {
    ["SUPERSEDE", "OPEN", "CREATE", "OPEN_IF", "OVERWRITE", "OVERWRITE_IF"].get(usize::try_from(number).ok()?).copied()
}

/// Functions of TRANSACTION2 (MS-CIFS 2.2.2.2).
pub fn trans2(number: u16) -> String {
    let name = match number {
        0x00 => "OPEN2",
        0x01 => "FIND_FIRST2",
        0x02 => "FIND_NEXT2",
        0x03 => "QUERY_FS_INFORMATION",
        0x04 => "SET_FS_INFORMATION",
        0x05 => "QUERY_PATH_INFORMATION",
        0x06 => "SET_PATH_INFORMATION",
        0x07 => "QUERY_FILE_INFORMATION",
        0x08 => "SET_FILE_INFORMATION",
        0x09 => "FSCTL",
        0x0a => "IOCTL",
        0x0b => "FIND_NOTIFY_FIRST",
        0x0c => "FIND_NOTIFY_NEXT",
        0x0d => "CREATE_DIRECTORY",
        0x0e => "SESSION_SETUP",
        0x10 => "GET_DFS_REFERRAL",
        0x11 => "REPORT_DFS_INCONSISTENCY",
        other => return format!("unknown-trans2-sub-cmd-{other}"),
    };
    name.to_owned()
}

/// Functions of TRANSACTION (MS-CIFS 2.2.2.2).
pub fn trans(number: u16) -> String {
    let name = match number {
        0x01 => "SET_NMPIPE_STATE",
        0x11 => "RAW_READ_NMPIPE",
        0x21 => "QUERY_NMPIPE_STATE",
        0x22 => "QUERY_NMPIPE_INFO",
        0x23 => "PEEK_NMPIPE",
        0x26 => "TRANSACT_NMPIPE",
        0x31 => "RAW_WRITE_NMPIPE",
        0x36 => "READ_NMPIPE",
        0x37 => "WRITE_NMPIPE",
        0x53 => "WAIT_NMPIPE",
        0x54 => "CALL_NMPIPE",
        other => return format!("unknown-trans-sub-cmd-{other}"),
    };
    name.to_owned()
}

/// Functions of NT_TRANSACT (MS-CIFS 2.2.2.2).
pub fn nt_transact(number: u16) -> String {
    let name = match number {
        1 => "CREATE",
        2 => "IOCTL",
        3 => "SET_SECURITY_DESC",
        4 => "NOTIFY_CHANGE",
        5 => "RENAME",
        6 => "QUERY_SECURITY_DESC",
        7 => "GET_USER_QUOTA",
        8 => "SET_USER_QUOTA",
        other => return format!("unknown-{other}"),
    };
    name.to_owned()
}

/// Control codes that say something (MS-SMB2 2.2.31, MS-FSCC 2.3).
pub fn ioctl(code: u32) -> String {
    let name = match code {
        0x0006_0194 => "DFS_GET_REFERRALS",
        0x0006_01b0 => "DFS_GET_REFERRALS_EX",
        0x0011_400c => "PIPE_PEEK",
        0x0011_0018 => "PIPE_WAIT",
        0x0011_c017 => "PIPE_TRANSCEIVE",
        0x0014_4064 => "SRV_ENUMERATE_SNAPSHOTS",
        0x0014_40f2 => "SRV_COPYCHUNK",
        0x0014_80f2 => "SRV_COPYCHUNK_WRITE",
        0x0014_0078 => "SRV_REQUEST_RESUME_KEY",
        0x0014_01fc => "QUERY_NETWORK_INTERFACE_INFO",
        0x0014_0204 => "VALIDATE_NEGOTIATE_INFO",
        0x0009_00a4 => "SET_REPARSE_POINT",
        other => return format!("unknown-{other:#010x}"),
    };
    name.to_owned()
}

/// NT status codes that servers send, without their prefix (MS-ERREF 2.3.1); `unknown-N` for others.
pub fn status(code: u32) -> String {
    let known = STATUSES.binary_search_by_key(&code, |(number, _)| *number).ok().and_then(|at| STATUSES.get(at));
    known.map_or_else(|| format!("unknown-{code}"), |(_, name)| (*name).to_owned())
}

/// In order of their numbers.
const STATUSES: &[(u32, &str)] = &[
    (0x0000_0000, "SUCCESS"),
    (0x0000_0102, "TIMEOUT"),
    (0x0000_0103, "PENDING"),
    (0x0000_0105, "MORE_ENTRIES"),
    (0x0000_0107, "SOME_NOT_MAPPED"),
    (0x0000_010b, "NOTIFY_CLEANUP"),
    (0x0000_010c, "NOTIFY_ENUM_DIR"),
    (0x8000_0005, "BUFFER_OVERFLOW"),
    (0x8000_0006, "NO_MORE_FILES"),
    (0x8000_000d, "PARTIAL_COPY"),
    (0x8000_001a, "NO_MORE_ENTRIES"),
    (0x8000_002d, "STOPPED_ON_SYMLINK"),
    (0xc000_0001, "UNSUCCESSFUL"),
    (0xc000_0002, "NOT_IMPLEMENTED"),
    (0xc000_0003, "INVALID_INFO_CLASS"),
    (0xc000_0004, "INFO_LENGTH_MISMATCH"),
    (0xc000_0008, "INVALID_HANDLE"),
    (0xc000_000d, "INVALID_PARAMETER"),
    (0xc000_000f, "NO_SUCH_FILE"),
    (0xc000_0010, "INVALID_DEVICE_REQUEST"),
    (0xc000_0011, "END_OF_FILE"),
    (0xc000_0016, "MORE_PROCESSING_REQUIRED"),
    (0xc000_001e, "INVALID_LOCK_SEQUENCE"),
    (0xc000_0022, "ACCESS_DENIED"),
    (0xc000_0023, "BUFFER_TOO_SMALL"),
    (0xc000_0024, "OBJECT_TYPE_MISMATCH"),
    (0xc000_0033, "OBJECT_NAME_INVALID"),
    (0xc000_0034, "OBJECT_NAME_NOT_FOUND"),
    (0xc000_0035, "OBJECT_NAME_COLLISION"),
    (0xc000_0039, "OBJECT_PATH_INVALID"),
    (0xc000_003a, "OBJECT_PATH_NOT_FOUND"),
    (0xc000_003b, "OBJECT_PATH_SYNTAX_BAD"),
    (0xc000_0043, "SHARING_VIOLATION"),
    (0xc000_004f, "EAS_NOT_SUPPORTED"),
    (0xc000_0051, "NONEXISTENT_EA_ENTRY"),
    (0xc000_0054, "FILE_LOCK_CONFLICT"),
    (0xc000_0055, "LOCK_NOT_GRANTED"),
    (0xc000_0056, "DELETE_PENDING"),
    (0xc000_0061, "PRIVILEGE_NOT_HELD"),
    (0xc000_0064, "NO_SUCH_USER"),
    (0xc000_006a, "WRONG_PASSWORD"),
    (0xc000_006d, "LOGON_FAILURE"),
    (0xc000_006e, "ACCOUNT_RESTRICTION"),
    (0xc000_006f, "INVALID_LOGON_HOURS"),
    (0xc000_0070, "INVALID_WORKSTATION"),
    (0xc000_0071, "PASSWORD_EXPIRED"),
    (0xc000_0072, "ACCOUNT_DISABLED"),
    (0xc000_007a, "PROCEDURE_NOT_FOUND"),
    (0xc000_007e, "RANGE_NOT_LOCKED"),
    (0xc000_007f, "DISK_FULL"),
    (0xc000_009a, "INSUFFICIENT_RESOURCES"),
    (0xc000_00a3, "DEVICE_NOT_READY"),
    (0xc000_00ab, "INSTANCE_NOT_AVAILABLE"),
    (0xc000_00ac, "PIPE_NOT_AVAILABLE"),
    (0xc000_00ad, "INVALID_PIPE_STATE"),
    (0xc000_00ae, "PIPE_BUSY"),
    (0xc000_00b0, "PIPE_DISCONNECTED"),
    (0xc000_00b1, "PIPE_CLOSING"),
    (0xc000_00b5, "IO_TIMEOUT"),
    (0xc000_00ba, "FILE_IS_A_DIRECTORY"),
    (0xc000_00bb, "NOT_SUPPORTED"),
    (0xc000_00c9, "NETWORK_NAME_DELETED"),
    (0xc000_00ca, "NETWORK_ACCESS_DENIED"),
    (0xc000_00cb, "BAD_DEVICE_TYPE"),
    (0xc000_00cc, "BAD_NETWORK_NAME"),
    (0xc000_00d0, "REQUEST_NOT_ACCEPTED"),
    (0xc000_00d4, "NOT_SAME_DEVICE"),
    (0xc000_0101, "DIRECTORY_NOT_EMPTY"),
    (0xc000_0103, "NOT_A_DIRECTORY"),
    (0xc000_0120, "CANCELLED"),
    (0xc000_0121, "CANNOT_DELETE"),
    (0xc000_0123, "FILE_DELETED"),
    (0xc000_0128, "FILE_CLOSED"),
    (0xc000_0133, "TIME_DIFFERENCE_AT_DC"),
    (0xc000_0148, "INVALID_LEVEL"),
    (0xc000_014b, "PIPE_BROKEN"),
    (0xc000_015b, "LOGON_TYPE_NOT_GRANTED"),
    (0xc000_018b, "NO_TRUST_SAM_ACCOUNT"),
    (0xc000_018d, "TRUSTED_RELATIONSHIP_FAILURE"),
    (0xc000_0190, "TRUST_FAILURE"),
    (0xc000_0192, "NETLOGON_NOT_STARTED"),
    (0xc000_0193, "ACCOUNT_EXPIRED"),
    (0xc000_0199, "NOLOGON_WORKSTATION_TRUST_ACCOUNT"),
    (0xc000_0203, "USER_SESSION_DELETED"),
    (0xc000_0205, "INSUFF_SERVER_RESOURCES"),
    (0xc000_0224, "PASSWORD_MUST_CHANGE"),
    (0xc000_0225, "NOT_FOUND"),
    (0xc000_0234, "ACCOUNT_LOCKED_OUT"),
    (0xc000_0257, "PATH_NOT_COVERED"),
    (0xc000_0275, "NOT_A_REPARSE_POINT"),
    (0xc000_035c, "NETWORK_SESSION_EXPIRED"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_stand_in_the_order_in_which_they_are_searched() {
        assert!(STATUSES.is_sorted_by(|(a, _), (b, _)| a < b));
        assert_eq!(status(0xc000_006d), "LOGON_FAILURE");
        assert_eq!(status(7), "unknown-7");
    }
}
