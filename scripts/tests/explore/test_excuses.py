# SPDX-License-Identifier: GPL-2.0-only
"""Excuses: what is read, what is refused, and what they hold for."""

from __future__ import annotations

from kdebug.explore import excuses
from kdebug.explore.excuses import Excuse
from kdebug.explore.judge import Finding
from kdebug.host import ui
from scratch import Scratch, fail

from explore.consoles import of

GOOD = """\
# What this file is for.

# It stays on purpose,
# as its init says.
jfs  one/*  *  ^left over: proc /proc/fs/jfs$
"""


class Excuses(Scratch):
    def parse(self, text: str) -> list[Excuse]:
        path = self.tmp / "excuses.txt"
        path.write_text(text)
        return excuses.parse(path)

    def test_good(self) -> None:
        one, = self.parse(GOOD)
        self.assertEqual((one.at, one.scenario, one.thread, one.fault, one.reason),
                         ("excuses.txt:5", "jfs", "one/*", "*", "It stays on purpose, as its init says."))
        self.assertEqual(excuses.parse(self.tmp / "none"), [])

    def test_tabs_for_names_with_blanks(self) -> None:
        one, = self.parse("# why\nmd\tone two\tkill fork\t^hang: a b\n")
        self.assertEqual((one.thread, one.fault, one.regex.pattern), ("one two", "kill fork", "^hang: a b"))

    def test_bad(self) -> None:
        for text, why in (("jfs * * ^x\n", "without a reason"), ("#\njfs * * ^x\n", "without a reason"),
                          ("# why\n\njfs * * ^x\n", "without a reason"), ("# why\njfs * *\n", "not an excuse"),
                          ("# why\njfs * * (\n", "bad regex"), ("# why\njfs * * .*\n", "every line")):
            err: ui.Fail = fail(self, self.parse, text)
            self.assertIn(why, err.problem)
            self.assertIn("excuses.txt:", err.what)

    def test_holds(self) -> None:
        left, hang = Finding("left over", "proc /proc/fs/jfs"), Finding("hang", "x")
        for scenario, stay in (("jfs", [hang]), ("xfs", [hang, left])):
            found = self.parse(GOOD)
            kept, reasons = excuses.apply(found, scenario, of("stop"), [hang, left])
            self.assertEqual((kept, bool(reasons), found[0].used), (stay, len(stay) == 1, len(stay) == 1))

    def test_the_fault_is_one_of_its_words(self) -> None:
        found = self.parse("# why\n*\t*\tkill*\t^hang\n")
        self.assertEqual(excuses.apply(found, "x", of("kill fork"), [Finding("hang", "")])[0], [])
        self.assertEqual(len(excuses.apply(found, "x", of("stop"), [Finding("hang", "")])[0]), 1)
