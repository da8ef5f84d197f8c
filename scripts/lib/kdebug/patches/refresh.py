# SPDX-License-Identifier: GPL-2.0-only
"""make refresh: the commits of build/tree as patches/ and series.

make refresh after make tree is the identity, byte for byte, whatever git's
configuration and version: patches are made in a bare repository of their own, from
commits that are rewritten to the queue's neutral identity. git am drops the text below
"---", so it is kept in the commit's message below a line "---", and format-patch puts
it back where it was.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from kdebug.context import Context
from kdebug.host import ui
from kdebug.host.files import write_atomic
from kdebug.patches import from_commits, git, series, tree
from kdebug.source.trees import BaseTree


def refresh(context: Context) -> None:
    """Write the commits of build/tree back as patches/ and series; lose nothing."""
    src, patches, file = context.tree, context.patches, context.series
    state = tree.load_state(src)
    if not state:
        raise ui.Fail(str(src), "no tree to fold", "run: make tree")
    with ui.phase("refresh") as phase:
        head = tree.settled_head(src)
        # A fold that was killed leaves patches/ between two states, both ours.
        old = sorted(patches.glob("*/[0-9]*.patch")) if state["folding"] else series.read(context)
        old = [path for path in old if not path.name.startswith("0000-")]
        if not state["folding"] and tree.digest_of(old) != state["patches"]:
            raise ui.Fail(str(patches), f"changed since make tree unfolded it into {src}", "keep your commits ("
                          f"git -C {src} branch mine; git -C {src} reset --hard {state['head'][:12]}), run "
                          "make tree, and rebase mine onto it")
        if git.run(src / ".git", "merge-base", state["first"], head).strip() != state["first"]:
            raise ui.Fail(str(src), "its base commit (tag base) is not below HEAD",
                          f"rebase onto base: git -C {src} log")
        tips = tree.set_tips(src, state["first"], head, state)
        with tempfile.TemporaryDirectory() as temp:
            repo = git.bare(Path(temp) / "fold", src / ".git/objects")
            notes = from_commits.write_patches(repo, state["first"], tips, Path(temp) / "out")
            new = {series.name(path): path.read_bytes() for path in from_commits.written_patches(Path(temp) / "out")}
            _survives(new, src / ".git/objects", state["first"], Path(temp))
        text = file.read_text(encoding="utf-8")
        names = [series.name(path) for path in old]
        renamed = from_commits.find_renamed(dict(zip(names, (path.read_bytes() for path in old))), new)
        replaced = from_commits.find_replaced(names, new, renamed)
        series_text = from_commits.write_series(text, list(new), state["version"], renamed | replaced)
        if names == list(new) and series_text == text and all(
                from_commits.bare_index(path.read_bytes()) == from_commits.bare_index(new[name]) for name,
            path in zip(names, old)):
            new = {name: path.read_bytes() for name, path in zip(names, old)}  # another base's index lines at most
        tree.save_state(src, state | {"folding": "yes"})
        changed = 0
        for name, body in new.items():
            if not (patches / name).is_file() or (patches / name).read_bytes() != body:
                (patches / name).parent.mkdir(exist_ok=True)
                write_atomic(patches / name, body)
                changed += 1
        if series_text != text:
            write_atomic(file, series_text.encode())
        slugs = {from_commits.without_number(name) for name in new} | renamed.keys()
        for name, path in zip(names, old):
            if name in new:
                continue
            if from_commits.without_number(name) not in slugs:
                notes.append(f"dropped {name}, kept as {_keep(context, path)}")
            path.unlink(missing_ok=True)
        tree.save_state(src, state | {"folding": "", "head": head, "next": "",
                                      "sets": tree.place_branches(src / ".git", tips),
                            "patches": tree.digest_of([patches / name for name in new])})
        for note in notes:
            phase.note(note)
        phase.result = f"{len(new)} patches, {changed} changed"


def _survives(new: dict[str, bytes], objects: Path, first: str, temp: Path) -> None:
    """Fail unless the mails @new say all that their commits do."""
    why = ""
    try:
        from_commits.there_and_back(series.group(temp / "out" / name for name in new), None, temp / "again", objects,
                                    first)
    except ui.Fail as err:
        why = f" ({err.problem})"
        wrong = series.name(Path(err.what))
    else:
        wrong = next((n for n in new if not (temp / "again" / n).is_file()
                      or (temp / "again" / n).read_bytes() != new[n]), "")
    if wrong:
        raise ui.Fail(f"the commit that makes {wrong}", f"is altered when it is sent as a mail{why}",
                      "look for a line of its message that starts with 'diff -', 'Index:', 'From' or '---'")


def _keep(context: Context, path: Path) -> Path:
    folder = context.build / "dropped"
    folder.mkdir(parents=True, exist_ok=True)
    kept = next(k for n in range(10000) if not (k := folder / f"{path.name}{f'.{n}' if n else ''}").exists())
    shutil.copy(path, kept)
    return kept


def check(context: Context, base: BaseTree) -> None:
    """Fail unless fold after unfold gives patches/ and series, byte for byte.

    On another version than the series' "# Base:" line names, blob ids and
    line numbers may differ: that is the base's doing, and is only said.
    """
    file = context.series
    sets = series.sets(context)
    queue = series.flat(sets)
    text = file.read_text(encoding="utf-8")
    made_for = from_commits.BASE_LINE.search(text)
    other = made_for is not None and made_for[1] != base.version
    with ui.phase("fold") as phase, tempfile.TemporaryDirectory() as temp:
        from_commits.there_and_back(sets, base.path, Path(temp) / "out")
        new = from_commits.written_patches(Path(temp) / "out")
        was, names = ([series.name(path) for path in these] for these in (queue, new))
        if was != names:
            wrong = next((a for a, b in zip(was, names) if a != b), "the last one")
            raise ui.Fail(f"patches/{wrong}", "its name does not match its place and subject",
                          "run: make tree && make refresh")
        if from_commits.write_series(text, names, made_for[1] if made_for else "", {}) != text:
            raise ui.Fail(file.name, "not as make refresh writes it", "run: make tree && make refresh")
        for name, a, b in zip(names, queue, new):
            here, there = a.read_bytes(), b.read_bytes()
            if here == there:
                continue
            if other and from_commits.bare_index(here, True) == from_commits.bare_index(there, True):
                phase.note(f"{name}: made for another base, line numbers differ")
                continue
            line = next((i for i, (x, y) in enumerate(zip(here.split(b"\n"), there.split(b"\n")), 1) if x != y), 0)
            raise ui.Fail(f"patches/{name}:{line}", "not as make refresh writes it", "run: make tree && make refresh")
        phase.result = f"{len(queue)} patches: fold after unfold is the identity"
