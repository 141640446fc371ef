//! Procedures, operations and statuses by name (RFC 1094, 1813, 7530, 8881, 7862, 8276).

const V2: [&str; 18] = [
    "NULL",
    "GETATTR",
    "SETATTR",
    "ROOT",
    "LOOKUP",
    "READLINK",
    "READ",
    "WRITECACHE",
    "WRITE",
    "CREATE",
    "REMOVE",
    "RENAME",
    "LINK",
    "SYMLINK",
    "MKDIR",
    "RMDIR",
    "READDIR",
    "STATFS",
];

const V3: [&str; 22] = [
    "NULL",
    "GETATTR",
    "SETATTR",
    "LOOKUP",
    "ACCESS",
    "READLINK",
    "READ",
    "WRITE",
    "CREATE",
    "MKDIR",
    "SYMLINK",
    "MKNOD",
    "REMOVE",
    "RMDIR",
    "RENAME",
    "LINK",
    "READDIR",
    "READDIRPLUS",
    "FSSTAT",
    "FSINFO",
    "PATHCONF",
    "COMMIT",
];

/// From number 3 on.
const OPERATIONS: [&str; 73] = [
    "ACCESS",
    "CLOSE",
    "COMMIT",
    "CREATE",
    "DELEGPURGE",
    "DELEGRETURN",
    "GETATTR",
    "GETFH",
    "LINK",
    "LOCK",
    "LOCKT",
    "LOCKU",
    "LOOKUP",
    "LOOKUPP",
    "NVERIFY",
    "OPEN",
    "OPENATTR",
    "OPEN_CONFIRM",
    "OPEN_DOWNGRADE",
    "PUTFH",
    "PUTPUBFH",
    "PUTROOTFH",
    "READ",
    "READDIR",
    "READLINK",
    "REMOVE",
    "RENAME",
    "RENEW",
    "RESTOREFH",
    "SAVEFH",
    "SECINFO",
    "SETATTR",
    "SETCLIENTID",
    "SETCLIENTID_CONFIRM",
    "VERIFY",
    "WRITE",
    "RELEASE_LOCKOWNER",
    "BACKCHANNEL_CTL",
    "BIND_CONN_TO_SESSION",
    "EXCHANGE_ID",
    "CREATE_SESSION",
    "DESTROY_SESSION",
    "FREE_STATEID",
    "GET_DIR_DELEGATION",
    "GETDEVICEINFO",
    "GETDEVICELIST",
    "LAYOUTCOMMIT",
    "LAYOUTGET",
    "LAYOUTRETURN",
    "SECINFO_NO_NAME",
    "SEQUENCE",
    "SET_SSV",
    "TEST_STATEID",
    "WANT_DELEGATION",
    "DESTROY_CLIENTID",
    "RECLAIM_COMPLETE",
    "ALLOCATE",
    "COPY",
    "COPY_NOTIFY",
    "DEALLOCATE",
    "IO_ADVISE",
    "LAYOUTERROR",
    "LAYOUTSTATS",
    "OFFLOAD_CANCEL",
    "OFFLOAD_STATUS",
    "READ_PLUS",
    "SEEK",
    "WRITE_SAME",
    "CLONE",
    "GETXATTR",
    "SETXATTR",
    "LISTXATTRS",
    "REMOVEXATTR",
];

/// Name of a procedure.
pub fn procedure(version: u32, number: u32) -> String {
    let names: &[&str] = match version {
        2 => &V2,
        3 => &V3,
        _ => &["NULL", "COMPOUND"],
    };
    usize::try_from(number).ok().and_then(|at| names.get(at)).map_or_else(|| format!("proc-{number}"), |&name| name.to_owned())
}

/// Name of an operation of version 4.
pub fn operation(number: u32) -> String {
    let at = number.checked_sub(3).and_then(|at| usize::try_from(at).ok());
    match at.and_then(|at| OPERATIONS.get(at)) {
        Some(&name) => name.to_owned(),
        None if number == 10_044 => "ILLEGAL".into(),
        None => format!("op-{number}"),
    }
}

/// Whether there is such an operation.
pub fn is_operation(number: u32) -> bool {
    (3..3 + OPERATIONS.len() as u32).contains(&number) || number == 10_044
}

/// Errors that all versions share, by number.
const ERRORS: &[(u32, &str)] = &[
    (1, "PERM"),
    (2, "NOENT"),
    (5, "IO"),
    (6, "NXIO"),
    (13, "ACCES"),
    (17, "EXIST"),
    (18, "XDEV"),
    (19, "NODEV"),
    (20, "NOTDIR"),
    (21, "ISDIR"),
    (22, "INVAL"),
    (27, "FBIG"),
    (28, "NOSPC"),
    (30, "ROFS"),
    (31, "MLINK"),
    (63, "NAMETOOLONG"),
    (66, "NOTEMPTY"),
    (69, "DQUOT"),
    (70, "STALE"),
    (71, "REMOTE"),
    (99, "WFLUSH"),
    (10_001, "BADHANDLE"),
    (10_002, "NOT_SYNC"),
    (10_003, "BAD_COOKIE"),
    (10_004, "NOTSUPP"),
    (10_005, "TOOSMALL"),
    (10_006, "SERVERFAULT"),
    (10_007, "BADTYPE"),
];

