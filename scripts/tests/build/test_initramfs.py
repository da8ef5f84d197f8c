# SPDX-License-Identifier: GPL-2.0-only
"""The root file system's list, and when it is made anew. A script stands in
for gen_init_cpio."""

import os
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from kdebug.build import guest_programs, initramfs, kernel
from kdebug.context import Context
from kdebug.host import ui

FAKE_GEN = """\
#!/bin/sh
[ "$# $1 $2" = "3 -t 0" ] || { echo usage >&2; exit 1; }
[ ! -f "$FAKE/refuse" ] || { echo half; echo "File /x could not be located" >&2; exit 255; }
echo made >> "$FAKE/calls"
cat "$3"
"""


class Spec(unittest.TestCase):
    def test_lines(self) -> None:
        text = initramfs.spec([Path("/g/probe"), Path("/g/init")], [Path("/m/b.ko"), Path("/m/a.ko")],
                              {"/etc/hint": Path("/h"), "/bin/busybox": Path("/bb")})
        lines = text.splitlines()
        self.assertIn("nod /dev/console 0600 0 0 c 5 1", lines)
        self.assertIn("file /init /g/init 0755 0 0", lines)
        self.assertNotIn("/bin/init", text)
        self.assertIn("file /bin/probe /g/probe 0755 0 0", lines)
        self.assertEqual([line for line in lines if "/mod/" in line],
                         ["file /mod/a.ko /m/a.ko 0644 0 0", "file /mod/b.ko /m/b.ko 0644 0 0"])
        self.assertIn("file /bin/busybox /bb 0755 0 0", lines)
        # What lies in a directory comes after the directory.
        for line in lines:
            kind, path = line.split()[:2]
            if kind != "dir" and path.count("/") > 1:
                parent = f"dir {path.rsplit('/', 1)[0]} 0755 0 0"
                self.assertLess(lines.index(parent), lines.index(line))

    def test_links_spare_the_programs(self) -> None:
        self.assertEqual(initramfs.links("sh\nbusybox\ninsmod\nrepro\n", {"repro"}),
                         "slink /bin/insmod busybox 0777 0 0\nslink /bin/sh busybox 0777 0 0\n")

    def test_hint_is_four_lines(self) -> None:
        lines = (initramfs.HINT + initramfs.HINT_QEMU).splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["arm", "see", "release", "leave"])
        self.assertTrue(all(len(line) < 80 for line in lines))


class Scratch(unittest.TestCase):
    def setUp(self) -> None:
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.tmp = Path(tmp.name)

    def script(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path


class Busybox(Scratch):
    def test_missing_and_dynamic(self) -> None:
        with mock.patch("shutil.which", return_value=None), self.assertRaises(ui.Fail) as caught:
            initramfs.busybox(Context())
        self.assertIn("busybox-static", caught.exception.remedy)
        dynamic = self.script(self.tmp / "busybox", "\x7fELF /lib64/ld-linux-x86-64.so.2")
        with mock.patch("shutil.which", return_value=str(dynamic)), self.assertRaises(ui.Fail) as caught:
            initramfs.busybox(Context())
        self.assertIn("not static", caught.exception.problem)
        static = self.script(self.tmp / "busybox", "\x7fELF")
        with mock.patch("shutil.which", return_value=str(static)):
            self.assertEqual(initramfs.busybox(Context()), static)


class Ensure(Scratch):
    def setUp(self) -> None:
        super().setUp()
        self.context = Context(root=self.tmp)
        out = self.tmp / "out"
        self.script(out / "usr/gen_init_cpio", FAKE_GEN)
        self.init, self.module = self.tmp / "init", self.tmp / "one.ko"
        self.init.write_text("init")
        self.module.write_text("ko")
        self.kernel = kernel.Kernel(out / "bzImage", out, self.tmp, out / ".config", "7.3.4", "key")
        patches: list[Any] = [mock.patch.dict(os.environ, {"FAKE": str(self.tmp)}),
                              mock.patch.object(guest_programs, "build", lambda context, source: [self.init])]
        for patch in patches:
            patch.start()
            self.addCleanup(patch.stop)

    def made(self) -> int:
        calls = self.tmp / "calls"
        return len(calls.read_text().splitlines()) if calls.exists() else 0

    def test_made_again_only_when_content_changes(self) -> None:
        image = initramfs.ensure(self.context, self.kernel, [self.module])
        self.assertIn("/mod/one.ko", image.read_text())
        os.utime(self.module, (1, 1))
        initramfs.ensure(self.context, self.kernel, [self.module])
        self.assertEqual(self.made(), 1)
        self.module.write_text("other")
        initramfs.ensure(self.context, self.kernel, [self.module])
        self.assertEqual(self.made(), 2)
        initramfs.ensure(self.context, self.kernel, [])
        self.assertEqual(self.made(), 3)
        image.unlink()
        self.assertTrue(initramfs.ensure(self.context, self.kernel, []).is_file())

    def test_extend_leaves_the_base_as_it_is(self) -> None:
        base = initramfs.ensure(self.context, self.kernel, [self.module])
        before = base.read_text()
        image = initramfs.extend(self.kernel, base, self.tmp / "more.cpio", {"/etc/x": Path("/x"), "/mod/two.ko": Path("/t")})
        self.assertEqual(image.read_text(), before + "file /etc/x /x 0644 0 0\nfile /mod/two.ko /t 0644 0 0\n")
        self.assertEqual(base.read_text(), before)

    def test_extend_makes_folders_and_links_and_keeps_what_can_be_run(self) -> None:
        base = initramfs.ensure(self.context, self.kernel)
        before, tool = base.read_text(), self.script(self.tmp / "kmod", "x")
        image = initramfs.extend(self.kernel, base, self.tmp / "more.cpio",
                                 {"/lib/a/b.so": self.module, "/bin/kmod": tool}, {"/bin/rmmod": "kmod"})
        self.assertEqual(image.read_text().removeprefix(before),
                         f"dir /lib 0755 0 0\ndir /lib/a 0755 0 0\nfile /bin/kmod {tool} 0755 0 0\n"
                         f"file /lib/a/b.so {self.module} 0644 0 0\nslink /bin/rmmod kmod 0777 0 0\n")

    def test_shell_is_apart(self) -> None:
        busybox = self.script(self.tmp / "busybox", "#!/bin/sh\necho sh; echo init; echo ls\n")
        with mock.patch.object(initramfs, "busybox", return_value=busybox):
            image = initramfs.ensure(self.context, self.kernel, shell=True)
        self.assertNotEqual(image, initramfs.ensure(self.context, self.kernel))
        text = image.read_text()
        for want in (f"file /bin/busybox {busybox} 0755", "file /etc/hint ", "slink /bin/sh busybox",
                     "slink /bin/ls busybox"):
            self.assertIn(want, text)
        self.assertNotIn("slink /bin/init", text)

    def test_failure_keeps_the_old_image(self) -> None:
        image = initramfs.ensure(self.context, self.kernel)
        before = image.read_text()
        (self.tmp / "refuse").touch()
        with self.assertRaises(ui.Fail) as caught:
            initramfs.ensure(self.context, self.kernel, [self.module])
        self.assertIn("could not be located", str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))
        self.assertEqual(image.read_text(), before)
