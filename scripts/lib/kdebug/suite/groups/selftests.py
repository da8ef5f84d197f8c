# SPDX-License-Identifier: GPL-2.0-only
"""The series' selftests, the experiment and the samples, each in a guest."""

from __future__ import annotations

from kdebug.build import bootable, guest_programs
from kdebug.context import Context
from kdebug.patches import scope
from kdebug.suite.guests import SLOW, SUSPENDS, of_group, programs
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally


@group("sysrq", Where.ANY, needs=f"{guest_programs.SELFTESTS}/sysrq.c", in_matrix=False)
def sysrq(context: Context, tally: Tally) -> None:
    """The table, where it is asked for by sysrq: what hangs there takes the rest with it."""
    of_group(context, tally, "sysrq")


@group("stall", Where.ANY, needs=f"{guest_programs.SELFTESTS}/stall.c")
def stall(context: Context, tally: Tally) -> None:
    """The stall report, and the cause that it names."""
    of_group(context, tally, "stall")


@group("suspend", Where.PLAIN, needs=f"{guest_programs.SELFTESTS}/suspend.c")
def suspend(context: Context, tally: Tally) -> None:
    """Threads that are held when the machine is put to sleep."""
    # The HPET takes the line by which the clock would wake the machine up.
    programs(context, tally, bootable.prepare(context, SUSPENDS), ["suspend"], SUSPENDS, append="hpet=disable",
             limits=SLOW)


@group("guest", Where.ANY)
def guest(context: Context, tally: Tally) -> None:
    """The experiment and the series' selftests."""
    of_group(context, tally, "guest")


@group("samples", Where.ANY, needs=scope.SAMPLES)
def samples(context: Context, tally: Tally) -> None:
    """The samples."""
    of_group(context, tally, "samples")
