# SPDX-License-Identifier: GPL-2.0-only
"""The series' KUnit tests, read by the kernel's own kunit.py."""

from __future__ import annotations

from kdebug.build import arch, bootable
from kdebug.context import Context
from kdebug.guest import boot, kunit
from kdebug.patches import scope
from kdebug.suite.guests import SLOW
from kdebug.suite.registry import When, Where, group
from kdebug.suite.report import Tally


def kunit_cases(tally: Tally, where: str, cases: dict[str, str], log: object) -> None:
    """Count each of the @cases that were run @where, as the @log shows."""
    for case, verdict in cases.items():
        name = f"{where}: kunit: {kunit.SUITE}.{case}"
        if verdict == "skip":
            tally.skip(name, f"see {log}")
        else:
            tally.result(name, "" if verdict == "ok" else f"see {log}")


@group("kunit-um", Where.HOST, when=When.FIRST, needs=scope.KUNIT)
def kunit_um(context: Context, tally: Tally) -> None:
    """The KUnit tests, as somebody without a guest runs them."""
    kunit_cases(tally, "um", kunit.um(context), context.out / "um.log")


@group("kunit", Where.ANY, needs=scope.KUNIT)
def kunit_guest(context: Context, tally: Tally) -> None:
    """The KUnit tests on the kernels of FLAVOUR, read by kunit.py; no bad line."""
    for flavour in context.flavours:
        ready, where = bootable.prepare(context, flavour), arch.of(context).flavour(flavour)
        with tally.case(f"{where}: kunit: clean run"):
            result = boot.run(context, ready.kernel.image, ready.initrd, "kunit.enable=1",
                              programs=["show:/proc/version"], memory=ready.kernel.memory, smp=ready.kernel.cpus,
                              limits=SLOW, tags=["stall-report", "misuse"], label="kunit")
            kunit_cases(tally, where, kunit.parse(context, ready.applied.path, result.console), result.console)
            assert result.passed, result.report()
