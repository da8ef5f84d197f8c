# SPDX-License-Identifier: GPL-2.0-only
"""What the user sees: phases, one live line on a terminal, one-line errors."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from typing import NoReturn, TextIO


class Fail(Exception):
    """An error the user can mend: names the thing, its value and the remedy.

    Prints as one line, ``error: <what>: <problem>; <remedy>``.  @code is the
    exit status of the command that lets it through.
    """

    def __init__(self, what: str, problem: str, remedy: str, code: int = 2) -> None:
        super().__init__(f"{what}: {problem}; {remedy}")
        self.what = what
        self.problem = problem
        self.remedy = remedy
        self.code = code


def number(what: str, value: str, least: int, most: int) -> int:
    """The number that the user gave as @value for @what; a Fail unless it is from @least to @most."""
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise Fail(what, f"bad value {value!r}", f"give a number from {least} to {most}")
    return int(value)


class Phase:
    """One step of the run: a name, a changing state, and how long it took.

    On a terminal the state is one line that is written over; in a pipe only
    the begin and the end are printed, each as a line of its own.
    """

    def __init__(self, name: str, out: TextIO) -> None:
        self.name = name
        self.result = ""
        self._out = out
        self._tty = out.isatty()
        self._start = time.monotonic()
        self._last = 0.0

    def live(self, state: str) -> None:
        """Show @state behind the phase's name; at most ten times a second."""
        now = time.monotonic()
        if not self._tty or now - self._last < 0.1:
            return
        self._last = now
        width = shutil.get_terminal_size().columns - 1
        line = f"  {self.name:<9} {state} ({now - self._start:.0f} s)"
        self._out.write("\r\033[K" + line[:width])
        self._out.flush()

    def note(self, text: str) -> None:
        """Print @text on a line of its own, without breaking the live line."""
        if self._tty:
            self._out.write("\r\033[K")
        self._out.write(f"  {self.name:<9} {text}\n")
        self._out.flush()

    def _end(self, text: str) -> None:
        took = time.monotonic() - self._start
        self.note(f"{text} ({took:.1f} s)" if text else f"done ({took:.1f} s)")


@contextlib.contextmanager
def phase(name: str, begin: str = "") -> Iterator[Phase]:
    """Run a step as a Phase; set ``.result`` inside for the closing line."""
    p = Phase(name, sys.stderr)
    if begin:
        if sys.stderr.isatty():
            p.live(begin)
        else:
            p.note(begin)
    try:
        yield p
    except BaseException:
        p._end("failed")
        raise
    p._end(p.result)


def die(err: Fail) -> NoReturn:
    """Print @err as one line on stderr and exit with its code."""
    sys.stderr.write(f"error: {err}\n")
    raise SystemExit(err.code)


@contextlib.contextmanager
def command() -> Iterator[None]:
    """Wrap a command's main(): a Fail becomes one line, ^C becomes 130."""
    try:
        yield
    except Fail as err:
        die(err)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
