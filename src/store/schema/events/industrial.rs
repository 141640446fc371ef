//! `modbus`, `dnp3`, `s7comm`, `enip`, `cip`, `cip_identity`, `bacnet`, `iec104`, `opcua_binary`

use super::{EventRow, place};
use crate::model::event::{Bacnet, Cip, CipIdentity, Dnp3, Enip, Iec104, Modbus, Opcua, S7comm};
use crate::store::column::{Columns, filled};

/// `modbus`
pub fn modbus<'a>() -> Columns<EventRow<'a, Modbus>> {
    place()
        .int("tid", "Transaction id.", |r: &EventRow<'_, Modbus>| r.tid)
        .int("unit", "Unit behind the address: 0 all, 255 the device itself.", |r| r.unit)
        .text("func", "Function as Zeek names it, `_EXCEPTION` behind it where it failed.", |r| filled(&r.func))
        .text("pdu_type", "`REQ`, `RESP`.", |r| filled(r.pdu_type))
        .text("exception", "Why it failed.", |r| r.exception.as_deref())
        .int("func_code", "Function code as sent.", |r| r.func_code)
        .text("access", "`read`, `write`, `both`; empty where it is neither.", |r| filled(r.access))
        .int("address", "First coil or register, counted from 0; of a response: as asked for.", |r| r.address)
        .int("quantity", "How many.", |r| r.quantity)
        .ints("values", "First values, at most 32: registers as numbers, coils as 0 and 1.", |r| r.values.as_slice())
}

/// `dnp3`
pub fn dnp3<'a>() -> Columns<EventRow<'a, Dnp3>> {
    place()
        .text("fc_request", "Function of the request.", |r: &EventRow<'_, Dnp3>| r.fc_request.as_deref())
        .text("fc_reply", "Function of the response.", |r| r.fc_reply.as_deref())
        .int("iin", "Internal indications of the response.", |r| r.iin)
        .int("master", "Link address of the master.", |r| r.master)
        .int("outstation", "Link address of the outstation.", |r| r.outstation)
        .texts("objects", "Objects of the request, `group:variation`, at most 8.", |r| &r.objects)
        .texts("reply_objects", "Objects of the response, likewise.", |r| &r.reply_objects)
        .big("reply_frame", "Frame of the response.", |r| r.reply_frame)
}

/// `s7comm`
pub fn s7comm<'a>() -> Columns<EventRow<'a, S7comm>> {
    place()
        .int("rosctr_code", "Kind of the message: 1 job, 2 acknowledgement, 3 its data, 7 user data.", |r: &EventRow<'_, S7comm>| {
            r.rosctr_code
        })
        .text("rosctr_name", "Its name.", |r| filled(r.rosctr_name))
        .int("pdu_reference", "Number that pairs job and answer.", |r| r.pdu_reference)
        .int("function_code", "Function.", |r| r.function_code)
        .text("function_name", "Its name.", |r| r.function_name)
        .int("subfunction_code", "Group and number of a user data function.", |r| r.subfunction_code)
        .text("subfunction_name", "Its name.", |r| r.subfunction_name)
        .int("error_class", "Class of the error that the answer tells.", |r| r.error_class)
        .int("error_code", "Code of the error.", |r| r.error_code)
        .text("action", "`read`, `write`, `start`, `stop`, `download`, `upload`, `setup`; empty for the rest.", |r| filled(r.action))
        .texts("items", "Items asked for, as programmers write them: `DB1.DBX0.0 BYTE 4`; at most 8.", |r| &r.items)
        .text("area", "First item: memory area.", |r| r.area)
        .int("db", "First item: data block.", |r| r.db)
        .big("address", "First item: byte address.", |r| r.address)
        .text("block", "Block of a transfer (`0A00001P`), or service of a control job (`P_PROGRAM`).", |r| r.block.as_deref())
        .int("szl_id", "System status list asked for (user data).", |r| r.szl_id)
        .int("szl_index", "Its index.", |r| r.szl_index)
        .bool("is_orig", "Sent by the originator.", |r| r.is_orig)
        .text("data", "Bytes that were read or are to be written, the first 32 of the first item, hex.", |r| filled(&r.data))
        .big("reply_frame", "Frame of the answer.", |r| r.reply_frame)
}

/// `enip`
pub fn enip<'a>() -> Columns<EventRow<'a, Enip>> {
    place()
        .bool("is_orig", "Sent by the originator.", |r: &EventRow<'_, Enip>| r.is_orig)
        .int("enip_command_code", "Command.", |r| r.enip_command_code)
        .text("enip_command", "Its name.", |r| filled(&r.enip_command))
        .int("length", "Bytes behind the header.", |r| r.length)
        .big("session_handle", "Session.", |r| r.session_handle)
        .big("enip_status_code", "Status.", |r| r.enip_status_code)
        .text("enip_status", "Its name.", |r| filled(&r.enip_status))
        .text("sender_context", "What the sender wants to see again, hex.", |r| filled(&r.sender_context))
        .big("options", "Options.", |r| r.options)
}

/// `cip`
pub fn cip<'a>() -> Columns<EventRow<'a, Cip>> {
    place()
        .bool("is_orig", "Sent by the originator.", |r: &EventRow<'_, Cip>| r.is_orig)
        .text("direction", "`request`, `response`.", |r| filled(r.direction))
        .int("cip_sequence_count", "Number within the connection, of connected messages.", |r| r.cip_sequence_count)
        .int("cip_service_code", "Service code, without the bit for responses.", |r| r.cip_service_code)
        .text("cip_service", "Its name.", |r| filled(&r.cip_service))
        .int("cip_status_code", "General status of a response.", |r| r.cip_status_code)
        .text("cip_status", "Its name.", |r| r.cip_status.as_deref())
        .big("class_id", "Class.", |r| r.class_id)
        .text("class_name", "Its name.", |r| r.class_name)
        .big("instance_id", "Instance.", |r| r.instance_id)
        .big("attribute_id", "Attribute.", |r| r.attribute_id)
        .text("tag", "Symbol, as Rockwell controllers name their tags.", |r| r.tag.as_deref())
        .bool("write", "It changes the device: a write, a start, a stop, a reset, a download.", |r| r.write)
}

/// `cip_identity`
pub fn cip_identity<'a>() -> Columns<EventRow<'a, CipIdentity>> {
    place()
        .int("vendor_id", "Vendor number (ODVA).", |r: &EventRow<'_, CipIdentity>| r.vendor_id)
        .int("device_type_id", "Device type.", |r| r.device_type_id)
        .int("product_code", "Product code of the vendor.", |r| r.product_code)
        .text("revision", "`major.minor`.", |r| filled(&r.revision))
        .int("device_status", "Status word.", |r| r.device_status)
        .text("serial_number", "Serial number, hex.", |r| filled(&r.serial_number))
        .text("product_name", "Product name.", |r| filled(&r.product_name))
        .int("device_state", "State of the device.", |r| r.device_state)
        .text("socket_address", "Address that it gives.", |r| filled(&r.socket_address))
        .int("socket_port", "Port that it gives.", |r| r.socket_port)
}

/// `bacnet`
pub fn bacnet<'a>() -> Columns<EventRow<'a, Bacnet>> {
    place()
        .bool("is_orig", "Sent by the originator.", |r: &EventRow<'_, Bacnet>| r.is_orig)
        .text("bvlc_function", "Function of the virtual link: `Original-Unicast-NPDU` …", |r| filled(&r.bvlc_function))
        .text("pdu_type", "`CONFIRMED_REQUEST`, `SIMPLE_ACK`, `ERROR` …; empty for messages of the network layer.", |r| {
            filled(r.pdu_type)
        })
        .text("pdu_service", "Service: `read_property`, `who_is` …", |r| filled(&r.pdu_service))
        .int("invoke_id", "Number that pairs request and answer.", |r| r.invoke_id)
        .text("object_type", "Type of the first object.", |r| r.object_type.as_deref())
        .big("instance_number", "Number of the first object.", |r| r.instance_number)
        .text("property", "First property.", |r| r.property.as_deref())
        .text("value", "Value that is read or written, as far as it is simple.", |r| r.value.as_deref())
        .bool("write", "It changes the device: a write, a restart, a silencing, a file transfer to it.", |r| r.write)
        .text("result_code", "Error, reject or abort: class and code, or reason.", |r| r.result_code.as_deref())
}

/// `iec104`
pub fn iec104<'a>() -> Columns<EventRow<'a, Iec104>> {
    place()
        .bool("is_orig", "Sent by the originator: in a sound plant the control centre.", |r: &EventRow<'_, Iec104>| r.is_orig)
        .text("apci_type", "`I`, `S`, `U`.", |r| filled(r.apci_type))
        .text("u_function", "Function of an unnumbered message: `STARTDT act` …", |r| r.u_function)
        .int("send_seq", "Send number.", |r| r.send_seq)
        .int("recv_seq", "Receive number.", |r| r.recv_seq)
        .int("type_id", "Type of the message.", |r| r.type_id)
        .text("type_name", "Its name: `C_SC_NA_1` …", |r| r.type_name.as_deref())
        .text("direction", "`control`, `monitor`, `parameter`, `file`, `system`; empty without a type.", |r| filled(r.direction))
        .int("cause", "Cause of transmission.", |r| r.cause)
        .text("cause_name", "Its name.", |r| r.cause_name.as_deref())
        .bool("negative", "Negative confirmation.", |r| r.negative)
        .bool("test", "A test.", |r| r.test)
        .int("originator", "Originator address of the control centre.", |r| r.originator)
        .int("common_address", "Station address.", |r| r.common_address)
        .int("objects", "Objects in it.", |r| r.objects)
        .big("object_address", "First object's address.", |r| r.object_address)
        .text("value", "First object's value, where the type is a simple one.", |r| r.value.as_deref())
}

/// `opcua`
pub fn opcua<'a>() -> Columns<EventRow<'a, Opcua>> {
    place()
        .bool("is_orig", "Sent by the originator.", |r: &EventRow<'_, Opcua>| r.is_orig)
        .text("msg_type", "`HEL`, `ACK`, `ERR`, `RHE`, `OPN`, `CLO`.", |r| filled(&r.msg_type))
        .big("msg_size", "Bytes of the message.", |r| r.msg_size)
        .text("endpoint_url", "Address that the client asks for.", |r| r.endpoint_url.as_deref())
        .text("security_policy", "Security policy of the channel.", |r| r.security_policy.as_deref())
        .text("sender_cert_sha256", "SHA-256 of the sender's certificate, hex.", |r| r.sender_cert_sha256.as_deref())
        .text("error", "Error number, hex.", |r| r.error.as_deref())
        .text("reason", "Its words.", |r| r.reason.as_deref())
}
