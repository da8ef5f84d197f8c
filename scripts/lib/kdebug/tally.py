# SPDX-License-Identifier: GPL-2.0-only
"""Counts what the tests say, prints it, and closes with "N passed, N failed"."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator

from . import ui


class Tally:
    """Counts, and prints each result as it comes. With @brief it prints only what did not pass."""

    def __init__(self, brief: bool = False) -> None:
        self.passed = self.failed = self.skipped = 0
        self.verdicts: dict[str, str] = {}
        self.brief = brief

    def result(self, name: str, why: str = "", took: float = 0.0) -> None:
        """@name passed, unless @why says why it did not."""
        self.verdicts[name] = "fail" if why else "ok"
        if why:
            self.failed += 1
            print(f"FAIL  {name}\n" + "".join(f"      {line}\n" for line in why.splitlines()), end="", flush=True)
        else:
            self.passed += 1
            if not self.brief:
                print(f"ok    {name} ({took:.1f} s)", flush=True)

    def add(self, passed: int, failed: int, skipped: int) -> None:
        """What has been counted, and shown, elsewhere."""
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def skip(self, name: str, why: str) -> None:
        """@name was not run."""
        self.skipped += 1
        self.verdicts[name] = "skip"
        print(f"skip  {name}: {why}", flush=True)

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

    def close(self) -> int:
        """Print the count; return the command's exit status, 0 if something ran and all of it passed."""
        if not self.passed and not self.failed:
            print("nothing was tested, which is no success" + (": see why each was skipped" if self.skipped else ""))
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.passed} passed, {self.failed} failed{skipped}", flush=True)
        return int(self.failed > 0 or not self.passed)
