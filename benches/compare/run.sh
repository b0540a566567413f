#!/bin/sh
# One command for every measurement:
#   benches/compare/run.sh [codec|echo|idle|handshake|all|report] [--quick] [--engine NAME] [--case NAME] [--reference NAME=COMMAND] [--dry-run]
# Results go to benches/record/<date>-<machine>.{md,tsv}, where a part replaces its own earlier rows, or those chosen;
# the plots beside them are redrawn. Needs x86-64 Linux; for instructions, a readable processor
# counter or valgrind. Everything stays on the loopback interface, and ends by itself.
set -eu
cd "$(dirname "$0")"
part=all
case "${1:-}" in
codec | echo | idle | handshake | all | report) part=$1 && shift ;;
esac
# 10,000 connections have 10,000 ends here, and as many in the server.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
# Our own echo servers are examples of the crate. What is not there is reported as missing.
if [ "$part" != codec ] && [ "$part" != report ] && [ -d ../../examples ]; then
    cargo build --release --examples --all-features --manifest-path ../../Cargo.toml
fi
cargo build --release
exec target/release/compare "$part" --date "$(date +%F)" "$@"
