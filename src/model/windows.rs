//! Events of Windows networks: SMB, DCE/RPC, NTLM.

use super::Ts;

/// A share that a client connected to (SMB1 TREE_CONNECT_ANDX, SMB2 TREE_CONNECT).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SmbMapping {
    /// `\\server\share` as the client wrote it.
    pub path: Option<String>,
    /// SMB1: `A:`, `IPC`, `LPT1:` …
    pub service: Option<String>,
    /// SMB1: file system as the server names it.
    pub native_file_system: Option<String>,
    /// `DISK`, `PIPE`, `PRINT`.
    pub share_type: Option<String>,
    /// What the server said: `SUCCESS`, `ACCESS_DENIED` …; `None` if its answer was not seen.
    pub status: Option<String>,
    /// `SMB1`, `SMB2`.
    pub version: &'static str,
    /// Dialect of the connection: `NT LM 0.12`, `2.1`, `3.1.1` …
    pub dialect: Option<String>,
    /// User of the session, if its login was seen.
    pub user: Option<String>,
    /// Session (SMB1: UID).
    pub session_id: u64,
    /// Tree (SMB1: TID).
    pub tree_id: u32,
    /// The server insists on signatures.
    pub signing_required: Option<bool>,
    /// The share insists on encryption.
    pub encrypt_data: Option<bool>,
}

/// Something done to a file or pipe: opened, renamed, deleted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SmbFile {
    /// `SMB::FILE_OPEN`, `SMB::FILE_RENAME`, `SMB::FILE_DELETE`, `SMB::PIPE_OPEN`, `SMB::PRINT_OPEN`
    pub action: &'static str,
    /// Share, if its connection was seen.
    pub path: Option<String>,
    /// Name within the share; `<share_root>` for the share itself.
    pub name: Option<String>,
    /// Size when it was opened, bytes.
    pub size: u64,
    /// Name before a rename.
    pub prev_name: Option<String>,
    /// Last write.
    pub modified: Option<Ts>,
    /// Last access.
    pub accessed: Option<Ts>,
    /// Creation.
    pub created: Option<Ts>,
    /// Last change of attributes.
    pub changed: Option<Ts>,
    /// It is a named pipe.
    pub is_pipe: bool,
    /// `SMB1`, `SMB2`.
    pub version: &'static str,
    /// User of the session, if its login was seen.
    pub user: Option<String>,
    /// Session (SMB1: UID).
    pub session_id: u64,
    /// Tree (SMB1: TID).
    pub tree_id: u32,
    /// `SUPERSEDE`, `OPEN`, `CREATE`, `OPEN_IF`, `OVERWRITE`, `OVERWRITE_IF`.
    pub disposition: Option<&'static str>,
    /// Access asked for.
    pub access_mask: Option<u32>,
    /// It is to vanish when closed.
    pub delete_on_close: bool,
    /// Reads through this handle.
    pub reads: u32,
    /// Writes through this handle.
    pub writes: u32,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Entropy of the first 1,024 bytes read, bits per byte.
    pub entropy_read: Option<f64>,
    /// Entropy of the first 1,024 bytes written, bits per byte.
    pub entropy_write: Option<f64>,
    /// Type by content of what was read or written from its beginning.
    pub mime_type: Option<String>,
}

/// One SMB command with its answer, or either alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SmbCmd {
    /// `CREATE`, `TREE_CONNECT_ANDX` …; `TRANSFORM` sums up encrypted messages, `COMPRESSED` is a compression header.
    pub command: String,
    /// Function of a transaction, class of an information, code of an IOCTL.
    pub sub_command: Option<String>,
    /// What it was about: share, file, dialect.
    pub argument: Option<String>,
    /// Status by name.
    pub status: Option<String>,
    /// Seconds from command to answer.
    pub rtt: Option<f64>,
    /// `SMB1`, `SMB2`.
    pub version: &'static str,
    /// User of the session, if its login was seen.
    pub username: Option<String>,
    /// Share it was about.
    pub tree: Option<String>,
    /// SMB1: kind of the share.
    pub tree_service: Option<String>,
    /// File it was about: what was done.
    pub file_action: Option<&'static str>,
    /// Its share.
    pub file_path: Option<String>,
    /// Its name.
    pub file_name: Option<String>,
    /// Its size when it was opened.
    pub file_size: u64,
    /// It is a named pipe.
    pub is_pipe: bool,
    /// Dialect of the connection.
    pub dialect: Option<String>,
    /// Status as a number; `None` without an answer.
    pub status_code: Option<u32>,
    /// Message id (SMB1: MID).
    pub mid: Option<u64>,
    /// Message id of the answer where it differs, which no honest server does.
    pub resp_mid: Option<u64>,
    /// Session (SMB1: UID).
    pub session_id: Option<u64>,
    /// Tree (SMB1: TID).
    pub tree_id: Option<u32>,
    /// Process id.
    pub pid: Option<u32>,
    /// The command is signed.
    pub signed: bool,
    /// Inside an encryption header.
    pub encrypted: bool,
    /// Bytes that this command read or wrote; for `TRANSFORM` the encrypted bytes.
    pub bytes: Option<u64>,
    /// Messages that this row stands for, where it is more than one.
    pub messages: Option<u64>,
    /// Transactions: data bytes announced in all.
    pub trans_total: Option<u32>,
    /// Size that a list of extended attributes claims for itself.
    pub fea_size: Option<u32>,
    /// Compression header: size that the data claims to have had.
    pub comp_original_size: Option<u32>,
    /// Compression header: where the compressed part claims to begin.
    pub comp_offset: Option<u32>,
    /// Compression header: algorithm.
    pub comp_algorithm: Option<u16>,
    /// Frame of the answer.
    pub resp_frame: Option<u64>,
}

