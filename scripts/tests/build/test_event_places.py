# SPDX-License-Identifier: GPL-2.0-only
"""Where a kernel's events are: from a table of branches, and from an ELF file."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import toy  # noqa: F401
from kdebug.build import event_places
from kdebug.host.ui import Fail

TABLE = 0x9000
KEYS = {range(0x5000, 0x5060): "kthread_run", range(0x5060, 0x50C0): "kthread_exit"}
# struct jump_entry, struct tracepoint and a branch as the kernel has them, in a program.
PROGRAM = """
	.globl _text, __tracepoint_kthread_run, __tracepoint_other, __start___jump_table, __stop___jump_table
	.text
_text:	.skip 16
one:	.byte 0x0f, 0x1f, 0x44, 0, 0
two:	.byte 0x66, 0x90
	.data
	.type __tracepoint_kthread_run, @object
	.size __tracepoint_kthread_run, 32
__tracepoint_kthread_run: .skip 32
	.type __tracepoint_other, @object
	.size __tracepoint_other, 32
__tracepoint_other: .skip 32
	.section .rodata
	.balign 8
__start___jump_table:
	.long one - ., one - .
	.quad __tracepoint_kthread_run + 8 - .
	.long two - ., two - .
	.quad __tracepoint_kthread_run + 8 + 2 - .
	.long two - ., two - .
	.quad __tracepoint_other + 8 - .
__stop___jump_table:
"""


def entry(number: int, code: int, key: int) -> bytes:
    at = TABLE + 16 * number
    return event_places._ENTRY.pack(code - at, 0, key - at - 8)


class Table(unittest.TestCase):
    def behind(self, *entries: tuple[int, int], byte: int = 0x0F) -> list[tuple[str, int]]:
        table = b"".join(entry(n, code, key) for n, (code, key) in enumerate(entries))
        return event_places.behind(table, TABLE, KEYS, lambda address: byte)

    def test_behind_the_branch(self) -> None:
        for byte, length in ((0x0F, 5), (0xE9, 5), (0x66, 2), (0xEB, 2)):
            with self.subTest(byte):
                self.assertEqual(self.behind((0x1000, 0x5008), byte=byte), [("kthread_run", 0x1000 + length)])

    def test_the_flags_are_no_part_of_the_key(self) -> None:
        for flags in range(4):
            self.assertEqual(self.behind((0x1000, 0x5068 + flags)), [("kthread_exit", 0x1005)])

    def test_all_places_and_no_others(self) -> None:
        self.assertEqual(self.behind((0x1000, 0x5008), (0x1100, 0x4FF8), (0x1200, 0x5008), (0x1300, 0x50C0)),
                         [("kthread_run", 0x1005), ("kthread_run", 0x1205)])

    def test_no_branch(self) -> None:
        with self.assertRaisesRegex(Fail, "^kthread_run: byte 0x90 at its branch; "):
            self.behind((0x1000, 0x5008), byte=0x90)


@unittest.skipUnless(shutil.which("gcc"), "needs gcc")
class File(unittest.TestCase):
    def test_of_a_file(self) -> None:
        with tempfile.TemporaryDirectory() as tmp:
            source, program = Path(tmp, "a.s"), Path(tmp, "a")
            source.write_text(PROGRAM)
            subprocess.run(["gcc", "-nostdlib", "-static", "-Wl,-e,_text", source, "-o", program], check=True)
            self.assertEqual(event_places.of(program, "kthread"), [("kthread_run", 21), ("kthread_run", 23)])
            self.assertEqual(event_places.of(program, "oth"), [])

    def test_of_no_kernel(self) -> None:
        with self.assertRaises(Fail):
            event_places.of(Path(__file__), "kthread")
