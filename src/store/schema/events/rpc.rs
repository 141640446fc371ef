//! `rpc`, `nfs`

use super::{EventRow, place};
use crate::model::event::{Nfs, Rpc, RpcCall};
use crate::store::column::{Columns, filled};

/// `rpc`
pub fn rpc<'a>() -> Columns<EventRow<'a, Rpc>> {
    let asked = place()
        .big("xid", "Transaction.", |r: &EventRow<'_, Rpc>| r.call.xid)
        .text("program", "Program by name (IANA); NULL where it has none.", |r| r.program)
        .big("program_number", "Its number; NULL where replies alone were seen.", |r| r.program_number)
        .big("version", "Its version.", |r| r.version)
        .text("procedure", "`GETPORT`, `MNT` …, else `proc-` and the number.", |r| r.procedure.as_deref())
        .text("asked_program", "Port mapper: program that was asked for, registered or called.", |r| r.asked_name)
        .big("asked_program_number", "Its number.", |r| r.asked_program)
        .big("asked_version", "Its version.", |r| r.asked_version)
        .text("asked_proto", "Its transport: `tcp`, `udp6` …", |r| r.asked_proto.as_deref())
        .int("port", "Its port, as answered or registered; 0: it is not there.", |r| r.port)
        .text("address", "The same as a universal address (rpcbind).", |r| r.address.as_deref())
        .text("path", "Mount: directory asked for.", |r| r.path.as_deref())
        .text("file_handle", "Mount: its handle, as in `nfs.file_handle`.", |r| r.file_handle.as_deref())
        .texts(
            "entries",
            "What a listing has, at most 64: programs with ports, mounted directories, exports with who may mount them.",
            |r| &r.entries,
        )
        .text("status", "What the program answers: `MNT3_OK`, `MNT3ERR_ACCES`, `true` …", |r| r.status.as_deref());
    called(asked, |r| &r.call).big("messages", "1, or how many replies to calls that were not seen.", |r| r.messages)
}

/// `nfs`
pub fn nfs<'a>() -> Columns<EventRow<'a, Nfs>> {
    let asked = place()
        .big("xid", "Transaction of the first call.", |r: &EventRow<'_, Nfs>| r.call.xid)
        .int("version", "2, 3, 4.", |r| r.version)
        .int("minor_version", "Minor version of version 4.", |r| r.minor_version)
        .text("procedure", "`LOOKUP`, `READ` …; of version 4 the operation that matters most.", |r| filled(&r.procedure))
        .texts("operations", "Version 4: operations of the call in order, at most 64.", |r| &r.operations)
        .text("tag", "Version 4: the client's word for the call.", |r| r.tag.as_deref())
        .text("file_name", "Name within a directory.", |r| r.file_name.as_deref())
        .text("file_to", "RENAME and LINK: new name, with its path if that is in another directory; SYMLINK and READLINK: where it leads.", |r| {
            r.file_to.as_deref()
        })
        .text(
            "path",
            "Where the file lies, as far as calls of this flow tell: below the server's root (it begins with a slash), or below a directory whose own name was not seen.",
            |r| r.path.as_deref().and_then(filled),
        )
        .text("file_handle", "CRC-32, hex, of the handle called on, a directory's where there is a name: as Wireshark and Suricata have it.", |r| {
            r.file_handle.as_deref()
        })
        .big("file_offset", "READ and WRITE: first byte.", |r| r.offset)
        .big("bytes", "READ and WRITE: bytes of all calls, as answered; as asked where no answer was seen.", |r| r.bytes)
        .text("status", "What the server answers: `NFS3_OK`, `NFS4ERR_ACCESS` …", |r| r.status.as_deref());
    called(asked, |r| &r.call).big("calls", "Calls that the row stands for.", |r| r.calls).double(
        "duration",
        "Seconds from the first of them to the last.",
        |r| r.duration,
    )
}

/// What every call has.
fn called<'a, E: 'static>(asked: Columns<EventRow<'a, E>>, call: fn(&E) -> &RpcCall) -> Columns<EventRow<'a, E>> {
    asked
        .text("rpc_status", "How the call went, in Zeek's words: `RPC_SUCCESS` …; NULL without a reply.", move |r| call(r.is).status)
        .text("auth", "Credential: `AUTH_SYS`, `RPCSEC_GSS` …", move |r| call(r.is).auth.as_deref())
        .text("machine_name", "Name that the caller's machine gives itself; nobody checks.", move |r| call(r.is).machine_name.as_deref())
        .big("uid", "User on that machine; nobody checks.", move |r| call(r.is).uid)
        .big("gid", "Group on that machine.", move |r| call(r.is).gid)
        .double("rtt", "Seconds from the (first) call to its reply.", move |r| call(r.is).rtt)
        .bool("is_orig", "The originator of the flow called.", move |r| call(r.is).is_orig)
        .big("reply_frame", "Frame of the (last) reply.", move |r| call(r.is).reply_frame)
}
