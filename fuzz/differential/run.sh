#!/bin/sh
# Compares with other implementations: on the vectors, on INPUTS random ones (default 100,000), and,
# if SECONDS is given, by fuzzing for that long.
# usage: fuzz/differential/run.sh [INPUTS [SECONDS]]
set -eu
cd "$(dirname "$0")"

cargo run --quiet --release --example compare -- "${1:-100000}"
[ $# -gt 1 ] || exit 0
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked
cargo +nightly fuzz run --fuzz-dir . differential -- -max_total_time="$2" -max_len=1024 \
    -timeout=10 -dict=../websocket.dict -print_final_stats=1
