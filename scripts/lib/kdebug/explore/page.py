# SPDX-License-Identifier: GPL-2.0-only
"""The results of all scenarios for others to read: a page, KTAP, JUnit's XML."""

from __future__ import annotations

import html
from pathlib import Path
from xml.etree import ElementTree

from kdebug.context import Context
from kdebug.explore import guest
from kdebug.explore.excuses import Excuse
from kdebug.explore.results import CONSOLE, INDEX, REPLAY, Cell, Sheet
from kdebug.explore.scenario import LIBRARY, Scenario
from kdebug.explore.trial import FAULTS, Trial
from kdebug.guest import ktap
from kdebug.guest.bad_lines import Rules
from kdebug.host.files import load_json, write_atomic
from kdebug.suite.matrix import xml_text

PAGE, KTAP, JUNIT = "index.html", "results.ktap", "junit.xml"


def load(context: Context) -> list[Sheet]:
    """The sheets of all scenarios that have results."""
    found = []
    for index in sorted(guest.folder(context).glob(f"*/{INDEX}")):
        stamp = load_json(index)
        one = Scenario(index.parent.name, Path(stamp.get("path", "")), "", stamp.get("title", index.parent.name))
        sheet = Sheet(one, index.parent, stamp.get("key", ""))
        if sheet.load() and 0 in sheet.ends:
            found.append(sheet)
    return found


def write(context: Context, rules: Rules, excused: list[Excuse]) -> None:
    """Write all three."""
    sheets = {sheet.scenario.name: (sheet, sheet.cells(rules, excused)) for sheet in load(context)}
    top = guest.folder(context)
    write_atomic(top / PAGE, page(list(sheets.values())).encode())
    cells = {name: cells for name, (_, cells) in sheets.items()}
    write_atomic(top / KTAP, report(cells).encode())
    write_atomic(top / JUNIT, junit(cells))


def _name(cell: Cell) -> str:
    return f"{cell.trial.number} {cell.trial.label} {cell.trial.row}" if cell.trial.number else "0 control"


def report(sheets: dict[str, list[Cell]]) -> str:
    """KTAP: a block for each scenario, a test for each trial."""
    def test(cell: Cell) -> ktap.Test:
        if cell.passed and cell.findings:
            return ktap.Test(_name(cell), "skip", str(cell.worst))
        return ktap.Test(_name(cell), "ok" if cell.passed else "not ok", took=cell.seconds,
                         why=[] if cell.passed else [str(cell.worst), *cell.worst.more])
    return ktap.write([ktap.Test(name, "ok" if all(cell.passed for cell in cells) else "not ok", plan=len(cells),
                                 tests=[test(cell) for cell in cells]) for name, cells in sheets.items()])


def junit(sheets: dict[str, list[Cell]]) -> bytes:
    """JUnit's XML: a suite for each scenario."""
    top = ElementTree.Element("testsuites")
    for name, cells in sheets.items():
        bad = [cell for cell in cells if not cell.passed]
        skipped = sum(cell.passed and bool(cell.findings) for cell in cells)
        suite = ElementTree.SubElement(top, "testsuite", name=name, tests=str(len(cells)), failures=str(len(bad)),
                                       errors="0", skipped=str(skipped))
        for cell in cells:
            case = ElementTree.SubElement(suite, "testcase", classname=name, name=xml_text(_name(cell)),
                                          time=f"{cell.seconds:.3f}")
            if not cell.passed:
                why = ElementTree.SubElement(case, "failure", message=xml_text(str(cell.worst)))
                why.text = xml_text("\n".join(cell.worst.more))
            elif cell.findings:
                ElementTree.SubElement(case, "skipped", message=xml_text(str(cell.worst)))
    ElementTree.indent(top)
    return bytes(ElementTree.tostring(top, encoding="utf-8", xml_declaration=True)) + b"\n"


STYLE = """body { font: 15px/1.4 sans-serif; margin: 1.5em; color: #222; background: #fff }
.wide { overflow-x: auto } table { border-collapse: collapse; margin: .5em 0 1em }
th, td { border: 1px solid #bbb; padding: .25em .5em; vertical-align: top; text-align: left }
th { background: #eee; font-weight: 600 } h2 { font-size: 1.15em; margin: 1.6em 0 .2em }
a { color: #0645ad } .small { font-size: 12px } li { overflow-wrap: anywhere; margin: .3em 0 }
pre { font-size: 12px; overflow-x: auto; margin: .2em 0 }
.ok { background: #dff2df } .excused { background: #e8eef7 } .none { background: #eee } .soft { background: #fdf1cf }
.red { background: #f8d5d5 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b } a { color: #8bf }
th { background: #333 }
.ok { background: #1d3a1d } .excused { background: #22304a } .none { background: #2a2a2a } .soft { background: #4a3d14 }
.red { background: #4a1f1f } }"""

