# SPDX-License-Identifier: GPL-2.0-only
"""Load a module with each of its kernel threads' creations failing in turn.

The guest (kernel/guest/faileach.c) ends behind the first trouble, or dies of it;
what has not been tried by then is tried in a new boot. So one failure cannot be
the cause of what is said of another.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kdebug.build import bootable, flavours, initramfs, modinfo
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.guest.exit_codes import Code
from kdebug.guest.judge import Limits, Verdict
from kdebug.guest.lines import Line
from kdebug.host import ui
from kdebug.host.ui import Fail

NEEDS = ("CONFIG_FAIL_KTHREAD", "CONFIG_FAULT_INJECTION_DEBUG_FS", "CONFIG_TRACING", "CONFIG_MODULE_UNLOAD")
# Trace events on the console: a name must be known before the oops comes.
APPEND = "tp_printk"
MOST = 200  # creations: a module that creates threads without end must come to one

LOAD = re.compile(r"faileach: load n=(\d+) nth=(\d+) pid=(\d+)")
INIT = re.compile(r"faileach: init n=\d+ errno=(-?\d+)")
BAD = re.compile(r"faileach: bad n=\d+ (\w+) (.*)")
MORE = re.compile(r"faileach: (?:stack|memory) (.*)")
DONE = re.compile(r"faileach: (done|end) n=\d+")
QUEUE = re.compile(r"kthread_create_queue: id=(\d+) name=(.*) fn=.* creator=(\d+)")
RETURN = re.compile(r"kthread_create_return: id=(\d+) pid=\d+ error=(-?\d+) stage=(\w+) ")
PLACE = re.compile(r"[\w.]+\+0x\w+/0x\w+(?: \[\w+\])?")
STALL = re.compile(r"INFO: kthread_(create|stop)\(")

HANGS = (Code.HUNG, Code.LOCKUP, Code.RCU, Code.SILENCE, Code.TOTAL)
# The guest has not come to its end, for no reason of the module's.
LOST = (Code.BOOT, Code.GARBLED, Code.LOST, Code.NO_QEMU, Code.USAGE)


# What each module takes, and does not name itself.
EVERY = ("async_probe", "dyndbg")


def error(number: int) -> str:
    """-12 as "-12 ENOMEM"."""
    name = errno.errorcode.get(-number)
    return f"{number} {name}" if name else str(number)


@dataclass
class Case:
    """What one creation's failure led to; number 0 is the load as it is."""

    number: int
    name: str = ""                # of the thread; "" if no creation failed
    injected: int = 0
    init: int | None = None       # what init returned; None: it did not
    created: int = 0              # by that init, in spite of the failure
    verdicts: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.verdicts

    @property
    def verdict(self) -> str:
        return "; ".join(self.verdicts) or "ok"


@dataclass
class Story:
    """What the consoles of all boots tell."""

    cases: dict[int, Case] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)  # threads that somebody else created meanwhile
    ended: bool = False                            # there is no creation behind the last
    names: dict[int, str] = field(default_factory=dict)  # of the first, second ... thread of that init

    @property
    def control(self) -> Case:
        return self.cases.setdefault(0, Case(0))

    @property
    def failures(self) -> list[Case]:
        return [c for n, c in sorted(self.cases.items()) if n]

    @property
    def passed(self) -> bool:
        return self.ended and bool(self.failures) and all(c.ok for c in self.cases.values())


def _trouble(kind: str, what: str, armed: bool, number: int, limit: int) -> str:
    """A "bad" line of the guest in words."""
    if kind == "hang":
        return f"hang: {what} has not returned after {limit} s"
    if kind == "died":
        return f"died in {what}"
    if kind in ("load", "unload"):
        value = error(int(what.removeprefix("errno=")))
        if kind == "unload":
            return f"cannot be unloaded: {value}"
        return f"leak: cannot be loaded again: {value}" if number and not armed else f"cannot be loaded: {value}"
    return f"{kind}: {what}"


