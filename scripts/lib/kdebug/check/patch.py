# SPDX-License-Identifier: GPL-2.0-only
"""The columns that read the patch itself: size, style, options."""

from __future__ import annotations

import fnmatch
import os
import re
from pathlib import Path

from kdebug.check.step import Red, Skip, Step
from kdebug.patches import apply, series


def applies(step: Step, _: str) -> list[str]:
    """Without fuzz and without an offset."""
    if step.applied.notes:
        raise Red("\n".join(step.applied.notes))
    return []


def size(step: Step, _: str) -> list[str]:
    """A patch, and a set, that somebody reads in one go."""
    if step.patch is None:
        raise Skip
    changed = apply.changed(step.patch.read_text(errors="surrogateescape"))
    lines, most, what = sum(changed.values()), 700, "a patch"
    if all(name.startswith(("Documentation/", "tools/testing/", "samples/", "kernel/tests/"))
           or Path(name).name.partition(".")[0] in ("Makefile", "Kconfig", "MAINTAINERS") for name in changed):
        most, what = 900, "a patch of tests or documents"
    if lines > most:
        raise Red(f"{lines} changed lines, and {what} has at most {most}: split it in the tree of make tree")
    one = step.set
    if len(one.patches) > 10 and one.needs:  # the lowest set has fixes, each for itself
        raise Red(f"patch {len(one.patches)} of {one.name}, and a set has at most 10: join two, or move one to "
                  "another set, in the tree of make tree")
    return []


WORDS = Path("/usr/lib/python3/dist-packages/codespell_lib/data/dictionary.txt")


def excuses(text: str, patch: str) -> list[str]:
    """The types of reports that stand in the patch of this name, by checkpatch-excuses.txt."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [kind for kind, *of in lines if any(fnmatch.fnmatch(patch, f"{where}-*") for where in of)]


def style(step: Step, _: str) -> list[str]:
    """checkpatch --strict --codespell; checkpatch-excuses.txt has the excuses.

    A missing sign-off is the sender's to add. The repository around is none of
    checkpatch's business.
    """
    if step.patch is None:
        raise Skip
    if not WORDS.is_file():  # without it checkpatch only says that it finds no typo
        raise Red(f"{WORDS}: missing; install codespell")
    excused = excuses((step.context.scripts / "checkpatch-excuses.txt").read_text(), series.name(step.patch))
    step.run_tool("style", [step.base / "scripts/checkpatch.pl", "--strict", "--no-signoff", "--codespell",
                         "--codespellfile", WORDS, "--quiet", "--no-summary", "--show-types", "--ignore",
                         ",".join(excused or ["NONE"]), step.patch], step.top,
                  env=os.environ | {"GIT_DIR": "/nonexistent"})
    return []


def kconfig(step: Step, _: str) -> list[str]:
    """Options that are named are defined, and those that are defined are used."""
    if step.patch is None:
        raise Skip
    body = step.patch.read_text(errors="surrogateescape")
    added = "\n".join(line[1:] for line in body.splitlines() if line.startswith("+") and not line.startswith("+++"))
    found = step.run_tool("kconfig", ["grep", "-rhoE", "--include=Kconfig*", r"^\s*(menu)?config \w+", "."], step.tree)
    defined = set(re.findall(r"config (\w+)", found))
    if lost := sorted({o for o in re.findall(r"\bCONFIG_([A-Z0-9_]+)\b", added) if o not in defined}):
        raise Red(f"not defined by any Kconfig: {' '.join(lost)}")
    for option in re.findall(r"^config (\w+)$", added, re.M):
        files = [step.tree / n for n in apply.touched(body) if not Path(n).name.startswith("Kconfig")]
        if not any(f.is_file() and f"CONFIG_{option}" in f.read_text(errors="replace") for f in files):
            raise Red(f"{option} is used nowhere in this patch")
    return []
