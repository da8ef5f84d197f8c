# SPDX-License-Identifier: GPL-2.0-only
"""make tree: the series as a git tree, one commit per patch.

A branch set/<name> stands at the last commit of each set, and make refresh goes by
these branches. git rebase moves them along (rebase.updateRefs is set in the tree).
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from pathlib import Path

from kdebug.context import Context, SETS
from kdebug.host import ui
from kdebug.host.files import load_json, need_space, save_json, write_atomic
from kdebug.host.processes import first_line, run
from kdebug.patches import git, series, to_commits
from kdebug.source.trees import BaseTree


def digest_of(patches: list[Path]) -> str:
    """A key of the names and contents of @patches."""
    digest = hashlib.sha256()
    for path in patches:
        digest.update(f"{series.name(path)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def load_state(tree: Path) -> dict[str, str]:
    """What save_state() kept of @tree; {} for a tree that is not make tree's."""
    return {k: str(v) for k, v in load_json(tree / ".git/kthread-debug.json").items()}


def save_state(tree: Path, state: dict[str, str]) -> None:
    """Keep which base, commits and patches @tree stands for."""
    save_json(tree / ".git/kthread-debug.json", state)


def settled_head(tree: Path) -> str:
    """Return HEAD; fail while work in @tree is neither committed nor finished."""
    for name in ("rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"):
        if (tree / ".git" / name).exists():
            raise ui.Fail(str(tree), f"in the middle of something ({name})",
                          f"finish or abort it: git -C {tree} status")
    if changed := git.run(tree / ".git", "status", "--porcelain"):
        raise ui.Fail(str(tree), f"dirty (first '{changed.splitlines()[0].strip()}')",
                      f"commit it into the patch it belongs to, or drop it: git -C {tree} status")
    return git.run(tree / ".git", "rev-parse", "HEAD").strip()


def branch(name: str) -> str:
    """The branch at the last commit of the set @name."""
    return f"set/{name}"


def branches_of(repo: Path) -> dict[str, str]:
    """The sets' branches that are there, and where."""
    refs = (line.split() for line in git.run(repo, "for-each-ref", "--format=%(refname) %(objectname)",
                                             "refs/heads/set/").splitlines())
    found = {ref.removeprefix("refs/heads/set/"): commit for ref, commit in refs}
    return {name: found[name] for name in SETS if name in found}


def place_branches(repo: Path, tips: dict[str, str]) -> str:
    """Put the sets' branches at @tips; return what _state() keeps of that."""
    git.run(repo, "config", "rebase.updateRefs", "true")  # so that a rebase takes them along
    git.run(repo, "update-ref", "--stdin", stdin="".join(f"update refs/heads/{branch(name)} {commit}\n"
                                                         for name, commit in tips.items()))
    return tips_text(tips)


def tips_text(tips: dict[str, str]) -> str:
    """@tips as one line of the state."""
    return " ".join(f"{name}={commit}" for name, commit in tips.items())


def set_tips(tree: Path, first: str, head: str, state: dict[str, str]) -> dict[str, str]:
    """The last commit of each set, by the branches; fail unless they stand in order on @first..@head.

    The last set ends at @head, wherever its branch is: an amended commit leaves that behind.
    """
    repo = tree / ".git"
    line = [first, *git.run(repo, "rev-list", "--reverse", "--first-parent", f"{first}..{head}").split()]
    there = branches_of(repo)
    *sets, last = SETS
    wrong, low = "", 0
    for name in sets:
        if name not in there:
            wrong = wrong or f"{branch(name)}: not there"
        elif there[name] not in line:
            wrong = wrong or f"{branch(name)}: at {there[name][:12]}, which is not between base and HEAD"
        elif line.index(there[name]) < low:
            wrong = wrong or f"{branch(name)}: below the branch of the set before it"
        else:
            low = line.index(there[name])
    if wrong:
        what, problem = wrong.split(": ", 1)
        raise ui.Fail(f"{tree}: {what}", f"{problem}, so it cannot end its set",
                      "put each at the last commit of its set, perhaps: " + _mended(tree, line, there, state))
    return {name: there[name] for name in sets} | {last: head}


def _mended(tree: Path, line: list[str], there: dict[str, str], state: dict[str, str]) -> str:
    """The commands that put the sets' branches where they seem to belong on @line."""
    repo = tree / ".git"
    old = dict(part.split("=") for part in state.get("sets", "").split())
    known = git.run(repo, "cat-file", "--batch-check=%(objectname)", stdin="".join(
        f"{commit}\n" for commit in dict.fromkeys([*line, *there.values(), *old.values()]))).splitlines()
    subjects = dict(entry.split("\0") for entry in git.run(
        repo, "log", "--no-walk=unsorted", "--format=%H%x00%s", *(c for c in known if " " not in c)).splitlines())
    by_subject = {subjects[commit]: commit for commit in line}
    low, commands = 0, []
    for name in list(SETS)[:-1]:
        # Where the branch is, or where what was the set's last commit has got to.
        commits = [there.get(name, ""),
                   *(by_subject.get(subjects.get(was.get(name, ""), ""), "") for was in (there, old))]
        low = next((at for c in commits if c in line and (at := line.index(c)) >= low), low)
        if there.get(name) != line[low]:
            commands.append(f"git -C {tree} branch -f {branch(name)} {line[low][:12]}")
    return " && ".join(commands)


