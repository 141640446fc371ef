//! Tables of Windows networks: SMB, DCE/RPC, NTLM.

use super::events::{EventRow, place};
use crate::model::windows::{DceRpc, Ntlm, SmbCmd, SmbFile, SmbMapping};
use crate::store::column::{Columns, filled};

/// Ids that are bit patterns: hexadecimal.
fn id(number: u64) -> String {
    format!("{number:#x}")
}

/// `smb_mapping`
pub fn smb_mapping<'a>() -> Columns<EventRow<'a, SmbMapping>> {
    place()
        .text("path", "Share as the client wrote it, backslashes doubled.", |r: &EventRow<'_, SmbMapping>| r.path.as_deref())
        .text("service", "SMB1: kind of the share, `A:`, `IPC` …", |r| r.service.as_deref())
        .text("native_file_system", "SMB1: file system as the server names it.", |r| r.native_file_system.as_deref())
        .text("share_type", "`DISK`, `PIPE`, `PRINT`.", |r| r.share_type.as_deref())
        .text("status", "What the server said; NULL if its answer was not seen.", |r| r.status.as_deref())
        .text("version", "`SMB1`, `SMB2`.", |r| filled(r.version))
        .text("dialect", "Dialect of the connection: `NT LM 0.12`, `2.1`, `3.1.1` …", |r| r.dialect.as_deref())
        .text("username", "User of the session, if its login was seen.", |r| r.user.as_deref())
        .shown("session_id", "Session (SMB1: UID), hex.", |r| Some(id(r.session_id)))
        .big("tree_id", "Tree (SMB1: TID).", |r| r.tree_id)
        .bool("signing_required", "The server insists on signatures.", |r| r.signing_required)
        .bool("encrypt_data", "The share insists on encryption.", |r| r.encrypt_data)
}

/// `smb_files`
pub fn smb_files<'a>() -> Columns<EventRow<'a, SmbFile>> {
    place()
        .text("action", "`SMB::FILE_OPEN`, `SMB::FILE_RENAME`, `SMB::FILE_DELETE`, `SMB::PIPE_OPEN` …", |r: &EventRow<'_, SmbFile>| {
            filled(r.action)
        })
        .text("path", "Share, if its connection was seen.", |r| r.path.as_deref())
        .text("name", "Name within the share, backslashes doubled; `<share_root>` for the share itself.", |r| r.name.as_deref())
        .big("size", "Size when it was opened, bytes.", |r| r.size)
        .text("prev_name", "Name before a rename.", |r| r.prev_name.as_deref())
        .time("times_modified", "Last write.", |r| r.modified)
        .time("times_accessed", "Last access.", |r| r.accessed)
        .time("times_created", "Creation.", |r| r.created)
        .time("times_changed", "Last change of attributes.", |r| r.changed)
        .bool("is_pipe", "It is a named pipe.", |r| r.is_pipe)
        .text("version", "`SMB1`, `SMB2`.", |r| filled(r.version))
        .text("username", "User of the session, if its login was seen.", |r| r.user.as_deref())
        .shown("session_id", "Session (SMB1: UID), hex.", |r| Some(id(r.session_id)))
        .big("tree_id", "Tree (SMB1: TID).", |r| r.tree_id)
        .text("disposition", "`SUPERSEDE`, `OPEN`, `CREATE`, `OPEN_IF`, `OVERWRITE`, `OVERWRITE_IF`.", |r| r.disposition)
        .big("access_mask", "Access asked for (MS-SMB2 2.2.13.1).", |r| r.access_mask)
        .bool("delete_on_close", "It is to vanish when closed.", |r| r.delete_on_close)
        .big("reads", "Reads through this handle.", |r| r.reads)
        .big("writes", "Writes through this handle.", |r| r.writes)
        .big("read_bytes", "Bytes read.", |r| r.read_bytes)
        .big("write_bytes", "Bytes written.", |r| r.write_bytes)
        .double("ent_sample_read", "Entropy of the first 1,024 bytes read, bits per byte.", |r| r.entropy_read)
        .double("ent_sample_write", "Entropy of the first 1,024 bytes written, bits per byte.", |r| r.entropy_write)
        .text("mime_type", "Type by content, where the beginning was read or written.", |r| r.mime_type.as_deref())
}