_SOFT = ("half success", "left over", "another errno", "does not work again", "not reached")


def _class(cell: Cell) -> str:
    if not cell.findings:
        return "excused" if cell.reasons else "ok"
    if cell.passed:
        return "none"
    return "soft" if cell.worst.kind in _SOFT else "red"


def _cell(sheet: Sheet, cell: Cell | None, columns: int = 1) -> str:
    if cell is None:
        return "<td></td>"
    span = f' colspan="{columns}"' if columns > 1 else ""
    where = f"{html.escape(sheet.scenario.name)}/{cell.trial.number}"
    title = "; ".join([*map(str, cell.findings), *(f"excused: {reason}" for reason in cell.reasons)])
    word = f'<a href="#{html.escape(sheet.scenario.name)}-{cell.trial.number}">{html.escape(cell.word)}</a>' \
        if cell.findings or cell.reasons else html.escape(cell.word)
    return (f'<td{span} class="{_class(cell)}" title="{html.escape(title)}">{word}<div class="small">'
            f'<a href="{where}/{CONSOLE}">console</a> <a href="{where}/{REPLAY}">replay</a></div></td>')


def _finding(sheet: Sheet, cell: Cell) -> str:
    name = html.escape(sheet.scenario.name)
    path = sheet.scenario.path
    given = name if path.parent.name == LIBRARY else html.escape(str(path))
    trial = cell.trial
    what = html.escape(f"{trial.number}: {trial.label} of {trial.row}" if trial.number else "0: control")
    lines = "<br>".join(html.escape(str(finding)) for finding in cell.findings[:5])
    reasons = "".join(f"<br>excused: {html.escape(reason)}" for reason in cell.reasons)
    more = "\n".join(cell.worst.more)
    pre = f"<pre>{html.escape(more)}</pre>" if more else ""
    return (f'<li id="{name}-{trial.number}"><b>{what}</b>: {lines}{reasons}{pre}'
            f'<div class="small">again: <code>scripts/explore {given} --replay {trial.number}</code></div></li>')


def _sheet(sheet: Sheet, cells: list[Cell]) -> str:
    labels = [Trial(0, fault, arg).label for fault, arg in FAULTS]
    control = next(cell for cell in cells if not cell.trial.number)
    rows = list(dict.fromkeys(cell.trial.row for cell in cells if cell.trial.number))
    by_place = {(cell.trial.row, cell.trial.label): cell for cell in cells}
    head = "".join(f"<th>{html.escape(label)}</th>" for label in labels)
    body = "".join(f"<tr><th>{html.escape(row)}</th>"
                   + "".join(_cell(sheet, by_place.get((row, label))) for label in labels) + "</tr>\n" for row in rows)
    told = [cell for cell in cells if cell.findings or cell.reasons]
    found = "".join(_finding(sheet, cell) for cell in told if cell.findings and not cell.passed or cell.reasons)
    name = html.escape(sheet.scenario.name)
    return (f'<h2 id="{name}">{name}: {html.escape(sheet.scenario.title)}</h2>\n<div class="wide"><table>'
            f"<tr><th>creation</th>{head}</tr>\n<tr><th>control</th>{_cell(sheet, control, len(labels))}"
            f'</tr>\n{body}</table></div>\n'
            + (f"<ul>{found}</ul>\n" if found else ""))


def page(sheets: list[tuple[Sheet, list[Cell]]]) -> str:
    """One page: for each scenario its creations by faults, and what is to be looked at."""
    count = [cell for _, cells in sheets for cell in cells]
    bad = sum(not cell.passed for cell in count)
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width"><title>kthread-debug: explore</title>\n'
            f"<style>\n{STYLE}\n</style></head>\n<body><h1>kthread-debug: explore</h1>\n"
            f"<p>{len(sheets)} scenarios, {len(count)} trials, {bad} to look at. A row is a creation of a kernel"
            f" thread, a column what happens to it.</p>\n"
            + "".join(_sheet(sheet, cells) for sheet, cells in sheets) + "</body></html>\n")
