# SPDX-License-Identifier: GPL-2.0-only
"""The series' KUnit tests, read by the kernel's own kunit.py."""

from __future__ import annotations

from kdebug import arch, boot, kunit, paths, scope, steps
from kdebug.suite.guests import SLOW, flavours
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
def kunit_um(tally: Tally) -> None:
    """The KUnit tests, as somebody without a guest runs them."""
    kunit_cases(tally, "um", kunit.um(), paths.OUT / "um.log")


@group("kunit", Where.ANY, needs=scope.KUNIT)
def kunit_guest(tally: Tally) -> None:
    """The KUnit tests on the kernels of FLAVOUR, read by kunit.py; no bad line."""
    for flavour in flavours():
        ready, where = steps.prepare(flavour), arch.current().flavour(flavour)
        with tally.case(f"{where}: kunit: clean run"):
            result = boot.run(ready.kernel.image, ready.initrd, "kunit.enable=1", programs=["show:/proc/version"],
                              memory=ready.kernel.memory, smp=ready.kernel.cpus, limits=SLOW,
                              tags=["stall-report", "misuse"], label="kunit")
            kunit_cases(tally, where, kunit.parse(ready.applied.path, result.console), result.console)
            assert result.passed, result.report()
