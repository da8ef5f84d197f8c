# SPDX-License-Identifier: GPL-2.0-only
"""Requests followed through recorded traces."""

from __future__ import annotations

import re
import unittest

from kdebug.tools import timeline, timeline_svg, trace
from kdebug.tools.trace import Request
from tools.traced import CREATED, HELD, TRACES, lines, load, one, xml


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

    def test_failure_on_purpose_is_no_killed_creator(self) -> None:
        for error, said in ((-4, "made to fail with -EINTR"), (-12, "made to fail with -ENOMEM")):
            line = (f" insmod-7 [000] ..... 1.0: kthread_create_return: id=1 pid=0 error={error} stage=queued "
                    "latency_ns=0 injected\n")
            r = trace.parse([line]).requests[1]
            self.assertEqual((r.outcome, r.killed, r.injected), (said, False, True))
            r = trace.parse([line.replace(" injected", "")]).requests[1]
            self.assertEqual((r.injected, r.killed), (False, error == -4))

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
