# SPDX-License-Identifier: GPL-2.0-only
"""A command on a terminal of its own, for tests: what a person sees, types, and closes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path


class Screen:
    """The other side of the terminal. @controlling: a hang-up sends SIGHUP to the command."""

    def __init__(self, args: Sequence[str | Path], env: Mapping[str, str] | None = None, *,
                 controlling: bool = True, ignored: Sequence[int] = ()) -> None:
        """Start @args, with the signals @ignored ignored."""
        self.seen = ""
        self._fd, slave = pty.openpty()

        def take() -> None:
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
            if controlling:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        try:
            self.process = subprocess.Popen(args, env=env, stdin=slave, stdout=slave, stderr=slave,
                                            start_new_session=True, preexec_fn=take)
        finally:
            os.close(slave)

    def _read(self, seconds: float) -> None:
        ready, _, _ = select.select([self._fd] if self._fd >= 0 else [], [], [], seconds)
        if ready:
            try:
                self.seen += os.read(self._fd, 1 << 16).decode(errors="replace")
            except OSError:  # nobody has the terminal open any more
                time.sleep(0.01)

    def wait_for(self, state: str | Callable[[], bool], limit: float = 60) -> None:
        """Read until the text @state is on the screen, or @state() holds; a
        TimeoutError after @limit seconds."""
        end = time.monotonic() + limit
        while not (state in self.seen if isinstance(state, str) else state()):
            if time.monotonic() > end:
                raise TimeoutError(f"not within {limit:g} s: {state!r}; on the screen:\n{self.seen[-2000:]}")
            self._read(0.05)

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def settings(self) -> list[object]:
        """Those of the terminal, as termios has them."""
        return list(termios.tcgetattr(self._fd))

    def close(self) -> None:
        """Close the window."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def ended(self, limit: float = 60) -> int:
        """The command's exit status, once it has ended."""
        self.wait_for(lambda: self.process.poll() is not None, limit)
        return self.process.wait()


@contextlib.contextmanager
def screen(args: Sequence[str | Path], env: Mapping[str, str] | None = None, *, controlling: bool = True,
           ignored: Sequence[int] = ()) -> Iterator[Screen]:
    """A Screen, whose command is killed if it is still there at the end."""
    one = Screen(args, env, controlling=controlling, ignored=ignored)
    try:
        yield one
    finally:
        one.close()
        one.process.kill()
        one.process.wait()


def descendants(pid: int) -> list[int]:
    """The processes that @pid has started, and those that these have."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *descendants(int(child))]
    return found


def alive(pid: int) -> bool:
    """Does @pid run? A zombie does not: it may wait long for a parent that collects it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
