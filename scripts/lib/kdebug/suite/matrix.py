# SPDX-License-Identifier: GPL-2.0-only
"""Architectures by flavours by bases: the guest's tests on each, as a table.

A cell is a run of scripts/test with ARCH, FLAVOUR and BASE, in a directory of
its own below build/matrix/: what it printed, its report (report.py), the consoles.
A test already uses all CPUs, for the build and for as many guests at a time, so
the cells run one after the other.
"""

from __future__ import annotations

import contextlib
import dataclasses
import html
import itertools
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from kdebug.build import arch as archs
from kdebug.build.flavours import available
from kdebug.check.table import Table
from kdebug.context import BASES, Context, DEFAULT_BASE, WAIT
from kdebug.guest import ktap
from kdebug.guest.ktap import Test
from kdebug.host import lock, processes, ui
from kdebug.host.files import digest, load_json, save_json, write_atomic
from kdebug.suite import registry, store

DEFAULT = f"{archs.DEFAULT}:plain:{DEFAULT_BASE}"
REPORT = "results.ktap"  # below top(): all cells


def top(context: Context) -> Path:
    """Where the cells are, and what is made of them."""
    return context.root / "matrix"


@dataclass(frozen=True)
class Cell:
    arch: str
    flavour: str
    base: str

    @property
    def name(self) -> str:
        return f"{self.base}-{self.arch}-{self.flavour}"

    @property
    def row(self) -> str:
        return f"{self.arch} {self.base}"


@dataclass(frozen=True)
class Done:
    """What came of a cell; @status is scripts/test's."""

    status: int
    seconds: int
    tests: list[Test]

    @property
    def count(self) -> ktap.Count:
        return ktap.count(self.tests)

    @property
    def passed(self) -> bool:
        return not self.status and bool(self.count.passed) and not self.count.failed

    @property
    def broke(self) -> bool:
        """Whether it is red without a test that is."""
        return not self.passed and not self.count.failed

    def __str__(self) -> str:
        return str(self.count.passed) if self.passed else f"RED {self.count.failed or ''}".strip()


def parse(context: Context, text: str) -> list[Cell]:
    """The cells of all "ARCH,...:FLAVOUR,...:BASE,..." in @text, bases and architectures together."""
    cells = dict.fromkeys(cell for one in text.split() or [text] for cell in _product(context, one))
    # The cells of a row one after the other, each row where its first one is.
    rows = list(dict.fromkeys(cell.row for cell in cells))
    return sorted(cells, key=lambda cell: rows.index(cell.row))


def _product(context: Context, text: str) -> list[Cell]:
    parts = [[name for name in part.split(",") if name] for part in text.split(":")]
    if len(parts) != 3 or not all(parts):
        raise ui.Fail(f"MATRIX={text}", "not three lists with ':' between them",
                      f"write architectures:flavours:bases, as in {DEFAULT}")
    for name, known in ((name, known) for names, known in zip(parts, (
            list(archs.TABLE), available(context), list(BASES))) for name in names):
        if name not in known:
            raise ui.Fail(f"MATRIX={text}", f"'{name}' is not known", f"take some of {' '.join(known)}")
    machines, flavours, bases = parts
    return [Cell(a, f, b) for b, a, f in itertools.product(bases, machines, flavours)]


def key(context: Context, cell: Cell, groups: Sequence[str]) -> str:
    """What of this repository a cell depends on: the series, and all that it runs."""
    files = [p for d in (context.patches, context.bases, context.configs, context.kernel, context.scripts)
             for p in sorted(d.rglob("*")) if p.is_file() and "__pycache__" not in p.parts]
    return digest(cell.name, *groups, *(str(p.relative_to(context.repo)) for p in files),
                  *(p.read_bytes() for p in files))


