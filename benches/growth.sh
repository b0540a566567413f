#!/usr/bin/env bash
# Instructions while the input doubles, for each hostile input of benches/growth.rs: at most 2.2
# times as many for twice as much. Valgrind counts them, so the machine's load does not matter.
#
#   benches/growth.sh                  128 KiB and 2 MiB
#   benches/growth.sh FROM TO [CASE]   in bytes; one case only
#
# The ratio is the mean over the doublings from the one to the other. Single ones have steps, each
# taken once: what lies in the first read of 64 KiB is lent (s02, s03) and what comes after it moved;
# and a buffer that doubles is moved, half of what is in it on average, at the sizes where it does.
#
# Needs valgrind.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source benches/callgrind.sh
copy_with_vectors

from=${1:-$((128 << 10))} to=${2:-$((2 << 20))} only=${3:-}

binary=$(binary growth --features deflate)

# The mean ratio of a doubling. A count of nothing is a broken gate and not a fast one.
judge() {
    local small large
    small=$(instructions "$binary" "$1" "$from")
    large=$(instructions "$binary" "$1" "$to")
    awk -v name="$1" -v small="$small" -v large="$large" \
        -v from="$from" -v to="$to" 'BEGIN {
            ratio = small ? exp(log(large / small) * log(2) / log(to / from)) : 0
            bad = ratio < 1 || ratio > 2.2
            printf "%-36s %6.3f %12.2f%s\n", name, ratio, large / to, bad ? "  FAILED" : ""
            exit bad
        }'
}

status=0
printf '%-36s %6s %12s\n' case ratio 'per byte'
for name in $("$binary"); do
    if [[ -n $only && $name != "$only" ]]; then continue; fi
    judge "$name" || status=1
done
exit "$status"
