#!/usr/bin/env bash
# Instructions per message, held against benches/gates.txt; and those of the compression engine,
# held against its backend's alone on the same messages: at most 13 % more. Valgrind counts them, so
# neither the machine's speed nor its load matters; the compiler does, a little: the bounds leave it 8 %.
# Needs valgrind.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source benches/callgrind.sh

binary=$(binary gates)
deflate=$(binary deflate --features deflate)

status=0
printf '%-30s %12s %8s\n' case instructions bound
while read -r case bound; do
    count=$(instructions "$binary" "$case")
    verdict=
    # A count of nothing is a broken gate and not a fast one.
    if ((count == 0 || count > bound)); then
        verdict='  FAILED'
        status=1
    fi
    printf '%-30s %12d %8d%s\n' "$case" "$count" "$bound" "$verdict"
done < <(grep -v '^#' benches/gates.txt)

copy_with_vectors
printf '\n%-40s %12s %12s\n' 'compression, all messages' engine backend
while read -r case; do
    for direction in inflate deflate; do
        engine=$(instructions "$deflate" count engine "$direction" "$case")
        backend=$(instructions "$deflate" count backend "$direction" "$case")
        verdict=
        if ((engine == 0 || backend == 0 || engine * 100 > backend * 113)); then
            verdict='  FAILED'
            status=1
        fi
        printf '%-40s %12d %12d%s\n' "$direction $case" "$engine" "$backend" "$verdict"
    done
done < <("$deflate" cases)
exit "$status"
