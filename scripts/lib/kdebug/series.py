# SPDX-License-Identifier: GPL-2.0-only
"""The quilt series: which patches there are, in which order."""

from __future__ import annotations

import shlex
from pathlib import Path

from kdebug import paths, ui


def parse(text: str) -> list[tuple[int, str]]:
    """Return (line number, patch name) for each line of @text that has one."""
    names = ((number, line.split("#", 1)[0].strip())
             for number, line in enumerate(text.splitlines(), 1))
    return [(number, name) for number, name in names if name]


def read(file: Path | None = None, patches: Path | None = None) -> list[Path]:
    """Return the series' patches in order; fail if series and patches/ differ.

    0000-* is the cover letter, which no series names.
    """
    file = file or paths.SERIES
    patches = patches or paths.PATCHES
    try:
        lines = parse(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ui.Fail(str(file), "not there", f"run: git checkout -- {file.name}") from None
    except UnicodeDecodeError:
        raise ui.Fail(str(file), "not UTF-8 text", f"run: git checkout -- {file.name}") from None
    seen: dict[str, int] = {}
    for number, name in lines:
        here = f"{file.name}:{number}"
        quoted = shlex.quote(f"{patches.name}/{name}")
        drop = f"sed -i {number}d {file.name}"
        if "/" in name or " " in name or name.startswith("0000-") or not name.endswith(".patch"):
            raise ui.Fail(here, f"'{name}' is not the name of a patch (NNNN-subject.patch, "
                          "without arguments, and not the cover letter)",
                          f"mend the line, or run: {drop}")
        if name in seen:
            raise ui.Fail(here, f"{name} is on line {seen[name]} already", f"run: {drop}")
        seen[name] = number
        if not (patches / name).is_file():
            raise ui.Fail(here, f"{patches.name}/{name} is not there",
                          f"run: git checkout -- {quoted} or, to drop the line: {drop}")
    for path in sorted(patches.glob("*.patch")):
        if path.name not in seen and not path.name.startswith("0000-"):
            quoted = shlex.quote(path.name)
            raise ui.Fail(f"{patches.name}/{path.name}", f"no line of {file.name} names it",
                          f"run: echo {quoted} >>{file.name} or, to drop the patch: "
                          f"rm {patches.name}/{quoted}")
    return [patches / name for _, name in lines]


def experiments() -> list[Path]:
    """The other series: what is patched for an experiment and never sent."""
    return read(paths.EXPERIMENTS / "series", paths.EXPERIMENTS)
