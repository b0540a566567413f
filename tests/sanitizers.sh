#!/usr/bin/env bash
# The test suite under AddressSanitizer, leaks included (nightly). The library has no `unsafe`; its
# dependencies have. Memcheck is in tests/memcheck.sh.
#
# ThreadSanitizer is not here: the standard library has to be built with it, or it reports races in
# `std::sync::mpsc` for a program that only sends (nightly 1.97, with
# `-C unsafe-allow-abi-mismatch=sanitizer`; without, rustc refuses). That needs rustup's rust-src and
# `-Z build-std`. The halves of a split connection are checked in every interleaving by loom instead:
# `RUSTFLAGS='--cfg websocket_loom' cargo test --release --lib --features tokio loom`.
#
#   tests/sanitizers.sh [ARGUMENT]...   with arguments of cargo test, such as --test blocking
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if (($# == 0)); then
    set -- --lib
    for file in tests/*.rs; do
        name=$(basename "$file" .rs)
        case $name in
            interop) ;; # other processes, which are not under the sanitizer
            churn) ;;   # resident memory: the sanitizer keeps what is freed
            *) set -- "$@" --test "$name" ;;
        esac
    done
fi
# Given a target, cargo leaves build scripts and procedural macros as they are.
RUSTFLAGS='-Z sanitizer=address' CARGO_PROFILE_TEST_DEBUG=line-tables-only \
    CARGO_PROFILE_DEV_DEBUG=line-tables-only \
    cargo +nightly test --all-features --no-fail-fast --target x86_64-unknown-linux-gnu \
    --target-dir target/sanitizers "$@"
