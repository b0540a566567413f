#!/usr/bin/env bash
# `cargo mutants` over src (.cargo/mutants.toml says what and with which suites): a mutant that
# no test catches is a failure unless it stands in tests/mutants.txt with a reason.
#
#   tests/mutants.sh [ARGUMENT]...   with arguments of cargo mutants, such as --jobs 2,
#                                    --file src/close_code.rs, --shard 1/8, or --iterate
#   tests/mutants.sh judge           judges the last run again
#
# Each mutant costs a build of the suites: all of them take hours. Needs `cargo install cargo-mutants`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# As many as take a second or two.
export WEBSOCKET_PROTO_SIM_SEEDS=0..300

if [[ ${1:-} != judge ]]; then
    # 2: some were not caught; 3: some ran into the timeout, which counts as caught.
    status=0
    cargo mutants --output target "$@" || status=$?
    if ((status != 0 && status != 2 && status != 3)); then exit "$status"; fi
fi

PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1 python3 - target/mutants.out tests/mutants.txt <<'PYTHON'
import pathlib, re, sys

import listed

run = pathlib.Path(sys.argv[1])
outcome = {name: (run / f"{name}.txt").read_text().splitlines()
           for name in ("caught", "timeout", "missed", "unviable")}

reasons = listed.reasons(sys.argv[2])

def entry(mutant):
    """How it stands in the list: "path: the mutant: `the line`"."""
    path, number, change = re.fullmatch(r"(\S+?):(\d+):\d+: (.*)", mutant).groups()
    text = pathlib.Path(path).read_text().split("\n")[int(number) - 1].strip()
    return f"{path}: {change}: `{text}`"

good, survivors = True, set()
for mutant in outcome["missed"]:
    key = entry(mutant)
    survivors.add(key)
    if not reasons.get(key):
        print(f"not caught, and no reason is listed: {key}")
        good = False
for mutant in outcome["caught"] + outcome["timeout"]:
    key = entry(mutant)
    if key in reasons and key not in survivors:
        print(f"listed, but caught: {key}")

caught = len(outcome["caught"]) + len(outcome["timeout"])
viable = caught + len(outcome["missed"])
print(f"{caught} of {viable} viable mutants are caught ({100 * caught / max(viable, 1):.1f} %), "
      f"{len(outcome['missed'])} are not, {len(outcome['unviable'])} do not compile")
sys.exit(not good)
PYTHON
