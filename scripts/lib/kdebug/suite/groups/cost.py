# SPDX-License-Identifier: GPL-2.0-only
"""What the series costs, in instructions."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from collections.abc import Sequence

from kdebug.build import bootable, event_places
from kdebug.build.bootable import Bootable
from kdebug.build.kernel import Kernel, Variant
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.guest.judge import Limits
from kdebug.patches import scope
from kdebug.suite import figures
from kdebug.suite.groups.builds import DEBUG, KTHREAD
from kdebug.suite.registry import When, Where, group
from kdebug.suite.report import Tally

PAIRS = 5000  # with fewer, when the scheduler's tick comes matters too much
SEEDS = (1, 2, 3)  # where the allocator places things moves a number by 0.1 %; a mean of three by less
TRACED = 2000  # a round of five
FLOOD = 100_000
HELD = 100_000
# What a creation that succeeds says, from the queue to its function. The first looks the function's name up, as its
# module may be gone when somebody reads the trace. That costs twice what the other six take together.
EVENTS = tuple(f"kthread_{event}" for event in ("create_queue", "create_fork", "create_start", "create_claim",
                                                "create_complete", "create_return", "run"))
HELD_MEMORY = 4096  # MiB; a thread that is held takes some 25 KiB


def counted(context: Context, ready: Bootable, program: str, memory: int = 256,
            seed: int = SEEDS[0]) -> dict[str, int]:
    """The numbers that kernel/bench gives in an emulator that counts: one CPU,
    a nanosecond an instruction, no time but that, and randomness from @seed.
    Of a number that it gives several times this is the mean."""
    result = boot.run(dataclasses.replace(context, accelerator="tcg"), ready.kernel.image, ready.initrd, "nokaslr",
                      programs=[f"bench:{program}"], smp=1, memory=memory, limits=Limits(silence=300, total=900),
                      label="guest", nonce="0" * 16,
                      extra=["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-seed", str(seed)])
    assert result.passed, result.report()
    found: dict[str, list[int]] = {}
    for line in result.lines:
        if m := re.fullmatch(r"bench: (\w+) (\d+)", line.said):
            found.setdefault(m[1], []).append(int(m[2]))
    return {key: round(sum(values) / len(values)) for key, values in found.items()}


def traced(context: Context, tally: Tally, events: Sequence[str]) -> tuple[int, int]:
    """What these @events add to the instructions of a create and stop, and what kprobe events at their places add."""
    plain = bootable.prepare(context, "plain")
    places = [f"{event}@{at}" for event, at in event_places.of(plain.kernel.out / "vmlinux", "kthread")
              if event in events]
    found = counted(context, plain, ":".join([f"events:{TRACED}", *places]))
    tally.note(f"{found}")
    # Each event has one place that such a creation comes by.
    assert found["probes_hit"] == len(events), found
    return found["events_ns"] - found["off_ns"], found["kprobes_ns"] - found["off_ns"]


@group("cost", Where.PLAIN, whole_series=True)
def cost(context: Context, tally: Tally) -> None:
    """Not armed, a creation and a stop take at most 1 % more instructions, and a long table costs nobody anything."""
    measured: dict[str, str] = {}

    def sizes(kernel: Kernel, *names: str) -> list[tuple[int, int, int]]:
        """Text, data and bss of each of these objects, or of all for kernel threads in that kernel."""
        linked = subprocess.run(["ar", "t", kernel.out / "kernel/built-in.a"], capture_output=True, text=True,
                                check=True).stdout
        objects = names or re.findall(r"(?:^|/)(kernel/kthread\w*\.o)$", linked, re.M)
        said = subprocess.run(["size", *objects], cwd=kernel.out, capture_output=True, text=True, check=True).stdout
        return [(int(t), int(d), int(b)) for t, d, b, *_ in (line.split() for line in said.splitlines()[1:])]

    def text_size(kernel: Kernel, name: str) -> int:
        return sizes(kernel, name)[0][0]

    def once(ready: Bootable, seed: int) -> int:
        return counted(context, ready, f"pairs:{PAIRS}", seed=seed)["pair_ns"]

    def pair(ready: Bootable) -> int:
        return round(sum(once(ready, seed) for seed in SEEDS) / len(SEEDS))

    off, on = bootable.prepare(context, "off"), bootable.prepare(context, "debug-only")
    base = moved = pair(off)
    with tally.case("cost: the same kernel gives the same number, moved code nearly so"):
        one, again = once(off, SEEDS[0]), once(off, SEEDS[0])
        assert one == again, f"two runs differ: {one} and {again}"
        size = text_size(on.kernel, KTHREAD) + text_size(on.kernel, DEBUG) - text_size(off.kernel, KTHREAD)
        pad = Variant("pad", (f"CFLAGS_kthread.o=-include {context.kernel}/bench/pad.h -DBENCH_PAD={size}",))
        moved = pair(bootable.prepare(context, "off", variant=pad))
        tally.note(f"off {base}, off and {size} bytes moved {moved} instructions a pair")
        measured |= {"both options off": str(base), "both options off, code moved": str(moved)}
        assert abs(moved - base) <= base * 0.005, f"{base} and {moved}: no better than that, it says nothing"
    # Where code lies moves a number by some tenths of a percent, which is not the
    # series' doing: the limit is above what the unchanged code takes where it takes more.
    base = max(base, moved)
    for ready, what in ((on, "KTHREAD_DEBUG"), (bootable.prepare(context, "plain"), "FAIL_KTHREAD")):
        with tally.case(f"cost: {what} and nothing armed, at most 1 % more for create and stop"):
            now = pair(ready)
            tally.note(f"{what} {now}, {(now - base) / base * 100:+.2f} %")
            measured[f"{what} on, nothing armed"] = f"{now}  {(now - base) / base * 100:+.2f} %"
            measured[f"bytes of text, data, bss: {what}"] = figures.sizes(sizes(ready.kernel), sizes(off.kernel))
            assert now <= base * 1.01, f"{base} without, {now} with it"
    with tally.case(f"cost: with {FLOOD} requests in flight a creation costs the same, and no lock is held for long"):
        found = counted(context, bootable.prepare(context, "plain"), f"flood:{FLOOD}")
        tally.note(f"{found}")
        assert found["rows"] >= FLOOD, found
        assert found["flood_last_ns"] <= found["flood_first_ns"] * 1.01, found
        measured |= {"a creation when none is in flight": str(found["flood_first_ns"]),
                     f"a creation when {FLOOD} are in flight": str(found["flood_last_ns"]),
                     f"interrupts off, printing {FLOOD} rows": str(found["late_ns"])}
        # A row takes some hundred instructions; all of them would be 10^7.
        assert found["late_ns"] < 50_000, found
    for what, names, most in (("six events behind the queue", EVENTS[1:], 45), ("seven events", EVENTS, 115)):
        with tally.case(f"cost: the {what} of a creation take at most {most} % of kprobe events at their places"):
            events, probes = traced(context, tally, names)
            measured[f"the {what} of a creation"] = f"{events}  {events / probes * 100:.0f} % of kprobe events"
            assert 0 < events <= probes * most / 100, f"{events} and {probes} instructions"
    if not tally.failed:
        figures.save(context, measured)


@group("release", Where.PLAIN, needs=scope.FAULT)
def release(context: Context, tally: Tally) -> None:
    """The release of one thread costs the same however many are held, and that of all leaves the CPU to others."""
    found: dict[str, int] = {}
    with tally.case(f"release: of one among {HELD} held it takes at most twice that of one among 10"):
        found = counted(context, bootable.prepare(context, "plain"), f"release:{HELD}", HELD_MEMORY)
        tally.note(f"{found}")
        assert found["release_many_ns"] <= 2 * found["release_few_ns"], found
    with tally.case(f"release: of all {HELD} it keeps no CPU for longer than 20 ms"):
        assert found.get("released", 0) > HELD * 0.9, f"the boot before has not come to it: {found}"
        # Otherwise the number below says nothing.
        assert found["idle_gap_ns"] < 5_000_000, found
        assert found["release_all_gap_ns"] <= 20_000_000, found


@group("figures", Where.HOST, when=When.LAST, whole_series=True)
def stated(context: Context, tally: Tally) -> None:
    """The cover letter states the figures of the last measurement."""
    name = "figures: the cover letter states what was measured"
    if other := figures.elsewhere(context):
        tally.skip(name, other)
        return
    with tally.case(name):
        wrong = figures.outdated(context)
        assert not wrong, "\n".join([*wrong, "scripts/figures --write corrects it"])