/// One remote procedure call with its answer, or either alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DceRpc {
    /// Seconds from request to response.
    pub rtt: Option<f64>,
    /// Port or pipe as the server names it; the pipe's file name where the server was not heard.
    pub named_pipe: Option<String>,
    /// Name of the interface; `unknown-UUID` where there is none.
    pub endpoint: Option<String>,
    /// Name of the call; `unknown-N` where there is none.
    pub operation: Option<String>,
    /// Interface.
    pub iface_uuid: Option<String>,
    /// Number of the call.
    pub opnum: Option<u16>,
    /// Bytes of arguments.
    pub req_stub_len: Option<u64>,
    /// Bytes of results.
    pub resp_stub_len: Option<u64>,
    /// Last four bytes of the results, which is what most calls return; `None` where they are sealed.
    pub resp_status: Option<u32>,
    /// The server refused: fault code (C706 appendix E, MS-ERREF).
    pub fault: Option<u32>,
    /// Authentication level of the binding (MS-RPCE 2.2.1.1.8): 1 none … 5 integrity, 6 privacy.
    pub auth_level: Option<u8>,
    /// Authentication service (MS-RPCE 2.2.1.1.7): 9 SPNEGO, 10 NTLM, 16 Kerberos, 68 Netlogon.
    pub auth_type: Option<u8>,
    /// Netlogon: the client's challenge or credential is all zero; `None` for other calls and where it could not be read.
    pub zero_credential: Option<bool>,
    /// First argument that names another machine: `\\host\…`
    pub target_name_in_stub: Option<String>,
    /// Texts among the arguments, as far as they are in clear.
    pub req_strings: Vec<String>,
    /// Object that was called (DCOM: the interface pointer).
    pub object_uuid: Option<String>,
    /// `tcp`, `smb`.
    pub over: &'static str,
    /// Frame of the response.
    pub resp_frame: Option<u64>,
}

/// One NTLM exchange: offer, challenge, answer, as far as seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ntlm {
    /// User.
    pub username: Option<String>,
    /// Workstation as the client names itself.
    pub hostname: Option<String>,
    /// User's domain.
    pub domainname: Option<String>,
    /// Server's NetBIOS name.
    pub server_nb_computer_name: Option<String>,
    /// Server's DNS name.
    pub server_dns_computer_name: Option<String>,
    /// Server's forest.
    pub server_tree_name: Option<String>,
    /// Whether the carrier then let the client in; `None` if it did not say.
    pub success: Option<bool>,
    /// Server's NetBIOS domain.
    pub server_nb_domain_name: Option<String>,
    /// Server's DNS domain.
    pub server_dns_domain_name: Option<String>,
    /// 1 or 2, by the length of the answer.
    pub ntlm_version: Option<u8>,
    /// The answer holds an LM response that is not empty.
    pub lm_response: bool,
    /// Nobody in particular: no user, no answer.
    pub anonymous: bool,
    /// Flags negotiated (MS-NLMP 2.2.2.5), of the last message.
    pub negotiate_flags: Option<u32>,
    /// Server's challenge, hex.
    pub server_challenge: Option<String>,
    /// SHA-256 of the proof in the answer: equal proofs, equal hashes; nothing to crack.
    pub nt_proof_sha: Option<String>,
    /// The answer carries a message integrity code.
    pub mic: Option<bool>,
    /// Client's version: `10.0.19041`.
    pub client_version: Option<String>,
    /// Server's version.
    pub server_version: Option<String>,
    /// Service that the client meant to speak to.
    pub target_name: Option<String>,
    /// `smb`, `http`, `dce_rpc`, `ldap`, `smtp` …
    pub over: &'static str,
    /// Status of the carrier: `SUCCESS`, `LOGON_FAILURE`, `401` …
    pub status: Option<String>,
    /// Frame of the challenge.
    pub challenge_frame: Option<u64>,
    /// Frame of the answer.
    pub answer_frame: Option<u64>,
}
