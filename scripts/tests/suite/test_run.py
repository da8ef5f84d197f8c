# SPDX-License-Identifier: GPL-2.0-only
"""A run of groups that only say that they ran, and who counts what it said."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import toy
from kdebug.build import arch
from kdebug.context import Context, DEFAULT_BASE
from kdebug.guest import ktap
from kdebug.guest.ktap import Count, Test
from kdebug.host import ui
from kdebug.suite import registry, report, run, store
from kdebug.suite.registry import Group, When, Where
from kdebug.suite.report import Report, Tally


def group(name: str, says: Callable[[Tally], None], when: When = When.BESIDE) -> Group:
    return Group(name, lambda _, tally: says(tally), Where.HOST, when, "", False, False, "", True)


def good(tally: Tally) -> None:
    """Good."""
    tally.note("measured 7")
    tally.result("a # b", took=1.26)
    tally.result("c", "two\n lines")
    tally.skip("d", "no board")


SAID = "      measured 7\nok    a # b (1.3 s)\nFAIL  c\n      two\n       lines\nskip  d: no board\n"


class Case(toy.Case):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.context.results / store.LAST_RUN
        self.enterContext(mock.patch.object(store, "series_key", lambda *_: "k"))

    @contextlib.contextmanager
    def report(self, *groups: str) -> Iterator[tuple[Report, io.StringIO]]:
        with Report(self.path, groups) as one, contextlib.redirect_stdout(io.StringIO()) as out:
            yield one, out

    def failed(self) -> list[str]:
        return [test.name for test in ktap.load(self.path) if test.failed]


class Alone(Case):
    def alone(self, says: Callable[[Tally], None]) -> str:
        with self.report("g") as (one, out):
            run.alone(self.context, group("g", says), one)
        return out.getvalue()

    def test_the_terminal_the_report_and_the_store_say_the_same(self) -> None:
        self.assertEqual(self.alone(good), SAID)
        tests = ktap.load(self.path)
        self.assertEqual("".join(map(report.shown, tests)), SAID)
        self.assertEqual(ktap.count(tests), Count(1, 1, 1))
        self.assertEqual(store.load(self.context, "k"), {"a # b": "ok", "c": "fail", "d": "skip"})

    def test_a_group_that_cannot_go_on(self) -> None:
        def says(tally: Tally) -> None:
            tally.result("a")
            raise ui.Fail("qemu", "is missing", "install it")

        self.assertEqual(self.alone(says), "ok    a (0.0 s)\n"
                                           "FAIL  g: cannot go on\n      qemu: is missing; install it\n")
        self.assertEqual(self.failed(), ["g: cannot go on"])

    def test_a_group_that_dies(self) -> None:
        def says(tally: Tally) -> None:
            tally.result("a")
            raise RuntimeError

        self.alone(lambda tally: tally.result("before"))
        with self.assertRaises(RuntimeError):
            self.alone(says)
        self.assertEqual(self.failed(), ["g: has not come to its end"])
        self.assertEqual(store.load(self.context, "k"), {"before": "ok"})

    def test_a_group_without_a_verdict_has_failed(self) -> None:
        self.assertEqual(self.alone(lambda tally: None),
                         "FAIL  g: ended without a verdict\n      it has tested nothing\n")
        self.assertEqual(self.failed(), ["g: ended without a verdict"])

    def test_a_case(self) -> None:
        def says(tally: Tally) -> None:
            for err in (AssertionError("why"), OSError(2, "gone"), AssertionError(), None):
                with tally.case(str(err)):
                    if err:
                        raise err
            self.assertEqual(tally.failed, 3)

        self.assertRegex(self.alone(says), r"^FAIL  why\n      why\nFAIL  \[Errno 2\] gone\n      \[Errno 2\] gone\n"
                                           r"FAIL  \n      AssertionError\(\)\nok    None \(0\.0 s\)\n$")

    def test_a_report_is_a_file(self) -> None:
        with self.fails(f"--report={self.build}"):
            Report(self.build, [])
        self.assertTrue(self.build.is_dir())

    def test_another_run_does_not_mix_with_it(self) -> None:
        with self.report("g", "h") as (one, _):
            run.alone(self.context, group("g", good), one)
            with self.report("i") as (other, _):
                self.assertEqual(other.count(), Count(0, 1, 0))
            run.alone(self.context, group("h", good), one)
            self.assertEqual(one.count(), Count(2, 2, 2))
        self.assertEqual(self.failed(), ["no verdict of 1 of 1"])


class Together(Case):
    """The groups are programs of the shell, which get their report's name in $1."""

    def together(self, **programs: str) -> str:
        with self.report(*programs) as (one, out):
            run.together(self.context, list(programs), one,
                         lambda _, name, file: ["/bin/sh", "-c", programs[name], name, file])
            self.count = one.count()
        return out.getvalue()

    def said(self, tests: list[Test], name: str = "g") -> str:
        done = Test(name, "not ok" if any(t.failed for t in tests) else "ok", plan=len(tests), tests=tests)
        return f"cat >$1 <<'E'\n{ktap.write([done])}E\n"

    def test_what_they_said_is_printed_and_counted(self) -> None:
        tests = [Test("a # b", "ok", took=1.26, notes=["measured 7"]), Test("c", "not ok", why=["two", " lines"]),
                 Test("d", "skip", "no board")]
        self.assertEqual(self.together(g=self.said(tests) + "echo unread; exit 1"), SAID)
        self.assertEqual(self.count, Count(1, 1, 1))
        self.assertEqual(self.together(g=self.said(tests[:1]), h=self.said(tests[2:], "h")).count("\n"), 3)
        self.assertEqual(self.count, Count(1, 0, 1))

    def test_what_they_said_of_themselves_is_passed_on(self) -> None:
        self.together(g=self.said([Test("a", "ok")]) + "echo a phase >&2")
        self.assertIn("a phase\n", self.err.getvalue())

    def test_one_that_dies_without_a_verdict(self) -> None:
        self.assertIn("ok    a (0.0 s)\n", self.together(g="exit 2", h=self.said([Test("a", "ok")], "h")))
        self.assertEqual(self.failed(), ["g: ended without a verdict"])
        self.assertEqual(self.count, Count(1, 1, 0))
        self.assertIn("      exit status 0\n", self.together(g="true"))

    def test_one_that_is_killed(self) -> None:
        whole = self.said([Test("a", "ok"), Test("b", "ok")])
        for cut, wrong in (("    ok 2 - b\nok 1 - g\n", ["g: no verdict of 2 of 2"]),
                           ("ok 1 - g\n", ["g: has not come to its end"]), ("", ["g: ended without a verdict"])):
            with self.subTest(cut):
                self.together(g=whole.replace(cut, "") + "kill -9 $$")
                self.assertEqual(self.failed(), wrong)
                self.assertEqual(self.count.failed, 1)

    def test_the_real_command(self) -> None:
        """A group that there is not ends before it says anything."""
        with self.report("nope") as (one, out):
            run.together(self.context, ["nope"], one)
        self.assertEqual(out.getvalue(), "FAIL  nope: ended without a verdict\n      exit status 2\n")
        self.assertIn("no group 'nope'", self.err.getvalue())


