# SPDX-License-Identifier: GPL-2.0-only
"""One command at a time changes build/: a lock that names its holder."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from kdebug.host import paths, ui

# Set by a command for those that it runs side by side: they wait for each other.
WAIT = "KTHREAD_DEBUG_WAIT"

_depth = 0


@contextlib.contextmanager
def held(what: str) -> Iterator[None]:
    """Hold build/lock while @what runs; a second one fails at once,
    unless WAIT is set.

    The kernel drops the lock with its holder, so a kill leaves nothing to
    clean up.  Nests within one process, so that a command can call another's
    function.
    """
    global _depth
    if _depth:
        _depth += 1
        try:
            yield
        finally:
            _depth -= 1
        return
    paths.BUILD.mkdir(parents=True, exist_ok=True)
    lock = paths.BUILD / "lock"
    with open(lock, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if os.environ.get(WAIT) else fcntl.LOCK_NB))
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "a command that is just starting"
            raise ui.Fail(str(lock), f"held by {holder}",
                          "wait for it to end, or stop it") from None
        file.truncate(0)
        file.write(f"pid {os.getpid()}: {what}\n")
        file.flush()
        _depth = 1
        try:
            yield
        finally:
            _depth = 0
            file.truncate(0)
