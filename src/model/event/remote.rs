//! Remote shells, desktops and proxies.

/// An RDP connection as far as it is in clear, and what its shape tells of the logon.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rdp {
    /// `mstshash` of the connection request: often a user name, cut to nine letters.
    pub cookie: Option<String>,
    /// `Success`, `encrypted`, or why the server refused.
    pub result: Option<String>,
    /// Security protocol chosen: `RDP`, `SSL`, `HYBRID`, `HYBRID_EX` …
    pub security_protocol: Option<String>,
    /// Channels the client asks for.
    pub client_channels: Vec<String>,
    /// Keyboard layout.
    pub keyboard_layout: Option<String>,
    /// Version of the client.
    pub client_build: Option<String>,
    /// Name of the client's machine.
    pub client_name: Option<String>,
    /// Product id of the client's machine.
    pub client_dig_product_id: Option<String>,
    /// Pixels.
    pub desktop_width: Option<u16>,
    /// Pixels.
    pub desktop_height: Option<u16>,
    /// `32bit`, `16bit` …
    pub requested_color_depth: Option<String>,
    /// `RSA` or `X.509`, of native encryption.
    pub cert_type: Option<&'static str>,
    /// Certificates sent, of native encryption.
    pub cert_count: u32,
    /// The certificate is no temporary one.
    pub cert_permanent: Option<bool>,
    /// Level of native encryption.
    pub encryption_level: Option<String>,
    /// Method of native encryption.
    pub encryption_method: Option<String>,
    /// Security protocols the client asks for: 1 TLS, 2 CredSSP, 4 RDSTLS, 8 CredSSP with early result, 16 AAD.
    pub requested_protocols: Option<u32>,
    /// The request carries a routing token of a load balancer.
    pub routing_token: Option<String>,
    /// The server sent a licence message: the client's credentials were taken (native encryption).
    pub licence_seen: bool,
    /// Messages (of TLS: records) of the client once the session stands, at most 10,000.
    pub input_pkts: u32,
    /// Inferred: `Some(true)` the logon succeeded.
    pub auth_success: Option<bool>,
    /// Why that was inferred.
    pub auth_evidence: String,
}

/// A VNC connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rfb {
    /// `003`.
    pub client_major_version: Option<String>,
    /// `008` …
    pub client_minor_version: Option<String>,
    /// Of the server.
    pub server_major_version: Option<String>,
    /// Of the server.
    pub server_minor_version: Option<String>,
    /// Security type chosen.
    pub authentication_method: Option<String>,
    /// The server accepted.
    pub auth: Option<bool>,
    /// Others may stay connected.
    pub share_flag: Option<bool>,
    /// Name of the desktop.
    pub desktop_name: Option<String>,
    /// Pixels.
    pub width: Option<u16>,
    /// Pixels.
    pub height: Option<u16>,
    /// Security types the server offers.
    pub offered: Vec<u8>,
    /// Why the server refused.
    pub reason: Option<String>,
}

/// A SOCKS request with its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Socks {
    /// 4 or 5.
    pub version: u8,
    /// User.
    pub user: Option<String>,
    /// What the proxy said.
    pub status: Option<String>,
    /// Where to: address.
    pub request_host: Option<std::net::IpAddr>,
    /// Where to: name.
    pub request_name: Option<String>,
    /// Where to: port.
    pub request_p: Option<u16>,
    /// Where the proxy stands: address.
    pub bound_host: Option<std::net::IpAddr>,
    /// Where the proxy stands: name.
    pub bound_name: Option<String>,
    /// Where the proxy stands: port.
    pub bound_p: Option<u16>,
    /// `connect`, `bind`, `udp associate`.
    pub command: Option<&'static str>,
    /// Frame of the answer.
    pub reply_frame: Option<u64>,
}

/// An SSH connection's greeting and what its shape tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ssh {
    /// 1 or 2.
    pub version: Option<u8>,
    /// Client banner without the line end.
    pub client: Option<String>,
    /// Server banner.
    pub server: Option<String>,
    /// Inferred: `Some(true)` a login succeeded.
    pub auth_success: Option<bool>,
    /// Attempts inferred.
    pub auth_attempts: u32,
    /// Why that was inferred.
    pub auth_evidence: String,
    /// Chosen cipher, client to server.
    pub cipher_alg: Option<String>,
    /// Chosen MAC.
    pub mac_alg: Option<String>,
    /// Chosen compression.
    pub compression_alg: Option<String>,
    /// Chosen key exchange.
    pub kex_alg: Option<String>,
    /// Chosen host key algorithm.
    pub host_key_alg: Option<String>,
    /// `SHA256:` and the first 32 characters of the base64 digest of the server's host key, as Zeek prints it.
    pub host_key_fingerprint: Option<String>,
    /// `SHA256:` and the whole of it, as OpenSSH prints it.
    pub host_key_sha256: Option<String>,
    /// HASSH of the client.
    pub hassh: Option<String>,
    /// HASSH of the server.
    pub hassh_server: Option<String>,
}
