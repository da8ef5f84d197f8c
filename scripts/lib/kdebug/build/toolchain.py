# SPDX-License-Identifier: GPL-2.0-only
"""The host's tools that a kernel's configuration and build use, and their versions.

Kconfig asks the compiler, the assembler, the linker, pahole and others what they can
do. make notices a new version of some of them, and not of all. So the key of a build
holds what each tool says of itself.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# How the kernel's top Makefile names a tool: LD = $(CROSS_COMPILE)ld, PAHOLE = pahole.
_NAMED = re.compile(r"^[A-Z][A-Z0-9_]*[ \t]*=[ \t]*(\$\(CROSS_COMPILE\))?([a-z][\w-]*)[ \t]*$", re.M)


def named(source: Path, prefix: str) -> list[str]:
    """The commands that the Makefile of the kernel tree @source names; @prefix is the cross compiler's."""
    try:
        text = (source / "Makefile").read_text(errors="replace")
    except FileNotFoundError:
        text = ""
    return sorted({(prefix if cross else "") + name for cross, name in _NAMED.findall(text)})


@functools.cache
def _output(command: tuple[str, ...], path: str) -> str:
    """The first line that @command prints, with @path as PATH; "" if it does not run."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=60, env={**os.environ, "PATH": path, "LC_ALL": "C"})
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().partition("\n")[0]


def versions(source: Path, cc: Sequence[str], prefix: str) -> dict[str, str]:
    """What each tool for the kernel tree @source says of its version, "" if it is not there.

    @cc is the compiler, as words, and @prefix that of the cross compiler. The assembler is
    the one that the compiler calls. A process asks each tool once.
    """
    path = os.environ.get("PATH", os.defpath)
    assembler = _output((*cc, "-print-prog-name=as"), path)
    commands: dict[str, tuple[str, ...]] = {name: (name, "--version") for name in ("make", *named(source, prefix))}
    commands |= {" ".join(cc): (*cc, "--version"), f"{prefix}as": (assembler or "as", "--version")}
    with ThreadPoolExecutor() as pool:
        said = pool.map(lambda command: _output(command, path), commands.values())
        return dict(zip(commands, said, strict=True))


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The tools that do not say @now what they said @before."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name, "") != now.get(name, ""))
