#!/usr/bin/env bash
# Instructions per message, held against benches/gates.txt. Valgrind counts them, so neither the
# machine's speed nor its load matters; the compiler does, a little: the bounds leave it 8 %.
# Needs valgrind.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v valgrind >/dev/null || {
    echo "valgrind is missing: install the package of that name" >&2
    exit 2
}

# The path of the binary, from cargo itself.
binary=$(cargo bench --quiet --bench gates --no-run --message-format json |
    python3 -c 'import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == "gates":
        print(message["executable"])')

# Counts only inside the function `measured`, and what it calls.
instructions() {
    local log rounds
    log=$(mktemp)
    rounds=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file="$log" \
        --collect-atstart=no --toggle-collect='*gates*measured*' "$binary" "$1")
    awk -v rounds="$rounds" '/Collected/ { print int($NF / rounds) }' "$log"
    rm "$log"
}

status=0
printf '%-30s %12s %8s\n' case instructions bound
while read -r case bound; do
    count=$(instructions "$case")
    verdict=
    # A count of nothing is a broken gate and not a fast one.
    if ((count == 0 || count > bound)); then
        verdict='  FAILED'
        status=1
    fi
    printf '%-30s %12d %8d%s\n' "$case" "$count" "$bound" "$verdict"
done < <(grep -v '^#' benches/gates.txt)
exit "$status"
