# SPDX-License-Identifier: GPL-2.0-only
"""The table of all calls on all kinds of threads."""

from __future__ import annotations

from kdebug.context import Context
from kdebug.suite import calls
from kdebug.suite.registry import When, Where, group
from kdebug.suite.report import Tally


@group("calls", Where.PLAIN, whole_series=True, asked=True)
def every_call(context: Context, tally: Tally) -> None:
    """Each function of kthread.h on each kind of thread, on both kernels: each use is told, or does no harm."""
    cells = calls.run_both(context)
    for name, some in cells.items():
        with tally.case(f"calls: {name}: every call has been made"):
            assert len({(cell.call, cell.where) for cell in some}) == len(some) == calls.CELLS, len(some)
        with tally.case(f"calls: {name}: a right use is not told"):
            bad = [cell for cell in some if cell.where in calls.FINE and "told" in cell.verdict]
            assert not bad, "\n".join(map(str, bad))
    patched = cells[calls.KERNELS[-1][0]]
    for call in dict.fromkeys(cell.call for cell in patched):
        with tally.case(f"calls: {call}: told, or known not to be"):
            bad = [cell for cell in patched if cell.call == call and calls.untold(cell)]
            assert not bad, "\n".join(map(str, bad))


@group("calls-page", Where.HOST, when=When.LAST, whole_series=True)
def page(context: Context, tally: Tally) -> None:
    """docs/calls.md is what the last run of scripts/calls has written."""
    cells = calls.load(context)
    if not cells:
        tally.skip("calls: docs/calls.md is the last run's", "scripts/calls has not run on this state of the series")
        return
    with tally.case("calls: docs/calls.md is the last run's"):
        assert calls.page(cells) == calls.PAGE.read_text(), "scripts/calls writes it anew"
