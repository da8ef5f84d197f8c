# SPDX-License-Identifier: GPL-2.0-only
"""The figures in the cover letter: found, compared, written."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from kdebug.context import Context
from kdebug.host.ui import Fail
from kdebug.suite import figures

LETTER = """Cost
====

Instructions of a kthread_run() with its kthread_stop().

Measured with gcc 1.2.3, QEMU 4.5.6 (scripts/figures):

  both off           100
  KTHREAD_DEBUG on   90  -9.99 %

The rest  is  not a table.
"""
FOUND = {"both off": "200", "KTHREAD_DEBUG on": "202  +1.00 %", "other": "1"}


class Figures(unittest.TestCase):
    def setUp(self) -> None:
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.tmp = Path(tmp.name)
        self.patches = self.tmp / "patches"
        (self.patches / "2-debug").mkdir(parents=True)
        self.letter = self.patches / "2-debug/0000-cover-letter.patch"
        self.letter.write_text(LETTER)
        (self.patches / "2-debug/0001-a.patch").write_text("one")
        (self.tmp / "series").write_text("2-debug/0001-a.patch\n")
        self.file = self.tmp / "build/figures.json"
        self.context = Context(repo=self.tmp, root=self.tmp / "build")

    def test_written_where_they_stand(self) -> None:
        figures.save(self.context, FOUND)
        wrong = figures.outdated(self.context)
        self.assertEqual(wrong[1], "patches/2-debug/0000-cover-letter.patch: 'both off           100' "
                         "was measured as 'both off           200'")
        self.assertEqual(len(wrong), 3)
        self.assertEqual(self.letter.read_text(), LETTER)  # only told
        self.assertEqual(figures.outdated(self.context, write=True), wrong)
        self.assertEqual(self.letter.read_text(), LETTER.replace("   100", "   200").replace("90  -9.99", "202  +1.00")
                         .replace("gcc 1.2.3, QEMU 4.5.6", figures.tools(self.context)))
        self.assertEqual(figures.outdated(self.context), [])

    def test_the_letter_is_no_part_of_what_was_measured(self) -> None:
        figures.save(self.context, FOUND)
        figures.outdated(self.context, write=True)
        self.assertEqual(figures.load(self.context)[1], FOUND)

    def test_of_another_series(self) -> None:
        figures.save(self.context, FOUND)
        (self.patches / "2-debug/0001-a.patch").write_text("two")
        with self.assertRaisesRegex(Fail, "nothing has been measured of this state of the series; run: scripts/test"):
            figures.outdated(self.context)

    def test_never_measured(self) -> None:
        for text in (None, "", "{", "[]"):
            if text is not None:
                self.file.parent.mkdir(exist_ok=True)
                self.file.write_text(text)
            with self.subTest(text), self.assertRaisesRegex(Fail, "nothing has been measured"):
                figures.outdated(self.context)

    def test_a_label_that_nothing_measures(self) -> None:
        figures.save(self.context, {"both off": "1"})
        with self.assertRaisesRegex(Fail, "nothing measured is called 'KTHREAD_DEBUG on'; take some of: both off"):
            figures.outdated(self.context)

    def test_a_table_that_is_gone(self) -> None:
        figures.save(self.context, FOUND)
        self.letter.write_text("Cost\n")
        with self.assertRaisesRegex(Fail, "no cover letter has a line with"):
            figures.outdated(self.context)
        self.letter.write_text("Measured with x (scripts/figures):\n\nnothing\n")
        with self.assertRaisesRegex(Fail, "no table below the line"):
            figures.outdated(self.context)
        self.letter.write_text("Measured with x (scripts/figures):\n")
        with self.assertRaisesRegex(Fail, "no table below the line"):
            figures.outdated(self.context)

    def test_a_letter_for_each_set(self) -> None:
        other = self.patches / "3-fault/0000-cover-letter.patch"
        other.parent.mkdir()
        other.write_text(LETTER)
        figures.save(self.context, FOUND)
        wrong = figures.outdated(self.context, write=True)
        self.assertEqual([line.split(":")[0] for line in wrong], 3 * ["patches/2-debug/0000-cover-letter.patch"]
                         + 3 * ["patches/3-fault/0000-cover-letter.patch"])
        self.assertEqual(other.read_text(), self.letter.read_text())
        self.assertEqual(figures.outdated(self.context), [])

    def test_a_letter_without_figures_needs_none(self) -> None:
        other = self.patches / "1-fixes/0000-cover-letter.patch"
        other.parent.mkdir()
        other.write_text("Three fixes.\n")
        figures.save(self.context, FOUND)
        figures.outdated(self.context, write=True)
        self.assertEqual(other.read_text(), "Three fixes.\n")

    def test_what_the_tools_are(self) -> None:
        self.assertEqual(figures.stated(LETTER), "gcc 1.2.3, QEMU 4.5.6")
        self.assertEqual(figures.stated("Cost\n"), "")
        self.assertRegex(figures.tools(self.context), r"^gcc \d+\.\d+\.\d+, QEMU \d+\.\d+\.\d+$")

    def test_letters_of_other_tools_cannot_be_compared(self) -> None:
        self.assertEqual(figures.elsewhere(self.context), f"states gcc 1.2.3, QEMU 4.5.6, here is {figures.tools(self.context)}")
        self.letter.write_text(LETTER.replace("gcc 1.2.3, QEMU 4.5.6", figures.tools(self.context)))
        self.assertEqual(figures.elsewhere(self.context), "")
        self.letter.write_text("Cost\n")
        self.assertEqual(figures.elsewhere(self.context), "")

    def test_sizes(self) -> None:
        self.assertEqual(figures.sizes([(10, 2, 3), (5, 0, 1)], [(4, 2, 5)]), "+11 +0 -1")


if __name__ == "__main__":
    unittest.main()
