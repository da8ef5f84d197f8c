# SPDX-License-Identifier: GPL-2.0-only
"""A scenario: a shell script with functions, and in its head what it needs.

docs/explore.md is for who writes one.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kdebug.context import Context
from kdebug.host.ui import Fail

STEPS = ("setup", "action", "again", "teardown")
KEYS = ("options", "packages", "disks", "cpus", "memory", "limit", "needs")
LIBRARY = "scenarios"  # the folder of the library, below scripts/
MOST_DISKS = 16  # as many as the agent knows

_KEY = re.compile(r"# *([a-z]+): *(.*?)\s*")
_FUNCTION = re.compile(r"^(?:function +)?(\w+) *\(\)", re.M)
_OPTION = re.compile(r"[A-Z0-9_a-z]+(?:\|[A-Z0-9_a-z]+)*")
_DISKS = re.compile(r"(?:(\d+)x)?(\d+)([MG])")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_SIZES = {"M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True)
class Scenario:
    """What a script says of itself."""

    name: str
    path: Path
    text: str
    title: str
    options: tuple[str, ...] = ()   # of Kconfig; "A|B" is one of them
    packages: tuple[str, ...] = ()  # of Debian, in the root disk
    disks: tuple[int, ...] = ()     # bytes of each
    cpus: int = 2
    memory: int | None = None       # MiB; None: that of the flavour
    limit: int = 30                 # seconds for a step
    needs: tuple[str, ...] = ()     # "net", "cold"

    def lacks(self, config: dict[str, str]) -> list[str]:
        """Those of its options that the kernel with this @config has not."""
        def has(name: str) -> bool:
            return config.get(f"CONFIG_{name}") in ("y", "m")
        return [option for option in self.options if not any(has(name) for name in option.split("|"))]


def folder(context: Context) -> Path:
    """Where the library is."""
    return context.scripts / LIBRARY


def find(context: Context, names: Iterable[str]) -> list[Scenario]:
    """The scenarios @names, each a name in the library or a path; without any, the whole library."""
    paths = []
    for name in names:
        path = Path(name)
        if not name.endswith(".sh") and "/" not in name:
            path = folder(context) / f"{name}.sh"
            if not path.is_file():
                known = " ".join(sorted(p.stem for p in folder(context).glob("*.sh")))
                raise Fail(f"SCENARIO={name}", "no such scenario", f"give the path of a script, or one of: {known}")
        paths.append(path)
    found = [read(path) for path in paths or sorted(folder(context).glob("*.sh"))]
    if not found:
        raise Fail(str(folder(context)), "holds no scenario", "give the path of one: SCENARIO=path/to/scenario.sh")
    twice = [one for n, one in enumerate(found) if one.name in {other.name for other in found[:n]}]
    if twice:
        raise Fail(str(twice[0].path), f"a second scenario '{twice[0].name}'", "rename one of them")
    return found


def read(path: Path) -> Scenario:
    """The scenario in the file @path."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise Fail(str(path), f"cannot be read ({err})", "give the path of a scenario, a shell script") from None
    if not re.fullmatch(r"[\w.+-]+", path.stem):
        raise Fail(str(path), "bad name for a scenario", "use letters, digits, '-', '_', '+' and '.'")
    values, title = _head(path, text)
    functions = _FUNCTION.findall(text)
    if "action" not in functions:
        raise Fail(str(path), "has no action()", "write what creates the threads: action() { ...; }")
    shell = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True)
    if shell.returncode:
        said = shell.stderr.strip().partition("\n")[0].removeprefix("sh: ")
        raise Fail(str(path), f"no shell script ({said})", "mend it")
    return Scenario(name=path.stem, path=path, text=text, title=title or path.stem, **_values(path, values))


def _head(path: Path, text: str) -> tuple[dict[str, tuple[int, str]], str]:
    """The "# key: value" lines in the head of @text, by key with their line's number, and the title."""
    values: dict[str, tuple[int, str]] = {}
    title = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            break
        if line.startswith(("#!", "# SPDX-", "# shellcheck")) or not line.strip("# "):
            continue
        m = _KEY.fullmatch(line)
        if m and m[1] in values:
            raise Fail(f"{path}:{number}", f"a second '{m[1]}:'", "write all of it in one line")
        if m and m[1] in KEYS:
            values[m[1]] = (number, m[2])
        elif m:
            raise Fail(f"{path}:{number}", f"unknown word '{m[1]}:'",
                       f"use one of {' '.join(KEYS)}, or write a comment without ':' behind its first word")
        elif not title:
            title = line.strip("# ")
    return values, title


def _number(at: str, value: str, least: int, most: int) -> int:
    if not re.fullmatch(r"\d{1,6}", value) or not least <= int(value) <= most:
        raise Fail(at, f"bad number '{value}'", f"write one from {least} to {most}")
    return int(value)


def _disks(at: str, value: str) -> tuple[int, ...]:
    sizes: list[int] = []
    for word in value.split():
        m = _DISKS.fullmatch(word)
        if not m or not int(m[2]) or not int(m[1] or 1):
            raise Fail(at, f"bad disks '{word}'", "write how many and how large, as in 2x64M")
        sizes += [int(m[2]) * _SIZES[m[3]]] * int(m[1] or 1)
    if not 0 < len(sizes) <= MOST_DISKS:
        raise Fail(at, f"{len(sizes)} disks", f"write 1 to {MOST_DISKS}, as in 2x64M")
    return tuple(sizes)


def _words(at: str, value: str, pattern: re.Pattern[str], example: str) -> tuple[str, ...]:
    words = value.split()
    for word in words or [value]:
        if not pattern.fullmatch(word):
            raise Fail(at, f"bad word '{word}'", f"write it as in {example}")
    return tuple(words)


def _values(path: Path, values: dict[str, tuple[int, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, (number, value) in values.items():
        at = f"{path}:{number}: {key}"
        if key == "disks":
            found[key] = _disks(at, value)
        elif key == "cpus":
            found[key] = _number(at, value, 1, 8)
        elif key == "memory":
            found[key] = _number(at, value, 64, 65536)
        elif key == "limit":
            found[key] = _number(at, value, 1, 600)
        elif key == "needs":
            found[key] = _words(at, value, re.compile("net|cold"), "net cold")
        elif key == "options":
            found[key] = tuple(word.removeprefix("CONFIG_")
                               for word in _words(at, value, _OPTION, "MD_RAID1 USB_VHCI|USB_DUMMY_HCD"))
        else:
            found[key] = _words(at, value, _PACKAGE, "mdadm e2fsprogs")
    return found
