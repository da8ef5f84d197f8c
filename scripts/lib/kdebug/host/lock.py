# SPDX-License-Identifier: GPL-2.0-only
"""One command at a time changes build/: a lock that names its holder."""

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
    """Hold build/lock while @what runs; a second one fails at once,
    unless the context says wait.

    The kernel drops the lock with its holder, so a kill leaves nothing to
    clean up.  Nests within one process, so that a command can call another's
    function.
    """
    lock = context.build / "lock"
    if _depth.get(lock):
        _depth[lock] += 1
        try:
            yield
        finally:
            _depth[lock] -= 1
        return
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open(lock, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if context.wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "a command that is just starting"
            raise ui.Fail(str(lock), f"held by {holder}",
                          "wait for it to end, or stop it") from None
        file.truncate(0)
        file.write(f"pid {os.getpid()}: {what}\n")
        file.flush()
        _depth[lock] = 1
        try:
            yield
        finally:
            _depth[lock] = 0
            file.truncate(0)