def refuse_unrefreshed(context: Context) -> None:
    """Fail if build/tree holds work that patches/ does not."""
    tree = context.tree
    state = load_state(tree)
    if not state:
        return
    if settled_head(tree) not in (state["head"], state.get("next")):
        raise ui.Fail(str(tree), "has commits that are not folded back into patches/",
                      f"run: make refresh, or drop them: git -C {tree} reset --hard {state['head'][:12]}")
    # A kill may have left the branches of the state before, or of the next one.
    if not state.get("next") and tips_text(branches_of(tree / ".git")) != state.get("sets", ""):
        raise ui.Fail(str(tree), "has branches set/* that are not where make tree put them",
                      "run: make refresh, or put "
                      "them back: " + " && ".join(f"git -C {tree} branch -f {branch(name)} {commit[:12]}" for name,
                                                  commit
                                                  in (part.split("=") for part in state.get("sets", "").split())))


def difference(context: Context) -> str:
    """What build/tree holds that patches/ does not, as one patch: commits, changes that are not
    committed, new files. Nothing in the tree changes. "" if there is none."""
    src = context.tree
    state = load_state(src)
    if not state:
        return ""
    repo = src / ".git"
    with tempfile.TemporaryDirectory(dir=repo) as temp:
        shutil.copy(repo / "index", temp)
        index = {"GIT_INDEX_FILE": f"{temp}/index"}
        git.run(repo, "add", "-A", **index)
        patch = git.run(repo, "diff", "--cached", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv",
                        "--text", "--src-prefix=a/", "--dst-prefix=b/", state["head"], **index)
    if patch and (state["folding"] or state.get("next")):
        raise ui.Fail(str(src), "make tree or make refresh was interrupted in it", "run that again")
    if patch and digest_of(series.read(context)) != state["patches"]:
        raise ui.Fail(str(context.patches),
                      f"changed since make tree unfolded it into {src}, which holds work of yours",
                      "run make refresh; it says how to keep both")
    return patch


def make(context: Context, base: BaseTree) -> None:
    """Make build/tree a git tree of @base with one commit per patch and a branch per set.

    Work in it that is not folded is never overwritten.
    """
    dest = context.tree
    sets = series.sets(context)
    queue = series.flat(sets)
    repo = dest / ".git"
    with ui.phase("tree") as phase:
        state = load_state(dest)
        if dest.exists() and not state:
            raise ui.Fail(str(dest), "not made by make tree", f"move it away: mv {dest} {dest}.old")
        refuse_unrefreshed(context)
        if state and state["base"] == base.key:
            if state.get("next") or state["patches"] != digest_of(queue) or state["folding"]:
                tips = to_commits.commit_sets(repo, state["first"], sets)
                new = list(tips.values())[-1]
                save_state(dest, state | {"next": new})
                git.run(repo, "reset", "-q", "--keep", new)
                save_state(dest, state | {"head": new, "next": "", "patches": digest_of(queue), "folding": "",
                                          "sets": place_branches(repo, tips)})
            phase.result = f"{len(queue)} commits in {dest}"
            return
        if state and git.run(repo, "rev-list", "--max-count=1", "--all", "--not", "HEAD"):
            raise ui.Fail(str(dest), "is of another base, and has branches or stashes of yours",
                          f"move it away: mv {dest} {dest}.old")
        need_space(context.build, 2_800_000_000)
        temp = dest.with_name(f".tmp-{dest.name}")
        if temp.exists():
            shutil.rmtree(temp)
        phase.live("copying the base")
        status, _, err = run([["cp", "-a", "--reflink=auto", str(base.path), str(temp)]], disk=context.build)
        if status:
            raise ui.Fail(str(temp), f"cannot be made ({first_line(err)})", "correct that, and run again")
        # Debian's .gitignore hides the whole tree: a new file would be forgotten.
        ignore = temp / ".gitignore"
        if ignore.is_file():
            text = ignore.read_text(encoding="utf-8")
            write_atomic(ignore, re.sub(r"^/\*\n(!/debian/\n)?", "", text, flags=re.M).encode())
        git.run(temp, "init", "-q", "--initial-branch=kthread-debug", str(temp))
        phase.live("git add")
        repo = temp / ".git"
        # Straight into one pack, instead of a hundred thousand loose objects.
        git.run(repo, "-c", "core.bigFileThreshold=1", "-c", "core.compression=1", "add", "-A", "-f", ".")
        first = git.run(repo, "commit-tree", git.run(repo, "write-tree").strip(),
                        stdin=f"Linux {base.version}\n\n{base.origin}\n", **git.EPOCH).strip()
        git.run(repo, "update-ref", "HEAD", first)
        git.run(repo, "tag", "base", first)
        phase.live(f"{len(queue)} patches")
        tips = to_commits.commit_sets(repo, first, sets)
        head = list(tips.values())[-1]
        git.run(repo, "reset", "-q", "--hard", head)
        save_state(temp, {"base": base.key, "version": base.version, "first": first, "head": head,
                          "patches": digest_of(queue), "folding": "", "sets": place_branches(repo, tips)})
        if dest.exists():
            shutil.rmtree(dest)
        temp.rename(dest)
        phase.result = f"{len(queue)} commits in {dest}"
