# SPDX-License-Identifier: GPL-2.0-only
"""git, deaf to the user's configuration, under the queue's neutral identity."""

from __future__ import annotations

from pathlib import Path

from kdebug.host import processes, ui

NAME, EMAIL = "kthread-debug", "kthread-debug@localhost"
EPOCH = {"GIT_AUTHOR_DATE": "@0 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}
# git's own pattern for C, spelled out: the built-in one changes with its version.
FUNCNAME = ("!^[ \t]*[A-Za-z_][A-Za-z_0-9]*:[[:space:]]*($|/[/*])\n"
            "^((::[[:space:]]*)?[A-Za-z_].*)$")


def run(repo: Path, *args: str, stdin: str = "", **env: str) -> str:
    """Run git on the git directory @repo, deaf to the user's configuration."""
    where = {"GIT_DIR": str(repo)} if (repo / "HEAD").exists() else {}
    settings = processes.clean_env(
        GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", GIT_ATTR_NOSYSTEM="1", TZ="UTC",
        GIT_TERMINAL_PROMPT="0", GIT_AUTHOR_NAME=NAME, GIT_AUTHOR_EMAIL=EMAIL,
        GIT_COMMITTER_NAME=NAME, GIT_COMMITTER_EMAIL=EMAIL) | where | env
    command = ["git", *(word for setting in (
        "core.hooksPath=/dev/null", "core.autocrlf=false", "core.fsmonitor=false", "core.fsync=none", "gc.auto=0",
        "safe.directory=*") for word in ("-c", setting)), *args]
    status, out, err = processes.run([command], cwd=repo.parent if repo.name == ".git" else repo, env=settings,
                                     stdin=stdin.encode(errors="surrogateescape"), tie="add" in args)
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
