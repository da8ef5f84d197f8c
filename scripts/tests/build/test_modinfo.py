# SPDX-License-Identifier: GPL-2.0-only
"""What a module says of itself; the modules are made here, byte by byte."""

from __future__ import annotations

import struct
import tempfile
import unittest
from pathlib import Path

from kdebug.build import modinfo
from kdebug.host import ui

MAGIC = "7.3.4 SMP preempt mod_unload "


def elf(words: dict[str, str], section: str = ".modinfo") -> bytes:
    """A 64-bit object with one section of @words, and that of the names."""
    info = b"".join(f"{key}={value}".encode() + b"\0" for key, value in words.items())
    names = b"\0" + section.encode() + b"\0.shstrtab\0"
    at = 64 + len(info)
    headers = b"".join(struct.pack("<IIQQQQIIQQ", *header, 0, 0, 1, 0) for header in (
        (0, 0, 0, 0, 0, 0), (1, 1, 0, 0, 64, len(info)), (len(section) + 2, 3, 0, 0, at, len(names))))
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    return (ident + struct.pack("<HHIQQQIHHHHHH", 1, 62, 1, 0, 0, at + len(names), 0, 64, 0, 0, 64, 3, 2)
            + info + names + headers)


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.tmp = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def module(self, data: bytes, name: str = "one.ko") -> Path:
        path = self.tmp / name
        path.write_bytes(data)
        return path

    def refused(self, path: Path, *words: str, ours: Path | None = None) -> None:
        with self.assertRaises(ui.Fail) as caught:
            modinfo.check(path, ours, Path("/out")) if ours else modinfo.read(path)
        text = str(caught.exception)
        self.assertNotIn("\n", text)
        self.assertEqual(caught.exception.what, str(path))
        for word in words:
            self.assertIn(word, text)

    def test_read(self) -> None:
        words = {"license": "GPL", "parm": "how=much:x=y", "depends": "", "name": "one", "vermagic": MAGIC}
        self.assertEqual(modinfo.read(self.module(elf(words))), words)

    def test_parameters(self) -> None:
        words = {"parmtype": "how:charp", "parm": "no:one", "name": "one", "vermagic": MAGIC}
        two = elf(words | {"parmtypf": "more:int"}).replace(b"parmtypf", b"parmtype")
        self.assertEqual(modinfo.parameters(self.module(two)), ["how", "more"])
        self.assertEqual(modinfo.parameters(self.module(elf({"name": "one", "vermagic": MAGIC}))), [])

    def test_what_is_no_module(self) -> None:
        good = elf({"name": "one", "vermagic": MAGIC})
        self.refused(self.tmp / "none.ko", "No such file", "MODULE.ko")
        self.refused(self.tmp, "Is a directory", "MODULE.ko")
        for data in (b"", b"text", b"\x7fELF", b"\x28\xb5\x2f\xfd zstd", b"\x7fELF\x01\x01" + good[6:],
                     elf({"name": "one"}, ".comment"), good[:-70], good[:64]):
            self.refused(self.module(data), "is not a kernel module", "unpack")
        for words in ({"name": "one"}, {"vermagic": MAGIC}):
            self.refused(self.module(elf(words)), "does not say for which kernel")

    def test_fits(self) -> None:
        ours = self.module(elf({"name": "ours", "vermagic": MAGIC}), "ours.ko")
        good = self.module(elf({"name": "one", "vermagic": MAGIC, "depends": ""}))
        self.assertEqual(modinfo.check(good, ours, Path("/out"))["name"], "one")
        other = self.module(elf({"name": "one", "vermagic": "6.1.0-18-amd64 SMP mod_unload "}), "other.ko")
        self.refused(other, "built for '6.1.0-18-amd64 SMP mod_unload', this kernel is '7.3.4 SMP preempt mod_unload'",
                     "make -C /out M=", ours=ours)
        needs = self.module(elf({"name": "one", "vermagic": MAGIC, "depends": "a,b"}), "needs.ko")
        self.refused(needs, "needs other modules (a,b)", "configs/", ours=ours)
