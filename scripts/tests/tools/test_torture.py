# SPDX-License-Identifier: GPL-2.0-only
"""What make torture reads from a console, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import unittest

import toy
from kdebug.guest.lines import Line, parse_line
from kdebug.tools import torture
from kdebug.tools.torture import Guest

GUEST = Guest("plain", 2, 60, 7)
SUCCESS = "kthread-torture: end of test: SUCCESS seed=7 cpus=2 created=9 run=4"


def console(*said: str) -> list[Line]:
    return [parse_line(nr, 0.0, f"[    1.000000] kdebug: torture| {text}".encode()) for nr, text in enumerate(said)]


def problem(*said: str) -> str:
    return torture.problem(GUEST, torture.closing(console(*said)))


class Closing(unittest.TestCase):
    def test_success(self) -> None:
        self.assertEqual(problem("kthread-torture: 15 s: created=1", SUCCESS), "")

    def test_no_closing_line_is_no_success(self) -> None:
        for said in ((), ("kthread-torture: 15 s: created=9",), (SUCCESS.removesuffix(" run=4") + " run=",)):
            self.assertIn("has not said", problem(*said))

    def test_only_the_program_itself_counts(self) -> None:
        line = parse_line(1, 0.0, f"[    1.000000] {SUCCESS}".encode())
        self.assertIsNone(torture.closing([line]))

    def test_failure_says_why(self) -> None:
        self.assertEqual(problem(SUCCESS.replace("SUCCESS", "FAILURE") + ": id=3: held for ever"),
                         "id=3: held for ever")
        self.assertEqual(problem(SUCCESS.replace("SUCCESS", "FAILURE")), "FAILURE")

    def test_another_seed_or_number_of_cpus(self) -> None:
        self.assertEqual(problem(SUCCESS.replace("seed=7", "seed=8")), "seed=8, asked for 7")
        self.assertEqual(problem(SUCCESS.replace("cpus=2", "cpus=1")), "cpus=1, asked for 2")

    def test_nothing_done_is_no_success(self) -> None:
        self.assertIn("nothing", problem(SUCCESS.replace("created=9", "created=0")))
        self.assertIn("nothing", problem(SUCCESS.replace("run=4", "run=0")))


class Plan(unittest.TestCase):
    def test_the_guests_share_the_time(self) -> None:
        guests = torture.plan(["plain", "kasan"], [1, 2], 240, 7)
        self.assertEqual([(one.flavour, one.cpus, one.seconds, one.seed) for one in guests],
                         [("plain", 1, 60, 7), ("plain", 2, 60, 7), ("kasan", 1, 60, 7), ("kasan", 2, 60, 7)])

    def test_each_has_a_second_at_least(self) -> None:
        self.assertEqual([one.seconds for one in torture.plan(["plain"], [1, 2, 4], 1, 7)], [1, 1, 1])

    def test_again_names_the_same_run(self) -> None:
        self.assertEqual(GUEST.again, "make torture FLAVOUR=plain CPUS=2 MINUTES=1 SEED=7")

    def test_spec(self) -> None:
        self.assertEqual(GUEST.spec, "torture:seed=7:seconds=60:cpus=2")
        self.assertEqual(Guest("plain", 1, 60, 7, 100).spec, "torture:seed=7:seconds=60:cpus=1:creations=100")


class Command(unittest.TestCase):
    def test_bad_input(self) -> None:
        for args in (["--cpus", "0"], ["--cpus", "9"], ["--cpus", "1,"], ["--minutes", "0"], ["--minutes", "x"],
                     ["--minutes", "99999"], ["--seed", "-1"], ["--seed", "4294967296"]):
            done = subprocess.run([toy.SCRIPTS / "torture", *args], capture_output=True, text=True,
                                  env=os.environ | {"FLAVOUR": "plain"}, check=False)
            self.assertEqual(done.returncode, 2, args)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(args[1], done.stderr)


if __name__ == "__main__":
    unittest.main()