/// `smb_cmd`
pub fn smb_cmd<'a>() -> Columns<EventRow<'a, SmbCmd>> {
    smb_cmd_ours(
        place()
            .text(
                "command",
                "`CREATE`, `TREE_CONNECT_ANDX` …; `TRANSFORM` sums up encrypted messages, `COMPRESSED` is a compression header.",
                |r: &EventRow<'_, SmbCmd>| filled(&r.command),
            )
            .text("sub_command", "Function of a transaction, class of an information, code of an IOCTL.", |r| r.sub_command.as_deref())
            .text("argument", "What it was about.", |r| r.argument.as_deref())
            .text("status", "Status by name.", |r| r.status.as_deref())
            .double("rtt", "Seconds from command to answer.", |r| r.rtt)
            .text("version", "`SMB1`, `SMB2`.", |r| filled(r.version))
            .text("username", "User of the session, if its login was seen.", |r| r.username.as_deref())
            .text("tree", "Share it was about.", |r| r.tree.as_deref())
            .text("tree_service", "SMB1: kind of the share.", |r| r.tree_service.as_deref())
            .text("referenced_file_action", "What was done to the file.", |r| r.file_action)
            .text("referenced_file_path", "Share of the file.", |r| r.file_path.as_deref())
            .text("referenced_file_name", "Name of the file.", |r| r.file_name.as_deref())
            .big("referenced_file_size", "Size of the file when it was opened.", |r| r.file_size),
    )
}

fn smb_cmd_ours<'a>(columns: Columns<EventRow<'a, SmbCmd>>) -> Columns<EventRow<'a, SmbCmd>> {
    columns
        .bool("is_pipe", "The file is a named pipe.", |r| r.is_pipe)
        .text("dialect", "Dialect of the connection.", |r| r.dialect.as_deref())
        .big("status_code", "Status as a number; NULL without an answer.", |r| r.status_code)
        .big("mid", "Message id.", |r| r.mid)
        .big("resp_mid", "Message id of the answer where it differs, which no honest server does.", |r| r.resp_mid)
        .shown("session_id", "Session (SMB1: UID), hex.", |r| r.session_id.map(id))
        .big("tree_id", "Tree (SMB1: TID).", |r| r.tree_id)
        .big("pid", "Process id.", |r| r.pid)
        .bool("signed", "The command is signed.", |r| r.signed)
        .bool("encrypted", "It stands for messages inside an encryption header.", |r| r.encrypted)
        .big("bytes", "Bytes read, written or encrypted.", |r| r.bytes)
        .big("messages", "Messages that this row stands for; NULL where it is one.", |r| r.messages)
        .big("trans_total", "Transactions: data bytes announced in all.", |r| r.trans_total)
        .big("fea_size", "Size that a list of extended attributes claims for itself.", |r| r.fea_size)
        .big("comp_original_size", "Compression header: size that the data claims to have had.", |r| r.comp_original_size)
        .big("comp_offset", "Compression header: where the compressed part claims to begin.", |r| r.comp_offset)
        .int("comp_algorithm", "Compression header: algorithm (MS-SMB2 2.2.42).", |r| r.comp_algorithm)
        .big("resp_frame", "Frame of the answer.", |r| r.resp_frame)
}

