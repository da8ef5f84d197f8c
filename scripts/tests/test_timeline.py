# SPDX-License-Identifier: GPL-2.0-only
"""Requests followed and drawn from recorded traces.

All of traces/ came from a patched kernel in QEMU; overrun.txt is the begin of a
longer one.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
import unittest
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

import toy
from kdebug import timeline, timeline_proof, timeline_svg, trace
from kdebug.trace import Request, Trace

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


class Reading(unittest.TestCase):
    def test_text_of_each_tracer(self) -> None:
        for name, kinds in (("free-and-held.txt", {34: CREATED, 36: HELD}), ("perf.txt", {243: CREATED, 245: HELD}),
                            ("trace-cmd.txt", None), ("trace-cmd-l.txt", None), ("tgid.txt", None), ("latency.txt", None)):
            with self.subTest(name):
                found = load(name)
                text = (TRACES / name).read_text()
                self.assertEqual(sum(len(r.events) for r in found.requests.values()), len(re.findall(r": +id=", text)))
                self.assertEqual((found.unread, found.lost), (0, False))
                for id, wanted in (kinds or {}).items():
                    self.assertEqual(sorted(e.kind for e in found.requests[id].events), sorted(wanted))
        for a, b in (("tgid.txt", "latency.txt"), ("trace-cmd.txt", "trace-cmd-l.txt")):
            with self.subTest(f"{a} and {b} say the same"):
                a_, b_ = load(a).requests, load(b).requests
                self.assertEqual([r.stages for r in a_.values()], [r.stages for r in b_.values()])
                self.assertEqual([r.outcome for r in a_.values()], [r.outcome for r in b_.values()])

    def test_values(self) -> None:
        r = one("free-and-held.txt", 34)
        self.assertEqual((r.name, r.said("queue", "fn"), r.said("queue", "creator")),
                         ("test_task", "test_thread [kill_task]", "36"))
        self.assertEqual(r.stages, [62_000, 20_353_000, 20_000, 61_000, 1_085_000])
        self.assertEqual(r.latency, 21_580_657)
        self.assertEqual(r.tasks, ["kill_task:36", "kthreadd:2", "test_task:37"])
        self.assertEqual(r.events[0].ns, 3_770_896_000)

    def test_order_of_the_lines_does_not_matter(self) -> None:
        kinds = [e.kind for e in trace.parse(lines(1)[::-1]).requests[1].events]
        self.assertEqual(kinds, CREATED[:6])

    def test_nanoseconds(self) -> None:
        r = trace.parse(line.replace("1.000010:", "1.000010123:") for line in lines(1)).requests[1]
        self.assertEqual(r.stages[0], 10_123)

    def test_name_of_perfs_new_thread(self) -> None:
        """perf does not learn a new thread's comm: it says kthreadd."""
        self.assertEqual(one("perf.txt", 243).tasks[2], "test_task:283")

    def test_name_with_spaces_and_what_looks_like_fields(self) -> None:
        r = one("odd-name.txt", 46)
        self.assertEqual(r.name, "odd name fn=x creator=9 [y] 0")
        self.assertEqual(r.said("queue", "creator"), "79")
        self.assertEqual({e.task for e in r.events if e.kind in ("start", "run", "skip", "exit")}, {"odd name fn=x c:80"})

    def test_name_cannot_write_to_the_terminal(self) -> None:
        r = trace.parse(lines(1, name="a\x1b[2Jb")).requests[1]
        self.assertEqual(r.name, "a\\x1b[2Jb")
        self.assertNotIn("\x1b", "\n".join(timeline.draw(r)) + timeline_svg.render([r]))

    def test_lines_of_others_are_passed_over(self) -> None:
        other = [" insmod-7 [000] ..... 1.000005: sched_kthread_stop: comm=x pid=3\n", "# tracer: nop\n", "\n",
                 " init-1 [000] ..... 1.000006: kthread_exit: id=0 pid=9 result=0\n", "kthread_exit: junk\n"[:7]]
        found = trace.parse(other + lines(1))
        self.assertEqual((list(found.requests), found.unread), ([1], 0))

    def test_line_that_is_cut_short_is_counted(self) -> None:
        whole = lines(1)
        for cut in (whole[-1].partition(" error")[0], whole[-1].partition("latency")[0], whole[0].partition(" fn=")[0],
                    whole[2].partition("pid")[0]):
            with self.subTest(cut):
                found = trace.parse([*whole[:-1], cut] if "return" in cut else [cut, *whole[1:]])
                self.assertEqual(found.unread, 1)

    def test_lost_events_are_seen(self) -> None:
        self.assertTrue(load("overrun.txt").lost)
        for line in ("CPU:1 [LOST 12 EVENTS]\n", "CPU:0 [EVENTS DROPPED]\n"):
            self.assertTrue(trace.parse([line, *lines(1)]).lost, line)


