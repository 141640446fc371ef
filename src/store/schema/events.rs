//! One table per kind of event: the place of the event, then the fields of its struct under Zeek's names.

use super::flows::Hex;
use crate::model::event::{
    AppEvent, ArpMessage, Credential, Dhcp, Dns, File, Ftp, Http, IcmpMessage, Ssh, Tls, Tunnel, Websocket, Weird, X509,
};
use crate::store::column::{Columns, filled};
use std::ops::Deref;

mod identity;
mod industrial;
mod lan;
mod mail;
mod quic;
mod remote;
mod rpc;
mod services;
mod stores;
mod typed;

pub use identity::{kerberos, ldap, ldap_search};
pub use industrial::{bacnet, cip, cip_identity, dnp3, enip, iec104, modbus, opcua, s7comm};
pub use lan::{dhcpv6, igmp, ndp, neighbor, stp};
pub use mail::{imap, pop3, smtp};
pub use quic::quic;
pub use remote::{rdp, rfb, socks};
pub use rpc::{nfs, rpc};
pub use services::{mysql, ntp, radius, rtp, sip, snmp, syslog};
pub use stores::{greeting, ike, mongodb, mqtt_connect, mqtt_publish, mqtt_subscribe, postgresql, redis, stun, tds};
pub use typed::{irc, telnet, tftp};

/// An event of one kind, with its place.
pub struct EventRow<'a, T> {
    /// Place.
    pub at: &'a AppEvent,
    /// What was said.
    pub is: &'a T,
}

impl<T> Deref for EventRow<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.is
    }
}

