# SPDX-License-Identifier: GPL-2.0-only
"""The patched tree that is compiled: the base's files and the series on top.

All files are hard links to the pristine tree, except those that a patch has touched
since the tree was made.  git keeps these: its index says what is in them, so that an
edit is seen; from one state of the series to another it rewrites exactly those that
differ, so that mtimes, and with them make, see exactly what changed.  The repository is
beside the tree, and holds what _Tree.state says.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kdebug.context import Context, DEFAULT_BASE
from kdebug.host import ui
from kdebug.host.files import load_json, need_space, save_json
from kdebug.host.processes import first_line, run
from kdebug.patches import git, other_bases, series
from kdebug.source.trees import BaseTree


@dataclass(frozen=True)
class Applied:
    """A patched tree; @key changes with the base's or a patch's content."""

    path: Path
    key: str
    notes: list[str]


_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_NAME = re.compile(r"(?:--- a/|\+\+\+ b/|rename from |rename to |diff --git a/(?=(.*) b/\1$))([^\t]*)")


def changed(body: str) -> dict[str, int]:
    """The files that the patch @body changes, adds or removes, and how many lines of each."""
    names: dict[str, int] = {}
    last = ""
    left = right = 0
    for line in body.split("\n"):
        if left > 0 or right > 0:
            left -= line[:1] in ("-", " ", "")
            right -= line[:1] in ("+", " ", "")
            names[last] += line[:1] in ("-", "+")
        elif name := _NAME.match(line):
            last = name[1] or name[2]
            names.setdefault(last, 0)
        elif last and (hunk := _HUNK.match(line)):
            left, right = int(hunk[1] or 1), int(hunk[2] or 1)
    return names


def touched(body: str) -> list[str]:
    """The files that the patch @body changes, adds or removes."""
    return list(changed(body))


class _Tree:
    """The tree @dest and the git repository of its touched files."""

    def __init__(self, context: Context, dest: Path) -> None:
        self.context = context
        self.dest = dest
        self.repo = dest.with_name(f"{dest.name}.git")
        self.file = self.repo / "state"
        # "base" and "key": what is in the tree; "notes": the offsets; "touched": names of
        # files; "tree": git's tree of those that are there; "next": the one that a run
        # puts there, "" between runs.
        self.state = load_json(self.file)

    def git(self, *args: str, stdin: str = "", **env: str) -> str:
        return git.run(self.repo, *args, stdin=stdin, GIT_WORK_TREE=str(self.dest), **env)

    def save(self, **changes: object) -> None:
        self.state |= changes
        save_json(self.file, self.state)

    def files(self, tree: object = "") -> dict[str, str]:
        """The touched files, and the hash of each: in git's @tree, or in the index."""
        out = self.git("ls-tree", "-r", str(tree)) if tree else self.git("ls-files", "-s")
        lines = (line.split("\t") for line in out.splitlines())
        return {path: words.split()[2 if tree else 1] for words, path in lines}

    def lay(self, base: BaseTree) -> None:
        """Make the tree anew, of hard links to the pristine one."""
        need_space(self.context.build, 100_000_000)
        temp, old = (self.dest.with_name(f".{name}-{self.dest.name}") for name in ("tmp", "old"))
        for stale in (temp, old):
            if stale.exists():
                shutil.rmtree(stale)
        status, _, err = run([["cp", "-a", "-l", str(base.path), str(temp)]], disk=self.context.build)
        if status:  # a file system without hard links
            shutil.rmtree(temp, ignore_errors=True)
            need_space(self.context.build, 2_000_000_000)
            status, _, err = run([["cp", "-a", "--reflink=auto", str(base.path), str(temp)]], disk=self.context.build)
        if status:
            raise ui.Fail(str(self.dest), f"cannot be made ({first_line(err)})", "correct that, and run again")
        if self.state.get("base", base.key) != base.key:
            # Files of this base can be older than objects made from the other one.
            for link in [*self.context.out.glob("*/source"), *self.context.out.glob("*/*/source")]:
                if link.resolve() == self.dest.resolve():
                    shutil.rmtree(link.parent)
        if self.dest.exists():
            self.dest.rename(old)
        shutil.rmtree(self.repo, ignore_errors=True)
        git.bare(self.repo)
        self.state = {}
        self.save(base=base.key, key="", notes=[], touched={}, tree=self.git("write-tree").strip(), next="")
        temp.rename(self.dest)
        shutil.rmtree(old, ignore_errors=True)

    def mend(self) -> None:
        """Put back what a run that was killed had begun to change."""
        for stale in self.repo.glob("*.lock"):
            stale.unlink()
        if not self.state.get("next"):
            return
        was, now = self.files(self.state["tree"]), self.files(self.state["next"])
        begun = [path for path in was | now if was.get(path) != now.get(path)]
        for path in begun:
            # git writes a file in place: it may have come to a part of it only.
            data = _read(self.dest / path)
            ours = (self.git("cat-file", "blob", blob).encode(errors="surrogateescape")
                    for blob in (now.get(path), was.get(path)) if blob)
            if data is not None and not any(whole.startswith(data) for whole in ours):
                raise _edited(self.dest / path)
        for path in begun:
            (self.dest / path).unlink(missing_ok=True)
        self.git("read-tree", str(self.state["tree"]))
        self.restore()
        self.save(next="")

    def restore(self) -> None:
        """Put back what is missing of the touched files."""
        missing = [path for path in self.files() if not (self.dest / path).exists()]
        self.git("checkout-index", "-u", "--stdin", stdin="".join(f"{path}\n" for path in missing))

    def refuse_edits(self, base: BaseTree | None) -> None:
        """Fail if anything in the tree is not as the last run left it; @base is None if it was another one's.

        What is missing of the touched files is put back."""
        changed = [line.split("\t") for line in self.git("diff", "--name-status", "--no-renames").splitlines()]
        for status, path in changed:
            if status != "D":
                raise _edited(self.dest / path)
        if changed:
            self.restore()
        out = run([["find", str(self.dest), "-newer", str(self.file), "-type", "f"]])
        if out[0]:
            raise ui.Fail(str(self.dest), f"cannot be read ({first_line(out[2])})", "correct that, and run again")
        known = self.files() if out[1] else {}
        for line in out[1].splitlines():
            path = os.path.relpath(line, self.dest)
            if path in known or path.endswith(".pyc"):
                continue
            if base is None or not (base.path / path).is_file():
                if base is None:
                    raise _edited(self.dest / path)
                continue  # the user's own extra file: tags, notes
            if os.path.samefile(line, base.path / path):
                raise ui.Fail(line, f"edited in place, and with it the pristine {base.path / path}",
                              f"keep what you need of it, then run: rm -r {self.dest} {base.path}")
            if _read(Path(line)) != _read(base.path / path):
                raise _edited(Path(line), base.path / path)

    def patched(self, base: BaseTree, patches: list[tuple[str, bytes]], phase: ui.Phase) -> tuple[str, list[str]]:
        """git's tree of the touched files with @patches, and a note per offset.

        A file that is touched for the first time comes into the index as it is in @base."""
        texts = [(name, body.decode(errors="surrogateescape")) for name, body in patches]
        known = self.state["touched"]
        assert isinstance(known, dict)
        names = known | {path: "" for _, body in texts for path in touched(body)}
        for path in names:
            if path.startswith("/") or ".." in path.split("/"):
                raise ui.Fail(path, "a patch reaches outside the tree", "mend that patch")
        index = {"GIT_INDEX_FILE": str(self.repo / "next.index")}
        (self.repo / "next.index").unlink(missing_ok=True)
        self.git("update-index", "--index-info", stdin=git.entries(self.repo, base.path, names), **index)
        notes: list[str] = []
        for name, body in texts:
            said, reject = git.apply(self.repo, index["GIT_INDEX_FILE"], body, other_bases.fuzz(self.context))
            notes += [f"{name}: {note}" for note in said]
            if reject:
                for line in ["the hunk that does not apply:", *(f"| {text}" for text in reject.hunk[:60])]:
                    phase.note(line if reject.hunk else reject.why)
                what, remedy = _to_mend(self.context, name)
                raise ui.Fail(what, f"does not apply to {reject.file} of Linux {base.version} ({base.origin}): "
                              f"{reject.why}", remedy)
        new = names.keys() - known.keys()
        self.git("update-index", "--index-info", stdin=git.entries(self.repo, base.path, new))
        self.save(touched=names)
        return self.git("write-tree", **index).strip(), notes

    def switch(self, key: str, tree: str, notes: list[str]) -> None:
        """Have git rewrite what differs between the index and @tree."""
        known = self.files()
        for path in self.files(tree):
            if path not in known and (self.dest / path).exists():
                raise _edited(self.dest / path)
        self.git("update-index", "-q", "--refresh")
        self.save(key="", next=tree, tree=self.git("write-tree").strip())
        self.git("read-tree", "-m", "-u", tree)
        self.save(key=key, next="", tree=tree, notes=notes)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _edited(path: Path, pristine: Path | None = None) -> ui.Fail:
    # A file that no patch touches is not made again: it must be copied back.
    undo = f"cp {pristine} {path}" if pristine else f"rm {path}"
    return ui.Fail(str(path), "edited by hand since the series was applied", "keep what you need of it (the "
                   f"place for edits is make tree, then make refresh), then run: {undo}")


