"""The comparison must fail on every kind of difference. Run: python3 autobahn/test_compare.py"""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import compare

DOCUMENT = {
    "cases": ["1.1-3", "12.1.1-2"],
    "exceptions": {
        "server": [
            {"behavior": "UNIMPLEMENTED", "behaviorClose": "OK", "cases": ["12.1.1-2"], "reason": "later"}
        ],
        "client": [],
    },
}
# What a run prints when it meets DOCUMENT, split over two processes as run.sh does.
AS_EXPECTED = [
    {"1.1": ("OK", "OK"), "1.2": ("OK", "OK"), "1.3": ("OK", "OK")},
    {"12.1.1": ("UNIMPLEMENTED", "OK"), "12.1.2": ("UNIMPLEMENTED", "OK")},
]


class Compare(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.expected = self.directory / "expected.json"
        self.expected.write_text(json.dumps(DOCUMENT))

    def run_on(self, shards, *options):
        """The exit status and what was printed."""
        for number, cases in enumerate(shards):
            entries = {
                case: {"behavior": b, "behaviorClose": c, "duration": 5, "reportfile": f"a_{case}.json"}
                for case, (b, c) in cases.items()
            }
            shard = self.directory / "reports" / str(number)
            shard.mkdir(parents=True, exist_ok=True)
            (shard / "index.json").write_text(json.dumps({"agent": entries}))
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            status = compare.main(
                ["server", str(self.directory / "reports"), "--expected", str(self.expected), *options]
            )
        return status, printed.getvalue()

    def test_passes_when_every_case_is_as_expected(self):
        status, printed = self.run_on(AS_EXPECTED)
        self.assertEqual(status, 0, printed)
        self.assertRegex(printed, r"total +5 +0\.0 +3 OK, 2 UNIMPLEMENTED +5 OK\n")

    def test_fails_on_any_difference(self):
        plain, deflate = AS_EXPECTED
        rows = {
            "worse": ("1.2", [{**plain, "1.2": ("FAILED", "OK")}, deflate]),
            "not strict": ("1.2", [{**plain, "1.2": ("NON-STRICT", "OK")}, deflate]),
            "unclean": ("1.2", [{**plain, "1.2": ("OK", "UNCLEAN")}, deflate]),
            "better": ("12.1.2", [plain, {**deflate, "12.1.2": ("OK", "OK")}]),
            "missing": ("1.1", [{k: v for k, v in plain.items() if k != "1.1"}, deflate]),
            "extra": ("1.4", [{**plain, "1.4": ("OK", "OK")}, deflate]),
            "a process without a report": ("12.1.1", [plain, {}]),
            "run twice": ("1.1", [plain, {**deflate, "1.1": ("OK", "OK")}]),
            "nothing": ("no case", [{}, {}]),
        }
        for name, (named, shards) in rows.items():
            with self.subTest(name):
                status, printed = self.run_on(shards)
                self.assertEqual(status, 1, printed)
                self.assertIn(named, printed)

    def test_refuses_an_expectation_that_explains_nothing_or_contradicts_itself(self):
        exception = DOCUMENT["exceptions"]["server"][0]
        rows = {
            "no reason": [{**exception, "reason": " "}],
            "twice": [exception, exception],
            "unknown": [exception, {**exception, "cases": ["99.1"]}],
        }
        for name, exceptions in rows.items():
            with self.subTest(name):
                self.expected.write_text(
                    json.dumps({**DOCUMENT, "exceptions": {"server": exceptions, "client": []}})
                )
                status, printed = self.run_on(AS_EXPECTED)
                self.assertEqual(status, 1, printed)

    def test_write_keeps_reasons_and_demands_new_ones(self):
        self.assertEqual(self.run_on(AS_EXPECTED, "--write")[0], 0)
        self.assertEqual(json.loads(self.expected.read_text()), DOCUMENT)
        worse = [AS_EXPECTED[0], {**AS_EXPECTED[1], "12.1.1": ("FAILED", "OK")}]
        self.assertEqual(self.run_on(worse, "--write")[0], 0)
        status, printed = self.run_on(worse)
        self.assertEqual(status, 1, printed)
        self.assertIn("no reason", printed)


class Ranges(unittest.TestCase):
    def test_collapse_and_expand_are_inverse(self):
        rows = [
            (["1.1.1", "1.1.2", "1.1.4", "1.2.5"], ["1.1.1-2 1.1.4 1.2.5"]),
            (["2.9", "2.10", "3.1"], ["2.9-10", "3.1"]),
            ([], []),
        ]
        for cases, ranges in rows:
            self.assertEqual(compare.collapse(reversed(cases)), ranges)
            self.assertEqual(compare.expand(ranges), cases)


class Committed(unittest.TestCase):
    def test_the_committed_expectation_names_all_517_cases(self):
        document = json.loads(compare.EXPECTED.read_text())
        for role in "server", "client":
            self.assertEqual(len(compare.expectation(document, role)), 517)


if __name__ == "__main__":
    unittest.main()
