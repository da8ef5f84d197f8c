# SPDX-License-Identifier: GPL-2.0-only
"""A whole boot of the guest, traced from the first creation of a thread on."""

from __future__ import annotations

from dataclasses import dataclass

from kdebug.build.bootable import Bootable
from kdebug.context import Context
from kdebug.guest import boot

INSTANCE = "boot"
# The kernel makes an instance, and enables these events, before it creates the first thread.
APPEND = f"trace_instance={INSTANCE},kthread"


@dataclass(frozen=True)
class Traced:
    """How that boot ended; the lines of its trace; and the kernel threads that were there then, by pid."""

    result: boot.Result
    lines: list[str]
    threads: dict[int, str]


def run(context: Context, ready: Bootable) -> Traced:
    result = boot.run(context, ready.kernel.image, ready.initrd, APPEND, programs=[f"boottrace:{INSTANCE}"],
                      label="boot trace")
    said = [line.said for line in result.lines if line.prog]
    threads = dict(line.removeprefix("# thread ").split(" ", 1) for line in said if line.startswith("# thread "))
    return Traced(result, [line.removeprefix("# trace ") for line in said if line.startswith("# trace ")],
                  {int(pid): name for pid, name in threads.items()})
