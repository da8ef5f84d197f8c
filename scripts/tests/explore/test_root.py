# SPDX-License-Identifier: GPL-2.0-only
"""The disks of a guest of scripts/explore: when they are made, and of what."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from pathlib import Path
from unittest import mock

from kdebug.build.kernel import Kernel
from kdebug.explore import root
from kdebug.host import apt, ui
from scratch import Scratch, fail

MIRROR = "http://deb.example.org/debian"


class Tools(Scratch):
    """With an mmdebstrap and an mksquashfs that write down how they were called."""

    def setUp(self) -> None:
        super().setUp()
        self.calls = self.tmp / "calls"
        self.calls.touch()
        self.tool("mmdebstrap", 'echo root; exit "$(cat status 2>/dev/null || echo 0)"')
        self.tool("mksquashfs", 'cat >/dev/null; echo image >"$2"')
        keyring = self.tmp / "keyring"
        keyring.touch()
        path = f"{self.tmp}/bin:{os.environ['PATH']}"
        self.enterContext(mock.patch.object(apt, "host_mirrors", lambda: [f"{MIRROR}-security", MIRROR]))
        self.enterContext(mock.patch.object(apt, "KEYRINGS", (keyring,)))
        self.enterContext(mock.patch.dict(os.environ, {"PATH": path}))
        self.enterContext(mock.patch.object(root, "ROOM", 0))

    def tool(self, name: str, body: str) -> None:
        path = self.tmp / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\necho {name} "$@" >>{self.calls}\ncd {self.tmp}\n{body}\n')
        path.chmod(0o755)

    def made(self, *packages: str) -> list[str]:
        """The calls that ensure() makes for @packages."""
        self.calls.write_text("")
        self.assertEqual(root.ensure(self.context, packages), self.tmp / "explore/root.squashfs")
        return sorted(self.calls.read_text().splitlines())


class Root(Tools):
    def test_made_of_what_is_asked_for_and_what_each_guest_has(self) -> None:
        squash, bootstrap = self.made("mdadm", "e2fsprogs")
        self.assertIn("--include=busybox,e2fsprogs,kmod,mdadm,mount,procps,util-linux ", bootstrap)
        self.assertIn(f" {root.SUITE} - deb [signed-by={self.tmp}/keyring] {MIRROR} {root.SUITE} main", bootstrap)
        self.assertNotIn("security", bootstrap)
        self.assertIn("mksquashfs - ", squash)
        self.assertEqual((self.tmp / "explore/root.squashfs").read_text(), "image\n")

    def test_made_again_only_for_a_package_that_it_lacks(self) -> None:
        self.made("mdadm", "e2fsprogs")
        self.assertEqual(self.made("mdadm"), [])
        self.assertEqual(self.made(), [])
        again = self.made("xfsprogs")
        self.assertIn("e2fsprogs,kmod,mdadm,mount,procps,util-linux,xfsprogs ", again[1])

    def test_made_again_for_another_suite_or_if_it_is_gone(self) -> None:
        self.made("mdadm")
        (self.tmp / "explore/root.squashfs").unlink()
        self.assertEqual(len(self.made("mdadm")), 2)
        stamp = self.tmp / "explore/root.json"
        stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "suite": "potato"}))
        self.assertEqual(len(self.made()), 2)

    def test_a_failure_leaves_the_old_one(self) -> None:
        self.made("mdadm")
        self.tool("mmdebstrap", "echo 'I: begin' >&2; echo 'E: Unable to locate package nope' >&2; exit 25")
        err = fail(self, root.ensure, self.context, ["nope"])
        self.assertEqual(str(err), "the guest's root: E: Unable to locate package nope; correct a package's name, or "
                         "see to the network, and run again")
        self.assertEqual(sorted(p.name for p in (self.tmp / "explore").iterdir()), ["root.json", "root.squashfs"])
        self.assertEqual(self.made("mdadm"), [])

    def test_refused_before_anything_is_run(self) -> None:
        for name in ("--hook", "a b", "Mdadm", "x"):
            self.assertEqual(fail(self, root.ensure, self.context, [name]).what, f"packages: {name}")
        with mock.patch.object(apt, "host_mirrors", lambda: [f"{MIRROR}-security"]):
            self.assertIn("no mirror", fail(self, root.ensure, self.context, []).problem)
        with mock.patch.object(apt, "KEYRINGS", (self.tmp / "nowhere",)):
            self.assertIn("no mirror", fail(self, root.ensure, self.context, []).problem)
        self.assertEqual(self.calls.read_text(), "")


class Modules(Tools):
    """Of a kernel whose Makefile installs one module."""

    def setUp(self) -> None:
        super().setUp()
        self.tool("mksquashfs", f'(cd "$1" && find . ! -type d) | sort >{self.tmp}/held; echo image >"$2"')
        source = self.tmp / "src"
        source.mkdir()
        (source / "Makefile").write_text(
            "modules_install:\n\tmkdir -p $(INSTALL_MOD_PATH)/lib/modules/7.3/kernel\n"
            "\ttest $(INSTALL_MOD_STRIP) = 1\n\techo > $(INSTALL_MOD_PATH)/lib/modules/7.3/kernel/a.ko\n"
            "\ttouch $(INSTALL_MOD_PATH)/lib/modules/7.3/modules.dep\n"
            "\tln -s / $(INSTALL_MOD_PATH)/lib/modules/7.3/build\n")
        self.kernel = Kernel(Path("image"), self.tmp / "out", source, Path("config"), "7.3", "key")

    def test_made_for_a_kernel_once(self) -> None:
        self.assertEqual(root.modules(self.context, self.kernel), self.tmp / "explore/modules.squashfs")
        self.assertEqual((self.tmp / "held").read_text(), "./7.3/kernel/a.ko\n./7.3/modules.dep\n")
        self.calls.write_text("")
        root.modules(self.context, self.kernel)
        self.assertEqual(self.calls.read_text(), "")
        root.modules(self.context, dataclasses.replace(self.kernel, key="other"))
        self.assertIn("mksquashfs", self.calls.read_text())

    def test_with_modules_from_outside(self) -> None:
        self.tool("depmod", f'ls "$2/lib/modules/$3/extra" >{self.tmp}/extra')
        module = self.tmp / "b.ko"
        module.write_text("one")
        root.modules(self.context, self.kernel, [module])
        self.assertIn("./7.3/extra/b.ko\n", (self.tmp / "held").read_text())
        self.assertEqual((self.tmp / "extra").read_text(), "b.ko\n")
        self.calls.write_text("")
        root.modules(self.context, self.kernel, [module])
        self.assertEqual(self.calls.read_text(), "")
        module.write_text("two")
        root.modules(self.context, self.kernel, [module])
        self.assertIn("mksquashfs", self.calls.read_text())
        self.tool("depmod", "echo depmod: bad >&2; exit 1")
        module.write_text("three")
        self.assertEqual(fail(self, root.modules, self.context, self.kernel, [module]).problem, "depmod: bad")

    def test_a_failure_is_told_and_leaves_nothing(self) -> None:
        (self.kernel.source / "Makefile").write_text("modules_install:\n\tfalse\n")
        with self.assertRaises((ui.Fail, subprocess.CalledProcessError)):
            root.modules(self.context, self.kernel)
        self.assertEqual([p.name for p in (self.tmp / "explore").iterdir()], ["modules.log"])
