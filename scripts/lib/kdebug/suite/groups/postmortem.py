# SPDX-License-Identifier: GPL-2.0-only
"""gdb and drgn print the table of requests as the kernel does."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from kdebug.build import bootable
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.guest.lines import Line
from kdebug.host import ui
from kdebug.patches import scope
from kdebug.suite import debuggers
from kdebug.suite.guests import SLOW
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally

PROGRAM = "postmortem"
NO_REPORT = "nokaslr kthread_debug.stall_secs=0"


class _Look:
    """Looks at the guest while its program waits; each look's text, or why there is none, under its name."""

    def __init__(self, top: Path, gdb: debuggers.Gdb, dump: Path) -> None:
        self.top, self.gdb, self.dump = top, gdb, dump
        self.said: dict[str, str | Exception] = {}

    @property
    def arguments(self) -> list[str]:
        """QEMU's: a socket for gdb, and one behind the second serial port."""
        return ["-gdb", f"unix:{self.top}/gdb,server=on,wait=off",
                "-chardev", f"socket,id=go,path={self.top}/go,server=on,wait=off", "-serial", "chardev:go"]

    def on_line(self, line: Line) -> None:
        """The program says when it waits."""
        if line.prog != PROGRAM or line.said != "# look":
            return
        self.look("gdb, live guest", self.gdb.live, self.top / "gdb", self.dump)
        with socket.socket(socket.AF_UNIX) as go:
            go.connect(str(self.top / "go"))
            go.sendall(b"\n")

    def look(self, name: str, how: Callable[..., str], *what: Path) -> None:
        """Keep under @name what @how(@what) returns or raises, for the verdict."""
        try:
            self.said[name] = how(*what)
        except (ui.Fail, AssertionError, OSError, subprocess.SubprocessError) as err:
            self.said[name] = err


@group("postmortem", Where.PLAIN, needs=scope.FAULT, asked=True)
def postmortem(context: Context, tally: Tally) -> None:
    """The table of requests as gdb and drgn print it, from a live guest and from a dump."""
    ready = bootable.prepare(context, "plain", fragments=["gdb"])
    dump = context.work / "postmortem.core"
    gdb, drgn, why = debuggers.Gdb(ready.kernel), None, ""
    try:
        drgn = debuggers.Drgn(context, ready.kernel)
    except ui.Fail as err:
        why = str(err)
    with contextlib.ExitStack() as stack:
        # QEMU makes it read-only, and cannot write over one that is left of a run that was killed.
        dump.unlink(missing_ok=True)
        stack.callback(dump.unlink, missing_ok=True)
        stack.callback(debuggers.notes(dump).unlink, missing_ok=True)
        look = _Look(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kdebug-"))), gdb, dump)
        with tally.case("postmortem: a guest with a row of each kind"):
            result = boot.run(context, ready.kernel.image, ready.initrd, NO_REPORT, programs=[PROGRAM], label="guest",
                              limits=SLOW, extra=look.arguments, on_line=look.on_line)
            assert result.passed, result.report()
        before, after = ([line.said.removeprefix(f"# {when} ") for line in result.lines
                          if line.prog == PROGRAM and line.said.startswith(f"# {when} ")]
                         for when in ("before", "after"))
        look.look("gdb, a dump", gdb.dump, dump)
        if drgn:
            look.look("drgn, a dump", drgn.dump, dump)
        for name, said in look.said.items():
            with tally.case(f"postmortem: {name}: the lines of debugfs"):
                if isinstance(said, Exception):
                    raise said
                bad = debuggers.differs(before, debuggers.table(said), after)
                assert not bad, bad
        if not drgn:
            tally.skip("postmortem: drgn: the lines of debugfs", why)