class Outcomes(unittest.TestCase):
    def outcome(self, name: str, id: int, said: str, notes: str = "", open: str = "") -> Request:
        r = one(name, id)
        self.assertEqual((r.outcome, "; ".join(r.notes), " ".join(s.kind for s in r.open)), (said, notes, open))
        return r

    def test_free(self) -> None:
        r = self.outcome("free-and-held.txt", 34, "created in 21.6 ms")
        self.assertEqual([s.kind for s in r.spans],
                         ["waits", "queued", "forking", "starting", "completing", "asleep", "runs", "stops"])
        self.assertEqual([(a.kind, b.kind) for a, b, _ in r.arrows],
                         [("queue", "fork"), ("fork", "start"), ("complete", "return")])

    def test_held(self) -> None:
        r = self.outcome("free-and-held.txt", 36, "created in 314 ms, held 309 ms at complete")
        self.assertTrue(r.held)
        self.assertEqual([(s.kind, s.lane) for s in r.holds], [("held", trace.THREAD)])

    def test_held_at_fork(self) -> None:
        r = self.outcome("held-fork.txt", 42, "created in 205 ms, held 200 ms at fork, stopped before it ever ran")
        self.assertEqual([s.lane for s in r.holds], [trace.KTHREADD])
        self.assertTrue(r.held)

    def test_held_at_exit(self) -> None:
        r = self.outcome("held-exit.txt", 34, "created in 3.02 ms, held 322 ms at exit")
        self.assertFalse(r.held)

    def test_killed_before_the_claim(self) -> None:
        r = self.outcome("killed.txt", 38, "creator killed after 259 ms in stage starting (-EINTR), held 627 ms at claim")
        self.assertEqual([s.kind for s in r.spans], ["waits", "queued", "forking", "starting", "held"])

    def test_killed_while_queued(self) -> None:
        self.outcome("killed-queued.txt", 40, "creator killed after 140 ms in stage queued (-EINTR)")

    def test_killed_and_not_cleaned_up(self) -> None:
        text = (TRACES / "killed.txt").read_text().splitlines()[:-2]
        r = trace.parse(text).requests[38]
        self.assertEqual([s.kind for s in r.open], ["starting", "held"])
        self.assertIn("still held", "\n".join(timeline.draw(r)))

    def test_failed_clone(self) -> None:
        r = self.outcome("failed.txt", 107, "failed with -EAGAIN after 528 us in stage forking")
        self.assertEqual([(a.kind, b.kind) for a, b, _ in r.arrows], [("queue", "fork"), ("fork", "return")])
        self.assertEqual([(s.kind, s.end and s.end.kind) for s in r.spans],
                         [("waits", "return"), ("queued", "fork"), ("forking", "return")])

    def test_skipped(self) -> None:
        r = self.outcome("skip.txt", 45, "created in 27.4 ms, stopped before it ever ran")
        self.assertIn(("stop", "skip"), [(a.kind, b.kind) for a, b, _ in r.arrows])

    def test_in_flight(self) -> None:
        r = self.outcome("in-flight.txt", 110, "in flight at the end of the trace, in stage completing for at least 100 us,"
                         " held at complete", open="waits held")
        self.assertTrue(r.in_flight)
        later = trace.parse([*(TRACES / "in-flight.txt").read_text().splitlines(),
                             " bash-1 [000] ..... 71.748626: tracing_mark_write: still there"])
        self.assertIn("for at least 60 s", later.requests[110].outcome)
        self.assertEqual(later.requests[110].age, 60_010_394_000)

    def test_begin_lost(self) -> None:
        self.outcome("lost-begin.txt", 109, "created before the trace", "not in the trace: queue, fork, start, claim, complete, return")
        r = self.outcome("lost-begin.txt", 110, "created in 1.3 s, held at complete", "not in the trace: queue, fork, start, claim")
        self.assertEqual([(s.kind, bool(s.begin)) for s in r.spans],
                         [("waits", False), ("asleep", True), ("runs", True), ("stops", True), ("held", False)])

    def test_begin_lost_within_a_stage(self) -> None:
        r = trace.parse(lines(1)[2:]).requests[1]
        self.assertEqual([(s.kind, s.begin and s.begin.kind) for s in r.spans],
                         [("waits", None), ("forking", None), ("starting", "start"), ("completing", "claim"), ("asleep", "complete")])

    def test_queue_or_fork_lost_of_one_that_failed(self) -> None:
        for name, lost in (("failed.txt", "queue"), ("failed.txt", "fork"), ("killed.txt", "queue")):
            text = [line for line in (TRACES / name).read_text().splitlines() if f"create_{lost}" not in line
                    and not (name == "killed.txt" and re.search("fork|start|hold|release|exit", line))]
            for r in trace.parse(text).requests.values():
                self.assertEqual(r.notes, [f"not in the trace: {lost}"], name)

    def test_answer_lost(self) -> None:
        r = trace.parse(line for line in (TRACES / "free-and-held.txt").read_text().splitlines()
                        if "create_return: id=34" not in line).requests[34]
        self.assertEqual((r.outcome, r.notes, r.open, r.in_flight), ("answered", ["not in the trace: return"], [], False))

    def test_stop_that_still_waits(self) -> None:
        self.outcome("stopping.txt", 36, "created in 7.55 ms, held at exit, kthread_stop() still waits", open="stops held")

    def test_two_stoppers_pair_up_by_task(self) -> None:
        stops = [f" {task} [000] ..... 2.{n:06}: kthread_{kind}: id=1 pid=101{result}\n" for n, (task, kind, result) in enumerate(
            (("a-1", "stop", ""), ("b-2", "stop", ""), ("a-1", "stop_return", " result=0"), ("b-2", "stop_return", " result=0")))]
        spans = [s for s in trace.parse(lines(1) + stops).requests[1].spans if s.kind == "stops"]
        self.assertEqual([s.begin and s.end and s.end.ns - s.begin.ns for s in spans], [2000, 2000])

    def test_lost_events_make_no_answer_uncertain(self) -> None:
        r = one("overrun.txt", 199)
        self.assertIn("no answer in the trace, in stage forking", r.outcome)
        self.assertEqual(r.notes, ["not in the trace: queue"])

    def test_clocks_that_differ(self) -> None:
        r = trace.parse(lines(1, stages=(10, -3, 30, 40, 50))).requests[1]
        self.assertIn("clocks differ by 3 us", r.notes[0])
        self.assertTrue(timeline.draw(r) and xml([r]))


