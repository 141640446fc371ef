//! Mail: how it is sent and fetched, and what is in it. A message passes by in pieces; its parts become files, its first headers a row.

mod coding;
mod cut;
mod header;
pub(super) mod imap;
pub(super) mod message;
pub(super) mod pop3;
pub(super) mod smtp;
mod words;

#[cfg(test)]
mod tests;
