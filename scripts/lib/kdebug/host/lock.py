# SPDX-License-Identifier: GPL-2.0-only
"""One command at a time changes build/, or a folder of results: a lock that names its holder."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from kdebug.context import Context
from kdebug.host import ui

# How often this process holds the lock of a directory.
_depth: dict[Path, int] = {}


@contextlib.contextmanager
def held(context: Context, what: str) -> Iterator[None]:
    """Hold build/lock while @what runs; a second one fails at once, unless
    the context says wait.

    Nests within one process, so that a command can call another's function.
    """
    nested = bool(_depth.get(context.build))
    with contextlib.nullcontext() if nested else alone(context.build, what, wait=context.wait):
        _depth[context.build] = _depth.get(context.build, 0) + 1
        try:
            yield
        finally:
            _depth[context.build] -= 1


@contextlib.contextmanager
def alone(folder: Path, what: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of @folder while @what runs; a second one fails at once, or does @wait.

    The kernel drops the lock with its holder, so a kill leaves nothing to
    clean up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "a command that is just starting"
            raise ui.Fail(str(folder / "lock"), f"held by {holder}",
                          "wait for it to end, or stop it") from None
        file.truncate(0)
        file.write(f"pid {os.getpid()}: {what}\n")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
