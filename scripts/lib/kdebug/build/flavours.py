# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel is configured from: the fragments of configs/, and what a flavour is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from kdebug.build import arch
from kdebug.context import Context
from kdebug.host import ui

# The fragments of the kernel's own make tinyconfig.
TINY = ("kernel/configs/tiny-base.config", "kernel/configs/tiny.config", "arch/{source}/configs/tiny.config")
# The fragment that those of the architectures are on top of.
COMMON = "guest"

_SET = re.compile(r"(CONFIG_\w+)=(.*)")
_UNSET = re.compile(r"# (CONFIG_\w+) is not set")
# What a fragment says of itself, each on a line of its own.
_ON_TOP = re.compile(r"# On top of: (\S+)")
_ADDITION = "# On top of a flavour"

_WITHOUT = re.compile(r"^# Without: (CONFIG_\w+)$", re.M)


def options(text: str) -> dict[str, str]:
    """The options of a fragment or a .config; "n" for one that is not set."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if m := _SET.fullmatch(line.strip()):
            found[m[1]] = m[2]
        elif m := _UNSET.fullmatch(line.strip()):
            found[m[1]] = "n"
    return found


def available(context: Context) -> list[str]:
    """What FLAVOUR can be."""
    return sorted(p.stem for p in context.configs.glob("*.config")
                  if p.stem not in (COMMON, *arch.TABLE) and _ADDITION not in p.read_text())


def fragments(context: Context, flavour: str, additions: Sequence[str] = ()) -> list[Path]:
    """The architecture's file and those for @flavour and the @additions to it, each
    behind the one it says it is on top of."""
    found: list[Path] = []

    def add(name: str, what: str, able: bool = True) -> None:
        path = context.configs / f"{name}.config"
        if not able or not re.fullmatch(r"[\w-]+", name) or not path.is_file():
            raise ui.Fail(what, "no such flavour", f"use one of {' '.join(available(context))}")
        if path in found:
            return
        for line in path.read_text().splitlines():
            if m := _ON_TOP.fullmatch(line):
                add(m[1], f"configs/{path.name}: on top of {m[1]}")
        found.append(path)

    row = arch.of(context).name
    add(row, f"ARCH={row}")
    add(flavour, f"FLAVOUR={flavour}", flavour in available(context))
    for name in additions:
        add(name, f"fragment {name}")
    of_base = context.bases / context.base / "config"
    return [*found, of_base] if of_base.is_file() else found


def flavours_with(context: Context, *wanted: str) -> list[str]:
    """Those flavours whose fragments switch one of the options @wanted on."""
    def on(name: str) -> dict[str, str]:
        return {o: v for f in fragments(context, name) for o, v in options(f.read_text()).items()}
    return [name for name in available(context) if any(on(name).get(option) == "y" for option in wanted)]


def verify(files: Iterable[Path], config: str, lacking: Iterable[str] = ()) -> None:
    """Every option that @files want has to stand in @config as they want it,
    but for @lacking and those that one of them says the base is without."""
    texts = {file: file.read_text() for file in files}
    wanted = {opt: (value, file) for file, text in texts.items() for opt, value in options(text).items()}
    for opt in (*_WITHOUT.findall("\n".join(texts.values())), *lacking):
        wanted.pop(opt, None)
    got = options(config)
    lost = [opt for opt, (value, _) in wanted.items() if got.get(opt, "n") != value]
    if lost:
        value, file = wanted[lost[0]]
        more = f" (and {len(lost) - 1} more: {' '.join(lost[1:4])})" if len(lost) > 1 else ""
        raise ui.Fail(f"configs/{file.name}",
                      f"{lost[0]} did not survive: wanted {value}, got {got.get(lost[0], 'n')}{more}",
                      "add what it depends on to the fragment, or correct its name")
