# SPDX-License-Identifier: GPL-2.0-only
"""Random lives of kernel threads, for a minute on each kernel; see docs/torture.md."""

from __future__ import annotations

import secrets

from kdebug.build import arch, bootable
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.guest.exit_codes import Code
from kdebug.patches import scope
from kdebug.suite.guests import SLOW, has
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally
from kdebug.tools import torture as tool

# Either ends it, in the guest's time.
CREATIONS = 40_000
SECONDS = 60


@group("torture", Where.ANY, needs=scope.FAULT, in_matrix=False)
def torture(context: Context, tally: Tally) -> None:
    """A minute of random lives, of faults and of readers; the accounts, the rows and the trace are right."""
    for number, flavour in enumerate(context.flavours):
        ready, where = bootable.prepare(context, flavour), arch.of(context).flavour(flavour)
        cpus = ready.kernel.cpus or arch.of(context).cpus
        if not number:
            with tally.case(f"{where}: torture: the checker tells legal traces from others"):
                result = boot.run(context, ready.kernel.image, ready.initrd, programs=["torture:selftest"],
                                  memory=ready.kernel.memory, smp=cpus, limits=SLOW, label="guest")
                assert result.passed, result.report()
            with tally.case(f"{where}: torture: a creation that is not counted is a failure"):
                result = boot.run(context, ready.kernel.image, ready.initrd, smp=cpus, limits=SLOW, label="guest",
                                  programs=[f"torture:seconds=2:cpus={cpus}:lose=20"], tags=tool.TAGS,
                                  memory=ready.kernel.memory + tool.MEMORY)
                end = tool.closing(result.lines)
                assert result.verdict.code is Code.FAILED and end and not end.success, result.report()
                assert end.why.startswith("created, and with a result: "), end.why
        guest = tool.Guest(flavour, cpus, SECONDS, secrets.randbelow(1 << 32), CREATIONS)
        with tally.case(f"{where}: torture: {SECONDS} s or {CREATIONS} creations on {cpus} CPUs: SUCCESS"):
            lost = ["kmemleak"] if has(ready, "CONFIG_DEBUG_KMEMLEAK") else []
            result, end = tool.run(context, ready, guest, lost)
            why = tool.problem(guest, end)
            assert result.passed and not why, f"{why or result.report()}\n{result.console}\nagain: {guest.again}"
            assert end
            tally.note(f"seed {guest.seed}: {end.counts['created']} creations")
