# SPDX-License-Identifier: GPL-2.0-only
"""Commits as patches, and the series file that names them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from kdebug.host import ui
from kdebug.host.processes import run
from kdebug.patches import git, series, to_commits
from kdebug.patches.series import Set

BASE_LINE = re.compile(r"^# Base: Linux (\S+)$", re.M)


def _neutral(message: str, people: set[str]) -> tuple[str, list[str]]:
    """The message as the queue keeps it, and the sign-offs that it does not keep."""
    text, _, changelog = message.partition("\n---\n")
    lines = text.rstrip().split("\n")
    signed = [line for line in lines if line.startswith("Signed-off-by:")
              and any(f"<{email}>" in line for email in people)]
    result = "\n".join(line for line in lines if line not in signed).rstrip() + "\n"
    if changelog.strip():
        result += "---\n" + changelog.rstrip().strip("\n") + "\n"
    return result, signed


def write_patches(repo: Path, first: str, tips: dict[str, str], out: Path) -> list[str]:
    """Write a patch for each commit above @first into the folder of its set in @out;
    a set's commits end with its one of @tips. Return notes."""
    notes: list[str] = []
    start, last, below = first, first, git.run(repo, "rev-parse", f"{first}^{{tree}}").strip()
    for name, tip in tips.items():
        log = git.run(repo, "log", "--reverse", "--topo-order", "--encoding=UTF-8",
                  "--format=%T%x00%P%x00%at%x00%ae%x00%ce%x00%B%x01", f"{start}..{tip}")
        commits = [entry.lstrip("\n").split("\0") for entry in log.split("\x01")[:-1]]
        start, begin = tip, last
        for tree, parents, date, author, committer, message in commits:
            subject = message.split("\n", 1)[0]
            if " " in parents:
                raise ui.Fail(f"commit '{subject}'", "is a merge", "rebase it away")
            if tree == below:
                raise ui.Fail(f"commit '{subject}'", "changes nothing", "drop it: git rebase -i")
            below = tree
            text, signed = _neutral(message, {author, committer})
            notes += [f"'{subject}': left out {line}" for line in signed]
            stamp = {"GIT_AUTHOR_DATE": f"@{date} +0000", "GIT_COMMITTER_DATE": f"@{date} +0000"}
            last = git.run(repo, "commit-tree", tree, "-p", last, stdin=text, **stamp).strip()
        (out / name).mkdir(parents=True, exist_ok=True)
        git.run(repo, "-c", f"diff.kdebug.xfuncname={git.FUNCNAME}", "format-patch", "-q", "-o", str(out / name),
            "--no-numbered", "--zero-commit", "--no-signature", "--no-renames", "--abbrev=12", f"{begin}..{last}")
    return notes


def there_and_back(sets: Sequence[Set], base: Path | None, out: Path, objects: Path | None = None,
                   commit: str = "") -> None:
    """Unfold @sets on a slim base and fold them into @out."""
    with tempfile.TemporaryDirectory() as temp:
        repo = git.bare(Path(temp) / "slim", objects)
        first = to_commits.slim(repo, series.flat(sets), base, commit)
        write_patches(repo, first, to_commits.commit_sets(repo, first, sets), out)


def written_patches(out: Path) -> list[Path]:
    """The patches that _emit() wrote into @out, in order."""
    return sorted(out.glob("*/*.patch"))


def without_number(name: str) -> str:
    """The patch's @name without its number: set/subject.patch."""
    return re.sub(r"(^|/)\d+-", r"\1", name)


def find_renamed(old: dict[str, bytes], new: dict[str, bytes]) -> dict[str, str]:
    """Slugs of @old that have another one in @new: only the subject changed."""
    diffs = {bare_index(body, True).partition(b"\ndiff --git ")[2]: without_number(name) for name, body in new.items()}
    known = {without_number(name) for name in old} & {without_number(name) for name in new}
    pairs = {without_number(name): diffs.get(bare_index(body, True).partition(b"\ndiff --git ")[2], "")
             for name, body in old.items() if without_number(name) not in known}
    return {was: now for was, now in pairs.items() if now and now not in known}


def find_replaced(old: Iterable[str], new: Iterable[str], renamed: dict[str, str]) -> dict[str, str]:
    """Slugs of @old that stand, as many as there are of others, where @new has
    others: patches that have got another subject and another content."""
    def between(slugs: list[str], known: set[str]) -> dict[str, list[str]]:
        runs: dict[str, list[str]] = {}
        last = ""
        for slug in slugs:
            if slug in known:
                last = slug
            else:
                runs.setdefault(last, []).append(slug)
        return runs

    was, now = [renamed.get(without_number(n), without_number(n)) for n in old], [without_number(n) for n in new]
    known = set(was) & set(now)
    there = between(now, known)
    return {a: b for last, run in between(was, known).items() if len(run) == len(there.get(last, ()))
            for a, b in zip(run, there[last], strict=True)}


def _set(name: str) -> str:
    return name.rpartition("/")[0]


def write_series(text: str, names: list[str], version: str, renamed: dict[str, str]) -> str:
    """The series @text with the patches @names, comments where they belong.

    What is above a set's first patch belongs to the set. Any other patch takes
    along the lines above it; those above one that is gone go to the next.
    """
    above: dict[str, list[str]] = {}
    behind: dict[str, str] = {}
    heads: dict[str, list[str]] = {}
    block: list[str] = []
    new = {without_number(name) for name in names}
    sets = {_set(name) for name in names}
    for line in text.splitlines():
        if not (parsed := series.parse(line)):
            block.append(line)
            continue
        name = parsed[0][1]
        slug = renamed.get(without_number(name), without_number(name))
        if _set(name) in sets and _set(name) not in heads:
            heads[_set(name)], block = block, []
        if slug in new:
            behind[slug] = line[line.index("#"):] if "#" in line else ""
            above[slug], block = block, []
    lines: list[str] = []
    last = ""
    for name in names:
        if _set(name) != last:
            last = _set(name)
            lines += heads.get(last, [*([""] if lines else []), f"# {last}"])
        lines += [*above.get(without_number(name), []), f"{name}  {behind.get(without_number(name), '')}".rstrip()]
    return BASE_LINE.sub(f"# Base: Linux {version}", "".join(f"{line}\n" for line in lines + block))


def bare_index(body: bytes, hunks: bool = False) -> bytes:
    """The patch without blob ids (and hunk positions): what depends on the base only."""
    body = re.sub(rb"^index [0-9a-f]+\.\.[0-9a-f]+", b"index", body, flags=re.M)
    return re.sub(rb"^@@ -\d+(,\d+)? \+\d+(,\d+)? @@.*", rb"@@\1\2", body, flags=re.M) if hunks else body
