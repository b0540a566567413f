#!/usr/bin/env bash
# Line coverage of the core (src without src/io) by its suites: every line is run by a test, or
# stands in tests/uncovered.txt with a reason. A line there that is run, or is gone, fails too.
#
#   tests/coverage.sh          runs the tests and judges
#   tests/coverage.sh report   judges the last run again
#
# Needs llvm-profdata and llvm-cov of the major version that rustc was built with, such as Debian's
# package llvm-22.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
tool() {
    command -v "$1-$version" || {
        echo "$1-$version is missing: install the package llvm-$version" >&2
        exit 2
    }
}
profdata=$(tool llvm-profdata)
cov=$(tool llvm-cov)

readonly target=$PWD/target/coverage
# Only this package is instrumented: its dependencies stay as they are, and as fast.
mkdir -p "$target"
printf '#!/bin/sh\nexec "$@" -C instrument-coverage -C debuginfo=0\n' >"$target/rustc"
chmod +x "$target/rustc"
export RUSTC_WORKSPACE_WRAPPER=$target/rustc
export LLVM_PROFILE_FILE=$target/raw/%m-%p.profraw
export WEBSOCKET_PROTO_SIM_SEEDS=0..500
# The suites of the core, as for the mutants.
mapfile -t suites < <(python3 -c 'import tomllib
print(*tomllib.load(open(".cargo/mutants.toml", "rb"))["additional_cargo_test_args"], sep="\n")')
tests=(cargo test --all-features "${suites[@]}")

if [[ ${1:-} != report ]]; then
    rm -rf "$target/raw"
    # Inflates every message with the reference too, bit by bit, and reaches nothing of its own.
    "${tests[@]}" -- --skip s66
fi
objects=$("${tests[@]}" --no-run --message-format json 2>/dev/null |
    python3 -c 'import json, sys
for line in sys.stdin:
    path = json.loads(line).get("executable")
    if path: print("--object", path)')
"$profdata" merge --sparse "$target"/raw/*.profraw --output "$target/all.profdata"
# shellcheck disable=SC2086 # one word for each object
"$cov" export --format=lcov --instr-profile "$target/all.profdata" $objects --sources src >"$target/lcov"

PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1 python3 - "$target/lcov" tests/uncovered.txt <<'PYTHON'
import collections, pathlib, sys

import listed

root = pathlib.Path.cwd()
hits = collections.defaultdict(dict)
for line in open(sys.argv[1]):
    kind, _, value = line.strip().partition(":")
    if kind == "SF":
        path = str(pathlib.Path(value).resolve().relative_to(root))
    elif kind == "DA":
        number, count = map(int, value.split(",")[:2])
        hits[path][number] = max(count, hits[path].get(number, 0))

# "path: the line"
reasons = {tuple(key.split(": ", 1)): why for key, why in listed.reasons(sys.argv[2]).items()}

def is_core(path):
    return path.startswith("src/") and not path.startswith("src/io/") and not path.endswith(("tests.rs", "reference.rs"))

total = run = 0
uncovered, good = set(), True
for path in sorted(filter(is_core, hits)):
    source = open(path).read().split("\n")
    end = next((n for n, text in enumerate(source) if text == "#[cfg(test)]"
                and source[n + 1].startswith(("mod tests {", "mod loom"))), len(source))
    for number, count in sorted(hits[path].items()):
        if number > end:
            continue
        total += 1
        text = source[number - 1].strip()
        # Braces alone are where a counter ends, not a line that does anything.
        if count or not text.strip("{}(),; "):
            run += 1
            continue
        uncovered.add((path, text))
        if (path, text) not in reasons:
            print(f"{path}:{number}: not run: {text}")
            good = False
for path, text in reasons:
    if (path, text) not in uncovered:
        print(f"{path}: listed, but run or gone: {text}")
        good = False
    elif not reasons[path, text]:
        print(f"{path}: listed without a reason: {text}")
        good = False
print(f"{run} of {total} lines of the core are run, {len(reasons)} are listed with a reason")
sys.exit(not good)
PYTHON
