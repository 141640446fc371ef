//! `ntp`, `snmp`, `sip`, `syslog`, `radius`, `mysql`

use super::{EventRow, place};
use crate::model::event::{Mysql, Ntp, Radius, Rtp, Sip, Snmp, Syslog};
use crate::store::column::{Columns, filled};

/// `ntp`
pub fn ntp<'a>() -> Columns<EventRow<'a, Ntp>> {
    place()
        .int("version", "Version.", |r: &EventRow<'_, Ntp>| r.version)
        .int("mode", "1 and 2 symmetric, 3 client, 4 server, 5 broadcast, 6 control, 7 private.", |r| r.mode)
        .int("stratum", "Distance from a reference clock.", |r| r.stratum)
        .double("poll", "Seconds between messages.", |r| r.poll)
        .double("precision", "Precision of the clock, seconds.", |r| r.precision)
        .double("root_delay", "Round trip to the reference clock, seconds.", |r| r.root_delay)
        .double("root_disp", "Dispersion to it, seconds.", |r| r.root_disp)
        .text("ref_id", "Reference clock: a word, or an address.", |r| r.ref_id.as_deref())
        .time("ref_time", "Clock last set.", |r| r.ref_time)
        .time("org_time", "Request sent, by the client's clock.", |r| r.org_time)
        .time("rec_time", "Request received.", |r| r.rec_time)
        .time("xmt_time", "This message sent.", |r| r.xmt_time)
        .int("num_exts", "Extension fields.", |r| r.num_exts)
        .int("control_op", "Operation of a control message.", |r| r.control_op)
        .int("req_code", "Request code of a private message: 42 is `monlist`.", |r| r.req_code)
        .bool("is_response", "A control or private message is an answer.", |r| r.is_response)
        .big("bytes", "Bytes of the message.", |r| r.bytes)
}

/// `snmp`
pub fn snmp<'a>() -> Columns<EventRow<'a, Snmp>> {
    place()
        .double("duration", "Seconds from the first message to the last.", |r: &EventRow<'_, Snmp>| r.duration)
        .text("version", "`1`, `2c`, `3`.", |r| filled(r.version))
        .text("community", "First community.", |r| r.community.as_deref())
        .big("get_requests", "Variables of Get and GetNext requests.", |r| r.get_requests)
        .big("get_bulk_requests", "Variables of GetBulk requests.", |r| r.get_bulk_requests)
        .big("get_responses", "Variables of responses.", |r| r.get_responses)
        .big("set_requests", "Variables of Set requests.", |r| r.set_requests)
        .text("display_string", "The agent's description of its system.", |r| r.display_string.as_deref())
        .time("up_since", "Since when the agent says it runs.", |r| r.up_since)
        .texts("communities", "Distinct communities, in order.", |r| &r.communities)
        .texts("usernames", "Distinct users (version 3), in order.", |r| &r.usernames)
        .texts("oids", "Distinct objects asked for, in order.", |r| &r.oids)
        .texts("set_oids", "Distinct objects that were to be set, in order.", |r| &r.set_oids)
        .big("encrypted", "Messages whose content is encrypted.", |r| r.encrypted)
        .big("errors", "Responses that report an error.", |r| r.errors)
}

/// `rtp`
pub fn rtp<'a>() -> Columns<EventRow<'a, Rtp>> {
    place()
        .text("kind", "`rtp`: counted from packets; `rtcp`: as the last report of a side tells.", |r: &EventRow<'_, Rtp>| filled(r.kind))
        .bool("is_orig", "The originator of the flow sent it: the media, or what is told.", |r| r.is_orig)
        .big("ssrc", "Synchronisation source.", |r| r.ssrc)
        .int("payload_type", "Payload type of its first packet.", |r| r.payload_type)
        .text("codec", "Its name, of fixed types (RFC 3551).", |r| r.codec)
        .big("packets", "Packets seen; told: packets sent.", |r| r.packets)
        .big("lost", "Packets lost (RFC 3550, A.3); negative where some came twice.", |r| r.lost)
        .big("late", "Packets that others had overtaken.", |r| r.late)
        .double("jitter", "Interarrival jitter at the end (RFC 3550, A.8), seconds; NULL where the clock is unknown.", |r| r.jitter)
        .big("jitter_units", "The same in units of the clock.", |r| r.jitter_units)
        .text("cname", "Its name in control messages.", |r| r.cname.as_deref())
        .double("duration", "Seconds from first to last.", |r| r.duration)
}

/// `sip`
pub fn sip<'a>() -> Columns<EventRow<'a, Sip>> {
    sip_answer(
        place()
            .int("trans_depth", "Always 0, as Zeek counts.", |r: &EventRow<'_, Sip>| r.trans_depth)
            .text("method", "`INVITE`, `REGISTER` …", |r| r.method.as_deref())
            .text("uri", "Target.", |r| r.uri.as_deref())
            .text("date", "`Date`.", |r| r.date.as_deref())
            .text("request_from", "`From` of the request, without tag.", |r| r.request_from.as_deref())
            .text("request_to", "`To` of the request.", |r| r.request_to.as_deref())
            .text("response_from", "`From` of the response, without tag.", |r| r.response_from.as_deref())
            .text("response_to", "`To` of the response.", |r| r.response_to.as_deref())
            .text("reply_to", "`Reply-To`.", |r| r.reply_to.as_deref())
            .text("call_id", "`Call-ID`.", |r| r.call_id.as_deref())
            .text("seq", "`CSeq`.", |r| r.seq.as_deref())
            .text("subject", "`Subject`.", |r| r.subject.as_deref())
            .texts("request_path", "`Via` of the request, repetitions included.", |r| &r.request_path)
            .texts("response_path", "`Via` of the responses.", |r| &r.response_path)
            .text("user_agent", "`User-Agent` of the client.", |r| r.user_agent.as_deref()),
    )
}

fn sip_answer<'a>(columns: Columns<EventRow<'a, Sip>>) -> Columns<EventRow<'a, Sip>> {
    columns
        .int("status_code", "Status.", |r| r.status_code)
        .text("status_msg", "Reason phrase.", |r| r.status_msg.as_deref())
        .text("warning", "`Warning`.", |r| r.warning.as_deref())
        .big("request_body_len", "`Content-Length` of the request.", |r| r.request_body_len)
        .big("response_body_len", "`Content-Length` of the response.", |r| r.response_body_len)
        .text("content_type", "`Content-Type` of the response.", |r| r.content_type.as_deref())
        .text("auth_user", "User of the request's authorization.", |r| r.auth_user.as_deref())
        .text("server", "`Server` of the response.", |r| r.server.as_deref())
        .big("reply_frame", "Frame of the response.", |r| r.reply_frame)
}

/// `syslog`
pub fn syslog<'a>() -> Columns<EventRow<'a, Syslog>> {
    place()
        .text("facility", "`AUTH`, `LOCAL0` …", |r: &EventRow<'_, Syslog>| Some(r.facility))
        .text("severity", "`EMERG` to `DEBUG`.", |r| Some(r.severity))
        .text("message", "What follows the priority.", |r| Some(&r.message))
}

/// `radius`
pub fn radius<'a>() -> Columns<EventRow<'a, Radius>> {
    place()
        .text("username", "User.", |r: &EventRow<'_, Radius>| r.username.as_deref())
        .text("mac", "Hardware address of the user's machine.", |r| r.mac.as_deref())
        .shown("framed_addr", "Address given to the user.", |r| r.framed_addr)
        .text("tunnel_client", "Far end of a tunnel.", |r| r.tunnel_client.as_deref())
        .text("connect_info", "Kind of connection.", |r| r.connect_info.as_deref())
        .text("reply_msg", "What the server says to the user.", |r| r.reply_msg.as_deref())
        .text("result", "`success`, `failed`, `unknown`.", |r| r.result)
        .double("ttl", "Seconds from the first request to the verdict.", |r| r.ttl)
        .text("method", "`pap`, `chap`, `mschap`, `eap`.", |r| r.method)
        .shown("nas_addr", "Access server: address.", |r| r.nas_addr)
        .text("nas_id", "Access server: name.", |r| r.nas_id.as_deref())
        .text("called_station", "What the user called: often an SSID.", |r| r.called_station.as_deref())
        .big("reply_frame", "Frame of the verdict.", |r| r.reply_frame)
}

/// `mysql`
pub fn mysql<'a>() -> Columns<EventRow<'a, Mysql>> {
    place()
        .text("cmd", "`login`, `query`, `quit` …", |r: &EventRow<'_, Mysql>| Some(&r.cmd))
        .text("arg", "User of a login, text of a query.", |r| Some(&r.arg))
        .bool("success", "What the server said.", |r| r.success)
        .big("rows", "Rows changed.", |r| r.rows)
        .text("response", "Error in the server's words.", |r| r.response.as_deref())
        .int("error_code", "Error number.", |r| r.error_code)
        .text("server_version", "Version of the server.", |r| r.server_version.as_deref())
        .text("user", "User of the session.", |r| r.user.as_deref())
        .big("reply_frame", "Frame of the answer.", |r| r.reply_frame)
}
