//! Orders the floors below; one file, one screen.
