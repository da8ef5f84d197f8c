# SPDX-License-Identifier: GPL-2.0-only
"""What groups of tests share that boot guests: which kernels, which programs, and what those say."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

from kdebug import arch, boot, kbuild, paths, scope, steps
from kdebug.console import Limits
from kdebug.suite.report import Tally

KNOB = "/sys/kernel/debug/kthread/comp_block"
REQUESTS = "/sys/kernel/debug/kthread/requests"
# For what runs on any flavour and architecture.
SLOW = Limits(boot=300, silence=300, total=1800)
# A kernel that two groups boot without the series. It has KUnit.
BASE_FLAVOUR = "atomic-sleep"
# The flavour that suspends and hibernates.
SUSPENDS = "pm"
# Programs of the guest that need a file of the series. A selftest is such a file itself.
NEEDS = {"repro": scope.FAULT, "timeline": scope.FAULT, "samples": scope.SAMPLES, "itself": scope.MISUSE,
         "stoptwice": scope.MISUSE}


def flavours() -> list[str]:
    """The flavours that FLAVOUR= names."""
    return re.split(r"[ ,]+", os.environ.get("FLAVOUR") or "plain")


def has(ready: steps.Ready, option: str) -> bool:
    """Whether this kernel has the @option, "CONFIG_..."."""
    return f"{option}=y" in ready.kernel.config.read_text().splitlines()


def there(specs: Sequence[str]) -> list[str]:
    """Those of the guest's programs @specs, each with its arguments, that the sets of SET= have."""
    def is_there(name: str) -> bool:
        selftest = f"{kbuild.SELFTESTS}/{name}.c"
        return scope.there(NEEDS[name]) if name in NEEDS else selftest not in scope.files("") or scope.there(selftest)

    return [spec for spec in specs if is_there(spec.partition(":")[0])]


def programs(tally: Tally, ready: steps.Ready, specs: list[str], label: str, **how: Any) -> None:
    """Boot, and count each result that the guest's @specs give; @how is boot.run()'s."""
    specs, wanted = there(specs), specs
    if not specs:
        tally.skip(f"{label}: {','.join(wanted)}", f"SET={paths.SET} has none of these")
        return
    with tally.case(f"{label}: {','.join(specs)}: clean run"):
        result = boot.run(ready.kernel.image, ready.initrd, programs=specs, label=label, **how)
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


def on_each(tally: Tally, specs: list[str], tags: Sequence[str] = (), lost: bool = True, append: str = "") -> None:
    """Run the programs @specs on each kernel of FLAVOUR; one that can tell what has been @lost does."""
    for flavour in flavours():
        ready = steps.prepare(flavour)
        last = ["kmemleak"] if lost and has(ready, "CONFIG_DEBUG_KMEMLEAK") else []
        programs(tally, ready, [*specs, *last], arch.current().flavour(flavour), append=append, tags=tags,
                 memory=ready.kernel.memory, smp=ready.kernel.cpus, limits=SLOW)