class Drawing(unittest.TestCase):
    def test_held_as_text(self) -> None:
        self.assertEqual("\n".join(timeline.draw(one("free-and-held.txt", 36))), """\
id 36: test_task, fn test_thread [kill_task]
  created in 314 ms, held 309 ms at complete

            creator             kthreadd            new thread
            kill_task:38        kthreadd:2          test_task:39
         0  ● queue             ┊
     74 us  ┃── queued 74 us ──▶● fork
    434 us  ┃                   ┃─ forking 360 us ─▶● start
    438 us  ┃                                       ● claim    starting 4 us
    537 us  ┃                                       ● hold at complete
         ⋮  ┃                                       ▒
    310 ms  ┃                                       ● release  held 309 ms
    310 ms  ┃                                       ● complete completing 310 ms
    314 ms  ● return ◀───── returning 3.41 ms ──────┃
    322 ms                                          ● run      asleep 11.5 ms
    322 ms                                          ● exit     ran 145 us, result 0
    340 ms  ● stop timeline:35
    340 ms  ● stop return""")

    def test_each_recorded_request_as_text_and_svg(self) -> None:
        for path in sorted(TRACES.glob("*.txt")):
            for r in load(path.name).requests.values():
                with self.subTest(path.name, id=r.id):
                    text, top = "\n".join(timeline.draw(r)), xml([r])
                    self.assertEqual(text.count("●"), len(r.events))
                    marks = [e for e in top.iter() if e.get("class") == "mark"]
                    self.assertEqual(len(marks), len(r.events))
                    # Time goes to the right, and all is inside.
                    xs = [float(m.get("cx", "")) for m in marks]
                    self.assertEqual(xs, sorted(set(xs)))
                    self.assertLess(xs[-1], float(top.get("width", "")))
                    for note in r.notes:
                        self.assertIn(note, text)
                    said = " ".join(e.text or "" for e in top.iter())
                    self.assertIn(r.outcome, said)
                    self.assertEqual("end of trace" in said, bool(r.open))
                    self.assertEqual(bool(re.search(r"\n +end  ", text)), bool(r.open))

    def test_svg_is_self_contained(self) -> None:
        text = timeline_svg.render([one("free-and-held.txt", n) for n in (34, 36)])
        self.assertIn("prefers-color-scheme: dark", text)
        for word in ("<script", "href", "@import", "onload", "http://", "https://"):
            self.assertNotIn(word, text.replace("http://www.w3.org/2000/svg", ""))
        panels = [e for e in ElementTree.fromstring(text).iter() if e.get("class") == "title"]
        self.assertEqual(len(panels), 2)

    def test_svg_escapes_names(self) -> None:
        r = trace.parse(lines(1, name='<a&"b">')).requests[1]
        top = xml([r])
        self.assertIn('<a&"b">, id 1', top.get("aria-label", ""))

    def test_lanes_of_the_arrows(self) -> None:
        arrows = [e for e in xml([one("skip.txt", 45)]).iter() if e.get("class") == "arrow"]
        rise = [float(e.get("y2", "")) > float(e.get("y1", "")) for e in arrows]
        self.assertEqual(rise, [True, True, False, True, False])  # fork, start, return, skip, stop_return
        # From the edge of one bar to that of another, across none of the two.
        long = {abs(float(e.get("y2", "")) - float(e.get("y1", ""))) for e in arrows}
        self.assertEqual(long, {n * timeline_svg.LANE_HEIGHT - timeline_svg.BAR - 2 for n in (1, 2)})

    def test_durations(self) -> None:
        self.assertEqual([trace.ms(n) for n in (0, 999, 1000, 999_499, 999_500, 10**9, 7 * 10**12, -3000)],
                         ["0 ns", "999 ns", "1 us", "999 us", "1 ms", "1 s", "7000 s", "-3 us"])


