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
from pathlib import Path
from unittest import mock

from kdebug import arch, base, boot, initramfs, kbuild, paths, qemu
from kdebug.ui import Fail


class Table(unittest.TestCase):
    def test_the_default(self) -> None:
        for env in ({}, {"ARCH": ""}):
            with self.subTest(env), mock.patch.dict(os.environ, env, clear=True):
                self.assertEqual(arch.current().name, "x86_64")

    def test_unknown(self) -> None:
        with mock.patch.dict(os.environ, {"ARCH": "vax"}):
            wanted: tuple[Callable[[], object], ...] = (
                arch.current, lambda: kbuild.fragments([]), lambda: kbuild.make_args(Path("/s"), Path("/o")))
            for what in wanted:
                with self.assertRaisesRegex(Fail, "ARCH: no machine known for 'vax'; use one of x86_64 arm "):
                    what()

    def test_each_has_a_fragment(self) -> None:
        for name in arch.TABLE:
            with self.subTest(name), mock.patch.dict(os.environ, {"ARCH": name}):
                self.assertEqual([p.stem for p in kbuild.fragments(["plain"])], ["guest", name, "plain"])

    def test_all_but_the_default_are_named_in_what_is_built(self) -> None:
        with mock.patch.dict(os.environ, {"ARCH": "arm"}):
            self.assertEqual(arch.current().flavour("plain"), "arm-plain")
            args = kbuild.make_args(Path("/s"), Path("/o"))
        self.assertIn("ARCH=arm", args)
        self.assertIn("CROSS_COMPILE=arm-linux-gnueabihf-", args)
        self.assertTrue(any(a.startswith("CC=") and a.endswith("arm-linux-gnueabihf-gcc") for a in args), args)
        self.assertEqual(arch.get("x86_64").flavour("plain"), "plain")
        with mock.patch.dict(os.environ, {"ARCH": ""}):
            self.assertFalse([a for a in kbuild.make_args(Path("/s"), Path("/o")) if a.startswith("CROSS_COMPILE")])

    def test_qemu_gets_the_device_tree(self) -> None:
        cmd = qemu.command(arch.get("arm"), "qemu", accel="tcg", image=Path("/o/arch/arm/boot/zImage"), initrd=None,
                           append="")
        self.assertEqual(cmd[cmd.index("-dtb") + 1], "/o/arch/arm/boot/dts/arm/vexpress-v2p-ca9.dtb")
        self.assertNotIn("-dtb", qemu.command(arch.get("x86_64"), "qemu", accel="tcg", image=Path("/b"), initrd=None,
                                              append=""))

    def test_packages(self) -> None:
        def said(name: str) -> tuple[int, str]:
            done = subprocess.run([sys.executable, "-m", "kdebug.arch"], capture_output=True, text=True,
                                  env=os.environ | {"PYTHONPATH": str(paths.SCRIPTS / "lib"), "ARCH": name})
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
        self.enterContext(mock.patch.object(paths, "RUNS", tmp / "runs"))

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
        with mock.patch.dict(os.environ, {"ACCEL": "", "PATH": "/usr/bin:/bin"}):
            result = boot.run(self.image, None, programs=["p"], arch="um", nonce="n", phase=mock.Mock())
        said = [line.text for line in result.lines]
        self.assertIn("kdebug.run=p", said)
        self.assertIn("kdebug.off=1", said)

    def test_what_it_has_not(self) -> None:
        for how, why in ({"smp": 2}, "--smp: 2 CPUs, but um has 1"), ({"accel": "kvm"}, "ACCEL: kvm wanted, but um"):
            with self.subTest(how), self.assertRaisesRegex(Fail, why):
                boot.run(self.image, None, programs=["p"], arch="um", phase=mock.Mock(), **how)

    def test_arguments_for_qemu_are_not_dropped(self) -> None:
        with self.assertRaisesRegex(Fail, "um: -S is for QEMU"):
            qemu.command(self.um, "", accel="", image=self.image, initrd=None, append="", extra=["-S"])

    def test_headers_are_those_of_the_hosts_architecture(self) -> None:
        made: list[str] = []
        with mock.patch.dict(os.environ, {"ARCH": "um"}), mock.patch.object(kbuild, "make", lambda args, *_: (
                made.append(" ".join(args)))), mock.patch.object(paths, "OUT", self.image.parent), \
                contextlib.redirect_stderr(io.StringIO()):
            kbuild.guest(self.image.parent)
        self.assertRegex(made[0], "ARCH=um .*ARCH=x86 headers$")


class Busybox(unittest.TestCase):
    """For a guest whose programs do not run on this host."""

    def test_its_applets_are_read_from_its_data(self) -> None:
        own = initramfs.busybox()
        with mock.patch.dict(os.environ, {"ARCH": "arm"}):
            found = initramfs.applets(own)
        self.assertEqual(sorted(found.split()), sorted(initramfs.applets(own).split()))

    def test_no_busybox(self) -> None:
        with mock.patch.dict(os.environ, {"ARCH": "arm"}), self.assertRaisesRegex(Fail, "has no list of applets"):
            initramfs.applets(Path(__file__).parent / "fakeqemu.py")

    def test_a_package_of_another_architecture(self) -> None:
        asked: list[tuple[str, ...]] = []

        def apt(*args: str) -> tuple[int, str, str]:
            asked.append(args)
            return 0, f"'http://m/b.deb' b.deb 7 SHA256:{'0' * 64}\n", ""

        with tempfile.TemporaryDirectory() as tmp, mock.patch.object(base, "write_atomic") as written, \
                mock.patch.object(paths, "DOWNLOAD", Path(tmp)), \
                mock.patch.object(base._Apt, "__call__", lambda _, *args: apt(*args)):
            found, _ = base._Apt().find("http://m", "stable", Path("/k"), "busybox-static:armhf")
        self.assertEqual(found, ("http://m/b.deb", "b.deb", 7, "0" * 64))
        option = ("-o", "APT::Architectures::=armhf")
        self.assertEqual(asked, [(*option, "update"), (*option, "download", "--print-uris", "busybox-static:armhf")])
        self.assertIn(b"arch=armhf]", written.call_args.args[1])


class Option(unittest.TestCase):
    def test_boot_knows_it(self) -> None:
        with self.assertRaisesRegex(Fail, "ARCH: no machine known for 'vax'"):
            boot._qemu("vax", None)
