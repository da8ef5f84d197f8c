# SPDX-License-Identifier: GPL-2.0-only
"""The patched tree that is compiled: the base's files and the series on top.

Files that no patch touches are hard links to the pristine tree.  The touched
ones are computed in a scratch directory and moved over only where they
differ, so that mtimes, and with them make, see exactly what changed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kdebug import older, paths, series, ui
from kdebug.base import (Base, clean_env, first_line, load_json, need_space, no_space, run,
                         save_json, write_atomic)

Files = dict[str, str | None]  # path -> "mode:sha256", None when there is no file


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


def _stamp(path: Path) -> str | None:
    """What counts of a file: its content and whether it is executable."""
    try:
        data = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    kind = "l" if path.is_symlink() else "x" if path.stat().st_mode & 0o100 else "-"
    return f"{kind}:{hashlib.sha256(data).hexdigest()}"


def _patched(base: Base, patches: list[tuple[str, bytes]], scratch: Path,
             phase: ui.Phase) -> tuple[Files, list[str]]:
    """Patch the touched files in @scratch; return them and a note per offset."""
    shutil.rmtree(scratch, ignore_errors=True)
    queue = scratch / "patches"
    tree = scratch / "tree"
    queue.mkdir(parents=True)
    tree.mkdir()
    names: dict[str, None] = {}
    for name, body in patches:
        (queue / name).parent.mkdir(exist_ok=True)
        (queue / name).write_bytes(body)
        names |= dict.fromkeys(touched(body.decode(errors="surrogateescape")))
    for path in names:
        if path.startswith("/") or ".." in path.split("/"):
            raise ui.Fail(path, "a patch reaches outside the tree", "mend that patch")
        if (base.path / path).is_file():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(base.path / path, tree / path, follow_symlinks=False)
    (queue / "series").write_text("".join(f"{name}\n" for name, _ in patches), encoding="utf-8")
    env = clean_env(QUILT_PATCHES=str(queue), QUILT_SERIES=str(queue / "series"))
    notes: list[str] = []
    if patches:
        status, out, err = run([["quilt", "--quiltrc=-", "push", "-a", f"--fuzz={older.fuzz()}", "--leave-rejects"]],
                               cwd=tree, env=env)
        patch = file = ""
        for line in out.splitlines():
            if found := re.match(r"Applying patch (.*)", line):
                patch = next((name for name, _ in patches if f"/{found[1]}".endswith(f"/{name}")), found[1])
            elif found := re.match(r"(?:patching|checking) file (.*)", line):
                file = found[1]
            elif re.match(r"\d+ out of \d+ hunks? (FAILED|ignored)", line):
                break  # the first file that is wrong
            elif "offset" in line and (found := re.match(r"(Hunk #\d+) succeeded at (.*)\.", line)):
                notes.append(f"{patch}: {file}: {found[1]} applies at {found[2]}")
        if status:
            _show_reject(tree, out, phase)
            what, remedy = _to_mend(patch)
            raise ui.Fail(what, f"does not apply to {file or 'the tree'} of Linux "
                          f"{base.version} ({base.origin}): {_complaint(out + err)}", remedy)
    return {path: _stamp(tree / path) for path in names}, notes


def _to_mend(patch: str) -> tuple[str, str]:
    """The file that @patch comes from, and how to mend it."""
    if (paths.BASES / patch).is_file():
        return f"bases/{patch}", "take the release it was made for (docs/architectures.md), or mend that file"
    where = paths.EXPERIMENTS if (paths.EXPERIMENTS / patch).is_file() else paths.PATCHES
    if paths.BASE == paths.DEFAULT_BASE:
        return f"{where.name}/{patch}", ("take the base it was made for, or mend it in the tree that make tree "
                                         "makes from that base")
    return f"{where.name}/{patch}", (f"take the release that bases/{paths.BASE} was made for (docs/architectures.md), or put what "
                                     f"that hunk wants into a patch that bases/{paths.BASE}/series names before")


def _complaint(said: str) -> str:
    found = re.search(r"^(can't find file to patch.*|\d+ out of \d+ hunks? (FAILED|ignored)|.*malformed patch.*|"
                      r".*already exists.*|Only garbage.*|.*unexpected(?:ly)? .*)", said, re.M)
    return found[1].split(" -- ")[0] if found else first_line(said)


def _show_reject(tree: Path, said: str, phase: ui.Phase) -> None:
    """Print the first hunk that did not apply, as patch left it."""
    left = re.search(r"rejects (?:in|to) file (\S+)", said)
    reject = tree / left[1] if left else None
    if reject and reject.is_file():
        text = reject.read_text(encoding="utf-8", errors="replace")
        hunks = re.split(r"^(?=@@ )", text, flags=re.M)
        phase.note("the first hunk that does not apply:")
        for line in (hunks[0] + hunks[1] if len(hunks) > 1 else text).splitlines()[:60]:
            phase.note(f"| {line}")


def _lay(base: Base, dest: Path, manifest: Path) -> None:
    """Make @dest anew as a tree of hard links to the pristine one."""
    need_space(paths.BUILD, 100_000_000)
    temp = dest.with_name(f".tmp-{dest.name}")
    for stale in (temp, dest.with_name(f".old-{dest.name}")):
        if stale.exists():
            shutil.rmtree(stale)
    status, _, err = run([["cp", "-a", "-l", str(base.path), str(temp)]])
    if status:  # a file system without hard links
        shutil.rmtree(temp, ignore_errors=True)
        need_space(paths.BUILD, 2_000_000_000)
        status, _, err = run([["cp", "-a", "--reflink=auto", str(base.path), str(temp)]])
    if status:
        raise ui.Fail(str(dest), f"cannot be made ({first_line(err)})", "correct that, and run again")
    if load_json(manifest).get("base", base.key) != base.key:
        # Files of this base can be older than objects made from the other one.
        for link in [*paths.OUT.glob("*/source"), *paths.OUT.glob("*/*/source")]:
            if link.resolve() == dest.resolve():
                shutil.rmtree(link.parent)
    if dest.exists():
        dest.rename(dest.with_name(f".old-{dest.name}"))
    save_json(manifest, {"base": base.key, "key": "", "notes": [], "files": {}, "pending": {}})
    temp.rename(dest)
    shutil.rmtree(dest.with_name(f".old-{dest.name}"), ignore_errors=True)


def _edited(path: Path, pristine: Path | None = None) -> ui.Fail:
    # A file that no patch touches is not made again: it must be copied back.
    undo = f"cp {pristine} {path}" if pristine else f"rm {path}"
    return ui.Fail(str(path), "edited by hand since the series was applied", "keep what you need of it (the "
                   f"place for edits is make tree, then make refresh), then run: {undo}")


def _refuse_edits(base: Base | None, dest: Path, manifest: Path, files: Files, pending: Files) -> None:
    """Fail if anything in @dest is not as the last run left it."""
    for path, stamp in files.items() | pending.items():
        now = _stamp(dest / path)
        if now is not None and now not in (files.get(path), pending.get(path)):
            if path in files or base is None or now != _stamp(base.path / path):
                raise _edited(dest / path)
    status, out, err = run([["find", str(dest), "-newer", str(manifest), "-type", "f"]])
    if status:
        raise ui.Fail(str(dest), f"cannot be read ({first_line(err)})", "correct that, and run again")
    for line in out.splitlines():
        path = os.path.relpath(line, dest)
        if path in files or path in pending or path.endswith((".pyc", ".kdebug-new")):
            continue
        if base is None or not (base.path / path).is_file():
            if base is None:
                raise _edited(dest / path)
            continue  # the user's own extra file: tags, notes
        if os.path.samefile(line, base.path / path):
            raise ui.Fail(line, f"edited in place, and with it the pristine {base.path / path}",
                          f"keep what you need of it, then run: rm -r {dest} {base.path}")
        if _stamp(Path(line)) != _stamp(base.path / path):
            raise _edited(Path(line), base.path / path)


def _sync(base: Base, dest: Path, tree: Path, want: Files, old: Iterable[str]) -> None:
    """Give @dest the files @want, and the base's own where only @old has a name."""
    for path in sorted(want.keys() | set(old)):
        source = tree / path if path in want else base.path / path
        stamp = _stamp(source)
        target = dest / path
        if stamp == _stamp(target):
            continue
        if stamp is None:
            target.unlink()
            for folder in target.parents:  # none that the base does not have
                if folder == dest or (base.path / folder.relative_to(dest)).is_dir() or any(folder.iterdir()):
                    break
                folder.rmdir()
            continue
        # Never a link here: its old mtime would hide the change from make.
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(target, source.read_bytes(), 0o755 if stamp[0] == "x" else 0o644)


