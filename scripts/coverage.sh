#!/bin/sh
# How much of the source the tests reach: a table of files, and the lines in target/coverage/html.
#
# Needs llvm-profdata and llvm-cov of the compiler's own LLVM (`rustc -vV` names it): `rustup component add llvm-tools`, or
# `apt-get install llvm-NN`. Only vigil itself is instrumented; its dependencies are compiled as always.
set -eu
cd "$(dirname "$0")/.."

llvm=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
tool() {
    own=$(find "$(rustc --print sysroot)/lib/rustlib" -name "llvm-$1" -path '*/bin/*' 2>/dev/null | head -n 1)
    if [ -n "$own" ]; then echo "$own"; elif command -v "llvm-$1-$llvm" >/dev/null; then echo "llvm-$1-$llvm"; else
        echo "no llvm-$1 of LLVM $llvm: rustup component add llvm-tools, or apt-get install llvm-$llvm" >&2
        return 1
    fi
}
profdata=$(tool profdata)
cov=$(tool cov)

out=target/coverage
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$out/target}"
mkdir -p "$out"
rm -rf "$out/raw" && mkdir -p "$out/raw"
# A wrapper of the compiler for members of the workspace alone: dependencies keep their fingerprints. Counters make optimisation across units slow.
cat >"$out/instrumented" <<'SH'
#!/bin/sh
compiler=$1
shift
exec "$compiler" "$@" -C instrument-coverage -C lto=off
SH
chmod +x "$out/instrumented"
export RUSTC_WORKSPACE_WRAPPER="$PWD/$out/instrumented"
# Processes of the tests merge into a few files.
export LLVM_PROFILE_FILE="$PWD/$out/raw/%4m.profraw"

cargo test --no-fail-fast "$@" || echo "some tests failed: what they would have reached is missing" >&2

objects=$(cargo test --no-run --message-format json 2>/dev/null | sed -n 's/.*"executable":"\([^"]*\)".*/-object \1/p')
find "$out/raw" -name '*.profraw' >"$out/files"
"$profdata" merge --sparse --input-files="$out/files" -o "$out/vigil.profdata"
rm -rf "$out/raw"
ignore='(\.cargo|rustc|tests/|benches/|/registry/|src/.*tests?(/|\.rs))'
# shellcheck disable=SC2086
"$cov" report $objects "$CARGO_TARGET_DIR/debug/vigil" --instr-profile="$out/vigil.profdata" --ignore-filename-regex="$ignore" >"$out/report.txt"
# shellcheck disable=SC2086
"$cov" show $objects "$CARGO_TARGET_DIR/debug/vigil" --instr-profile="$out/vigil.profdata" --ignore-filename-regex="$ignore" \
    --format=html --output-dir="$out/html" >/dev/null
awk 'NR == 1 || /^TOTAL/' "$out/report.txt"
echo "lines: $(awk '/^TOTAL/ { print $(NF - 3) }' "$out/report.txt") of $out/report.txt; every line in $out/html/index.html"
