# SPDX-License-Identifier: GPL-2.0-only
"""What each function of kthread.h does when it is called on each kind of thread (kernel/calls, docs/calls.md).

A boot makes one call after the other. If one of them ends the guest, the next boot goes on behind that one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kdebug.build import bootable
from kdebug.build.bootable import Bootable
from kdebug.context import Context, REPO
from kdebug.guest import boot
from kdebug.guest.bad_lines import Rules
from kdebug.guest.judge import Limits
from kdebug.guest.lines import Line
from kdebug.host import files, ui
from kdebug.suite import store

PAGE = REPO / "docs/calls.md"
# A thread's memory is zeroed when it is freed, so what reads it then always does the same.
APPEND = "init_on_free=1"
# The kernels: the heading on the page, the flavour, and whether the series is left out.
KERNELS = (("Linux 7.3", "off", True), ("Linux 7.3 with KTHREAD_DEBUG=y", "plain", False))
LIMITS = Limits(boot=300, silence=120, total=1200)

_BEGINS = re.compile(r"calls: cell (\d+): (\w+) on (\w+)")
_ENDS = re.compile(r"cell (\d+) ends: (.*)")
_SPLAT = re.compile(r"BUG: |(?:Oops: )?general protection fault|refcount_t: |WARNING: |Kernel panic ")
_OURS = re.compile(r'kthread_\w+\((?:"[^"]*")?\)(?: given | at |: )')
_ADDRESS = re.compile(r"\+0x[0-9a-f]+/0x[0-9a-f]+|, address: [0-9a-f]+|CPU\d+|\b0x[0-9a-f]+\b|/\d+\b")

WHERES = {
    "unwoken": "a new thread that nobody has woken up",
    "running": "a thread that runs its function",
    "returned": "a thread that has returned; the caller has a reference. A worker: its thread was stopped",
    "going": "a thread that has returned; nobody has a reference, and its memory is not free yet",
    "gone": "a thread whose memory is free. A worker: it was destroyed",
    "ERR_PTR": "ERR_PTR(-ENOMEM) in place of the thread, the worker or the work",
    "NULL": "NULL in place of it",
    "process": "a task that is no kernel thread",
    "itself": "the thread calls it on itself; a work item on its worker, or on itself",
    "atomic": "as running, with interrupts off",
}
# Where the use is right for some calls at least.
FINE = {"unwoken", "running"}
CELLS = 10 * 10 + 8 * 7  # of those that take a task, and of the others

_NO_THREAD = ("The worker may get a thread later: kthread_init_worker() allows work items before that. The kernel "
              "cannot know that none comes.")
_NO_WORKER = ("The work item has the address of the worker, which is no thread. A record of all workers that are gone "
              "would cost each kthread_destroy_worker(). KASAN tells.")
_ANYWHERE = ("The call reads one word, in any context, and may not take the lock of the record of threads that are "
             "gone. KASAN tells.")
_SLEEPS = "It sleeps, and the series has no hook in it. DEBUG_ATOMIC_SLEEP tells."
# What neither is told nor does no harm, and why the series does not tell it.
KNOWN = {
    ("kthread_func", "gone"): _ANYWHERE,
    ("kthread_queue_work", "returned"): _NO_THREAD,
    ("kthread_queue_delayed_work", "returned"): _NO_THREAD,
    ("kthread_mod_delayed_work", "returned"): _NO_THREAD,
    ("kthread_flush_worker", "atomic"): _SLEEPS,
    ("kthread_destroy_worker", "atomic"): _SLEEPS,
    ("kthread_flush_work", "atomic"): _SLEEPS,
    ("kthread_flush_work", "gone"): _NO_WORKER,
    ("kthread_cancel_work_sync", "gone"): _NO_WORKER,
    ("kthread_cancel_delayed_work_sync", "gone"): _NO_WORKER,
}


@dataclass
class Cell:
    """One call: what it was, and what came of it."""

    number: int
    call: str
    where: str
    ends: str = ""
    said: list[str] = field(default_factory=list)  # the kernel's complaints, without addresses

    @property
    def verdict(self) -> str:
        """One word of the page's legend."""
        if any(_OURS.match(line) for line in self.said):
            told = "told"
        elif any(line.startswith(("WARNING", "refcount_t", "BUG: scheduling while atomic")) for line in self.said):
            told = "warning"
        else:
            told = ""
        if "panic" in self.ends:
            end = "panic"
        elif any(line.startswith(("BUG: kernel", "BUG: unable", "general protection")) for line in self.said):
            end = "oops"
        elif self.ends == "does not return":
            end = "waits"
        elif "does not run" in self.ends:
            end = "lost"
        elif not self.said and (self.where == "gone" or "interrupts enabled" in self.ends):
            end = "silent"
        else:
            end = ""
        return ", ".join(word for word in (told, end) if word) or "ok"


def untold(cell: Cell) -> bool:
    """Whether the use is wrong, has an effect, and neither the series nor docs/calls.md says so."""
    return cell.verdict in ("lost", "silent") and (cell.call, cell.where) not in KNOWN


