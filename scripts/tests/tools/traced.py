# SPDX-License-Identifier: GPL-2.0-only
"""Requests followed and drawn from recorded traces.

All of traces/ came from a patched kernel in QEMU; overrun.txt is the begin of a
longer one.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from kdebug.tools import timeline, timeline_proof, timeline_svg, trace
from kdebug.tools.trace import Request, Trace

TRACES = Path(__file__).resolve().parent / "traces"
CREATED = timeline_proof.CREATED
HELD = timeline_proof.HELD


def load(name: str) -> Trace:
    with timeline.opened(str(TRACES / name)) as lines:
        return trace.parse(lines)


def one(name: str, id: int) -> Request:
    return load(name).requests[id]


def lines(id: int, start: float = 1.0, stages: tuple[float, ...] = (10, 20, 30, 40, 50), name: str = "worker") -> list[str]:
    """A creation in the text of the trace file; @stages are in us."""
    out, at = [], start
    said = [f"queue: id={id} name={name} fn=fn [mod] creator=7", f"fork: id={id} pid=2",
            *(f"{kind}: id={id} pid={id + 100}" for kind in ("start", "claim", "complete")),
            f"return: id={id} pid={id + 100} error=0 stage=completing latency_ns={sum(stages) * 1000:.0f}"]
    for text, stage in zip(said, (*stages, 0)):
        task = "insmod-7" if text[0] in "qr" else "kthreadd-2" if text[0] == "f" else f"{name}-{id + 100}"
        out.append(f" {task} [000] ..... {at:.6f}: kthread_create_{text}\n")
        at += stage / 1e6
    return out


def xml(requests: list[Request]) -> ElementTree.Element:
    return ElementTree.fromstring(timeline_svg.render(requests))
