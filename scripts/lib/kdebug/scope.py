# SPDX-License-Identifier: GPL-2.0-only
"""Which tests there are for the sets of SET=: those whose files these sets bring."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from kdebug.build import guest_programs
from kdebug.context import Context, SETS
from kdebug.host import ui
from kdebug.patches import apply, series

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
    **{name: f"{guest_programs.SELFTESTS}/{name}.c" for name in ("stall", "sysrq", "suspend")},
}
# They are about the whole repository, or about the base.
WHOLE = ("units", "check", "roundtrip", "claims-base", "runner", "khungtaskd", "cost", "figures", "claims-page")


@functools.cache
def files(context: Context, name: str) -> frozenset[str]:
    """The files that the sets of SET=@name touch."""
    return frozenset(path for patch in series.flat(series.upto(name, series.sets(context)))
                     for path in apply.touched(patch.read_text(errors="surrogateescape")))


def there(context: Context, file: str) -> bool:
    """Do the sets of SET= bring @file?"""
    return not context.set or file in files(context, context.set)


def wants(context: Context, what: str, file: str) -> None:
    """Refuse SET= for @what if its sets do not bring @file."""
    if not there(context, file):
        able = next(name for name in SETS if file in files(context, name))
        raise ui.Fail(f"SET={context.set}", f"{what} needs {file}, which is not in it", f"take SET={able}, or leave it out")


def groups(context: Context, names: Iterable[str]) -> list[str]:
    """Those of the groups @names that there are."""
    return [name for name in names if not context.set or name not in WHOLE and (name not in NEEDS or there(context, NEEDS[name]))]


def programs(context: Context, specs: Sequence[str]) -> list[str]:
    """Those of the guest's programs @specs, each with its arguments, that there are."""
    def has(name: str) -> bool:
        selftest = f"{guest_programs.SELFTESTS}/{name}.c"
        return there(context, NEEDS[name]) if name in NEEDS else selftest not in files(context, "") or there(context, selftest)

    return [spec for spec in specs if has(spec.partition(":")[0])]
