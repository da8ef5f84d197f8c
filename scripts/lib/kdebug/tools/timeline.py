# SPDX-License-Identifier: GPL-2.0-only
"""Draw how threads were created, by request id, from a trace of the kthread events."""

from __future__ import annotations

import argparse
import contextlib
import io
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from kdebug.build import bootable
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.host import ui
from kdebug.tools import timeline_boot, timeline_perfetto, timeline_summary, timeline_svg
from kdebug.tools.trace import CREATOR, Event, LANES, Request, STAGES, Span, THREAD, Trace, ms, parse

FEW, SLOWEST = 5, 10
RECORD = "record some: echo 1 > /sys/kernel/tracing/events/kthread/enable, or trace-cmd record -e kthread"

@contextlib.contextmanager
def opened(name: str) -> Iterator[Iterable[str]]:
    """The lines of a trace; a trace.dat goes through trace-cmd."""
    with contextlib.ExitStack() as stack:
        try:
            file: IO[bytes] = sys.stdin.buffer if name == "-" else stack.enter_context(open(name, "rb"))
            magic = file.peek(16)[:16] if isinstance(file, io.BufferedReader) else b""
        except OSError as err:
            raise ui.Fail(name, f"cannot be read ({err.strerror})", "name the trace, or - for standard input") from err
        if magic.startswith(b"PERFILE2"):
            raise ui.Fail(name, "is perf's own format", f"give its text: perf script -i {name} | scripts/timeline -")
        if not magic.startswith(b"\x17\x08\x44tracing"):
            yield io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace")
            return
        if name == "-" or not shutil.which("trace-cmd"):
            raise ui.Fail(name, "is a trace.dat, which trace-cmd reads, and only from a file",
                          "install trace-cmd, or give the text that trace-cmd report prints")
        done = subprocess.run(["trace-cmd", "report", "-t", "-i", name], capture_output=True, text=True,
                              errors="backslashreplace")
        if done.returncode:
            said = done.stderr.strip().partition("\n")[0]
            raise ui.Fail(name, f"trace-cmd report: {said or done.returncode}",
                          "record it again: trace-cmd record -e kthread")
        yield done.stdout.splitlines()


# --- text -----------------------------------------------------------------------------

COLUMN = (12, 32, 52)
GLYPH = {"queued": "┊", "asleep": "┊", "held": "▒"}


def headline(r: Request, between: str = ": ") -> str:
    what = f"{r.name}, fn {r.said('queue', 'fn')}" if r.get("queue") else r.tasks[THREAD] or "a thread"
    return f"id {r.id}: {what}{between}{r.outcome}"


def remark(r: Request, e: Event, spans: list[Span]) -> str:
    """What to say behind an event in its lane: what has ended, and how."""
    said = [f"{'ran' if s.kind == 'runs' else s.kind} {ms(e.ns - s.begin.ns)}" for s in spans
            if s.end is e and s.begin and s.lane == e.lane != CREATOR and e.kind not in ("fork", "start")][-1:]
    if e.kind == "stop":
        said = [e.task]
    elif e.kind == "return" and r.error:
        said = [r.failure]
    elif e.kind == "exit":
        said.append(f"result {e.said['result']}")
    return ", ".join(said)


def draw(r: Request) -> list[str]:
    """Time goes down; a row for each event, and one for each step that takes long."""
    spans, place = r.spans, {e: n for n, e in enumerate(r.events)}
    arrows = {b: (a, label) for a, b, label in r.arrows}
    first, whole = r.events[0].ns, r.events[-1].ns - r.events[0].ns

    def at(lane: int, row: float) -> Span | None:
        now = [s for s in spans if s.lane == lane and (not s.begin or place[s.begin] <= row)
               and (not s.end or row < place[s.end])]
        return max(now, key=lambda s: s.kind == "held") if now else None

    def canvas(left: str, row: float) -> list[str]:
        cells = list(f"{left:>10}".ljust(100))
        for lane in range(3):
            if span := at(lane, row):
                cells[COLUMN[lane]] = GLYPH.get(span.kind, "┃")
        return cells

    def put(cells: list[str], column: int, text: str) -> None:
        cells[column:column + len(text)] = text

    out = [headline(r, "\n  "), *(f"  {note}" for note in r.notes), ""]
    for labels in (LANES, r.tasks):
        out.append(" " * 12 + "".join(f"{clip(text, 18):<20}" for text in labels))
    for row, e in enumerate(r.events):
        step = e.ns - r.events[row - 1].ns if row else 0
        if step > whole / 4:
            out.append("".join(canvas("⋮", row - .5)))
        cells = canvas(ms(e.ns - first) if row else "0", row)
        column = COLUMN[e.lane]
        pad = 8 * (e.lane == THREAD)
        text = f"● {e.label:<{pad}} {remark(r, e, spans)}".rstrip()
        text = clip(text, 19) if e.lane == CREATOR else text
        put(cells, column, text)
        if e in arrows:
            source, label = arrows[e]
            label = f" {label} {ms(e.ns - source.ns)} " if label else ""
            start = COLUMN[source.lane]
            cells[start] = "┃" if at(source.lane, row - .5) else "─"
            if start < column:
                put(cells, start + 1, label.center(column - start - 2, "─") + "▶")
            else:
                begin = column + len(text) + 1
                put(cells, begin, "◀" + label.center(start - begin - 1, "─"))
        out.append("".join(cells))
    if r.open:
        cells = canvas("end", len(r.events))
        for span in r.open:
            put(cells, COLUMN[span.lane] + 2, f"still {span.kind}")
        out.append("".join(cells))
    return [line.rstrip() for line in out]


