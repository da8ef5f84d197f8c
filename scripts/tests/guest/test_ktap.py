# SPDX-License-Identifier: GPL-2.0-only
"""KTAP: what is written is read again as it was, and what is not whole has failed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import toy
from kdebug.context import Context
from kdebug.guest import ktap
from kdebug.guest.ktap import Count, Test

# Each of them has been a name, or a line, that some KTAP parser takes for something else.
ODD = ["a # b", "#", "a#1", r"three/0\[\d+\]", "back\\slash at the end\\", r"\u0023", r"\\u0023", "two\nlines", "\n",
       "a\rb", "tab\tand\x0bmore\x1e", "line\u2028separator\x85", " blanks ", "  two", "- a", "1..3", "ok 1 - b",
       "not ok 2 c # SKIP d", "KTAP version 1", "# Subtest: e", "Subtest: f", "note: g", "time=3s", "\udcff", "\x1b[0m",
       'quotes "and" \'such\'', "é € 漢", "# TODO", "1", "1 2"]
KERNELS = Context().linux / "tools/testing/kunit"


class Lines(toy.Case):
    def test_result(self) -> None:
        for line, want in (("ok 1 a", (0, "ok", 1, "a")), ("not ok 12 - a b", (0, "not ok", 12, "a b")),
                           ("    ok 3", (4, "ok", 3, "")), ("ok 1 a # SKIP no b", (0, "skip", 1, "a")),
                           ("not ok 1 a # todo later", (0, "todo", 1, "a")), ("ok  2  a", (0, "ok", 2, "a")),
                           ("not ok 1 a # b", (0, "not ok", 1, "a"))):
            with self.subTest(line):
                found = ktap.result(line)
                assert found
                self.assertEqual((found.indent, found.result, found.number, found.name), want)
        for line in ("okay 1 a", "ok a", "# ok 1 a", "1..2", "", "ok 1a"):
            with self.subTest(line):
                self.assertIsNone(ktap.result(line))

    def test_plan(self) -> None:
        self.assertEqual([ktap.plan(line) for line in ("1..0", "1..12", "    1..3", "1..4 # SKIP all")], [0, 12, 3, 4])
        for line in ("1..", "0..3", "ok 1..3", "11..3"):
            self.assertIsNone(ktap.plan(line), line)


class Files(toy.Case):
    def test_what_is_written_is_read(self) -> None:
        for odd in ODD:
            tests = [Test(odd, "ok", took=1.25, notes=[odd, "x", odd]), Test(odd, "not ok", why=[odd, "", odd, "  in"]),
                     Test(odd, "skip", odd), Test(odd, "not ok", plan=1, tests=[Test(odd, "skip", "x")], why=[odd])]
            # A line of what a test says is one.
            lines = [Test(t.name, t.result, t.reason, [w.replace("\n", " ") for w in t.why],
                          [n.replace("\n", " ") for n in t.notes], t.took, t.plan, t.tests) for t in tests]
            with self.subTest(odd):
                self.assertEqual(ktap.read(ktap.write(lines, ["series: k"])), Test("", plan=4, tests=lines))

    def test_a_name_is_one_line_without_a_hash(self) -> None:
        for odd in ODD:
            with self.subTest(odd):
                *head, line = ktap.entry(7, Test(odd, "ok")).splitlines()
                self.assertEqual((head, line[:7], "#" in line), ([], "ok 7 - ", False))
                line.encode()

    def test_blocks_in_blocks(self) -> None:
        inner = Test("inner", "ok", plan=2, tests=[Test("a", "ok"), Test("b", "skip", "why")])
        outer = [Test("outer", "ok", plan=2, tests=[inner, Test("c", "ok")]), Test("d", "ok")]
        self.assertEqual(ktap.read(ktap.write(outer)).tests, outer)

    @unittest.skipUnless((KERNELS / "kunit_parser.py").is_file(), "the kernel's source is not there")
    def test_the_kernels_parser_reads_the_same(self) -> None:
        """Names, results and the count; it leaves names as they stand there."""
        tests = [Test(f"group {n}", "not ok" if n % 3 == 1 else "ok", plan=1, tests=[
            Test(odd, ("ok", "not ok", "skip")[n % 3], "reason", why=["why", odd.replace("\n", " ")])])
            for n, odd in enumerate(ODD)]
        code = ("import sys, kunit_parser as k; from kunit_printer import Printer\n"
                "top = k.parse_run_tests(open(sys.argv[1], newline='\\n'), Printer(print=False))\n"
                "c = top.counts; print(c.passed, c.failed, c.skipped, c.crashed, c.errors)\n"
                "for g in top.subtests:\n    for t in g.subtests: print(t.status.name, t.name)\n")
        with tempfile.NamedTemporaryFile("w", suffix=".ktap", encoding="utf-8") as file:
            file.write(ktap.write(tests))
            file.flush()
            done = subprocess.run([sys.executable, "-B", "-c", code, file.name], capture_output=True, text=True,
                                  cwd=KERNELS)
        self.assertEqual(done.stderr, "")
        said = {"ok": "SUCCESS", "not ok": "FAILURE", "skip": "SKIPPED"}
        count = ktap.count(ktap.verdicts(ktap.read(ktap.write(tests))))
        self.assertEqual(done.stdout.split("\n")[:-1], [
            f"{count.passed} {count.failed} {count.skipped} 0 0",
            *(f"{said[one.result]} {ktap.escape(one.name)}" for group in tests for one in group.tests)])


WHOLE = """KTAP version 1
# series: k
1..2
    KTAP version 1
    # Subtest: one
    # why
    not ok 1 - a
    ok 2 - b # time=0.100s
