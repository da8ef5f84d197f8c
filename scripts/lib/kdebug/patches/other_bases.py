# SPDX-License-Identifier: GPL-2.0-only
"""The series on another base: bases/<BASE>/ has what differs there, and no more.

It has a folder for each set that differs, as patches/ has. For a patch whose
surroundings differ there is a file of its name, .context instead of .patch. It tells for single hunks what is around them there: "..."
stands for the next run of lines that the patch's own hunk adds or removes,
so that none of them is kept twice:

    diff --git a/kernel/Makefile b/kernel/Makefile
    @@ 1 @@
     obj-$(CONFIG_USERMODE_DRIVER) += usermode_driver.o
    ...
     obj-$(CONFIG_MULTIUSER) += groups.o

A line "Without: path" above takes a file out that is not there, and "Without: path
@@ 3 @@" a hunk of it. What has to be different besides is in patches of its own,
*.patch in the set's folder, on top of that set; where another base has the same need,
it has a link to that file.

Of all other hunks up to two lines of the context may differ (patch's fuzz):
the neighbours' do, on another base.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from kdebug.context import Context, DEFAULT_BASE, SETS
from kdebug.host import ui
from kdebug.patches import series

FUZZ = 2

_SECTION = re.compile(r"^(?=diff --git )", re.M)
_HUNK = re.compile(r"^(?=@@ )", re.M)
_FILE = re.compile(r"diff --git a/(\S+) b/(\S+)\n")
_NUMBER = re.compile(r"@@ (\d+) @@\n")
_RANGE = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_WITHOUT = re.compile(r"^Without: (\S+?)(?: @@ (\d+) @@)?$", re.M)
_RUN = re.compile(r"(?:^[-+].*\n)+", re.M)


def fuzz(context: Context) -> int:
    """How many lines of a hunk's context may differ."""
    return 0 if context.base == DEFAULT_BASE else FUZZ


def _sections(text: str) -> tuple[str, dict[str, list[str]]]:
    """What is above the first section; and of each file its header and its hunks."""
    # The line that git puts below all, "-- ", looks like one that is removed.
    head, *rest = _SECTION.split(re.sub(r"^-- \n.*\Z", "", text, flags=re.M | re.S))
    return head, {file[2]: _HUNK.split(section) for section in rest if (file := _FILE.match(section))}


def _around(hunk: str, around: str, what: str) -> str:
    """The hunk @hunk with the lines around it that @around gives."""
    heading, _, body = hunk.partition("\n")
    runs = _RUN.findall(body)
    lines = around.splitlines(keepends=True)
    if lines.count("...\n") != len(runs):
        raise ui.Fail(what, f"{lines.count('...' + chr(10))} times '...', and the patch's hunk has {len(runs)} "
                      "runs of changed lines", "give one line '...' for each")
    if any(line != "...\n" and line[:1] != " " for line in lines):
        raise ui.Fail(what, "a line of context begins with a space", "mend that line")
    text = "".join(runs.pop(0) if line == "...\n" else line for line in lines)
    old, new = (len(re.findall(rf"^[ {sign}]", text, re.M)) for sign in "-+")
    where = _RANGE.match(heading)
    assert where, heading
    return f"@@ -{where[1]},{old} +{where[2]},{new} @@\n{text}"


def merge(patch: str, other: str, what: str) -> str:
    """The patch @patch in the surroundings that @other tells, the file @what."""
    head, sections = _sections(patch)
    text, changes = _sections(other)
    for path, hunk in _WITHOUT.findall(text):
        own = sections.get(path)
        if own is None:
            raise ui.Fail(what, f"Without: {path}: the patch does not touch that file", "drop that line")
        if not hunk:
            del sections[path]
        elif not 1 <= int(hunk) < len(own):
            raise ui.Fail(what, f"Without: {path} @@ {hunk} @@: the patch has {len(own) - 1} hunks for that file",
                          "mend that number")
        else:
            own[int(hunk)] = ""
    for path, (_, *hunks) in changes.items():
        own = sections.get(path)
        if own is None:
            raise ui.Fail(what, f"{path}: the patch does not touch that file", "drop that section")
        for around in hunks:
            number = _NUMBER.match(around)
            if not number or not 1 <= int(number[1]) < len(own):
                raise ui.Fail(what, f"{path}: '{around.splitlines()[0]}' is none of the patch's "
                              f"{len(own) - 1} hunks", "write @@ and its number, @@ 1 @@ for the first")
            own[int(number[1])] = _around(own[int(number[1])], around[number.end():], f"{what}: {path} {number[0]}")
    return head + "".join("".join(section) for section in sections.values())


def bodies(context: Context, patches: Iterable[Path]) -> list[tuple[str, bytes]]:
    """Name and content of each of @patches, as the base wants it."""
    found: list[tuple[str, bytes]] = []
    folder = context.bases / context.base
    for patch in patches:
        name, body = series.name(patch), patch.read_bytes()
        other = folder / Path(name).with_suffix(".context")
        if other.is_file():
            what = f"bases/{other.relative_to(context.bases)}"
            body = merge(body.decode(), other.read_text(encoding="utf-8"), what).encode()
            if b"\ndiff --git " not in body:
                continue  # nothing is left of it
        found.append((name, body))
    return found


def adapted(context: Context, sets: Iterable[series.Set]) -> list[tuple[str, bytes]]:
    """The same for all of @sets, each with what is on top of it there."""
    folder = context.bases / context.base
    found: list[tuple[str, bytes]] = []
    for one in sets:
        names = {patch.stem for patch in one.patches}
        for path in sorted((folder / one.name).glob("*.context")):
            if path.stem not in names:
                raise ui.Fail(f"bases/{path.relative_to(context.bases)}", "no patch of the set has this name",
                              "rename it as its patch was, or remove it")
        found += bodies(context, one.patches)
        found += [(f"{one.name}/{path.name}", path.read_bytes())
                  for path in sorted((folder / one.name).glob("*.patch"))]
    for path in sorted(folder.glob("*")):
        if path.name != "config" and path.name not in SETS:
            raise ui.Fail(f"bases/{path.relative_to(context.bases)}", "of no set",
                          f"move it into the folder of its set, one of {' '.join(SETS)}")
    return found
