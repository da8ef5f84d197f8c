# SPDX-License-Identifier: GPL-2.0-only
"""The handshake as a monitor in the kernel, which checks each creation while the tests run."""

from __future__ import annotations

import tempfile
from pathlib import Path

from kdebug.build import bootable
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.mutants import blocks
from kdebug.patches import scope
from kdebug.suite.guests import SLOW, programs
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally

FRAGMENT = "rv"
# Each step of a creation, each way in which it fails, and creators killed at each point.
WATCHED = ("events", "table", "fail_create", "nomem", "hazard", "comp_block", "run", "hits")
CONTROL = "claim-is-shown-before-it-is-done"
SAYS = "rv: monitor kcreate does not allow event"


@group("monitor", Where.PLAIN, needs=scope.MISUSE, asked=True)
def monitor(context: Context, tally: Tally) -> None:
    """Each creation of the selftests goes through its handshake in order, says a monitor in the kernel."""
    patch = context.repo / "monitor/rv-add-the-kcreate-monitor.patch"
    ready = bootable.prepare(context, "plain", fragments=[FRAGMENT], extra=[patch])
    programs(context, tally, ready, ["rv:on", *WATCHED, "rv:seen"], "monitor", tags=("nomem", "stall-report"),
             limits=SLOW)
    broken = next(one for one in blocks.read(context.repo / "mutants") if one.id == CONTROL)
    with tally.case(f"monitor: it sees {broken.id}"), tempfile.TemporaryDirectory(dir=context.build) as temp:
        control = Path(temp) / "control.patch"
        control.write_text(blocks.patch(broken, (ready.applied.path / broken.file).read_text()))
        ready = bootable.prepare(context, "plain", fragments=[FRAGMENT], extra=[patch, control])
        result = boot.run(context, ready.kernel.image, ready.initrd, programs=["rv:on", "comp_block"],
                          label="monitor-control", limits=SLOW)
        assert not result.passed, "the guest has passed"
        assert SAYS in result.console.read_text(errors="replace"), f"no '{SAYS}' in {result.console}"
