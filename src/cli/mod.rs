//! One file per subcommand; what was typed → what was meant.