def _end(verdict: Verdict) -> str:
    """What a boot's end says of the load that was under way; "" if that is told."""
    code, reason = verdict.code, verdict.reason
    if code in (Code.PASS, Code.FAILED):
        return ""
    if code in (Code.OOPS, Code.PANIC):
        return f"oops: {reason}"
    if code in HANGS:
        return f"hang: {reason}"
    return f"{code.name.lower().replace('_', ' ')}: {reason}"


def tell(story: Story, lines: Iterable[Line], verdict: Verdict, name: str, inject: int, limit: int) -> Case | None:
    """Add a boot's console to @story; returns what was under way at its end, or at the bad line that @verdict is of.

    A thread that is left behind may die of it when the guest is at the next load, and nothing of that one counts.
    """
    case: Case | None = None
    died = False
    armed, settled, pid, made = False, True, "", 0
    wanted: dict[str, str] = {}
    # What the module says, and its functions in the kernel's reports.
    words = re.compile(rf"{name}: (?!loading out-of-tree)|(?:RIP: \w+:| )?\w\S*\+0x\w+/0x\w+ \[{name}\]")
    for line in lines:
        said = line.said
        if line.prog:
            continue
        died = died or said[:200] == verdict.reason
        if m := LOAD.fullmatch(said):
            if died and case:
                break
            case, armed, settled, pid = story.cases.setdefault(int(m[1]), Case(int(m[1]))), m[2] != "0", False, m[3]
            made = 0
            if not case.number:
                case.created = 0
        elif case is None:
            continue
        elif m := QUEUE.fullmatch(said):
            if m[3] == pid:
                wanted[m[1]] = m[2]
                made += 1
                # Behind a failure a driver may try again.
                if not (armed and case.injected):
                    story.names[made] = m[2]
            elif not m[2].startswith("kworker/"):
                story.others.add(m[2])
        elif ((m := RETURN.match(said)) and armed and not case.injected and int(m[2]) == inject
              and m[3] == "queued" and m[1] != "0"):
            # What fails on purpose has this event alone; its name is known from another load.
            case.injected = inject
        elif m and m[1] in wanted:
            if m[2] == "0" and armed == bool(case.number):
                case.created += 1
        elif m := INIT.fullmatch(said):
            if armed == bool(case.number):
                case.init = int(m[1])
        elif m := BAD.fullmatch(said):
            case.verdicts.append(_trouble(m[1], m[2], armed, case.number, limit))
        elif m := DONE.fullmatch(said):
            settled = True
            if m[1] == "end":
                story.ended = True
                story.control.init = case.init
                del story.cases[case.number]
                case = story.control
        elif (m := MORE.fullmatch(said)) or STALL.match(said) or words.match(said):
            _note(case.more, m[1] if m else said.strip())
    for failed in story.cases.values():
        if failed.injected and not failed.name:
            failed.name = story.names.get(failed.number, "")
    if case is None:
        return None
    if end := _end(verdict):
        # That it died is the same thing once more.
        case.verdicts = [v for v in case.verdicts if not v.startswith("died ")] + [end]
    elif not settled and not case.verdicts:
        case.verdicts.append(f"guest ended early: {verdict.reason}")
    return case


def _note(more: list[str], line: str) -> None:
    """Add @line to @more, but a place in the code once only: an oops prints the stack that its warning has printed."""
    place = PLACE.search(line)
    if not place or not any(place[0] in other for other in more):
        more.append(line)


def missing(story: Story) -> None:
    """A driver that lives without its thread has to be told from one that has tried again."""
    for case in story.failures:
        if case.init == 0 and case.created < story.control.created:
            case.verdicts.insert(0, "init succeeded without its thread")


def _takes(module: Path, params: Sequence[str]) -> None:
    """Refuse what @module does not know: the kernel only logs it, and another
    case is tried than the one that was meant."""
    known = modinfo.parameters(module)
    for name in (param.partition("=")[0] for param in params):
        if name.replace("-", "_") not in (*known, *EVERY):
            raise Fail(f"PARAMS={name}", f"{module.name} has no such parameter",
                       f"take some of: {' '.join(known)}" if known else "leave it out: it has none")


