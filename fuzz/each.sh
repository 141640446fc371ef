#!/bin/sh
# Runs the target `protocol` for each dissector in turn and makes its corpus small: each.sh SECONDS [PROTOCOL…]
# Corpora lie in corpus/protocol/NAME, findings in artifacts/protocol/NAME, and the last lines of each run in artifacts/protocol/NAME.log.
set -eu
cd "$(dirname "$0")"
seconds=${1:?each.sh SECONDS [PROTOCOL...]}
shift
export RUSTC_BOOTSTRAP=1
[ $# -gt 0 ] || set -- $(cargo run --quiet --release --example seeds -- --protocols)
cargo fuzz build --sanitizer none protocol
built=target/$(rustc -vV | sed -n 's/^host: //p')/release/protocol
found=0
for name in "$@"; do
    corpus=corpus/protocol/$name
    artifacts=artifacts/protocol/$name
    mkdir -p "$corpus" "$artifacts"
    limits="-max_len=16384 -timeout=20 -rss_limit_mb=1024"
    # shellcheck disable=SC2086 # a list of options
    if ! VIGIL_PROTOCOL=$name "$built" "$corpus" -artifact_prefix="$artifacts/" -max_total_time="$seconds" -print_final_stats=1 $limits >"$artifacts.log" 2>&1; then
        found=$((found + 1))
    fi
    rm -rf "$corpus.small" && mkdir "$corpus.small"
    # shellcheck disable=SC2086
    VIGIL_PROTOCOL=$name "$built" "$corpus.small" "$corpus" -merge=1 $limits >/dev/null 2>&1 && rm -rf "$corpus" && mv "$corpus.small" "$corpus" || rm -rf "$corpus.small"
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$artifacts.log")
    echo "$name: ${runs:-0} runs, $(ls "$corpus" | wc -l) inputs kept, $(find "$artifacts" -type f | wc -l) findings"
done
exit "$found"
