# SPDX-License-Identifier: GPL-2.0-only
"""The series' selftests, the experiment and the samples, each in a guest."""

from __future__ import annotations

from kdebug import kbuild, scope, steps
from kdebug.suite.guests import SLOW, SUSPENDS, on_each, programs
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally


@group("sysrq", Where.ANY, needs=f"{kbuild.SELFTESTS}/sysrq.c", in_matrix=False)
def sysrq(tally: Tally) -> None:
    """The table, where it is asked for by sysrq: what hangs there takes the rest with it."""
    on_each(tally, ["sysrq"])


@group("stall", Where.ANY, needs=f"{kbuild.SELFTESTS}/stall.c")
def stall(tally: Tally) -> None:
    """The stall report."""
    on_each(tally, ["stall"], ["stall-report"])


@group("suspend", Where.PLAIN, needs=f"{kbuild.SELFTESTS}/suspend.c")
def suspend(tally: Tally) -> None:
    """Threads that are held when the machine is put to sleep."""
    # The HPET takes the line by which the clock would wake the machine up.
    programs(tally, steps.prepare(SUSPENDS), ["suspend"], SUSPENDS, append="hpet=disable", limits=SLOW)


@group("guest", Where.ANY)
def guest(tally: Tally) -> None:
    """The experiment and the series' selftests."""
    on_each(tally, ["repro", "fail_create", "fail_nth", "knobs", "nomem", "events", "table", "hazard",
                    "timeline"], ["nomem"])
    on_each(tally, ["comp_block"], ["stall-report"])


@group("samples", Where.ANY, needs=scope.SAMPLES)
def samples(tally: Tally) -> None:
    """The samples."""
    on_each(tally, ["samples"], ["misuse", "stall-report"])
