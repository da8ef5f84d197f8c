# SPDX-License-Identifier: GPL-2.0-only
"""The experiment where it was published: in the probe of smsc911x, the driver of
the Ethernet chip on an Arm board; and a probe with no patch to any driver."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kdebug.build import bootable
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.guest.judge import Limits
from kdebug.guest.lines import Line

NAME = "arm"
DRIVER = "smsc911x"
HOST = "10.0.2.2"  # of QEMU's own network, which also gives the guest its address
GUEST = "10.0.2.15"
SIZE = 64 << 10
LIMITS = Limits(boot=300, silence=120, total=900)
DHCP = "busybox:timeout:120:udhcpc:-i:eth0:-n:-q:-f:-s:/etc/udhcpc.sh"
FETCH = (f"busybox:tftp:-g:-r:file:-l:/tmp/file:{HOST}", "busybox:sha256sum:/tmp/file")
Check = tuple[str, str]  # what is shown, and why it is not: "" if it is


@contextmanager
def served() -> Iterator[tuple[list[str], str]]:
    """The arguments for QEMU of a chip, on a network of nothing but QEMU itself,
    which serves a file; and the file's SHA-256."""
    with tempfile.TemporaryDirectory(prefix="kdebug-tftp-") as folder:
        data = os.urandom(SIZE)
        Path(folder, "file").write_bytes(data)
        share = folder.replace(",", ",,")
        yield ["-nic", f"user,model=lan9118,restrict=on,tftp={share}"], hashlib.sha256(data).hexdigest()


def _said(lines: list[Line], prog: str | None, pattern: str) -> list[Line]:
    return [line for line in lines if line.prog == prog and re.match(pattern, line.said)]


def _network(result: boot.Result, sha256: str, lease: bool) -> str:
    """Why the interface does not work; "" if it does."""
    if lease and not _said(result.lines, "busybox", rf"udhcpc: lease of {re.escape(GUEST)} obtained from"):
        return "no lease"
    return "" if _said(result.lines, "busybox", sha256) else "the file did not arrive as it is"


def _checks(result: boot.Result) -> list[Check]:
    found = [(test.name, "" if test.result == "ok" else f"see {result.console}")
             for program in result.programs for test in program.tests]
    return found or [("e5_in_the_probe: a result", result.report())]


def run(context: Context, how: str, delay_ms: int) -> tuple[boot.Result, list[Check]]:
    """Boot with the patched driver, @how is control or blocked; and in the same
    boot see its interface work, behind all that."""
    context = dataclasses.replace(context, architecture=NAME)
    ready = bootable.prepare(context, "plain", shell=True, experiments=True)
    wait = 2 * delay_ms / 1000
    limits = Limits(LIMITS.boot, LIMITS.silence + wait, LIMITS.total + wait)
    with served() as (nic, sha256):
        result = boot.run(context, ready.kernel.image, ready.initrd,
                          f"{DRIVER}.delay_ms={delay_ms} {DRIVER}.block={int(how == 'blocked')}",
                          programs=[f"repro:{delay_ms}:{how}:{DRIVER}", DHCP, *FETCH], limits=limits,
                          extra=nic, label=how)
    checks = [*_checks(result), (f"e5_network_after_{how}: an address, and a file from the host",
                                 _network(result, sha256, lease=True))]
    if not result.passed and not any(why for _, why in checks):
        checks.append((f"e5_{how}_in_the_probe: clean run", result.report()))
    return result, checks


# Of the board's drivers the one that creates a thread in its probe, for its
# interrupt. ip= gives the interface its address, with no user space either.
NO_USER_SPACE = (f"ip={GUEST}::{HOST}:255.255.255.0::eth0:off kthread_debug.stall_secs=1 comp_block=1,100,0,1 "
                 "comp_block_name=irq/*-mmci-pl18x* comp_block_point=complete comp_block_hold_ms=5000")
IN_ORDER = (
    ("probe", " mmci_probe from amba_probe"),  # below comp_block's line that it has decided
    ("report", r'INFO: kthread_create\("irq/\d+-mmci-pl18x \(cmd\)"\) by (swapper/0|kworker/\S+):\d+ '
               r"blocked for [1-4] s in stage completing, held by comp_block"),
    ("task", r"task:irq/\d+-mmci"),
    ("stack", r".*\b__kthread_debug_hold\b"),
    ("user space", "Run /init"))


def at_boot(context: Context) -> tuple[boot.Result, list[Check]]:
    """Drivers as they are: the boot options hold the thread of a probe, the report
    is on the console before there is a user space, and then all is well."""
    context = dataclasses.replace(context, architecture=NAME)
    ready = bootable.prepare(context, "plain", shell=True)
    with served() as (nic, sha256):
        result = boot.run(context, ready.kernel.image, ready.initrd, NO_USER_SPACE, programs=[*FETCH], extra=nic,
                          limits=LIMITS, tags=["stall-report"], label="at boot")
    numbers = {what: [line.number for line in _said(result.lines, None, pattern)] for what, pattern in IN_ORDER}
    why = ", ".join(f"no {what}" for what, found in numbers.items() if not found)
    firsts = [found[0] for found in numbers.values() if found]
    if not why and firsts != sorted(firsts):
        why = f"not in this order: {', '.join(numbers)}"
    return result, [
        ("e5_no_patch_no_user_space: the thread of a probe is held at boot, and reported",
         why and f"{why}\n{result.report()}"),
        ("e5_network_after_boot: a file from the host", _network(result, sha256, lease=False)),
        ("e5_no_patch_no_user_space: clean run", "" if result.passed else result.report())]
