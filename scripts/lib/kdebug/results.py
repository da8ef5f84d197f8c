# SPDX-License-Identifier: GPL-2.0-only
"""What each test said when it ran last, for one state of the series.

A group of tests keeps its results in a file of its own, as groups run in
processes of their own. A run with another FLAVOUR adds to it; results of
another series are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kdebug.context import Context
from kdebug.host import files


def series_key(context: Context) -> str:
    """One key for all of the patches, on that base."""
    patches = sorted(p for d in (context.patches, context.bases / context.base) for p in d.rglob("*") if p.is_file())
    return files.digest(*(f"{p.parent.name}/{p.name}" for p in patches), *(p.read_bytes() for p in patches))


def _read(path: Path, key: str) -> dict[str, str]:
    stamp = files.load_json(path)
    tests = stamp.get("tests") if stamp.get("series") == key else None
    return {str(name): str(verdict) for name, verdict in tests.items()} if isinstance(tests, dict) else {}


def save(context: Context, group: str, tests: Mapping[str, str], key: str | None = None) -> None:
    """Keep @tests, each "ok", "skip" or "fail", as the last that @group said."""
    key, root = key or series_key(context), context.results
    root.mkdir(parents=True, exist_ok=True)
    path = root / f"{group}.json"
    files.save_json(path, {"series": key, "tests": _read(path, key) | dict(tests)})


def load(context: Context, key: str | None = None) -> dict[str, str]:
    """The verdict of each test that has run on this state of the series."""
    key, root = key or series_key(context), context.results
    found: dict[str, str] = {}
    for path in sorted(root.glob("*.json")):
        found |= _read(path, key)
    return found
