//! The case: schema, append, packet index, journal, counts.