def ensure(base: Base, patches: list[Path] | None = None, dest: Path = paths.LINUX,
           extra: Sequence[Path] = (), count: int | None = None) -> Applied:
    """Return @dest with exactly @patches and @extra on @base.

    The default for @patches are the sets of SET= as the base wants them, or the first @count of these.
    The caller holds the lock.  An edit made in @dest by hand is never
    overwritten; a kill in the middle is made good by the next run.
    """
    bodies = older.adapted(series.chosen())[:count] if patches is None else older.bodies(patches)
    bodies += older.bodies(list(extra))
    digest = hashlib.sha256(base.key.encode())
    for name, body in bodies:
        digest.update(f"\0{name}\0{len(body)}\0".encode() + body)
    key = digest.hexdigest()[:24]
    manifest = dest.with_name(f"{dest.name}.manifest")
    scratch = dest.with_name(f".scratch-{dest.name}")
    dest.parent.mkdir(parents=True, exist_ok=True)
    with ui.phase("apply") as phase:
        state = load_json(manifest)
        same = state.get("base") == base.key
        files, pending = (_files(state.get(part)) for part in ("files", "pending"))
        if dest.is_dir() and manifest.exists():
            _refuse_edits(base if same else None, dest, manifest, files, pending)
        elif dest.is_dir():
            raise ui.Fail(str(dest), f"has no {manifest.name}, so an edit in it cannot be detected",
                          f"keep what you need of it, then run: rm -r {dest}")
        if not dest.is_dir() or not same:
            phase.live("linking the base")
            _lay(base, dest, manifest)
            state, files, pending = {}, {}, {}
        notes = [str(note) for note in _list(state.get("notes"))]
        if state.get("key") != key or pending or any(_stamp(dest / p) != s for p, s in files.items()):
            phase.live(f"{len(bodies)} patches")
            want, notes = _patched(base, bodies, scratch, phase)
            for path in want.keys() - files.keys() - pending.keys():
                if _stamp(dest / path) not in (None, _stamp(base.path / path)):
                    raise _edited(dest / path, base.path / path if (base.path / path).exists() else None)
            old = files.keys() | pending.keys()
            # What is no longer touched stays listed: it is a copy now, not a link.
            after = want | {path: _stamp(base.path / path) for path in old - want.keys()}
            save_json(manifest, {"base": base.key, "key": "", "notes": [], "files": files, "pending": after})
            _sync(base, dest, scratch / "tree", want, old)
            save_json(manifest, {"base": base.key, "key": key, "notes": notes, "files": after, "pending": {}})
            shutil.rmtree(scratch)
        # On another base each hunk has one.
        for note in notes if not older.fuzz() else ():
            phase.note(f"offset: {note}")
        phase.result = f"{len(bodies)} patches on Linux {base.version}"
    return Applied(dest, key, notes)


def _files(data: object) -> Files:
    return {str(k): None if v is None else str(v) for k, v in data.items()} if isinstance(data, dict) else {}


def _list(data: object) -> list[object]:
    return data if isinstance(data, list) else []