/// Errors of version 4 from 10008 on.
const ERRORS_4: [&str; 89] = [
    "DELAY",
    "SAME",
    "DENIED",
    "EXPIRED",
    "LOCKED",
    "GRACE",
    "FHEXPIRED",
    "SHARE_DENIED",
    "WRONGSEC",
    "CLID_INUSE",
    "RESOURCE",
    "MOVED",
    "NOFILEHANDLE",
    "MINOR_VERS_MISMATCH",
    "STALE_CLIENTID",
    "STALE_STATEID",
    "OLD_STATEID",
    "BAD_STATEID",
    "BAD_SEQID",
    "NOT_SAME",
    "LOCK_RANGE",
    "SYMLINK",
    "RESTOREFH",
    "LEASE_MOVED",
    "ATTRNOTSUPP",
    "NO_GRACE",
    "RECLAIM_BAD",
    "RECLAIM_CONFLICT",
    "BADXDR",
    "LOCKS_HELD",
    "OPENMODE",
    "BADOWNER",
    "BADCHAR",
    "BADNAME",
    "BAD_RANGE",
    "LOCK_NOTSUPP",
    "OP_ILLEGAL",
    "DEADLOCK",
    "FILE_OPEN",
    "ADMIN_REVOKED",
    "CB_PATH_DOWN",
    "BADIOMODE",
    "BADLAYOUT",
    "BAD_SESSION_DIGEST",
    "BADSESSION",
    "BADSLOT",
    "COMPLETE_ALREADY",
    "CONN_NOT_BOUND_TO_SESSION",
    "DELEG_ALREADY_WANTED",
    "BACK_CHAN_BUSY",
    "LAYOUTTRYLATER",
    "LAYOUTUNAVAILABLE",
    "NOMATCHING_LAYOUT",
    "RECALLCONFLICT",
    "UNKNOWN_LAYOUTTYPE",
    "SEQ_MISORDERED",
    "SEQUENCE_POS",
    "REQ_TOO_BIG",
    "REP_TOO_BIG",
    "REP_TOO_BIG_TO_CACHE",
    "RETRY_UNCACHED_REP",
    "UNSAFE_COMPOUND",
    "TOO_MANY_OPS",
    "OP_NOT_IN_SESSION",
    "HASH_ALG_UNSUPP",
    "10073",
    "CLIENTID_BUSY",
    "PNFS_IO_HOLE",
    "SEQ_FALSE_RETRY",
    "BAD_HIGH_SLOT",
    "DEADSESSION",
    "ENCR_ALG_UNSUPP",
    "PNFS_NO_LAYOUT",
    "NOT_ONLY_OP",
    "WRONG_CRED",
    "WRONG_TYPE",
    "DIRDELEG_UNAVAIL",
    "REJECT_DELEG",
    "RETURNCONFLICT",
    "DELEG_REVOKED",
    "PARTNER_NOTSUPP",
    "PARTNER_NO_AUTH",
    "UNION_NOTSUPP",
    "OFFLOAD_DENIED",
    "WRONG_LFS",
    "BADLABEL",
    "OFFLOAD_NO_REQS",
    "NOXATTR",
    "XATTR2BIG",
];

/// Name of a status, as the version's document has it.
pub fn status(version: u32, number: u32) -> String {
    let prefix = match version {
        2 => "NFS",
        3 => "NFS3",
        _ => "NFS4",
    };
    if number == 0 {
        return format!("{prefix}_OK");
    }
    let later = number.checked_sub(10_008).and_then(|at| usize::try_from(at).ok());
    let shared = ERRORS.iter().find(|(error, _)| *error == number).map(|(_, name)| *name);
    match (shared, later) {
        // It got its second S with version 4.
        (Some("ACCES"), _) if version == 4 => "NFS4ERR_ACCESS".into(),
        (Some(name), _) => format!("{prefix}ERR_{name}"),
        (None, Some(0)) if version == 3 => "NFS3ERR_JUKEBOX".into(),
        (None, Some(at)) if version == 4 => ERRORS_4.get(at).map_or_else(|| format!("NFS4ERR_{number}"), |name| format!("NFS4ERR_{name}")),
        _ => format!("{prefix}ERR_{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_documents() {
        assert_eq!(
            [operation(3), operation(38), operation(53), operation(75), operation(76)],
            ["ACCESS", "WRITE", "SEQUENCE", "REMOVEXATTR", "op-76"]
        );
        assert_eq!([procedure(2, 17), procedure(3, 21), procedure(4, 1), procedure(3, 22)], ["STATFS", "COMMIT", "COMPOUND", "proc-22"]);
        assert_eq!(
            [status(2, 2), status(3, 13), status(3, 10_008), status(4, 0)],
            ["NFSERR_NOENT", "NFS3ERR_ACCES", "NFS3ERR_JUKEBOX", "NFS4_OK"]
        );
        let late = [10_044, 10_052, 10_074, 10_082, 10_087, 10_096, 10_097];
        assert_eq!(
            late.map(|number| status(4, number)),
            [
                "NFS4ERR_OP_ILLEGAL",
                "NFS4ERR_BADSESSION",
                "NFS4ERR_CLIENTID_BUSY",
                "NFS4ERR_WRONG_CRED",
                "NFS4ERR_DELEG_REVOKED",
                "NFS4ERR_XATTR2BIG",
                "NFS4ERR_10097"
            ]
        );
    }
}
