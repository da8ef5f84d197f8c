# SPDX-License-Identifier: GPL-2.0-only
"""The figures that change with each build: scripts/test cost measures them, the
cover letter states them.

In a cover letter they stand in a table below a line that ends in MARK, one a
line: a label, two blanks or more, the value. The labels are the letter's choice;
the values, and the tools in the line with MARK, are written here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from kdebug.build import arch, make
from kdebug.context import Context
from kdebug.guest import qemu
from kdebug.host import files, ui
from kdebug.patches import series

MARK = "(scripts/figures):"
_ROW = re.compile(r"( +)(\S.*?)  +\S.*")


def key(context: Context) -> str:
    """The series without its cover letters, which state what is measured of it."""
    patches = series.read(context)
    return files.digest(*(series.name(p) for p in patches), *(p.read_bytes() for p in patches))


def tools(context: Context) -> str:
    """What else the figures depend on."""
    cc = re.search(r"\d+\.\d+\.\d+", make.compiler(context))
    version = re.search(r"\d+\.\d+\.\d+", qemu.find(arch.get(arch.DEFAULT))[1])
    return f"gcc {cc[0] if cc else '?'}, QEMU {version[0] if version else '?'}"


def sizes(objects: Sequence[tuple[int, int, int]], base: Sequence[tuple[int, int, int]]) -> str:
    """How much larger than @base the @objects are together: text, data and bss."""
    def total(rows: Sequence[tuple[int, int, int]]) -> list[int]:
        return [sum(column) for column in zip(*rows)]
    return " ".join(f"{a - b:+}" for a, b in zip(total(objects), total(base)))


def _file(context: Context) -> Path:
    """Where the last measurement is kept."""
    return context.root / "figures.json"


def save(context: Context, figures: Mapping[str, str]) -> None:
    file = _file(context)
    file.parent.mkdir(parents=True, exist_ok=True)
    files.save_json(file, {"series": key(context), "tools": tools(context), "figures": dict(figures)})


def load(context: Context) -> tuple[str, dict[str, str]]:
    """The tools and figures of the last measurement; a Fail if it was of another series."""
    stamp = files.load_json(_file(context))
    found = stamp.get("figures")
    if stamp.get("series") != key(context) or not isinstance(found, dict):
        raise ui.Fail("figures", "nothing has been measured of this state of the series", "run: scripts/test cost")
    return str(stamp.get("tools")), {str(label): str(value) for label, value in found.items()}


def letters(context: Context) -> list[Path]:
    return sorted(context.patches.rglob("0000-cover-letter.patch"))


def stated(text: str) -> str:
    """The tools that the table in @text is of, "" without a table."""
    m = re.search(rf"^Measured with (.*) {re.escape(MARK)}$", text, re.M)
    return m[1] if m else ""


def elsewhere(context: Context) -> str:
    """Why the cover letters cannot be compared here: they state what other tools gave; "" if they can."""
    mine, theirs = tools(context), {stated(letter.read_text()) for letter in letters(context)} - {""}
    return f"states {', '.join(sorted(theirs))}, here is {mine}" if theirs and theirs != {mine} else ""


def update(text: str, measured_with: str, figures: Mapping[str, str]) -> str:
    """@text with these figures in its table; a Fail for a label that has none."""
    out: list[str] = []
    rows = -1  # in the table so far; -1 outside
    for line in text.splitlines():
        if line.endswith(MARK):
            line, rows = f"Measured with {measured_with} {MARK}", 0
        elif rows >= 0 and (m := _ROW.fullmatch(line)):
            if m[2] not in figures:
                raise ui.Fail("figures", f"nothing measured is called {m[2]!r}", f"take some of: {'; '.join(figures)}")
            width = m.end(2) - m.start(2) + re.match(r" +", line[m.end(2):]).end()  # type: ignore[union-attr]
            line, rows = f"{m[1]}{m[2]:<{width}}{figures[m[2]]}", rows + 1
        elif rows > 0:
            rows = -1
        elif rows == 0 and line:
            break
        out.append(line)
    if not rows:
        raise ui.Fail("figures", f"no table below the line with {MARK!r}", "write: a label, two blanks, a value")
    return "\n".join(out) + "\n"


def outdated(context: Context, write: bool = False) -> list[str]:
    """What the cover letters state that was not measured; @write corrects it."""
    with_table = [letter for letter in letters(context) if MARK in letter.read_text()]
    if not with_table:
        raise ui.Fail("figures", f"no cover letter has a line with {MARK!r}", "put the table back")
    measured_with, found = load(context)
    wrong: list[str] = []
    for letter in with_table:
        old = letter.read_text()
        new = update(old, measured_with, found)
        if new != old:
            name = letter.relative_to(context.patches.parent)
            wrong += [f"{name}: '{a.strip()}' was measured as '{b.strip()}'"
                      for a, b in zip(old.splitlines(), new.splitlines()) if a != b]
            if write:
                letter.write_text(new)
    return wrong