def machine(context: Context, cell: Cell) -> str:
    """What else it depends on: the compiler, the emulator, the source of the base."""
    row = archs.get(cell.arch)
    said = [context.accelerator]
    for tool in ((context.compiler or f"{row.prefix}gcc").split(), [row.binary]):
        with contextlib.suppress(OSError, IndexError):
            said.append(subprocess.run([*tool, "--version"], capture_output=True, text=True).stdout if tool[0] else "")
    source = context.root / ("" if cell.base == DEFAULT_BASE else cell.base) / "src"
    stamps = sorted(p for p in source.glob("*.json") if not p.name.startswith("kdir-"))
    return digest(*said, *(p.read_bytes() for p in stamps))


def load(context: Context, cell: Cell, folder: Path, wanted: str) -> Done | None:
    """The @cell in @folder, if it has come to its end and is for @wanted, here."""
    stamp = load_json(folder / "cell.json")
    # Of a tree of the user's it is not known what has changed in it.
    if context.kdir or stamp.get("key") != wanted or stamp.get("machine") != machine(context, cell):
        return None
    return Done(int(stamp["status"]), int(stamp["seconds"]), _tests(folder))


def _tests(folder: Path) -> list[Test]:
    """What the tests of the cell in @folder said; none if they never began."""
    report = folder / "results" / store.LAST_RUN
    return ktap.load(report) if report.is_file() else []


def run(context: Context, cell: Cell, folder: Path, wanted: str, groups: Sequence[str]) -> Done:
    """Run the tests of @cell; what they print goes to @folder/log.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cell.json").unlink(missing_ok=True)
    for old in (folder / "results", folder / "runs"):
        shutil.rmtree(old, ignore_errors=True)
    env = os.environ | {"ARCH": cell.arch, "FLAVOUR": cell.flavour, "BASE": cell.base,
                        "KTHREAD_DEBUG_CELL": str(folder), WAIT: "1"}
    start = time.monotonic()
    with open(folder / "log.txt", "w", encoding="utf-8") as log:
        # Its compiler and its machine, first: scripts/test takes them as given.
        done = subprocess.run([context.scripts / "deps"], env=env | {"DEPS_FOR": "test"}, stdin=subprocess.DEVNULL,
                              stdout=log, stderr=subprocess.STDOUT)
        if not done.returncode:
            done = subprocess.run([context.scripts / "test", *groups], env=env, stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=subprocess.STDOUT, preexec_fn=processes.die_with_parent())
    found = Done(done.returncode, int(time.monotonic() - start), _tests(folder))
    save_json(folder / "cell.json", {"key": wanted, "machine": machine(context, cell), "status": found.status,
                                     "seconds": found.seconds})
    return found


# --- what is left for others to read

def report(cells: dict[Cell, Done]) -> str:
    """KTAP: a test for each cell, with its tests in it. A cell that broke off has failed, once."""
    return ktap.write([Test(cell.name, "ok" if done.passed else "not ok", plan=len(done.tests), tests=done.tests)
                       for cell, done in cells.items()])


def junit(cells: dict[Cell, Done]) -> bytes:
    """JUnit's XML: a suite for each cell; a cell that broke off is an error of its own."""
    top = ElementTree.Element("testsuites")
    for cell, done in cells.items():
        suite = ElementTree.SubElement(
            top, "testsuite", name=cell.name, tests=str(len(done.tests) + done.broke), failures=str(done.count.failed),
            errors=str(int(done.broke)), skipped=str(done.count.skipped), time=str(done.seconds))
        for test in done.tests:
            case = ElementTree.SubElement(suite, "testcase", classname=cell.name, name=xml_text(test.name),
                                          time=f"{test.took:.3f}")
            if test.failed:
                why = ElementTree.SubElement(case, "failure", message=f"{cell.name}/log.txt")
                why.text = xml_text("\n".join(test.why))
            elif test.result == "skip":
                ElementTree.SubElement(case, "skipped", message=xml_text(test.reason))
        if done.broke:
            case = ElementTree.SubElement(suite, "testcase", classname=cell.name, name="scripts/test")
            ElementTree.SubElement(case, "error", message=f"exit status {done.status}, see {cell.name}/log.txt")
    ElementTree.indent(top)
    return bytes(ElementTree.tostring(top, encoding="utf-8", xml_declaration=True)) + b"\n"


