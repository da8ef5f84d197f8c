# SPDX-License-Identifier: GPL-2.0-only
"""scripts/fetch."""

from __future__ import annotations

import subprocess
from unittest import mock

import toy
from kdebug.context import read
from kdebug.host import ui
from kdebug.source import fetch


class Command(toy.Case):
    def test_fetch_ends_a_bad_kdir_in_one_line(self) -> None:
        done = subprocess.run([str(toy.SCRIPTS / "fetch")], capture_output=True, text=True,
                              env=self.env | {"KDIR": "/nonexistent"})
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"\Aerror: KDIR=/nonexistent: no such directory; .*\n\Z")

    def test_an_empty_kdir_is_none(self) -> None:
        with mock.patch.object(fetch, "_packaged", side_effect=ui.Fail("a", "b", "c")):
            with self.fails("a: b; c"):
                fetch.ensure(read({"KDIR": "", "KTHREAD_DEBUG_BUILD": str(self.build)}))
