# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel module says of itself, and whether it fits a kernel."""

from __future__ import annotations

import struct
from pathlib import Path

from kdebug.host.ui import Fail


def _pairs(path: Path) -> list[tuple[str, str]]:
    """The module's own words, in their order; a key may come more than once."""
    try:
        data = path.read_bytes()
    except OSError as err:
        raise Fail(str(path), f"cannot be read ({err.strerror})", "give the path of a module, MODULE.ko") from None
    try:
        words = _section(data, b".modinfo").decode(errors="replace").split("\0")
    except (ValueError, struct.error):
        raise Fail(str(path), "is not a kernel module", "give a MODULE.ko as the kernel's make builds it "
                   "(unpack a compressed one)") from None
    return [(key, value) for key, equals, value in (word.partition("=") for word in words) if equals]


def read(path: Path) -> dict[str, str]:
    """What the module says of itself (modinfo): "vermagic", "name", "depends", ..."""
    found = dict(_pairs(path))
    if not {"vermagic", "name"} <= found.keys():
        raise Fail(str(path), "does not say for which kernel it was built", "link it with the kernel's make (M=)")
    return found


def parameters(path: Path) -> list[str]:
    """The names of the module's own parameters."""
    return [value.partition(":")[0] for key, value in _pairs(path) if key == "parmtype"]


def _section(data: bytes, wanted: bytes) -> bytes:
    """A section of a 64-bit little-endian ELF object; ValueError if there is none."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError
    offset, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", data, offset + i * size) for i in range(count)]
    if names >= count:
        raise ValueError
    strings = headers[names][4]
    for name, _, _, _, start, length in headers:
        if data[strings + name:].split(b"\0", 1)[0] == wanted:
            return data[start:start + length]
    raise ValueError


def check(path: Path, ours: Path, out: Path) -> dict[str, str]:
    """read() of a module that fits the kernel that @ours was built for in @out."""
    info, want = read(path), read(ours)["vermagic"]
    if info["vermagic"] != want:
        raise Fail(str(path), f"built for '{info['vermagic'].strip()}', this kernel is '{want.strip()}'",
                   f"build it for this one: make -C {out} M=$DIRECTORY_OF_ITS_MAKEFILE modules")
    if info.get("depends"):
        raise Fail(str(path), f"needs other modules ({info['depends']})",
                   "build them into the kernel, by a fragment in configs/ (FLAVOUR=)")
    return info
