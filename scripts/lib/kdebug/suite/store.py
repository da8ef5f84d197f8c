# SPDX-License-Identifier: GPL-2.0-only
"""What each test said when it ran last, for one state of the series.

Each group of tests has a file of KTAP. A run with another FLAVOUR adds to it; what was said of another
series is dropped. A file that is not whole says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kdebug.context import Context
from kdebug.guest import ktap
from kdebug.guest.ktap import Test
from kdebug.host import files

# In context.results: what the last run of scripts/test said. It is no group's, see report.py.
LAST_RUN = "last-run.ktap"
_SERIES = "series: "


def series_key(context: Context) -> str:
    """One key for all of the patches, on the base of @context."""
    patches = sorted(p for d in (context.patches, context.bases / context.base) for p in d.rglob("*") if p.is_file())
    return files.digest(*(f"{p.parent.name}/{p.name}" for p in patches), *(p.read_bytes() for p in patches))


def _read(path: Path, key: str) -> dict[str, Test]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    block = ktap.read(text)
    whole = len(block.tests) == block.plan and not any(test.result == "" for test in block.tests)
    if not whole or f"# {_SERIES}{key}" not in text.split("\n", 2)[:2]:
        return {}
    return {test.name: test for test in block.tests}


def save(context: Context, group: str, tests: Iterable[Test], key: str = "") -> None:
    """Keep @tests as the last that @group said of the series @key; "" is that of now."""
    key = key or series_key(context)
    context.results.mkdir(parents=True, exist_ok=True)
    path = context.results / f"{group}.ktap"
    kept = _read(path, key) | {test.name: test for test in tests}
    files.write_atomic(path, ktap.write(list(kept.values()), [_SERIES + key]).encode())


def load(context: Context, key: str = "") -> dict[str, str]:
    """The verdict of each test that has run on this state of the series: ok, fail or skip."""
    key = key or series_key(context)
    found: dict[str, str] = {}
    for path in sorted(context.results.glob("*.ktap")):
        if path.name != LAST_RUN:
            found |= {test.name: "fail" if test.failed else "skip" if test.result == "skip" else "ok"
                      for test in _read(path, key).values()}
    return found