def _config(module: Path, info: dict[str, str], inject: int, limit: int, params: Sequence[str]) -> str:
    words = []
    for param in params:
        key, equals, value = param.partition("=")
        if not re.fullmatch(r"[\w.-]+", key) or not value.isprintable() or '"' in value:
            raise Fail("PARAM=VALUE", f"bad parameter {param!r}", "write what insmod takes, with no quotes in it")
        words.append(f'{key}="{value}"' if " " in value else f"{key}{equals}{value}")
    text = f"/mod/{module.name}\n{info['name']}\n{inject}\n{limit}\n{' '.join(words)}\n"
    if len(text) > 4000:
        raise Fail("PARAM=VALUE", f"{len(text)} characters are too many", "keep them below 3900")
    return text


def run(context: Context, module: Path, flavour: str, *, inject: int, limit: int,
        params: Sequence[str] = ()) -> tuple[Story, Path]:
    """All boots that it takes; what they tell, and where their consoles are."""
    modinfo.read(module)  # before anything is built
    _takes(module, params)
    ready = bootable.prepare(context, flavour)
    have = flavours.options(ready.kernel.config.read_text())
    if lost := [option for option in NEEDS if have.get(option) != "y"]:
        raise Fail(f"FLAVOUR={flavour}", f"has no {lost[0]}", "use plain, or a fragment on top of it")
    info = modinfo.check(module, ready.modules[0], ready.kernel.out)
    config = _config(module, info, inject, limit, params)
    story = Story()
    with boot.run_directory(context) as where:
        (where / "faileach").write_text(config)
        initrd = initramfs.extend(ready.kernel, ready.initrd, where / "root.cpio",
                                  {f"/mod/{module.name}": module.resolve(), "/etc/faileach": where / "faileach"})
        first = 1
        while not story.ended:
            label = f"from-{first}"
            with ui.phase("guest", f"from creation {first} on") as phase:
                result = boot.run(context, ready.kernel.image, initrd, APPEND, programs=[f"faileach:{first}"],
                                  limits=Limits(boot=300, silence=60 + 5 * limit, total=3600),
                                  memory=ready.kernel.memory, smp=ready.kernel.cpus, tags=["stall-report"],
                                  out_dir=where / label, phase=phase)
                last = tell(story, result.lines, result.verdict, info["name"], inject, limit)
                if last is None or result.verdict.code in LOST:
                    said = [line.said for line in result.lines if line.said.startswith("faileach: ")]
                    raise Fail("guest", said[-1] if said else result.verdict.reason, f"see {result.console}", code=1)
                phase.result = f"creation {last.number}: {last.verdict}" if last.number else last.verdict
            if not last.number:
                break
            first = last.number + 1
            if first > MOST:
                raise Fail(str(module), f"more than {MOST} creations in its init", "let it create fewer", code=1)
    missing(story)
    return story, where


def report(context: Context, story: Story, module: Path, where: Path) -> str:
    """A line for each failure, what is known beside it, and the sum."""
    rows = [("", "thread", "fails with", "init returned", "verdict")]
    more: dict[int, list[str]] = {}  # by row
    for case in [*story.failures, story.control]:
        rows.append((str(case.number or "-"), case.name or "-", error(case.injected) if case.injected else "nothing",
                     "-" if case.init is None else error(case.init) if case.init else "0", case.verdict))
        if not case.ok:
            more[len(rows) - 1] = case.more
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    out = [f"{module.name}: each creation of a kernel thread in its init fails in turn"]
    for number, row in enumerate(rows):
        out.append("  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths)) + f"  {row[4]}")
        out += [f"       {line}" for line in more.get(number, [])]
    if story.others:
        out.append(f"  created by other tasks meanwhile, not made to fail: {', '.join(sorted(story.others))}")
    good = sum(c.ok for c in story.failures)
    count = len(story.failures)
    if not story.control.ok:
        out.append("it has to load and unload with nothing failing first")
    elif not count:
        out.append("no kernel thread is created in its init: there is nothing to fail")
    out.append(f"{count} {'creation' if count == 1 else 'creations'}, {good} ok, {count - good} not; consoles: "
               f"{context.shown(where)}")
    return "\n".join(out)
