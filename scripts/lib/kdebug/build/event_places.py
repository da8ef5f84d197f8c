# SPDX-License-Identifier: GPL-2.0-only
"""Where an x86-64 kernel has its trace events: at a branch that is patched when the event is turned on."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from kdebug.host.ui import Fail

# struct jump_entry: code and target, each relative to where it is written, and the key, whose
# two lowest bits are flags.
_ENTRY = struct.Struct("<iiq")
# What is there until it is patched: a nop or a jump, by its first byte.
_LENGTHS = {0x66: 2, 0xEB: 2, 0x0F: 5, 0xE9: 5}


def behind(table: bytes, address: int, keys: Mapping[range, str], code: Callable[[int], int]) -> list[tuple[str, int]]:
    """Each event with an address behind its branch, where its code goes on.

    @table lies at @address; @keys names the event by the addresses of its tracepoint; @code gives the byte
    at an address. An event that is asked for twice has two branches, or more.
    """
    found: list[tuple[str, int]] = []
    for at in range(0, len(table) - _ENTRY.size + 1, _ENTRY.size):
        place, _, key = _ENTRY.unpack_from(table, at)
        key = (key + address + at + 8) & ~3
        event = next((name for addresses, name in keys.items() if key in addresses), "")
        if not event:
            continue
        place += address + at
        if code(place) not in _LENGTHS:
            raise Fail(event, f"byte {code(place):#x} at its branch", "it is no nop and no jump: build the kernel anew")
        found.append((event, place + _LENGTHS[code(place)]))
    return found


def _run(*words: str | Path) -> bytes:
    try:
        return subprocess.run(words, capture_output=True, check=True).stdout
    except subprocess.CalledProcessError as err:
        why = err.stderr.decode(errors="replace").partition("\n")[0] or "failed"
        raise Fail(str(words[0]), why, "build the kernel anew") from err


def of(vmlinux: Path, system: str) -> list[tuple[str, int]]:
    """The events whose names begin with @system and "_", and where they are, in bytes behind _text."""
    sections = [(int(m[1], 16), int(m[2], 16), int(m[3], 16)) for m in re.finditer(
        r"^ +\[ *\d+\] \S+ +PROGBITS +(\w+) (\w+) (\w+)", _run("readelf", "-SW", vmlinux).decode(), re.M)]
    symbols = re.findall(r"^(\w+) (?:(\w+) )?\w (\S+)$", _run("nm", "-S", vmlinux).decode(), re.M)
    at = {name: int(address, 16) for address, _, name in symbols}
    keys = {range(int(address, 16), int(address, 16) + int(size or "0", 16)): name.removeprefix("__tracepoint_")
            for address, size, name in symbols if name.startswith(f"__tracepoint_{system}_")}
    with open(vmlinux, "rb") as file:
        def content(address: int, many: int) -> bytes:
            for start, offset, length in sections:
                if start and start <= address < start + length:
                    file.seek(offset + address - start)
                    return file.read(many)
            raise Fail(str(vmlinux), f"nothing at {address:#x}", "build the kernel anew")

        first, last = at["__start___jump_table"], at["__stop___jump_table"]
        found = behind(content(first, last - first), first, keys, lambda address: content(address, 1)[0])
    return [(event, place - at["_text"]) for event, place in found]
