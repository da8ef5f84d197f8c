# SPDX-License-Identifier: GPL-2.0-only
"""Which tests there are for a set: those whose files it brings."""

from __future__ import annotations

import subprocess
import sys

import toy
from kdebug.build import guest_programs
from kdebug.context import SETS
from kdebug.patches import scope, series
from kdebug.suite import guests, registry

TESTS = guest_programs.SELFTESTS


class Scope(toy.Case):
    def setUp(self) -> None:
        super().setUp()
        files = {"1-fixes": ["kernel/fork.c"], "2-debug": [scope.DEBUG, f"{TESTS}/stall.c"],
                 "3-fault": [scope.FAULT, f"{TESTS}/knobs.c"], "4-misuse": [scope.MISUSE]}
        self.context = self.using(repo=self.tmp)
        toy.plant(self.tmp / "patches", {
            f"{name}/0001-a.patch": toy.mail("a", {}, dict.fromkeys(some, "x\n")) for name, some in files.items()})
        (self.tmp / "series").write_text("".join(f"{name}/0001-a.patch\n" for name in files))

    def asked(self, name: str) -> tuple[list[str], list[str]]:
        asked = ("units", "fixes", "unchanged", "stall", "boot-options", "misuse", "figures")
        programs = ("show:/proc/version", "repro:0", "stall", "knobs:x", "itself", "misbehave:leak")
        context = self.using(set=name)
        there = [one.name for one in registry.every() if one.there(context)]
        return [name for name in asked if name in there], guests.there(context, programs)

    def test_without_one_all_are_there(self) -> None:
        groups, programs = self.asked("")
        self.assertEqual((len(groups), len(programs)), (7, 6))

    def test_groups_and_programs(self) -> None:
        base = ["show:/proc/version", "misbehave:leak"]
        for name, groups, programs in (
                ("1-fixes", [], []), ("2-debug", ["unchanged", "stall"], ["stall"]),
                ("3-fault", ["unchanged", "stall", "boot-options"], ["repro:0", "stall", "knobs:x"]),
                ("4-misuse", ["unchanged", "stall", "misuse"], ["stall", "itself"])):
            with self.subTest(name):
                got = self.asked(name)
                self.assertEqual(got[0], ["fixes", *groups])
                self.assertEqual(sorted(got[1]), sorted([*base, *programs]))

    def test_what_needs_more_says_which(self) -> None:
        scope.wants(self.using(set="2-debug"), "it", scope.DEBUG)
        with self.fails("SET=debug: it needs kernel/kthread_fault.c", "use SET=fault, or no SET= for all"):
            scope.wants(self.using(set="2-debug"), "it", scope.FAULT)
        scope.wants(self.context, "it", scope.FAULT)


class Real(toy.Case):
    """scripts/test itself."""

    def run_it(self, *args: str, **env: str) -> str:
        done = subprocess.run([sys.executable, self.context.scripts / "test", *args], capture_output=True, text=True,
                              env=self.env | {"BASE": "", "ARCH": "", "FLAVOUR": ""} | env)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        return done.stderr

    def test_what_is_named_exists(self) -> None:
        """Each file that a group or a program needs is of the series, and each program is one."""
        groups = self.run_it("nope").split("use one of ")[1].strip().split(", ")
        self.assertEqual(groups, [one.name for one in registry.every()])
        everything = scope.files(self.context, "")
        for one in registry.every():
            self.assertIn(one.needs, {"", *everything}, one.name)
        for name, files in guests.NEEDS.items():
            self.assertLessEqual(set(files), everything, name)
            self.assertTrue(any((self.context.kernel / folder / f"{name}.c").is_file()
                                for folder in ("guest", "details/guest")), name)

    def test_a_group_that_a_set_has_not(self) -> None:
        said = self.run_it("figures", SET="debug")
        self.assertRegex(said, "^error: SET=debug: has no group 'figures'; use one of queue, builds, ")
        self.assertNotIn("boot-options", said)
        self.assertIn("error: SET=nope: no such set", self.run_it("queue", SET="nope"))

    def test_each_set_brings_what_its_programs_need(self) -> None:
        for name, file in (("2-debug", scope.DEBUG), ("3-fault", scope.FAULT), ("4-misuse", scope.MISUSE)):
            self.assertIn(file, scope.files(self.context, name))
        self.assertNotIn(scope.FAULT, scope.files(self.context, "4-misuse"))
        self.assertEqual([one.name for one in series.sets(self.context) if one.patches], list(SETS))
