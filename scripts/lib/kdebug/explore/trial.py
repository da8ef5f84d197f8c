# SPDX-License-Identifier: GPL-2.0-only
"""What is tried: which creation, and what happens to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kdebug.explore.console import Creation

# Each fault and its argument, in the order in which they are tried.
FAULTS = (("fail", "-12"), ("fail", "-4"), ("kill", "fork"), ("kill", "claim"), ("stop", ""), ("slow", "1000"),
          ("slow-exit", "1000"))
CONTROL = "control"
GLOB_MAX = 127  # bytes that the knob takes


@dataclass(frozen=True)
class Trial:
    """A run of the scenario with one fault; number 0 is the control."""

    number: int
    fault: str
    arg: str = ""
    space: int = 1      # it acts on the creation of this number among those that match
    name: str = ""      # a glob on the thread's name
    creator: str = ""   # a glob on its creator's
    thread: str = ""    # the name that it had in the control
    by: str = ""        # and its creator's
    count: int = 0      # so many creations match in the control
    kthread: bool = False  # a kernel thread creates it: nobody can kill that

    @property
    def label(self) -> str:
        """The fault, as a person reads it."""
        return f"{self.fault} {self.arg}" if self.fault in ("fail", "kill") else self.fault

    @property
    def row(self) -> str:
        """The creation, as a person reads it."""
        if not self.number:
            return CONTROL
        which = f" #{self.space}" if self.count > 1 else ""
        return f"{self.thread}{which} by {self.by}"

    def line(self) -> str:
        """What the agent reads."""
        return "\t".join((str(self.number), self.fault, self.arg, str(self.space), self.name, self.creator))


CONTROL_TRIAL = Trial(0, CONTROL)


def glob(name: str) -> str:
    """A glob for @name, where names that differ only in their digits are one."""
    found = re.sub(r"[0-9]+", "[0-9]*", re.sub(r"([*?\[\]\\])", r"\\\1", name))
    found = re.sub(r"[\t\n]", "?", found)
    while len(found.encode()) > GLOB_MAX:
        found = re.sub(r"(\\.|\[0-9\]\*|.)\*?$", "*", found, flags=re.S)
    return found


def pool_worker(name: str) -> bool:
    """Whether the workqueues make the thread @name when they want one. A rescuer is made by the queue's owner."""
    return name.startswith("kworker/") and not name.startswith("kworker/R-")


def plan(created: Sequence[Creation]) -> list[Trial]:
    """What to try, from the creations of the control: of each name and creator the first, and the last."""
    groups: dict[tuple[str, str], list[Creation]] = {}
    for one in created:
        if not pool_worker(one.name):
            groups.setdefault((glob(one.name), glob(one.creator)), []).append(one)
    trials: list[Trial] = []
    for (name, creator), ones in groups.items():
        for space in dict.fromkeys((1, len(ones))):
            one = ones[space - 1]
            trials += [Trial(len(trials) + 1 + n, fault, arg, space, name, creator, one.name, one.creator, len(ones),
                             one.kthread) for n, (fault, arg) in enumerate(FAULTS)]
    return trials
