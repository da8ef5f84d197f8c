# SPDX-License-Identifier: GPL-2.0-only
"""Which console lines are bad, and which are excused: scripts/console-lines.txt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kdebug.context import REPO
from kdebug.guest.exit_codes import Code
from kdebug.host.ui import Fail

RULES = REPO / "scripts/console-lines.txt"

# How many words a rule has; the last one goes to the end of the line.
PARTS = {"bad": 3, "excuse": 3, "unchecked": 2, "own": 2}
CATEGORIES = {c.name.lower(): c for c in Code if Code.PANIC <= c <= Code.BAD}


@dataclass
class Excuse:
    """A line that is no fault in a run with @tag, why, and until when."""

    tag: str
    regex: re.Pattern[str]
    reason: str = ""
    until: str = ""


@dataclass
class Rules:
    """scripts/console-lines.txt, read."""

    bad: list[tuple[Code, re.Pattern[str]]] = field(default_factory=list)
    excuses: list[Excuse] = field(default_factory=list)
    unchecked: list[re.Pattern[str]] = field(default_factory=list)
    own: list[re.Pattern[str]] = field(default_factory=list)

    def early(self) -> Rules:
        """Only what says that nothing is checked any more, for a run whose other lines are judged elsewhere."""
        return Rules(unchecked=self.unchecked, own=self.own)

    def ends_checking(self, text: str) -> bool:
        """Whether behind this message, before user space, nothing more is reported."""
        return any(regex.search(text) for regex in self.unchecked)

    def is_own(self, report: Iterable[str]) -> bool:
        """Whether the lines of a @report name code of kthread.c or of the series."""
        return any(regex.search(text) for text in report for regex in self.own)

    def match(self, text: str, tags: Iterable[str] = ()) -> Code | None:
        """The category of a kernel message, or None if it is harmless."""
        code = next((c for c, regex in self.bad if regex.search(text)), None)
        if code is None or any((e.tag == "-" or e.tag in tags) and e.regex.search(text)
                               for e in self.excuses):
            return None
        return code


def parse(path: Path = RULES) -> Rules:
    """Read the rules; what is wrong in the file is one Fail with its line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise Fail(str(path), f"cannot be read ({err})", "restore it from the repository") from err
    rules = Rules()
    excuse: Excuse | None = None
    excuse_at = 0

    def closed() -> None:
        if excuse and not (excuse.reason and excuse.until):
            raise Fail(f"{path.name}:{excuse_at}", "excuse without `reason:` and `until:`",
                       "say both on indented lines behind it")

    for number, line in enumerate(lines, 1):
        at = f"{path.name}:{number}"
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace():
            key, colon, value = line.strip().partition(":")
            if excuse is None or not colon or key not in ("reason", "until") or not value.strip():
                raise Fail(at, f"stray line {line.strip()!r}",
                           "indent only `reason: ...` and `until: ...` behind an excuse")
            setattr(excuse, key, value.strip())
            continue
        closed()
        excuse = None
        parts = PARTS.get(line.split(None, 1)[0], 0)
        words = line.split(None, parts - 1)
        if not parts or len(words) < parts:
            raise Fail(at, f"not a rule: {line!r}", "see the file's head: bad, excuse, unchecked or own")
        try:
            regex = re.compile(words[-1].rstrip())
        except re.error as err:
            raise Fail(at, f"bad regex {words[-1]!r} ({err})", "mend it") from err
        if regex.search(""):
            raise Fail(at, f"regex {words[-1]!r} matches every line", "make it name something")
        if words[0] == "unchecked":
            rules.unchecked.append(regex)
        elif words[0] == "own":
            rules.own.append(regex)
        elif words[0] == "excuse":
            excuse, excuse_at = Excuse(words[1], regex), number
            rules.excuses.append(excuse)
        elif words[1] in CATEGORIES:
            rules.bad.append((CATEGORIES[words[1]], regex))
        else:
            raise Fail(at, f"unknown category {words[1]!r}", f"use one of {' '.join(CATEGORIES)}")
    closed()
    if not rules.bad:
        raise Fail(path.name, "holds no `bad` rule", "restore it from the repository")
    return rules
