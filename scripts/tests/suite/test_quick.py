# SPDX-License-Identifier: GPL-2.0-only
"""make quick: what it runs for a change, what it says that it leaves out, and how it ends."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from kdebug.build import bootable
from kdebug.check import lint
from kdebug.context import Context
from kdebug.guest import boot, ktap, kunit
from kdebug.host import ui
from kdebug.patches import tree
from kdebug.suite import quick, units
from kdebug.suite.report import Tally

FILES = {
    "scripts/lib/kdebug/alpha.py": 'TABLE = paths.SCRIPTS / "alpha-lines.txt"\n',
    "scripts/lib/kdebug/guest/beta.py": "",
    "scripts/lib/kdebug/shared.py": "",
    "scripts/fail-alpha": "#!/bin/sh\n",
    "scripts/lonely": "#!/bin/sh\n",
    "scripts/alpha-lines.txt": "",
    "configs/kasan.config": "",
    "scripts/tests/helper.py": "",
    "scripts/tests/logs/one.log": "",
    "scripts/tests/test_alpha.py": "from kdebug import alpha, shared\n",
    "scripts/tests/test_failalpha.py": "import helper\n",
    "scripts/tests/guest/test_beta.py":
        'from kdebug.guest.beta import run\nfrom kdebug.shared import x\nLOGS = "logs"\n',
}


class Scratch(unittest.TestCase):
    def setUp(self) -> None:
        self.tmp = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.context = Context(repo=self.tmp, root=self.tmp / "build")

    def plant(self, **more: str) -> None:
        for name, text in (FILES | more).items():
            (self.tmp / name).parent.mkdir(parents=True, exist_ok=True)
            (self.tmp / name).write_text(text)


class Changed(Scratch):
    def git(self, *args: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *args], cwd=self.tmp, check=True,
                       capture_output=True)

    def test_all_kinds(self) -> None:
        self.git("init", "-q")
        for name in ("same", "edited", "staged", "gone"):
            (self.tmp / name).write_text("1")
        (self.tmp / ".gitignore").write_text("/build/\n")
        self.git("add", "-A")
        self.git("commit", "-qm", "one")
        self.assertEqual(quick.changed(self.context, "HEAD"), [])
        for name in ("edited", "staged", "new"):
            (self.tmp / name).write_text("2")
        self.git("add", "staged")
        (self.tmp / "gone").unlink()
        (self.tmp / "build").mkdir()
        (self.tmp / "build/x").touch()
        self.assertEqual(quick.changed(self.context, "HEAD"), ["edited", "gone", "new", "staged"])
        self.git("add", "-A")
        self.git("commit", "-qm", "two")
        self.assertEqual(quick.changed(self.context, "HEAD"), [])
        self.assertEqual(quick.changed(self.context, "HEAD~1"), ["edited", "gone", "new", "staged"])

    def test_no_such_commit(self) -> None:
        self.git("init", "-q")
        with self.assertRaisesRegex(ui.Fail, r"\ASINCE=nowhere: git cannot compare with it \(.*\); give a commit") as caught:
            quick.changed(self.context, "nowhere")
        self.assertNotIn("\n", str(caught.exception))


class TestsOf(Scratch):
    def test_by_name(self) -> None:
        self.plant()
        for name, wanted in (
                ("lib/kdebug/alpha.py", ["test_alpha"]), ("lib/kdebug/guest/beta.py", ["test_beta"]),
                ("fail-alpha", ["test_failalpha"]), ("lonely", []),
                # Without one of their name: those that import it, or name it.
                ("lib/kdebug/shared.py", ["test_alpha", "test_beta"]), ("tests/helper.py", ["test_failalpha"]),
                ("alpha-lines.txt", ["test_alpha"]), ("tests/logs/one.log", ["test_beta"]),
                ("tests/test_alpha.py", ["test_alpha"]), ("tests/guest/test_beta.py", ["test_beta"]),
                ("tests/test_gone.py", [])):
            with self.subTest(name):
                self.assertEqual(sorted(f.stem for f in quick.tests_of(self.context, f"scripts/{name}")), wanted)

    def test_a_test_that_does_not_parse(self) -> None:
        self.plant(**{"scripts/tests/test_alpha.py": "from shared ("})
        self.assertEqual([f.stem for f in quick.tests_of(self.context, "scripts/lib/kdebug/shared.py")], ["test_beta"])

    def test_every_test_has_its_file(self) -> None:
        """Of this repository: no test file waits for a change in itself."""
        here = Context()
        names = [str(p.relative_to(here.repo)) for p in (here.scripts / "docs", *here.scripts.rglob("*"))
                 if "tests" not in p.parts and "__pycache__" not in p.parts and not p.is_dir()]
        found = {test for name in names for test in quick.tests_of(here, name)}
        self.assertEqual(sorted(found), sorted(units.folder(here).rglob("test_*.py")))


class Planned(Scratch):
    def plan(self, *files: str, unfolded: tuple[str, ...] = ()) -> quick.Plan:
        with mock.patch.object(lint, "jobs", return_value={}):
            self.plant()
            return quick.plan(self.context, files, unfolded)

    def test_the_kernel(self) -> None:
        for name in ("patches/2-debug/0001-x.patch", "series", "kernel/guest/init.c", "configs/plain.config"):
            self.assertTrue(self.plan(name).kernel, name)
        self.assertTrue(self.plan(unfolded=("kernel/kthread_stall.c",)).kernel)
        for name in ("README.md", "scripts/lib/kdebug/alpha.py", "configs/kasan.config", "bases/6.12/config"):
            self.assertFalse(self.plan(name).kernel, name)

    def test_units(self) -> None:
        made = self.plan("scripts/lib/kdebug/shared.py", "scripts/lib/kdebug/alpha.py", "scripts/alpha-lines.txt")
        self.assertEqual([t.stem for t in made.tests], ["test_beta", "test_alpha"])
        self.assertEqual(made.untested, {})

    def test_what_is_not_tested_is_told(self) -> None:
        self.assertEqual(self.plan("scripts/lonely", "bases/6.12/config", "configs/kasan.config", "configs/arm.config",
                                   "configs/gdb.config", "monitor/a.patch", "timeline.svg").untested,
                         {"scripts/lonely": "make test", "bases/6.12/config": "make test BASE=6.12",
                          "configs/kasan.config": "make test FLAVOUR=kasan", "configs/arm.config": "make test ARCH=arm",
                          "configs/gdb.config": "scripts/test postmortem", "monitor/a.patch": "scripts/test monitor",
                          "timeline.svg": ""})

    def test_documents(self) -> None:
        for name in ("README.md", "docs/testing.md", "Makefile"):
            with mock.patch.object(lint, "jobs", return_value={}):
                self.assertEqual([t.stem for t in quick.plan(Context(), [name], ()).tests], ["test_docs"])


class Lint(unittest.TestCase):
    def test_only_what_changed(self) -> None:
        everything = lint.jobs(Context())
        self.assertIn("mypy scripts/quick", everything)
        self.assertGreater(len(everything), 10)
        self.assertEqual(list(lint.jobs(Context(), ["scripts/quick", "README.md"])), ["mypy scripts/quick"])
        self.assertEqual(lint.jobs(Context(), ["scripts/deps"]), {"shellcheck": ["shellcheck", "scripts/deps"]})
        self.assertEqual(lint.jobs(Context(), ["scripts/scenarios/jfs.sh"]),
                         {"shellcheck": ["shellcheck", "scripts/scenarios/jfs.sh"]})
        self.assertEqual(list(lint.jobs(Context(), ["scripts/lib/kdebug/host/ui.py"])), ["mypy lib"])
        self.assertEqual(lint.jobs(Context(), ["docs/testing.md"]), {})

    def test_what_they_say(self) -> None:
        self.assertEqual(lint.complaint(Context(), ["true"]), "")
        self.assertEqual(lint.complaint(Context(), ["false"]), "exit 1")
        self.assertEqual(lint.complaint(Context(), ["sh", "-c", "echo wrong; exit 1"]), "wrong\n")
        self.assertEqual(lint.complaint(Context(), ["no-such-linter"]), "no-such-linter: not found; run: make deps")


class Run(Scratch):
    """The whole command, with tests that are made for it."""

    def run_on(self, made: quick.Plan, files: list[str], patch: str = "") -> tuple[int, str]:
        repo = self.tmp / f"repo{len(list(self.tmp.iterdir()))}"
        context = Context(repo=repo, root=repo / "build")
        tests = units.folder(context)
        tests.mkdir(parents=True)
        context.build.mkdir()
        made.tests = [tests / path for path in made.tests]
        for path in made.tests:
            body = {"good": "pass", "bad": "self.fail('told')", "skip": "self.skipTest('why')"}[path.stem.split("_")[1]]
            path.write_text(f"import unittest\nclass T(unittest.TestCase):\n    def test_x(self):\n        {body}\n")
            self.addCleanup(sys.modules.pop, path.stem, None)
        self.addCleanup(lambda: str(tests) in sys.path and sys.path.remove(str(tests)))
        with mock.patch.object(quick, "changed", return_value=files), \
                mock.patch.object(tree, "difference", return_value=patch), \
                mock.patch.object(quick, "plan", return_value=made), \
                mock.patch.object(quick, "kernel", lambda context, tally, extra: self.booted.append(extra)
                                  or tally.result("boot")), \
                contextlib.redirect_stdout(io.StringIO()) as out:
            self.booted: list[list[Path]] = []
            return quick.run(context, "HEAD"), out.getvalue()

    def test_nothing_has_changed(self) -> None:
        status, out = self.run_on(quick.Plan(), [])
        self.assertEqual(status, 1)
        self.assertIn("Nothing differs from HEAD, and build/tree holds nothing that is not folded.\n`make test` runs", out)
        self.assertTrue(out.endswith("\n0 passed, 0 failed\n"), out)

    def test_good_and_bad(self) -> None:
        for plan, status, end in (
                (quick.Plan(tests=[Path("test_good_1.py")]), 0, "1 passed, 0 failed"),
                (quick.Plan(tests=[Path("test_good_2.py"), Path("test_bad_2.py")]), 1, "1 passed, 1 failed"),
                (quick.Plan(tests=[Path("test_skip_3.py")]), 1, "0 passed, 0 failed, 1 skipped"),
                (quick.Plan(jobs={"one": ["true"]}), 0, "1 passed, 0 failed"),
                (quick.Plan(jobs={"one": ["true"], "two": ["false"]}), 1, "1 passed, 1 failed"),
                (quick.Plan(untested={"README.md": ""}), 1, "0 passed, 0 failed"),
                (quick.Plan(kernel=True), 0, "1 passed, 0 failed")):
            with self.subTest(end):
                got, out = self.run_on(plan, ["a"])
                self.assertEqual((got, out.splitlines()[-1]), (status, end), out)

    def test_it_says_what_it_does(self) -> None:
        _, out = self.run_on(quick.Plan(tests=[Path("test_bad_4.py")], kernel=True, untested={"README.md": "", "x": "make y"}),
                             ["README.md", "a"], "diff --git a/k.c b/k.c\n--- a/k.c\n+++ b/k.c\n")
        for line in ("changed   from HEAD: README.md, a", "changed   in build/tree and not folded: k.c",
                     "runs      the units of bad4; the plain kernel", "leaves    README.md: nothing tests it",
                     "leaves    x: make y tests it", "leaves    the other programs, flavours", "FAIL  test_bad_4.T.test_x",
                     "done  test_bad_4: 1 test (", "`make test` runs all tests"):
            self.assertIn(line, out)
        self.assertEqual([path.read_text()[:10] for path in self.booted[0]], ["diff --git"])


class Kernel(unittest.TestCase):
    """KUnit's cases and the program's tests are counted, each."""

    def kernel(self, cases: dict[str, str], passed: bool = True, build: Exception | None = None) -> tuple[Tally, str]:
        tally = Tally(brief=True)
        result = SimpleNamespace(passed=passed, report=lambda: "the report", console="the console", programs=[
            SimpleNamespace(spec="table", tests=[SimpleNamespace(depth=0, name="top", result="ok"),
                                                 SimpleNamespace(depth=1, name="sub", result="not ok")])])
        ready = SimpleNamespace(kernel=SimpleNamespace(image=Path("i")), initrd=Path("r"), applied=SimpleNamespace(path=Path()))
        with mock.patch.object(bootable, "prepare", side_effect=build, return_value=ready), \
                mock.patch.object(boot, "run", return_value=result), mock.patch.object(
                    kunit, "parse", return_value=cases, side_effect=None if cases else ui.Fail("log", "no case", "see it")), \
                contextlib.redirect_stdout(io.StringIO()) as out:
            quick.kernel(Context(), tally, [])
        return tally, out.getvalue()

    def test_counts(self) -> None:
        tally, out = self.kernel({"a": "ok", "b": "fail", "c": "skip"})
        # It builds, it runs clean, a, and top.
        self.assertEqual(ktap.count(tally.tests), ktap.Count(4, 1, 1))
        self.assertIn("FAIL  plain: kunit: kthread.b\n      see the console\n", out)

    def test_a_bad_run(self) -> None:
        tally, out = self.kernel({"a": "ok"}, passed=False)
        self.assertEqual(tally.failed, 1)
        self.assertIn("the report", out)

    def test_no_case(self) -> None:
        """A kernel that dies early has none, and its own words say more than that."""
        for passed, said in ((False, "the report"), (True, "log: no case; see it")):
            tally, out = self.kernel({}, passed)
            self.assertEqual(tally.failed, 1)
            self.assertIn(said, out)

    def test_no_build_no_boot(self) -> None:
        tally, out = self.kernel({"a": "ok"}, build=ui.Fail("log", "error: x", "mend it"))
        self.assertEqual(ktap.count(tally.tests), ktap.Count(0, 1))
        self.assertIn("log: error: x; mend it", out)


if __name__ == "__main__":
    unittest.main()
