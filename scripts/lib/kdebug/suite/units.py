# SPDX-License-Identifier: GPL-2.0-only
"""The host side's own tests, scripts/tests/, each counted."""

from __future__ import annotations

import os
import sys
import time
import unittest
from collections.abc import Sequence
from pathlib import Path

from kdebug.context import Context, WAIT
from kdebug.suite.report import Tally


def folder(context: Context) -> Path:
    """Where they are."""
    return context.scripts / "tests"


class _Result(unittest.TestResult):
    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self.tally = tally

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.began = time.monotonic()

    def addSuccess(self, test: unittest.TestCase) -> None:
        self.tally.result(test.id(), took=time.monotonic() - self.began)

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        super().addFailure(test, err)  # type: ignore[arg-type]
        self.tally.result(test.id(), self.failures[-1][1])

    def addError(self, test: unittest.TestCase, err: object) -> None:
        super().addError(test, err)  # type: ignore[arg-type]
        self.tally.result(test.id(), self.errors[-1][1])

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
        super().addSubTest(test, subtest, err)  # type: ignore[arg-type]
        if err:
            self.tally.result(subtest.id(), (self.failures + self.errors)[-1][1])

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self.tally.skip(test.id(), reason)


def run(context: Context, tally: Tally, files: Sequence[Path] | None = None) -> None:
    """Run the tests in @files, which are below folder(); by default all that are there."""
    top = folder(context)
    os.environ.pop(WAIT, None)  # they try the lock, too
    loader = unittest.TestLoader()
    if files is None:
        found = loader.discover(str(top), top_level_dir=str(top))
    else:
        if str(top) not in sys.path:
            sys.path.insert(0, str(top))
        found = loader.loadTestsFromNames([".".join(f.relative_to(top).with_suffix("").parts) for f in files])
    found.run(_Result(tally))
