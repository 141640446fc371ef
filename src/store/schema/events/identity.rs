//! `kerberos`, `ldap`, `ldap_search`

use super::{EventRow, place};
use crate::model::event::{Kerberos, Ldap, LdapSearch};
use crate::store::column::{Columns, filled};

/// `kerberos`
pub fn kerberos<'a>() -> Columns<EventRow<'a, Kerberos>> {
    kerberos_ours(
        place()
            .text("request_type", "`AS`, `TGS`, `AP`; NULL where only an error was seen.", |r: &EventRow<'_, Kerberos>| {
                filled(r.request_type)
            })
            .text("client", "Principal, slash, realm; in AP requests the realm alone.", |r| r.client.as_deref())
            .text("service", "Principal of the service.", |r| r.service.as_deref())
            .bool("success", "It was granted, or (AP) the server proved itself; NULL without a reply.", |r| r.success)
            .text("error_msg", "What the server says of the error, else its name.", |r| r.error_msg.as_deref())
            .time("from", "Asked: valid from.", |r| r.from)
            .time("till", "Asked: valid till.", |r| r.till)
            .text("cipher", "Encryption of the ticket.", |r| r.cipher.as_deref())
            .bool("forwardable", "Asked: forwardable.", |r| r.forwardable)
            .bool("renewable", "Asked: renewable.", |r| r.renewable)
            .text("client_cert_subject", "Subject of the client's certificate (PKINIT).", |r| r.client_cert_subject.as_deref())
            .text("client_cert_fuid", "That certificate: its SHA-256 (`x509.fingerprint`).", |r| r.client_cert_fuid.as_deref())
            .text("server_cert_subject", "Subject of the KDC's certificate.", |r| r.server_cert_subject.as_deref())
            .text("server_cert_fuid", "That certificate: its SHA-256.", |r| r.server_cert_fuid.as_deref()),
    )
}

fn kerberos_ours<'a>(columns: Columns<EventRow<'a, Kerberos>>) -> Columns<EventRow<'a, Kerberos>> {
    columns
        .int("error_code", "Error number (RFC 4120, 7.5.9).", |r| r.error_code)
        .text("realm", "Realm asked, or of the ticket.", |r| r.realm.as_deref())
        .ints("etypes_offered", "Encryption types the client offers, in its order.", |r| r.etypes_offered.as_slice())
        .ints("pa_types", "Types of the request's pre-authentication data.", |r| r.pa_types.as_slice())
        .bool("preauth", "AS: the request proves who sends it; NULL where no request was seen.", |r| r.preauth)
        .big("kdc_options", "Options asked, bit 0 highest (RFC 4120, 5.4.1).", |r| r.kdc_options)
        .int("ticket_etype", "Encryption type of the ticket given, or (AP) shown.", |r| r.ticket_etype)
        .int("kvno", "Key version of that ticket.", |r| r.kvno)
        .int("reply_etype", "Encryption type of the reply's own part: the client's key.", |r| r.reply_etype)
        .int("auth_ticket_etype", "TGS: encryption type of the ticket shown to ask for another.", |r| r.auth_ticket_etype)
        .text("auth_ticket", "MD5 of the ticket shown, hex.", |r| r.auth_ticket.as_deref())
        .text("new_ticket", "MD5 of the ticket given, hex.", |r| r.new_ticket.as_deref())
        .int("sname_type", "Type of the service's name (RFC 4120, 6.2).", |r| r.sname_type)
        .texts("client_addrs", "Addresses the ticket is asked for.", |r| &r.client_addrs)
        .int("rep_len", "Bytes of the reply.", |r| r.rep_len)
        .big("reply_frame", "Frame of the reply.", |r| r.reply_frame)
}

/// `ldap`
pub fn ldap<'a>() -> Columns<EventRow<'a, Ldap>> {
    place()
        .big("message_id", "Message id.", |r: &EventRow<'_, Ldap>| r.message_id)
        .int("version", "LDAP version of a bind.", |r| r.version)
        .text("opcode", "`bind simple`, `bind SASL`, `unbind`, `modify`, `add` …", |r| r.opcode.as_deref())
        .text("result", "Result by name.", |r| r.result.as_deref())
        .text("diagnostic_message", "What the server adds.", |r| r.diagnostic_message.as_deref())
        .text("object", "Name the operation is about.", |r| r.object.as_deref())
        .text("argument", "Its argument; of passwords `REDACTED`.", |r| r.argument.as_deref())
        .int("result_code", "Result number (RFC 4511, 4.1.9).", |r| r.result_code)
        .text("bind_type", "`simple`, `anonymous`, `unauthenticated` (a name without a password), `SASL`, `sicily`.", |r| r.bind_type)
        .text("sasl_mech", "SASL mechanism of a bind.", |r| r.sasl_mech.as_deref())
        .bool("password_present", "A simple bind carried a password.", |r| r.password_present)
        .bool("starttls", "It asks for TLS.", |r| r.starttls)
        .big("reply_frame", "Frame of the result.", |r| r.reply_frame)
}

/// `ldap_search`
pub fn ldap_search<'a>() -> Columns<EventRow<'a, LdapSearch>> {
    place()
        .big("message_id", "Message id.", |r: &EventRow<'_, LdapSearch>| r.message_id)
        .text("scope", "`base`, `single`, `tree`.", |r| r.scope)
        .text("deref_aliases", "`never`, `searching`, `finding`, `always`.", |r| r.deref_aliases)
        .text("base_object", "Where it begins.", |r| r.base_object.as_deref())
        .big("result_count", "Entries returned.", |r| r.result_count)
        .text("result", "Result by name; NULL while open.", |r| r.result.as_deref())
        .text("diagnostic_message", "What the server adds.", |r| r.diagnostic_message.as_deref())
        .text("filter", "Filter in the form of RFC 4515.", |r| r.filter.as_deref())
        .texts("attributes", "Attributes asked for.", |r| &r.attributes)
        .int("result_code", "Result number (RFC 4511, 4.1.9).", |r| r.result_code)
        .big("size_limit", "Most entries wanted; 0 is no limit.", |r| r.size_limit)
        .big("result_bytes", "Bytes of the entries returned.", |r| r.result_bytes)
        .big("reply_frame", "Frame of the final result.", |r| r.reply_frame)
}
