//! What machines say to each other: controllers, field devices, building automation, telecontrol. One row a message, unless told otherwise.

/// A Modbus message (Modbus Application Protocol 1.1b3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Modbus {
    /// Transaction id.
    pub tid: u16,
    /// Unit behind the address: 0 all, 255 the device itself.
    pub unit: u8,
    /// Function as Zeek names it, `_EXCEPTION` behind it where it failed.
    pub func: String,
    /// `REQ`, `RESP`.
    pub pdu_type: &'static str,
    /// Why it failed.
    pub exception: Option<String>,
    /// Function code as sent.
    pub func_code: u8,
    /// `read`, `write`, `both`; empty where it is neither.
    pub access: &'static str,
    /// First coil or register, counted from 0; of a response: as asked for.
    pub address: Option<u16>,
    /// How many.
    pub quantity: Option<u16>,
    /// First values, at most 32: registers as numbers, coils as 0 and 1.
    pub values: Vec<u16>,
}

/// A DNP3 request with its response, or either alone (IEEE 1815).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dnp3 {
    /// Function of the request.
    pub fc_request: Option<String>,
    /// Function of the response.
    pub fc_reply: Option<String>,
    /// Internal indications of the response.
    pub iin: Option<u16>,
    /// Link address of the master.
    pub master: Option<u16>,
    /// Link address of the outstation.
    pub outstation: Option<u16>,
    /// Objects of the request, `group:variation`, at most 8.
    pub objects: Vec<String>,
    /// Objects of the response, likewise.
    pub reply_objects: Vec<String>,
    /// Frame of the response.
    pub reply_frame: Option<u64>,
}

/// An S7 communication job with its answer, or either alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct S7comm {
    /// Kind of the message: 1 job, 2 acknowledgement, 3 its data, 7 user data.
    pub rosctr_code: u8,
    /// Its name.
    pub rosctr_name: &'static str,
    /// Number that pairs job and answer.
    pub pdu_reference: u16,
    /// Function.
    pub function_code: Option<u8>,
    /// Its name.
    pub function_name: Option<&'static str>,
    /// Group and number of a user data function.
    pub subfunction_code: Option<u16>,
    /// Its name.
    pub subfunction_name: Option<&'static str>,
    /// Class of the error that the answer tells.
    pub error_class: Option<u8>,
    /// Code of the error.
    pub error_code: Option<u8>,
    /// `read`, `write`, `start`, `stop`, `download`, `upload`, `setup`; empty for the rest.
    pub action: &'static str,
    /// Items asked for, as programmers write them: `DB1.DBX0.0 BYTE 4`; at most 8.
    pub items: Vec<String>,
    /// First item: memory area.
    pub area: Option<&'static str>,
    /// First item: data block.
    pub db: Option<u16>,
    /// First item: byte address.
    pub address: Option<u32>,
    /// Block of a transfer (`0A00001P`), or service of a control job (`P_PROGRAM`).
    pub block: Option<String>,
    /// System status list asked for (user data).
    pub szl_id: Option<u16>,
    /// Its index.
    pub szl_index: Option<u16>,
    /// Sent by the originator.
    pub is_orig: bool,
    /// Bytes that were read or are to be written, the first 32 of the first item, hex.
    pub data: String,
    /// Frame of the answer.
    pub reply_frame: Option<u64>,
}

/// An EtherNet/IP encapsulation message (ODVA volume 2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Enip {
    /// Sent by the originator.
    pub is_orig: bool,
    /// Command.
    pub enip_command_code: u16,
    /// Its name.
    pub enip_command: String,
    /// Bytes behind the header.
    pub length: u16,
    /// Session.
    pub session_handle: u32,
    /// Status.
    pub enip_status_code: u32,
    /// Its name.
    pub enip_status: String,
    /// What the sender wants to see again, hex.
    pub sender_context: String,
    /// Options.
    pub options: u32,
}

