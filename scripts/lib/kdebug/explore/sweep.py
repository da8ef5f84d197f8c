# SPDX-License-Identifier: GPL-2.0-only
"""Run all trials of a scenario, in as few guests as it takes, and tell what comes of each."""

from __future__ import annotations

import fnmatch
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kdebug.check.table import Table
from kdebug.context import Context
from kdebug.explore import console, guest, judge
from kdebug.explore.excuses import Excuse
from kdebug.explore.guest import Ended, Machine
from kdebug.explore.results import Cell, Sheet
from kdebug.explore.trial import CONTROL_TRIAL, FAULTS, Trial
from kdebug.guest.bad_lines import Rules
from kdebug.guest.exit_codes import Code
from kdebug.host import ui
from kdebug.host.ui import Fail

# The control has shown that nothing that follows would mean anything.
HOPELESS = (judge.ERROR, "corruption", "oops", "hang")
# The guest has not come to its end, for no reason of the scenario's.
LOST = (Code.BOOT, Code.LOST, Code.NO_QEMU, Code.USAGE, Code.CPUS, Code.GARBLED, Code.REBOOT)

SHORT = {judge.ERROR: "ERROR", "corruption": "CORRUPT", "oops": "OOPS", "hang": "HANG", "lockdep": "LOCKDEP",
         "warning": "WARNING", "leak": "LEAK", "half success": "half", "left over": "left",
         "another errno": "errno", "does not work again": "again", "not reached": "missed",
         judge.NOT_KILLABLE: "-"}

# How often a guest is booted that does not come to its init: on a busy host one may fail.
BOOTS = 3

# Boots a guest with these trials, in that folder.
Runner = Callable[[list[Trial], Path, ui.Phase], Ended]


class _Phase(ui.Phase):
    """What a guest does, on the live line. It also ends the guest when the run is to end."""

    def __init__(self, stop: threading.Event, shown: bool) -> None:
        super().__init__("guest", sys.stderr)
        self._stop, self._shown = stop, shown

    def live(self, state: str) -> None:
        if self._stop.is_set():
            raise KeyboardInterrupt
        if self._shown:
            super().live(state)

    def note(self, text: str) -> None:
        """The command of a guest is beside its console."""


def wanted(trial: Trial, only: str) -> bool:
    """Whether the glob @only, if there is one, chooses the @trial."""
    return not only or not trial.number or fnmatch.fnmatchcase(f"{trial.label} {trial.row}", only)


