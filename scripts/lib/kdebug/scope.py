# SPDX-License-Identifier: GPL-2.0-only
"""Which tests there are for the sets of SET=: those whose files these sets bring."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from . import apply, kbuild, paths, series, ui

DEBUG, FAULT, MISUSE = "kernel/kthread_debug.c", "kernel/kthread_fault.c", "kernel/kthread_misuse.c"
KUNIT, SAMPLES = "kernel/tests/kthread_kunit.c", "samples/kthread/Makefile"

# What a group of tests, or a program of the guest, needs of the series. What is not here
# needs nothing, but a selftest is a file of the series itself.
NEEDS = {
    "unchanged": DEBUG, "samples": SAMPLES, "misuse": MISUSE, "watched": MISUSE, "itself": MISUSE, "stoptwice": MISUSE,
    "kunit": KUNIT, "kunit-um": KUNIT,
    **dict.fromkeys(("nobuild", "release", "tools", "boot-options", "stall-at-boot", "reboot", "fail-each", "arm",
                     "repro", "timeline"), FAULT),
    # One selftest each.
    **{name: f"{kbuild.SELFTESTS}/{name}.c" for name in ("stall", "sysrq", "suspend")},
}
# They are about the whole repository, or about the base.
WHOLE = ("units", "check", "roundtrip", "claims-base", "runner", "khungtaskd", "cost", "figures", "claims-page")


@functools.cache
def files(name: str) -> frozenset[str]:
    """The files that the sets of SET=@name touch."""
    return frozenset(path for patch in series.flat(series.upto(name, series.sets()))
                     for path in apply.touched(patch.read_text(errors="surrogateescape")))


def there(file: str) -> bool:
    """Do the sets of SET= bring @file?"""
    return not paths.SET or file in files(paths.SET)


def wants(what: str, file: str) -> None:
    """Refuse SET= for @what if its sets do not bring @file."""
    if not there(file):
        able = next(name for name in paths.SETS if file in files(name))
        raise ui.Fail(f"SET={paths.short(paths.SET)}", f"{what} needs {file}, which is not in it",
                      f"use SET={paths.short(able)}, or no SET= for all")


def groups(names: Iterable[str]) -> list[str]:
    """Those of the groups @names that there are."""
    return [name for name in names if not paths.SET or name not in WHOLE and (name not in NEEDS or there(NEEDS[name]))]


def programs(specs: Sequence[str]) -> list[str]:
    """Those of the guest's programs @specs, each with its arguments, that there are."""
    def has(name: str) -> bool:
        selftest = f"{kbuild.SELFTESTS}/{name}.c"
        return there(NEEDS[name]) if name in NEEDS else selftest not in files("") or there(selftest)

    return [spec for spec in specs if has(spec.partition(":")[0])]
