# SPDX-License-Identifier: GPL-2.0-only
"""What is wrong in a trial, the worst first. Pure: what was seen goes in.

Which console lines are bad is data, scripts/console-lines.txt; here is how bad they are, and what
the kernel does not tell.
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass

from kdebug.explore.console import Seen
from kdebug.explore.trial import Trial, glob, pool_worker
from kdebug.guest.bad_lines import Rules
from kdebug.guest.exit_codes import Code
from kdebug.guest.judge import NOISE

OK = "ok"
ERROR = "error"              # the scenario or the guest is at fault: nothing is known
NOT_KILLABLE = "not killable"
# The worst first.
KINDS = (ERROR, "corruption", "oops", "hang", "lockdep", "warning", "leak", "half success", "left over",
         "another errno", "does not work again", "not reached", NOT_KILLABLE, OK)
SHOWN = 14  # lines of a report

_BY_CODE = {Code.PANIC: "oops", Code.OOPS: "oops", Code.WARNING: "warning", Code.LOCKDEP: "lockdep",
            Code.KASAN: "corruption", Code.KCSAN: "warning", Code.RCU: "hang", Code.LOCKUP: "hang",
            Code.HUNG: "hang", Code.KMEMLEAK: "leak", Code.BAD: "oops"}
# What the categories of console-lines.txt are too coarse for.
_BY_TEXT = (
    (re.compile(r"^BUG: KASAN: null-ptr-deref"), "oops"),
    (re.compile(r"^refcount_t:|^WARNING: .*\brefcount_warn_saturate\b"), "corruption"),
    (re.compile(r"^list_(?:add|del) corruption|^BUG: Bad |^BUG \S+ \(.*\):|^usercopy: |^BUG: (?:KFENCE|KMSAN):"),
     "corruption"),
    (re.compile(r"^unregister_netdevice: waiting for"), "hang"),
    (re.compile(r"^UBSAN:|^irq \d+: nobody cared|^Out of memory: |printk messages dropped"), "warning"),
)
_PLACE = re.compile(r"(?:RIP: \w+:)?([\w.]+\+0x\w+/0x\w+(?: \[\w+\])?)$")
# A panic's reason has been told by what came before it.
_SECOND = re.compile(r"^Kernel panic - not syncing: (?:Fatal exception|panic_on_warn)|^---\[ end")
# The longest first: "No such device or address" has "No such device" in it.
_ERRNO = {os.strerror(number): (number, name)
          for number, name in sorted(errno.errorcode.items(), key=lambda one: -len(os.strerror(one[0])))}


@dataclass(frozen=True)
class Finding:
    """Something that is wrong: how bad, the line that says it, and what stands below it."""

    kind: str
    line: str
    more: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.kind if self.kind == OK or not self.line else f"{self.kind}: {self.line}"


def severity(finding: Finding) -> int:
    """The smaller, the worse."""
    return KINDS.index(finding.kind)


def kind_of(rules: Rules, text: str) -> str | None:
    """How bad the kernel's line @text is; None if it is harmless."""
    code = rules.match(text)
    if code is None or _SECOND.match(text):
        return None
    return next((kind for pattern, kind in _BY_TEXT if pattern.search(text)), _BY_CODE[code])


def _reports(seen: Seen, rules: Rules) -> list[Finding]:
    """The kernel's bad lines, each with its report. A report has several of them; the first of a kind will do."""
    found: list[Finding] = []
    for at, line in enumerate(seen.lines):
        if line.prog or line.said.startswith("explore: "):
            continue
        kind = kind_of(rules, line.said)
        # The kernel tells a number of leaks, and the agent whose they are.
        if not kind or kind == "leak" or any(one.kind == kind for one in found):
            continue
        report = [one.said for one in seen.lines[at:at + 60] if not NOISE.match(one.said)
                  and not one.said.startswith(("explore: ", "kthread_"))]
        # An oops does not say where in its first line.
        place = next((m[1] for text in report[1:] if (m := _PLACE.search(text))), "")
        where = f" at {place}" if kind == "oops" and place and "+0x" not in line.said else ""
        found.append(Finding(kind, line.said.strip() + where, tuple(report[1:SHOWN])))
    return found


def _hang(seen: Seen, what: str) -> Finding:
    """Where a step hangs: in the last of its tasks, as the others wait for that one."""
    stacks: list[list[str]] = []
    for text in seen.stack:
        if text.startswith("pid="):
            stacks.append([])
        if stacks:
            stacks[-1].append(text)
    there = [stack for stack in stacks if len(stack) > 1 and not stack[1].startswith("do_wait+")]
    last = there[-1] if there else []
    return Finding("hang", f"{what} does not return{f' in {last[1]}' if last else ''}", tuple(last[:SHOWN]))


def _returned(step: str, status: int) -> str:
    return f"{step} is killed by signal {status - 128}" if status > 128 else f"{step} returns {status}"


def _wrong(seen: Seen, round_: int, *steps: str) -> list[str]:
    """Those of the @steps of the round that returned something else than 0, in words."""
    return [_returned(step, status) for step in steps if (status := seen.status(round_, step))]


