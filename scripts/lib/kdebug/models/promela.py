# SPDX-License-Identifier: GPL-2.0-only
"""The models in Promela: what their headers say, and an exhaustive search by Spin.

A header lists the properties and the negative controls, a line each. A control is a macro that breaks what
stands for one line of the kernel. The property must then fail, and no other property is looked at.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kdebug.host import processes, ui
from kdebug.models.quoted import Quote

MEGABYTES = 6000  # more is not exhaustive, and said to be so
DEPTH = 100000
LARGE = ("-O2", "-DCOLLAPSE")

_PROPERTY = re.compile(r" \*\t([a-z_]+)\t+\S")
_CONTROL = re.compile(r" \*\t([A-Z_]+)\t+([a-z_]+)\t+(\S+): (.+)")
_STATES = re.compile(r"^ *(\d\S*) states, stored", re.M)
_ERROR = re.compile(r"^pan:\d+: (.*) \(at depth \d+\)$", re.M)
_NAMED = re.compile(r"assertion violated \(.*\|\|(\w+)\)")
_UNREACHED = re.compile(r"^\t\S+?:(\d+), state \d+, \"(?!-end-)(.*)\"$", re.M)
_PARTIAL = re.compile(r"reached -DMEMLIM bound|max search depth too small|out of memory|Search not completed")


@dataclass(frozen=True)
class Control:
    """A macro @name that breaks the line @quote, and the property that must then fail."""

    name: str
    breaks: str
    quote: Quote


@dataclass(frozen=True)
class Model:
    """A model, and what its header says."""

    path: Path
    properties: list[str]
    controls: list[Control]


@dataclass(frozen=True)
class Search:
    """What a search found. @broken is the property that failed, or Spin's words for another error."""

    states: int
    broken: str
    whole: bool
    unreached: list[str]


def read(path: Path) -> Model:
    """The model @path; a Fail for a header that does not hold together."""
    header = path.read_text(encoding="utf-8").partition("*/")[0]
    lines = header.splitlines()
    properties = [found[1] for line in lines if (found := _PROPERTY.match(line))]
    controls = [Control(found[1], found[2], Quote(f"kernel/{found[3]}", found[4]))
                for line in lines if (found := _CONTROL.match(line))]
    for control in controls:
        if control.breaks not in properties:
            raise ui.Fail(f"{path.name}: {control.name}", f"breaks '{control.breaks}', which is no property",
                          f"use one of {' '.join(properties)}")
    if idle := [name for name in properties if not any(control.breaks == name for control in controls)]:
        raise ui.Fail(f"{path.name}: {idle[0]}", "no negative control", "add one to the header")
    return Model(path, properties, controls)


def parse(said: str) -> Search:
    """What Spin's verifier @said; a Fail if that is no result."""
    states = _STATES.search(said)
    if not states:
        raise ui.Fail("pan", f"no result ({processes.first_line(said)})", "run: make deps (package spin)")
    error = _ERROR.search(said)
    named = _NAMED.search(error[1]) if error else None
    broken = named[1] if named else error[1] if error else ""
    unreached = [f"line {line}: {code}" for line, code in _UNREACHED.findall(said)]
    # Where an error ends the search, it is not whole, and need not be.
    return Search(int(float(states[1])), broken, not _PARTIAL.search(said), unreached)


def _arguments(model: Model, control: Control | None) -> list[str]:
    if not control:
        return []
    others = [f"-D{name}=1" for name in model.properties if name != control.breaks]
    return [f"-D{control.name}", f"-DONLY={control.breaks}", *others]


def search(model: Model, bound: Sequence[str] = (), control: Control | None = None, large: bool = False) -> Search:
    """Try all orders of @model's steps within @bound, macros as NAME=1; stop at the first error.

    @large: there are so many that it pays to compile longer, and to spend time on memory.
    """
    with tempfile.TemporaryDirectory(prefix="kdebug-spin-") as folder:
        steps = [
            ["spin", *(f"-D{one}" for one in bound), *_arguments(model, control), "-a", str(model.path)],
            ["gcc", *(LARGE if large else ("-O0",)), "-w", "-DSAFETY", f"-DMEMLIM={MEGABYTES}", "-o", "pan", "pan.c"],
            ["./pan", f"-m{DEPTH}"]]
        said = ""
        for step in steps:
            status, out, err = processes.run([step], cwd=Path(folder))
            said = out + err
            if status and step is not steps[-1] or "Error:" in said:
                raise ui.Fail(f"{model.path.name}: {' '.join(step)}", processes.first_line(said), "mend the model")
    return parse(said)
