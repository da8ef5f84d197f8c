# SPDX-License-Identifier: GPL-2.0-only
"""Sum up a trace: who created how many threads, which took longest, and when kthreadd was busy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kdebug.tools.trace import Request, forks, ms

SLOWEST = 10
PAUSE = 1_000_000  # ns without a fork that end a stretch


@dataclass
class Stretch:
    """kthreadd forks again and again, without a longer pause."""

    begin: int
    end: int
    busy: int = 0
    requests: list[Request] = field(default_factory=list)


def stretches(requests: Sequence[Request]) -> list[Stretch]:
    found: list[Stretch] = []
    for r, first, last in forks(requests):
        begin, end = first.ns, max(last.ns if last else r.until, first.ns)
        if not found or begin - found[-1].end > PAUSE:
            found.append(Stretch(begin, end))
        now = found[-1]
        now.busy += end - begin
        now.end = max(now.end, end)
        now.requests.append(r)
    return found


def took(r: Request) -> int:
    """How long its creator has waited, in ns.

    By the trace: early at boot the kernel's own clock, which the answer's latency_ns is of, has only the resolution
    of a jiffy.
    """
    waited = r.took("queue", "return")
    return r.age if waited is None else max(waited, 0)


def seconds(ns: int) -> str:
    return f"{ns / 1e9:.6f}"


def by(requests: Sequence[Request]) -> dict[str, list[Request]]:
    """Requests by their creator. A task may change its name; the first one counts."""
    names: dict[str, str] = {}
    found: dict[str, list[Request]] = {}
    for r in requests:
        task = r.tasks[0]
        if r.get("queue", "return") and task:
            found.setdefault(names.setdefault(task.rpartition(":")[2], task), []).append(r)
    return found


def creators(requests: Sequence[Request]) -> list[str]:
    out = [f"{'created':>8}{'failed':>8}{'waited':>10}{'slowest':>10}{'from':>13}{'to':>13}  by"]
    for task, asked in sorted(by(requests).items(), key=lambda one: (-len(one[1]), one[0])):
        waits = [took(r) for r in asked]
        good, bad = sum(r.latency is not None and not r.error for r in asked), sum(bool(r.error) for r in asked)
        out.append(f"{good:>8}{bad:>8}{ms(sum(waits)):>10}{ms(max(waits)):>10}{seconds(asked[0].events[0].ns):>13}"
                   f"{seconds(max((r.get('return') or r.events[-1]).ns for r in asked)):>13}  {task}")
    return out


def summary(found: Sequence[Request]) -> list[str]:
    requests = sorted(found, key=lambda r: (r.events[0].ns, r.id))
    asked = [r for r in requests if r.get("queue", "return")]
    many = by(asked)
    out = [f"{len(asked)} creation{'s' * (len(asked) != 1)} by {len(many)} task{'s' * (len(many) != 1)}; "
           "times are those of the trace, in s", "", *creators(asked), "", "the slowest:"]
    for r in sorted(asked, key=lambda r: (-took(r), r.id))[:SLOWEST]:
        odd = f": {r.outcome}" if r.error or r.held or r.latency is None else ""
        out.append(f"  {seconds(r.events[0].ns)}  {ms(took(r)):>8}  id {r.id}: {r.name}, fn {r.said('queue', 'fn')}, "
                   f"by {r.tasks[0]}{odd}")
    busy = stretches(requests)
    forked = sum(len(s.requests) for s in busy)
    out += ["", f"kthreadd was busy for {ms(sum(s.busy for s in busy))}, with {forked} fork{'s' * (forked != 1)} in "
            f"{len(busy)} stretch{'es' * (len(busy) != 1)}{'; the longest:' if len(busy) > SLOWEST else ':'}"]
    for s in sorted(sorted(busy, key=lambda s: -s.busy)[:SLOWEST], key=lambda s: s.begin):
        out.append(f"  {seconds(s.begin)}  {ms(s.busy):>8} of {ms(s.end - s.begin):>8} {len(s.requests):>4} "
                   f"fork{'s' if len(s.requests) != 1 else ' '} for {', '.join(by(s.requests)) or '?'}")
    return out
