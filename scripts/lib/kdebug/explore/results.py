# SPDX-License-Identifier: GPL-2.0-only
"""What is known of a scenario: a folder with a console for each trial, so that a run can go on where one stopped.

The verdicts are not kept: they are made of the consoles anew, so a better judgement needs no new run.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kdebug.explore import console, excuses, judge, replay, trial as trials
from kdebug.explore.console import Seen
from kdebug.explore.excuses import Excuse
from kdebug.explore.judge import Finding
from kdebug.explore.scenario import Scenario
from kdebug.explore.trial import CONTROL_TRIAL, Trial
from kdebug.guest.bad_lines import Rules
from kdebug.host import files
from kdebug.host.files import load_json, save_json

CONSOLE, REPLAY, INDEX = "console.txt", "replay.sh", "results.json"


@dataclass(frozen=True)
class Cell:
    """A trial and what came of it: the worst finding first, and why others are excused."""

    trial: Trial
    findings: tuple[Finding, ...]
    reasons: tuple[str, ...]
    seconds: float = 0.0

    @property
    def worst(self) -> Finding:
        """What the trial is judged by."""
        return self.findings[0] if self.findings else Finding(judge.OK, "")

    @property
    def word(self) -> str:
        """The verdict in a word or two."""
        return "excused" if not self.findings and self.reasons else self.worst.kind

    @property
    def passed(self) -> bool:
        """Whether there is nothing to look at. What cannot be tried is no fault."""
        return not self.findings or self.worst.kind == judge.NOT_KILLABLE


@dataclass
class Sheet:
    """The results of one scenario, in its folder."""

    scenario: Scenario
    folder: Path
    key: str
    ends: dict[int, dict[str, Any]] = field(default_factory=dict)  # how the guest of each trial ended, by number
    script: str = ""  # a digest of the scenario that has run

    def load(self) -> bool:
        """Take what is known, if it is about the same scenario, kernel and agent."""
        stamp = load_json(self.folder / INDEX)
        self.script = stamp.get("script", "")
        if stamp.get("key") != self.key:
            return False
        self.ends = {int(n): end for n, end in stamp.get("trials", {}).items()
                     if (self.folder / n / CONSOLE).is_file()}
        return True

    def open(self) -> None:
        """Take what is known, or begin anew."""
        if self.load() and self.is_of(self.scenario):
            return
        self.ends, self.script = {}, files.digest(self.scenario.text)
        for old in self.folder.glob("*"):
            if old.name != "lock":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        self.save()

    def is_of(self, scenario: Scenario) -> bool:
        """Whether it is the text of @scenario that has run."""
        return self.script == files.digest(scenario.text)

    def save(self) -> None:
        """Write what is known."""
        self.folder.mkdir(parents=True, exist_ok=True)
        save_json(self.folder / INDEX, {"key": self.key, "script": self.script, "title": self.scenario.title,
                                        "path": str(self.scenario.path),
                                        "trials": {str(n): end for n, end in sorted(self.ends.items())}})

    def add(self, trial: Trial, raw: bytes, end: str, seconds: float) -> None:
        """Keep the console @raw of the @trial. @end: how the guest ended, if that ended the trial."""
        where = self.folder / str(trial.number)
        where.mkdir(parents=True, exist_ok=True)
        files.write_atomic(where / CONSOLE, raw)
        files.write_atomic(where / REPLAY, replay.script(self.scenario, trial).encode(), 0o755)
        self.ends[trial.number] = {"end": end, "seconds": round(seconds, 1)}
        self.save()

    def forget(self, number: int) -> None:
        """The trial @number is to be done again."""
        self.ends.pop(number, None)

    def seen(self, number: int) -> Seen:
        """What the console of a trial tells; nothing if there is none."""
        if number not in self.ends:
            return Seen()
        return console.read((self.folder / str(number) / CONSOLE).read_bytes())

    def plan(self) -> list[Trial]:
        """The control, and all trials that follow from it."""
        return [CONTROL_TRIAL, *(trials.plan(self.seen(0).created) if 0 in self.ends else [])]

    def cells(self, rules: Rules, excused: list[Excuse]) -> list[Cell]:
        """The verdicts on what is known."""
        control = self.seen(0)
        return [self.cell(trial, control, rules, excused) for trial in self.plan() if trial.number in self.ends]

    def cell(self, trial: Trial, control: Seen, rules: Rules, excused: list[Excuse]) -> Cell:
        """The verdict on one trial."""
        end = self.ends[trial.number]
        found = judge.findings(self.seen(trial.number), trial, control, rules, end["end"])
        stay, reasons = excuses.apply(excused, self.scenario.name, trial, found)
        return Cell(trial, tuple(stay), tuple(reasons), end["seconds"])
