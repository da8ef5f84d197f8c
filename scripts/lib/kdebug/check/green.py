# SPDX-License-Identifier: GPL-2.0-only
"""What make check was green for: for each set, exactly one state of the series up to it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kdebug.context import Context
from kdebug.host import files
from kdebug.patches import series


def _file(context: Context) -> Path:
    """Where it is kept."""
    return context.check / "green"


def keys(context: Context) -> dict[str, str]:
    """For each set one key of all patches up to its last, in their order; a cover
    letter, which changes nothing in a tree, is not in it."""
    found: dict[str, str] = {}
    queue: list[Path] = []
    for one in series.sets(context):
        queue += one.patches
        found[one.name] = files.digest(*(series.name(p) for p in queue), *(p.read_bytes() for p in queue))
    return found


def clear(context: Context, names: Iterable[str]) -> None:
    """The sets @names are not green any more: a check of them begins."""
    path = _file(context)
    if path.is_file():
        files.save_json(path, {name: key for name, key in files.load_json(path).items() if name not in set(names)})


def mark(context: Context, names: Iterable[str], checked: dict[str, str]) -> None:
    """The sets @names are green, whose keys were @checked when the check began."""
    path = _file(context)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.save_json(path, files.load_json(path) | {name: checked[name] for name in names})


def settle(context: Context, names: Iterable[str], checked: dict[str, str], good: bool, whole: bool) -> None:
    """What a check of the sets @names has found, whose keys were @checked when it began.

    A part of it that is good says nothing of the rest, and leaves what an earlier one of the @whole said.
    """
    if not good:
        clear(context, names)
    elif whole:
        mark(context, names, checked)


def is_green(context: Context, name: str) -> bool:
    """Was the last check of the set @name green, and for what the series up to it is now?"""
    return files.load_json(_file(context)).get(name) == keys(context)[name]