def xml_text(text: str) -> str:
    """@text without what XML cannot hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


STYLE = """body { font: 15px/1.4 sans-serif; margin: 2em; color: #222; background: #fff }
table { border-collapse: collapse } th, td { border: 1px solid #bbb; padding: .4em .7em; vertical-align: top }
th { background: #eee; text-align: left } .ok { background: #dff2df } .red { background: #f8d5d5 }
.small { font-size: 12px } @media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b }
a { color: #8bf } th { background: #333 } .ok { background: #1d3a1d } .red { background: #4a1f1f } }"""


def page(cells: dict[Cell, Done], top: Path) -> str:
    """One page: the table, from each cell to its log and its consoles below @top."""
    rows, flavours = (list(dict.fromkeys(names)) for names in (
        (c.row for c in cells), (c.flavour for c in cells)))
    by_place = {(c.row, c.flavour): c for c in cells}

    def field(row: str, flavour: str) -> str:
        cell = by_place.get((row, flavour))
        if not cell:
            return "<td></td>"
        done = cells[cell]
        count = done.count
        said = f"{count.passed} passed" if done.passed else \
            f"{count.passed} passed, {count.failed} failed, exit status {done.status}"
        logs = sorted((top / cell.name / "runs").glob("[0-9]*/console.log"))
        links = " ".join(f'<a href="{html.escape(str(p.relative_to(top)))}">{n}</a>' for n, p in enumerate(logs, 1))
        wrong = "".join(f"<br>{html.escape(test.name)}" for test in done.tests if test.failed)
        return (f'<td class="{"ok" if done.passed else "red"}"><a href="{html.escape(cell.name)}/log.txt">{said}</a>, '
                f'{count.skipped} skipped, {done.seconds} s'
                f'<div class="small">consoles: {links or "none"}{wrong}</div></td>')

    head = "".join(f"<th>{html.escape(f)}</th>" for f in flavours)
    body = "\n".join(f"<tr><th>{html.escape(row)}</th>{''.join(field(row, f) for f in flavours)}</tr>" for row in rows)
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>kthread-debug: matrix</title>\n'
            f"<style>\n{STYLE}\n</style></head>\n<body><h1>kthread-debug: matrix</h1>\n"
            f"<table><tr><th></th>{head}</tr>\n{body}\n</table></body></html>\n")


def write(cells: dict[Cell, Done], top: Path) -> None:
    top.mkdir(parents=True, exist_ok=True)
    write_atomic(top / REPORT, report(cells).encode())
    write_atomic(top / "junit.xml", junit(cells))
    write_atomic(top / "index.html", page(cells, top).encode())


def fill(context: Context, cells: Sequence[Cell], groups: Sequence[str] = (),
         run_cell: Callable[[Context, Cell, Path, str, Sequence[str]], Done] = run) -> dict[Cell, Done]:
    """Run those of @cells that are not done; show the table as it fills. No @groups: those of the matrix."""
    # A cell that two fill would hold a part of each.
    with lock.alone(top(context), "make matrix"):
        return _fill(context, cells, groups or registry.for_matrix(), top(context), run_cell)


def _fill(context: Context, cells: Sequence[Cell], groups: Sequence[str], top: Path,
          run_cell: Callable[[Context, Cell, Path, str, Sequence[str]], Done]) -> dict[Cell, Done]:
    rows = list(dict.fromkeys(cell.row for cell in cells))
    table = Table(rows, list(dict.fromkeys(cell.flavour for cell in cells)))
    done: dict[Cell, Done] = {}
    for cell in cells:
        row, folder, wanted = rows.index(cell.row), top / cell.name, key(context, cell, groups)
        found = load(context, cell, folder, wanted)
        # What was red is tried again.
        if not found or not found.passed:
            table.put(row, cell.flavour, "...")
            found = run_cell(context, cell, folder, wanted, groups)
        done[cell] = found
        table.put(row, cell.flavour, str(found))
        if not table.live:
            print(f"{cell.name}: {found}, {found.seconds} s", flush=True)
        write(done, top)
        if cell is cells[-1] or cells[cells.index(cell) + 1].row != cell.row:
            table.finished(row)
    return done
