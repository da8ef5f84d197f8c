# SPDX-License-Identifier: GPL-2.0-only
"""What groups of tests share that boot guests: which kernels, which programs, and what those say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kdebug.build import arch, bootable, guest_programs
from kdebug.build.bootable import Bootable
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.guest.judge import Limits
from kdebug.patches import scope
from kdebug.suite.report import Tally

KNOB = "/sys/kernel/debug/kthread/comp_block"
FAIL_CREATE = "/sys/kernel/debug/kthread/fail_create"
REQUESTS = "/sys/kernel/debug/kthread/requests"
# For what runs on any flavour and architecture.
SLOW = Limits(boot=300, silence=300, total=1800)
# A kernel that two groups boot without the series. It has KUnit.
BASE_FLAVOUR = "atomic-sleep"
# The flavour that suspends and hibernates.
SUSPENDS = "pm"
# Programs of the guest that need files of the series. A selftest is such a file itself.
NEEDS = {"repro": (scope.FAULT,), "timeline": (scope.FAULT,), "samples": (scope.SAMPLES,), "itself": (scope.MISUSE,),
         "stoptwice": (scope.MISUSE,), "details": (scope.FAULT, scope.MISUSE),
         "details_report": (scope.FAULT, scope.MISUSE)}


@dataclass(frozen=True)
class Together:
    """Programs that run in one guest, and the tags of what is excused there."""

    specs: tuple[str, ...]
    tags: tuple[str, ...] = ()
    lost: bool = True  # what has been lost is looked for behind them


# The guests of each group that runs on any kernel, but for what a group says of them itself.
TOGETHER = {
    "sysrq": (Together(("sysrq",)),),
    "stall": (Together(("stall", "cause"), ("stall-report",)),),
    "guest": (Together(("repro", "fail_create", "fail_nth", "knobs", "nomem", "events", "table", "hazard", "timeline"),
                       ("nomem",)),
              Together(("details", "details_report", "comp_block", "run", "hits"), ("stall-report",))),
    "samples": (Together(("samples",), ("misuse", "stall-report")),),
    # The last waits for ever, so it has a guest of its own.
    "misuse": (Together(("misuse", "stops", "stoptwice"), ("misuse",)),
               Together(("itself",), ("stall-report",), lost=False)),
}


def has(ready: Bootable, option: str) -> bool:
    """Whether this kernel has the @option, "CONFIG_..."."""
    return f"{option}=y" in ready.kernel.config.read_text().splitlines()


def there(context: Context, specs: Sequence[str]) -> list[str]:
    """Those of the guest's programs @specs, each with its arguments, that the sets of SET= have."""
    def is_there(name: str) -> bool:
        selftest = f"{guest_programs.SELFTESTS}/{name}.c"
        if name in NEEDS:
            return all(scope.there(context, file) for file in NEEDS[name])
        return selftest not in scope.files(context, "") or scope.there(context, selftest)

    return [spec for spec in specs if is_there(spec.partition(":")[0])]


def programs(context: Context, tally: Tally, ready: Bootable, specs: list[str], label: str, **how: Any) -> None:
    """Boot, and count each result that the guest's @specs give; @how is boot.run(context, )'s."""
    specs, wanted = there(context, specs), specs
    if not specs:
        tally.skip(f"{label}: {','.join(wanted)}", f"SET={context.set} has none of these")
        return
    with tally.case(f"{label}: {','.join(specs)}: clean run"):
        result = boot.run(context, ready.kernel.image, ready.initrd, programs=specs, label=label, **how)
        for program in result.programs:
            for test in program.tests:
                if test.depth:
                    continue
                name = f"{label}: {program.spec.split(':')[0]}: {test.name}"
                if test.result == "skip":
                    tally.skip(name, f"see {result.console}")
                else:
                    tally.result(name, "" if test.result == "ok" else f"see {result.console}")
        assert result.passed, result.report()


def of_group(context: Context, tally: Tally, name: str) -> None:
    """Run the guests of the group @name on each kernel of FLAVOUR."""
    for one in TOGETHER[name]:
        on_each(context, tally, list(one.specs), one.tags, one.lost)


def on_each(context: Context, tally: Tally, specs: list[str], tags: Sequence[str] = (), lost: bool = True,
            append: str = "") -> None:
    """Run the programs @specs on each kernel of FLAVOUR; one that can tell what has been @lost does."""
    for flavour in context.flavours:
        ready = bootable.prepare(context, flavour)
        last = ["kmemleak"] if lost and has(ready, "CONFIG_DEBUG_KMEMLEAK") else []
        programs(context, tally, ready, [*specs, *last], arch.of(context).flavour(flavour), append=append, tags=tags,
                 memory=ready.kernel.memory, smp=ready.kernel.cpus, limits=SLOW)
