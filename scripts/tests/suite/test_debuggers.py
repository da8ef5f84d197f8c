# SPDX-License-Identifier: GPL-2.0-only
"""The table of requests that a debugger prints, beside the kernel's own."""

from __future__ import annotations

import unittest

from kdebug.suite.debuggers import differs, table

HEADER = "# id age_ms stage hold flags by_pid by_comm pid threadfn name"
BEFORE = [HEADER, "37 100 forking fork - 47 sh - fn[mod] a\\040b", "38 90 queued - - 48 sh - fn c"]
AFTER = [HEADER, "37 300 forking fork - 47 sh - fn[mod] a\\040b", "38 290 queued - - 48 sh - fn c"]


def at(age: int, line: str) -> str:
    """The @line at another age."""
    return " ".join([line.split(" ")[0], str(age), *line.split(" ")[2:]])


class Differs(unittest.TestCase):
    """differs() and table()."""

    def test_an_age_between_is_no_difference(self) -> None:
        for age in (100, 200, 290):
            self.assertEqual(differs(BEFORE, [HEADER, *(at(age, line) for line in BEFORE[1:])], AFTER), "")

    def test_another_age_is_one(self) -> None:
        for age in (99, 301):
            self.assertIn(f"37 {age} ", differs(BEFORE, [HEADER, at(age, BEFORE[1]), at(100, BEFORE[2])], AFTER))

    def test_each_other_column_is_one(self) -> None:
        for line in range(3):
            for column in range(10):
                words = BEFORE[line].split(" ")
                if column == 1 and line:
                    continue
                words[column] += "x"
                got = [*BEFORE[:line], " ".join(words), *BEFORE[line + 1:]]
                self.assertIn(" ".join(words), differs(BEFORE, got, AFTER))

    def test_a_line_too_few_or_too_many_is_one(self) -> None:
        self.assertIn("2 lines, where the kernel has 3", differs(BEFORE, BEFORE[:2], AFTER))
        self.assertIn("4 lines, where the kernel has 3", differs(BEFORE, [*BEFORE, BEFORE[1]], AFTER))

    def test_the_kernels_own_two_must_agree(self) -> None:
        self.assertTrue(differs(BEFORE, BEFORE, [*AFTER[:2], AFTER[2].replace("queued", "forking")]))

    def test_what_a_debugger_says_besides_is_left_out(self) -> None:
        said = "\n".join(["warning: no symbols", *BEFORE, "[Inferior 1 (process 1) detached]", ""])
        self.assertEqual(table(said), BEFORE)

    def test_no_table_is_an_error(self) -> None:
        with self.assertRaisesRegex(AssertionError, "no line '# id ...' in\nundefined command"):
            table("undefined command")