class Choice(toy.Case):
    """Which groups a run has."""

    def chosen(self, *wanted: str, base: str = DEFAULT_BASE, flavour: str = "plain", arch: str = "") -> list[str]:
        context = self.using(base=base, flavour=flavour, architecture=arch)
        return [one.name for one in run.choose(context, wanted)]

    def test_all_but_those_that_are_asked_for(self) -> None:
        every = [one.name for one in registry.every()]
        asked = ("arm", "calls", "monitor", "postmortem")
        self.assertEqual(self.chosen(), [name for name in every if name not in asked])
        self.assertEqual(self.chosen(flavour="kasan,plain"), self.chosen())
        self.assertEqual(self.chosen("arm", "units"), ["units", "arm"])

    def test_another_kernel_runs_what_is_in_the_guest(self) -> None:
        inside = [one.name for one in registry.every() if one.where is Where.ANY]
        for asked in ({"flavour": "kasan"}, {"arch": "arm64"}, {"base": "6.12"}):
            self.assertEqual(self.chosen(**asked), inside)
        self.assertEqual(self.chosen(arch="arm"), [*inside, "arm"])
        self.assertLess(set(registry.for_matrix()), set(inside))

    def test_one_that_there_is_not(self) -> None:
        with self.fails("scripts/test: no group 'nope'; use one of units, queue, "):
            self.chosen("units", "nope")

    def test_each_says_what_it_tests(self) -> None:
        for one in registry.every():
            self.assertRegex(one.purpose, r"^\S.*\.$", one.name)
            self.assertTrue(one.board in ("", *arch.TABLE), one.name)
            self.assertEqual(one.where is Where.BOARD, bool(one.board), one.name)

    def test_first_and_last_read_and_build_for_all(self) -> None:
        when = {one.name: one.when for one in registry.every()}
        self.assertIs(when["builds"], When.FIRST)
        self.assertIs(when["claims-page"], When.LAST)
        self.assertIs(when["guest"], When.BESIDE)

    def documented(self, context: Context, tally: Tally) -> None:
        """Something."""

    def test_no_name_twice(self) -> None:
        with self.assertRaises(AssertionError):
            registry.group("units", Where.HOST)(self.documented)
        with self.assertRaises(AssertionError):
            registry.group("new", Where.HOST)(lambda context, tally: None)


