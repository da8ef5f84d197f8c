# SPDX-License-Identifier: GPL-2.0-only
"""The host side's own tests."""

from __future__ import annotations

import os
import time
import unittest

from kdebug.context import Context, WAIT
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally


@group("units", Where.HOST, whole_series=True)
def units(context: Context, tally: Tally) -> None:
    """The host side's own tests, each counted."""

    class Result(unittest.TestResult):
        def startTest(self, test: unittest.TestCase) -> None:
            super().startTest(test)
            self.began = time.monotonic()

        def addSuccess(self, test: unittest.TestCase) -> None:
            tally.result(test.id(), took=time.monotonic() - self.began)

        def addFailure(self, test: unittest.TestCase, err: object) -> None:
            super().addFailure(test, err)  # type: ignore[arg-type]
            tally.result(test.id(), self.failures[-1][1])

        def addError(self, test: unittest.TestCase, err: object) -> None:
            super().addError(test, err)  # type: ignore[arg-type]
            tally.result(test.id(), self.errors[-1][1])

        def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
            super().addSubTest(test, subtest, err)  # type: ignore[arg-type]
            if err:
                tally.result(subtest.id(), (self.failures + self.errors)[-1][1])

        def addSkip(self, test: unittest.TestCase, reason: str) -> None:
            super().addSkip(test, reason)
            tally.skip(test.id(), reason)

    os.environ.pop(WAIT, None)  # they try the lock, too
    top = str(context.scripts / "tests")
    unittest.defaultTestLoader.discover(top, top_level_dir=top).run(Result())
