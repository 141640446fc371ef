//! Real captures
