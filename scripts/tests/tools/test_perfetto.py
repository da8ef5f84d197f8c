# SPDX-License-Identifier: GPL-2.0-only
"""Requests written for ui.perfetto.dev and chrome://tracing, and the check of that."""

from __future__ import annotations

import json
import os
import unittest
from typing import Any
from unittest import mock

import toy
from kdebug.tools import perfetto_proof, timeline_perfetto, trace
from tools.traced import TRACES, lines, load

FREE = "free-and-held.txt"
Events = list[dict[str, Any]]


def drawn(found: trace.Trace) -> Events:
    return perfetto_proof.check(timeline_perfetto.render(found))


def lane(events: Events, tid: int) -> list[tuple[str, int, int]]:
    """The slices of a lane: name, begin and length in ns."""
    return [(e["name"], round(e["ts"] * 1000), round(e["dur"] * 1000)) for e in events
            if e["ph"] == "X" and e["tid"] == tid]


def flow(events: Events, number: int) -> list[tuple[str, int]]:
    return [(e["ph"], e["tid"]) for e in events if e.get("id") == number]


class Writer(unittest.TestCase):
    def test_each_recorded_trace_keeps_to_the_format(self) -> None:
        for path in sorted(TRACES.glob("*.txt")):
            with self.subTest(path.name):
                found = load(path.name)
                events = drawn(found)
                lanes = {e["tid"] for e in events if e["ph"] == "X"}
                for r in found.requests.values():
                    self.assertEqual([e for e in r.events if e.lane == trace.THREAD and "pid" in e.said
                                      and int(e.said["pid"]) not in lanes], [])

    def test_a_lane_for_each_task(self) -> None:
        events = drawn(trace.parse(lines(1)))
        self.assertEqual({e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"},
                         {2: "kthreadd", 7: "insmod", 101: "worker"})
        us = 1_000_000_000
        self.assertEqual(lane(events, 7), [("kthread_create worker", us, 150_000), ("queued", us, 10_000),
                                           ("returning", us + 100_000, 50_000)])
        self.assertEqual(lane(events, 2), [("fork worker", us + 10_000, 20_000)])
        self.assertEqual(lane(events, 101)[:2], [("starting", us + 30_000, 30_000),
                                                 ("completing", us + 60_000, 40_000)])

    def test_a_flow_for_each_request(self) -> None:
        events = drawn(trace.parse(lines(1) + lines(2, 2)))
        for number in (1, 2):
            self.assertEqual(flow(events, number), [("s", 7), ("t", 2), ("t", 100 + number), ("f", 7)])

    def test_a_flow_ends_where_the_creation_ends(self) -> None:
        events = drawn(load("failed.txt"))
        self.assertEqual([ph for ph, _ in flow(events, 107)], ["s", "f"])
        # One that is queued and no more has nowhere to go.
        self.assertEqual(flow(drawn(trace.parse(lines(1)[:1])), 1), [])

    def test_holds_and_stops(self) -> None:
        events = drawn(load(FREE))
        self.assertIn("held at complete", [name for name, _, _ in lane(events, 39)])
        self.assertIn("kthread_stop test_task", [e["name"] for e in events])
        # A hold at fork keeps kthreadd.
        self.assertIn("held at fork", [name for name, _, _ in lane(drawn(load("held-fork.txt")), 2)])

    def test_kthreadd_forks_one_at_a_time(self) -> None:
        """The first new thread runs late, when kthreadd is at the second."""
        late = lines(1, 1.0, (10, 100, 10, 10, 10))
        events = drawn(trace.parse(late + lines(2, 1.00002, (10, 20, 10, 10, 10))))
        self.assertEqual(lane(events, 2), [("fork worker", 1_000_010_000, 20_000),
                                           ("fork worker", 1_000_030_000, 20_000)])

    def test_events_of_one_microsecond_stay_apart(self) -> None:
        events = drawn(trace.parse(lines(1, stages=(0, 0, 0, 0, 0))))
        self.assertEqual(len(lane(events, 7)), 3)
        self.assertEqual([ph for ph, _ in flow(events, 1)], ["s", "t", "t", "f"])

    def test_clocks_that_differ(self) -> None:
        drawn(trace.parse(lines(1, stages=(10, -3, 30, 40, 50)) + lines(2, 1.00005)))

    def test_what_is_open_ends_with_the_trace(self) -> None:
        text = [*(TRACES / "in-flight.txt").read_text().splitlines(),
                " bash-1 [000] ..... 71.748626: tracing_mark_write: still there"]
        waits = [e for e in drawn(trace.parse(text)) if e["ph"] == "X" and e["args"].get("outcome")
                 and e["args"]["id"] == "110"]
        self.assertEqual(round((waits[0]["ts"] + waits[0]["dur"]) * 1000), 71_748_626_001)

    def test_lost_events_are_told(self) -> None:
        self.assertIn("lost", json.loads(timeline_perfetto.render(load("overrun.txt")))["otherData"])

    def test_any_name(self) -> None:
        events = drawn(trace.parse(lines(1, name='</script>"\x1b')))
        self.assertIn('</script>"\\x1b', [e["args"]["name"] for e in events if e["name"] == "thread_name"])


class Check(unittest.TestCase):
    """perfetto_proof refuses what the viewers would not show."""

    def test_each_rule(self) -> None:
        good = timeline_perfetto.render(trace.parse(lines(1)))

        def edit(kind: str, nth: int = 0, **fields: Any) -> str:
            whole = json.loads(good)
            one = [e for e in whole["traceEvents"] if e["ph"] == kind][nth]
            one.update({k: v for k, v in fields.items() if v is not None})
            for key in [k for k, v in fields.items() if v is None]:
                del one[key]
            return json.dumps(whole)

        def without(ph: str) -> str:
            whole = json.loads(good)
            whole["traceEvents"] = [e for e in whole["traceEvents"] if e["ph"] != ph]
            return json.dumps(whole)

        perfetto_proof.check(good)
        for bad, words in ((edit("X", ph="B"), "unknown ph"), (edit("X", dur=None), "not the fields"),
                           (edit("X", dur=0), "bad time"), (edit("X", ts=-1), "bad time"),
                           (edit("X", tid="2"), "bad tid"),
                           (edit("X", pid=3), "more than one process"), (edit("f", bp="x"), "bad bp"),
                           (edit("f", bp=None), "not the fields"), (edit("s", id=9), "flow 9: s"),
                           (without("s"), "flow 1: ttf"), (without("f"), "flow 1: stt"), (without("X"), "no slice"),
                           (edit("t", ts=1), "goes back"), (edit("f", name="x"), "two names"),
                           (edit("t", tid=9), "no slice"), (edit("X", 3, dur=45), "overlaps"),
                           (edit("M", 1, name="x"), "bad metadata"), (without("M"), "lanes without a name")):
            with self.subTest(words), self.assertRaises(AssertionError) as caught:
                perfetto_proof.check(bad)
            self.assertIn(words, str(caught.exception))


class Reader(toy.Case):
    def test_why_there_is_no_viewer(self) -> None:
        with mock.patch.dict(os.environ, {"PATH": str(self.tmp)}):
            self.assertEqual(perfetto_proof.viewer(), "chromium is not installed")
        toy.tool(self.tmp / "bin", "chromium", "exit 0")
        page = self.tmp / "go-1.19/src/cmd/trace/static/trace_viewer_full.html"
        with mock.patch.dict(os.environ, {"PATH": f"{self.tmp}/bin"}), \
                mock.patch.object(perfetto_proof, "VIEWERS", self.tmp):
            self.assertIn("golang-1.19-src", str(perfetto_proof.viewer()))
            page.parent.mkdir(parents=True)
            page.write_text("")
            (page.parent / "webcomponents.min.js").write_text("")
            found = perfetto_proof.viewer()
            self.assertEqual(found, perfetto_proof.Viewer(f"{self.tmp}/bin/chromium", page))
            # A browser that says nothing is no pass.
            with self.assertRaises(AssertionError):
                perfetto_proof.Viewer(f"{self.tmp}/bin/chromium", page).read("{}")

    def test_chromes_viewer_reads_it(self) -> None:
        viewer = perfetto_proof.viewer()
        if isinstance(viewer, str):
            self.skipTest(viewer)
        found = load(FREE)
        said = viewer.read(timeline_perfetto.render(found))
        self.assertEqual(said["complaints"], [])
        self.assertEqual({int(tid): one["name"] for tid, one in said["lanes"].items()},
                         {2: "kthreadd", 35: "timeline", 36: "kill_task", 37: "test_task", 38: "kill_task",
                          39: "test_task"})
        self.assertEqual(said["flows"], {str(r.id): [["queued", f"fork {r.name}"], [f"fork {r.name}", "starting"],
                                                     ["starting", "returning"]] for r in found.requests.values()})
        # It does complain of what is wrong.
        self.assertNotEqual(viewer.read("{")["complaints"], [])
