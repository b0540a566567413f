#!/usr/bin/env python3
"""Compares the suite's reports with expected.json, case by case, and fails on any difference.

Standard library only, so that it runs wherever Python 3.8 does.
"""

import argparse
import collections
import itertools
import json
import pathlib
import sys

EXPECTED = pathlib.Path(__file__).with_name("expected.json")
OK = ("OK", "OK")


class Malformed(Exception):
    """The reports or the expectation contradict themselves."""


def sort_key(case):
    return [int(part) for part in case.split(".")]


def expand(ranges):
    """`["2.1-3 7.1.6"]` -> `["2.1", "2.2", "2.3", "7.1.6"]`"""
    cases = []
    for item in " ".join(ranges).split():
        prefix, _, last = item.rpartition(".")
        first, _, end = last.partition("-")
        cases += [f"{prefix}.{n}" for n in range(int(first), int(end or first) + 1)]
    return cases


def collapse(cases):
    """The inverse of `expand`, with one string per section."""
    runs = []
    for case in sorted(cases, key=sort_key):
        *prefix, n = sort_key(case)
        if runs and runs[-1][0] == prefix and runs[-1][2] == n - 1:
            runs[-1][2] = n
        else:
            runs.append([prefix, n, n])
    lines = []
    for _, section in itertools.groupby(runs, key=lambda run: run[0][0]):
        lines.append(
            " ".join(
                ".".join(map(str, prefix + [first])) + (f"-{last}" if last > first else "")
                for prefix, first, last in section
            )
        )
    return lines


def expectation(document, role):
    """Case -> (behavior, behaviorClose), from the committed document."""
    expected = dict.fromkeys(expand(document["cases"]), OK)
    seen = set()
    for exception in document["exceptions"][role]:
        if not exception["reason"].strip():
            raise Malformed(f"expected.json gives no reason for {exception['cases']}")
        for case in expand(exception["cases"]):
            if case not in expected or case in seen:
                raise Malformed(f"expected.json: case {case} is excepted twice, or unknown")
            seen.add(case)
            expected[case] = (exception["behavior"], exception["behaviorClose"])
    return expected


def read_reports(directory):
    """Case -> the suite's entry for it, from the index of every process that took part."""
    entries = {}
    for index in sorted(directory.glob("*/index.json")):
        for results in json.loads(index.read_text()).values():
            for case, entry in results.items():
                if case in entries:
                    raise Malformed(f"case {case} was run twice")
                page = pathlib.Path(entry["reportfile"]).with_suffix(".html")
                entries[case] = {**entry, "page": index.parent / page}
    return entries


def outcome(entry):
    return entry["behavior"], entry["behaviorClose"]


def differences(expected, entries):
    """Every case that is not exactly as expected, better or worse; one line for each kind of change."""
    kinds = collections.defaultdict(list)
    for case in sorted(expected.keys() | entries.keys(), key=sort_key):
        wanted = " / ".join(expected.get(case, ("not in expected.json",)))
        found = " / ".join(outcome(entries[case]) if case in entries else ("missing",))
        if wanted != found:
            kinds[wanted, found].append(case)
    for (wanted, found), cases in kinds.items():
        pages = [str(entries[case]["page"]) for case in cases[:1] if case in entries]
        yield "\n    ".join([f"expected {wanted}, found {found}:", *collapse(cases), *pages])


def table(entries):
    """Counts by section, behaviour and closing behaviour, and the time the section took."""
    sections = collections.defaultdict(list)
    for case, entry in entries.items():
        sections[int(case.split(".")[0])].append(entry)
    rows = [("section", "cases", "seconds", "behaviour", "closing")]
    for name, members in [*sorted(sections.items()), ("total", list(entries.values()))]:
        seconds = sum(entry["duration"] for entry in members) / 1000
        behavior, closing = (
            ", ".join(f"{n} {what}" for what, n in collections.Counter(column).most_common())
            for column in zip(*map(outcome, members))
        )
        rows.append((str(name), str(len(members)), f"{seconds:.1f}", behavior, closing))
    width = max(len(row[3]) for row in rows)
    for name, cases, seconds, behavior, closing in rows:
        yield f"{name:>7} {cases:>6} {seconds:>8}  {behavior:<{width}}  {closing}"


def updated(document, role, entries):
    """The document with this role as the reports have it; a reason is kept while its outcome is."""
    reasons = {
        (e["behavior"], e["behaviorClose"]): e["reason"] for e in document["exceptions"].get(role, [])
    }
    grouped = collections.defaultdict(list)
    for case in sorted(entries, key=sort_key):
        grouped[outcome(entries[case])].append(case)
    grouped.pop(OK, None)
    exceptions = [
        {
            "behavior": found[0],
            "behaviorClose": found[1],
            "cases": collapse(cases),
            "reason": reasons.get(found, ""),
        }
        for found, cases in grouped.items()
    ]
    return {
        "cases": collapse(entries),
        "exceptions": {**document["exceptions"], role: exceptions},
    }


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=["server", "client"], help="the role that our endpoint played")
    parser.add_argument("reports", type=pathlib.Path, help="a directory that run.sh wrote")
    parser.add_argument("--expected", type=pathlib.Path, default=EXPECTED)
    parser.add_argument(
        "--write", action="store_true", help="rewrite the expectation from the reports instead"
    )
    options = parser.parse_args(arguments)
    try:
        entries = read_reports(options.reports)
        if not entries:
            raise Malformed(f"no case in any index.json under {options.reports}")
        document = json.loads(options.expected.read_text())
        print(f"Autobahn, our {options.role}:", *table(entries), sep="\n")
        if options.write:
            document = updated(document, options.role, entries)
            options.expected.write_text(json.dumps(document, indent=2) + "\n")
            return 0
        lines = list(differences(expectation(document, options.role), entries))
    except Malformed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if lines:
        print("not as expected.json has it:", *lines, sep="\n  ")
        return 1
    print("every case as expected")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