class Run(Case):
    """A whole run: in which order, and its exit code."""

    def run_it(self, *groups: Group) -> tuple[int, list[str]]:
        def together(context: Context, names: list[str], one: Report) -> None:
            for name in names:
                one.add(name, [Test(f"beside {name}", "ok")])

        with mock.patch.object(run, "choose", lambda *_: list(groups)), \
                mock.patch.object(run, "together", together), \
                mock.patch.object(store, "save", lambda *_: None), \
                contextlib.redirect_stdout(io.StringIO()) as out:
            status = run.run(self.context, [], self.path)
        return status, [line for line in out.getvalue().splitlines() if not re.fullmatch(r"\d+ s", line)]

    def says(self, name: str, when: When, why: str = "") -> Group:
        return group(name, lambda tally: tally.result(name, why), when)

    def test_the_order(self) -> None:
        status, out = self.run_it(self.says("l", When.LAST), self.says("b", When.BESIDE), self.says("f", When.FIRST),
                                  self.says("c", When.BESIDE))
        self.assertEqual((status, [line.split(" (")[0] for line in out]),
                         (0, ["ok    f", "ok    beside b", "ok    beside c", "ok    l", "", "4 passed, 0 failed"]))
        self.assertEqual(ktap.count(ktap.load(self.path)), Count(4))

    def test_a_single_one_runs_here(self) -> None:
        status, out = self.run_it(self.says("b", When.BESIDE, "why"))
        self.assertEqual((status, out), (1, ["FAIL  b", "      why", "", "0 passed, 1 failed"]))

    def test_nothing_is_no_success(self) -> None:
        status, out = self.run_it(group("g", lambda tally: tally.skip("a", "why")))
        self.assertEqual((status, out[-2:]), (1, ["nothing was tested, which is no success: see why each was skipped",
                                                  "0 passed, 0 failed, 1 skipped"]))


