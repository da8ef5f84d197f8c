# SPDX-License-Identifier: GPL-2.0-only
"""The table of architectures, and what goes by it."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

from kdebug.build import arch, flavours, guest_programs, initramfs, make
from kdebug.context import Context, read
from kdebug.guest import boot, qemu
from kdebug.host import files
from kdebug.host.apt import Apt
from kdebug.host.ui import Fail

ARM = Context(architecture="arm")


class Table(unittest.TestCase):
    def test_the_default(self) -> None:
        for context in (read({}), read({"ARCH": ""})):
            with self.subTest(context):
                self.assertEqual(arch.of(context).name, "x86_64")

    def test_unknown(self) -> None:
        vax = read({"ARCH": "vax"})
        wanted: tuple[Callable[[], object], ...] = (
            lambda: arch.of(vax), lambda: flavours.fragments(vax, "plain"),
            lambda: make.make_args(vax, Path("/s"), Path("/o")))
        for what in wanted:
            with self.assertRaisesRegex(Fail, "ARCH=vax: no such architecture; use one of x86_64 arm "):
                what()

    def test_each_has_a_fragment(self) -> None:
        for name in arch.TABLE:
            with self.subTest(name):
                files = flavours.fragments(Context(architecture=name), "plain")
                self.assertEqual([p.stem for p in files], ["guest", name, "plain"])

    def test_all_but_the_default_are_named_in_what_is_built(self) -> None:
        self.assertEqual(arch.of(ARM).flavour("plain"), "arm-plain")
        args = make.make_args(ARM, Path("/s"), Path("/o"))
        self.assertIn("ARCH=arm", args)
        self.assertIn("CROSS_COMPILE=arm-linux-gnueabihf-", args)
        self.assertTrue(any(a.startswith("CC=") and a.endswith("arm-linux-gnueabihf-gcc") for a in args), args)
        self.assertEqual(arch.get("x86_64").flavour("plain"), "plain")
        args = make.make_args(Context(), Path("/s"), Path("/o"))
        self.assertFalse([a for a in args if a.startswith("CROSS_COMPILE")])

    def test_qemu_gets_the_device_tree(self) -> None:
        cmd = qemu.command(arch.get("arm"), "qemu", accel="tcg", image=Path("/o/arch/arm/boot/zImage"), initrd=None,
                           append="")
        self.assertEqual(cmd[cmd.index("-dtb") + 1], "/o/arch/arm/boot/dts/arm/vexpress-v2p-ca9.dtb")
        self.assertNotIn("-dtb", qemu.command(arch.get("x86_64"), "qemu", accel="tcg", image=Path("/b"), initrd=None,
                                              append=""))

    def test_packages(self) -> None:
        def said(name: str) -> tuple[int, str]:
            done = subprocess.run([sys.executable, "-m", "kdebug.build.usage"], capture_output=True, text=True,
                                  env=os.environ | {"PYTHONPATH": str(Context().scripts / "lib"), "ARCH": name})
            return done.returncode, done.stdout or done.stderr

        self.assertEqual(said("arm"), (0, "qemu-system-arm\ngcc-arm-linux-gnueabihf\n"))
        self.assertEqual(said("um"), (0, ""))
        self.assertEqual(said("vax")[0], 2)


class UserMode(unittest.TestCase):
    """A kernel that is a process of the host's: no QEMU, no accelerator, no machine."""

    def setUp(self) -> None:
        self.um = arch.get("um")
        tmp = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.image = tmp / "linux"
        self.image.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
        self.image.chmod(0o755)
        self.context = Context(root=tmp, architecture="um")

    def test_the_image_is_the_command(self) -> None:
        self.assertEqual(self.um.path, Path("linux"))
        cmd = qemu.command(self.um, "", accel="", image=Path("/o/linux"), initrd=Path("/o/cpio"), append="a=1 b")
        self.assertEqual(cmd, ["/o/linux", "mem=256M", "initrd=/o/cpio", "uml_dir=/o/uml", "a=1", "b"])
        self.assertNotIn("initrd=", " ".join(qemu.command(self.um, "", accel="", image=Path("/o/linux"), initrd=None,
                                                          append="")))

    def test_a_shell_has_the_terminal(self) -> None:
        cmd = qemu.command(self.um, "", accel="", image=Path("/o/linux"), initrd=None, append=self.um.append,
                           terminal=Path("/o/console.log"))
        self.assertEqual([word for word in cmd if word.startswith("con0=")], ["con0=null,fd:1", "con0=fd:0,fd:1"])

    def test_it_is_run(self) -> None:
        with mock.patch.dict(os.environ, {"PATH": "/usr/bin:/bin"}):
            result = boot.run(self.context, self.image, None, programs=["p"], nonce="n", phase=mock.Mock())
        said = [line.text for line in result.lines]
        self.assertIn("kdebug.run=p", said)
        self.assertIn("kdebug.off=1", said)

    def test_what_it_has_not(self) -> None:
        with self.assertRaisesRegex(Fail, "--smp: 2 CPUs, but um has 1"):
            boot.run(self.context, self.image, None, programs=["p"], phase=mock.Mock(), smp=2)
        with self.assertRaisesRegex(Fail, "ACCEL: kvm wanted, but um"):
            boot.run(replace(self.context, accelerator="kvm"), self.image, None, programs=["p"], phase=mock.Mock())

    def test_arguments_for_qemu_are_not_dropped(self) -> None:
        with self.assertRaisesRegex(Fail, "um: -S is for QEMU"):
            qemu.command(self.um, "", accel="", image=self.image, initrd=None, append="", extra=["-S"])

    def test_headers_are_those_of_the_hosts_architecture(self) -> None:
        made: list[str] = []
        with mock.patch.object(make, "run", lambda _, args, *__: made.append(" ".join(args))), \
                contextlib.redirect_stderr(io.StringIO()):
            guest_programs.build(replace(self.context, repo=self.image.parent), self.image.parent)
        self.assertRegex(made[0], "ARCH=um .*ARCH=x86 headers$")


