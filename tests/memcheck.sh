#!/usr/bin/env bash
# The tests of the blocking adapter under valgrind's memcheck. The library has no `unsafe`; its
# dependencies have. Possible leaks are not counted: the standard library keeps the main thread's
# handle where valgrind does not see it.
#
# Needs valgrind.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v valgrind >/dev/null || {
    echo "valgrind is missing: install the package of that name" >&2
    exit 2
}

binary=$(cargo test --all-features --test blocking --no-run --message-format json |
    python3 -c 'import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == "blocking":
        print(message["executable"])')
# Echoes over sockets and over transports that fail; the exhaustive ones are left out.
valgrind --quiet --error-exitcode=1 --leak-check=full --show-leak-kinds=definite \
    --errors-for-leak-kinds=definite "$binary" --test-threads 1 --skip every_operation --skip s41
