# SPDX-License-Identifier: GPL-2.0-only
"""The kthread events in a trace, by request."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

LANES = ("creator", "kthreadd", "new thread")
CREATOR, KTHREADD, THREAD = range(3)
LANE = {"queue": CREATOR, "return": CREATOR, "stop": CREATOR, "stop_return": CREATOR, "fork": KTHREADD,
        "start": THREAD, "claim": THREAD, "complete": THREAD, "run": THREAD, "skip": THREAD, "exit": THREAD}
# What becomes of a request, in order, and the name of the time behind each event.
ORDER = ("queue", "fork", "start", "claim", "complete", "run", "skip", "exit")
PHASES = ("queued", "forking", "starting", "completing", "asleep", "runs")
# Stages of a creation, each from one event to the next.
CHAIN = (*ORDER[:5], "return")
STAGES = (*PHASES[:4], "returning")
NUMBERS = {"return": "pid error latency_ns", "exit": "pid result", "stop_return": "pid result",
           "hold": "", "release": ""}  # else: pid

# A line of the trace file ("comm-pid [cpu] flags time: "; with "(tgid)", or cpu and flags
# as one word and microseconds), of trace-cmd report (the same; flags and a difference of
# times may or may not be there), or of perf script ("comm pid [cpu] time: system:event:").
LINE = re.compile(
    r"\s*(?P<comm>.*?)(?:-|\s+)(?P<task>\d+)(?:/\d+)?\s+(?:\([\s\d-]+\)\s*)?(?:\[\d+\]\s+)?"
    r"(?:[\w.#]*\.[\w.#]*\s+)?(?:(?P<sec>\d+)\.(?P<frac>\d+)|(?P<us>\d+)us.?):\s+(?:\(\S+\)\s+)?"
    r"(?:kthread:)?kthread_(?:create_)?(?P<kind>queue|hold|release|" + "|".join(LANE) + r"):\s+id=(?P<id>\d+)\s*(?P<rest>.*)")
LOOKS = re.compile(r"[\s:]kthread_(?:create_)?(?:queue|hold|release|" + "|".join(LANE) + r"):\s")
# The name may hold anything, " fn=" as well; the last one is the field.
QUEUE = re.compile(r"name=(?P<name>.*) fn=(?P<fn>\S+(?: \[[^]]*\])?) creator=(?P<creator>\d+)$")
STAMP = re.compile(r"\s(\d+)\.(\d+):\s")
LOST = re.compile(r"entries-in-buffer/entries-written: (?P<kept>\d+)/(?P<all>\d+)"
                  r"|\[LOST (?:\d+ )?EVENTS\]|EVENTS DROPPED|LOST \d+ events")


def ms(ns: int) -> str:
    """Three digits and the unit that suits them."""
    if ns < 0:
        return "-" + ms(-ns)
    value, unit = float(ns), "ns"
    for unit in ("ns", "us", "ms", "s"):
        if value < 999.5 or unit == "s":
            break
        value /= 1000
    return f"{value:.3g} {unit}" if value < 999.5 else f"{value:.0f} {unit}"


@dataclass(eq=False, frozen=True)
class Event:
    ns: int
    kind: str             # its name without kthread_ or kthread_create_
    lane: int
    task: str             # comm:pid of who was there
    said: dict[str, str]  # the fields but for id

    @property
    def label(self) -> str:
        return f"hold at {self.said['point']}" if self.kind == "hold" else self.kind.replace("_", " ")


@dataclass(eq=False, frozen=True)
class Span:
    """A lane is busy with @kind; None: since before, or until after, what was traced."""

    lane: int
    kind: str
    begin: Event | None
    end: Event | None


@dataclass
class Request:
    id: int
    until: int = 0        # the end of the trace
    lost: bool = False    # some events of the trace were
    events: list[Event] = field(default_factory=list)

    def get(self, *kinds: str) -> Event | None:
        return next((e for e in self.events if e.kind in kinds), None)

    def said(self, kind: str, key: str) -> str:
        event = self.get(kind)
        return event.said.get(key, "?") if event else "?"

    @property
    def name(self) -> str:
        return self.said("queue", "name")

    @property
    def error(self) -> int:
        return int(self.said("return", "error")) if self.get("return") else 0

    @property
    def failure(self) -> str:
        return f"-{errno.errorcode.get(-self.error, -self.error)}" if self.error else ""

    def took(self, a: str, b: str) -> int | None:
        first, last = self.get(a), self.get(b)
        return last.ns - first.ns if first and last else None

    @property
    def stages(self) -> list[int | None]:
        return [self.took(a, b) for a, b in zip(CHAIN, CHAIN[1:])]

    @property
    def latency(self) -> int | None:
        answer = self.get("return")
        return int(answer.said["latency_ns"]) if answer else None

    @property
    def killed(self) -> bool:
        """The creator was, and the request was abandoned."""
        return self.failure == "-EINTR" and not self.injected

    @property
    def injected(self) -> bool:
        """fail_create made it fail."""
        answer = self.get("return")
        return bool(answer and "injected" in answer.said)

    @property
    def in_flight(self) -> bool:
        return bool(self.get(*CHAIN)) and not self.get("return", "run", "skip", "exit", "stop")

    @property
    def age(self) -> int:
        """What it took, or has taken so far, for a ranking."""
        if self.latency is None and self.in_flight:
            return self.until - self.events[0].ns
        return self.latency or 0

    @property
    def holds(self) -> list[Span]:
        holds: dict[str, list[Event | None]] = {}
        for e in self.events:
            if e.kind in ("hold", "release"):
                holds.setdefault(e.said["point"], [None, None])[e.kind == "release"] = e
        return [Span(KTHREADD if point == "fork" else THREAD, "held", *pair) for point, pair in holds.items()]

    @property
    def held(self) -> bool:
        """Its creation was; a hold at run or exit comes after it."""
        return any(e.kind in ("hold", "release") and e.said["point"] not in ("run", "exit") for e in self.events)

    @property
    def spans(self) -> list[Span]:
        answer = self.get("return", *ORDER[5:], "stop")
        queue = self.get("queue")
        spans = [Span(CREATOR, "waits", queue, answer)] if queue or answer and answer.kind == "return" else []
        failed = ("return",) if self.error and not self.killed else ()
        for n, kind in enumerate(PHASES):
            # An end that was not traced: the next event after it.
            begin, end = self.get(ORDER[n]), self.get(*ORDER[n + 1:], *failed)
            # A begin that was not: before the trace, unless something else is.
            if begin or end and end is self.events[0] and end.kind in ORDER[n + 1:n + 2]:
                spans.append(Span(KTHREADD if n < 2 else THREAD, kind, begin, end))
        stops: dict[str, list[Event]] = {}
        for e in self.events:
            if e.kind == "stop":
                stops.setdefault(e.task, []).append(e)
            elif e.kind == "stop_return":
                waiting = stops.get(e.task)
                spans.append(Span(CREATOR, "stops", waiting.pop(0) if waiting else None, e))
        spans += [Span(CREATOR, "stops", e, None) for left in stops.values() for e in left]
        return spans + self.holds

    @property
    def arrows(self) -> list[tuple[Event, Event, str]]:
        """What one lane does to another."""
        failed = self.error and not self.killed
        found = [(self.get(a), self.get(b), label) for a, b, label in (
            ("queue", "fork", "queued"), ("fork", "start", "forking"),
            ("fork", "return", "forking") if failed else ("complete", "return", "returning"),
            ("stop", "skip", ""), ("exit", "stop_return", ""))]
        stop = self.get("stop")
        return [(a, b, label) for a, b, label in found if a and b and a.ns <= b.ns
                and not (a.kind == "exit" and stop and a.ns < stop.ns)]

    @property
    def open(self) -> list[Span]:
        """Who still waits at the end of the trace."""
        unclean = self.killed and not self.get("exit")
        return [s for s in self.spans if not s.end and (s.kind in ("waits", "held", "stops") or unclean)]

    @property
    def tasks(self) -> list[str]:
        """Who is in each lane. Not each tracer knows the new thread's comm: its name is better."""
        asker = self.get("queue") or self.get("return") or self.get("stop", "stop_return")
        forker = self.get("fork")
        thread = next((e.task for e in self.events if e.lane == THREAD), "")
        if thread and self.get("queue"):
            thread = f"{self.name}:{thread.rpartition(':')[2]}"
        return [asker.task if asker else "", forker.task if forker else "", thread]

    @property
    def outcome(self) -> str:
        age, stage = ms(self.latency or 0), self.said("return", "stage")
        if self.killed:
            out = [f"creator killed after {age} in stage {stage} (-EINTR)"]
        elif self.injected:
            out = [f"made to fail with {self.failure}"]
        elif self.error:
            out = [f"failed with {self.failure} after {age} in stage {stage}"]
        elif self.latency is not None:
            out = [f"created in {age}"]
        elif self.in_flight:
            last = max((e for e in self.events if e.kind in CHAIN), key=lambda e: CHAIN.index(e.kind))
            out = [f"{'no answer in' if self.lost else 'in flight at the end of'} the trace, in stage {STAGES[CHAIN.index(last.kind)]}"
                   f" for at least {ms(self.until - last.ns)}"]
        else:
            out = ["answered" if self.get(*CHAIN) else "created before the trace"]
        for s in self.holds:
            event = s.begin or s.end or self.events[0]
            took = f" {ms(s.end.ns - s.begin.ns)}" if s.begin and s.end else ""
            out.append(f"held{took} at {event.said['point']}")
        if self.get("skip"):
            out.append("stopped before it ever ran")
        if any(s.kind == "stops" for s in self.open):
            out.append("kthread_stop() still waits")
        return ", ".join(out)

    @property
    def notes(self) -> list[str]:
        """What is wrong with the trace of it."""
        rank = {kind: n for n, kind in enumerate(ORDER)}
        rank["return"] = rank["stop"] = 1 if self.killed else 2 if self.error else 5
        last = max(rank.get(e.kind, 0) for e in self.events)
        # Killed, or not even forked: nobody claims it.
        missing = [k for k in ORDER[:3 if self.error else 5][:last] if not self.get(k)]
        if last >= 5 and not self.get("return"):
            missing.append("return")
        out = [f"not in the trace: {', '.join(missing)}"] if missing else []
        back = [-t for t in self.stages if t is not None and t < 0]
        if back:
            out.append(f"the CPUs' clocks differ by {ms(max(back))} or more; those of trace_clock mono do not")
        return out


