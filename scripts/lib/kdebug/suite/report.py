# SPDX-License-Identifier: GPL-2.0-only
"""What one run of scripts/test says: on the terminal, and as KTAP in a file that grows with the run.

The file announces all groups of the run and has a block for each that has come to its end. Whoever
counts it sees what a run that died had not come to.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from kdebug.guest import ktap
from kdebug.guest.ktap import Test
from kdebug.host import ui


def shown(test: Test) -> str:
    """The lines of @test on the terminal."""
    notes = "".join(f"      {line}\n" for line in test.notes)
    if test.result == "skip":
        return f"{notes}skip  {test.name}: {test.reason}\n"
    if test.failed:
        return f"{notes}FAIL  {test.name}\n" + "".join(f"      {line}\n" for line in test.why)
    return f"{notes}ok    {test.name} ({test.took:.1f} s)\n"


class Tally:
    """Takes the verdicts of one group. Prints each as it comes, and writes it to the run's file, if there is one.

    With @brief it prints only what did not pass.
    """

    def __init__(self, file: TextIO | None = None, brief: bool = False) -> None:
        self.tests: list[Test] = []
        self._file = file
        self._brief = brief
        self._notes: list[str] = []

    @property
    def failed(self) -> int:
        """How many have failed so far."""
        return sum(test.failed for test in self.tests)

    def result(self, name: str, why: str = "", took: float = 0.0) -> None:
        """The test @name passed, in @took seconds, unless @why says why it did not."""
        self._add(Test(name, "not ok" if why else "ok", why=why.splitlines(), took=took))

    def skip(self, name: str, why: str) -> None:
        """The test @name was not run."""
        self._add(Test(name, "skip", why))

    def note(self, line: str) -> None:
        """@line belongs to the next verdict: something that was measured."""
        self._notes.append(line)

    @contextlib.contextmanager
    def case(self, name: str) -> Iterator[None]:
        """Count the block as one test; what it raises is why it failed."""
        start = time.monotonic()
        try:
            yield
        except (ui.Fail, AssertionError, OSError, subprocess.SubprocessError) as err:
            self.result(name, str(err) or repr(err))
        else:
            self.result(name, took=time.monotonic() - start)

    def _add(self, test: Test) -> None:
        test.notes, self._notes = self._notes, []
        self.tests.append(test)
        if self._file:
            self._file.write(ktap.entry(len(self.tests), test, 1))
            self._file.flush()
        if not self._brief or test.failed or test.result == "skip":
            print(shown(test), end="", flush=True)


def close(count: ktap.Count) -> int:
    """Print @count, with which a run closes; its exit status is 0 if something ran and all of it passed."""
    if not count.passed and not count.failed:
        print("nothing was tested, which is no success" + (": see why each was skipped" if count.skipped else ""))
    print(count, flush=True)
    return int(count.failed > 0 or not count.passed)


class Report:
    """The file of a run. Another run that names the same file has one of its own from then on."""

    def __init__(self, path: Path, groups: Sequence[str]) -> None:
        """Begin @path anew, for a run of @groups."""
        if path.exists() and not path.is_file():
            raise ui.Fail(f"--report={path}", "there is something that is no file", "name a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._file = path.open("x+", encoding="utf-8")
        self._file.write(f"{ktap.header()}1..{len(groups)}\n")
        self._file.flush()
        self._done = 0

    def __enter__(self) -> Report:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @contextlib.contextmanager
    def group(self, name: str) -> Iterator[Tally]:
        """The block is the group @name; its end says that it has come to its end."""
        self._file.write(ktap.header(name, 1))
        self._file.flush()
        tally = Tally(self._file)
        yield tally
        self._end(name, tally.tests)

    def add(self, name: str, tests: Sequence[Test]) -> None:
        """What the group @name said elsewhere: print it, and take it over."""
        self._file.write(ktap.header(name, 1))
        for number, test in enumerate(tests, 1):
            self._file.write(ktap.entry(number, test, 1))
            print(shown(test), end="", flush=True)
        self._end(name, tests)

    def _end(self, name: str, tests: Sequence[Test]) -> None:
        self._done += 1
        good = tests and not any(test.failed for test in tests)
        self._file.write(ktap.end(self._done, Test(name, "ok" if good else "not ok")))
        self._file.flush()

    def count(self) -> ktap.Count:
        """What the file says so far."""
        self._file.seek(0)
        return ktap.count(ktap.verdicts(ktap.read(self._file.read())))
