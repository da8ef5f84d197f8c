# SPDX-License-Identifier: GPL-2.0-only
"""Which files the sets of SET= bring. What needs another one, a test or a command, is not there."""

from __future__ import annotations

import functools

from kdebug.context import Context, SETS, short
from kdebug.host import ui
from kdebug.patches import apply, series

DEBUG, FAULT, MISUSE = "kernel/kthread_debug.c", "kernel/kthread_fault.c", "kernel/kthread_misuse.c"
KUNIT, SAMPLES = "kernel/tests/kthread_kunit.c", "samples/kthread/Makefile"


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
        raise ui.Fail(f"SET={short(context.set)}", f"{what} needs {file}, which is not in it",
                      f"use SET={short(able)}, or no SET= for all")