/// `dce_rpc`
pub fn dce_rpc<'a>() -> Columns<EventRow<'a, DceRpc>> {
    place()
        .double("rtt", "Seconds from request to response.", |r: &EventRow<'_, DceRpc>| r.rtt)
        .text("named_pipe", "Port or pipe as the server names it; the pipe's file name where the server was not heard.", |r| {
            r.named_pipe.as_deref()
        })
        .text("endpoint", "Name of the interface; `unknown-UUID` where there is none.", |r| r.endpoint.as_deref())
        .text("operation", "Name of the call; `unknown-N` where there is none.", |r| r.operation.as_deref())
        .text("iface_uuid", "Interface.", |r| r.iface_uuid.as_deref())
        .int("opnum", "Number of the call.", |r| r.opnum)
        .big("req_stub_len", "Bytes of arguments.", |r| r.req_stub_len)
        .big("resp_stub_len", "Bytes of results.", |r| r.resp_stub_len)
        .big("resp_status", "Last four bytes of the results, which is what most calls return; NULL where they are sealed.", |r| {
            r.resp_status
        })
        .big("fault", "The server refused: fault code.", |r| r.fault)
        .int("auth_level", "Authentication level: 1 none … 5 integrity, 6 privacy.", |r| r.auth_level)
        .int("auth_type", "Authentication service: 9 SPNEGO, 10 NTLM, 16 Kerberos, 68 Netlogon.", |r| r.auth_type)
        .bool("zero_credential", "Netlogon: the client's challenge or credential is all zero; NULL for other calls.", |r| r.zero_credential)
        .text("target_name_in_stub", "First argument that names another machine.", |r| r.target_name_in_stub.as_deref())
        .texts("req_strings", "Texts among the arguments, as far as they are in clear.", |r| &r.req_strings)
        .text("object_uuid", "Object that was called (DCOM).", |r| r.object_uuid.as_deref())
        .text("over", "`tcp`, `smb`.", |r| filled(r.over))
        .big("resp_frame", "Frame of the response.", |r| r.resp_frame)
}

/// `ntlm`
pub fn ntlm<'a>() -> Columns<EventRow<'a, Ntlm>> {
    place()
        .text("username", "User.", |r: &EventRow<'_, Ntlm>| r.username.as_deref())
        .text("hostname", "Workstation as the client names itself.", |r| r.hostname.as_deref())
        .text("domainname", "User's domain.", |r| r.domainname.as_deref())
        .text("server_nb_computer_name", "Server's NetBIOS name.", |r| r.server_nb_computer_name.as_deref())
        .text("server_dns_computer_name", "Server's DNS name.", |r| r.server_dns_computer_name.as_deref())
        .text("server_tree_name", "Server's forest.", |r| r.server_tree_name.as_deref())
        .bool("success", "Whether the client was then let in; NULL if the carrier did not say.", |r| r.success)
        .text("server_nb_domain_name", "Server's NetBIOS domain.", |r| r.server_nb_domain_name.as_deref())
        .text("server_dns_domain_name", "Server's DNS domain.", |r| r.server_dns_domain_name.as_deref())
        .int("ntlm_version", "1 or 2, by the length of the answer.", |r| r.ntlm_version)
        .bool("lm_response", "The answer holds an LM response that is not empty.", |r| r.lm_response)
        .bool("anonymous", "No user, no answer.", |r| r.anonymous)
        .big("negotiate_flags", "Flags negotiated (MS-NLMP 2.2.2.5), of the last message.", |r| r.negotiate_flags)
        .text("server_challenge", "Server's challenge, hex.", |r| r.server_challenge.as_deref())
        .text("nt_proof_sha", "SHA-256 of the proof in the answer: equal proofs, equal hashes.", |r| r.nt_proof_sha.as_deref())
        .bool("mic", "The answer carries a message integrity code.", |r| r.mic)
        .text("client_version", "Client's version: `10.0.19041`.", |r| r.client_version.as_deref())
        .text("server_version", "Server's version.", |r| r.server_version.as_deref())
        .text("target_name", "Service that the client meant to speak to.", |r| r.target_name.as_deref())
        .text("over", "`smb`, `http`, `dce_rpc`, `smtp` …", |r| filled(r.over))
        .text("status", "Status of the carrier: `SUCCESS`, `LOGON_FAILURE`, `401` …", |r| r.status.as_deref())
        .big("challenge_frame", "Frame of the challenge.", |r| r.challenge_frame)
        .big("answer_frame", "Frame of the answer.", |r| r.answer_frame)
}