pub(super) fn place<'a, T>() -> Columns<EventRow<'a, T>> {
    Columns::new()
        .moment("ts", "Time of the frame.", |r: &EventRow<'_, T>| r.at.ts_ns)
        .big("flow_id", "Flow (`flows`); NULL for ARP and oddities of single frames.", |r| r.at.conn.map(|conn| conn.flow))
        .big("frame", "Frame that says it, case number (`packets.parquet`).", |r| r.at.frame)
        .shown("id_orig_h", "Originator of the flow.", |r| r.at.conn.map(|conn| conn.orig_h))
        .int("id_orig_p", "Originator's port.", |r| r.at.conn.map(|conn| conn.orig_p))
        .shown("id_resp_h", "Responder of the flow.", |r| r.at.conn.map(|conn| conn.resp_h))
        .int("id_resp_p", "Responder's port.", |r| r.at.conn.map(|conn| conn.resp_p))
        .text("proto", "Transport.", |r| r.at.conn.map(|conn| conn.proto.name()))
}

/// `dns`
pub fn dns<'a>() -> Columns<EventRow<'a, Dns>> {
    place()
        .int("trans_id", "Transaction id.", |r: &EventRow<'_, Dns>| r.trans_id)
        .double("rtt", "Seconds from query to answer.", |r| r.rtt)
        .text("query", "Name asked, without the trailing dot.", |r| r.query.as_deref())
        .int("qclass", "Class number.", |r| r.qclass)
        .text("qclass_name", "`C_INTERNET` …", |r| r.qclass_name.as_deref())
        .int("qtype", "Type number.", |r| r.qtype)
        .text("qtype_name", "`A`, `AAAA`, `TXT` …", |r| r.qtype_name.as_deref())
        .int("rcode", "Response code; NULL without an answer.", |r| r.rcode)
        .text("rcode_name", "`NOERROR`, `NXDOMAIN` …", |r| r.rcode_name.as_deref())
        .int("opcode", "Opcode.", |r| r.opcode)
        .text("opcode_name", "`query`, `status` …", |r| filled(&r.opcode_name))
        .bool("AA", "Authoritative answer.", |r| r.aa)
        .bool("TC", "Truncated.", |r| r.tc)
        .bool("RD", "Recursion desired.", |r| r.rd)
        .bool("RA", "Recursion available.", |r| r.ra)
        .int("Z", "Reserved bits.", |r| r.z)
        .texts("answers", "Answers as Zeek prints them.", |r| &r.answers)
        .texts("answer_types", "Types of these answers.", |r| &r.answer_types)
        .bigs("TTLs", "Their time to live, seconds.", |r| r.ttls.as_slice())
        .bool("rejected", "The server refused to answer.", |r| r.rejected)
        .big("query_frame", "Frame of the query.", |r| r.query_frame)
        .big("answer_frame", "Frame of the answer.", |r| r.answer_frame)
        .big("query_bytes", "Message length of the query.", |r| r.query_bytes)
        .big("resp_bytes", "Message length of the answer.", |r| r.resp_bytes)
        .text("etld1", "Registered domain: public suffix plus one label, lower case.", |r| r.etld1.as_deref())
        .text("sub", "What stands before it, lower case.", |r| r.sub.as_deref())
        .int("labels", "Labels of the query.", |r| r.labels)
        .double("sub_h1", "Entropy of `sub`, bits per character.", |r| r.sub_h1)
        .text("kind", "`dns`, `mdns`, `llmnr`, `nbns`.", |r| Some(r.kind))
        .bool("malformed", "The message broke off or contradicted itself.", |r| r.malformed)
        .int(
            "nb_suffix",
            "NetBIOS: last byte of the name: 0 workstation or domain, 32 server, 27 domain master browser, 28 domain controllers …",
            |r| r.nb_suffix,
        )
        .bool("nb_group", "NetBIOS: the name belongs to a group, as the first record says.", |r| r.nb_group)
}

/// `http`
pub fn http<'a>() -> Columns<EventRow<'a, Http>> {
    http_ours(
        place()
            .int("trans_depth", "Position in the connection, from 1.", |r: &EventRow<'_, Http>| r.trans_depth)
            .text("method", "Request method.", |r| r.method.as_deref())
            .text("host", "`Host` without port.", |r| r.host.as_deref())
            .text("uri", "Request target as sent.", |r| r.uri.as_deref())
            .text("referrer", "`Referer`.", |r| r.referrer.as_deref())
            .text("version", "`1.0`, `1.1`.", |r| r.version.as_deref())
            .text("user_agent", "`User-Agent`.", |r| r.user_agent.as_deref())
            .text("origin", "`Origin`.", |r| r.origin.as_deref())
            .big("request_body_len", "Body bytes of the request.", |r| r.request_body_len)
            .big("response_body_len", "Body bytes of the response, as transferred.", |r| r.response_body_len)
            .int("status_code", "Status.", |r| r.status_code)
            .text("status_msg", "Reason phrase.", |r| r.status_msg.as_deref())
            .int("info_code", "Last 1xx status.", |r| r.info_code)
            .text("info_msg", "Its phrase.", |r| r.info_msg.as_deref())
            .text("username", "User of Basic or Digest authorization.", |r| r.username.as_deref())
            .texts("proxied", "Headers that say a proxy passed it.", |r| &r.proxied),
    )
}

fn http_ours<'a>(columns: Columns<EventRow<'a, Http>>) -> Columns<EventRow<'a, Http>> {
    columns
        .text("authorization_scheme", "Scheme of `Authorization` or `Proxy-Authorization`, lower case.", |r| {
            r.authorization_scheme.as_deref()
        })
        .texts("client_header_names", "Request header names in order, upper case.", |r| &r.client_header_names)
        .text("request_headers", "Request headers but cookies and authorization, joined by newlines, at most 4,096 bytes.", |r| {
            r.request_headers.as_deref()
        })
        .text("server", "`Server`.", |r| r.server.as_deref())
        .text("request_content_type", "`Content-Type` of the request.", |r| r.request_content_type.as_deref())
        .text("content_type", "`Content-Type` of the response.", |r| r.content_type.as_deref())
        .text("filename", "File name of a `Content-Disposition` of the response.", |r| r.filename.as_deref())
        .bool("cookie_present", "A cookie was sent.", |r| r.cookie_present)
        .text("body_prefix_req", "First 4,096 bytes of the request body, passwords in forms masked.", |r| r.body_prefix_req.as_deref())
        .text("body_prefix_resp", "First 1,024 bytes of the response body.", |r| r.body_prefix_resp.as_deref())
        .text("orig_mime", "Type of the request body by content.", |r| r.orig_mime.as_deref())
        .text("resp_mime", "Type of the response body by content.", |r| r.resp_mime.as_deref())
        .double("latency", "Seconds from the end of the request to the status line.", |r| r.latency)
        .bool("complete", "Both messages were seen whole.", |r| r.complete)
        .big("resp_frame", "Frame of the status line.", |r| r.resp_frame)
        .bool("decrypted", "It stood in TLS that was read with known keys.", |r| r.decrypted)
}

/// `websocket`
pub fn websocket<'a>() -> Columns<EventRow<'a, Websocket>> {
    place()
        .text("host", "`Host` of the request.", |r: &EventRow<'_, Websocket>| r.host.as_deref())
        .text("uri", "Target of the request.", |r| r.uri.as_deref())
        .text("user_agent", "`User-Agent` of the request.", |r| r.user_agent.as_deref())
        .text("subprotocol", "Protocol that the server chose.", |r| r.subprotocol.as_deref())
        .texts("client_protocols", "Protocols that the client offered.", |r| &r.client_protocols)
        .texts("server_extensions", "Extensions that the server chose.", |r| &r.server_extensions)
        .texts("client_extensions", "Extensions that the client offered.", |r| &r.client_extensions)
}

/// `tls`
pub fn tls<'a>() -> Columns<EventRow<'a, Tls>> {
    tls_ours(
        place()
            .text("version", "Negotiated: `TLSv12`, `TLSv13` …", |r: &EventRow<'_, Tls>| r.version.as_deref())
            .text("cipher", "Chosen cipher suite, IANA name.", |r| r.cipher.as_deref())
            .text("curve", "Chosen curve or group.", |r| r.curve.as_deref())
            .text("server_name", "SNI.", |r| r.server_name.as_deref())
            .bool("resumed", "Session was resumed.", |r| r.resumed)
            .text("last_alert", "Last alert's name.", |r| r.last_alert.as_deref())
            .text("next_protocol", "ALPN chosen by the server.", |r| r.next_protocol.as_deref())
            .bool("established", "The handshake completed.", |r| r.established)
            .text("ssl_history", "Handshake letters.", |r| filled(&r.ssl_history))
            .texts("cert_chain_fps", "SHA-256 of the server's certificates, leaf first (`x509`).", |r| &r.cert_chain_fps)
            .texts("client_cert_chain_fps", "SHA-256 of the client's certificates.", |r| &r.client_cert_chain_fps)
            .text("subject", "Subject of the server's leaf.", |r| r.subject.as_deref())
            .text("issuer", "Its issuer.", |r| r.issuer.as_deref())
            .text("client_subject", "Subject of the client's leaf.", |r| r.client_subject.as_deref())
            .text("client_issuer", "Its issuer.", |r| r.client_issuer.as_deref())
            .bool("sni_matches_cert", "The server name stands in the leaf's names; NULL when either is unseen.", |r| r.sni_matches_cert)
            .text(
                "validation_status",
                "What checking the server's chain at packet time against the roots bundled with this build says: `ok`, or OpenSSL's words; names and revocation are not looked at.",
                |r| r.validation_status.as_deref(),
            ),
    )
}

fn tls_ours<'a>(columns: Columns<EventRow<'a, Tls>>) -> Columns<EventRow<'a, Tls>> {
    columns
        .text("client_version", "Highest version the client offered.", |r| r.client_version.as_deref())
        .texts("client_alpn", "ALPN offered by the client.", |r| &r.client_alpn)
        .texts("client_ciphers", "Cipher suites offered, four hex digits each.", |r| &r.client_ciphers)
        .ints("client_exts", "Extensions offered.", |r| r.client_exts.as_slice())
        .ints("server_exts", "Extensions of the ServerHello.", |r| r.server_exts.as_slice())
        .text("ja3", "JA3, MD5 in hex.", |r| r.ja3.as_deref())
        .text("ja3s", "JA3S, MD5 in hex.", |r| r.ja3s.as_deref())
        .text("ja4", "JA4.", |r| r.ja4.as_deref())
        .bool("ech", "Encrypted ClientHello offered.", |r| r.ech)
        .bool("downgrade_sentinel", "The server random says downgrade (RFC 8446, 4.1.3).", |r| r.downgrade_sentinel)
        .bool("heartbeat_oversize", "A heartbeat announces more than its record holds.", |r| r.heartbeat_oversize)
        .bool("cert_visible", "Certificates were visible (in TLS 1.3 only with keys).", |r| r.cert_visible)
        .big("server_frame", "Frame of the ServerHello.", |r| r.server_frame)
        .bool("decrypted", "What was said under it was read, with keys given (`--keylog`) or found in the capture.", |r| r.decrypted)
}

/// `x509`
pub fn x509<'a>() -> Columns<EventRow<'a, X509>> {
    place()
        .text("fingerprint", "SHA-256 of the DER, hex.", |r: &EventRow<'_, X509>| filled(&r.fingerprint))
        .text("sha1", "SHA-1 of the DER, hex.", |r| filled(&r.sha1))
        .int("certificate_version", "1, 2 or 3.", |r| r.version)
        .text("certificate_serial", "Serial, upper-case hex.", |r| filled(&r.serial))
        .text("certificate_subject", "Subject.", |r| Some(&r.subject))
        .text("certificate_issuer", "Issuer.", |r| Some(&r.issuer))
        .time("certificate_not_valid_before", "Start of validity.", |r| r.not_valid_before)
        .time("certificate_not_valid_after", "End of validity.", |r| r.not_valid_after)
        .text("certificate_key_alg", "Algorithm of the key, OpenSSL's name.", |r| filled(&r.key_alg))
        .text("certificate_sig_alg", "Algorithm of the signature, OpenSSL's name.", |r| filled(&r.sig_alg))
        .text("certificate_key_type", "`rsa`, `ecdsa`, `dsa` …", |r| r.key_type.as_deref())
        .int("certificate_key_length", "Bits.", |r| r.key_length)
        .text("certificate_exponent", "RSA exponent, decimal.", |r| r.exponent.as_deref())
        .text("certificate_curve", "Curve.", |r| r.curve.as_deref())
        .texts("san_dns", "Alternative names: DNS.", |r| &r.san_dns)
        .texts("san_uri", "Alternative names: URI.", |r| &r.san_uri)
        .texts("san_email", "Alternative names: e-mail.", |r| &r.san_email)
        .texts("san_ip", "Alternative names: IP.", |r| &r.san_ip)
        .bool("basic_constraints_ca", "May sign others.", |r| r.basic_constraints_ca)
        .int("basic_constraints_path_len", "How deep.", |r| r.basic_constraints_path_len)
        .bool("host_cert", "It is the leaf.", |r| r.host_cert)
        .bool("client_cert", "Sent by the client.", |r| r.client_cert)
        .bool("self_signed", "Subject equals issuer.", |r| r.self_signed)
        .double("validity_days", "Days of validity.", |r| r.validity_days)
        .double("age_days", "Days from its start to the moment it was seen.", |r| r.age_days)
}

/// `ssh`
pub fn ssh<'a>() -> Columns<EventRow<'a, Ssh>> {
    place()
        .int("version", "1 or 2.", |r: &EventRow<'_, Ssh>| r.version)
        .bool("auth_success", "A login succeeded, inferred; NULL if it cannot be told.", |r| r.auth_success)
        .int("auth_attempts", "Attempts, inferred.", |r| r.auth_attempts)
        .text("auth_evidence", "Why that was inferred.", |r| filled(&r.auth_evidence))
        .text("client", "Client banner.", |r| r.client.as_deref())
        .text("server", "Server banner.", |r| r.server.as_deref())
        .text("cipher_alg", "Chosen cipher, client to server.", |r| r.cipher_alg.as_deref())
        .text("mac_alg", "Chosen MAC.", |r| r.mac_alg.as_deref())
        .text("compression_alg", "Chosen compression.", |r| r.compression_alg.as_deref())
        .text("kex_alg", "Chosen key exchange.", |r| r.kex_alg.as_deref())
        .text("host_key_alg", "Chosen host key algorithm.", |r| r.host_key_alg.as_deref())
        .text("host_key_fingerprint", "Host key's SHA-256, its first 32 characters as Zeek prints it.", |r| {
            r.host_key_fingerprint.as_deref()
        })
        .text("host_key_sha256", "Host key's SHA-256, as OpenSSH prints it.", |r| r.host_key_sha256.as_deref())
        .text("hassh", "HASSH of the client.", |r| r.hassh.as_deref())
        .text("hasshServer", "HASSH of the server.", |r| r.hassh_server.as_deref())
}

/// `ftp`
pub fn ftp<'a>() -> Columns<EventRow<'a, Ftp>> {
    place()
        .text("user", "User of the session so far.", |r: &EventRow<'_, Ftp>| r.user.as_deref())
        .text("password", "`<hidden>`, or what a guest gave.", |r| r.password.as_deref())
        .text("command", "Command, upper case.", |r| r.command.as_deref())
        .text("arg", "Argument, files as URL; passwords never.", |r| r.arg.as_deref())
        .text("mime_type", "Type by content of the file transferred.", |r| r.mime_type.as_deref())
        .big("file_size", "Size of the file as the server told it, bytes.", |r| r.file_size)
        .int("reply_code", "Reply code.", |r| r.reply_code)
        .text("reply_msg", "Reply text.", |r| r.reply_msg.as_deref())
        .bool("data_channel_passive", "A data connection is agreed on: the server waits for it, or else the client.", |r| {
            r.data_channel_passive
        })
        .shown("data_channel_orig_h", "Who will open the data connection.", |r| r.data_channel_orig_h)
        .shown("data_channel_resp_h", "Who waits for it.", |r| r.data_channel_resp_h)
        .int("data_channel_resp_p", "On which port.", |r| r.data_channel_resp_p)
        .text("fuid", "The file transferred (`files`).", |r| r.fuid.as_deref())
}

/// `files`
pub fn files<'a>() -> Columns<EventRow<'a, File>> {
    place()
        .text("fuid", "Its name in this case: `F`, the flow, and its number in it.", |r: &EventRow<'_, File>| filled(&r.fuid))
        .text("source", "Protocol that carried it: `HTTP`, `SMB`, `FTP_DATA`, `SMTP`, `SSL` …", |r| filled(r.source))
        .int("depth", "Position among the parts of a message, from 1; 0 elsewhere.", |r| r.depth)
        .bool("is_orig", "Sent by the originator.", |r| r.is_orig)
        .text("filename", "Name as told.", |r| r.filename.as_deref())
        .text("url", "Where from: URL or path.", |r| r.url.as_deref())
        .text("declared_mime", "Type as declared.", |r| r.declared_mime.as_deref())
        .text("mime_type", "Type by content.", |r| r.mime_type.as_deref())
        .big("seen_bytes", "Bytes seen.", |r| r.seen_bytes)
        .big("total_bytes", "Bytes announced.", |r| r.total_bytes)
        .big("missing_bytes", "Bytes missing.", |r| r.missing_bytes)
        .text("md5", "Hex, when seen whole.", |r| r.md5.as_deref())
        .text("sha1", "Hex, when seen whole.", |r| r.sha1.as_deref())
        .text("sha256", "Hex, when seen whole.", |r| r.sha256.as_deref())
        .double("entropy", "Entropy of the first 64 KiB, bits per byte.", |r| r.entropy)
        .text("first_bytes", "First 64 bytes, hex.", |r| filled(&r.first_bytes))
        .bool("complete", "Seen from first to last byte.", |r| r.complete)
        .bool("decrypted", "It stood in TLS that was read with known keys.", |r| r.decrypted)
}

/// A login with what may be stored of its secret.
pub struct Login<'a> {
    /// As dissected.
    pub seen: &'a Credential,
    /// SHA-256 over the case's salt and the secret: equal secrets of one case are equal, nothing else is told.
    pub secret_sha: Option<[u8; 32]>,
    /// The secret, only if it may be shown.
    pub revealed: Option<&'a str>,
}

/// `credentials`
pub fn credentials<'a>() -> Columns<EventRow<'a, Login<'a>>> {
    place()
        .text("service", "`ftp`, `http-basic`, `telnet` …", |r: &EventRow<'_, Login<'_>>| filled(r.seen.service))
        .text("user", "User name.", |r| r.seen.user.as_deref())
        .text("realm", "Realm, host or path it was for.", |r| r.seen.realm.as_deref())
        .text("secret_masked", "First letter and stars; NULL when no secret was seen.", |r| filled(&r.seen.secret_masked))
        .shown("secret_sha", "SHA-256 of the case's salt and the secret: equal only where the secret is equal.", |r| r.secret_sha.map(Hex))
        .text("secret", "The secret; NULL unless the case was made with `--reveal-secrets`.", |r| r.revealed)
        .bool("success", "What the server said; NULL if nothing was seen.", |r| r.seen.success)
        .bool("cleartext", "The secret travelled in clear.", |r| r.seen.cleartext)
}

/// `icmp`
pub fn icmp<'a>() -> Columns<EventRow<'a, IcmpMessage>> {
    place()
        .bool("v6", "ICMPv6.", |r: &EventRow<'_, IcmpMessage>| r.v6)
        .bool("is_orig", "Sent by the originator of the flow.", |r| r.is_orig)
        .int("kind", "Type.", |r| r.kind)
        .int("code", "Code.", |r| r.code)
        .int("echo_id", "Echo identifier.", |r| r.echo_id)
        .int("echo_seq", "Echo sequence number.", |r| r.echo_seq)
        .int("len", "Payload bytes after the eight-byte header.", |r| r.len)
        .double("entropy", "Entropy of the payload, bits per byte.", |r| r.entropy)
        .bool("reply_match", "The reply's payload equals its request's; NULL where there is nothing to compare.", |r| r.reply_match)
        .text("pattern", "Known filler: `windows`, `increment`, `zero`, `constant`; NULL otherwise.", |r| filled(r.pattern))
        .text("first_bytes", "First 32 bytes of the payload, hex.", |r| filled(&r.first_bytes))
        .shown("inner_src", "Error messages: source of the packet they quote.", |r| r.inner_src)
        .shown("inner_dst", "Its destination.", |r| r.inner_dst)
        .int("inner_proto", "Its protocol number.", |r| r.inner_proto)
        .int("inner_sport", "Its source port.", |r| r.inner_sport)
        .int("inner_dport", "Its destination port.", |r| r.inner_dport)
        .text("payload_sha", "First eight bytes of the payload's SHA-256, hex; NULL where it was not captured whole.", |r| {
            filled(&r.payload_sha)
        })
        .shown("gateway", "Redirects: the router to use instead.", |r| r.gateway)
}

/// `arp`
pub fn arp<'a>() -> Columns<EventRow<'a, ArpMessage>> {
    place()
        .int("op", "1 request, 2 reply.", |r: &EventRow<'_, ArpMessage>| r.op)
        .text("spa", "Sender protocol address.", |r| filled(&r.spa))
        .text("sha", "Sender hardware address.", |r| filled(&r.sha))
        .text("tpa", "Target protocol address.", |r| filled(&r.tpa))
        .text("tha", "Target hardware address.", |r| filled(&r.tha))
        .text("eth_src", "Source of the Ethernet frame.", |r| filled(&r.eth_src))
        .text("eth_dst", "Destination of the Ethernet frame.", |r| filled(&r.eth_dst))
        .bool("gratuitous", "It announces itself: sender and target address are the same.", |r| r.gratuitous)
        .big("answers_frame", "Replies: frame of the request that it answers; NULL where nobody asked.", |r| r.answers_frame)
        .double("answered_ms", "Replies: milliseconds since that request.", |r| r.answered_ms)
}

/// `dhcp`
pub fn dhcp<'a>() -> Columns<EventRow<'a, Dhcp>> {
    dhcp_ours(
        place()
            .bigs("uids", "Flows of the transaction.", |r: &EventRow<'_, Dhcp>| r.uids.as_slice())
            .shown("client_addr", "The client, once it has an address.", |r| r.client_addr)
            .shown("server_addr", "The server that handed out an address.", |r| r.server_addr)
            .text("mac", "Client's hardware address: of its identifier, else of the message.", |r| r.mac.as_deref())
            .text("host_name", "Name of the client as it says.", |r| r.host_name.as_deref())
            .text("client_fqdn", "Its fully qualified name as it says.", |r| r.client_fqdn.as_deref())
            .text("domain", "Domain given by the server.", |r| r.domain.as_deref())
            .shown("requested_addr", "Address asked for.", |r| r.requested_addr)
            .shown("assigned_addr", "Address handed out.", |r| r.assigned_addr)
            .double("lease_time", "Seconds.", |r| r.lease_time)
            .text("client_message", "Text of the client, as with DECLINE.", |r| r.client_message.as_deref())
            .text("server_message", "Text of the server, as with NAK.", |r| r.server_message.as_deref())
            .texts("msg_types", "`DISCOVER`, `OFFER` …", |r| &r.msg_types)
            .texts("msg_orig", "Source address of each message.", |r| &r.msg_orig)
            .double("duration", "Seconds from first to last message.", |r| r.duration)
            .text("client_software", "Vendor class of the client.", |r| r.client_software.as_deref())
            .text("server_software", "Vendor class of the server.", |r| r.server_software.as_deref())
            .text("circuit_id", "Circuit, as the relay agent names it.", |r| r.circuit_id.as_deref())
            .text("agent_remote_id", "Remote end, as the relay agent names it.", |r| r.agent_remote_id.as_deref())
            .text("subscriber_id", "Subscriber, as the relay agent names it.", |r| r.subscriber_id.as_deref()),
    )
}

fn dhcp_ours<'a>(columns: Columns<EventRow<'a, Dhcp>>) -> Columns<EventRow<'a, Dhcp>> {
    columns
        .big("xid", "Transaction id.", |r| r.xid)
        .text("client_chaddr", "Hardware address in the client's message header.", |r| r.client_chaddr.as_deref())
        .text("client_id", "Client identifier, hex.", |r| r.client_id.as_deref())
        .text("user_class", "User class of the client.", |r| r.user_class.as_deref())
        .ints("param_list", "Parameter request list in order: a fingerprint of the client's system.", |r| r.param_list.as_slice())
        .shown("relay_addr", "Relay agent.", |r| r.relay_addr)
        .shown("server_id", "Server identifier of the last answer.", |r| r.server_id)
        .texts("server_ids", "Servers in the order of their first answer.", |r| &r.server_ids)
        .texts("offers", "What each of these answered first: address, routers, resolvers.", |r| &r.offers)
        .double("race_s", "Seconds between the first answers of the first two servers; NULL where one answered.", |r| r.race_s)
        .shown("subnet_mask", "Network mask given.", |r| r.subnet_mask)
        .texts("router_opt", "Routers given.", |r| &r.router_opt)
        .texts("dns_opt", "Resolvers given.", |r| &r.dns_opt)
        .texts("ntp_opt", "Time servers given.", |r| &r.ntp_opt)
        .text("wpad_opt", "Proxy configuration given.", |r| r.wpad_opt.as_deref())
        .shown("next_server", "Next server of a network boot.", |r| r.next_server)
        .text("boot_file", "Its file.", |r| r.boot_file.as_deref())
        .bigs("frames", "Frames of the messages.", |r| r.frames.as_slice())
}

/// `weird`
pub fn weird<'a>() -> Columns<EventRow<'a, Weird>> {
    place()
        .text("name", "Zeek's name where there is one.", |r: &EventRow<'_, Weird>| filled(&r.name))
        .text("addl", "Detail.", |r| filled(&r.addl))
        .text("source", "Who noticed: `decode`, `flow`, `dns` …", |r| filled(r.source))
        .big("count", "How often in this flow, or, without a flow, for this source address.", |r| r.count)
}

/// `tunnel`
pub fn tunnel<'a>() -> Columns<EventRow<'a, Tunnel>> {
    place()
        .text("tunnel_type", "`Tunnel::IP`, `Tunnel::GRE`, `Tunnel::VXLAN`, `Tunnel::SOCKS` …", |r: &EventRow<'_, Tunnel>| {
            Some(r.tunnel_type)
        })
        .text("action", "`Tunnel::DISCOVER`, `Tunnel::CLOSE` with its flow, `Tunnel::EXPIRE` after a day of silence.", |r| {
            Some(r.action.name())
        })
        .big("tunnel_id", "VNI, VSID or TEID of the packet that showed it.", |r| r.tunnel_id.map(u64::from))
}
