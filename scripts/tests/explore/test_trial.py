# SPDX-License-Identifier: GPL-2.0-only
"""Which creations are tried, and how the knobs are told."""

from __future__ import annotations

import fnmatch
import unittest

from kdebug.explore import trial
from kdebug.explore.console import Creation


def made(*names: str, creator: str = "modprobe", kthread: bool = False) -> list[Creation]:
    return [Creation(name, creator, kthread) for name in names]


class Glob(unittest.TestCase):
    def test_digits_are_one(self) -> None:
        self.assertEqual(trial.glob("md0_raid1"), "md[0-9]*_raid[0-9]*")
        self.assertEqual(trial.glob("three/0"), trial.glob("three/17"))
        self.assertNotEqual(trial.glob("three/a"), trial.glob("three/b"))
        self.assertTrue(fnmatch.fnmatchcase("md127_raid10", trial.glob("md0_raid1")))

    def test_what_a_glob_means_otherwise_is_escaped(self) -> None:
        self.assertEqual(trial.glob(r"a*b?[c]\d"), r"a\*b\?\[c\]\\d")
        self.assertEqual(trial.glob("a\tb\n"), "a?b?")

    def test_a_long_name_is_cut(self) -> None:
        for name in ("x" * 300, "7x" * 200, "*" * 200, "\u00e4" * 200):
            found = trial.glob(name)
            self.assertLessEqual(len(found.encode()), trial.GLOB_MAX)
            self.assertTrue(found.endswith("*"))
            self.assertFalse(found.endswith("\\*"))


class Plan(unittest.TestCase):
    def test_one(self) -> None:
        found = trial.plan(made("one/0"))
        self.assertEqual([one.label for one in found], ["fail -12", "fail -4", "kill fork", "kill claim", "stop",
                                                        "slow", "slow-exit"])
        self.assertEqual([one.number for one in found], list(range(1, 8)))
        self.assertEqual({(one.space, one.name, one.creator, one.row) for one in found},
                         {(1, "one/[0-9]*", "modprobe", "one/0 by modprobe")})

    def test_first_and_last_of_a_name(self) -> None:
        found = trial.plan(made("one/0", "one/1", "other", "one/2"))
        self.assertEqual(list(dict.fromkeys((one.row, one.space) for one in found)),
                         [("one/0 #1 by modprobe", 1), ("one/2 #3 by modprobe", 3), ("other by modprobe", 1)])
        self.assertEqual([one.number for one in found], list(range(1, 22)))

    def test_creators_are_told_apart(self) -> None:
        found = trial.plan(made("one") + made("one", creator="kworker/u8:1", kthread=True))
        self.assertEqual([(one.creator, one.kthread) for one in found[::7]],
                         [("modprobe", False), ("kworker/u[0-9]*:[0-9]*", True)])

    def test_pool_workers_are_left_out_and_rescuers_are_not(self) -> None:
        found = trial.plan(made("kworker/0:2", "kworker/u9:0-x", "kworker/R-mine"))
        self.assertEqual({one.thread for one in found}, {"kworker/R-mine"})

    def test_what_the_agent_reads(self) -> None:
        self.assertEqual(trial.plan(made("a b"))[2].line(), "3\tkill\tfork\t1\ta b\tmodprobe")
        self.assertEqual(trial.CONTROL_TRIAL.line(), "0\tcontrol\t\t1\t\t")
