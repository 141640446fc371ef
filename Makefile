# Everything from a fresh clone: `make demo` shows what vigil does, `make test` proves it. Both set up what they need.

export PATH := $(HOME)/.cargo/bin:$(PATH)

.PHONY: demo test build release setup lint clean

demo: setup
	cargo run --quiet -- demo

test: setup
	cargo test

build: setup
	cargo build

# One binary with DuckDB compiled in; takes most of an hour on two cores.
release: setup
	cargo build --release --features bundled

lint: setup
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

setup:
	@sh scripts/setup.sh

clean:
	cargo clean