not ok 1 - one
    KTAP version 1
    # Subtest: two
    1..2
    ok 1 - c # SKIP no d
    ok 2 - e
ok 2 - two
"""
GOOD = WHOLE.replace("not ok", "ok")


class Counting(toy.Case):
    def of(self, text: str) -> Count:
        return ktap.count(ktap.verdicts(ktap.read(text)))

    def load(self, data: bytes) -> list[Test]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "x.ktap")
            path.write_bytes(data)
            return ktap.load(path)

    def test_single_tests_are_counted(self) -> None:
        self.assertEqual(self.of(WHOLE), Count(2, 1, 1))
        self.assertEqual(self.of(GOOD), Count(3, 0, 1))

    def test_cut_anywhere_is_no_success(self) -> None:
        """The writer was killed, wherever that was."""
        for cut in range(len(GOOD)):
            with self.subTest(cut):
                self.assertGreater(ktap.count(self.load(GOOD[:cut].encode())).failed, 0)

    def test_who_died_is_named(self) -> None:
        cut = GOOD[:GOOD.index("    ok 2 - e")]
        self.assertEqual([t.name for t in ktap.verdicts(ktap.read(cut)) if t.failed],
                         ["two: no verdict of 2 of 2"])
        cut = GOOD[:GOOD.index("ok 1 - one")]
        self.assertEqual([t.name for t in ktap.verdicts(ktap.read(cut)) if t.failed],
                         ["one: has not come to its end", "no verdict of 2 of 2"])

    def test_a_plan_that_is_not_met(self) -> None:
        self.assertEqual(self.of(GOOD.replace("1..2\n    KTAP", "1..4\n    KTAP")), Count(3, 2, 1))
        self.assertEqual(self.of(GOOD.replace("    1..2", "    1..5")), Count(3, 3, 1))
        self.assertEqual(self.of("1..3\n"), Count(0, 3, 0))

    def test_a_block_that_died_before_another(self) -> None:
        self.assertEqual([t.name for t in ktap.verdicts(ktap.read(GOOD.replace("ok 1 - one\n", ""))) if t.failed],
                         ["one: has not come to its end"])

    def test_a_block_that_is_not_ok_though_its_tests_are(self) -> None:
        self.assertEqual(self.of(GOOD.replace("ok 2 - two", "not ok 2 - two")), Count(3, 1, 1))
        self.assertEqual(self.of("1..1\n    1..0\nnot ok 1 - empty\n"), Count(0, 1, 0))

    def test_nothing_is_no_success(self) -> None:
        self.assertEqual(ktap.count(ktap.load(Path("/nowhere/x.ktap"))), Count(0, 1, 0))
        for data in (b"", b"\n", b"\xff\xfe\n", b"KTAP version 1\n", b"# 1..1\n"):
            self.assertEqual(ktap.count(self.load(data)), Count(0, 1, 0), data)
        self.assertEqual(self.load(b"1..0\n"), [])

    def test_the_closing_line(self) -> None:
        self.assertEqual([str(Count(3, 0, 0)), str(Count(1, 2, 3))],
                         ["3 passed, 0 failed", "1 passed, 2 failed, 3 skipped"])


if __name__ == "__main__":
    unittest.main()
