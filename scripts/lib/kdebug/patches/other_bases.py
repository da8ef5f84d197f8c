# SPDX-License-Identifier: GPL-2.0-only
"""The series on another base: what bases/<BASE>/series names, in that order.

A line of it is the name of a set, which stands for the set's patches, or of a patch in
that directory. Such a patch brings what the base lacks, or changes what it wants
otherwise. It belongs to the set above it; what is above all sets goes with each of them.
A line "-path" leaves the hunks out that change that file, or what is in that directory.

Of a hunk's context up to two lines may differ: the neighbours' do, on another base.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from kdebug.context import Context, DEFAULT_BASE, SETS
from kdebug.host import ui
from kdebug.patches import series

FUZZ = 2

_FILE = re.compile(r"^(?=diff --git a/(\S+) )", re.M)


def fuzz(context: Context) -> int:
    """How many lines of a hunk's context may differ."""
    return 0 if context.base == DEFAULT_BASE else FUZZ


def bodies(patches: Iterable[Path]) -> list[tuple[str, bytes]]:
    """Name and content of each of @patches."""
    return [(series.name(patch), patch.read_bytes()) for patch in patches]


def adapted(context: Context, sets: Iterable[series.Set]) -> list[tuple[str, bytes]]:
    """Name and content of each patch that @sets mean on the base of @context; fail if its list is wrong."""
    wanted = {one.name: one for one in sets}
    base = context.base
    file = context.bases / base / "series"
    if base == DEFAULT_BASE:
        return bodies(series.flat(wanted.values()))
    found: list[tuple[str, bytes]] = []
    try:
        lines = series.parse(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ui.Fail(f"bases/{base}/series", "not there", f"run: git checkout -- bases/{base}/series") from None
    left_out = [line[1:] for _, line in lines if line.startswith("-")]
    listed, take = [], True
    for number, line in lines:
        if line in SETS:
            listed.append(line)
            take = line in wanted
            found += bodies(wanted[line].patches) if take else []
        elif (file.parent / line).is_file():
            found += [(f"{base}/{line}", (file.parent / line).read_bytes())] if take else []
        elif not line.startswith("-"):
            raise ui.Fail(f"bases/{base}/series:{number}", f"'{line}' is no set and no patch in bases/{base}",
                          "mend that line")
    if listed != list(SETS):
        raise ui.Fail(f"bases/{base}/series", f"names the sets {' '.join(listed)}",
                      f"name each, in this order: {' '.join(SETS)}")
    for path in sorted(file.parent.glob("*.patch")):
        if path.name not in (line for _, line in lines):
            raise ui.Fail(f"bases/{base}/{path.name}", "no line of series names it",
                          "add that line, or remove the patch")
    kept = ((name, _without(body.decode(errors="surrogateescape"), left_out)) for name, body in found)
    return [(name, body.encode(errors="surrogateescape")) for name, body in kept if "\ndiff --git " in body]


def _without(body: str, left_out: Sequence[str]) -> str:
    """The patch @body without what it changes in the files and directories @left_out."""
    head, *rest = _FILE.split(body)
    return head + "".join(part for path, part in zip(rest[::2], rest[1::2])
                          if not any(path == out or out.endswith("/") and path.startswith(out) for out in left_out))
