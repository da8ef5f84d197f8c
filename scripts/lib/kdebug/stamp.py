# SPDX-License-Identifier: GPL-2.0-only
"""What make check was green for: exactly one state of the series."""

from __future__ import annotations

from pathlib import Path

from . import kbuild, paths, series

GREEN = paths.BUILD / "check" / "green"


def key(queue: list[Path] | None = None) -> str:
    """One key for the patches of the series, in their order; the cover letter,
    which changes nothing in a tree, is not in it."""
    queue = series.read() if queue is None else queue
    return kbuild.digest(*(p.name for p in queue), *(p.read_bytes() for p in queue))


def clear(path: Path = GREEN) -> None:
    """Nothing is green any more: a check begins."""
    path.unlink(missing_ok=True)


def green(checked: str, path: Path = GREEN) -> None:
    """The series whose key was @checked when the check began is green."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kbuild.write_stamp(path, {"series": checked})


def is_green(path: Path = GREEN) -> bool:
    """Was the last check green, and for what the series is now?"""
    return kbuild.read_stamp(path).get("series") == key()
