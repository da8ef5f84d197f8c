# SPDX-License-Identifier: GPL-2.0-only
"""What make check was green for: for each set, exactly one state of the series up to it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from . import kbuild, paths, series

GREEN = paths.BUILD / "check" / "green"


def keys() -> dict[str, str]:
    """For each set one key of all patches up to its last, in their order; a cover
    letter, which changes nothing in a tree, is not in it."""
    found: dict[str, str] = {}
    queue: list[Path] = []
    for one in series.sets():
        queue += one.patches
        found[one.name] = kbuild.digest(*(series.name(p) for p in queue), *(p.read_bytes() for p in queue))
    return found


def clear(names: Iterable[str], path: Path = GREEN) -> None:
    """The sets @names are not green any more: a check of them begins."""
    if path.is_file():
        kbuild.write_stamp(path, {name: key for name, key in kbuild.read_stamp(path).items() if name not in set(names)})


def green(names: Iterable[str], checked: dict[str, str], path: Path = GREEN) -> None:
    """The sets @names are green, whose keys were @checked when the check began."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kbuild.write_stamp(path, kbuild.read_stamp(path) | {name: checked[name] for name in names})


def settle(names: Iterable[str], checked: dict[str, str], good: bool, whole: bool, path: Path = GREEN) -> None:
    """What a check of the sets @names has found, whose keys were @checked when it began.

    A part of it that is good says nothing of the rest, and leaves what an earlier one of the @whole said.
    """
    if not good:
        clear(names, path)
    elif whole:
        green(names, checked, path)


def is_green(name: str, path: Path = GREEN) -> bool:
    """Was the last check of the set @name green, and for what the series up to it is now?"""
    return kbuild.read_stamp(path).get(name) == keys()[name]