/// A CIP request or response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cip {
    /// Sent by the originator.
    pub is_orig: bool,
    /// `request`, `response`.
    pub direction: &'static str,
    /// Number within the connection, of connected messages.
    pub cip_sequence_count: Option<u16>,
    /// Service code, without the bit for responses.
    pub cip_service_code: u8,
    /// Its name.
    pub cip_service: String,
    /// General status of a response.
    pub cip_status_code: Option<u8>,
    /// Its name.
    pub cip_status: Option<String>,
    /// Class.
    pub class_id: Option<u32>,
    /// Its name.
    pub class_name: Option<&'static str>,
    /// Instance.
    pub instance_id: Option<u32>,
    /// Attribute.
    pub attribute_id: Option<u32>,
    /// Symbol, as Rockwell controllers name their tags.
    pub tag: Option<String>,
    /// It changes the device: a write, a start, a stop, a reset, a download.
    pub write: bool,
}

/// What an EtherNet/IP device says about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CipIdentity {
    /// Vendor number (ODVA).
    pub vendor_id: u16,
    /// Device type.
    pub device_type_id: u16,
    /// Product code of the vendor.
    pub product_code: u16,
    /// `major.minor`.
    pub revision: String,
    /// Status word.
    pub device_status: u16,
    /// Serial number, hex.
    pub serial_number: String,
    /// Product name.
    pub product_name: String,
    /// State of the device.
    pub device_state: Option<u8>,
    /// Address that it gives.
    pub socket_address: String,
    /// Port that it gives.
    pub socket_port: u16,
}

/// A BACnet/IP message (ASHRAE 135).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bacnet {
    /// Sent by the originator.
    pub is_orig: bool,
    /// Function of the virtual link: `Original-Unicast-NPDU` …
    pub bvlc_function: String,
    /// `CONFIRMED_REQUEST`, `SIMPLE_ACK`, `ERROR` …; empty for messages of the network layer.
    pub pdu_type: &'static str,
    /// Service: `read_property`, `who_is` …
    pub pdu_service: String,
    /// Number that pairs request and answer.
    pub invoke_id: Option<u8>,
    /// Type of the first object.
    pub object_type: Option<String>,
    /// Number of the first object.
    pub instance_number: Option<u32>,
    /// First property.
    pub property: Option<String>,
    /// Value that is read or written, as far as it is simple.
    pub value: Option<String>,
    /// It changes the device: a write, a restart, a silencing, a file transfer to it.
    pub write: bool,
    /// Error, reject or abort: class and code, or reason.
    pub result_code: Option<String>,
}

/// An IEC 60870-5-104 message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Iec104 {
    /// Sent by the originator: in a sound plant the control centre.
    pub is_orig: bool,
    /// `I`, `S`, `U`.
    pub apci_type: &'static str,
    /// Function of an unnumbered message: `STARTDT act` …
    pub u_function: Option<&'static str>,
    /// Send number.
    pub send_seq: Option<u16>,
    /// Receive number.
    pub recv_seq: Option<u16>,
    /// Type of the message.
    pub type_id: Option<u8>,
    /// Its name: `C_SC_NA_1` …
    pub type_name: Option<String>,
    /// `control`, `monitor`, `parameter`, `file`, `system`; empty without a type.
    pub direction: &'static str,
    /// Cause of transmission.
    pub cause: Option<u8>,
    /// Its name.
    pub cause_name: Option<String>,
    /// Negative confirmation.
    pub negative: bool,
    /// A test.
    pub test: bool,
    /// Originator address of the control centre.
    pub originator: Option<u8>,
    /// Station address.
    pub common_address: Option<u16>,
    /// Objects in it.
    pub objects: Option<u8>,
    /// First object's address.
    pub object_address: Option<u32>,
    /// First object's value, where the type is a simple one.
    pub value: Option<String>,
}

/// What opens an OPC UA connection (OPC 10000-6): greeting, acknowledgement, error, secure channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Opcua {
    /// Sent by the originator.
    pub is_orig: bool,
    /// `HEL`, `ACK`, `ERR`, `RHE`, `OPN`, `CLO`.
    pub msg_type: String,
    /// Bytes of the message.
    pub msg_size: u32,
    /// Address that the client asks for.
    pub endpoint_url: Option<String>,
    /// Security policy of the channel.
    pub security_policy: Option<String>,
    /// SHA-256 of the sender's certificate, hex.
    pub sender_cert_sha256: Option<String>,
    /// Error number, hex.
    pub error: Option<String>,
    /// Its words.
    pub reason: Option<String>,
}
