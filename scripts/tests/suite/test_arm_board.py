# SPDX-License-Identifier: GPL-2.0-only
"""What counts as shown of the runs on the board: a boot that a test makes up."""

from __future__ import annotations

import hashlib
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from kdebug.build import arch
from kdebug.context import Context
from kdebug.guest.boot import Result
from kdebug.guest.exit_codes import Code
from kdebug.guest.judge import Program, Test, Verdict
from kdebug.guest.lines import parse_line
from kdebug.suite import arm_board as board

SHA = hashlib.sha256(b"").hexdigest()
LEASE = "kdebug: busybox| udhcpc: lease of 10.0.2.15 obtained from 10.0.2.2, lease time 86400"
FILE = f"kdebug: busybox| {SHA}  /tmp/file"
HELD = [" mmci_probe from amba_probe+0x68/0xb4",
        'INFO: kthread_create("irq/31-mmci-pl18x (cmd)") by swapper/0:1 blocked for 1 s in stage completing, '
        "held by comp_block",
        "task:irq/31-mmci-pl1 state:I stack:0     pid:40    tgid:40    ppid:2",
        " __kthread_debug_hold from kthread+0x100/0x138",
        "Run /init as init process"]


class Runs(unittest.TestCase):
    """No kernel is built and nothing is booted."""

    def setUp(self) -> None:
        self.context = Context()
        self.said: list[str] = []
        self.tests: list[Test] = []
        self.code = Code.PASS
        self.booted: dict[str, Any] = {}
        for name, new in (("build.bootable.prepare", self.prepare), ("guest.boot.run", self.boot),
                          ("suite.arm_board.SIZE", 0)):
            patcher = mock.patch(f"kdebug.{name}", new)
            patcher.start()
            self.addCleanup(patcher.stop)

    def prepare(self, context: Context, flavour: str, **how: bool) -> Any:
        self.assertEqual(arch.of(context).name, "arm")
        return mock.Mock(how=how)

    def boot(self, context: Context, image: Path, initrd: Path, append: str, *, programs: list[str], **how: Any) -> Result:
        self.assertEqual(arch.of(context).name, "arm")
        self.booted = how | {"append": append, "programs": programs}
        lines = [parse_line(n, 0.0, f"[    1.000000] {text}".encode()) for n, text in enumerate(self.said, 1)]
        return Result(Verdict(self.code, "made up", []), [Program(programs[0], 0, self.tests)], lines,
                           Path("/nowhere"), [], 1.0)

    def bad(self, checks: list[board.Check]) -> list[str]:
        return [name.split(":")[0] for name, why in checks if why]

    def test_good(self) -> None:
        self.said, self.tests = [LEASE, FILE], [Test("e5_control_in_the_probe: both", "ok", 0)]
        checks = board.run(self.context, "control", 1000)[1]
        self.assertEqual((self.bad(checks), len(checks)), ([], 2))
        self.assertIn("smsc911x.block=0", self.booted["append"])
        self.assertIn("lan9118", " ".join(self.booted["extra"]))

    def test_the_users_choice_is_back_behind_it(self) -> None:
        mine = Context(architecture="x86_64")
        board.run(mine, "control", 1000)
        self.assertEqual(arch.of(mine).name, "x86_64")

    def test_nothing_said_is_nothing_shown(self) -> None:
        self.assertEqual(self.bad(board.run(self.context, "blocked", 1000)[1]), ["e5_in_the_probe", "e5_network_after_blocked"])
        self.assertIn("smsc911x.block=1", self.booted["append"])

    def test_network(self) -> None:
        self.tests = [Test("e5", "ok", 0)]
        for said in ([LEASE], [FILE], [LEASE, FILE.replace(SHA[:4], "0000")], [LEASE, FILE.partition("| ")[2]]):
            with self.subTest(said):
                self.said = said
                self.assertEqual(self.bad(board.run(self.context, "control", 0)[1]), ["e5_network_after_control"])

    def test_a_bad_end_of_a_good_run(self) -> None:
        self.said, self.tests, self.code = [LEASE, FILE], [Test("e5", "ok", 0)], Code.WARNING
        self.assertEqual(self.bad(board.run(self.context, "control", 0)[1]), ["e5_control_in_the_probe"])

    def test_at_boot(self) -> None:
        self.said = [*HELD, FILE]
        self.assertEqual(self.bad(board.at_boot(self.context)[1]), [])

    def test_at_boot_without_a_report_or_too_late(self) -> None:
        for lines in (*(HELD[:n] + HELD[n + 1:] for n in range(len(HELD))), [HELD[-1], *HELD[:-1]],
                      [HELD[0], HELD[1].replace("completing", "starting"), *HELD[2:]]):
            with self.subTest(lines):
                self.said = [*lines, FILE]
                self.assertEqual(self.bad(board.at_boot(self.context)[1]), ["e5_no_patch_no_user_space"])
