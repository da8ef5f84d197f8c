# SPDX-License-Identifier: GPL-2.0-only
"""make explore: the scenarios that are asked for, one after the other."""

from __future__ import annotations

import fnmatch
import sys
from collections.abc import Sequence

from kdebug.context import Context
from kdebug.explore import excuses, guest, library as library_page, page, scenario as scenarios, sweep
from kdebug.explore.results import Sheet
from kdebug.explore.scenario import Scenario
from kdebug.guest import bad_lines
from kdebug.host import lock
from kdebug.host.files import digest
from kdebug.host.ui import Fail

EXCUSES = "excuses.txt"


def run(context: Context, names: Sequence[str], jobs: int = 1, only: str = "", again: int | None = None) -> int:
    """Sweep the scenarios @names. With @again only that trial, anew. Returns the exit code."""
    chosen = scenarios.find(context, names)
    if again is not None and len(chosen) != 1:
        raise Fail("--replay", f"{len(chosen)} scenarios", "name one")
    rules = bad_lines.parse()
    excused = excuses.parse(scenarios.folder(context) / EXCUSES)
    host = guest.machine(context, {name for one in chosen for name in one.packages})
    top = guest.folder(context)
    passed, ran = True, []
    for one in chosen:
        if why := guest.check(context, host, one):
            if len(chosen) == 1:
                raise Fail(str(one.path), why, "take another FLAVOUR=, or add it")
            print(f"{one.name}: skipped: {why}")
            continue
        with lock.alone(top / one.name, "explore"):
            sheet = Sheet(one, top / one.name, digest(one.text, host.key))
            sheet.open()
            print(f"{one.name}: {one.title}", flush=True)
            run_one = sweep.Sweep(sheet, sweep.runner(context, host, sheet), rules, excused, jobs, only)
            cells = run_one.run() if again is None else [run_one.again(again)]
            print(sweep.report(context, sheet, cells), flush=True)
        ran.append(one)
        passed &= all(cell.passed for cell in cells)
        page.write(context, rules, excused)
    if not ran:
        raise Fail("explore", "none of the scenarios can run on this kernel", "take another FLAVOUR=")
    print(f"page: {context.shown(top / page.PAGE)}")
    if not only and again is None:
        _unused(excused, ran)
    return 0 if passed else 1


def library(context: Context) -> int:
    """Make docs/library.md of the results. Returns the exit code: 1 if nobody has explained a cell of it."""
    excused = excuses.parse(scenarios.folder(context) / EXCUSES)
    path, unexplained = library_page.write(context, bad_lines.parse(), excused)
    print(f"page: {context.shown(path)}: {unexplained} cells are unexplained")
    return int(bool(unexplained))


def _unused(excused: list[excuses.Excuse], ran: list[Scenario]) -> None:
    """Tell which excuses nothing needs, of those for what ran."""
    for one in excused:
        if not one.used and any(fnmatch.fnmatchcase(each.name, one.scenario) for each in ran):
            sys.stderr.write(f"note: {EXCUSES}: {one.at}: nothing needs this excuse\n")

