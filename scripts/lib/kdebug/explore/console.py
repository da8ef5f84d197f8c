# SPDX-License-Identifier: GPL-2.0-only
"""What the console of a guest tells of each trial. Pure: text goes in.

kernel/guest/explore.c writes the lines with "explore: ", the kernel all others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from kdebug.guest.lines import Line, parse_line

TRIAL = re.compile(r"explore: trial n=(\d+) ")
_EARLIER = re.compile(r"explore: (?:leak|checked) n=(\d+)\b")
_STEP = re.compile(r"explore: step n=\d+ round=(\d) what=(\w+) status=(\w+)")
_BEGIN = re.compile(r"explore: begin n=\d+ round=(\d) what=(\w+)")
_SAID = re.compile(r"explore: said n=\d+ step=(\w+) (.*)")
_LEFT = re.compile(r"explore: left n=\d+ kind=(\w+) what=(.*)")
_LEAK = re.compile(r"explore: leak n=\d+ (.*)")
_STACK = re.compile(r"explore: stack n=\d+ (.*)")
_HITS = re.compile(r"explore: hits n=\d+ count=(\d+)")
_KILLED = re.compile(r"explore: (killed|notkillable) n=\d+ pid=(\d+) comm=(.*)")
_NOTE = re.compile(r"explore: (?:note|released) n=\d+ (.*)")
_CREATED = re.compile(r"explore: created n=\d+ kthread=(\d) comm=(.*)\|id=(\d+) name=(\S*) ")
_CHECKED = re.compile(r"explore: checked n=\d+")
_DONE = re.compile(r"explore: done n=\d+ clean=(\d)")
_ERROR = re.compile(r"explore: error (.*)")
_QUEUE = re.compile(r"kthread_create_queue: id=(\d+) name=(\S*) fn=\S+ creator=\d+")
_RETURN = re.compile(r"kthread_create_return: id=(\d+) pid=\d+ error=(-?\d+) stage=\w+ latency_ns=\d+( injected)?")


def unescape(text: str) -> str:
    """The name that the kernel has escaped as @text."""
    raw = re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m[1], 8)]), text.encode())
    return raw.decode("utf-8", "replace")


@dataclass(frozen=True)
class Creation:
    """A creation of a thread, and who asked for it."""

    name: str
    creator: str
    kthread: bool  # a kernel thread did


@dataclass
class Seen:
    """What is known of a trial from its console."""

    lines: list[Line] = field(default_factory=list)
    steps: dict[tuple[int, str], int | None] = field(default_factory=dict)  # by round and name; None: it hangs
    said: dict[str, list[str]] = field(default_factory=dict)   # what the steps have printed
    begun: tuple[int, str] | None = None                       # the step that runs
    left: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    created: list[Creation] = field(default_factory=list)
    made: list[str] = field(default_factory=list)              # the names of the threads that are there
    hits: int | None = None
    killed: bool = False
    not_killable: str = ""                                     # the creator that cannot be killed
    injected: bool = False
    done: bool = False
    clean: bool = False
    checked: bool = False                                      # it was looked for leaks, too
    cold: bool = False                                         # nothing was warmed up before

    @property
    def complete(self) -> bool:
        """Whether the agent has come to the trial's end. What was not clean need not be looked for leaks."""
        return self.done and (self.checked or not self.clean)

    @property
    def seconds(self) -> float:
        """How long the trial took in the guest, without the look for leaks."""
        late = tuple(f"explore: {word}" for word in ("scan", "leak ", "checked ", "end"))
        stamps = [line.guest for line in self.lines if line.guest is not None and not line.said.startswith(late)]
        return stamps[-1] - stamps[0] if stamps else 0.0

    def status(self, round_: int, step: str) -> int | None:
        """What the @step returned; None if it did not run, or hangs."""
        return self.steps.get((round_, step))


def split(raw: bytes) -> dict[int, bytes]:
    """The part of each trial in a guest's console, by its number; 0 holds what came before, too.

    What comes behind the last line of a trial belongs to it, as the kernel is slow to tell. Leaks are looked
    for behind several trials, and the agent tells whose they are.
    """
    found: dict[int, list[bytes]] = {}
    number: int | None = None
    for line in raw.split(b"\n"):
        # What a step prints may look like it.
        if b"explore: trial n=" in line and (m := TRIAL.match(parse_line(0, 0.0, line).said)):
            number = int(m[1])
        of = number
        if b"explore: " in line and (m := _EARLIER.match(parse_line(0, 0.0, line).said)) and int(m[1]) in found:
            of = int(m[1])
        if of is not None:
            found.setdefault(of, []).append(line)
    return {number: b"\n".join(lines) + b"\n" for number, lines in found.items()}


def read(raw: bytes) -> Seen:
    """What the console @raw of one trial tells."""
    return tell(parse_line(number, 0.0, line) for number, line in enumerate(raw.split(b"\n"), 1))


def tell(lines: Iterable[Line]) -> Seen:
    """What the @lines of one trial tell."""
    seen = Seen()
    wanted: dict[str, str] = {}
    for line in lines:
        said = line.said
        seen.lines.append(line)
        if said.startswith("explore: "):
            _agent(seen, said)
        elif m := _QUEUE.fullmatch(said):
            wanted[m[1]] = unescape(m[2])
        elif m := _RETURN.fullmatch(said):
            seen.injected |= bool(m[3])
            # Each trial has a second round with nothing armed.
            if m[2] == "0" and m[1] in wanted and (seen.begun or (1, ""))[0] == 1:
                seen.made.append(wanted[m[1]])
    return seen


def _agent(seen: Seen, said: str) -> None:
    """A line of the agent's."""
    if m := _STEP.fullmatch(said):
        seen.steps[int(m[1]), m[2]] = int(m[3]) if m[3].isdigit() else None
        # What hangs is told by its status, not by its absence.
    elif m := _BEGIN.fullmatch(said):
        seen.begun = (int(m[1]), m[2])
    elif m := _SAID.fullmatch(said):
        key = m[1] if (seen.begun or (1, ""))[0] == 1 else f"{m[1]} again"
        seen.said.setdefault(key, []).append(m[2])
    elif m := _LEFT.fullmatch(said):
        seen.left.append(f"{m[1]} {m[2]}" if m[1] != "more" else m[2])
    elif m := _LEAK.fullmatch(said):
        seen.leaks.append(m[1])
    elif m := _STACK.fullmatch(said):
        seen.stack.append(m[1])
    elif m := _HITS.fullmatch(said):
        seen.hits = int(m[1])
    elif m := _KILLED.fullmatch(said):
        seen.killed |= m[1] == "killed"
        seen.not_killable = seen.not_killable or (m[3] if m[1] == "notkillable" else "")
    elif m := _CREATED.match(said):
        seen.created.append(Creation(unescape(m[4]), m[2], m[1] == "1"))
    elif m := _DONE.fullmatch(said):
        seen.done, seen.clean = True, m[1] == "1"
    elif _CHECKED.fullmatch(said):
        seen.checked = True
    elif said.startswith("explore: cold "):
        seen.cold = True
    elif m := _ERROR.fullmatch(said):
        seen.errors.append(m[1])
    elif m := _NOTE.fullmatch(said):
        seen.notes.append(m[1])
