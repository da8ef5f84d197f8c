# SPDX-License-Identifier: GPL-2.0-only
"""Random lives of kernel threads in guests, on several kernels and numbers of CPUs.

The guest program torture (kernel/guest) judges its own run. Here the guests are started, one after the
other, and the closing line of each is read: docs/torture.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kdebug.build import arch, bootable, flavours
from kdebug.build.bootable import Bootable
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.guest.judge import Limits
from kdebug.guest.lines import Line
from kdebug.host import ui

# The test provokes stall reports, and makes allocations fail.
TAGS = ("stall-report", "nomem")
# Above what the kernel needs: the trace's buffers and the checker's records.
MEMORY = 256  # MiB, and 64 more for each CPU
# Host seconds above the test's own time: the boot, and the end, which waits for all that is left.
SPARE = 900
MOST_CPUS = 8  # CONFIG_NR_CPUS
MOST_MINUTES = 24 * 60
CLOSING = re.compile(r"kthread-torture: end of test: (SUCCESS|FAILURE)((?: \w+=\d+)+)(?:: (.*))?")


@dataclass(frozen=True)
class Closing:
    """The closing line of a test."""

    success: bool
    counts: dict[str, int]
    why: str  # of a failure


@dataclass(frozen=True)
class Guest:
    """A guest that is to run, in the given flavour."""

    flavour: str
    cpus: int
    seconds: int          # of the guest's time
    seed: int
    creations: int = 0    # end after so many; 0: no such limit

    @property
    def spec(self) -> str:
        """The program for the guest's init."""
        words = [f"seed={self.seed}", f"seconds={self.seconds}", f"cpus={self.cpus}"]
        return ":".join(["torture", *words, *([f"creations={self.creations}"] if self.creations else [])])

    @property
    def again(self) -> str:
        """The command that runs it again."""
        return f"make torture FLAVOUR={self.flavour} CPUS={self.cpus} MINUTES={self.seconds / 60:g} SEED={self.seed}"


def closing(lines: Iterable[Line]) -> Closing | None:
    """The closing line among @lines, None if there is none."""
    for line in lines:
        if line.prog == "torture" and (m := CLOSING.fullmatch(line.said)):
            counts = {key: int(value) for key, value in (word.split("=") for word in m[2].split())}
            return Closing(m[1] == "SUCCESS", counts, m[3] or "")
    return None


def problem(guest: Guest, end: Closing | None) -> str:
    """Why a run that the console calls good is none; "" if it is one."""
    if not end:
        return "the test has not said how it ended"
    wanted = {"seed": guest.seed, "cpus": guest.cpus}
    wrong = [f"{key}={end.counts.get(key)}, asked for {value}" for key, value in wanted.items()
             if end.counts.get(key) != value]
    if wrong:
        return "; ".join(wrong)
    if not end.success:
        return end.why or "FAILURE"
    return "" if end.counts.get("created") and end.counts.get("run") else "nothing has been created, or nothing ran"


def run(context: Context, ready: Bootable, guest: Guest,
        more: Sequence[str] = ()) -> tuple[boot.Result, Closing | None]:
    """Run @guest on the kernel @ready, and the programs @more behind it."""
    result = boot.run(context, ready.kernel.image, ready.initrd, programs=[guest.spec, *more], smp=guest.cpus,
                      memory=ready.kernel.memory + MEMORY + 64 * guest.cpus, tags=TAGS, label=guest.flavour,
                      limits=Limits(boot=300, silence=300, total=3 * guest.seconds + SPARE))
    return result, closing(result.lines)


def plan(kernels: Sequence[str], cpus: Sequence[int], seconds: int, seed: int) -> list[Guest]:
    """A guest for each of the flavours @kernels and each number of CPUs; they share the @seconds."""
    each = max(1, seconds // (len(kernels) * len(cpus)))
    return [Guest(flavour, nr, each, seed) for flavour in kernels for nr in cpus]


def command(context: Context, guests: Sequence[Guest]) -> int:
    """Run all @guests, print a line for each, and the sum; returns the exit status."""
    if arch.of(context).name != arch.DEFAULT:
        raise ui.Fail(f"ARCH={context.architecture}", "torture runs on x86-64", "leave it out")
    known = flavours.available(context)
    for guest in guests:
        if guest.flavour not in known:
            raise ui.Fail(f"FLAVOUR={guest.flavour}", "no such flavour", f"use some of {' '.join(known)}")
    created, failed = 0, 0
    for guest in guests:
        result, end = run(context, bootable.prepare(context, guest.flavour), guest)
        why = problem(guest, end) or ("" if result.passed else result.report())
        created += end.counts.get("created", 0) if end else 0
        failed += bool(why)
        counts = [f"{key}={value}" for key, value in (end.counts if end else {}).items() if key not in ("seed", "cpus")]
        print(f"{'FAILURE' if why else 'SUCCESS'}  {guest.flavour} cpus={guest.cpus} {guest.seconds} s "
              f"seed={guest.seed}: {' '.join(counts)}", flush=True)
        if why:
            print(f"         {why}\n         console: {result.console}\n         again:   {guest.again}", flush=True)
    print(f"{created:,} creations in {len(guests)} guests, {failed} of them failed", flush=True)
    return int(failed > 0)