class Histogram(unittest.TestCase):
    def test_buckets(self) -> None:
        self.assertEqual([timeline.bucket(n * 1000) for n in (0, 1, 2, 3, 4, 1023, 1024)], [0, 1, 2, 2, 3, 10, 11])
        found = trace.parse([*lines(1, stages=(10, 20, 30, 40, 0)), *lines(2, stages=(10, 300, 30, 40, 0)),
                             *lines(3, stages=(1500, 20, 30, 40, 0))])
        out = timeline.histogram(list(found.requests.values()))
        self.assertIn("3 creations", out[0])
        rows = {line[:9].strip(): line[10:] for line in out[3:]}
        self.assertEqual(list(rows), ["0", "1 us", "2 us", "4 us", "8 us", "16 us", "32 us", "64 us", "128 us", "256 us", "512 us", "1.02 ms"])
        self.assertEqual(re.findall(r"(\d+)(█*)", rows["8 us"]), [("2", "████")])
        self.assertEqual(re.findall(r"\d+", rows["16 us"]), ["2", "3"])
        self.assertEqual(re.findall(r"\d+", rows["0"]), ["3"])
        self.assertEqual(re.findall(r"\d+", rows["1.02 ms"]), ["1", "1"])

    def test_held_failed_and_unanswered_are_set_apart(self) -> None:
        out = timeline.histogram([one("free-and-held.txt", 34), one("free-and-held.txt", 36), one("failed.txt", 107),
                                  one("killed.txt", 38), one("in-flight.txt", 110), one("lost-begin.txt", 109)])
        self.assertIn("1 creation;", out[0])
        self.assertEqual(out[-2], "not counted: 2 failed, 1 in flight, 1 without a traced answer")
        self.assertTrue(out[-1].startswith("held, not counted: id 36: test_task"), out[-1])

    def test_none(self) -> None:
        self.assertIn("0 creations", timeline.histogram([one("failed.txt", 107)])[0])


