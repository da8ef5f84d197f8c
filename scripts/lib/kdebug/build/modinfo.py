# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel module says of itself, by kmod's modinfo, and whether it fits a kernel."""

from __future__ import annotations

import os
from pathlib import Path

from kdebug.host.processes import clean_env, run
from kdebug.host.ui import Fail

# Debian has modinfo where only root's PATH leads.
SBIN = "/usr/sbin:/sbin"


def _head(path: Path) -> bytes:
    """The beginning of the module, which names its architecture; fails if @path is none.

    modinfo would also read a compressed one, which the guest does not load.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(20)
    except OSError as err:
        raise Fail(str(path), f"cannot be read ({err.strerror})", "give the path of a module, MODULE.ko") from None
    if head[:4] != b"\x7fELF":
        raise _no_module(path)
    return head


def _no_module(path: Path) -> Fail:
    return Fail(str(path), "is not a kernel module",
                "give a MODULE.ko as the kernel's make builds it (unpack a compressed one)")


def _modinfo(path: Path, *options: str) -> str:
    _head(path)
    status, out, _ = run([["modinfo", *options, str(path.absolute())]],
                         env=clean_env(PATH=f"{os.environ.get('PATH', os.defpath)}:{SBIN}"))
    if status:
        raise _no_module(path)
    return out


def read(path: Path) -> dict[str, str]:
    """What the module says of itself: "vermagic", "name", "depends", ..."""
    pairs = (word.partition("=") for word in _modinfo(path, "-0").split("\0"))
    found = {key: value for key, equals, value in pairs if equals}
    if not {"vermagic", "name"} <= found.keys():
        raise Fail(str(path), "does not say for which kernel it was built", "link it with the kernel's make (M=)")
    return found


def parameters(path: Path) -> list[str]:
    """The names of the module's own parameters."""
    return [line.partition(":")[0] for line in _modinfo(path, "-F", "parmtype").splitlines()]


def check(path: Path, ours: Path, out: Path) -> dict[str, str]:
    """read() of a module that fits the kernel that @ours was built for in @out."""
    info, want = read(path), read(ours)["vermagic"]
    build = f"build it for this one: make -C {out} M=$DIRECTORY_OF_ITS_MAKEFILE modules"
    if info["vermagic"] != want:
        raise Fail(str(path), f"built for '{info['vermagic'].strip()}', this kernel is '{want.strip()}'", build)
    if _head(path) != _head(ours):  # most architectures do not name themselves in vermagic
        raise Fail(str(path), "built for another architecture than this kernel", build)
    if info.get("depends"):
        raise Fail(str(path), f"needs other modules ({info['depends']})",
                   "build them into the kernel, by a fragment in configs/ (FLAVOUR=)")
    return info
