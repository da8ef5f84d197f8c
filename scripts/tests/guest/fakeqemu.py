# SPDX-License-Identifier: GPL-2.0-only
"""A stand-in for QEMU: a shell script on the PATH that does as $FAKE says."""

from __future__ import annotations

import os
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from kdebug.context import Context
from kdebug.host.pseudoterminal import alive as alive

SCRIPT = """#!/bin/sh
test "$1" = --version && { echo "${FAKE_VERSION-QEMU emulator version 7.2.0}"; exit; }
eval "$FAKE"
"""
NONCE = "abc123"
BOOT = f"[    0.000000] Linux version 7.3.4\n[    1.000000] kdebug: init nonce={NONCE} cpus=2\n"
GOOD = (f"[    2.000000] kdebug: prog| ok 1 first\n"
        f"[    2.000000] kdebug: status nonce={NONCE} prog=prog exit=0\n"
        f"[    2.000000] kdebug: end nonce={NONCE} progs=1 failed=0\n")


class FakeQemu(unittest.TestCase):
    """A build/ of its own, a fake QEMU first on the PATH, an image to name."""

    def setUp(self) -> None:
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.tmp = Path(tmp.name).resolve()
        self.bin = self.tmp / "bin"
        self.bin.mkdir()
        self.install(SCRIPT)
        self.image, self.initrd = self.tmp / "bzImage", self.tmp / "an initrd"
        self.image.write_text("kernel")
        self.initrd.write_text("initrd")
        (self.tmp / "boot").write_text(BOOT)
        (self.tmp / "good").write_text(BOOT + GOOD)
        self.context = Context(root=self.tmp / "build", accelerator="tcg")
        self.patch(mock.patch.dict(os.environ, {
            "PATH": f"{self.bin}:{os.environ['PATH']}", "T": str(self.tmp), "FAKE": ""}))

    def patch(self, patcher: "mock._patch[Any] | mock._patch_dict") -> None:
        patcher.start()
        self.addCleanup(patcher.stop)

    def install(self, script: str) -> None:
        path = self.bin / "qemu-system-x86_64"
        path.write_text(script)
        path.chmod(0o755)

    def fake(self, commands: str) -> None:
        """Shell commands that QEMU consists of from now on; $T is self.tmp."""
        os.environ["FAKE"] = commands

    def env(self, **more: str) -> dict[str, str]:
        """The environment for scripts/boot in a process of its own."""
        return os.environ | {"ACCEL": "tcg", "KTHREAD_DEBUG_BUILD": str(self.tmp / "build")} | more

    def wait(self, state: Callable[[], bool], what: str) -> None:
        """Until @state() holds; a limit, so that a broken test ends."""
        end = time.monotonic() + 30
        while not state():
            self.assertLess(time.monotonic(), end, f"waited in vain: {what}")
            time.sleep(0.01)

    def pid(self, name: str = "pid") -> int:
        """The process that wrote its id to the file @name."""
        path = self.tmp / name
        self.wait(lambda: path.exists() and path.read_text().endswith("\n"), name)
        return int(path.read_text())
