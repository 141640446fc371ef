//! Remote procedure calls of ONC (RFC 5531), the network file system among them.

/// What every call has, whatever it asks for: who calls, and how it went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RpcCall {
    /// Transaction.
    pub xid: u32,
    /// How the call itself went, in Zeek's words; `None` without a reply.
    pub status: Option<&'static str>,
    /// Flavour of the credential.
    pub auth: Option<String>,
    /// Name that the caller's machine gives itself.
    pub machine_name: Option<String>,
    /// User on that machine.
    pub uid: Option<u32>,
    /// Group on that machine.
    pub gid: Option<u32>,
    /// Seconds from call to reply.
    pub rtt: Option<f64>,
    /// Sent by the originator of the flow.
    pub is_orig: bool,
    /// Frame of the reply.
    pub reply_frame: Option<u64>,
}

/// An RPC call with its reply, or either alone: all programs but NFS.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rpc {
    /// The call itself.
    pub call: RpcCall,
    /// Program by number; `None` where replies alone were seen.
    pub program_number: Option<u32>,
    /// Its name, if it has one.
    pub program: Option<&'static str>,
    /// Version of the program.
    pub version: Option<u32>,
    /// Procedure by name, else `proc-` and its number.
    pub procedure: Option<String>,
    /// Port mapper: the program that was asked for, set or called.
    pub asked_program: Option<u32>,
    /// Its name, if it has one.
    pub asked_name: Option<&'static str>,
    /// Its version.
    pub asked_version: Option<u32>,
    /// Transport asked for, or told: `tcp`, `udp6` …
    pub asked_proto: Option<String>,
    /// Its port, as the port mapper answers or is told.
    pub port: Option<u32>,
    /// The same as a universal address (rpcbind).
    pub address: Option<String>,
    /// Mount: the directory.
    pub path: Option<String>,
    /// What a listing has, at most 64 entries.
    pub entries: Vec<String>,
    /// Mount: the handle of the directory, as in `nfs.file_handle`.
    pub file_handle: Option<String>,
    /// What the program answers: `MNT3_OK`, `MNT3ERR_ACCES` …
    pub status: Option<String>,
    /// Messages that the row stands for: 1, or all replies whose calls were not seen.
    pub messages: u64,
}

/// An NFS call with its reply, or several calls that differ in nothing but time and offset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nfs {
    /// The call itself; of several the first, with the last reply.
    pub call: RpcCall,
    /// Version: 2, 3, 4.
    pub version: u32,
    /// Minor version of version 4.
    pub minor_version: Option<u32>,
    /// Procedure; of version 4 the operation that matters most.
    pub procedure: String,
    /// Version 4: all operations in order, at most 64.
    pub operations: Vec<String>,
    /// Version 4: the client's word for the call.
    pub tag: Option<String>,
    /// Name that it is about, within a directory.
    pub file_name: Option<String>,
    /// RENAME and LINK: the new name; SYMLINK and READLINK: where it leads.
    pub file_to: Option<String>,
    /// Path as far as calls of the flow tell it.
    pub path: Option<String>,
    /// CRC-32 of the handle, hex, as Wireshark and Suricata have it.
    pub file_handle: Option<String>,
    /// READ and WRITE: where it begins.
    pub offset: Option<u64>,
    /// READ and WRITE: bytes.
    pub bytes: Option<u64>,
    /// What the server answers.
    pub status: Option<String>,
    /// Calls that the row stands for.
    pub calls: u64,
    /// Seconds from the first of them to the last.
    pub duration: f64,
}
