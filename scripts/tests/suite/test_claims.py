# SPDX-License-Identifier: GPL-2.0-only
"""The table of statements, and the results that it is made of."""

import tempfile
import unittest
from pathlib import Path

from kdebug.host import ui
from kdebug.suite import claims

TEXT = """# comment
A1 One thing.
   So it is.

A10 Another.
   It is not.
S5 A third.
   Not any more.
"""


def rows(text: str = TEXT) -> list[claims.Row]:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as f:
        f.write(text)
        f.flush()
        return claims.read(Path(f.name))


class Read(unittest.TestCase):
    def test_rows_in_order(self) -> None:
        self.assertEqual([(r.name, r.said, r.does) for r in rows()],
                         [("A1", "One thing.", "So it is."), ("A10", "Another.", "It is not."),
                          ("S5", "A third.", "Not any more.")])

    def test_needs(self) -> None:
        found = rows(TEXT.replace("It is not.\n", "It is not.\n   needs: a board\n"))
        self.assertEqual([r.needs for r in found], ["", "a board", ""])
        self.assertIn("(no test has run; it needs a board)", claims.table(found))
        with self.assertRaisesRegex(ui.Fail, "neither"):
            rows("  needs: nothing\n")

    def test_bad_lines_are_named(self) -> None:
        for text, problem in (("A1 One.\nA2 Two.\n x\n", "no second line"), ("A1 One.\n", "no second line"),
                              ("  x\n", "neither"), ("B1 One.\n x\n", "neither"),
                              ("A1 One.\n x\nA1 One.\n x\n", "already")):
            with self.subTest(text), self.assertRaisesRegex(ui.Fail, problem):
                rows(text)

    def test_own_file(self) -> None:
        wanted = [*(f"E{n}" for n in range(1, 6)), *(f"A{n}" for n in range(1, 11)),
                  *(f"S{n}" for n in range(1, 8)), *(f"W{n}" for n in range(1, 12))]
        self.assertEqual([row.name for row in claims.read()], wanted)


class Match(unittest.TestCase):
    def test_names(self) -> None:
        found = {"plain: kunit: kthread.a1_first": "ok", "kasan: claims: kthread.a10_tenth": "ok",
                 "kasan: s5_uaf: a stop of what is gone": "ok", "a1_of_the_host": "ok",
                 "plain: data1_x": "fail", "plain: kthread.a1": "fail", "plain: kthread.w9_of_no_row": "fail"}
        row = {r.name: r for r in claims.match(rows(), found)}
        self.assertEqual(row["A1"].tests, {"a1_first": {"plain": "ok"}, "a1_of_the_host": {"host": "ok"}})
        self.assertEqual(row["A10"].tests, {"a10_tenth": {"kasan": "ok"}})
        self.assertEqual(row["S5"].tests, {"s5_uaf": {"kasan": "ok"}})

    def test_verdicts(self) -> None:
        found = {"plain: x: a1_a": "ok", "kasan: x: a1_a": "fail", "plain: x: a10_a": "skip"}
        row = {r.name: r for r in claims.match(rows(), found)}
        self.assertEqual([row[n].verdict for n in ("A1", "A10", "S5")], ["fail", "skipped", "no test"])
        found = {"plain: x: a1_a": "ok", "um: x: a1_a": "skip"}
        self.assertEqual(claims.match(rows(), found)[0].verdict, "ok")


class Page(unittest.TestCase):
    FOUND = {"plain: x: a1_a": "ok"}

    def test_own_page_is_not_outdated(self) -> None:
        matched = claims.match(rows(), self.FOUND)
        self.assertEqual(claims.outdated(matched, claims.page(matched)), [])
        self.assertIn("A1   ok       One thing.", claims.table(matched))
        self.assertIn("a1_a (ok: plain)", claims.table(matched))

    def test_the_base_has_a_column(self) -> None:
        found = {"plain: x: a1_a": "ok", "base: x: a1_b": "ok", "plain: x: a10_a": "ok", "base: x: s5_a": "skip"}
        ends = [line.split(" | ", 4)[4] for line in claims.page(claims.match(rows(), found)).splitlines()[-3:]]
        self.assertEqual(ends, ["ok | ok |", "ok | - |", "skipped | skipped |"])

    def test_a_row_with_needs_keeps_its_tests(self) -> None:
        text = TEXT.replace("It is not.\n", "It is not.\n   needs: a board\n")
        first = claims.page(claims.match(rows(text), self.FOUND | {"arm: x: a10_a": "ok"}))
        for _ in range(2):
            first = claims.page(claims.match(rows(text), self.FOUND), first)
            self.assertIn("| `a10_a` | ok, in an earlier run | - |", first)
        self.assertEqual(claims.outdated(claims.match(rows(text), self.FOUND), first), [])
        self.assertIn("| A10 | Another. | It is not. | none | no test | - |",
                      claims.page(claims.match(rows(text), self.FOUND)))

    def test_what_is_outdated(self) -> None:
        text = claims.page(claims.match(rows(), self.FOUND))
        more = claims.match(rows(), self.FOUND | {"plain: x: a10_new": "ok"})
        self.assertEqual(claims.outdated(more, text), ["A10: a10_new is not on the page"])
        other = claims.match(rows(TEXT.replace("Not any more", "Never")), self.FOUND)
        self.assertEqual(claims.outdated(other, text), ["S5: the page says otherwise"])
        fewer = claims.match(rows(TEXT[:TEXT.index("S5")]), self.FOUND)
        self.assertEqual(claims.outdated(fewer, text), ["S5: is on the page only"])
        self.assertEqual(len(claims.outdated(more, "")), 3)
