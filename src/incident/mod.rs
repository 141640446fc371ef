//! Findings → host risk, verdict, timeline.
