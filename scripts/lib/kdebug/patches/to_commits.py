# SPDX-License-Identifier: GPL-2.0-only
"""Patches as commits: what git am makes of them, without a work tree."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from kdebug.host import ui
from kdebug.patches import git
from kdebug.patches.apply import touched
from kdebug.patches.series import Set

_DIFFSTAT = re.compile(r" \S.* \| +(\d+|Bin)|  ?\d+ files? changed")


def _changelog(body: str) -> str:
    """The text below the first "---" of a mail, without the diffstat."""
    lines = re.split(r"^diff --git ", body, maxsplit=1, flags=re.M)[0].split("\n")
    marks = [i for i, line in enumerate(lines) if line.rstrip() == "---"]
    if not marks:
        return ""
    tail = lines[marks[-1] + 1:]
    stat = next((i for i, line in enumerate(tail) if _DIFFSTAT.match(line)), len(tail))
    return "\n".join(lines[marks[0] + 1:marks[-1]] + tail[:stat]).strip("\n")


def commit_all(repo: Path, commit: str, patches: Iterable[Path]) -> str:
    """Put one commit per patch on @commit, as git am would; return the last.

    In an index of its own: a kill leaves the tree's branch and files alone.
    """
    with tempfile.TemporaryDirectory(dir=repo) as temp:
        index = {"GIT_INDEX_FILE": f"{temp}/index"}
        git.run(repo, "read-tree", commit, **index)
        for patch in patches:
            body = patch.read_bytes().decode(errors="surrogateescape")
            said = git.run(repo, "mailinfo", "-b", "--no-scissors", "--encoding=UTF-8", f"{temp}/message",
                        f"{temp}/diff", stdin=body)
            info = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)
            if not {"Author", "Email", "Subject", "Date"} <= info.keys():
                raise ui.Fail(str(patch), "not a mail (From:, Date: and Subject: are needed)",
                              "give it those header lines")
            message = f"{info['Subject']}\n\n{Path(temp, 'message').read_text(encoding='utf-8').strip()}".strip() + "\n"
            if changelog := _changelog(body):
                message += f"---\n{changelog}\n"
            diff = Path(temp, "diff").read_bytes().decode(errors="surrogateescape")
            _, reject = git.apply(repo, f"{temp}/index", diff)
            if reject:
                raise ui.Fail(str(patch), f"does not apply ({reject.why})",
                              "scripts/apply shows the reject; mend the patch")
            commit = git.run(repo, "commit-tree", git.run(repo, "write-tree", **index).strip(), "-p", commit,
                             stdin=message, GIT_AUTHOR_NAME=info["Author"], GIT_AUTHOR_EMAIL=info["Email"],
                             GIT_AUTHOR_DATE=info["Date"], GIT_COMMITTER_DATE=info["Date"]).strip()
    return commit


def commit_sets(repo: Path, commit: str, sets: Iterable[Set]) -> dict[str, str]:
    """Put all of @sets on @commit; return the last commit of each."""
    tips: dict[str, str] = {}
    for one in sets:
        commit = tips[one.name] = commit_all(repo, commit, one.patches)
    return tips


def slim(repo: Path, patches: Sequence[Path], base: Path | None, commit: str = "") -> str:
    """A base commit with the touched files only, from @base or from @commit."""
    names = list(dict.fromkeys(n for p in patches for n in touched(p.read_text(errors="surrogateescape"))))
    if base is None:
        entries = git.run(repo, "ls-tree", "-r", commit, "--", *names) if names else ""
    else:
        entries = git.entries(repo, base, names)
    with tempfile.TemporaryDirectory(dir=repo) as temp:
        git.run(repo, "update-index", "--index-info", stdin=entries, GIT_INDEX_FILE=f"{temp}/index")
        tree = git.run(repo, "write-tree", GIT_INDEX_FILE=f"{temp}/index").strip()
    return git.run(repo, "commit-tree", tree, stdin="base\n", **git.EPOCH).strip()
