# SPDX-License-Identifier: GPL-2.0-only
"""A guest on a person's terminal: it ends when the person, the terminal or its kernel says so."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

from kdebug.guest import qemu
from kdebug.guest.exit_codes import Code

# What a kernel prints last. Where nothing can turn the machine off, QEMU goes on with a halted guest.
DOWN = re.compile(rb"\[ *\d+\.\d{6}\] reboot: (?:Power down|.*System halted)")
LOOK = 200  # ms between two looks at what the guest printed, and at the signals


def attend(start: Callable[[], subprocess.Popen[bytes]], console: Path | None) -> Code:
    """Start the guest with @start and wait for its end, whoever brings that about.

    The guest also ends when the terminal is closed, when the process that started
    this one is gone, on SIGHUP and SIGTERM, and when its kernel says in the file
    @console that it is down. Returns PASS, LOST if QEMU failed, or INTERRUPTED if the
    guest was not asked. The terminal's settings are as before.
    """
    with _signals() as came, _settings():
        proc = start()
        try:
            return _wait(proc, console, came)
        finally:
            qemu.kill(proc)


def _wait(proc: subprocess.Popen[bytes], console: Path | None, came: list[int]) -> Code:
    poll, said, fds = select.poll(), _Said(console), []
    for pid in (proc.pid, os.getppid()):
        with contextlib.suppress(OSError):  # 0: the parent is outside of a container
            fds.append(os.pidfd_open(pid))
            poll.register(fds[-1], select.POLLIN)
    if os.isatty(0):
        poll.register(0, 0)  # a hang-up is always told
    try:
        while True:
            events = poll.poll(LOOK)
            if came:
                return Code.INTERRUPTED
            if proc.poll() is not None:
                return Code.LOST if proc.returncode else Code.PASS
            if said.down():
                return Code.PASS
            if events:  # and the guest is there: its terminal or our parent is not
                return Code.INTERRUPTED
    finally:
        for fd in fds:
            os.close(fd)


class _Said:
    """What the guest prints, as it comes."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._read, self._tail = path, 0, b""

    def down(self) -> bool:
        """Has the kernel said that it is down?"""
        if not self._path or not self._path.exists():
            return False
        with self._path.open("rb") as file:
            file.seek(self._read)
            data = self._tail + file.read()
            self._read = file.tell()
        self._tail = data[-200:]  # a line that is not whole yet
        return DOWN.search(data) is not None


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """Those of SIGHUP and SIGTERM that came, also where they were ignored. None of
    them ends this process: it has a guest to end."""
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number))
              for number in (signal.SIGHUP, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    """Put the terminal's settings back: QEMU cannot when it is killed."""
    saved = termios.tcgetattr(0) if os.isatty(0) else None
    try:
        yield
    finally:
        if saved:
            # Who has been moved to the background would be stopped for this.
            before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            with contextlib.suppress(termios.error):  # it is gone
                termios.tcsetattr(0, termios.TCSADRAIN, saved)
            signal.signal(signal.SIGTTOU, before)
