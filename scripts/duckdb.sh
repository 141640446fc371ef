#!/bin/sh
# Puts the prebuilt DuckDB library into .duckdb, where .cargo/config.toml and build.rs look for it.
# The version belongs to the crate that Cargo.toml pins: change both together.
set -eu

version=1.5.6-r.1
# SHA-256 of the library; other systems rely on the integrity check of npm.
linux_x64=3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633

cd "$(dirname "$0")/.."
home=.duckdb

say() { printf '%s\n' "duckdb: $*"; }
fail() { printf '%s\n' "duckdb: $*" >&2; exit 1; }

case "$(uname -s)" in
    Linux) os=linux library=libduckdb.so ;;
    Darwin) os=darwin library=libduckdb.dylib ;;
    *) fail "no prebuilt library for $(uname -s); build with: cargo build --release --features bundled" ;;
esac
case "$(uname -m)" in
    x86_64 | amd64) cpu=x64 ;;
    aarch64 | arm64) cpu=arm64 ;;
    *) fail "no prebuilt library for $(uname -m); build with: cargo build --release --features bundled" ;;
esac
if [ "$os" = linux ] && ldd --version 2>&1 | grep -qi musl; then
    fail "the prebuilt library needs glibc; build with: cargo build --release --features bundled"
fi
system=$os-$cpu

sha256() {
    if command -v sha256sum >/dev/null 2>&1; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# Whether the file is the pinned library, as far as a pin is known for this system.
is_pinned() {
    [ "$system" != linux-x64 ] || [ "$(sha256 "$1")" = "$linux_x64" ]
}

if [ -f "$home/$library" ]; then
    if [ "$(cat "$home/VERSION" 2>/dev/null)" = "$version $system" ]; then
        exit 0
    fi
    # A library without its stamp, as somebody else may have put it: its hash decides.
    if [ "$system" = linux-x64 ] && is_pinned "$home/$library"; then
        echo "$version $system" >"$home/VERSION" 2>/dev/null || true
        exit 0
    fi
fi

command -v npm >/dev/null 2>&1 || fail "npm is missing and fetches the library; install it (apt-get install npm, dnf install npm, brew install node) and run make again"

say "fetching the library $version for $system (about 25 MB, once)"
mkdir -p "$home"
work=$(mktemp -d "$home/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
package="@duckdb/node-bindings-$system@$version"
(cd "$work" && npm pack --silent "$package" >/dev/null) || fail "npm could not fetch $package; check the network and the proxy settings of npm"
tar -xzf "$work"/*.tgz -C "$work"
is_pinned "$work/package/$library" || fail "$package is not what was pinned: $library has SHA-256 $(sha256 "$work/package/$library"); do not use it"
mv "$work/package/$library" "$home/$library"
mv "$work/package/LICENSE" "$home/LICENSE" 2>/dev/null || true
echo "$version $system" >"$home/VERSION"
say "ready in $home"
