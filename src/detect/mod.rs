//! Tables → findings: SQL rules.