def _control(seen: Seen, trial: Trial) -> list[Finding]:
    """With nothing armed all has to work."""
    wrong = _wrong(seen, 1, "setup", "action", "again", "teardown")
    if wrong:
        said = [line for step in ("setup", "action", "again", "teardown") for line in seen.said.get(step, [])]
        return [Finding(ERROR, f"with nothing armed {' and '.join(wrong)}", tuple(said[-SHOWN:]))]
    if seen.done and all(pool_worker(one.name) for one in seen.created):
        return [Finding(ERROR, "no thread is created in action()")]
    return []


def _made(seen: Seen, trial: Trial) -> int:
    """How many threads there came to be of those that the trial is about."""
    return sum(glob(name) == trial.name for name in seen.made)


def _faulted(seen: Seen, trial: Trial, control: Seen) -> list[Finding]:
    """What the steps of the round with the fault say."""
    found: list[Finding] = []
    if setup := _wrong(seen, 1, "setup"):
        return [Finding("does not work again", setup[0], tuple(seen.said.get("setup", [])[:SHOWN]))]
    action = seen.status(1, "action")
    later = _wrong(seen, 1, "again", "teardown")
    fails = trial.fault in ("fail", "kill")
    reached = bool(seen.hits) and (trial.fault != "kill" or seen.killed)
    if action == 0 and fails and reached and _made(seen, trial) < _made(control, trial):
        rest = ", and " + " and ".join(later) if later else ", and the rest goes well"
        found.append(Finding("half success", f"action returns 0 without its thread{rest}"))
    elif action == 0 and later:
        found.append(Finding("does not work again", f"action returns 0, but {' and '.join(later)}"))
    elif action and not fails:
        found.append(Finding("does not work again", f"{_returned('action', action)}, though its thread is only late",
                             tuple(seen.said.get("action", [])[:SHOWN])))
    if action and trial.fault == "fail" and reached:
        found += _errno(seen, trial, control)
    return found


def _errno(seen: Seen, trial: Trial, control: Seen) -> list[Finding]:
    """Another error than the injected one, in what the action printed and did not print in the control."""
    usual = "\n".join(control.said.get("action", []))
    said = [line for line in seen.said.get("action", []) if line not in usual]
    injected = -int(trial.arg)
    others = []
    for line in said:
        rest = line
        for text, (number, name) in _ERRNO.items():
            rest, there = re.subn(rf"{re.escape(text)}\b|\b{name}\b", "", rest, flags=re.I)
            if there:
                if number == injected:
                    return []
                others.append((line, name))
    wanted = errno.errorcode[injected]
    return [Finding("another errno", f"{wanted} becomes {name}: {line}") for line, name in others[:1]]


def _second(seen: Seen) -> list[Finding]:
    """With nothing armed it has to work a second time."""
    if wrong := _wrong(seen, 2, "setup", "action", "again", "teardown"):
        said = [line for step in ("setup", "action", "again", "teardown")
                for line in seen.said.get(f"{step} again", [])]
        return [Finding("does not work again", f"in a second round {' and '.join(wrong)}", tuple(said[-SHOWN:]))]
    return []


def findings(seen: Seen, trial: Trial, control: Seen, rules: Rules, end: str = "") -> list[Finding]:
    """All that is wrong in the trial, the worst first. @end: how the guest ended, if the trial did not come to its
    end by itself."""
    found = [Finding(ERROR, line) for line in seen.errors]
    for (round_, step), status in seen.steps.items():
        if status is None:
            found.append(_hang(seen, step if round_ == 1 else f"{step} in a second round"))
    found += _reports(seen, rules)
    if seen.leaks:
        found.append(Finding("leak", next((line for line in seen.leaks if line.startswith("unreferenced")),
                                          seen.leaks[0]), tuple(seen.leaks[1:SHOWN])))
    # Without a warm-up what is made at the first use, once, is new in each trial.
    usual = control.left if trial.number and seen.cold else []
    found += [Finding("left over", what) for what in dict.fromkeys(seen.left) if what not in usual]
    if trial.number:
        found += _faulted(seen, trial, control)
        if seen.not_killable and not seen.killed:
            found.append(Finding(NOT_KILLABLE, f"{seen.not_killable} is a kernel thread"))
        elif seen.hits == 0:
            found.append(Finding("not reached", "no creation in action() matches"))
        elif trial.fault == "kill" and seen.hits and not seen.killed:
            found.append(Finding("not reached", "nobody was there to be killed"))
    elif not any(one.kind == "hang" for one in found):
        found += _control(seen, trial)
    found += _second(seen)
    if not seen.complete and not any(one.kind in KINDS[:4] for one in found):
        kind = "hang" if "limit" in end else ERROR
        step = " in the look for leaks" if seen.done else f" in {seen.begun[1]}" if seen.begun else ""
        found.append(Finding(kind, f"the guest ends{step}: {end or 'unknown why'}"))
    if seen.done and not seen.clean and not found and not (usual and seen.left):
        found.append(Finding(ERROR, "the guest found something, and the console does not say what"))
    return sorted(found, key=severity)
