# SPDX-License-Identifier: GPL-2.0-only
"""Writes to all files of the series, right and wrong ones: kernel/guest/fuzz.c."""

from __future__ import annotations

import datetime

from kdebug.build import arch, bootable
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.guest.boot import Result
from kdebug.guest.judge import Limits
from kdebug.patches import scope
from kdebug.suite.guests import has
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally

WRITES = 20_000
MOST_SEED = 2**64 - 1
# It says every 15 s of the guest how far it is.
SILENCE = 600
# A write takes 1 ms on a machine that does nothing else; so long may it take on any, in seconds.
SLOWEST = 0.1


def _said(result: Result) -> list[str]:
    """What the fuzzer has said beside its results: how far it is, and what is wrong."""
    return [line.said for line in result.lines if line.prog == "fuzz" and line.said.startswith("#")]


def run(context: Context, tally: Tally, writes: int, seed: int) -> None:
    """Make so many @writes, chosen by @seed, on each kernel of FLAVOUR. A failure prints what repeats it."""
    for flavour in context.flavours:
        ready, where = bootable.prepare(context, flavour), arch.of(context).flavour(flavour)
        programs = [f"fuzz:{writes}:{seed}", *["kmemleak"] * has(ready, "CONFIG_DEBUG_KMEMLEAK")]
        with tally.case(f"{where}: fuzz: each write is refused and changes nothing, or is read back"):
            result = boot.run(context, ready.kernel.image, ready.initrd, programs=programs, label=where,
                              memory=ready.kernel.memory, smp=ready.kernel.cpus,
                              limits=Limits(boot=300, silence=SILENCE, total=SILENCE + writes * SLOWEST))
            said = _said(result)
            assert result.passed, "\n".join([result.report(), *said[-100:], "repeat it: make fuzz "
                                             f"WRITES={writes} SEED={seed} FLAVOUR={flavour}"])
            tally.note(f"seed {seed}: {said[-1].lstrip('# ')}")


@group("fuzz", Where.ANY, needs=scope.FAULT)
def fuzz(context: Context, tally: Tally) -> None:
    """The files of the series, some seconds of writes to them: others each day."""
    run(context, tally, WRITES, datetime.date.today().toordinal())