class Command(toy.Case):
    def run_main(self, *argv: str, stdin: bytes = b"") -> str:
        out = io.StringIO()
        given = mock.Mock(buffer=io.BufferedReader(io.BytesIO(stdin)))  # type: ignore[arg-type]
        with contextlib.redirect_stdout(out), mock.patch.object(sys, "stdin", given):
            self.assertEqual(timeline.main(argv), 0)
        return out.getvalue()

    def test_few_are_all_drawn(self) -> None:
        out = self.run_main(str(TRACES / "free-and-held.txt"))
        self.assertEqual(re.findall(r"^id (\d+)", out, re.M), ["33", "34", "35", "36"])

    def test_of_a_thousand_the_slowest(self) -> None:
        text = "".join(line for n in range(1, 1001) for line in
                       lines(n, n / 100, (10, 20 + n % 7, 30, 40, 5000 - n if n % 100 == 50 else 50)))
        out = self.run_main("-", stdin=text.encode())
        self.assertTrue(out.startswith("1000 requests; the slowest:\n"), out[:100])
        self.assertEqual(re.findall(r"^  id (\d+)", out, re.M), [str(n) for n in range(50, 1000, 100)])
        self.assertEqual(re.findall(r"^id (\d+)", out, re.M), ["50"])
        out = self.run_main("-", "--histogram", stdin=text.encode())
        self.assertIn("creation latency by stage, 1000 creations", out)
        self.assertNotIn("● queue", out)

    def test_one_stuck_comes_before_the_slow(self) -> None:
        stuck = lines(1)[:2]
        text = "".join(stuck + [line for n in range(2, 9) for line in lines(n, n)])
        self.assertIn("\nid 1: worker", self.run_main("-", stdin=text.encode()))

    def test_ids_and_histogram_together(self) -> None:
        out = self.run_main(str(TRACES / "free-and-held.txt"), "--id", "36", "--id", "34", "--histogram")
        self.assertEqual(re.findall(r"^id (\d+)", out, re.M), ["36", "34"])
        self.assertIn("3 creations", out)

    def test_svg(self) -> None:
        svg = self.tmp / "a.svg"
        self.run_main(str(TRACES / "free-and-held.txt"), "--id", "36", "--svg", str(svg))
        self.assertIn("held 309 ms", svg.read_text(encoding="utf-8"))

    def test_what_is_wrong_with_the_trace_is_said(self) -> None:
        self.assertIn("events were lost", self.run_main(str(TRACES / "overrun.txt")))
        text = "".join(lines(1)) + lines(2)[0][:60]
        self.assertIn("1 lines of kthread events could not be read", self.run_main("-", stdin=text.encode()))

    def test_trace_dat(self) -> None:
        if not shutil.which("trace-cmd"):
            self.skipTest("trace-cmd is not installed")
        out = self.run_main(str(TRACES / "trace.dat"))
        self.assertIn("held", out)
        self.assertEqual(out.count("● run"), 4)

    def test_refusals(self) -> None:
        none = self.tmp / "none"
        none.write_text("# tracer: nop\n")
        perf = self.tmp / "perf.data"
        perf.write_bytes(b"PERFILE2" + bytes(100))
        odd = self.tmp / "odd"
        odd.write_text("kthread_create_fork: id=7 pid=2\n kthread_create_fork: id=7 pid=2\n")
        good = str(TRACES / "skip.txt")
        for argv, words in (((str(self.tmp / "no"),), ("no", "cannot be read")), ((str(none),), ("no kthread event", "record")),
                            ((str(perf),), ("perf script -i",)), ((str(odd),), ("none readable",)),
                            ((good, "--id", "99"), ("--id", "99", "from 45 to 45")),
                            ((good, "--svg", str(self.tmp)), ("cannot be written",)),
                            ((), ("--guest",)), ((good, "--guest"), ("--guest",))):
            with self.subTest(argv), self.fails(*words):
                self.run_main(*argv)
        with mock.patch.dict(os.environ, {"PATH": str(self.tmp)}), self.fails("trace.dat", "install trace-cmd"):
            self.run_main(str(TRACES / "trace.dat"))

    def test_trace_cmd_that_fails_is_told_in_one_line(self) -> None:
        toy.tool(self.tmp / "bin", "trace-cmd", "echo 'no header' >&2; echo 'and more' >&2; exit 1")
        with mock.patch.dict(os.environ, {"PATH": f"{self.tmp}/bin:{os.environ['PATH']}"}), \
                self.fails("trace.dat: trace-cmd report: no header; record it again: trace-cmd record -e kthread"):
            self.run_main(str(TRACES / "trace.dat"))


