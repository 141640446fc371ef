//! Programs by number (IANA, "Remote Procedure Call (RPC) Program Numbers") and their procedures by name.

/// Port mapper, rpcbind.
pub const PORTMAPPER: u32 = 100_000;
/// Network file system.
pub const NFS: u32 = 100_003;
/// Mount daemon.
pub const MOUNT: u32 = 100_005;
/// Access control lists of NFS.
pub const NFS_ACL: u32 = 100_227;
/// The first of the transient numbers: what NFS 4 servers call back.
pub const NFS_CALLBACK: u32 = 0x4000_0000;

/// Zeek's name of a call that was carried out.
pub const SUCCESS: &str = "RPC_SUCCESS";

/// Numbers from here on are reserved (RFC 5531 8.4).
const RESERVED: u32 = 0x6000_0000;
/// Versions and procedures that programs out of the registry stay below.
const VERSION_MAX: u32 = 0xff;
const PROCEDURE_MAX: u32 = 0x3ff;

const PROGRAMS: &[(u32, &str)] = &[
    (PORTMAPPER, "portmapper"),
    (100_001, "rstatd"),
    (100_002, "rusersd"),
    (NFS, "nfs"),
    (100_004, "ypserv"),
    (MOUNT, "mount"),
    (100_006, "remote_dbx"),
    (100_007, "ypbind"),
    (100_008, "walld"),
    (100_009, "yppasswdd"),
    (100_010, "etherstatd"),
    (100_011, "rquotad"),
    (100_012, "sprayd"),
    (100_013, "3270_mapper"),
    (100_014, "rje_mapper"),
    (100_015, "selection_svc"),
    (100_016, "database_svc"),
    (100_017, "rexd"),
    (100_018, "alis"),
    (100_019, "sched"),
    (100_020, "llockmgr"),
    (100_021, "nlockmgr"),
    (100_022, "x25_inr"),
    (100_023, "statmon"),
    (100_024, "status"),
    (100_026, "bootparam"),
    (100_028, "ypupdated"),
    (100_029, "keyserv"),
    (100_037, "tfsd"),
    (100_038, "nsed"),
    (100_039, "nsemntd"),
    (100_068, "cmsd"),
    (100_069, "ypxfrd"),
    (100_071, "bugtraqd"),
    (100_078, "kerbd"),
    (100_083, "ttdbserverd"),
    (100_101, "event"),
    (100_102, "logger"),
    (100_104, "sync"),
    (100_133, "nsm_addrand"),
    (100_221, "kcms_server"),
    (NFS_ACL, "nfs_acl"),
    (100_229, "metad"),
    (100_230, "metamhd"),
    (100_232, "sadmind"),
    (100_233, "ufsd"),
    (100_235, "cachefsd"),
    (100_249, "snmpXdmid"),
    (100_300, "nisd"),
    (100_303, "nispasswdd"),
    (150_001, "pcnfsd"),
    (300_019, "amd"),
    (300_598, "dmispd"),
    (390_103, "nsrd"),
    (390_109, "nsrstatd"),
    (390_113, "nsrexecd"),
    (391_002, "sgi_fam"),
    (395_183, "vxi11_core"),
    (395_184, "vxi11_async"),
    (395_185, "vxi11_intr"),
    (545_580_417, "bwnfsd"),
    (NFS_CALLBACK, "nfs_callback"),
];

/// Name of a program.
pub fn name(program: u32) -> Option<&'static str> {
    let at = PROGRAMS.binary_search_by_key(&program, |(number, _)| *number).ok()?;
    PROGRAMS.get(at).map(|(_, name)| *name)
}

/// Programs that are met everywhere: their number is proof where little else is there.
pub fn is_common(program: u32) -> bool {
    matches!(program, PORTMAPPER | NFS | MOUNT | 100_021 | 100_024 | NFS_ACL)
}

/// Whether there can be such a call.
pub fn possible(program: u32, version: u32, procedure: u32) -> bool {
    match program {
        PORTMAPPER => (1..=4).contains(&version) && procedure <= 12,
        NFS => version <= 4 && procedure <= 21,
        MOUNT => version <= 3 && procedure <= 7,
        _ => (100_000..RESERVED).contains(&program) && version <= VERSION_MAX && procedure <= PROCEDURE_MAX,
    }
}

/// What became of a call that was accepted, in Zeek's words (RFC 5531 9, accept_stat).
pub fn accepted(status: u32) -> Option<&'static str> {
    Some(match status {
        0 => SUCCESS,
        1 => "RPC_PROG_UNAVAIL",
        2 => "RPC_PROG_MISMATCH",
        3 => "RPC_PROC_UNAVAIL",
        4 => "RPC_GARBAGE_ARGS",
        5 => "RPC_SYSTEM_ERR",
        _ => return None,
    })
}

/// Why a call was denied (reject_stat).
pub fn denied(why: u32) -> Option<&'static str> {
    match why {
        0 => Some("RPC_VERS_MISMATCH"),
        1 => Some("RPC_AUTH_ERROR"),
        _ => None,
    }
}

/// Name of a procedure, or `proc-` and its number.
pub fn procedure(program: u32, version: u32, number: u32) -> String {
    let names: &[&str] = match (program, version) {
        _ if number == 0 => &["NULL"],
        (PORTMAPPER, ..=2) => &["NULL", "SET", "UNSET", "GETPORT", "DUMP", "CALLIT"],
        (PORTMAPPER, 3) => &["NULL", "SET", "UNSET", "GETADDR", "DUMP", "CALLIT", "GETTIME", "UADDR2TADDR", "TADDR2UADDR"],
        (PORTMAPPER, _) => &[
            "NULL",
            "SET",
            "UNSET",
            "GETADDR",
            "DUMP",
            "BCAST",
            "GETTIME",
            "UADDR2TADDR",
            "TADDR2UADDR",
            "GETVERSADDR",
            "INDIRECT",
            "GETADDRLIST",
            "GETSTAT",
        ],
        (MOUNT, _) => &["NULL", "MNT", "DUMP", "UMNT", "UMNTALL", "EXPORT", "EXPORTALL", "PATHCONF"],
        (NFS_ACL, _) => &["NULL", "GETACL", "SETACL", "GETATTR", "ACCESS", "GETXATTRDIR"],
        (NFS_CALLBACK, _) => &["NULL", "CB_COMPOUND"],
        (100_021, _) => &["NULL", "TEST", "LOCK", "CANCEL", "UNLOCK", "GRANTED"],
        (100_024, _) => &["NULL", "STAT", "MON", "UNMON", "UNMON_ALL", "SIMU_CRASH", "NOTIFY"],
        _ => &[],
    };
    let name = usize::try_from(number).ok().and_then(|at| names.get(at));
    name.map_or_else(|| format!("proc-{number}"), |&name| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_stand_in_order_of_their_numbers() {
        assert!(PROGRAMS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!((name(100_232), name(1)), (Some("sadmind"), None));
    }

    #[test]
    fn procedures_have_names_where_they_are_known() {
        let named = [procedure(PORTMAPPER, 2, 3), procedure(PORTMAPPER, 4, 11), procedure(MOUNT, 3, 5), procedure(100_004, 2, 3)];
        assert_eq!(named, ["GETPORT", "GETADDRLIST", "EXPORT", "proc-3"]);
    }
}
