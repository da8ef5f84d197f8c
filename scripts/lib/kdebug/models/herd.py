# SPDX-License-Identifier: GPL-2.0-only
"""A herd7 that the kernel's memory model can use: the host's, or Debian's newest.

Debian has it in unstable only. So it is unpacked into build/, with the C library that it was built for, and
started with that: the host is left as it is.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from kdebug.context import Context
from kdebug.host import apt, ui

SUITES = ("testing", "unstable")
# What herd7 is linked to; of herdtools7 itself only two things are unpacked.
LIBRARIES = ("libc6", "libgmp10")
PARTS = ("./usr/bin/herd7", "./usr/share/herdtools7/herd")


def least(tree: Path) -> tuple[int, ...]:
    """The version that the memory model of the kernel in @tree asks for."""
    readme = tree / "tools/memory-model/README"
    found = re.search(r"^Version (\d+(?:\.\d+)*) or higher", readme.read_text(encoding="utf-8"), re.M)
    if not found:
        raise ui.Fail(str(readme), "does not name a version of herd7", "use the Linux that the series is made for")
    return _numbers(found[1])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _version(command: Path) -> tuple[int, ...]:
    """The version of the herd7 @command; () if it does not run."""
    done = subprocess.run([command, "-version"], capture_output=True, text=True)
    found = re.match(r"(\d+(?:\.\d+)*)", done.stdout)
    return _numbers(found[1]) if found else ()


def _unpack(context: Context, top: Path) -> None:
    root = top / "root"
    for name in ("herdtools7", *LIBRARIES):
        deb = apt.package(context, name, SUITES)
        root.mkdir(parents=True, exist_ok=True)
        parts = [] if name in LIBRARIES else PARTS
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as tar:
            subprocess.run(["tar", "-x", "-C", root, *parts], stdin=tar.stdout, check=True)
    loader = next(root.rglob("ld-linux*.so.*"), None)
    libc = next(root.rglob("libc.so.6"), None)
    if loader is None or libc is None:
        raise ui.Fail(str(top), "no program loader in libc6", "install herdtools7 by hand")
    wrapper = top / "herd7"
    wrapper.write_text(f'#!/bin/sh\nexec {loader} --library-path {libc.parent} {root}/usr/bin/herd7 '
                       f'-set-libdir {root}/usr/share/herdtools7/herd "$@"\n')
    wrapper.chmod(0o755)


def ensure(context: Context, tree: Path) -> Path:
    """The command, for the memory model of the kernel in @tree; a Fail where it cannot be had."""
    wanted = least(tree)
    if (host := shutil.which("herd7")) and _version(Path(host)) >= wanted:
        return Path(host)
    top = context.build / "herd"
    wrapper = top / "herd7"
    if not wrapper.is_file():
        shutil.rmtree(top, ignore_errors=True)
        _unpack(context, top)
    if _version(wrapper) < wanted:
        raise ui.Fail(str(wrapper), "does not run, or is too old",
                      f"run: rm -r {top}, or install herdtools7 {'.'.join(map(str, wanted))} or newer")
    return wrapper
