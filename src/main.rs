//! The `vigil` binary.

#[cfg(feature = "case")]
fn main() -> std::process::ExitCode {
    vigil::cli::main()
}

#[cfg(not(feature = "case"))]
fn main() -> std::process::ExitCode {
    eprintln!("vigil: this build has only the lower storey; build with `--features case` for the command line");
    std::process::ExitCode::from(4)
}
