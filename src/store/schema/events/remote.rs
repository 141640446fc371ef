//! `rdp`, `rfb`, `socks`

use super::{EventRow, place};
use crate::model::event::{Rdp, Rfb, Socks};
use crate::store::column::{Columns, filled};

/// `rdp`
pub fn rdp<'a>() -> Columns<EventRow<'a, Rdp>> {
    rdp_ours(
        place()
            .text("cookie", "`mstshash` of the request: often a user name, cut to nine letters.", |r: &EventRow<'_, Rdp>| {
                r.cookie.as_deref()
            })
            .text("result", "`Success`, `encrypted`, or why the server refused.", |r| r.result.as_deref())
            .text("security_protocol", "Chosen: `RDP`, `SSL`, `HYBRID`, `HYBRID_EX` …", |r| r.security_protocol.as_deref())
            .texts("client_channels", "Channels the client asks for.", |r| &r.client_channels)
            .text("keyboard_layout", "Keyboard layout.", |r| r.keyboard_layout.as_deref())
            .text("client_build", "Version of the client.", |r| r.client_build.as_deref())
            .text("client_name", "Name of the client's machine.", |r| r.client_name.as_deref())
            .text("client_dig_product_id", "Product id of the client's machine.", |r| r.client_dig_product_id.as_deref())
            .int("desktop_width", "Pixels.", |r| r.desktop_width)
            .int("desktop_height", "Pixels.", |r| r.desktop_height)
            .text("requested_color_depth", "`32bit`, `16bit` …", |r| r.requested_color_depth.as_deref())
            .text("cert_type", "`RSA` or `X.509`, of native encryption.", |r| r.cert_type)
            .int("cert_count", "Certificates sent, of native encryption.", |r| r.cert_count)
            .bool("cert_permanent", "The certificate is no temporary one.", |r| r.cert_permanent)
            .text("encryption_level", "Level of native encryption.", |r| r.encryption_level.as_deref())
            .text("encryption_method", "Method of native encryption.", |r| r.encryption_method.as_deref()),
    )
}

fn rdp_ours<'a>(columns: Columns<EventRow<'a, Rdp>>) -> Columns<EventRow<'a, Rdp>> {
    columns
        .big("requested_protocols", "The client asks for: 1 TLS, 2 CredSSP, 4 RDSTLS, 8 CredSSP with early result, 16 AAD.", |r| {
            r.requested_protocols
        })
        .text("routing_token", "Routing token of a load balancer.", |r| r.routing_token.as_deref())
        .bool("licence_seen", "The server sent a licence message: credentials were taken (native encryption).", |r| r.licence_seen)
        .int("input_pkts", "Messages (of TLS: records) of the client once the session stands, at most 10,000.", |r| r.input_pkts)
        .bool("auth_success", "The logon succeeded, inferred; NULL if it cannot be told.", |r| r.auth_success)
        .text("auth_evidence", "Why that was inferred.", |r| filled(&r.auth_evidence))
}

/// `rfb`
pub fn rfb<'a>() -> Columns<EventRow<'a, Rfb>> {
    place()
        .text("client_major_version", "`003`.", |r: &EventRow<'_, Rfb>| r.client_major_version.as_deref())
        .text("client_minor_version", "`008` …", |r| r.client_minor_version.as_deref())
        .text("server_major_version", "Of the server.", |r| r.server_major_version.as_deref())
        .text("server_minor_version", "Of the server.", |r| r.server_minor_version.as_deref())
        .text("authentication_method", "Security type chosen.", |r| r.authentication_method.as_deref())
        .bool("auth", "The server accepted.", |r| r.auth)
        .bool("share_flag", "Others may stay connected.", |r| r.share_flag)
        .text("desktop_name", "Name of the desktop.", |r| r.desktop_name.as_deref())
        .int("width", "Pixels.", |r| r.width)
        .int("height", "Pixels.", |r| r.height)
        .ints("offered", "Security types the server offers.", |r| &r.offered)
        .text("reason", "Why the server refused.", |r| r.reason.as_deref())
}

/// `socks`
pub fn socks<'a>() -> Columns<EventRow<'a, Socks>> {
    place()
        .int("version", "4 or 5.", |r: &EventRow<'_, Socks>| r.version)
        .text("user", "User.", |r| r.user.as_deref())
        .text("status", "What the proxy said.", |r| r.status.as_deref())
        .shown("request_host", "Where to: address.", |r| r.request_host)
        .text("request_name", "Where to: name.", |r| r.request_name.as_deref())
        .int("request_p", "Where to: port.", |r| r.request_p)
        .shown("bound_host", "Where the proxy stands: address.", |r| r.bound_host)
        .text("bound_name", "Where the proxy stands: name.", |r| r.bound_name.as_deref())
        .int("bound_p", "Where the proxy stands: port.", |r| r.bound_p)
        .text("command", "`connect`, `bind`, `udp associate`.", |r| r.command)
        .big("reply_frame", "Frame of the answer.", |r| r.reply_frame)
}
