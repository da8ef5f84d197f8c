# SPDX-License-Identifier: GPL-2.0-only
"""Requests drawn, and counted."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
import unittest
from unittest import mock
from xml.etree import ElementTree

import toy
from kdebug.context import Context
from kdebug.tools import perfetto_proof, timeline, timeline_boot, timeline_proof, timeline_summary, timeline_svg, trace
from tools.traced import TRACES, lines, load, one, xml


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


class Summary(unittest.TestCase):
    """Who has created how many threads, which were slow, and when kthreadd was busy."""

    def of(self, *text: list[str]) -> list[str]:
        return timeline_summary.summary(list(trace.parse(line for part in text for line in part).requests.values()))

    def test_by_creator(self) -> None:
        other = [line.replace("insmod-7", "kworker/0:1-9") for line in lines(3, 2.0, (10, 20, 30, 40, 900))]
        out = self.of(lines(1), lines(2, 1.001), other)
        self.assertEqual(out[0], "3 creations by 2 tasks; times are those of the trace, in s")
        self.assertEqual([line.split() for line in out[2:5]], [
            ["created", "failed", "waited", "slowest", "from", "to", "by"],
            ["2", "0", "300", "us", "150", "us", "1.000000", "1.001150", "insmod:7"],
            ["1", "0", "1", "ms", "1", "ms", "2.000000", "2.001000", "kworker/0:1:9"]])

    def test_a_creator_that_changes_its_name_is_one(self) -> None:
        out = self.of(lines(1), [line.replace("insmod-7", "init-7") for line in lines(2, 1.001)])
        self.assertIn("2 creations by 1 task;", out[0])

    def test_the_slowest_ten(self) -> None:
        out = self.of(*(lines(n, n, (10, 20, 30, 40, 50 + n)) for n in range(1, 21)))
        slow = out[out.index("the slowest:") + 1:][:11]
        self.assertEqual([line.split()[4] for line in slow[:10]], [f"{n}:" for n in range(20, 10, -1)])
        self.assertEqual(slow[10], "")

    def test_times_are_those_of_the_trace(self) -> None:
        """Early at boot latency_ns has the resolution of a jiffy."""
        out = self.of([line.replace("latency_ns=150000", "latency_ns=0") for line in lines(1)])
        self.assertIn("  1.000000    150 us  id 1: worker, fn fn [mod], by insmod:7", out)

    def test_when_kthreadd_was_busy(self) -> None:
        # Two within a millisecond, and one later.
        out = self.of(lines(1), lines(2, 1.0005), lines(3, 3.0))
        self.assertEqual(out[-3:], ["kthreadd was busy for 60 us, with 3 forks in 2 stretches:",
                                    "  1.000010     40 us of   520 us    2 forks for insmod:7",
                                    "  3.000010     20 us of    20 us    1 fork  for insmod:7"])

    def test_failed_and_killed(self) -> None:
        for name in ("failed.txt", "killed.txt", "killed-queued.txt", "overrun.txt", "stopping.txt"):
            with self.subTest(name):
                self.assertTrue(timeline_summary.summary(list(load(name).requests.values())))
        out = timeline_summary.summary(list(load("failed.txt").requests.values()))
        self.assertEqual(out[3].split()[:2], ["0", "2"])


class Command(toy.Case):
    def run_main(self, *argv: str, stdin: bytes = b"") -> str:
        out = io.StringIO()
        given = mock.Mock(buffer=io.BufferedReader(io.BytesIO(stdin)))  # type: ignore[arg-type]
        with contextlib.redirect_stdout(out), mock.patch.object(sys, "stdin", given):
            self.assertEqual(timeline.main(Context(), argv), 0)
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

    def test_perfetto_is_printed_alone(self) -> None:
        out = self.run_main(str(TRACES / "free-and-held.txt"), "--perfetto")
        self.assertEqual(len({e["id"] for e in perfetto_proof.check(out) if e["ph"] == "s"}), 4)
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            perfetto_proof.check(self.run_main(str(TRACES / "overrun.txt"), "--perfetto"))
        self.assertIn("events were lost", err.getvalue())

    def test_summary(self) -> None:
        out = self.run_main(str(TRACES / "free-and-held.txt"), "--summary")
        self.assertTrue(out.startswith("4 creations by 3 tasks"), out[:60])
        self.assertNotIn("● queue", out)
        self.assertIn("● queue", self.run_main(str(TRACES / "free-and-held.txt"), "--summary", "--id", "36"))
        many = "".join(line for n in range(1, 20) for line in lines(n, n))
        self.assertEqual(self.run_main("-", "--summary", stdin=many.encode()).count("the slowest"), 1)

    def test_boot_leaves_trace_and_drawing(self) -> None:
        result = mock.Mock(passed=True)
        traced = timeline_boot.Traced(result, (TRACES / "free-and-held.txt").read_text().splitlines(), {})
        context = Context(root=self.build)
        out = io.StringIO()
        with mock.patch.object(timeline_boot, "run", return_value=traced), \
                mock.patch.object(timeline.bootable, "prepare"), contextlib.redirect_stdout(out):
            self.assertEqual(timeline.main(context, ["--boot"]), 0)
            self.assertIn("4 creations by 3 tasks", out.getvalue())
            perfetto_proof.check((self.build / "boot-trace.json").read_text())
            self.assertEqual(list(trace.parse((self.build / "boot-trace.txt").open()).requests), [33, 34, 35, 36])
            result.passed, result.verdict.code, result.report.return_value = False, 20, "panic"
            self.assertEqual(timeline.main(context, ["--boot"]), 20)

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
                            ((), ("--guest",)), ((good, "--guest"), ("--guest",)), (("--guest", "--boot"), ("--boot",)),
                            ((good, "--perfetto", "--id", "45"), ("--perfetto", "no other option")),
                            (("--boot", "--perfetto"), ("--perfetto",)), ((str(none), "--perfetto"), ("no kthread event",))):
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
