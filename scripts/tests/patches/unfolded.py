# SPDX-License-Identifier: GPL-2.0-only
"""A queue of three patches in two sets, and a tree that can be made of it."""

from __future__ import annotations

import subprocess
from typing import ClassVar
from unittest import mock

import toy
from kdebug.patches import from_commits, refresh, series, tree
from kdebug.source import trees

ONE = toy.KTHREAD.replace("int line5;\n", "int line5;\nint one;\n")
TWO = ONE.replace("int line20;\n", "int two;\n")
SERIES = """\
# What this is.

# Section A
1-fixes/0001-kthread-add-one.patch

# Section B
4-misuse/0001-kthread-add-two.patch  # first
4-misuse/0002-kthread-add-a-file-with-a-long-subject-that-is-cut-o.patch

# The end
"""
FIRST, SECOND, THIRD = (line.split()[0] for line in SERIES.splitlines() if line[:1].isdigit())
COVER = "4-misuse/0000-cover-letter.patch"
LONG = "kthread: add a file with a long subject that is cut off somewhere in the file's name"
CHANGELOG = "v3: do it\nv2: think: `---` and | 3 are no trouble\n\n    v1: indented\n"


class Case(toy.Case):
    """A test with patches/, a series, and a base for them."""

    made: ClassVar[dict[str, str]] = {}  # patches/, as fold writes them

    def setUp(self) -> None:
        super().setUp()
        self.context = self.using(repo=self.tmp)
        self.base = self.toy_base()
        self.dest = self.context.tree
        self.patches = self.context.patches
        self.series = self.context.series
        self.enterContext(mock.patch.object(tree, "need_space"))
        rough = {
            "1-fixes/0001-a.patch": toy.mail("kthread: add one", toy.FILES, {"kernel/kthread.c": ONE}, CHANGELOG + "\n"),
            "4-misuse/0002-b.patch": toy.mail("kthread: add two", {"kernel/kthread.c": ONE}, {"kernel/kthread.c": TWO}),
            "4-misuse/0003-c.patch": toy.mail(LONG, {"scripts/tool.sh": "#!/bin/sh\n"}, {
                "kernel/kthread_debug.c": "int debug;\n", "scripts/new.sh": "#!\n",
                "scripts/tool.sh": "#!/bin/sh\ntrue\n"})}
        toy.plant(self.tmp / "rough", rough)
        if not self.made:
            from_commits.there_and_back(series.group(sorted((self.tmp / "rough").glob("*/*"))), self.base.path, self.patches)
            self.made.update({series.name(p): p.read_text() for p in self.patches.glob("*/*")})
        toy.plant(self.patches, self.made)
        (self.patches / COVER).write_text("cover\n")
        self.series.write_text(SERIES)
        self.before = self.state()

    def state(self) -> dict[str, bytes]:
        return {series.name(p): p.read_bytes() for p in [*self.patches.glob("*/*.patch"), self.series]}

    def unfold(self, on: trees.BaseTree | None = None) -> None:
        tree.make(self.context, on or self.base)

    def fold(self) -> None:
        refresh.refresh(self.context)

    def check(self, on: trees.BaseTree | None = None) -> None:
        refresh.check(self.context, on or self.base)

    def git(self, *args: str, **env: str) -> str:
        return toy.git(self.dest, *args, **env)

    def edit(self, name: str, text: str, *commit: str) -> None:
        toy.plant(self.dest, {name: text})
        self.git("add", name)
        self.git("commit", "-q", *commit)

    def names(self) -> list[str]:
        return sorted(series.name(p) for p in self.patches.glob("*/*") if not p.name.startswith("0000-"))

    def ends(self, *names: str) -> None:
        """HEAD is the last commit of each of these sets."""
        for name in names:
            self.git("branch", "-f", f"set/{name}")

    def branches(self) -> dict[str, str]:
        """Where each set's branch is: the subject."""
        return dict(line.split(" ", 1) for line in self.git(
            "for-each-ref", "--format=%(refname:lstrip=3) %(subject)", "refs/heads/set/").splitlines())

    def mends(self, *words: str) -> None:
        """The fold is refused, and the commands that it names put it right."""
        before = self.state()
        with self.fails(str(self.dest), *words) as caught:
            self.fold()
        self.assertEqual(self.state(), before)
        command = str(caught.exception).split("perhaps: ")[1]
        subprocess.run(["sh", "-c", command], check=True, capture_output=True)
        self.fold()
