# SPDX-License-Identifier: GPL-2.0-only
"""docs/library.md: that it says what the results say."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import shutil
import unittest
from pathlib import Path

from kdebug.context import Context
from kdebug.explore import command, excuses, guest, kept, library, scenario
from kdebug.explore.results import CONSOLE, Sheet
from kdebug.explore.trial import CONTROL_TRIAL
from kdebug.host.ui import Fail

from explore import consoles
from explore.consoles import control, trial
from scratch import Scratch

TEXT = "# SPDX-License-Identifier: GPL-2.0-only\n# one thread\naction() { :; }\n"
LEFT = "explore: left n={n} kind=thread what=one/0\n"
NOT_CLEAN = "explore: done n={n} clean=0\nexplore: checked n={n}\n"


class Page(Scratch):
    def setUp(self) -> None:
        super().setUp()
        self.context = dataclasses.replace(self.context, repo=self.tmp)
        for folder in ("scripts/scenarios", "docs"):
            (self.tmp / folder).mkdir(parents=True)
        for name in ("one", "two"):
            self.path(name).write_text(TEXT.replace("one", name))

    def path(self, name: str) -> Path:
        return self.tmp / "scripts/scenarios" / f"{name}.sh"

    def results(self, left: int = 2, last: int = 7, things: int = 1) -> Sheet:
        """One has run up to the trial @last; that of the number @left leaves @things over."""
        sheet = Sheet(scenario.read(self.path("one")), guest.folder(self.context) / "one", "k")
        sheet.open()
        sheet.add(CONTROL_TRIAL, consoles.raw(control("one|0")), "", 1.0)
        for one in sheet.plan()[1:last + 1]:
            killed = f"explore: killed n={one.number} pid=3 comm=modprobe\n" if one.fault == "kill" else ""
            if one.number == 3:
                killed = "explore: notkillable n=3 pid=3 comm=kworker/0:1\n"
            text = trial(one.number, 1 if one.fault in ("fail", "kill") else 0,
                         killed + consoles.creation("one|0", 50) * (one.fault not in ("fail", "kill")))
            if one.number == left:
                lines = [LEFT.format(n=left).replace("one/0", f"one/{thing}") for thing in range(things)]
                text = trial(one.number, later="".join(lines), done=NOT_CLEAN)
            sheet.add(one, consoles.raw(text), "", 1.0)
        return sheet

    def page(self) -> tuple[int, str]:
        """The exit code of --library, and the page."""
        with contextlib.redirect_stdout(io.StringIO()):
            code = command.library(self.context)
        return code, (self.tmp / "docs" / library.PAGE).read_text()

    def write(self, name: str, line: str) -> None:
        (self.tmp / "scripts/scenarios" / name).write_text(f"# the reason, see [here](x.md)\n{line}\n")

    def test_a_cell_is_what_the_trial_says(self) -> None:
        self.results()
        code, text = self.page()
        self.assertEqual(code, 1)
        self.assertIn("| creation | fail -12 | fail -4 | kill fork | kill claim | stop | slow | slow-exit |\n", text)
        self.assertIn("| `one\\|0 by modprobe` | ok | left over [(1)](#one-1) | - | ok | ok | ok | ok |\n", text)
        self.assertIn('1. <a id="one-1"></a>unexplained: left over: thread one/0\n', text)
        self.assertIn("Scenarios: 2. In full: 1, in part: 0, not run: 1.\n"
                      "Trials: 8. ok: 6, excused: 0, not killable: 1, bug: 0, unexplained: 1.", text)
        self.assertIn("The control: ok.", text)
        self.assertIn("## Not run\n\ntwo.", text)

    def test_what_leaves_much_has_a_short_cell(self) -> None:
        self.results(things=40)
        text = self.page()[1]
        self.assertIn("| left over [(1)](#one-1) [(2)](#one-2) [(3)](#one-3) [(4)](#one-4) |", text)
        self.assertIn("unexplained: left over: thread one/2\n", text)
        self.assertIn("unexplained: 37 more like the last\n", text)
        self.assertNotIn("one/3", text)

    def test_another_result_is_another_page(self) -> None:
        self.results(left=1)
        self.assertIn("| left over [(1)](#one-1) | ok | - | ok | ok | ok | ok |", self.page()[1])

    def test_what_has_not_run_is_said(self) -> None:
        self.results(last=4)
        text = self.page()[1]
        self.assertIn("| - | ok | not run | not run | not run |", text)
        self.assertIn("In full: 0, in part: 1,", text)

    def test_a_bug_and_an_excuse_explain(self) -> None:
        self.results()
        self.write("bugs.txt", "one *  fail* ^left.over")
        code, text = self.page()
        self.assertEqual(code, 0)
        self.assertIn('1. <a id="one-1"></a>bug: the reason, see [here](x.md)\n', text)
        self.assertIn("excused: 0, not killable: 1, bug: 1, unexplained: 0", text)
        self.write("excuses.txt", "one *  fail* ^left.over")
        code, text = self.page()
        self.assertIn("excused [(1)](#one-1)", text)
        self.assertIn("excused: the reason", text)

    def test_a_bug_explains_only_what_it_names(self) -> None:
        self.results()
        self.write("bugs.txt", "one *  stop ^left.over")
        self.assertEqual(self.page()[0], 1)

    def test_a_scenario_that_was_changed_has_not_run(self) -> None:
        self.results()
        self.path("one").write_text(TEXT + "again() { :; }\n")
        self.assertIn("## Not run\n\none, two.", self.page()[1])

    def test_a_lost_console_is_no_result(self) -> None:
        (self.results().folder / "5" / CONSOLE).unlink()
        self.assertIn("| not run |", self.page()[1])

    def test_the_results_outlive_the_run(self) -> None:
        folder = self.results().folder
        here = self.page()
        shutil.rmtree(folder)
        self.assertEqual(self.page(), here)
        # They are judged anew, as those of a run are.
        self.write("excuses.txt", "one *  fail* ^left.over")
        self.assertIn("excused [(1)](#one-1)", self.page()[1])

    def test_another_text_of_the_scenario_voids_them(self) -> None:
        self.results()
        self.page()
        shutil.rmtree(guest.folder(self.context) / "one")
        self.path("one").write_text(TEXT + "again() { :; }\n")
        self.assertIn("## Not run\n\none, two.", self.page()[1])

    def test_a_run_that_has_begun_does_not_replace_a_whole_one(self) -> None:
        self.results()
        self.page()
        shutil.rmtree(guest.folder(self.context) / "one")
        self.results(left=1, last=4)
        self.assertIn("| ok | left over [(1)](#one-1) | - | ok | ok | ok | ok |", self.page()[1])
        self.results(left=1)
        self.assertIn("| left over [(1)](#one-1) | ok | - | ok | ok | ok | ok |", self.page()[1])

    def test_a_broken_line_is_named(self) -> None:
        for line in ("{", "[]", '{"name": "one"}', '{"name": "one", "script": "x", "creations": [1], "found": {}}'):
            (self.tmp / "docs" / kept.FILE).write_text(f"{line}\n")
            with self.subTest(line), self.assertRaisesRegex(Fail, "library.jsonl:1: is no result"):
                self.page()


class Files(unittest.TestCase):
    def test_the_bugs_of_the_repository_can_be_read(self) -> None:
        self.assertTrue(excuses.parse(scenario.folder(Context()) / library.BUGS))
