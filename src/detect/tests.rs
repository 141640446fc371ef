//! The shared test over every rule file.