def clip(text: str, width: int) -> str:
    return text if len(text) <= width else text[:width - 1] + "…"


# --- histogram --------------------------------------------------------------------------

def bucket(ns: int) -> int:
    """0 is below 1 us; then n is from 2^(n-1) us on."""
    return max(ns // 1000, 0).bit_length()


def histogram(requests: Sequence[Request]) -> list[str]:
    """How many creations took how long in each stage; held ones would drown the others."""
    done = [r for r in requests if r.latency is not None and not r.error]
    free = [r for r in done if not r.held]
    columns = [[bucket(t) for r in free if (t := r.stages[n]) is not None] for n in range(len(STAGES))]
    columns.append([bucket(r.latency or 0) for r in free])
    out = [f"creation latency by stage, {len(free)} creation{'s' * (len(free) != 1)}; each row from its time to the next row's", "",
           "          " + "".join(f"{name:>11}" for name in (*STAGES, "total"))]
    used = [b for column in columns for b in column]
    for row in range(min(used, default=0), max(used, default=-1) + 1):
        cells = []
        for column in columns:
            count, most = column.count(row), max(map(column.count, set(column)), default=1)
            eighths = -(-count * 32 // most)
            bar = "█" * (eighths // 8) + "▏▎▍▌▋▊▉"[eighths % 8 - 1:eighths % 8]
            cells.append(f"{count or '':>7}{bar:<4}")
        out.append((f"{ms(1000 << row - 1) if row else '0':>9} " + "".join(cells)).rstrip())
    held = [r for r in done if r.held]
    left = [(sum(bool(r.error) for r in requests), "failed"), (sum(r.in_flight for r in requests), "in flight"),
            (sum(r.latency is None and not r.in_flight for r in requests), "without a traced answer")]
    if any(n for n, _ in left):
        out.append("not counted: " + ", ".join(f"{n} {what}" for n, what in left if n))
    out += [f"held, not counted: {clip(headline(r), 130)}" for r in held[:SLOWEST]]
    return out + ([f"held, not counted: {len(held) - SLOWEST} more"] if len(held) > SLOWEST else [])


# --- the command ------------------------------------------------------------------------

def choose(trace: Trace, ids: Sequence[int], name: str) -> tuple[list[Request], list[str]]:
    """Which requests to draw, and what to say of the others."""
    found = trace.requests
    if not found:
        raise ui.Fail(name, f"{trace.unread} lines of kthread events, none readable" if trace.unread
                      else "no kthread event in it",
                      "give the text of trace, trace-cmd report or perf script" if trace.unread else RECORD)
    for number in ids:
        if number not in found:
            raise ui.Fail("--id", f"{number} is not in {name}", f"ids there are from {min(found)} to {max(found)}")
    if ids or len(found) <= FEW:
        return [found[n] for n in ids or sorted(found)], []
    slowest = sorted(found.values(), key=lambda r: (-r.age, r.id))
    return slowest[:1], [f"{len(found)} requests; the slowest:",
                         *(f"  {headline(r)}" for r in slowest[:SLOWEST]), "--id ID draws one", ""]


def complaints(trace: Trace) -> list[str]:
    """What is wrong with the trace."""
    return ([f"{trace.unread} lines of kthread events could not be read"] * bool(trace.unread)
            + ["events were lost while this was traced; a larger buffer_size_kb keeps them"] * trace.lost)


def save(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as err:
        raise ui.Fail(str(path), f"cannot be written ({err.strerror})", "name a file that can be") from err


def show(trace: Trace, name: str, ids: Sequence[int], svg: Path | None, histo: bool, text: bool,
         total: bool = False) -> None:
    chosen, said = choose(trace, ids, name)
    said = complaints(trace) + (said if text or not total else [])  # the summary has the slowest, too
    if text:
        said += ["\n".join(draw(r)) + "\n" for r in chosen]
    if total:
        said += timeline_summary.summary(list(trace.requests.values()))
    if histo:
        said += histogram(list(trace.requests.values()))
    if said:
        print("\n".join(said).rstrip())
    if svg:
        save(svg, timeline_svg.render(chosen))


def guest(context: Context, svg: Path | None) -> int:
    """Trace a free and a held creation in the guest, and draw both."""
    ready = bootable.prepare(context, "plain")
    result = boot.run(context, ready.kernel.image, ready.initrd, programs=["timeline"], label="guest")
    if not result.passed:
        print(result.report())
        return int(result.verdict.code)
    lines = [ln.said.removeprefix("# trace ") for ln in result.lines if ln.prog and ln.said.startswith("# trace ")]
    raw, svg = context.build / "timeline.txt", svg or context.build / "timeline.svg"
    save(raw, "".join(f"{line}\n" for line in lines))
    trace = parse(lines)
    show(trace, str(raw), [r.id for r in trace.requests.values() if r.name == "test_task"], svg, True, True)
    print(f"\n  {svg}\n  {raw}")
    return 0


def whole_boot(context: Context) -> int:
    """Trace each creation of a boot of the guest, sum them up, and write them for a viewer."""
    traced = timeline_boot.run(context, bootable.prepare(context, "plain"))
    if not traced.result.passed:
        print(traced.result.report())
        return int(traced.result.verdict.code)
    raw, drawing = context.build / "boot-trace.txt", context.build / "boot-trace.json"
    save(raw, "".join(f"{line}\n" for line in traced.lines))
    trace = parse(traced.lines)
    print("\n".join([*complaints(trace), *timeline_summary.summary(list(trace.requests.values()))]))
    save(drawing, timeline_perfetto.render(trace))
    print(f"\n  {drawing}, for ui.perfetto.dev or chrome://tracing\n  {raw}")
    return 0


def main(context: Context, argv: Sequence[str] | None = None) -> int:
    ap = argparse.ArgumentParser(prog="timeline", description=__doc__)
    ap.add_argument("trace", nargs="?", help="text of /sys/kernel/tracing/trace, of trace-cmd report or of perf script;"
                    " a trace.dat; or - for standard input")
    ap.add_argument("--id", type=int, action="append", default=[], help="draw this request; may be given again")
    ap.add_argument("--svg", type=Path, metavar="FILE", help="write the drawing there, too")
    ap.add_argument("--histogram", action="store_true", help="creation latency by stage; draws only what --id names")
    ap.add_argument("--summary", action="store_true", help="who created how many threads, the slowest, and when"
                    " kthreadd was busy; draws only what --id names")
    ap.add_argument("--perfetto", action="store_true", help="print the trace as JSON that ui.perfetto.dev and"
                    " chrome://tracing open, and nothing else")
    ap.add_argument("--guest", action="store_true", help="trace two creations in the guest and draw them")
    ap.add_argument("--boot", action="store_true", help="boot the guest, trace each creation from the first on, sum"
                    " them up, and write them as --perfetto does")
    args = ap.parse_args(argv)
    if bool(args.trace) + args.guest + args.boot != 1:
        raise ui.Fail("scripts/timeline", "needs a trace, --guest or --boot", "name one of them")
    if args.perfetto and (not args.trace or args.id or args.svg or args.histogram or args.summary):
        raise ui.Fail("--perfetto", "prints all of a trace and nothing else", "give it a trace and no other option")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that is not UTF-8
    if args.guest:
        return guest(context, args.svg)
    if args.boot:
        return whole_boot(context)
    with opened(args.trace) as lines:
        trace = parse(lines)
    if args.perfetto:
        choose(trace, [], args.trace)
        sys.stderr.writelines(f"{said}\n" for said in complaints(trace))
        print(timeline_perfetto.render(trace), end="")
        return 0
    show(trace, args.trace, args.id, args.svg, args.histogram, bool(args.id) or not (args.histogram or args.summary),
         args.summary)
    return 0
