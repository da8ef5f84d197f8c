# SPDX-License-Identifier: GPL-2.0-only
"""What the environment asks for, and that it is read in one place alone."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

import toy
from kdebug.build import arch
from kdebug.context import BASES, DEFAULT_BASE, REPO, Context, read
from kdebug.source import debian

VARIABLES = ("ARCH", "BASE", "SET", "FLAVOUR", "KDIR", "ACCEL", "CC", "KTHREAD_DEBUG_BUILD", "KTHREAD_DEBUG_CELL")


class Read(unittest.TestCase):
    def test_nothing_given_is_the_default(self) -> None:
        self.assertEqual(read({}), Context())
        self.assertEqual(read(dict.fromkeys((*VARIABLES[:6], "KTHREAD_DEBUG_WAIT", "KTHREAD_DEBUG_CELL"), "")), Context())

    def test_each_variable(self) -> None:
        found = read({"ARCH": "arm", "BASE": "6.12", "SET": "debug", "FLAVOUR": "plain, lockdep", "KDIR": "~/linux",
                      "ACCEL": "tcg", "CC": "clang", "KTHREAD_DEBUG_BUILD": "/b", "KTHREAD_DEBUG_CELL": "/c",
                      "KTHREAD_DEBUG_WAIT": "1"})
        self.assertEqual(found, Context(root=Path("/b"), base="6.12", set="2-debug", architecture="arm",
                                        flavour="plain, lockdep", kdir="~/linux", accelerator="tcg", compiler="clang",
                                        cell=Path("/c"), wait=True))
        self.assertEqual(found.flavours, ["plain", "lockdep"])
        self.assertEqual([found.runs, found.out], [Path("/c/runs"), Path("/b/6.12/sets/2-debug/out")])

    def test_a_command_may_have_another_flavour(self) -> None:
        found = [read(env, flavour="explore").flavour for env in ({}, {"FLAVOUR": "plain"})]
        self.assertEqual(found, ["explore", "plain"])

    def test_a_compiler_that_is_empty_is_none_of_ours(self) -> None:
        self.assertEqual([read({}).compiler, read({"CC": ""}).compiler], [None, ""])

    def test_each_base_has_suites(self) -> None:
        self.assertEqual(tuple(debian.SUITES), BASES)
        self.assertEqual(BASES[0], DEFAULT_BASE)


class OnePlace(toy.Case):
    """No other module reads what the context holds, and none of it is a module's own."""

    def test_no_other_module_reads_these_variables(self) -> None:
        commands = [path for path in (REPO / "scripts").iterdir() if path.is_file()
                    and path.read_bytes().startswith(b"#!/usr/bin/env python3")]
        names = "|".join(VARIABLES)
        for path in [*(REPO / "scripts/lib").rglob("*.py"), *commands]:
            if path.name != "context.py":
                text = path.read_text()
                self.assertIsNone(re.search(rf"""environ(\.get\(|\[)["']({names})["']""", text), path)
        self.assertGreater(len(commands), 10)

    def test_two_bases_in_one_process(self) -> None:
        old, new = self.using(base="6.12", architecture="arm"), self.context
        self.assertEqual([c.linux.relative_to(self.build) for c in (old, new)], [Path("6.12/linux"), Path("linux")])
        self.assertEqual([arch.of(c).name for c in (old, new)], ["arm", "x86_64"])
