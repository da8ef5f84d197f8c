# SPDX-License-Identifier: GPL-2.0-only
"""A kernel of five files, patches to it, and a build/ of its own for each test."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import io
import os
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

SCRIPTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SCRIPTS / "lib"))

from kdebug.context import Context  # noqa: E402
from kdebug.host import ui  # noqa: E402
from kdebug.source import trees  # noqa: E402

KTHREAD = "".join(f"int line{n};\n" for n in range(1, 41))
FILES: dict[str, str] = {
    "Makefile": "# SPDX\nVERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\nEXTRAVERSION =\nNAME = Toy\n",
    "kernel/kthread.c": KTHREAD,
    "kernel/fork.c": "int fork;\n",
    "scripts/tool.sh": "#!/bin/sh\n",
    ".gitignore": "*.o\n/*\n!/debian/\n",
    ".gitattributes": "*.[ch] diff=cpp\n",
}
DATE = "Mon, 24 Nov 2025 10:00:00 +0000"


def plant(top: Path, files: Mapping[str, str | None]) -> Path:
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
            continue
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        if name.endswith(".sh"):
            path.chmod(0o755)
    return top


def tool(folder: Path, name: str, script: str) -> Path:
    """A program @name in @folder, to be found first in PATH."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def mail(subject: str, before: Mapping[str, str], after: Mapping[str, str | None], below: str = "") -> str:
    """A patch as a mail, as somebody would write it by hand."""
    text = (f"From: kthread-debug <kthread-debug@localhost>\nDate: {DATE}\nSubject: [PATCH] {subject}\n\n"
            f"Why {subject}.\n\n---\n{below}")
    for name, new in after.items():
        old = before.get(name)
        text += f"diff --git a/{name} b/{name}\n"
        if old is None:
            text += f"new file mode {'100755' if name.endswith('.sh') else '100644'}\n"
        if new is None:
            text += "deleted file mode 100644\n"
        text += "".join(difflib.unified_diff((old or "").splitlines(True), (new or "").splitlines(True),
                                             "/dev/null" if old is None else f"a/{name}",
                                             "/dev/null" if new is None else f"b/{name}"))
    return text


def git(top: Path, *args: str, **env: str) -> str:
    user = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "A User"), ("EMAIL", "user@example.org"))}
    return subprocess.run(["git", "-C", str(top), "-c", "core.fsync=none", *args], check=True,
                          capture_output=True, text=True,
                          env=os.environ | user | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
                                                   "GIT_EDITOR": "true"} | env).stdout


def commit(top: Path) -> Path:
    git(top, "init", "-q", ".")
    git(top, "add", "-Af")
    git(top, "commit", "-qm", "all")
    return top


def snapshot(top: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Each file's and directory's inode, mtime, links and content."""
    found = {}
    for path in [top, *sorted(top.rglob("*"))]:
        st = path.lstat()
        found[str(path)] = (st.st_ino, st.st_mtime_ns, st.st_nlink, path.read_bytes() if path.is_file() else b"")
    return found


class Case(unittest.TestCase):
    """A test with an empty build/, whose stderr is kept in self.err."""

    def setUp(self) -> None:
        self.tmp = Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        self.build = self.tmp / "build"
        self.context = Context(root=self.build)
        self.enterContext(mock.patch.multiple(trees, TREE_BYTES=1000))
        self.env = os.environ | {"KTHREAD_DEBUG_BUILD": str(self.build)}  # for a command of its own
        self.err = io.StringIO()
        self.enterContext(contextlib.redirect_stderr(self.err))
        self.build.mkdir()

    def using(self, **changes: Any) -> Context:
        """The test's context with @changes."""
        return dataclasses.replace(self.context, **changes)

    def toy_base(self, name: str = "toy", files: Mapping[str, str | None] | None = None) -> trees.BaseTree:
        path = plant(self.build / "src" / name, {**FILES, **(files or {})})
        return trees.BaseTree(path, "7.3.4", f"the {name} kernel", name)

    @contextlib.contextmanager
    def fails(self, *words: str):  # type: ignore[no-untyped-def]
        """The block ends with one line of a Fail that has @words in it."""
        with self.assertRaises(ui.Fail) as caught:
            yield caught
        text = str(caught.exception)
        self.assertNotIn("\n", text)
        for word in words:
            self.assertIn(word, text)
        self.assertNotEqual(caught.exception.code, 0)