def _to_mend(context: Context, patch: str) -> tuple[str, str]:
    """The file that @patch comes from, and how to mend it."""
    if (context.bases / patch).is_file():
        return f"bases/{patch}", "take the release it was made for (docs/architectures.md), or mend that file"
    where = context.experiments if (context.experiments / patch).is_file() else context.patches
    if context.base == DEFAULT_BASE:
        return f"{where.name}/{patch}", ("take the base it was made for, or mend it in the tree that make tree "
                                         "makes from that base")
    return f"{where.name}/{patch}", (
        f"take the release that bases/{context.base} was made for (docs/architectures.md), or put what "
        f"that hunk wants into a patch that bases/{context.base}/series names before")


def ensure(context: Context, base: BaseTree, patches: list[Path] | None = None, dest: Path | None = None,
           extra: Sequence[Path] = (), count: int | None = None) -> Applied:
    """Return @dest (default: build/linux) with exactly @patches and @extra on @base.

    The default for @patches are the sets of SET= as the base wants them, or the first @count of these.
    The caller holds the lock.  An edit made in @dest by hand is never
    overwritten; a kill in the middle is made good by the next run.
    """
    dest = dest or context.linux
    bodies = other_bases.bodies(patches) if patches is not None else \
        other_bases.adapted(context, series.chosen(context))[:count]
    bodies += other_bases.bodies(extra)
    digest = hashlib.sha256(base.key.encode())
    for name, body in bodies:
        digest.update(f"\0{name}\0{len(body)}\0".encode() + body)
    key = digest.hexdigest()[:24]
    dest.parent.mkdir(parents=True, exist_ok=True)
    tree = _Tree(context, dest)
    with ui.phase("apply") as phase:
        same = tree.state.get("base") == base.key
        if dest.is_dir() and not tree.state:
            raise ui.Fail(str(dest), f"has no {tree.repo.name}, so an edit in it cannot be detected",
                          f"keep what you need of it, then run: rm -r {dest}")
        if dest.is_dir():
            tree.mend()
            tree.refuse_edits(base if same else None)
        if not dest.is_dir() or not same:
            phase.live("linking the base")
            tree.lay(base)
        if tree.state["key"] != key:
            phase.live(f"{len(bodies)} patches")
            tree.switch(key, *tree.patched(base, bodies, phase))
        found = tree.state["notes"]
        notes = [str(note) for note in found] if isinstance(found, list) else []
        # On another base each hunk has one.
        for note in notes if not other_bases.fuzz(context) else ():
            phase.note(f"offset: {note}")
        phase.result = f"{len(bodies)} patches on Linux {base.version}"
    return Applied(dest, key, notes)