def forks(requests: Iterable[Request]) -> list[tuple[Request, Event, Event | None]]:
    """When kthreadd is busy, and with which request; None: until after what was traced.

    No event tells the end of a fork. It is over when the new thread runs, when the creator has an errno, or when
    kthreadd turns to the next request.
    """
    found = sorted(((r, e) for r in requests if (e := r.get("fork"))), key=lambda one: (one[1].ns, one[0].id))
    out: list[tuple[Request, Event, Event | None]] = []
    for n, (r, begin) in enumerate(found):
        ends = [r.get(*ORDER[2:], *(("return",) if r.error and not r.killed else ())),
                found[n + 1][1] if n + 1 < len(found) else None]
        known = [e for e in ends if e]
        out.append((r, begin, min(known, key=lambda e: e.ns) if known else None))
    return out


@dataclass
class Trace:
    requests: dict[int, Request] = field(default_factory=dict)
    unread: int = 0
    lost: bool = False


# --- reading ------------------------------------------------------------------------

def clean(text: str) -> str:
    """Any creator chooses a name; none may write to the terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def stamp(sec: str, frac: str) -> int:
    return int(sec) * 10**9 + int(frac.ljust(9, "0")[:9])


def event(match: re.Match[str]) -> Event | None:
    """None: a field is missing, as in a line that is cut short."""
    kind, rest = match["kind"], match["rest"].rstrip()
    queue = QUEUE.match(rest) if kind == "queue" else None
    said = {k: clean(v) for k, v in queue.groupdict().items()} if queue else dict(re.findall(r"(\w+)=(\S+)", rest))
    ok = queue or kind != "queue" and all(re.fullmatch(r"-?\d+", said.get(k, ""))
                                          for k in NUMBERS.get(kind, "pid").split())
    if kind == "return" and rest.endswith(" injected"):
        said["injected"] = "1"
    if not ok or kind in ("hold", "release") and "point" not in said:
        return None
    lane = LANE.get(kind, KTHREADD if said.get("point") == "fork" else THREAD)
    ns = int(match["us"]) * 1000 if match["us"] else stamp(match["sec"], match["frac"])
    return Event(ns, kind, lane, f"{clean(match['comm'])}:{match['task']}", said)


def parse(lines: Iterable[str]) -> Trace:
    trace = Trace()
    end, last = 0, ""
    for line in lines:
        last = line if line.strip() else last
        if "kthread_" not in line or not LOOKS.search(line):
            if lost := LOST.search(line):
                trace.lost |= lost["kept"] != lost["all"] or not lost["kept"]
            continue
        match = LINE.match(line)
        found = event(match) if match else None
        if not match or not found:
            trace.unread += 1
        elif number := int(match["id"]):  # 0: nobody asked kthreadd for it
            trace.requests.setdefault(number, Request(number)).events.append(found)
            end = max(end, found.ns)
    if said := STAMP.search(last):  # of some other event, perhaps
        end = max(end, stamp(said[1], said[2]))
    for request in trace.requests.values():
        request.events.sort(key=lambda e: e.ns)
        request.until, request.lost = end, trace.lost
    return trace
