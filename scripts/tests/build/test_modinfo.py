# SPDX-License-Identifier: GPL-2.0-only
"""What a module says of itself; the modules are made here, byte by byte."""

from __future__ import annotations

import lzma
import os
import struct
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from kdebug.build import modinfo
from kdebug.host import ui

MAGIC = "7.3.4 SMP preempt mod_unload "
OTHERS: dict[str, dict[str, Any]] = {
    "arm": {"machine": 40, "word": "I"}, "arm64": {"machine": 183},
    "s390x": {"machine": 22, "order": ">"}, "ppc": {"machine": 20, "word": "I", "order": ">"}}


def elf(words: dict[str, str], section: str = ".modinfo", machine: int = 62, word: str = "Q", order: str = "<") -> bytes:
    """An object for @machine with one section of @words, and that of the names;
    @word is "Q" for 64 bits and "I" for 32, @order "<" or ">"."""
    info = b"".join(f"{key}={value}".encode() + b"\0" for key, value in words.items())
    names = b"\0" + section.encode() + b"\0.shstrtab\0"
    own = struct.calcsize(f"<HHI{word * 3}IHHHHHH") + 16
    one = struct.Struct(f"{order}II{word * 4}II{word * 2}")
    at = own + len(info)
    headers = b"".join(one.pack(*header, 0, 0, 1, 0) for header in (
        (0, 0, 0, 0, 0, 0), (1, 1, 0, 0, own, len(info)), (len(section) + 2, 3, 0, 0, at, len(names))))
    ident = (b"\x7fELF" + bytes((" IQ".index(word), " <>".index(order), 1))).ljust(16, b"\0")
    return (ident + struct.pack(f"{order}HHI{word * 3}IHHHHHH", 1, machine, 1, 0, 0, at + len(names), 0, own, 0, 0,
                                one.size, 3, 2) + info + names + headers)


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
        words = {"description": "x\nvermagic=y", "parm": "how=much:x=y", "depends": "", "name": "one", "vermagic": MAGIC}
        found = modinfo.read(self.module(elf(words)))
        self.assertEqual({key: found[key] for key in ("name", "vermagic", "depends")},
                         {key: words[key] for key in ("name", "vermagic", "depends")})

    def test_read_of_another_architecture(self) -> None:
        for what in OTHERS:
            with self.subTest(what):
                found = modinfo.read(self.module(elf({"name": "one", "vermagic": MAGIC}, **OTHERS[what])))
                self.assertEqual(found["vermagic"], MAGIC)

    def test_modinfo_is_found_outside_of_path(self) -> None:
        path = self.module(elf({"name": "one", "vermagic": MAGIC}))
        with mock.patch.dict(os.environ, {"PATH": "/nonexistent"}):
            self.assertEqual(modinfo.read(path)["name"], "one")
            with mock.patch.object(modinfo, "SBIN", "/nonexistent"), self.assertRaises(ui.Fail) as caught:
                modinfo.read(path)
        self.assertEqual(str(caught.exception), "modinfo: not installed; run: make deps")

    def test_parameters(self) -> None:
        words = {"parmtype": "how:charp", "parm": "no:one", "name": "one", "vermagic": MAGIC}
        two = elf(words | {"parmtypf": "more:int"}).replace(b"parmtypf", b"parmtype")
        self.assertEqual(modinfo.parameters(self.module(two)), ["how", "more"])
        self.assertEqual(modinfo.parameters(self.module(elf({"name": "one", "vermagic": MAGIC}))), [])

    def test_what_is_no_module(self) -> None:
        good = elf({"name": "one", "vermagic": MAGIC})
        self.refused(self.tmp / "none.ko", "No such file", "MODULE.ko")
        self.refused(self.tmp, "Is a directory", "MODULE.ko")
        for data in (b"", b"text", b"\x7fELF", b"\x28\xb5\x2f\xfd zstd", lzma.compress(good), b"\x7fELF\x01\x01" + good[6:],
                     elf({"name": "one"}, ".comment"), good[:-70], good[:64]):
            self.refused(self.module(data), "is not a kernel module", "unpack")
        self.refused(self.module(lzma.compress(good), "one.ko.xz"), "is not a kernel module", "unpack")
        for words in ({"name": "one"}, {"vermagic": MAGIC}):
            self.refused(self.module(elf(words)), "does not say for which kernel")

    def test_fits(self) -> None:
        ours = self.module(elf({"name": "ours", "vermagic": MAGIC}), "ours.ko")
        good = self.module(elf({"name": "one", "vermagic": MAGIC, "depends": ""}))
        self.assertEqual(modinfo.check(good, ours, Path("/out"))["name"], "one")
        other = self.module(elf({"name": "one", "vermagic": "6.1.0-18-amd64 SMP mod_unload "}), "other.ko")
        self.refused(other, "built for '6.1.0-18-amd64 SMP mod_unload', this kernel is '7.3.4 SMP preempt mod_unload'",
                     "make -C /out M=", ours=ours)
        for what in OTHERS:
            other = self.module(elf({"name": "one", "vermagic": MAGIC}, **OTHERS[what]), "foreign.ko")
            self.refused(other, "built for another architecture", "make -C /out M=", ours=ours)
        needs = self.module(elf({"name": "one", "vermagic": MAGIC, "depends": "a,b"}), "needs.ko")
        self.refused(needs, "needs other modules (a,b)", "configs/", ours=ours)
