# SPDX-License-Identifier: GPL-2.0-only
"""The quilt series: which patches there are, in which order and in which set."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kdebug.context import Context, SETS, short
from kdebug.host import ui

COVER = "0000-cover-letter.patch"


@dataclass(frozen=True)
class Set:
    """The patches of one folder of patches/, in their order."""

    name: str
    patches: tuple[Path, ...]

    @property
    def short(self) -> str:
        """The name without its number, as in SET=debug."""
        return short(self.name)

    @property
    def cover(self) -> Path:
        """The cover letter."""
        return self.patches[0].with_name(COVER)

    @property
    def needs(self) -> list[str]:
        """The names of the sets below this one, the lowest first."""
        found: list[str] = []
        below = SETS[self.name]
        while below:
            found.insert(0, below)
            below = SETS[below]
        return found


def parse(text: str) -> list[tuple[int, str]]:
    """Return (line number, patch name) for each line of @text that has one."""
    names = ((number, line.split("#", 1)[0].strip())
             for number, line in enumerate(text.splitlines(), 1))
    return [(number, name) for number, name in names if name]


def name(patch: Path) -> str:
    """What @patch is called: with its set, where it has one."""
    return f"{patch.parent.name}/{patch.name}" if patch.parent.name in SETS else patch.name


def _lines(file: Path, folder: Path, sets: bool) -> list[Path]:
    """The patches that @file names, all of them in @folder, and no others there."""
    try:
        lines = parse(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ui.Fail(str(file), "not there", f"run: git checkout -- {file.name}") from None
    except UnicodeDecodeError:
        raise ui.Fail(str(file), "not UTF-8 text", f"run: git checkout -- {file.name}") from None
    seen: dict[str, int] = {}
    last = ""
    for number, line in lines:
        here = f"{file.name}:{number}"
        quoted = shlex.quote(f"{folder.name}/{line}")
        drop = f"sed -i {number}d {file.name}"
        of, _, patch = line.rpartition("/")
        if (of not in SETS if sets else of) or " " in patch or patch.startswith("0000-") \
                or not patch.endswith(".patch"):
            form = f"SET/NNNN-subject.patch, SET one of {' '.join(SETS)}" if sets else "NNNN-subject.patch"
            raise ui.Fail(here, f"'{line}' is not the name of a patch ({form}, "
                          "without arguments, and not the cover letter)", f"mend the line, or run: {drop}")
        if line in seen:
            raise ui.Fail(here, f"{line} is on line {seen[line]} already", f"run: {drop}")
        if sets and last and list(SETS).index(of) < list(SETS).index(last):
            raise ui.Fail(here, f"{line} is behind the set {last}, and its set comes before that",
                          f"move the line up to the others of {of}")
        last = of
        seen[line] = number
        if not (folder / line).is_file():
            raise ui.Fail(here, f"{folder.name}/{line} is not there",
                          f"run: git checkout -- {quoted} or, to drop the line: {drop}")
    for path in sorted([*folder.glob("*.patch"), *(folder.glob("*/*.patch") if sets else ())]):
        line = str(path.relative_to(folder))
        if line in seen or path.name.startswith("0000-"):
            continue
        quoted = shlex.quote(line)
        if sets and path.parent.name not in SETS:
            raise ui.Fail(f"{folder.name}/{line}", "in the folder of no set",
                          f"move it into one of {' '.join(f'{folder.name}/{s}' for s in SETS)}")
        raise ui.Fail(f"{folder.name}/{line}", f"no line of {file.name} names it",
                      f"{_add(file.name, line, list(seen.items()))} or, to drop the patch: rm {folder.name}/{quoted}")
    return [folder / line for line in seen]


def _add(file: str, line: str, seen: list[tuple[str, int]]) -> str:
    """The command that puts @line into the series @file, among those of its set."""
    of = line.rpartition("/")[0]
    behind = [number for other, number in seen if of and other.rpartition("/")[0] <= of]
    if of and len(behind) < len(seen):
        return f"run: sed -i {shlex.quote(f'{max(behind, default=0) + 1}i{line}')} {file}"
    return f"run: echo {shlex.quote(line)} >>{file}"


def group(patches: Iterable[Path]) -> list[Set]:
    """All sets, each with its own of @patches, which may be none."""
    listed = list(patches)
    return [Set(name, tuple(p for p in listed if p.parent.name == name)) for name in SETS]


def sets(context: Context) -> list[Set]:
    """Return all sets in order; fail if series and patches/ differ.

    0000-* is a set's cover letter, which no series names.
    """
    return group(_lines(context.series, context.patches, True))


def flat(these: Iterable[Set]) -> list[Path]:
    """The patches of @these, in order."""
    return [patch for one in these for patch in one.patches]


def read(context: Context) -> list[Path]:
    """The patches of the whole series, in order."""
    return flat(sets(context))


def upto(name: str, these: Sequence[Set]) -> list[Set]:
    """Of @these the set @name behind those that it needs; all of them for ""."""
    return [one for one in these if not name or one.name == name
            or one.name in next(s for s in these if s.name == name).needs]


def chosen(context: Context) -> list[Set]:
    """The sets that SET= asks for."""
    return upto(context.set, sets(context))


def options(patches: Iterable[Path]) -> set[str]:
    """The options that @patches add to a Kconfig, each as it stands in a .config."""
    return {f"CONFIG_{name}" for patch in patches
            for name in re.findall(r"^\+(?:menu)?config (\w+)$", patch.read_text(errors="surrogateescape"), re.M)}


def lacking(context: Context) -> set[str]:
    """The options of the series that the sets of SET= do not have."""
    return options(read(context)) - options(flat(chosen(context))) if context.set else set()


def experiments(context: Context) -> list[Path]:
    """The other series: what is patched for an experiment and never sent."""
    return _lines(context.experiments / "series", context.experiments, False)