class Closing(Case):
    """scripts/results and .ci/run."""

    def setUp(self) -> None:
        super().setUp()
        self.reports = [self.path, self.build / "matrix/results.ktap"]
        for report in self.reports:
            report.parent.mkdir()
        self.env = os.environ | {"BASE": "", "SET": "", "KTHREAD_DEBUG_CELL": "",
                                 "KTHREAD_DEBUG_BUILD": str(self.build)}

    def write(self, report: Path, *tests: Test) -> None:
        toy.plant(report.parent, {report.name: ktap.write([Test("g", "ok", plan=len(tests), tests=list(tests))])})

    def results(self, *args: str) -> tuple[int, str]:
        done = subprocess.run([sys.executable, toy.SCRIPTS / "results", *args], capture_output=True, text=True,
                              env=self.env)
        return done.returncode, done.stdout + done.stderr

    def test_results(self) -> None:
        self.assertEqual(self.results("--count"), (1, "0 passed, 1 failed\n"))
        self.write(self.path, Test("a", "ok", took=1), Test("b", "skip", "why"))
        self.assertEqual(self.results("--count"), (0, "1 passed, 0 failed\n"))
        self.assertEqual(self.results(), (0, "ok    a (1.0 s)\nskip  b: why\n\n1 passed, 0 failed, 1 skipped\n"))
        self.assertEqual(self.results("--count", "test", "matrix"), (1, "1 passed, 1 failed\n"))
        self.write(self.reports[1], Test("c", "ok"))
        self.assertEqual(self.results("--count", "test", "matrix"), (0, "2 passed, 0 failed\n"))
        self.write(self.reports[1], Test("c", "skip"))
        self.assertEqual(self.results("--count", "matrix"), (1, "0 passed, 0 failed\n"))
        self.assertEqual(self.results("--forget", "test"), (0, ""))
        self.assertEqual([file.exists() for file in self.reports], [False, True])
        self.assertEqual(self.results("nope"), (2, "error: scripts/results: no run 'nope'; take one of test, matrix\n"))

    def ci(self, *make: str) -> tuple[int, str]:
        """.ci/run, where make test and make matrix do as @make says; each knows its report as $report."""
        top = self.tmp / "ci"
        toy.plant(top, {"scripts/deps": "#!/bin/sh\n", "bin/make": "#!/bin/sh\n" + "".join(
            f'if [ "$1" = {name} ]; then\nreport={report}\n{what}\nfi\n'
            for name, report, what in zip(("test", "matrix"), self.reports, make)),
            "scripts/results": f'#!/bin/sh\nexec {toy.SCRIPTS}/results "$@"\n'})
        for path in (top / "bin/make", top / "scripts/deps", top / "scripts/results"):
            path.chmod(0o755)
        (top / ".ci").mkdir(exist_ok=True)
        shutil.copy(toy.SCRIPTS.parent / ".ci/run", top / ".ci/run")
        done = subprocess.run([top / ".ci/run"], capture_output=True, text=True,
                              env=self.env | {"PATH": f"{top / 'bin'}:{os.environ['PATH']}"})
        return done.returncode, done.stdout.splitlines()[-1]

    def says(self, *tests: Test) -> str:
        return f"cat >$report <<'E'\n{ktap.write([Test('g', 'ok', plan=len(tests), tests=list(tests))])}E\n"

    def test_ci(self) -> None:
        for report in self.reports:
            self.write(report, *(Test(f"old {n}", "ok") for n in range(9)))
        one, two = self.says(Test("a", "ok"), Test("b", "skip")), self.says(Test("c", "ok"), Test("d", "ok"))
        bad = self.says(Test("c", "not ok"))
        for make, want in (((one, two), (0, "3 passed, 0 failed")), ((one, bad), (1, "1 passed, 1 failed")),
                           (("exit 2", two), (1, "2 passed, 1 failed")),
                           ((one, "kill -9 $$"), (1, "1 passed, 1 failed")),
                           (("exit 2", "exit 2"), (1, "0 passed, 2 failed")),
                           ((one.replace("ok 1 - g\n", "") + "kill -9 $$", two), (1, "3 passed, 1 failed"))):
            with self.subTest(make):
                self.assertEqual(self.ci(*make), want)

    def test_ci_a_run_that_fails_behind_its_report(self) -> None:
        says = self.says(Test("a", "ok"))
        self.assertEqual(self.ci(says + "exit 2", says), (1, "2 passed, 0 failed"))
