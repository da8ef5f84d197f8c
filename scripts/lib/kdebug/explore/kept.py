# SPDX-License-Identifier: GPL-2.0-only
"""docs/library.jsonl: the results behind docs/library.md, so that one machine need not run the whole library.

A line is a scenario. It holds for the text of the scenario that has run, and has what was found, not the
verdicts: excuses.txt and bugs.txt may change without a new run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kdebug.explore.judge import Finding
from kdebug.explore.results import Sheet
from kdebug.explore.scenario import Scenario
from kdebug.explore.trial import CONTROL_TRIAL, FAULTS, Trial, glob
from kdebug.guest.bad_lines import Rules
from kdebug.host.files import digest, write_atomic
from kdebug.host.ui import Fail

FILE = "library.jsonl"


@dataclass(frozen=True)
class Kept:
    """What is known of a scenario: all its trials, and what was found in those that have run."""

    name: str
    script: str  # a digest of the text that has run, and of what is done to a creation
    plan: tuple[Trial, ...]
    found: dict[int, list[Finding]]  # by the trial's number

    @property
    def whole(self) -> bool:
        """Whether all trials have run that the control leads to."""
        return len(self.found) == len(self.plan)

    def is_of(self, scenario: Scenario) -> bool:
        """Whether it is the text of @scenario that has run."""
        return self.script == script(scenario)


def script(scenario: Scenario) -> str:
    """What the results of @scenario hold for."""
    return digest(scenario.text, str(FAULTS))


def of_sheet(sheet: Sheet, scenario: Scenario, rules: Rules) -> Kept:
    """What a run has left in build/explore, of that text of the @scenario."""
    cells = sheet.cells(rules, [])
    return Kept(scenario.name, script(scenario), tuple(sheet.plan()),
                {cell.trial.number: list(cell.findings) for cell in cells})


def _trials(creations: Iterable[tuple[str, str, int, int, bool]]) -> list[Trial]:
    plan = [CONTROL_TRIAL]
    for thread, by, space, count, kthread in creations:
        plan += [Trial(len(plan) + n, fault, arg, space, glob(thread), glob(by), thread, by, count, kthread)
                 for n, (fault, arg) in enumerate(FAULTS)]
    return plan


def _line(kept: Kept) -> str:
    creations = [(one.thread, one.by, one.space, one.count, one.kthread) for one in kept.plan[1::len(FAULTS)]]
    found = {number: [(one.kind, one.line) for one in ones] for number, ones in sorted(kept.found.items())}
    return json.dumps({"name": kept.name, "script": kept.script, "creations": creations, "found": found},
                      ensure_ascii=False)


def load(path: Path) -> dict[str, Kept]:
    """The lines of the file @path, by their scenario; none if there is no such file."""
    kept: dict[str, Kept] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.is_file() else (), 1):
        try:
            one = json.loads(line)
            found = {int(trial): [Finding(kind, said) for kind, said in ones] for trial, ones in one["found"].items()}
            kept[one["name"]] = Kept(one["name"], one["script"], tuple(_trials(one["creations"])), found)
        except (ValueError, KeyError, TypeError, AttributeError) as err:
            raise Fail(f"{path}:{number}", f"is no result ({err})",
                       "take that line out, and run scripts/explore --library again") from err
    return kept


def save(path: Path, kept: Iterable[Kept]) -> None:
    """Write these to the file @path."""
    write_atomic(path, "".join(f"{_line(one)}\n" for one in sorted(kept, key=lambda one: one.name)).encode())
