# SPDX-License-Identifier: GPL-2.0-only
"""Write requests as JSON for ui.perfetto.dev and chrome://tracing: a lane for each task, a flow for each request.

The format is Chrome's "Trace Event Format". A slice is an event "X" with a begin and a length. The slices of a lane
lie beside or inside each other. A flow is the events "s", "t" and "f" of one id; each belongs to the slice around it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from kdebug.tools.trace import Event, Request, Span, THREAD, Trace, forks

PROCESS = 2  # The viewers group lanes by process. All lanes are in one, so they make one list.
FORKER = 2   # kthreadd's own lane
FLOW = "kthread_create"

Json = dict[str, object]


@dataclass
class Slice:
    """A task is busy with something from @begin to @end, in ns."""

    lane: int
    name: str
    begin: int
    end: int
    args: dict[str, str] = field(default_factory=dict)

    def json(self) -> Json:
        return {"ph": "X", "cat": "kthread", "name": self.name, "pid": PROCESS, "tid": self.lane, "ts": us(self.begin),
                "dur": us(self.end - self.begin), "args": self.args}


def us(ns: int) -> float:
    return round(ns / 1000, 3)


def pid(task: str) -> int:
    """The number at the end of comm:pid."""
    return int(task.rpartition(":")[2])


def spread(requests: Sequence[Request]) -> dict[Event, int]:
    """The time of each event, no two of them alike.

    The text of a trace has microseconds. Events that fall into the same one get a nanosecond each, so each slice
    has a length and they stay in order.
    """
    order = sorted(((e.ns, r.id, n, e) for r in requests for n, e in enumerate(r.events)), key=lambda one: one[:3])
    times: dict[Event, int] = {}
    last = -1
    for ns, _, _, e in order:
        times[e] = last = max(ns, last + 1)
    return times


class Drawing:
    """The slices, the lanes' names and the flows of some requests."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self.at = spread(requests)
        self.first = min(self.at.values(), default=0)
        self.last = max([*self.at.values(), *(r.until for r in requests)], default=0) + 1
        self.names: dict[int, str] = {FORKER: "kthreadd"}
        self.slices: list[Slice] = []
        for r in requests:
            self._creator(r)
            self._thread(r)
        for r, begin, end in forks(requests):
            self._add(FORKER, f"fork {r.name}", begin, end, id=str(r.id))
        self.slices = fit(self.slices)
        self.flows = [e for r in requests for e in self._flow(r)]

    def _time(self, e: Event | None, other: int) -> int:
        return self.at[e] if e else other

    def _add(self, lane: int, name: str, begin: Event | None, end: Event | None, **args: str) -> None:
        """An end that was not traced is that of the trace."""
        self.slices.append(Slice(lane, name, self._time(begin, self.first), self._time(end, self.last), args))

    def _creator(self, r: Request) -> None:
        for span in r.spans:
            who = span.begin or span.end
            if not who or span.kind not in ("waits", "stops"):
                continue
            # Not by who has seen the end: the answer may be missing, and then that is the new thread.
            lane = pid(r.tasks[0] if span.kind == "waits" else who.task)
            self.names.setdefault(lane, (r.tasks[0] if span.kind == "waits" else who.task).rpartition(":")[0])
            if span.kind == "stops":
                self._add(lane, f"kthread_stop {r.name}", span.begin, span.end, id=str(r.id))
                continue
            self._add(lane, f"kthread_create {r.name}", span.begin, span.end, id=str(r.id), fn=r.said("queue", "fn"),
                      outcome=r.outcome)
            for name, a, b in (("queued", "queue", "fork"), ("returning", "complete", "return")):
                if (begin := r.get(a)) and (end := r.get(b)):
                    self._add(lane, name, begin, end)

    def _thread(self, r: Request) -> None:
        lane = thread(r)
        for span in r.spans:
            if span.kind == "held":
                self._held(span, lane if span.lane == THREAD else FORKER)
            elif lane and span.lane == THREAD:
                self._add(lane, span.kind, span.begin, span.end, id=str(r.id), fn=r.said("queue", "fn"))
        if lane:
            # A creator's name may be older than the thread's own, which is whole.
            self.names[lane] = r.name if r.get("queue") else self.names.get(lane, r.tasks[THREAD].rpartition(":")[0])

    def _held(self, span: Span, lane: int) -> None:
        said = span.begin or span.end
        if lane and said:
            self._add(lane, f"held at {said.said['point']}", span.begin, span.end)

    def _flow(self, r: Request) -> list[Json]:
        """From the creator to kthreadd, to the new thread, and back when that answers."""
        creator = pid(r.tasks[0]) if r.tasks[0] else 0
        points: list[tuple[int, int]] = []
        for kind, lane in (("queue", creator), ("fork", FORKER), ("start", thread(r)), ("complete", creator)):
            e = r.get(kind)
            if e and lane and self._inside(lane, self.at[e]) and (not points or points[-1][1] < self.at[e]):
                points.append((lane, self.at[e]))
        if len(points) < 2:
            return []
        phases = ["s", *"t" * (len(points) - 2), "f"]
        # A flow ends at the next slice, unless it says that it ends in this one.
        return [{"ph": ph, "cat": "kthread", "name": FLOW, "id": r.id, "pid": PROCESS, "tid": lane, "ts": us(at),
                 **({"bp": "e"} if ph == "f" else {})} for ph, (lane, at) in zip(phases, points)]

    def _inside(self, lane: int, at: int) -> bool:
        return any(s.lane == lane and s.begin <= at < s.end for s in self.slices)

    def json(self) -> list[Json]:
        names = [("process_name", PROCESS, "creations of kernel threads")]
        names += [("thread_name", lane, name) for lane, name in self.names.items()]
        meta: list[Json] = [{"ph": "M", "name": kind, "pid": PROCESS, "tid": lane, "args": {"name": name}}
                            for kind, lane, name in names]
        # kthreadd is in between all others; then in the order in which they come.
        lanes = dict.fromkeys([FORKER, *(s.lane for s in self.slices)])
        meta += [{"ph": "M", "name": "thread_sort_index", "pid": PROCESS, "tid": lane, "args": {"sort_index": n}}
                 for n, lane in enumerate(lanes)]
        return meta + [s.json() for s in self.slices] + self.flows


def thread(r: Request) -> int:
    """The new thread's pid, 0 if it has not run."""
    return next((int(e.said["pid"]) for e in r.events if e.lane == THREAD and "pid" in e.said), 0)


def fit(slices: Sequence[Slice]) -> list[Slice]:
    """Those slices in order, each inside or beside the others of its lane.

    Clocks that differ, or lost events, may make an end come before its begin, or two slices overlap. The viewers
    refuse that, so the inner one is cut short.
    """
    out: list[Slice] = []
    around: dict[int, list[Slice]] = {}
    for s in sorted(slices, key=lambda s: (s.begin, -s.end)):
        stack = around.setdefault(s.lane, [])
        while stack and stack[-1].end <= s.begin:
            stack.pop()
        s.end = min(s.end, stack[-1].end) if stack else s.end
        if s.end > s.begin:
            out.append(s)
            stack.append(s)
    return out


def render(trace: Trace) -> str:
    """The whole file."""
    drawing = Drawing([trace.requests[n] for n in sorted(trace.requests)])
    notes = {"lost": "events were lost while this was traced"} if trace.lost else {}
    events = ",\n".join(map(json.dumps, drawing.json()))
    return f'{{"displayTimeUnit": "ns", "otherData": {json.dumps(notes)}, "traceEvents": [\n{events}\n]}}\n'
