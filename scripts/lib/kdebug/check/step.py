# SPDX-License-Identifier: GPL-2.0-only
"""A row of make check: the series up to one patch, and what a column says of it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kdebug.context import Context
from kdebug.patches import apply, series


@dataclass
class Step:
    """The series up to patch @number, as it lies in the tree."""

    context: Context
    number: int
    patch: Path | None
    applied: apply.Applied
    base: Path  # the unpatched tree
    warned: dict[str, list[str]] = field(default_factory=dict)  # of row 0, by check

    @property
    def top(self) -> Path:
        """Where make check works."""
        return self.context.check

    @property
    def tree(self) -> Path:
        return self.applied.path

    @property
    def set(self) -> series.Set:
        """The set of the patch, up to the patch."""
        assert self.patch
        one = next(one for one in series.sets(self.context) if self.patch in one.patches)
        return replace(one, patches=one.patches[:one.patches.index(self.patch) + 1])

    def touched(self, *suffixes: str) -> list[str]:
        """Files of the patch; for the base those of the whole series."""
        bodies = [self.patch] if self.patch else series.read(self.context)
        names = dict.fromkeys(n for p in bodies for n in apply.touched(p.read_text(errors="surrogateescape")))
        return [n for n in names if n.endswith(suffixes) and (self.tree / n).is_file()]

    def run_tool(self, check: str, args: Sequence[str | Path], cwd: Path, env: dict[str, str] | None = None,
                 ok: tuple[int, ...] = (0,)) -> str:
        """Run a tool; its output, which also is the log. A tool that fails is red."""
        log = self.top / f"{check}-{self.number}.log"
        try:
            done = subprocess.run([str(a) for a in args], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace", env=env)
        except FileNotFoundError:
            raise Red(f"{args[0]}: not found; run: make deps") from None
        log.write_text(f"$ {' '.join(map(str, args))}\n{done.stdout}")
        if done.returncode not in ok:
            lines = [line for line in done.stdout.splitlines() if line.strip()][-8:]
            raise Red("\n".join([f"{Path(str(args[0])).name}: exit {done.returncode}, see {self.context.shown(log)}",
                                 *lines]))
        return done.stdout

    def refuse_news(self, check: str, now: list[str]) -> list[str]:
        """Red for what the base does not say; for the base, what it says."""
        if self.patch is None:
            return now
        if fresh := news(now, self.warned.get(check, ()), self.tree, self.base):
            raise Red("\n".join(["new against the base:", *fresh[:8]]))
        return []


class Red(Exception):
    """A check that has found something; its lines."""


class Skip(Exception):
    """There is nothing to check here."""


def normal(line: str, *trees: Path) -> str:
    """A warning without what changes with the place: trees, lines and columns."""
    for tree in trees:
        line = line.replace(f"{tree}/", "")
    line = re.sub(r"^(?:\.\./)+(?:linux/|src/[^/]+/)?", "", line.strip())
    return re.sub(r":\d+(?::\d+(?:-\d+)?)?(?=:)|\b(?:at|on) line \d+|:\d+\b", "", line)


def news(now: Iterable[str], before: Iterable[str], *trees: Path) -> list[str]:
    """What of @now is not in @before, as it was printed."""
    known = {normal(line, *trees) for line in before}
    return [line for line in now if normal(line, *trees) not in known]
