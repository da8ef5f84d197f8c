# SPDX-License-Identifier: GPL-2.0-only
"""Proof that a drawing of timeline_perfetto can be opened: by the rules of its format, and by Chrome's trace viewer."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The fields of each kind of event, all of which it has.
FIELDS = {"M": {"args"}, "X": {"cat", "ts", "dur", "args"}, "s": {"cat", "ts", "id"}, "t": {"cat", "ts", "id"},
          "f": {"cat", "ts", "id", "bp"}}
TYPES: dict[str, tuple[type, ...]] = {"name": (str,), "cat": (str,), "bp": (str,), "args": (dict,),
                                      "ts": (int, float), "dur": (int, float)}  # of the others: int
LIMIT = 300  # s, for a browser on a busy machine
# Debian's Go has the viewer as one page, golang-1.19-src in Debian 12.
VIEWERS = Path("/usr/share")
PAGE = "go-*/src/**/trace_viewer_full.html"


def _ns(event: Mapping[str, Any], field: str) -> int:
    return int(round(event[field] * 1000))


def _fields(e: Mapping[str, Any]) -> None:
    kind = e.get("ph")
    assert kind in FIELDS, f"unknown ph: {e}"
    assert set(e) == {"ph", "name", "pid", "tid"} | FIELDS[kind], f"not the fields of {kind}: {e}"
    for field in set(e) - {"ph"}:
        assert type(e[field]) in TYPES.get(field, (int,)) and e[field] != "", f"bad {field}: {e}"
    assert e.get("ts", 0) >= 0 and e.get("dur", 1) > 0, f"bad time: {e}"
    assert e.get("bp", "e") == "e", f"bad bp: {e}"
    if kind == "M":
        said = {"process_name": str, "thread_name": str, "thread_sort_index": int}.get(e["name"])
        key = "sort_index" if said is int else "name"
        assert said and isinstance(e["args"].get(key), said) and e["args"][key] != "", f"bad metadata: {e}"


def _nested(lane: int, slices: list[tuple[int, int]]) -> None:
    around: list[tuple[int, int]] = []
    for begin, end in sorted(slices, key=lambda one: (one[0], -one[1])):
        while around and around[-1][1] <= begin:
            around.pop()
        assert not around or end <= around[-1][1], f"lane {lane}: {begin}-{end} ns overlaps the end of {around[-1]}"
        around.append((begin, end))


def check(text: str) -> list[dict[str, Any]]:
    """The events of the drawing @text. Raise an AssertionError that says which rule it breaks."""
    whole = json.loads(text)
    assert set(whole) == {"traceEvents", "displayTimeUnit", "otherData"}, f"not the format: {list(whole)}"
    assert whole["displayTimeUnit"] in ("ms", "ns"), whole["displayTimeUnit"]
    events: list[dict[str, Any]] = whole["traceEvents"]
    lanes: dict[int, list[tuple[int, int]]] = {}
    flows: dict[int, list[dict[str, Any]]] = {}
    for e in events:
        _fields(e)
        if e["ph"] == "X":
            lanes.setdefault(e["tid"], []).append((_ns(e, "ts"), _ns(e, "ts") + _ns(e, "dur")))
        elif e["ph"] != "M":
            flows.setdefault(e["id"], []).append(e)
    for lane, slices in lanes.items():
        _nested(lane, slices)
    assert len({e["pid"] for e in events}) <= 1, "more than one process"
    unnamed = set(lanes) - {e["tid"] for e in events if e["name"] == "thread_name"}
    assert not unnamed, f"lanes without a name: {unnamed}"
    for number, steps in flows.items():
        phases, times = "".join(e["ph"] for e in steps), [_ns(e, "ts") for e in steps]
        assert re.fullmatch("st*f", phases), f"flow {number}: {phases}"
        assert times == sorted(set(times)), f"flow {number} goes back in time: {times}"
        assert len({(e["cat"], e["name"]) for e in steps}) == 1, f"flow {number} has two names"
        for e, at in zip(steps, times):
            assert any(begin <= at < end for begin, end in lanes.get(e["tid"], [])), f"flow {number}: no slice at {e}"
    return events


# --- Chrome's own viewer

@dataclass(frozen=True)
class Viewer:
    browser: str
    page: Path

    def read(self, text: str) -> dict[str, Any]:
        """What the viewer has found in the drawing @text: lanes by tid, flows by id, and what it complains of."""
        script = SCRIPT.replace("DRAWING", json.dumps(text).replace("</", "<\\/"))
        old = (self.page.parent / "webcomponents.min.js").read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory(prefix="kdebug-viewer-") as tmp:
            page = Path(tmp, "page.html")
            page.write_text(f"<!DOCTYPE html><meta charset=utf-8><script>{old}</script>"
                            f"{self.page.read_text(encoding='utf-8')}<body><script>{script}</script></body>",
                            encoding="utf-8")
            done = subprocess.run([self.browser, "--headless=new", "--no-sandbox", "--disable-gpu",
                                   f"--user-data-dir={tmp}/profile", "--dump-dom", page.as_uri()],
                                  capture_output=True, text=True, timeout=LIMIT)
        found = re.search(r"<body>(\{.*\})</body>", done.stdout)
        assert found, f"the viewer says nothing (exit status {done.returncode}): {done.stderr[-500:]}"
        said: dict[str, Any] = json.loads(html.unescape(found[1]))
        return said


SCRIPT = """
window.addEventListener("load", function () {
  var said = {lanes: {}, flows: {}, complaints: []};
  try {
    var model = new tr.Model();
    new tr.importer.Import(model, new tr.importer.ImportOptions()).importTraces([DRAWING]);
    said.complaints = model.importWarnings.map(one => one.type + ": " + one.message);
    for (const lane of model.getAllThreads())
      said.lanes[lane.tid] = {name: lane.name, slices: lane.sliceGroup.slices.map(one => one.title)};
    for (const flow of model.flowEvents)
      (said.flows[flow.id] = said.flows[flow.id] || []).push([flow.startSlice.title, flow.endSlice.title]);
  } catch (err) {
    said.complaints.push(String(err));
  }
  document.body.textContent = JSON.stringify(said);
});
"""


def viewer() -> Viewer | str:
    """The viewer, or why there is none."""
    browser = shutil.which("chromium")
    if not browser:
        return "chromium is not installed"
    pages = sorted(VIEWERS.glob(PAGE))
    return Viewer(browser, pages[-1]) if pages else f"no {VIEWERS}/{PAGE}, which golang-1.19-src has"