class Sweep:
    """The run over one scenario."""

    def __init__(self, sheet: Sheet, runner: Runner, rules: Rules, excused: list[Excuse], jobs: int = 1,
                 only: str = "") -> None:
        self.sheet, self.runner, self.rules, self.excused = sheet, runner, rules, excused
        self.jobs, self.only = jobs, only
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._todo: list[Trial] = []
        self._guests = 0
        self._table: Table | None = None
        self._rows: list[str] = []

    def run(self) -> list[Cell]:
        """Do what is not done; returns the cells of all that was wanted."""
        if 0 not in self.sheet.ends:
            self._do([CONTROL_TRIAL])
        control = self._cell(CONTROL_TRIAL)
        if control.worst.kind in HOPELESS:
            return [control]
        plan = [trial for trial in self.sheet.plan() if wanted(trial, self.only)]
        if len(plan) == 1:
            raise Fail(f"--only '{self.only}'", "chooses no trial",
                       f"it is a glob on a fault and a creation, as '{self.sheet.plan()[1].label} *'")
        self._show(plan)
        self._todo = [trial for trial in plan if trial.number not in self.sheet.ends]
        if self.jobs == 1:
            self._work()
        elif self._todo:
            self._together()
        return [self._cell(trial) for trial in plan]

    def again(self, number: int) -> Cell:
        """Do the trial of that @number anew."""
        if number and 0 not in self.sheet.ends:
            self._do([CONTROL_TRIAL])
        plan = {trial.number: trial for trial in self.sheet.plan()}
        if number not in plan:
            raise Fail(f"--replay {number}", "no such trial", f"give a number from 0 to {max(plan)}")
        self._do([plan[number]])
        return self._cell(plan[number])

    def _together(self) -> None:
        with ThreadPoolExecutor(self.jobs) as pool:
            jobs = [pool.submit(self._work) for _ in range(self.jobs)]
            try:
                for job in jobs:
                    job.result()
            except BaseException:
                self._stop.set()
                raise

    def _work(self) -> None:
        while batch := self._take():
            self._do(batch)

    def _take(self) -> list[Trial]:
        """A share of what is left, for one guest."""
        with self._lock:
            share = 1 if "cold" in self.sheet.scenario.needs else -(-len(self._todo) // self.jobs)
            batch, self._todo = self._todo[:share], self._todo[share:]
            return batch

    def _do(self, batch: list[Trial]) -> None:
        """Boot a guest for the @batch; what it does not come to is to do again."""
        with self._lock:
            self._guests += 1
            where = self.sheet.folder / "guests" / f"{batch[0].number}"
        for _ in range(BOOTS):
            ended = self.runner(batch, where, _Phase(self._stop, self.jobs == 1))
            raw = ended.console.read_bytes() if ended.console.is_file() else b""
            if b"kdebug: init" in raw:
                break
        if self.jobs == 1 and sys.stderr.isatty():
            sys.stderr.write("\r\033[K")  # the live line
        parts = console.split(raw)
        seen = {number: console.read(part) for number, part in parts.items()}
        last = next((trial.number for trial in reversed(batch) if trial.number in parts), -1)
        # If the guest dies before it has looked for leaks, the trials since the last look are to do again.
        done = [trial for trial in batch if trial.number in parts and (seen[trial.number].complete or
                (trial.number == last and ended.code not in LOST))]
        if not done:
            said = [line for line in raw.decode("utf-8", "replace").splitlines() if "explore: error" in line]
            raise Fail("guest", said[-1].partition("explore: ")[2] if said else ended.reason,
                       f"see {ended.console}", code=1)
        with self._lock:
            for trial in done:
                end = "" if seen[trial.number].complete else ended.reason
                self.sheet.add(trial, parts[trial.number], end, seen[trial.number].seconds)
                self._tell(trial)
            self._todo = [trial for trial in batch if trial not in done] + self._todo

    # --- on the terminal

    def _cell(self, trial: Trial) -> Cell:
        return self.sheet.cell(trial, self.sheet.seen(0), self.rules, self.excused)

    def _show(self, plan: list[Trial]) -> None:
        """A table that fills, on a terminal."""
        self._rows = list(dict.fromkeys(trial.row for trial in plan if trial.number))
        labels = [Trial(0, fault, arg).label for fault, arg in FAULTS]
        first = min(60, max(map(len, self._rows)) + 2)
        table = Table([f"  {row}" for row in self._rows], labels, 7, first + 2)
        if not table.live:
            return
        self._table = table
        for trial in plan:
            if trial.number in self.sheet.ends:
                self._put(trial)

    def _put(self, trial: Trial) -> None:
        if self._table and trial.number:
            cell = self._cell(trial)
            self._table.put(self._rows.index(trial.row), trial.label, SHORT.get(cell.word, cell.word))

    def _tell(self, trial: Trial) -> None:
        self._put(trial)
        if not self._table:
            cell = self._cell(trial)
            said = str(cell.worst) if cell.findings else cell.word
            print(f"  {trial.number:>3}  {trial.label:<10}  {trial.row}: {said} ({cell.seconds:.0f} s)", flush=True)


def runner(context: Context, host: Machine, sheet: Sheet) -> Runner:
    """What boots the guests of a sheet's scenario."""
    def run(batch: list[Trial], where: Path, phase: ui.Phase) -> Ended:
        # A warm-up takes what the first use leaves out of the comparison.
        cold = "cold" in sheet.scenario.needs or not sheet.seen(0).left
        return guest.run(context, host, sheet.scenario, batch, where, phase, cold)
    return run


def summary(cells: list[Cell]) -> str:
    """How many trials ended how."""
    count = {"ok": 0, "excused": 0, judge.NOT_KILLABLE: 0, "to look at": 0}
    for cell in cells:
        count[cell.word if cell.passed else "to look at"] += 1
    return ", ".join(f"{number} {word}" for word, number in count.items() if number or word in ("ok", "to look at"))


def report(context: Context, sheet: Sheet, cells: list[Cell]) -> str:
    """What is to be looked at, and the sum."""
    out: list[str] = []
    for cell in cells:
        if cell.passed:
            continue
        trial = cell.trial
        what = f"{trial.label} of {trial.row}" if trial.number else "control"
        out.append(f"{sheet.scenario.name} {trial.number}: {what}: {cell.worst}")
        out += [f"     {line}" for line in cell.worst.more[:6]]
        out += [f"     also {finding}" for finding in cell.findings[1:4]]
        out.append(f"     replay: {context.shown(sheet.folder / str(trial.number) / 'replay.sh')}")
    return "\n".join([*out, f"{sheet.scenario.name}: {len(cells)} trials: {summary(cells)}"])
