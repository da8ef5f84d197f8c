# SPDX-License-Identifier: GPL-2.0-only
"""The litmus tests: what each quotes and its negative controls, and what herd7 says by the kernel's own memory model.

A line with "// control: STATEMENT" is replaced by that statement in one control, and the bad outcome must be
possible then, or a data race.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kdebug.host import processes, ui
from kdebug.models.quoted import Quote

MEMORY_MODEL = "tools/memory-model"

_CODE = re.compile(r"^ \* Code: (\S+) (\w+)\(\) (.+)$", re.M)
_CONTROL = re.compile(r"^(\t+).*// control: (.+)$")
_NAMED = re.compile(r"Litmus tests?: ([a-z-]+(?:, [a-z-]+)*)")
_OBSERVATION = re.compile(r"^Observation \S+ (Never|Sometimes|Always) (\d+) (\d+)$", re.M)


@dataclass(frozen=True)
class Test:
    """A litmus test, and the variants of it that are its negative controls, by the line that is replaced."""

    name: str
    text: str
    quotes: list[Quote]
    controls: dict[int, str]


@dataclass(frozen=True)
class Said:
    """Whether the bad outcome is possible, or a data race; and in how many executions it is looked for."""

    possible: bool
    executions: int


def read(path: Path) -> Test:
    """The litmus test @path; a Fail for one that quotes nothing, or has no control."""
    text = path.read_text(encoding="utf-8")
    quotes = [Quote(found[1], found[3]) for found in _CODE.finditer(text)]
    lines = text.splitlines()
    controls = {}
    for number, line in enumerate(lines):
        if found := _CONTROL.match(line):
            controls[number + 1] = "\n".join([*lines[:number], found[1] + found[2], *lines[number + 1:], ""])
    if not text.startswith(f"C {path.stem}\n"):
        raise ui.Fail(str(path.name), "has another name inside", f"begin it with 'C {path.stem}'")
    if not quotes or not controls:
        raise ui.Fail(str(path.name), "no line 'Code:'" if not quotes else "no line with '// control:'", "add one")
    return Test(path.stem, text, quotes, controls)


def statements(text: str) -> list[str]:
    """The statements of the controls in the litmus test @text."""
    return [found[2] for line in text.splitlines() if (found := _CONTROL.match(line))]


def named(tree: Path) -> set[str]:
    """The litmus tests that the comments of the patched kernel in @tree name."""
    names: set[str] = set()
    for path in tree.glob("kernel/kthread*.[ch]"):
        text = re.sub(r"\s*\n[ \t]*\*?\s*", " ", path.read_text(encoding="utf-8"))
        for found in _NAMED.finditer(text):
            names.update(found[1].split(", "))
    return names


def parse(name: str, said: str) -> Said:
    """What herd7 @said of the test @name; a Fail if that is no result."""
    found = _OBSERVATION.search(said)
    if not found:
        raise ui.Fail(name, f"herd7 has no result ({processes.first_line(said)})", "mend the litmus test")
    return Said(found[1] != "Never" or "Flag data-race" in said, int(found[2]) + int(found[3]))


def judge(herd: Path, tree: Path, name: str, text: str) -> Said:
    """What herd7 says of the test @text by the memory model of the kernel in @tree."""
    with tempfile.NamedTemporaryFile("w", prefix="kdebug-", suffix=".litmus") as file:
        file.write(text)
        file.flush()
        _, out, err = processes.run([[str(herd), "-conf", "linux-kernel.cfg", file.name]], cwd=tree / MEMORY_MODEL)
    return parse(name, out + err)
