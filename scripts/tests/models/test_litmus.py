# SPDX-License-Identifier: GPL-2.0-only
"""The litmus tests, what herd7 says of them, and where it comes from."""

from __future__ import annotations

import unittest
from pathlib import Path
from unittest import mock

from kdebug.host import apt, ui
from kdebug.models import herd, litmus
from kdebug.models.quoted import Quote
from scratch import Scratch, fail
from source.mirror import tool

TEST = """C toy

(*
 * Result: Never
 *
 * Code: kernel/a.c one() smp_rmb();
 *)
{}
P0(int *x)
{
\tWRITE_ONCE(*x, 1); // control: *x = 1;
}
P1(int *x)
{
\t\tsmp_rmb(); // control: barrier();
}
"""


class Read(Scratch):
    def toy(self, text: str = TEST) -> litmus.Test:
        path = self.tmp / "toy.litmus"
        path.write_text(text)
        return litmus.read(path)

    def test_each_control_replaces_its_line_alone(self) -> None:
        test = self.toy()
        self.assertEqual(test.quotes, [Quote("kernel/a.c", "smp_rmb();")])
        self.assertEqual(list(test.controls), [11, 15])
        self.assertEqual(test.controls[11], TEST.replace("WRITE_ONCE(*x, 1); // control: *x = 1;", "*x = 1;"))
        self.assertEqual(test.controls[15], TEST.replace("smp_rmb(); // control: barrier();", "barrier();"))

    def test_what_tests_nothing_is_refused(self) -> None:
        self.assertIn("no line with '// control:'", str(fail(self, self.toy, TEST.replace("control", "never"))))
        self.assertIn("no line 'Code:'", str(fail(self, self.toy, TEST.replace("Code", "Text"))))
        self.assertIn("another name", str(fail(self, self.toy, TEST.replace("C toy", "C other"))))


    def test_comments_name_them(self) -> None:
        folder = self.tmp / "kernel"
        folder.mkdir()
        (folder / "kthread_a.c").write_text("/* Litmus test: kthread-a-b. */\n\t/*\n\t * Text.  Litmus\n"
                                            "\t * tests: kthread-c-d,\n\t * kthread-e-f.\n\t */\n")
        (folder / "fork.c").write_text("/* Litmus test: other-a. */\n")
        self.assertEqual(litmus.named(self.tmp), {"kthread-a-b", "kthread-c-d", "kthread-e-f"})


class Said(unittest.TestCase):
    def test_never(self) -> None:
        self.assertEqual(litmus.parse("toy", "Test toy\nObservation toy Never 0 3\n"), litmus.Said(False, 3))

    def test_possible(self) -> None:
        self.assertEqual(litmus.parse("toy", "Observation toy Sometimes 1 3\n"), litmus.Said(True, 4))
        self.assertEqual(litmus.parse("toy", "Observation toy Always 4 0\n"), litmus.Said(True, 4))

    def test_a_race_is_as_bad(self) -> None:
        self.assertTrue(litmus.parse("toy", "Flag data-race\nObservation toy Never 0 3\n").possible)

    def test_no_result_is_no_success(self) -> None:
        self.assertIn("no result (Fatal error: x)", str(fail(self, litmus.parse, "toy", "Fatal error: x\n")))


class Herd(Scratch):
    def setUp(self) -> None:
        super().setUp()
        readme = self.tmp / "tools/memory-model/README"
        readme.parent.mkdir(parents=True)
        readme.write_text("Version 7.58 or higher of the tools must be\n")
        self.fetched = self.enterContext(mock.patch.object(apt, "package", side_effect=ui.Fail("x", "no network", "y")))

    def ensure(self, version: str) -> Path:
        tool(self.tmp / "bin", "herd7", f"echo '{version}, Rev: exported'\n")
        with mock.patch.object(herd.shutil, "which", lambda _: str(self.tmp / "bin/herd7")):
            return herd.ensure(self.context, self.tmp)

    def test_the_hosts_own_if_it_is_new_enough(self) -> None:
        self.assertEqual(self.ensure("7.58"), self.tmp / "bin/herd7")
        self.assertEqual(self.ensure("7.100.1"), self.tmp / "bin/herd7")
        self.fetched.assert_not_called()

    def test_one_that_is_too_old_is_not_taken(self) -> None:
        self.assertIn("no network", str(fail(self, self.ensure, "7.56.3")))
        self.assertEqual(self.fetched.call_args.args[1:], ("herdtools7", herd.SUITES))

    def test_a_broken_unpacking_is_no_success(self) -> None:
        wrapper = self.context.build / "herd/herd7"
        wrapper.parent.mkdir()
        tool(wrapper.parent, "herd7", "exit 127\n")
        self.assertIn("does not run", str(fail(self, self.ensure, "1.0")))


if __name__ == "__main__":
    unittest.main()
