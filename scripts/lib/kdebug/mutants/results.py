# SPDX-License-Identifier: GPL-2.0-only
"""What came of each mutant: kept from run to run, and as a table."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kdebug.host.files import load_json, save_json
from kdebug.mutants.blocks import Argument, Mutant

KILLED, SURVIVED, UNSEEN, NO_BUILD, ARGUED = "killed", "survived", "not seen", "no build", "argued"


@dataclass(frozen=True)
class Outcome:
    """How a mutant ended: KILLED, SURVIVED all tests, UNSEEN by its own, NO_BUILD; or ARGUED, where no run can tell."""

    status: str
    by: str = ""         # which test killed it and what that said, or why it does not build
    seconds: float = 0.0
    tests: str = ""      # key of the tests that did not see it

    def judged(self, argument: Argument | None) -> Outcome:
        """What it counts as, with the @argument for it. An argument for what was killed stays unused."""
        if self.status not in (SURVIVED, UNSEEN) or argument is None:
            return self
        argument.used = True
        return Outcome(ARGUED, argument.reason, self.seconds)

    @property
    def passed(self) -> bool:
        """Whether nothing is left to do."""
        return self.status in (KILLED, ARGUED)


class Book:
    """The file of outcomes, by a key of all that they depend on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = load_json(path)

    def get(self, key: str, tests: str) -> Outcome | None:
        """What is known under @key. What survived is known only as long as the @tests are the same ones."""
        kept = self._kept.get(key)
        if not isinstance(kept, dict):
            return None
        outcome = Outcome(str(kept.get("status")), str(kept.get("by")), float(kept.get("seconds", 0)),
                          str(kept.get("tests")))
        known = outcome.status == KILLED or outcome.status in (SURVIVED, UNSEEN) and outcome.tests == tests
        return outcome if known else None

    def put(self, key: str, name: str, outcome: Outcome) -> None:
        """Keep the @outcome of the mutant @name at once: a run that is killed loses the one that it is at."""
        self._kept[key] = {"mutant": name, **asdict(outcome)}
        save_json(self._path, self._kept)


def line(mutant: Mutant, outcome: Outcome) -> str:
    """A row of the table."""
    return f"{outcome.status:9} {mutant.id}: {outcome.by}" if outcome.by else f"{outcome.status:9} {mutant.id}"


def table(outcomes: Mapping[Mutant, Outcome]) -> str:
    """All @outcomes by their file, what is left to do last, and their number."""
    rows: list[str] = []
    for file in dict.fromkeys(mutant.file for mutant in outcomes):
        rows += ["", file, *(f"  {line(mutant, one)}" for mutant, one in outcomes.items()
                             if mutant.file == file and one.passed)]
    if left := [f"  {line(mutant, one)} ({mutant.at})" for mutant, one in outcomes.items() if not one.passed]:
        rows += ["", "to do", *left]
    return "\n".join([*rows, "", summary(list(outcomes.values()))]).lstrip("\n")


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many of each."""
    counts = collections.Counter(one.status for one in outcomes)
    ran = [one.seconds for one in outcomes if one.seconds]
    each = f", {sum(ran) / len(ran):.0f} s each" if ran else ""
    return (f"{len(outcomes)} mutants: {counts[KILLED]} killed, {counts[ARGUED]} argued, {counts[SURVIVED]} survived, "
            f"{counts[UNSEEN]} not seen, {counts[NO_BUILD]} do not build{each}")


def unused(arguments: Mapping[str, Argument], outcomes: Mapping[Mutant, Outcome]) -> list[str]:
    """A line for each argument that a mutant of @outcomes does not need."""
    ran = {mutant.id: one for mutant, one in outcomes.items()}
    return [f"{one.at}: nothing needs the argument for {name}, which was {ran[name].status}"
            for name, one in arguments.items() if name in ran and not one.used]
