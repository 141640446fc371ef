#!/bin/sh
# Everything that building needs, on a fresh Debian, Ubuntu, Fedora or macOS. Does nothing where all is there.
set -eu

cd "$(dirname "$0")/.."
rust_needed=1.89

say() { printf '%s\n' "setup: $*"; }
fail() { printf '%s\n' "setup: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        fail "this needs root and there is no sudo; as root, run: $*"
    fi
}

# Names of what is missing, in the words of this script.
missing() {
    have cc || printf 'cc '
    have pkg-config || printf 'pkg-config '
    have tar || printf 'tar '
    if have cc && ! echo '#include <pcap.h>' | cc -E - >/dev/null 2>&1; then
        printf 'libpcap '
    elif ! have cc; then
        printf 'libpcap '
    fi
    have npm || [ -f .duckdb/VERSION ] || printf 'npm '
}

# What a package manager calls them.
debian() {
    case "$1" in cc) echo build-essential ;; libpcap) echo libpcap-dev ;; *) echo "$1" ;; esac
}
fedora() {
    case "$1" in cc) echo gcc ;; pkg-config) echo pkgconf-pkg-config ;; libpcap) echo libpcap-devel ;; *) echo "$1" ;; esac
}
macos() {
    case "$1" in npm) echo node ;; pkg-config) echo pkg-config ;; *) ;; esac
}

install() {
    wanted=$1
    packages=""
    for thing in $wanted; do
        packages="$packages $($2 "$thing")"
    done
    say "installing$packages"
}

lacking=$(missing)
if [ -n "$lacking" ]; then
    if have apt-get; then
        install "$lacking ca-certificates" debian
        as_root apt-get update -q
        # shellcheck disable=SC2086 # a list of packages
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages
    elif have dnf; then
        install "$lacking ca-certificates" fedora
        # shellcheck disable=SC2086
        as_root dnf install -y $packages
    elif [ "$(uname -s)" = Darwin ]; then
        have cc || fail "the C compiler is missing; run: xcode-select --install"
        have brew || fail "Homebrew is missing and installs: $lacking; install it, then run make again"
        install "$lacking" macos
        # shellcheck disable=SC2086
        brew install $packages
    else
        fail "this system's package manager is not known here; install yourself: $lacking"
    fi
    lacking=$(missing)
    [ -z "$lacking" ] || fail "still missing after installing: $lacking"
fi

have cargo || fail "the Rust toolchain is missing (cargo $rust_needed or newer); install rustup (apt-get install rustup, dnf install rustup, brew install rustup, or as its home page says), run: rustup default stable, and run make again"
rust=$(cargo --version | cut -d ' ' -f 2)
oldest=$(printf '%s\n%s\n' "$rust_needed" "$rust" | sort -t . -k 1,1n -k 2,2n | head -n 1)
[ "$oldest" = "$rust_needed" ] || fail "cargo $rust is too old, $rust_needed is needed; run: rustup update stable"

sh scripts/duckdb.sh
