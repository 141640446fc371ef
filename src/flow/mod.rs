//! Packets → flows: keys, tables, reassembly, timeouts, limits.
