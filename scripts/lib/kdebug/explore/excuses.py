# SPDX-License-Identifier: GPL-2.0-only
"""Findings that are no fault, each with its reason: scripts/scenarios/excuses.txt."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from pathlib import Path

from kdebug.explore.judge import Finding
from kdebug.explore.trial import Trial
from kdebug.host.ui import Fail


@dataclass
class Excuse:
    """A line of the file."""

    at: str
    scenario: str
    thread: str
    fault: str
    regex: re.Pattern[str]
    reason: str
    used: bool = field(default=False, compare=False)

    def holds(self, scenario: str, trial: Trial, finding: Finding) -> bool:
        """Whether it excuses this @finding."""
        return (fnmatch.fnmatchcase(scenario, self.scenario)
                and fnmatch.fnmatchcase(trial.thread or trial.fault, self.thread)
                and fnmatch.fnmatchcase(trial.label, self.fault) and bool(self.regex.search(str(finding))))


def parse(path: Path) -> list[Excuse]:
    """The excuses in the file @path; none if there is no such file."""
    if not path.is_file():
        return []
    found: list[Excuse] = []
    reason: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        at = f"{path.name}:{number}"
        if line.startswith("#"):
            reason.append(line.strip("# "))
            continue
        if not line.strip():
            reason = []
            continue
        words = [word.strip() for word in line.split("\t") if word.strip()] if "\t" in line else line.split(None, 3)
        if len(words) != 4:
            raise Fail(at, f"not an excuse: {line!r}", "write SCENARIO THREAD FAULT REGEX, globs but for the last, "
                       "with tabs between them if one has a blank in it")
        if not any(reason):
            raise Fail(at, "an excuse without a reason", "write it in a comment above")
        try:
            regex = re.compile(words[3])
        except re.error as err:
            raise Fail(at, f"bad regex {words[3]!r} ({err})", "mend it") from err
        if regex.search(""):
            raise Fail(at, f"regex {words[3]!r} matches every line", "make it name something")
        found.append(Excuse(at, words[0], words[1], words[2], regex, " ".join(filter(None, reason))))
    return found


def apply(excuses: list[Excuse], scenario: str, trial: Trial, found: list[Finding]) -> tuple[list[Finding], list[str]]:
    """Those of the findings that stay, and the reasons of the others."""
    stay: list[Finding] = []
    reasons: list[str] = []
    for finding in found:
        excuse = next((one for one in excuses if one.holds(scenario, trial, finding)), None)
        if excuse is None:
            stay.append(finding)
        else:
            excuse.used = True
            reasons.append(excuse.reason)
    return stay, list(dict.fromkeys(reasons))