def read(lines: Iterable[Line]) -> list[Cell]:
    """The cells of one boot, in their order."""
    cells: list[Cell] = []
    listens = False
    for line in lines:
        if not line.prog and (m := _BEGINS.match(line.said)):
            cells.append(Cell(int(m[1]), m[2], m[3]))
            listens = True
        elif line.prog and (m := _ENDS.match(line.said)):
            # Init relays what the program prints, so the next call may have begun.
            for cell in cells:
                if cell.number == int(m[1]):
                    cell.ends = m[2]
        elif not line.prog and line.said == "calls: called":
            listens = False
        elif listens and not line.prog and (_SPLAT.match(line.said) or _OURS.match(line.said)):
            said = _ADDRESS.sub("", line.said).strip()
            if said not in cells[-1].said:
                cells[-1].said.append(said)
    if cells and not cells[-1].ends:
        cells[-1].ends = "panic"
    return cells


def run(context: Context, ready: Bootable, progress: Callable[[Cell], None] = lambda cell: None) -> list[Cell]:
    """Make all calls on one kernel."""
    cells: list[Cell] = []
    first = 0
    while True:
        result = boot.run(context, ready.kernel.image, ready.initrd, APPEND, programs=[f"calls:{first}"],
                          rules=Rules(), limits=LIMITS, label="guest")
        found = read(result.lines)
        for cell in found:
            progress(cell)
        cells += found
        if any(line.prog and line.said == "all" for line in result.lines):
            return cells
        if not found:
            raise ui.Fail("calls", f"no call after number {first} was made", f"read {result.console}")
        first = found[-1].number + 1


def key(context: Context) -> str:
    """What the outcome depends on: the series, and the sources that make the calls."""
    sources = [*sorted((context.kernel / "calls").glob("*.c")), context.kernel / "guest/calls.c"]
    return files.digest(store.series_key(context), *(path.read_bytes() for path in sources))


def run_both(context: Context, verbose: bool = False) -> dict[str, list[Cell]]:
    """Make all calls on both kernels, and keep what came of it."""
    def show(cell: Cell) -> None:
        print(f"{cell.call} on {cell.where}: {cell.verdict} ({cell.ends})",
              *(f"\n    {line}" for line in cell.said), flush=True)

    cells = {name: run(context, bootable.prepare(context, flavour, unpatched=unpatched),
                       show if verbose else lambda cell: None)
             for name, flavour, unpatched in KERNELS}
    save(context, cells)
    return cells


def save(context: Context, cells: Mapping[str, Sequence[Cell]]) -> None:
    """Keep the outcome of a run."""
    context.results.mkdir(parents=True, exist_ok=True)
    kept = {name: [vars(cell) for cell in some] for name, some in cells.items()}
    files.save_json(context.results / "calls.json", {"key": key(context), "cells": kept})


def load(context: Context) -> dict[str, list[Cell]]:
    """The outcome of the last run, if it was of the present series and sources; else nothing."""
    kept = files.load_json(context.results / "calls.json")
    if kept.get("key") != key(context):
        return {}
    return {name: [Cell(**cell) for cell in some] for name, some in kept["cells"].items()}


def page(cells: Mapping[str, Sequence[Cell]]) -> str:
    """docs/calls.md: a table for each kernel, and what the kernel said in each cell that is not ok."""
    out = ["<!-- Generated by `scripts/calls` from its last run. -->",
           "# What each call does to each kind of thread", "",
           "`scripts/calls` makes each of these calls in a guest, on Linux 7.3 alone and on 7.3 with the",
           "series and KTHREAD_DEBUG=y. Freed memory is zeroed (`init_on_free=1`), so a use after free shows.", "",
           "| word | the call |", "|------|----------|",
           "| ok | returns, and the kernel says nothing |",
           "| told | the series warns, with the function and the place of the call |",
           "| warning | the base warns: a line of its source, or a stack |",
           "| oops | the task dies in it |",
           "| waits | does not return. The series reports a stop and a park, khungtaskd the others |",
           "| lost | returns, and its work item never runs |",
           "| silent | returns, and has used memory that is free, or has enabled interrupts |", "",
           "| column | on |", "|--------|----|"]
    out += [f"| {where} | {what} |" for where, what in WHERES.items()]
    for name, some in cells.items():
        by = {(cell.call, cell.where): cell for cell in some}
        wheres = [where for where in WHERES if any(cell.where == where for cell in some)]
        out += ["", f"## {name}", "", "| call | " + " | ".join(wheres) + " |", "|---" * (len(wheres) + 1) + "|"]
        for call in dict.fromkeys(cell.call for cell in some):
            row = [by[call, where].verdict if (call, where) in by else "-" for where in wheres]
            out.append(f"| `{call}` | " + " | ".join(row) + " |")
    out += ["", "## What the series does not tell", "",
            "A call that is lost or silent does harm, and no message says so. These are left:", ""]
    for why in dict.fromkeys(KNOWN.values()):
        which = ", ".join(f"`{call}` on {where}" for (call, where), reason in KNOWN.items() if reason == why)
        out.append(f"- {which}. {why}")
    out += ["", "An oops names the function, and the stack below it names the caller. In a call that waits the",
            "caller sleeps, and khungtaskd reports the caller."]
    return "\n".join(out) + "\n"
