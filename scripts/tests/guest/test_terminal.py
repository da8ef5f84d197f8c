# SPDX-License-Identifier: GPL-2.0-only
"""A guest on a terminal: how a person leaves it, and that nothing outlives the terminal."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import toy
from guest.fakeqemu import FakeQemu
from kdebug.guest import terminal
from kdebug.host.pseudoterminal import Screen, alive, descendants, screen

SCRIPT = toy.SCRIPTS / "boot"
# A QEMU that no hang-up impresses, and that changes the terminal as the real one does.
STAYS = "trap '' HUP TERM INT; stty raw -echo; echo $$ > $T/pid; echo here; while :; do sleep 1 & wait; done"
# It copies its console where it was told to.
LOG = "log=$(printf '%s\\n' \"$@\" | sed -n 's/.*logfile=//p'); "


class Terminal(FakeQemu):
    def start(self, commands: str, *, before: Sequence[str] = (), controlling: bool = True,
              ignored: Sequence[int] = ()) -> Screen:
        """scripts/boot --shell on a terminal, behind the command @before; its QEMU is @commands."""
        self.fake(commands)
        env = os.environ | {"KTHREAD_DEBUG_BUILD": str(self.context.root), "ACCEL": self.context.accelerator}
        return self.enterContext(screen([*before, sys.executable, SCRIPT, "--image", self.image, "--shell"],
                                        env, controlling=controlling, ignored=ignored))

    def gone(self, one: Screen, *pids: int) -> None:
        self.wait(lambda: one.process.poll() is not None, "the end of the runner")
        for pid in pids:
            self.wait(lambda: not alive(pid), f"the end of {pid}")

    def test_the_guest_ends(self) -> None:
        for commands, code in (("exit 0", 0), ("exit 1", 15)):
            with self.subTest(commands):
                self.assertEqual(self.start(commands).ended(), code)

    def test_a_guest_that_is_down(self) -> None:
        """A kernel that cannot turn the machine off says that it is down, and QEMU goes on."""
        for said in ("reboot: System halted", "reboot: Power down",
                     "reboot: Power off not available: System halted instead"):
            with self.subTest(said):
                (self.tmp / "pid").unlink(missing_ok=True)
                # In two pieces, behind a prompt without an end.
                one = self.start(f"{LOG} printf 'guest# [   12.3456' > \"$log\"; sleep 0.5; "
                                 f"printf '78] {said}\\r\\n' >> \"$log\"; {STAYS}")
                self.assertEqual(one.ended(), 0)
                self.gone(one, self.pid())

    def test_talk_of_being_down(self) -> None:
        """A person may type what the kernel says."""
        one = self.start(f"{LOG} printf 'reboot: System halted\\n[    1.5] reboot: Power\\n' > \"$log\"; "
                         "echo here; until test -e $T/now; do sleep 0.01; done; exit 1")
        one.wait_for("here")
        said = terminal._Said(next((self.tmp / "build/runs").glob("2*/console.log")))
        self.assertFalse(said.down())
        (self.tmp / "now").touch()
        self.assertEqual(one.ended(), 15)

    def test_the_settings_come_back(self) -> None:
        one = self.start(f"{LOG} {STAYS}")
        before = one.settings()
        one.wait_for("here")
        self.assertNotEqual(one.settings(), before)
        one.process.send_signal(signal.SIGTERM)
        self.assertEqual(one.ended(), 130)
        self.assertEqual(one.settings(), before)
        self.gone(one, self.pid())

    def test_the_terminal_is_closed(self) -> None:
        """Also where the signal is ignored, and where none is sent."""
        for name, controlling, ignored in (("hang-up", True, ()), ("nohup", True, (signal.SIGHUP,)),
                                           ("no controlling terminal", False, ())):
            with self.subTest(name):
                (self.tmp / "pid").unlink(missing_ok=True)
                one = self.start(STAYS, controlling=controlling, ignored=ignored)
                one.wait_for("here")
                one.close()
                self.gone(one, self.pid())

    def test_hang_up_by_a_signal_alone(self) -> None:
        for number in (signal.SIGHUP, signal.SIGTERM):
            with self.subTest(number.name):
                (self.tmp / "pid").unlink(missing_ok=True)
                one = self.start(STAYS)
                one.wait_for("here")
                one.process.send_signal(number)
                self.assertEqual(one.ended(), 130)
                self.gone(one, self.pid())

    def test_the_runner_is_killed(self) -> None:
        one = self.start(STAYS)
        one.wait_for("here")
        one.process.kill()
        self.gone(one, self.pid())

    def test_the_parent_is_killed(self) -> None:
        """As make is, between the shell and the runner. The terminal stays open, and no signal is sent."""
        one = self.start(STAYS, before=["/bin/sh", "-c", '"$@"; exit', "sh"], controlling=False)
        one.wait_for("here")
        runner = next(pid for pid in descendants(one.process.pid) if pid != self.pid())
        one.process.kill()
        self.gone(one, runner, self.pid())
