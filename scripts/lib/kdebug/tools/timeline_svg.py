# SPDX-License-Identifier: GPL-2.0-only
"""The drawing as an SVG of its own: no script, no font, light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from kdebug.tools.trace import Event, LANES, Request, Span, ms

LEFT, RIGHT, STEP, DECADE = 146, 40, 66, 8
LANE_Y, LANE_HEIGHT, BAR = 62, 64, 20
CHAR = 6.6  # no wider than a character is on average

# Where an event's name stands in each lane, out of the way of the arrows.
NAMES = ((0, -7, "mid halo"), (4, -6, "halo"), (0, BAR + 14, "mid halo"))

COLOURS = {  # of a span: its fill in light and in dark
    "waits": ("#d5dbe1", "#3d444d"), "stops": ("#d5dbe1", "#3d444d"), "queued": ("#cfe8ff", "#14385f"),
    "forking": ("#8cc8ff", "#1f5a96"), "starting": ("#b4e8bf", "#1c5730"), "completing": ("#7fd494", "#277a41"),
    "asleep": ("#eceff2", "#20262e"), "runs": ("#ddc7fb", "#54368a"), "held": ("#ffc08a", "#9a4a0c"),
}


def style() -> str:
    def theme(n: int, ground: str, ink: str, faint: str, line: str) -> str:
        spans = "".join(f" .{kind}{{fill:{pair[n]}}}" for kind, pair in COLOURS.items())
        return (f" .ground{{fill:{ground}}} text{{fill:{ink}}} .faint{{fill:{faint}}} .halo{{stroke:{ground}}}"
                f" .rail,.tick{{stroke:{line}}} .arrow,.edge,.cut{{stroke:{ink}}} .head,.mark{{fill:{ink}}}"
                f" .hatch{{stroke:{ink}}}{spans}")

    return (" text{font:12px system-ui,sans-serif} .title{font-size:14px;font-weight:600} .lane{font-weight:600}"
            " .mid{text-anchor:middle} .halo{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}"
            " .arrow,.cut{fill:none;stroke-width:1.3} .edge{stroke-dasharray:4 3} .hatch{stroke-opacity:.25;stroke-width:3}"
            " .open{opacity:.55} .long{font-weight:600}\n"
            + theme(0, "#ffffff", "#1f2328", "#59636e", "#c3cad1")
            + "\n@media (prefers-color-scheme: dark){"
            + theme(1, "#0d1117", "#e6edf3", "#9198a1", "#3d444d") + "}")


def text(x: float, y: float, said: str, kind: str = "") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(said)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str, more: str = "") -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"{more}/>'


def fits(width: float, *labels: str) -> str:
    return next((label for label in labels if len(label) * CHAR < width - 8), "")


class Panel:
    """One request. The step between two events is as wide as the logarithm of its time."""

    def __init__(self, request: Request, top: float) -> None:
        self.r, self.top = request, top
        self.x: dict[Event, float] = {}
        at, before = float(LEFT), None
        for e in request.events:
            if before:
                at += STEP + DECADE * math.log10(max((e.ns - before.ns) / 1000, 1))
            self.x[e], before = at, e
        self.end = at + (STEP if request.open else 16)  # what is open ends here
        # A title may be the widest.
        self.width = max(self.end + RIGHT, 30 + 7.8 * max(map(len, self.titles)))
        self.axis = top + LANE_Y + 3 * LANE_HEIGHT
        self.bottom = self.axis + 38

    @property
    def titles(self) -> list[str]:
        r = self.r
        name = f"{r.name}, id {r.id}" if r.get("queue") else f"id {r.id}"
        return [f"{name}: {r.outcome}", *r.notes]

    def y(self, lane: int) -> float:
        return self.top + LANE_Y + lane * LANE_HEIGHT

    def span(self, s: Span, spans: Sequence[Span]) -> list[str]:
        x1 = self.x[s.begin] if s.begin else LEFT - 24
        x2 = self.x[s.end] if s.end else self.end
        if x2 <= x1:
            return []
        y, open_ = self.y(s.lane), "" if s.begin and s.end else " open"
        out = [f'<rect class="{s.kind}{open_}" x="{x1:.1f}" y="{y:.1f}" width="{x2 - x1:.1f}" height="{BAR}" rx="3"/>']
        if s.kind == "held":
            out.append(f'<rect fill="url(#hatch)" x="{x1:.1f}" y="{y:.1f}" width="{x2 - x1:.1f}" height="{BAR}" rx="3"/>')
        else:  # its label goes beside a hold in it
            x2 = min([x2, *(self.x[h.begin] for h in spans if h.kind == "held" and h.lane == s.lane and h.begin
                            and x1 < self.x[h.begin] < x2)])
        took = ms(s.end.ns - s.begin.ns) if s.begin and s.end else "…"
        if s.kind == "stops" and (waiter := s.begin or s.end) and waiter.task != self.r.tasks[s.lane]:
            out.append(text(x1, y + BAR + 14, f"by {waiter.task}", "faint halo"))
        return [*out, text((x1 + x2) / 2, y + 14, fits(x2 - x1, f"{s.kind} {took}", s.kind), "mid")]

    def arrow(self, a: Event, b: Event, label: str) -> list[str]:
        down = a.lane < b.lane
        y1, y2 = self.y(a.lane) + (BAR if down else 0), self.y(b.lane) + (-2 if down else BAR + 2)
        out = [line(self.x[a], y1, self.x[b], y2, "arrow", ' marker-end="url(#head)"')]
        if not down and label:
            out.append(text((self.x[a] + self.x[b]) / 2 + 8, (y1 + y2) / 2 + 4, f"{label} {ms(b.ns - a.ns)}", "halo"))
        return out

    def render(self) -> list[str]:
        r, spans = self.r, self.r.spans
        out = [text(16, self.top + 20 + 15 * n, said, "faint" if n else "title") for n, said in enumerate(self.titles)]
        for lane, (name, task) in enumerate(zip(LANES, r.tasks)):
            y = self.y(lane)
            out += [line(LEFT - 24, y + BAR / 2, self.end, y + BAR / 2, "rail"),
                    text(16, y + 8, name, "lane"), text(16, y + 22, task[:19], "faint")]
        if r.open:
            out += [line(self.end, self.top + LANE_Y - 16, self.end, self.axis, "edge"),
                    text(self.end, self.axis + 14, "end of trace", "mid faint")]
        for span in spans:
            out += self.span(span, spans)
        for a, b, label in r.arrows:
            out += self.arrow(a, b, label)
        out.append(line(LEFT - 24, self.axis, self.end, self.axis, "rail"))
        whole = r.events[-1].ns - r.events[0].ns
        for before, e in zip([None, *r.events], r.events):
            x, y, (dx, dy, kind) = self.x[e], self.y(e.lane), NAMES[e.lane]
            out += [f'<circle class="mark" cx="{x:.1f}" cy="{y + BAR / 2:.1f}" r="3.5"/>',
                    text(x + dx, y + dy, f"return {r.failure}" if e.kind == "return" else e.kind.replace("_", " "),
                         kind),
                    line(x, self.axis - 3, x, self.axis + 3, "tick")]
            if before:
                mid, step = (x + self.x[before]) / 2, e.ns - before.ns
                long = step > whole / 4
                out.append(text(mid, self.axis + 16, ms(step), "mid long" if long else "mid faint"))
                if long:
                    out += [line(mid + d - 3, self.axis + 5, mid + d + 3, self.axis - 5, "cut") for d in (-3, 3)]
        return out


def render(requests: Sequence[Request]) -> str:
    panels: list[Panel] = []
    for request in requests:
        panels.append(Panel(request, panels[-1].bottom if panels else 0))
    width, bottom = max(p.width for p in panels), panels[-1].bottom
    foot = "A step on the axis is as wide as the logarithm of its time; // marks the long ones."
    label = escape("; ".join(p.titles[0] for p in panels), {'"': "&quot;"})
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {bottom + 26:.0f}" width="{width:.0f}"'
           f' height="{bottom + 26:.0f}" role="img" aria-label="{label}">',
           f"<style>\n{style()}\n</style>",
           '<defs><marker id="head" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
           '<path class="head" d="M0 0.5 8 4 0 7.5z"/></marker>'
           '<pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
           '<line class="hatch" x1="0" y1="0" x2="0" y2="8"/></pattern></defs>',
           '<rect class="ground" width="100%" height="100%"/>']
    for panel in panels:
        out += panel.render()
    return "\n".join([*out, text(16, bottom + 14, foot, "faint"), "</svg>\n"])
