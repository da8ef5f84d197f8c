# SPDX-License-Identifier: GPL-2.0-only
"""How a run ends: a code for each end."""

from __future__ import annotations

import enum


class Code(enum.IntEnum):
    """How a run ended; the exit code of scripts/boot."""

    PASS = 0
    FAILED = 1       # a guest program failed
    USAGE = 2
    UNEXPECTED = 3   # passed, but --expect wanted another end
    BOOT = 10        # no guest init within the boot limit
    SILENCE = 11     # guest init runs, but nothing was heard for so long
    TOTAL = 12
    NO_STATUS = 13   # guest ended without (all of) its status lines
    GARBLED = 14     # a status line that is cut short, wrong or contradictory
    LOST = 15        # QEMU died or was killed
    NO_QEMU = 16     # QEMU is missing, too old, or refuses its arguments
    REBOOT = 17      # a second kernel started
    CPUS = 18        # not as many CPUs as asked for
    UNCHECKED = 19   # a checker gave up before user space
    PANIC = 20
    OOPS = 21
    WARNING = 22
    LOCKDEP = 23
    KASAN = 24
    KCSAN = 25
    RCU = 26
    LOCKUP = 27
    HUNG = 28
    KMEMLEAK = 29
    BAD = 30         # any other bad line
    INTERRUPTED = 130
