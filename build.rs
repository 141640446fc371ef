//! Tells the linker where the prebuilt DuckDB library lies, so that the built binary runs in place.

fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=queries");
    let linked = std::env::var_os("CARGO_FEATURE_CASE").is_some() && std::env::var_os("CARGO_FEATURE_BUNDLED").is_none();
    if let (true, Ok(folder)) = (linked, std::env::var("DUCKDB_LIB_DIR")) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
