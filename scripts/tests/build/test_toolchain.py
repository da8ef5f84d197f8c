# SPDX-License-Identifier: GPL-2.0-only
"""Which of the host's tools belong to a build, and what they say of themselves."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

import toy
from kdebug.build import toolchain

# As the top Makefile of Linux names its tools.
MAKEFILE = """\
VERSION = 7
NAME = Baby Opossum Posse
quiet=silent_
HOSTCC\t= gcc
ifneq ($(LLVM),)
LD\t\t= $(LLVM_PREFIX)ld.lld$(LLVM_SUFFIX)
else
LD\t\t= $(CROSS_COMPILE)ld
endif
PAHOLE\t\t= pahole
RESOLVE_BTFIDS\t= $(objtree)/tools/bpf/resolve_btfids/resolve_btfids
YACC\t\t= bison
INSTALLKERNEL  := installkernel
CFLAGS_MODULE   =
UTS_MACHINE \t:= $(ARCH)
"""


class Toolchain(toy.Case):
    def setUp(self) -> None:
        super().setUp()
        self.source = toy.plant(self.tmp / "linux", {"Makefile": MAKEFILE})
        self.bin = self.tmp / "bin"
        self.enterContext(mock.patch.dict(os.environ, {"PATH": f"{self.bin}:{os.environ['PATH']}"}))

    def tool(self, name: str, says: str) -> Path:
        return toy.tool(self.bin, name, f"echo '{says}'")

    def versions(self, cc: str = "gcc", prefix: str = "") -> dict[str, str]:
        toolchain._output.cache_clear()  # as the next command does
        return toolchain.versions(self.source, cc.split(), prefix)

    def test_what_the_makefile_names(self) -> None:
        self.assertEqual(toolchain.named(self.source, ""), ["bison", "gcc", "ld", "pahole"])
        self.assertEqual(toolchain.named(self.source, "arm-"), ["arm-ld", "bison", "gcc", "pahole"])
        self.assertEqual(toolchain.named(self.tmp, ""), [])

    def test_what_each_says(self) -> None:
        self.tool("pahole", "v1.24\nand more")
        self.tool("bison", "bison 3")
        toy.tool(self.bin, "arm-ld", "exit 1")
        self.tool("arm-as", "assembler 1")
        self.tool("arm-gcc", f"{self.bin}/arm-as")
        found = self.versions("arm-gcc -m32", "arm-")
        self.assertEqual({k: v for k, v in found.items() if k not in ("make", "gcc")}, {
            "arm-ld": "", "bison": "bison 3", "pahole": "v1.24", "arm-gcc -m32": f"{self.bin}/arm-as",
            "arm-as": "assembler 1"})
        self.assertRegex(found["make"], "Make")

    def test_a_changed_tool_is_named(self) -> None:
        for name, one, two in (("pahole", "v1.24", "v1.25"), ("ld", "GNU ld 2.40", "GNU ld 2.44"),
                               ("bison", "3.8", "3.9"), ("make", "GNU Make 4.3", "GNU Make 4.4"),
                               ("cc", "cc 12", "cc 14")):
            with self.subTest(name):
                self.tool(name, one)
                before = self.versions("cc")
                self.assertEqual(toolchain.changed(before, self.versions("cc")), [])
                self.tool(name, two)
                self.assertIn(name, toolchain.changed(before, self.versions("cc")))

    def test_the_assembler_is_the_compilers(self) -> None:
        self.tool("cc", f"{self.bin}/hidden-as")
        self.tool("as", "another one")
        self.tool("hidden-as", "GNU as 2.40")
        before = self.versions("cc")
        self.assertEqual(before["as"], "GNU as 2.40")
        self.tool("as", "changed, and asked by nobody")
        self.assertEqual(toolchain.changed(before, self.versions("cc")), [])
        self.tool("hidden-as", "GNU as 2.44")
        self.assertEqual(toolchain.changed(before, self.versions("cc")), ["as"])

    def test_a_tool_that_comes_or_goes(self) -> None:
        before = {"ld": "1", "pahole": ""}
        self.assertEqual(toolchain.changed(before, {"ld": "1", "pahole": "v1.24"}), ["pahole"])
        self.assertEqual(toolchain.changed(before, {}), ["ld"])
        self.assertEqual(toolchain.changed({}, {"pahole": ""}), [])
