# SPDX-License-Identifier: GPL-2.0-only
"""A directory for each test, and the Fail that a call ends with."""

import tempfile
import textwrap
import unittest
from collections.abc import Callable
from pathlib import Path

from kdebug.context import Context
from kdebug.host import ui


def fail(test: unittest.TestCase, func: Callable[..., object], *args: object) -> ui.Fail:
    with test.assertRaises(ui.Fail) as caught:
        func(*args)
    test.assertNotIn("\n", str(caught.exception))
    return caught.exception


class Scratch(unittest.TestCase):
    """A test with a repository and a build/ of its own, both empty, in one directory."""

    def setUp(self) -> None:
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.tmp = Path(tmp.name)
        self.context = Context(repo=self.tmp, root=self.tmp)
        self.context.configs.mkdir()

    def fragment(self, name: str, text: str) -> Path:
        path = self.context.configs / f"{name}.config"
        path.write_text(textwrap.dedent(text))
        return path