class Proof(toy.Case):
    """What timeline_proof makes of the report; trace-cmd itself is replaced."""

    def check(self, report: str, err: str = "", code: int = 0) -> None:
        (self.tmp / "report").write_text(report)
        (self.tmp / "err").write_text(err)
        tool = self.tmp / "trace-cmd"
        tool.write_text(f"#!/bin/sh\ncat {self.tmp}/report; cat {self.tmp}/err >&2; exit {code}\n")
        tool.chmod(0o755)
        with mock.patch.dict(os.environ, {"PATH": f"{self.tmp}:{os.environ['PATH']}"}):
            timeline_proof.check(self.tmp / "trace.dat")

    def test_takes_a_good_report_only(self) -> None:
        good = (TRACES / "trace-cmd.txt").read_text()
        self.check(good)
        held = next(line for line in good.splitlines() if "kthread_hold" in line)
        for bad, words in ((good.replace(held, held.partition("id=")[0] + "[FAILED TO PARSE] id=3 point=3"), "could not read"),
                           (good.replace("point=complete", "point=3"), "wrong fields"),
                           (good.replace(held + "\n", ""), "not what was done"),
                           (good.replace(" pid=2\n", "\n"), "cannot read"),
                           (good + " x-1 [000] 9.000000: kthread_exit: id=0 pid=9 result=0\n", "no event of a request"),
                           ("", "could not read")):
            with self.subTest(words), self.assertRaises(AssertionError) as caught:
                self.check(bad)
            self.assertIn(words, str(caught.exception))
        for err, code in (("  [kthread:kthread_skip] unknown op\n", 0), ("", 1)):
            with self.subTest(err), self.assertRaises(AssertionError):
                self.check(good, err, code)

    def test_recorded_trace_dat(self) -> None:
        if not shutil.which("trace-cmd"):
            self.skipTest("trace-cmd is not installed")
        timeline_proof.check(TRACES / "trace.dat")


if __name__ == "__main__":
    unittest.main()
