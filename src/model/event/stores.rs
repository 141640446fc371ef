//! Data stores, queues, and the greetings of what builds tunnels and swarms.

/// An MQTT client introduces itself (versions 3.1 to 5).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MqttConnect {
    /// `MQTT`, `MQIsdp`.
    pub proto_name: Option<String>,
    /// `3.1`, `3.1.1`, `5.0`.
    pub proto_version: Option<String>,
    /// Name of the client.
    pub client_id: Option<String>,
    /// What the broker answered, in Zeek's words.
    pub connect_status: Option<String>,
    /// Topic of the will.
    pub will_topic: Option<String>,
    /// Its message.
    pub will_payload: Option<String>,
    /// User.
    pub username: Option<String>,
    /// Seconds between signs of life.
    pub keep_alive: Option<u16>,
}

/// An MQTT message with what became of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MqttPublish {
    /// Sent by the client.
    pub from_client: bool,
    /// To be kept for later subscribers.
    pub retain: bool,
    /// `at most once`, `at least once`, `exactly once`.
    pub qos: &'static str,
    /// `ok`, or `incomplete_qos` where the acknowledgements were not all seen.
    pub status: &'static str,
    /// Topic.
    pub topic: String,
    /// First bytes of the message.
    pub payload: String,
    /// All its bytes.
    pub payload_len: u64,
}

/// An MQTT client subscribes, or stops to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MqttSubscribe {
    /// `MQTT::SUBSCRIBE`, `MQTT::UNSUBSCRIBE`.
    pub action: &'static str,
    /// Topics, at most 64.
    pub topics: Vec<String>,
    /// Quality asked for.
    pub qos_levels: Vec<u8>,
    /// Quality granted.
    pub granted_qos_level: Option<u8>,
    /// The broker answered.
    pub ack: bool,
}

/// A Redis command with its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Redis {
    /// Command as sent.
    pub cmd_name: String,
    /// Key.
    pub cmd_key: Option<String>,
    /// Value.
    pub cmd_value: Option<String>,
    /// All words of the command but secrets, at most 1,024 bytes.
    pub cmd_args: Option<String>,
    /// It was carried out; `None` without an answer.
    pub success: Option<bool>,
    /// Answer, at most 1,024 bytes.
    pub reply_value: Option<String>,
    /// Frame of the answer.
    pub reply_frame: Option<u64>,
}

/// A PostgreSQL request with its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Postgresql {
    /// User of the session.
    pub user: Option<String>,
    /// Database of the session.
    pub database: Option<String>,
    /// Program that asks.
    pub application_name: Option<String>,
    /// `startup`, `simple_query`, `terminate` …
    pub frontend: Option<String>,
    /// The query.
    pub frontend_arg: Option<String>,
    /// `auth_ok`, `error` …
    pub backend: Option<String>,
    /// What it says more.
    pub backend_arg: Option<String>,
    /// It succeeded.
    pub success: Option<bool>,
    /// Rows returned.
    pub rows: Option<u64>,
    /// Text of a statement that was prepared and run in several messages.
    pub statement: Option<String>,
    /// Frame of the answer.
    pub reply_frame: Option<u64>,
}

/// A request to a Microsoft SQL server with its answer (MS-TDS).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tds {
    /// `prelogin`, `login`, `sql_batch`, `rpc` …
    pub command: &'static str,
    /// Query, or name of the procedure.
    pub arg: Option<String>,
    /// User.
    pub user: Option<String>,
    /// Name of the client's machine.
    pub host: Option<String>,
    /// Program.
    pub application: Option<String>,
    /// Server as the client names it.
    pub server: Option<String>,
    /// Database.
    pub database: Option<String>,
    /// Library of the client.
    pub library: Option<String>,
    /// Version of the protocol, hex.
    pub version: Option<String>,
    /// `off`, `on`, `unsupported`, `required`: encryption that the prelogin asks for.
    pub encryption: Option<&'static str>,
    /// The login proves itself through NTLM or Kerberos.
    pub integrated: bool,
    /// It succeeded; `None` if nothing was seen.
    pub success: Option<bool>,
    /// Error number.
    pub error_code: Option<u32>,
    /// Its words.
    pub response: Option<String>,
    /// Frame of the answer.
    pub reply_frame: Option<u64>,
}

/// A MongoDB command with its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mongodb {
    /// Operation of the wire protocol: `msg`, `query`, `insert` …
    pub opcode: &'static str,
    /// Command: `find`, `insert`, `saslStart` …
    pub command: Option<String>,
    /// Database.
    pub database: Option<String>,
    /// Collection.
    pub collection: Option<String>,
    /// How the user proves himself.
    pub mechanism: Option<String>,
    /// User.
    pub user: Option<String>,
    /// Program or driver that the client names.
    pub application: Option<String>,
    /// It succeeded; `None` without an answer.
    pub success: Option<bool>,
    /// Error in the server's words.
    pub response: Option<String>,
    /// Frame of the answer.
    pub reply_frame: Option<u64>,
}

/// An IKE message (RFC 2409, RFC 7296) as far as it is in clear.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ike {
    /// Sent by the originator.
    pub is_orig: bool,
    /// `1.0`, `2.0`.
    pub version: String,
    /// SPI, or cookie, of the initiator, hex.
    pub initiator_spi: String,
    /// Of the responder, hex.
    pub responder_spi: String,
    /// Exchange: `main mode`, `IKE_SA_INIT` …
    pub exchange: String,
    /// Message id.
    pub message_id: u32,
    /// A response.
    pub is_response: bool,
    /// The rest is encrypted.
    pub encrypted: bool,
    /// Payloads in order.
    pub payloads: Vec<String>,
    /// Encryption, integrity, groups … offered or chosen, at most 64.
    pub transforms: Vec<String>,
    /// Vendor ids, named where known, else hex; at most 16.
    pub vendor_ids: Vec<String>,
    /// Notifications, at most 16.
    pub notifies: Vec<String>,
    /// Identity in clear (aggressive mode).
    pub identity: Option<String>,
    /// Group of the key exchange.
    pub dh_group: Option<u16>,
}

/// A STUN transaction (RFC 5389): a request with its answer, or either alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stun {
    /// `binding`, `allocate`, `send` …
    pub method: String,
    /// `request`, `indication`, `success`, `error`: the last of it that was seen.
    pub class: &'static str,
    /// Transaction id, hex.
    pub trans_id: String,
    /// Address under which the server sees the client.
    pub mapped_address: Option<String>,
    /// Address that a relay reserved.
    pub relayed_address: Option<String>,
    /// Peer on the other side of a relay.
    pub peer_address: Option<String>,
    /// Program.
    pub software: Option<String>,
    /// User.
    pub username: Option<String>,
    /// Realm.
    pub realm: Option<String>,
    /// Error with its words.
    pub error: Option<String>,
    /// Frame of the answer.
    pub reply_frame: Option<u64>,
}

/// What a flow of a simple protocol says in its first messages: queues, caches, tunnels, swarms, miners. One row a flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Greeting {
    /// Service, as in `flows`.
    pub service: &'static str,
    /// Version of the protocol.
    pub version: Option<String>,
    /// Program of the client.
    pub client: Option<String>,
    /// Program of the server.
    pub server: Option<String>,
    /// User, worker or wallet.
    pub user: Option<String>,
    /// What it is about: info hash, virtual host, first command, cipher …
    pub subject: Option<String>,
    /// The server answered.
    pub answered: bool,
    /// Messages understood.
    pub messages: u64,
}
