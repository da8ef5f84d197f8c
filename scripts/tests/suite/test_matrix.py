# SPDX-License-Identifier: GPL-2.0-only
"""Tests of kdebug.matrix, with cells that only say that they ran."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import tempfile
import unittest
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

from kdebug.build import arch
from kdebug.context import Context
from kdebug.guest import ktap
from kdebug.guest.ktap import Test
from kdebug.host import files, ui
from kdebug.suite import matrix, store
from kdebug.suite.matrix import Cell, Done

GOOD = Done(0, 7, [Test("one", "ok"), Test("two <&>", "ok", took=1.5), Test("three", "skip", "no board")])
BAD = Done(1, 8, [Test("one", "ok"), Test("two # <&>", "not ok", why=["a \x1b <b>", "c"])])
BROKE = Done(2, 9, [])


class Parse(unittest.TestCase):
    def test_bases_then_architectures_then_flavours(self) -> None:
        self.assertEqual([c.name for c in matrix.parse(Context(), "x86_64,arm:plain,kasan:7.3,6.12")],
                         ["7.3-x86_64-plain", "7.3-x86_64-kasan", "7.3-arm-plain", "7.3-arm-kasan",
                          "6.12-x86_64-plain", "6.12-x86_64-kasan", "6.12-arm-plain", "6.12-arm-kasan"])

    def test_twice_is_once(self) -> None:
        for text in "x86_64,x86_64:plain:7.3", "x86_64:plain:7.3 x86_64:plain:7.3":
            self.assertEqual(matrix.parse(Context(), text), [Cell("x86_64", "plain", "7.3")])

    def test_several_are_one_table(self) -> None:
        self.assertEqual([c.name for c in matrix.parse(Context(), "x86_64:kasan:7.3  um:plain:7.3 x86_64:plain,kasan:7.3")],
                         ["7.3-x86_64-kasan", "7.3-x86_64-plain", "7.3-um-plain"])
        with self.assertRaisesRegex(ui.Fail, "MATRIX=vax:plain:7.3: 'vax' is not known"):
            matrix.parse(Context(), "x86_64:plain:7.3 vax:plain:7.3")

    def test_the_default_is_a_cell(self) -> None:
        self.assertEqual(len(matrix.parse(Context(), matrix.DEFAULT)), 1)

    def test_what_is_not_known_is_named(self) -> None:
        for text, said in (("x86_64:plain", "not three lists"), ("x86_64::7.3", "not three lists"),
                           ("vax:plain:7.3", "'vax' is not known; take some of x86_64 "),
                           ("x86_64:plane:7.3", "'plane' is not known; take some of "),
                           ("x86_64:guest:7.3", "'guest' is not known"),
                           ("x86_64:plain:5.4", "'5.4' is not known; take some of 7.3 7.2 ")):
            with self.subTest(text), self.assertRaises(ui.Fail) as caught:
                matrix.parse(Context(), text)
            self.assertIn(f"MATRIX={text}: ", str(caught.exception))
            self.assertIn(said, str(caught.exception))


class Verdict(unittest.TestCase):
    def test_only_a_run_with_tests_and_none_red_has_passed(self) -> None:
        self.assertTrue(GOOD.passed)
        for done in (BAD, BROKE, Done(0, 1, []), Done(0, 1, [Test("one", "skip")]), Done(1, 1, [Test("one", "ok")]),
                     Done(0, 1, [Test("one", "ok"), Test("two", "not ok")])):
            self.assertFalse(done.passed, done)
        self.assertEqual([str(d) for d in (GOOD, BAD, BROKE)], ["2", "RED 1", "RED"])

    def test_a_cell_that_broke_off_is_not_lost_in_the_sum(self) -> None:
        names = [Cell("um", flavour, "7.3") for flavour in ("plain", "kasan", "rt")]
        def sum_of(*cells: Done) -> ktap.Count:
            return ktap.count(ktap.verdicts(ktap.read(matrix.report(dict(zip(names, cells))))))

        self.assertEqual(sum_of(GOOD, BAD, BROKE), ktap.Count(3, 2, 1))
        self.assertEqual(sum_of(Done(1, 1, [Test("one", "ok")])), ktap.Count(1, 1, 0))


def plant(folder: Path, report: str) -> None:
    """@report is what the tests of the cell in @folder said."""
    (folder / "results").mkdir(parents=True, exist_ok=True)
    (folder / "results" / store.LAST_RUN).write_text(report)


class Scratch(unittest.TestCase):
    def setUp(self) -> None:
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.top = Path(temp.name)
        self.context = Context(root=self.top)


class Fill(Scratch):
    def setUp(self) -> None:
        super().setUp()
        self.top = matrix.top(self.context)
        self.ran: list[str] = []
        self.key = "k"
        self.enterContext(mock.patch.multiple(matrix, key=lambda *_: self.key, machine=lambda *_: "m"))

    def cell(self, context: Context, cell: Cell, folder: Path, wanted: str, groups: Sequence[str]) -> Done:
        self.ran.append(cell.name)
        done = BAD if cell.flavour == "kasan" else GOOD
        folder.mkdir(parents=True, exist_ok=True)
        files.save_json(folder / "cell.json", {"key": wanted, "machine": "m", "status": done.status,
                                               "seconds": done.seconds})
        plant(folder, ktap.write(done.tests))
        return done

    def fill(self, text: str) -> tuple[dict[Cell, Done], str]:
        self.ran = []
        with contextlib.redirect_stdout(io.StringIO()) as out:
            found = matrix.fill(self.context, matrix.parse(self.context, text), run_cell=self.cell)
        return found, out.getvalue()

    def test_the_table(self) -> None:
        _, out = self.fill("x86_64,arm64:plain,kasan:7.3")
        self.assertEqual([line.split() for line in out.splitlines()],
                         [["7.3-x86_64-plain:", "2,", "7", "s"], ["7.3-x86_64-kasan:", "RED", "1,", "8", "s"],
                          ["plain", "kasan"], ["x86_64", "7.3", "2", "RED", "1"],
                          ["7.3-arm64-plain:", "2,", "7", "s"], ["7.3-arm64-kasan:", "RED", "1,", "8", "s"],
                          ["arm64", "7.3", "2", "RED", "1"]])

    def test_what_is_done_and_good_is_not_run_again(self) -> None:
        self.fill("x86_64:plain,kasan:7.3")
        self.assertEqual(self.ran, ["7.3-x86_64-plain", "7.3-x86_64-kasan"])
        found, _ = self.fill("x86_64,arm:plain,kasan:7.3")
        self.assertEqual(self.ran, ["7.3-x86_64-kasan", "7.3-arm-plain", "7.3-arm-kasan"])
        self.assertEqual(found[Cell("x86_64", "plain", "7.3")], GOOD)

    def test_another_series_is_run_again(self) -> None:
        self.fill("x86_64:plain:7.3")
        self.key = "other"
        self.fill("x86_64:plain:7.3")
        self.assertEqual(self.ran, ["7.3-x86_64-plain"])

    def test_one_that_was_killed_is_run_again(self) -> None:
        def killed(context: Context, cell: Cell, folder: Path, wanted: str, groups: Sequence[str]) -> Done:
            if cell.flavour == "kasan":
                raise KeyboardInterrupt
            return self.cell(context, cell, folder, wanted, groups)

        with self.assertRaises(KeyboardInterrupt), contextlib.redirect_stdout(io.StringIO()):
            matrix.fill(self.context, matrix.parse(self.context, "x86_64:plain,kasan:7.3"), run_cell=killed)
        self.assertIn("7.3-x86_64-plain", (self.top / "index.html").read_text())
        self.fill("x86_64:plain,kasan:7.3")
        self.assertEqual(self.ran, ["7.3-x86_64-kasan"])


    def test_only_one_fills_it(self) -> None:
        def another(context: Context, cell: Cell, folder: Path, wanted: str, groups: Sequence[str]) -> Done:
            with self.assertRaisesRegex(ui.Fail, f"held by pid {os.getpid()}: make matrix; wait"):
                self.fill("x86_64:kasan:7.3")
            return self.cell(context, cell, folder, wanted, groups)

        with contextlib.redirect_stdout(io.StringIO()):
            matrix.fill(self.context, matrix.parse(self.context, "x86_64:plain:7.3"), run_cell=another)
        self.assertEqual(self.ran, ["7.3-x86_64-plain"])


class Run(Scratch):
    def scripts(self, text: str) -> None:
        self.context = Context(repo=self.top, root=self.top)
        self.context.scripts.mkdir()
        for name, body in (("deps", "echo deps $ARCH $DEPS_FOR"), ("test", text)):
            (self.context.scripts / name).write_text(f"#!/bin/sh\n{body}\n")
            (self.context.scripts / name).chmod(0o755)

    def test_a_cell_keeps_what_its_tests_said(self) -> None:
        self.scripts('echo $ARCH $FLAVOUR $BASE $*; mkdir -p $KTHREAD_DEBUG_CELL/results\n'
                     'echo "1..1\nok 1 one" >$KTHREAD_DEBUG_CELL/results/last-run.ktap')
        folder = self.top / "cell"
        cell = Cell("arm", "rt", "6.12")
        done = matrix.run(self.context, cell, folder, "k", ["kunit"])
        self.assertEqual(done.tests, [Test("one", "ok")])
        self.assertEqual((folder / "log.txt").read_text(), "deps arm test\narm rt 6.12 kunit\n")
        self.assertEqual(matrix.load(self.context, cell, folder, "k"), done)
        self.assertIsNone(matrix.load(self.context, cell, folder, "other"))
        self.assertIsNone(matrix.load(dataclasses.replace(self.context, kdir="/x"), cell, folder, "k"))
        with mock.patch.object(matrix, "machine", lambda *_: "another"):
            self.assertIsNone(matrix.load(self.context, cell, folder, "k"))

    def test_what_an_earlier_run_said_is_gone(self) -> None:
        self.scripts("exit 2")
        plant(self.top / "cell", "1..1\nok 1 one\n")
        (self.top / "cell/runs/1").mkdir(parents=True)
        done = matrix.run(self.context, Cell("arm", "plain", "7.3"), self.top / "cell", "k", ["kunit"])
        self.assertEqual((done.status, done.tests), (2, []))
        self.assertEqual(sorted(p.name for p in (self.top / "cell").iterdir()), ["cell.json", "log.txt"])

    def test_without_its_tools_no_test_is_run(self) -> None:
        self.scripts("echo ran")
        (self.context.scripts / "deps").write_text("#!/bin/sh\necho none >&2; exit 2\n")
        done = matrix.run(self.context, Cell("arm", "plain", "7.3"), self.top / "cell", "k", ["kunit"])
        self.assertEqual(done.status, 2)
        self.assertEqual((self.top / "cell/log.txt").read_text(), "none\n")

    def test_the_key_is_of_all_that_counts(self) -> None:
        context = Context(repo=self.top)
        cell = Cell("x86_64", "plain", "7.3")
        keys = {matrix.key(context, cell, ["kunit"]), matrix.key(context, cell, ["guest"]),
                matrix.key(context, Cell("arm", "plain", "7.3"), ["kunit"])}
        for folder in (context.patches, context.bases, context.configs, context.kernel, context.scripts):
            folder.mkdir()
            (folder / "file").touch()
            keys.add(matrix.key(context, cell, ["kunit"]))
        self.assertEqual(len(keys), 8)

    def test_another_machine_runs_it_again(self) -> None:
        cell = Cell("x86_64", "plain", "6.12")
        tool = self.top / "tool"
        context = dataclasses.replace(self.context, compiler=str(tool))

        def install(text: str) -> str:
            tool.write_text(f"#!/bin/sh\necho {text}\n")
            tool.chmod(0o755)
            return matrix.machine(context, cell)

        (self.top / "6.12/src").mkdir(parents=True)
        seen = [install("1"), install("2")]
        self.assertEqual(seen[1], matrix.machine(context, cell))
        (self.top / "6.12/src/linux-source-6.12_1.json").write_text('{"key": "a"}')
        seen.append(matrix.machine(context, cell))
        (self.top / "6.12/src/kdir-1.json").write_text('{"key": "b"}')
        self.assertEqual(seen[2], matrix.machine(context, cell))
        with mock.patch.object(arch, "get", lambda name: dataclasses.replace(arch.TABLE[name], binary=str(tool))):
            seen.append(matrix.machine(context, cell))
        context = dataclasses.replace(context, accelerator="tcg")
        seen.append(matrix.machine(context, cell))
        context = dataclasses.replace(context, compiler="")
        seen.append(matrix.machine(context, cell))
        self.assertEqual(len(set(seen)), len(seen))


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [str(value) for name, value in attrs if name in ("href", "src")]


class Files(Scratch):
    CELLS = {Cell("x86_64", "plain", "7.3"): GOOD, Cell("x86_64", "kasan", "7.3"): BAD,
             Cell("arm", "plain", "6.12"): BROKE, Cell("arm", "kasan", "6.12"): Done(0, 1, [])}

    def test_ktap(self) -> None:
        self.assertEqual(matrix.report(self.CELLS).splitlines(), [
            "KTAP version 1", "1..4",
            "    KTAP version 1", "    # Subtest: 7.3-x86_64-plain", "    1..3", "    ok 1 - one",
            "    ok 2 - two <&> # time=1.500s", "    ok 3 - three # SKIP no board", "ok 1 - 7.3-x86_64-plain",
            "    KTAP version 1", "    # Subtest: 7.3-x86_64-kasan", "    1..2", "    ok 1 - one",
            r"    # a \u001b <b>", "    # c", r"    not ok 2 - two \u0023 <&>", "not ok 2 - 7.3-x86_64-kasan",
            "    KTAP version 1", "    # Subtest: 6.12-arm-plain", "    1..0", "not ok 3 - 6.12-arm-plain",
            "    KTAP version 1", "    # Subtest: 6.12-arm-kasan", "    1..0", "not ok 4 - 6.12-arm-kasan"])

    def test_junit(self) -> None:
        suites = ElementTree.fromstring(matrix.junit(self.CELLS))
        self.assertEqual([(s.get("name"), s.get("tests"), s.get("failures"), s.get("errors"), s.get("skipped"))
                          for s in suites],
                         [("7.3-x86_64-plain", "3", "0", "0", "1"), ("7.3-x86_64-kasan", "2", "1", "0", "0"),
                          ("6.12-arm-plain", "1", "0", "1", "0"), ("6.12-arm-kasan", "1", "0", "1", "0")])
        self.assertEqual([(c.get("name"), [e.tag for e in c]) for s in suites for c in s],
                         [("one", []), ("two <&>", []), ("three", ["skipped"]), ("one", []),
                          ("two # <&>", ["failure"]), ("scripts/test", ["error"]), ("scripts/test", ["error"])])
        self.assertEqual([(e.get("message"), e.text) for e in suites.iter("failure")],
                         [("7.3-x86_64-kasan/log.txt", "a \ufffd <b>\nc")])
        self.assertEqual([e.get("message") for e in suites.iter("skipped")], ["no board"])

    def test_each_link_of_the_page_leads_somewhere(self) -> None:
        for cell in self.CELLS:
            (self.top / cell.name / "runs/20261126-1").mkdir(parents=True)
            (self.top / cell.name / "runs/20261126-1/console.log").write_text("x")
            (self.top / cell.name / "runs/latest").symlink_to("20261126-1")
            (self.top / cell.name / "log.txt").write_text("x")
        matrix.write(self.CELLS, self.top)
        text = (self.top / "index.html").read_text()
        links = Links()
        links.feed(text)
        self.assertEqual(len(links.found), 8)
        for link in links.found:
            self.assertTrue((self.top / link).is_file(), link)
        self.assertIn("two # &lt;&amp;&gt;", text)
        self.assertNotIn("two # <", text)
        self.assertIn("1 passed, 1 failed, exit status 1", text)


if __name__ == "__main__":
    unittest.main()
