# SPDX-License-Identifier: GPL-2.0-only
"""docs/library.md: what the last run over the scenarios of the repository has found.

It is made of the results in build/explore, of those that docs/library.jsonl has kept of other runs, and of two
files that explain what is not clean: excuses.txt has what is no fault, bugs.txt what is one. What neither explains
the page calls unexplained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kdebug.context import Context
from kdebug.explore import excuses, judge, kept as results, page, scenario as scenarios
from kdebug.explore.excuses import Excuse
from kdebug.explore.judge import Finding
from kdebug.explore.kept import Kept
from kdebug.explore.results import Cell
from kdebug.explore.scenario import Scenario
from kdebug.explore.trial import FAULTS, Trial
from kdebug.guest.bad_lines import Rules
from kdebug.host.files import write_atomic

PAGE = "library.md"
BUGS = "bugs.txt"
UNEXPLAINED, BUG, NOT_RUN = "unexplained", "bug", "not run"
KINDS = (judge.OK, "excused", judge.NOT_KILLABLE, BUG, UNEXPLAINED)
LABELS = [Trial(0, fault, arg).label for fault, arg in FAULTS]

HEAD = """# What the sweep says of each scenario

[`make explore`](explore.md) sweeps a scenario: it breaks each creation of a kernel thread in it, in turn and in
seven ways. `scripts/explore --library` makes this page of the last results. A row is a creation, a column
is a fault, and a cell is the verdict. If a cell is not `ok`, a note below the table names the bug of the
kernel ([findings](findings.md)), or gives an excuse with its reason. A `-` means that a kernel thread is the
creator, and nobody can kill it. Each scenario ran with the series of its day, which had fewer patches.
"""


@dataclass(frozen=True)
class Row:
    """What the page says of a scenario that has run."""

    title: str
    kept: Kept
    cells: list[Cell]


# A device that stays brings all its files with it.
SHOWN = 3


def explain(name: str, cell: Cell, bugs: list[Excuse]) -> tuple[str, list[str]]:
    """What kind of cell it is, for the count, and its notes."""
    notes = [f"excused: {reason}" for reason in cell.reasons]
    if cell.passed:
        return cell.word, notes
    stay, reasons = excuses.apply(bugs, name, cell.trial, list(cell.findings))
    notes = [f"{BUG}: {reason}" for reason in reasons] + notes
    notes += [f"{UNEXPLAINED}: {finding}" for finding in stay[:SHOWN]]
    if len(stay) > SHOWN:
        notes.append(f"{UNEXPLAINED}: {len(stay) - SHOWN} more like the last")
    return UNEXPLAINED if stay else BUG, notes


def _code(text: str) -> str:
    """@text as it is, in a table of Markdown."""
    return f"`{text}`".replace("|", "\\|")


def _plain(text: str) -> str:
    """A note may have links; what a kernel says in it must not become HTML."""
    return text.replace("<", "&lt;").replace("|", "\\|")


class _Notes:
    """The notes of a scenario, each with a number."""

    def __init__(self, name: str) -> None:
        self.name, self.texts = name, list[str]()

    def marks(self, notes: Sequence[str]) -> str:
        """Links to these @notes."""
        self.texts += [note for note in dict.fromkeys(notes) if note not in self.texts]
        numbers = sorted({self.texts.index(note) + 1 for note in notes})
        return "".join(f" [({number})](#{self.name}-{number})" for number in numbers)

    def lines(self) -> list[str]:
        return [f"{number}. <a id=\"{self.name}-{number}\"></a>{_plain(text)}"
                for number, text in enumerate(self.texts, 1)]


def section(row: Row, bugs: list[Excuse], count: Counter[str]) -> list[str]:
    """The lines of a scenario; adds its cells to @count."""
    name, plan = row.kept.name, row.kept.plan
    notes = _Notes(name)
    words: dict[tuple[str, str], str] = {}
    for cell in row.cells:
        kind, why = explain(name, cell, bugs)
        count[kind] += 1
        word = "-" if cell.word == judge.NOT_KILLABLE else cell.word
        words[cell.trial.row, cell.trial.label] = word + notes.marks(why)
    control = row.cells[0].trial
    out = [f"## {name}", "", f"{row.title}. The control: {words[control.row, control.label]}.", ""]
    rows = list(dict.fromkeys(trial.row for trial in plan if trial.number))
    if rows:
        out += [f"| creation | {' | '.join(LABELS)} |", "|---" * (len(LABELS) + 1) + "|"]
    out += [f"| {_code(one)} | {' | '.join(words.get((one, label), NOT_RUN) for label in LABELS)} |" for one in rows]
    return [*out, *[""] * bool(rows), *notes.lines(), *[""] * bool(notes.texts)]


def text(library: Sequence[Scenario], ran: dict[str, Row], bugs: list[Excuse]) -> tuple[str, int]:
    """The page, and how many of its cells nobody has explained."""
    count: Counter[str] = Counter()
    body: list[str] = []
    there = [ran[one.name] for one in library if one.name in ran]
    for row in there:
        body += section(row, bugs, count)
    missing = [one.name for one in library if one.name not in ran]
    whole = sum(row.kept.whole for row in there)
    out = [HEAD, f"Scenarios: {len(library)}. In full: {whole}, in part: {len(there) - whole}, "
           f"not run: {len(missing)}.",
           f"Trials: {count.total()}. " + ", ".join(f"{kind}: {count[kind]}" for kind in KINDS) + ".", "", *body]
    if missing:
        out += ["## Not run", "", ", ".join(missing) + ".", ""]
    return "\n".join(out), count[UNEXPLAINED]


def _last(context: Context, library: Sequence[Scenario], rules: Rules) -> dict[str, Kept]:
    """The results of each scenario that has run, here or elsewhere; what has been changed since has not."""
    texts = {one.name: one for one in library}
    last = {name: one for name, one in results.load(context.repo / "docs" / results.FILE).items()
            if name in texts and one.is_of(texts[name])}
    for sheet in page.load(context):
        scenario = texts.get(sheet.scenario.name)
        if scenario and sheet.is_of(scenario):
            here = results.of_sheet(sheet, scenario, rules)
            # A run that has just begun does not replace a whole one.
            if here.name not in last or len(here.found) >= len(last[here.name].found):
                last[here.name] = here
    return last


def _cell(name: str, trial: Trial, found: list[Finding], excused: list[Excuse]) -> Cell:
    stay, reasons = excuses.apply(excused, name, trial, found)
    return Cell(trial, tuple(stay), tuple(reasons))


def write(context: Context, rules: Rules, excused: list[Excuse]) -> tuple[Path, int]:
    """Write the page, and the results behind it. Returns its path, and how many cells nobody has explained."""
    library = scenarios.find(context, [])
    bugs = excuses.parse(scenarios.folder(context) / BUGS)
    last = _last(context, library, rules)
    ran = {one.name: Row(one.title, last[one.name],
                         [_cell(one.name, trial, last[one.name].found[trial.number], excused)
                          for trial in last[one.name].plan if trial.number in last[one.name].found])
           for one in library if one.name in last}
    made, unexplained = text(library, ran, bugs)
    path = context.repo / "docs" / PAGE
    results.save(path.with_name(results.FILE), last.values())
    write_atomic(path, made.encode())
    return path, unexplained
