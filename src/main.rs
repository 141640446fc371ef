//! The `vigil` binary.

/// Flows and events are many small pieces that are made on one thread and let go on another, which the system's allocator is slow at.
#[cfg(feature = "case")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(feature = "case")]
fn main() -> std::process::ExitCode {
    vigil::cli::main()
}

#[cfg(not(feature = "case"))]
fn main() -> std::process::ExitCode {
    eprintln!("vigil: this build has only the lower storey; build with `--features case` for the command line");
    std::process::ExitCode::from(4)
}
