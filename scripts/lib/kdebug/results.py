# SPDX-License-Identifier: GPL-2.0-only
"""What each test said when it ran last, for one state of the series.

A group of tests keeps its results in a file of its own, as groups run in
processes of their own. A run with another FLAVOUR adds to it; results of
another series are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kdebug.host import files, paths

RESULTS = paths.RESULTS


def series_key(base: str = paths.BASE) -> str:
    """One key for all of the patches, on that base."""
    patches = sorted(p for d in (paths.PATCHES, paths.BASES / base) for p in d.rglob("*") if p.is_file())
    return files.digest(*(f"{p.parent.name}/{p.name}" for p in patches), *(p.read_bytes() for p in patches))


def _read(path: Path, key: str) -> dict[str, str]:
    stamp = files.load_json(path)
    tests = stamp.get("tests") if stamp.get("series") == key else None
    return {str(name): str(verdict) for name, verdict in tests.items()} if isinstance(tests, dict) else {}


def save(group: str, tests: Mapping[str, str], root: Path = RESULTS, key: str | None = None) -> None:
    """Keep @tests, each "ok", "skip" or "fail", as the last that @group said."""
    key = key or series_key()
    root.mkdir(parents=True, exist_ok=True)
    path = root / f"{group}.json"
    files.save_json(path, {"series": key, "tests": _read(path, key) | dict(tests)})


def load(root: Path = RESULTS, key: str | None = None) -> dict[str, str]:
    """The verdict of each test that has run on this state of the series."""
    key = key or series_key()
    found: dict[str, str] = {}
    for path in sorted(root.glob("*.json")):
        found |= _read(path, key)
    return found
