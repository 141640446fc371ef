//! One `Report` value → html, json, markdown, csv, terminal.
