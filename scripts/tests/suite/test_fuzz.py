# SPDX-License-Identifier: GPL-2.0-only
"""What make fuzz runs, and what it prints of a failure."""

from __future__ import annotations

import contextlib
import io
import subprocess
from typing import Any
from unittest import mock

import toy
from kdebug.build import bootable
from kdebug.guest import boot
from kdebug.guest.exit_codes import Code
from kdebug.guest.judge import Verdict
from kdebug.guest.lines import parse_line
from kdebug.suite.groups import fuzz
from kdebug.suite.report import Tally

GOOD = ["# seed 7", "# 12 writes: 8 accepted, 4 refused; 0 by two at once"]
BAD = [*GOOD[:1], "# seed 7, write 3: .../name, 2 bytes, at the start", "# bytes: a\\x00", GOOD[1], "not ok 1 each"]


class Fuzz(toy.Case):
    def setUp(self) -> None:
        super().setUp()
        self.asked: list[Any] = []
        self.config = self.tmp / "config"
        self.config.write_text("CONFIG_X=y\n")

    def tally(self, said: list[str], code: Code = Code.PASS, flavour: str = "plain") -> Tally:
        lines = [parse_line(n, 0.0, f"[    1.000000] kdebug: fuzz| {text}".encode()) for n, text in enumerate(said)]
        lines.append(parse_line(99, 0.0, b"[    1.000000] # of the kernel"))
        result = boot.Result(Verdict(code, "because", []), [], lines, self.tmp, [], 1.0)
        kernel = mock.Mock(config=self.config, memory=512, cpus=2)

        def run(*args: Any, **how: Any) -> boot.Result:
            self.asked.append(how)
            return result

        tally = Tally()
        with mock.patch.object(bootable, "prepare", return_value=mock.Mock(kernel=kernel)), \
                mock.patch.object(boot, "run", run), contextlib.redirect_stdout(io.StringIO()):
            fuzz.run(self.using(flavour=flavour), tally, 12, 7)
        return tally

    def test_on_each_kernel(self) -> None:
        tally = self.tally(GOOD, flavour="plain,kasan")
        self.assertEqual([test.result for test in tally.tests], ["ok", "ok"])
        self.assertEqual([test.name.partition(":")[0] for test in tally.tests], ["plain", "kasan"])
        self.assertEqual(tally.tests[0].notes, ["seed 7: 12 writes: 8 accepted, 4 refused; 0 by two at once"])
        self.assertEqual(self.asked[0]["programs"], ["fuzz:12:7"])
        self.assertEqual(self.asked[0]["memory"], 512)

    def test_what_is_lost_is_looked_for(self) -> None:
        self.config.write_text("CONFIG_DEBUG_KMEMLEAK=y\n")
        self.tally(GOOD)
        self.assertEqual(self.asked[0]["programs"], ["fuzz:12:7", "kmemleak"])

    def test_a_failure_can_be_repeated(self) -> None:
        tally = self.tally(BAD, Code.FAILED, "kasan")
        self.assertEqual(tally.failed, 1)
        why = tally.tests[0].why
        self.assertEqual(why[0], "failed (1): because")
        self.assertEqual(why[-5:], [*BAD[:4], "repeat it: make fuzz WRITES=12 SEED=7 FLAVOUR=kasan"])

    def test_limits_grow_with_the_writes(self) -> None:
        self.tally(GOOD)
        self.assertGreater(self.asked[0]["limits"].total, fuzz.SILENCE)

    def test_bad_input(self) -> None:
        for args, what in ((("--writes", "0"), "--writes: bad value '0'; give a number from 1 to "),
                           (("--writes", "many"), "--writes: bad value 'many'; "),
                           (("--seed", "-1"), "--seed: bad value '-1'; give a number from 0 to ")):
            done = subprocess.run([toy.SCRIPTS / "fuzz", *args], capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"error: {what}", done.stderr)
