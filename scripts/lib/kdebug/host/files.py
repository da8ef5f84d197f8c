# SPDX-License-Identifier: GPL-2.0-only
"""Files that a kill cannot leave half written, keys of content, and room on the disk."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kdebug.host import ui


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace @path as a whole: a reader or a kill never sees half of it."""
    temp = path.with_name(f".{path.name}.kdebug-new")
    try:
        temp.unlink(missing_ok=True)
        temp.write_bytes(data)
        temp.chmod(mode)
        temp.rename(path)
    except OSError as err:
        temp.unlink(missing_ok=True)
        if err.errno == 28:
            raise no_space(path.parent) from None
        raise


def load_json(path: Path) -> dict[str, Any]:
    """The object in the JSON file @path; {} when the file is missing or not whole."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def save_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write @data so that no reader ever sees half of it."""
    write_atomic(path, json.dumps(data, indent=1).encode() + b"\n")


def megabytes(size: int) -> str:
    """@size in bytes as the user reads it."""
    return f"{size / 1e6:.0f} MB"


def no_space(where: Path) -> ui.Fail:
    """The error for a full disk at @where."""
    return ui.Fail(str(where), "no space left on device",
                   "free some space, or set KTHREAD_DEBUG_BUILD to a directory on another disk")


def need_space(where: Path, size: int) -> None:
    """Fail before the work, not in the middle of it, when the disk is too full."""
    where.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(where).free
    if free < size:
        raise ui.Fail(str(where), f"{megabytes(free)} free, {megabytes(size)} needed",
                      "free some space, or set KTHREAD_DEBUG_BUILD to a directory on another disk")


def sha256_of(path: Path) -> str:
    """The SHA-256 of the file @path."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size_of(path: Path) -> int:
    """How many bytes the file @path has; 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def digest(*parts: str | bytes) -> str:
    """One key for @parts, in which no two lists of parts share a key."""
    h = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        h.update(b"%d:" % len(raw) + raw)
    return h.hexdigest()[:16]


def stat_digest(root: Path, files: Iterable[Path]) -> str:
    """A key for many files below @root, from names, sizes and times alone."""
    parts = []
    for path in sorted(files):
        name = path.relative_to(root)
        try:
            st = path.stat()
            parts.append(f"{name} {st.st_size} {st.st_mtime_ns}")
        except FileNotFoundError:
            parts.append(f"{name} missing")
    return digest(*parts)
