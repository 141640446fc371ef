//! What hosts say to each other: one file per protocol, as moves of a [`super::Net`] or a [`super::Tcp`].

pub mod call;
pub mod dns;
pub mod exe;
pub mod http;
pub mod kerberos;
pub mod lan;
pub mod ldap;
pub mod nfs;
pub mod ntlm;
pub mod ping;
pub mod plant;
pub mod rpc;
pub mod smb;
pub mod snmp;
pub mod ssh;
pub mod text;
pub mod tls;
pub mod x509;
