//! `mqtt_connect`, `mqtt_publish`, `mqtt_subscribe`, `redis`, `postgresql`, `tds`, `mongodb`, `ike`, `stun`, `greetings`

use super::{EventRow, place};
use crate::model::event::{Greeting, Ike, Mongodb, MqttConnect, MqttPublish, MqttSubscribe, Postgresql, Redis, Stun, Tds};
use crate::store::column::{Columns, filled};

/// `mqtt_connect`
pub fn mqtt_connect<'a>() -> Columns<EventRow<'a, MqttConnect>> {
    place()
        .text("proto_name", "`MQTT`, `MQIsdp`.", |r: &EventRow<'_, MqttConnect>| r.proto_name.as_deref())
        .text("proto_version", "`3.1`, `3.1.1`, `5.0`.", |r| r.proto_version.as_deref())
        .text("client_id", "Name of the client.", |r| r.client_id.as_deref())
        .text("connect_status", "What the broker answered, in Zeek's words.", |r| r.connect_status.as_deref())
        .text("will_topic", "Topic of the will.", |r| r.will_topic.as_deref())
        .text("will_payload", "Its message.", |r| r.will_payload.as_deref())
        .text("username", "User.", |r| r.username.as_deref())
        .int("keep_alive", "Seconds between signs of life.", |r| r.keep_alive)
}

/// `mqtt_publish`
pub fn mqtt_publish<'a>() -> Columns<EventRow<'a, MqttPublish>> {
    place()
        .bool("from_client", "Sent by the client.", |r: &EventRow<'_, MqttPublish>| r.from_client)
        .bool("retain", "To be kept for later subscribers.", |r| r.retain)
        .text("qos", "`at most once`, `at least once`, `exactly once`.", |r| filled(r.qos))
        .text("status", "`ok`, or `incomplete_qos` where the acknowledgements were not all seen.", |r| filled(r.status))
        .text("topic", "Topic.", |r| filled(&r.topic))
        .text("payload", "First bytes of the message.", |r| filled(&r.payload))
        .big("payload_len", "All its bytes.", |r| r.payload_len)
}

/// `mqtt_subscribe`
pub fn mqtt_subscribe<'a>() -> Columns<EventRow<'a, MqttSubscribe>> {
    place()
        .text("action", "`MQTT::SUBSCRIBE`, `MQTT::UNSUBSCRIBE`.", |r: &EventRow<'_, MqttSubscribe>| filled(r.action))
        .texts("topics", "Topics, at most 64.", |r| &r.topics)
        .ints("qos_levels", "Quality asked for.", |r| r.qos_levels.as_slice())
        .int("granted_qos_level", "Quality granted.", |r| r.granted_qos_level)
        .bool("ack", "The broker answered.", |r| r.ack)
}

/// `redis`
pub fn redis<'a>() -> Columns<EventRow<'a, Redis>> {
    place()
        .text("cmd_name", "Command as sent.", |r: &EventRow<'_, Redis>| filled(&r.cmd_name))
        .text("cmd_key", "Key.", |r| r.cmd_key.as_deref())
        .text("cmd_value", "Value.", |r| r.cmd_value.as_deref())
        .text("cmd_args", "All words of the command but secrets, at most 1,024 bytes.", |r| r.cmd_args.as_deref())
        .bool("success", "It was carried out; NULL without an answer.", |r| r.success)
        .text("reply_value", "Answer, at most 1,024 bytes.", |r| r.reply_value.as_deref())
        .big("reply_frame", "Frame of the answer.", |r| r.reply_frame)
}

/// `postgresql`
pub fn postgresql<'a>() -> Columns<EventRow<'a, Postgresql>> {
    place()
        .text("user", "User of the session.", |r: &EventRow<'_, Postgresql>| r.user.as_deref())
        .text("database", "Database of the session.", |r| r.database.as_deref())
        .text("application_name", "Program that asks.", |r| r.application_name.as_deref())
        .text("frontend", "`startup`, `simple_query`, `terminate` …", |r| r.frontend.as_deref())
        .text("frontend_arg", "The query.", |r| r.frontend_arg.as_deref())
        .text("backend", "`auth_ok`, `error` …", |r| r.backend.as_deref())
        .text("backend_arg", "What it says more.", |r| r.backend_arg.as_deref())
        .bool("success", "It succeeded.", |r| r.success)
        .big("rows", "Rows returned.", |r| r.rows)
        .text("statement", "Text of a statement that was prepared and run in several messages.", |r| r.statement.as_deref())
        .big("reply_frame", "Frame of the answer.", |r| r.reply_frame)
}

/// `tds`
pub fn tds<'a>() -> Columns<EventRow<'a, Tds>> {
    place()
        .text("command", "`prelogin`, `login`, `sql_batch`, `rpc` …", |r: &EventRow<'_, Tds>| filled(r.command))
        .text("arg", "Query, or name of the procedure.", |r| r.arg.as_deref())
        .text("user", "User.", |r| r.user.as_deref())
        .text("host", "Name of the client's machine.", |r| r.host.as_deref())
        .text("application", "Program.", |r| r.application.as_deref())
        .text("server", "Server as the client names it.", |r| r.server.as_deref())
        .text("database", "Database.", |r| r.database.as_deref())
        .text("library", "Library of the client.", |r| r.library.as_deref())
        .text("version", "Version of the protocol, hex.", |r| r.version.as_deref())
        .text("encryption", "`off`, `on`, `unsupported`, `required`: encryption that the prelogin asks for.", |r| r.encryption)
        .bool("integrated", "The login proves itself through NTLM or Kerberos.", |r| r.integrated)
        .bool("success", "It succeeded; NULL if nothing was seen.", |r| r.success)
        .big("error_code", "Error number.", |r| r.error_code)
        .text("response", "Its words.", |r| r.response.as_deref())
        .big("reply_frame", "Frame of the answer.", |r| r.reply_frame)
}

/// `mongodb`
pub fn mongodb<'a>() -> Columns<EventRow<'a, Mongodb>> {
    place()
        .text("opcode", "Operation of the wire protocol: `msg`, `query`, `insert` …", |r: &EventRow<'_, Mongodb>| filled(r.opcode))
        .text("command", "Command: `find`, `insert`, `saslStart` …", |r| r.command.as_deref())
        .text("database", "Database.", |r| r.database.as_deref())
        .text("collection", "Collection.", |r| r.collection.as_deref())
        .text("mechanism", "How the user proves himself.", |r| r.mechanism.as_deref())
        .text("user", "User.", |r| r.user.as_deref())
        .text("application", "Program or driver that the client names.", |r| r.application.as_deref())
        .bool("success", "It succeeded; NULL without an answer.", |r| r.success)
        .text("response", "Error in the server's words.", |r| r.response.as_deref())
        .big("reply_frame", "Frame of the answer.", |r| r.reply_frame)
}

/// `ike`
pub fn ike<'a>() -> Columns<EventRow<'a, Ike>> {
    place()
        .bool("is_orig", "Sent by the originator.", |r: &EventRow<'_, Ike>| r.is_orig)
        .text("version", "`1.0`, `2.0`.", |r| filled(&r.version))
        .text("initiator_spi", "SPI, or cookie, of the initiator, hex.", |r| filled(&r.initiator_spi))
        .text("responder_spi", "Of the responder, hex.", |r| filled(&r.responder_spi))
        .text("exchange", "Exchange: `main mode`, `IKE_SA_INIT` …", |r| filled(&r.exchange))
        .big("message_id", "Message id.", |r| r.message_id)
        .bool("is_response", "A response.", |r| r.is_response)
        .bool("encrypted", "The rest is encrypted.", |r| r.encrypted)
        .texts("payloads", "Payloads in order.", |r| &r.payloads)
        .texts("transforms", "Encryption, integrity, groups … offered or chosen, at most 64.", |r| &r.transforms)
        .texts("vendor_ids", "Vendor ids, named where known, else hex; at most 16.", |r| &r.vendor_ids)
        .texts("notifies", "Notifications, at most 16.", |r| &r.notifies)
        .text("identity", "Identity in clear (aggressive mode).", |r| r.identity.as_deref())
        .int("dh_group", "Group of the key exchange.", |r| r.dh_group)
}

/// `stun`
pub fn stun<'a>() -> Columns<EventRow<'a, Stun>> {
    place()
        .text("method", "`binding`, `allocate`, `send` …", |r: &EventRow<'_, Stun>| filled(&r.method))
        .text("class", "`request`, `indication`, `success`, `error`: the last of it that was seen.", |r| filled(r.class))
        .text("trans_id", "Transaction id, hex.", |r| filled(&r.trans_id))
        .text("mapped_address", "Address under which the server sees the client.", |r| r.mapped_address.as_deref())
        .text("relayed_address", "Address that a relay reserved.", |r| r.relayed_address.as_deref())
        .text("peer_address", "Peer on the other side of a relay.", |r| r.peer_address.as_deref())
        .text("software", "Program.", |r| r.software.as_deref())
        .text("username", "User.", |r| r.username.as_deref())
        .text("realm", "Realm.", |r| r.realm.as_deref())
        .text("error", "Error with its words.", |r| r.error.as_deref())
        .big("reply_frame", "Frame of the answer.", |r| r.reply_frame)
}

/// `greetings`
pub fn greeting<'a>() -> Columns<EventRow<'a, Greeting>> {
    place()
        .text("service", "Service, as in `flows`.", |r: &EventRow<'_, Greeting>| filled(r.service))
        .text("version", "Version of the protocol.", |r| r.version.as_deref())
        .text("client", "Program of the client.", |r| r.client.as_deref())
        .text("server", "Program of the server.", |r| r.server.as_deref())
        .text("user", "User, worker or wallet.", |r| r.user.as_deref())
        .text("subject", "What it is about: info hash, virtual host, first command, cipher …", |r| r.subject.as_deref())
        .bool("answered", "The server answered.", |r| r.answered)
        .big("messages", "Messages understood.", |r| r.messages)
}
