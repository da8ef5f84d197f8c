# SPDX-License-Identifier: GPL-2.0-only
"""git as the scripts use it: deaf to the user's configuration, and the one way to apply a patch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kdebug.host import processes, ui

NAME, EMAIL = "kthread-debug", "kthread-debug@localhost"
EPOCH = {"GIT_AUTHOR_DATE": "@0 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}
# git's own pattern for C, spelled out: the built-in one changes with its version.
FUNCNAME = ("!^[ \t]*[A-Za-z_][A-Za-z_0-9]*:[[:space:]]*($|/[/*])\n"
            "^((::[[:space:]]*)?[A-Za-z_].*)$")


def call(repo: Path, *args: str, stdin: str = "", **env: str) -> tuple[int, str, str]:
    """Run git on the git directory @repo; return its exit status, its output and what it says beside that."""
    where = {"GIT_DIR": str(repo)} if (repo / "HEAD").exists() else {}
    settings = processes.clean_env(
        GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", GIT_ATTR_NOSYSTEM="1", TZ="UTC",
        GIT_TERMINAL_PROMPT="0", GIT_AUTHOR_NAME=NAME, GIT_AUTHOR_EMAIL=EMAIL,
        GIT_COMMITTER_NAME=NAME, GIT_COMMITTER_EMAIL=EMAIL) | where | env
    command = ["git", *(word for setting in (
        "core.hooksPath=/dev/null", "core.autocrlf=false", "core.fsmonitor=false", "core.fsync=none", "gc.auto=0",
        "safe.directory=*") for word in ("-c", setting)), *args]
    # What writes many files must not go on while the next run mends what a kill left.
    return processes.run([command], cwd=repo.parent if repo.name == ".git" else repo, env=settings,
                         stdin=stdin.encode(errors="surrogateescape"), tie="add" in args or "-u" in args)


def run(repo: Path, *args: str, stdin: str = "", **env: str) -> str:
    """The output of git on the git directory @repo; fail if git does."""
    status, out, err = call(repo, *args, stdin=stdin, **env)
    if status:
        raise ui.Fail(f"git {args[0]}", processes.first_line(err or out), f"look at {repo}")
    return out


def bare(path: Path, objects: Path | None = None) -> Path:
    """A new bare repository at @path, which finds also the objects in @objects."""
    run(path.parent, "init", "-q", "--bare", "--template=", str(path))
    if objects:
        (path / "objects/info/alternates").write_text(f"{objects}\n", encoding="utf-8")
    (path / "info").mkdir(exist_ok=True)
    (path / "info/attributes").write_text("*.[ch] diff=kdebug\n", encoding="utf-8")
    return path


def entries(repo: Path, base: Path, names: Iterable[str]) -> str:
    """What git update-index --index-info reads: those of @names that are files in @base, as they are there."""
    files = [name for name in names if (base / name).is_file()]
    hashes = run(repo, "hash-object", "-w", "--no-filters", "--stdin-paths",
                 stdin="".join(f"{base / name}\n" for name in files)).split()
    return "".join(f"{'100755' if (base / name).stat().st_mode & 0o100 else '100644'} blob {blob}\t{name}\n"
                   for name, blob in zip(files, hashes, strict=True))


@dataclass(frozen=True)
class Reject:
    """Why a patch does not apply: to which file, and the hunk, if it is one."""

    file: str
    why: str
    hunk: list[str]


def apply(repo: Path, index: str, body: str, fuzz: int = 0) -> tuple[list[str], Reject | None]:
    """Apply the patch @body to @index, an index of @repo, as a whole or not at all.

    Up to @fuzz of the three lines of context on each side of a hunk may differ. Return
    a line for each hunk that is not where the patch says.
    """
    status, _, said = call(repo, "apply", "--cached", "-v", "--whitespace=nowarn",
                           *([f"-C{3 - fuzz}"] if fuzz else []), stdin=body, GIT_INDEX_FILE=index)
    file = ""
    notes: list[str] = []
    for line in said.splitlines():
        if found := re.match(r"Checking patch (?:.* => )?(.*)\.\.\.$", line):
            file = found[1]
        elif found := re.match(r"error: patch failed: (.*):(\d+)$", line):
            return notes, Reject(found[1], f"{found[1]}:{found[2]}: the hunk does not match",
                                 _hunk(body, found[1], found[2]))
        elif found := re.match(r"(Hunk #\d+) succeeded at (.*offset.*)\.$", line):
            notes.append(f"{file}: {found[1]} applies at {found[2]}")
    why = processes.first_line(said).removeprefix("error: ")
    return notes, Reject(file or "the tree", why, []) if status else None


def _hunk(body: str, file: str, line: str) -> list[str]:
    """The lines of the hunk at @line of @file."""
    for section in re.split(r"^(?=diff --git )", body, flags=re.M):
        if re.search(rf"^(?:--- a|\+\+\+ b)/{re.escape(file)}$", section, re.M):
            for hunk in re.split(r"^(?=@@ )", section, flags=re.M):
                if re.match(rf"@@ -{line}[, ]", hunk):
                    return hunk.splitlines()
    return []
