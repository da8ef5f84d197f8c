# SPDX-License-Identifier: GPL-2.0-only
"""What reads the scripts without running them: shellcheck, and mypy --strict."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection

from kdebug.context import Context


def begins(context: Context, interpreter: str) -> list[str]:
    """The repository's files whose first line names @interpreter, a pattern."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", "scripts", ".ci"], cwd=context.repo,
                           capture_output=True, text=True, check=True).stdout.splitlines()

    def first(name: str) -> bytes:
        with (context.repo / name).open("rb") as file:
            return file.readline()

    return [n for n in names if (context.repo / n).is_file()
            and re.match(rb"#!.*[/ ](%b)$" % interpreter.encode(), first(n).rstrip())]


def jobs(context: Context, changed: Collection[str] | None = None) -> dict[str, list[str]]:
    """The commands to run, by name; only those for the files @changed, if that is given."""
    mypy = ["mypy", "--strict", "--no-error-summary", "--cache-dir", str(context.build / "mypy")]

    def chosen(names: list[str]) -> list[str]:
        return [name for name in names if changed is None or name in changed]

    found: dict[str, list[str]] = {}
    # A scenario is sourced and has no first line that names the shell.
    scenarios = sorted(str(path.relative_to(context.repo)) for path in context.scripts.glob("scenarios/*.sh"))
    if shell := chosen([*begins(context, "bash|sh"), *scenarios]):
        found["shellcheck"] = ["shellcheck", *shell]
    if changed is None or any(name.startswith("scripts/lib/") and name.endswith(".py") for name in changed):
        found["mypy lib"] = [*mypy, "-p", "kdebug"]
    for name in chosen(begins(context, "python3")):
        found[f"mypy {name}"] = [*mypy, "--scripts-are-modules", name]
    return found


def complaint(context: Context, command: list[str]) -> str:
    """What the linter @command finds, "" for nothing. A linter that is missing has not passed."""
    if not shutil.which(command[0]):
        return f"{command[0]}: not found; run: make deps"
    done = subprocess.run(command, cwd=context.repo, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=os.environ | {"MYPYPATH": "scripts/lib"})
    return (done.stdout + done.stderr or f"exit {done.returncode}") if done.returncode else ""
