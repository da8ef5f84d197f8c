# SPDX-License-Identifier: GPL-2.0-only
"""One command at a time in build/."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys

import toy
from kdebug.context import WAIT
from kdebug.host import lock

HOLD = """
import sys
sys.path.insert(0, sys.argv[1])
from kdebug.context import read
from kdebug.host import lock
with lock.held(read(), "make repro"):
    print("held", flush=True)
    sys.stdin.read()
"""


class Lock(toy.Case):
    def hold(self) -> subprocess.Popen[str]:
        """Another process that holds the lock when this returns."""
        child = subprocess.Popen([sys.executable, "-c", HOLD, str(toy.SCRIPTS / "lib")], text=True, env=self.env,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(child.communicate)
        assert child.stdout
        self.assertEqual(child.stdout.readline(), "held\n")
        return child

    def test_second_command_is_refused_and_told_by_whom(self) -> None:
        child = self.hold()
        with self.fails(str(self.build / "lock"), f"pid {child.pid}", "make repro", "wait"):
            with lock.held(self.context, "make test"):
                self.fail("two at the same time")

    def clean(self, *args: str) -> tuple[int, str]:
        done = subprocess.run([toy.SCRIPTS / "clean", *args], capture_output=True, text=True, env=self.env)
        return done.returncode, done.stderr

    def test_nothing_is_cleaned_away_under_another_command(self) -> None:
        (self.build / "out").mkdir()
        child = self.hold()
        for args in ((), ("--all",)):
            code, err = self.clean(*args)
            self.assertEqual(code, 2)
            self.assertIn(f"held by pid {child.pid}: make repro", err)
            self.assertTrue((self.build / "out").is_dir())
        child.communicate()
        self.assertEqual(self.clean(), (0, ""))
        self.assertFalse((self.build / "out").exists())
        self.assertEqual(self.clean("--all"), (0, ""))
        self.assertFalse(self.build.exists())

    def test_the_other_bases_and_the_matrix_are_cleaned_too(self) -> None:
        for name in ("6.12", "7.1"):
            toy.plant(self.build / name, {"out/x": "", "src/x": "", "runs/x": ""})
        toy.plant(self.build / "matrix", {"index.html": ""})
        with open(self.build / "7.1/lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            for args in ((), ("--all",)):
                code, err = self.clean(*args)
                self.assertEqual((code, err.partition(":")[0]), (2, "error"))
                self.assertIn("7.1/lock: held by", err)
            self.assertTrue((self.build / "6.12/out").exists())
            self.assertEqual(self.clean_of("6.12"), 0)  # is none of its business
            self.assertFalse((self.build / "6.12/out").exists())
            self.assertTrue((self.build / "matrix").exists())
        self.assertEqual(self.clean(), (0, ""))
        self.assertEqual(sorted(str(p.relative_to(self.build)) for p in self.build.glob("*/*") if p.is_dir()),
                         ["6.12/src", "7.1/src"])
        self.assertFalse((self.build / "matrix").exists())

    def clean_of(self, base: str) -> int:
        return subprocess.run([toy.SCRIPTS / "clean"], env=self.env | {"BASE": base}).returncode

    def test_nothing_is_cleaned_away_for_a_wrong_argument(self) -> None:
        (self.build / "out").mkdir()
        for args in (("--al",), ("--all", "x"), ("",)):
            self.assertEqual(self.clean(*args)[0], 2, args)
        self.assertTrue((self.build / "out").is_dir())

    def test_help_removes_nothing(self) -> None:
        (self.build / "out").mkdir()
        for name in ("--help", "-h"):
            done = subprocess.run([toy.SCRIPTS / "clean", name], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r"^usage: scripts/clean \[--all\]\n\n\w")
        self.assertTrue((self.build / "out").is_dir())

    def test_another_base_is_told_in_one_line(self) -> None:
        done = subprocess.run([toy.SCRIPTS / "clean"], capture_output=True, text=True, env=os.environ | {"BASE": "5.4"})
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"\Aerror: BASE=5.4: no such base; use one of 7.3 6.12 .*\n\Z")

    def test_who_is_to_wait_gets_it_afterwards(self) -> None:
        child = self.hold()
        waiting = subprocess.Popen([sys.executable, "-c", HOLD, str(toy.SCRIPTS / "lib")], text=True,
                                   env=self.env | {WAIT: "1"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(waiting.communicate)
        assert waiting.stdout
        self.assertIsNone(waiting.poll())
        child.communicate()
        self.assertEqual(waiting.stdout.readline(), "held\n")

    def test_end_and_kill_release_it(self) -> None:
        child = self.hold()
        child.communicate()
        with lock.held(self.context, "make test"):
            pass
        child = self.hold()
        child.send_signal(signal.SIGKILL)
        child.wait()
        with lock.held(self.context, "make test"):
            pass

    def test_nests_in_one_process_and_stays_held_until_the_outer_end(self) -> None:
        with lock.held(self.context, "make test"):
            with lock.held(self.context, "scripts/apply"):
                pass
            done = subprocess.run([sys.executable, "-c", HOLD, str(toy.SCRIPTS / "lib")], text=True,
                                  env=self.env, stdin=subprocess.DEVNULL, capture_output=True)
            self.assertIn("make test", done.stderr)
            self.assertNotEqual(done.returncode, 0)

    def test_each_base_has_a_lock_of_its_own(self) -> None:
        with lock.held(self.context, "make test"), lock.held(self.using(base="6.12"), "make test BASE=6.12"):
            self.assertIn("BASE=6.12", (self.build / "6.12/lock").read_text())
        self.assertEqual((self.build / "6.12/lock").read_text() + (self.build / "lock").read_text(), "")

    def test_a_child_does_not_keep_it(self) -> None:
        with lock.held(self.context, "make shell"):
            child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            self.addCleanup(child.communicate)
        self.hold()
