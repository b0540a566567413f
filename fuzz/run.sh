#!/bin/sh
# Runs every fuzz target for SECONDS each (default 10), one after the other, from the seeds and the
# local corpus. Prints executions and coverage of each; fails at the first finding.
# usage: fuzz/run.sh [SECONDS [TARGET...]]
set -eu
cd "$(dirname "$0")"

seconds=${1:-10}
[ $# -eq 0 ] || shift
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked
cargo run --quiet --example seeds
cargo +nightly fuzz build
[ $# -ne 0 ] || set -- $(cargo +nightly fuzz list)

log=$(mktemp)
trap 'rm -f "$log"' EXIT
printf '%-12s %12s %10s %8s %8s\n' target executions per-second edges features
for target; do
    if ! cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -max_len=4096 \
        -timeout=10 -rss_limit_mb=1024 -dict=websocket.dict -print_final_stats=1 >"$log" 2>&1; then
        cat "$log"
        echo "$target: a finding; the input is in fuzz/artifacts/$target" >&2
        exit 1
    fi
    awk -v target="$target" '
        / cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") cov = $(i + 1); if ($i == "ft:") ft = $(i + 1) } }
        /number_of_executed_units/ { runs = $2 }
        /average_exec_per_sec/ { speed = $2 }
        END { printf "%-12s %12d %10d %8d %8d\n", target, runs, speed, cov, ft }' "$log"
done