class Busybox(unittest.TestCase):
    """For a guest whose programs do not run on this host."""

    def test_its_applets_are_read_from_its_data(self) -> None:
        own = initramfs.busybox(Context())
        found = initramfs.applets(ARM, own)
        self.assertEqual(sorted(found.split()), sorted(initramfs.applets(Context(), own).split()))

    def test_no_busybox(self) -> None:
        with self.assertRaisesRegex(Fail, "has no list of applets"):
            initramfs.applets(ARM, Path(__file__))

    def test_a_package_of_another_architecture(self) -> None:
        asked: list[tuple[str, ...]] = []

        def apt(*args: str) -> tuple[int, str, str]:
            asked.append(args)
            return 0, f"'http://m/b.deb' b.deb 7 SHA256:{'0' * 64}\n", ""

        with tempfile.TemporaryDirectory() as tmp, mock.patch.object(files, "write_atomic") as written, \
                mock.patch.object(Apt, "__call__", lambda _, *args: apt(*args)):
            found, _ = Apt(Path(tmp)).find("http://m", "stable", Path("/k"), "busybox-static:armhf")
        self.assertEqual(found, ("http://m/b.deb", "b.deb", 7, "0" * 64))
        option = ("-o", "APT::Architectures::=armhf")
        self.assertEqual(asked, [(*option, "update"), (*option, "download", "--print-uris", "busybox-static:armhf")])
        self.assertIn(b"arch=armhf]", written.call_args.args[1])


class Option(unittest.TestCase):
    def test_boot_knows_it(self) -> None:
        with self.assertRaisesRegex(Fail, "ARCH=vax: no such architecture"):
            boot._qemu(Context(architecture="vax"))
