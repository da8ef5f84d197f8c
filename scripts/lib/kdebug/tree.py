# SPDX-License-Identifier: GPL-2.0-only
"""The series as a git tree, one commit per patch, and back: make tree, make refresh.

A branch set/<name> stands at the last commit of each set, and the fold goes by these
branches. git rebase moves them along (rebase.updateRefs is set in the tree).

Fold after unfold is the identity, byte for byte, whatever git's configuration
and version: patches are made in a bare repository of their own, from commits
that are rewritten to the queue's neutral identity.  Text below "---", which
git am drops, is kept in the commit message below a line "---"; format-patch
puts it back where it was.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from kdebug import gitrepo, paths, series, ui
from kdebug.apply import touched
from kdebug.base import Base, first_line, load_json, need_space, run, save_json, write_atomic
from kdebug.gitrepo import bare, git
from kdebug.series import Set

EPOCH = {"GIT_AUTHOR_DATE": "@0 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}
# git's own pattern for C, spelled out: the built-in one changes with its version.
FUNCNAME = ("!^[ \t]*[A-Za-z_][A-Za-z_0-9]*:[[:space:]]*($|/[/*])\n"
            "^((::[[:space:]]*)?[A-Za-z_].*)$")
BASE_LINE = re.compile(r"^# Base: Linux (\S+)$", re.M)
_DIFFSTAT = re.compile(r" \S.* \| +(\d+|Bin)|  ?\d+ files? changed")


# --- patches to commits ----------------------------------------------------

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
        git(repo, "read-tree", commit, **index)
        for patch in patches:
            body = patch.read_bytes().decode(errors="surrogateescape")
            said = git(repo, "mailinfo", "-b", "--no-scissors", "--encoding=UTF-8", f"{temp}/message",
                        f"{temp}/diff", stdin=body)
            info = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)
            if not {"Author", "Email", "Subject", "Date"} <= info.keys():
                raise ui.Fail(str(patch), "not a mail (From:, Date: and Subject: are needed)",
                              "give it those header lines")
            message = f"{info['Subject']}\n\n{Path(temp, 'message').read_text(encoding='utf-8').strip()}".strip() + "\n"
            if changelog := _changelog(body):
                message += f"---\n{changelog}\n"
            _, reject = gitrepo.apply(repo, f"{temp}/index", Path(temp, "diff").read_bytes().decode(errors="surrogateescape"))
            if reject:
                raise ui.Fail(str(patch), f"does not apply ({reject.why})",
                              "scripts/apply shows the reject; mend the patch")
            commit = git(repo, "commit-tree", git(repo, "write-tree", **index).strip(), "-p", commit,
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
        entries = git(repo, "ls-tree", "-r", commit, "--", *names) if names else ""
    else:
        entries = gitrepo.entries(repo, base, names)
    with tempfile.TemporaryDirectory(dir=repo) as temp:
        git(repo, "update-index", "--index-info", stdin=entries, GIT_INDEX_FILE=f"{temp}/index")
        tree = git(repo, "write-tree", GIT_INDEX_FILE=f"{temp}/index").strip()
    return git(repo, "commit-tree", tree, stdin="base\n", **EPOCH).strip()


# --- commits to patches ----------------------------------------------------

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


def _emit(repo: Path, first: str, tips: dict[str, str], out: Path) -> list[str]:
    """Write a patch for each commit above @first into the folder of its set in @out;
    a set's commits end with its one of @tips. Return notes."""
    notes: list[str] = []
    start, last, below = first, first, git(repo, "rev-parse", f"{first}^{{tree}}").strip()
    for name, tip in tips.items():
        log = git(repo, "log", "--reverse", "--topo-order", "--encoding=UTF-8",
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
            last = git(repo, "commit-tree", tree, "-p", last, stdin=text, **stamp).strip()
        (out / name).mkdir(parents=True, exist_ok=True)
        git(repo, "-c", f"diff.kdebug.xfuncname={FUNCNAME}", "format-patch", "-q", "-o", str(out / name),
            "--no-numbered", "--zero-commit", "--no-signature", "--no-renames", "--abbrev=12", f"{begin}..{last}")
    return notes


def _refold(sets: Sequence[Set], base: Path | None, out: Path, objects: Path | None = None, commit: str = "") -> None:
    """Unfold @sets on a slim base and fold them into @out."""
    with tempfile.TemporaryDirectory() as temp:
        repo = bare(Path(temp) / "slim", objects)
        first = slim(repo, series.flat(sets), base, commit)
        _emit(repo, first, commit_sets(repo, first, sets), out)


def _emitted(out: Path) -> list[Path]:
    """The patches that _emit() wrote into @out, in order."""
    return sorted(out.glob("*/*.patch"))


def _slug(name: str) -> str:
    """The patch's @name without its number: set/subject.patch."""
    return re.sub(r"(^|/)\d+-", r"\1", name)


def _renamed(old: dict[str, bytes], new: dict[str, bytes]) -> dict[str, str]:
    """Slugs of @old that have another one in @new: only the subject changed."""
    diffs = {_bare_index(body, True).partition(b"\ndiff --git ")[2]: _slug(name) for name, body in new.items()}
    known = {_slug(name) for name in old} & {_slug(name) for name in new}
    pairs = {_slug(name): diffs.get(_bare_index(body, True).partition(b"\ndiff --git ")[2], "")
             for name, body in old.items() if _slug(name) not in known}
    return {was: now for was, now in pairs.items() if now and now not in known}


def _replaced(old: Iterable[str], new: Iterable[str], renamed: dict[str, str]) -> dict[str, str]:
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

    was, now = [renamed.get(_slug(n), _slug(n)) for n in old], [_slug(n) for n in new]
    known = set(was) & set(now)
    there = between(now, known)
    return {a: b for last, run in between(was, known).items() if len(run) == len(there.get(last, ()))
            for a, b in zip(run, there[last], strict=True)}


def _set(name: str) -> str:
    return name.rpartition("/")[0]


def _series(text: str, names: list[str], version: str, renamed: dict[str, str]) -> str:
    """The series @text with the patches @names, comments where they belong.

    What is above a set's first patch belongs to the set. Any other patch takes
    along the lines above it; those above one that is gone go to the next.
    """
    above: dict[str, list[str]] = {}
    behind: dict[str, str] = {}
    heads: dict[str, list[str]] = {}
    block: list[str] = []
    new = {_slug(name) for name in names}
    sets = {_set(name) for name in names}
    for line in text.splitlines():
        if not (parsed := series.parse(line)):
            block.append(line)
            continue
        name = parsed[0][1]
        slug = renamed.get(_slug(name), _slug(name))
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
        lines += [*above.get(_slug(name), []), f"{name}  {behind.get(_slug(name), '')}".rstrip()]
    return BASE_LINE.sub(f"# Base: Linux {version}", "".join(f"{line}\n" for line in lines + block))


# --- the commands ----------------------------------------------------------

def _digest(patches: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in patches:
        digest.update(f"{series.name(path)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _state(tree: Path) -> dict[str, str]:
    return {k: str(v) for k, v in load_json(tree / ".git/kthread-debug.json").items()}


def _save(tree: Path, state: dict[str, str]) -> None:
    save_json(tree / ".git/kthread-debug.json", state)


def _settled(tree: Path) -> str:
    """Return HEAD; fail while work in @tree is neither committed nor finished."""
    for name in ("rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"):
        if (tree / ".git" / name).exists():
            raise ui.Fail(str(tree), f"in the middle of something ({name})",
                          f"finish or abort it: git -C {tree} status")
    if changed := git(tree / ".git", "status", "--porcelain"):
        raise ui.Fail(str(tree), f"dirty (first '{changed.splitlines()[0].strip()}')",
                      f"commit it into the patch it belongs to, or drop it: git -C {tree} status")
    return git(tree / ".git", "rev-parse", "HEAD").strip()


def branch(name: str) -> str:
    """The branch at the last commit of the set @name."""
    return f"set/{name}"


def _branches(repo: Path) -> dict[str, str]:
    """The sets' branches that are there, and where."""
    refs = (line.split() for line in git(repo, "for-each-ref", "--format=%(refname) %(objectname)",
                                         "refs/heads/set/").splitlines())
    found = {ref.removeprefix("refs/heads/set/"): commit for ref, commit in refs}
    return {name: found[name] for name in paths.SETS if name in found}


def _place(repo: Path, tips: dict[str, str]) -> str:
    """Put the sets' branches at @tips; return what _state() keeps of that."""
    git(repo, "config", "rebase.updateRefs", "true")  # so that a rebase takes them along
    git(repo, "update-ref", "--stdin", stdin="".join(f"update refs/heads/{branch(name)} {commit}\n"
                                                     for name, commit in tips.items()))
    return _text(tips)


def _text(tips: dict[str, str]) -> str:
    return " ".join(f"{name}={commit}" for name, commit in tips.items())


def _tips(tree: Path, first: str, head: str, state: dict[str, str]) -> dict[str, str]:
    """The last commit of each set, by the branches; fail unless they stand in order on @first..@head.

    The last set ends at @head, wherever its branch is: an amended commit leaves that behind.
    """
    repo = tree / ".git"
    line = [first, *git(repo, "rev-list", "--reverse", "--first-parent", f"{first}..{head}").split()]
    there = _branches(repo)
    *sets, last = paths.SETS
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
    known = git(repo, "cat-file", "--batch-check=%(objectname)", stdin="".join(
        f"{commit}\n" for commit in dict.fromkeys([*line, *there.values(), *old.values()]))).splitlines()
    subjects = dict(entry.split("\0") for entry in git(
        repo, "log", "--no-walk=unsorted", "--format=%H%x00%s", *(c for c in known if " " not in c)).splitlines())
    by_subject = {subjects[commit]: commit for commit in line}
    low, commands = 0, []
    for name in list(paths.SETS)[:-1]:
        # Where the branch is, or where what was the set's last commit has got to.
        commits = [there.get(name, ""), *(by_subject.get(subjects.get(was.get(name, ""), ""), "") for was in (there, old))]
        low = next((at for c in commits if c in line and (at := line.index(c)) >= low), low)
        if there.get(name) != line[low]:
            commands.append(f"git -C {tree} branch -f {branch(name)} {line[low][:12]}")
    return " && ".join(commands)


def folded(tree: Path = paths.TREE) -> None:
    """Fail if @tree holds work that patches/ does not."""
    state = _state(tree)
    if not state:
        return
    if _settled(tree) not in (state["head"], state.get("next")):
        raise ui.Fail(str(tree), "has commits that are not folded back into patches/",
                      f"run: make refresh, or drop them: git -C {tree} reset --hard {state['head'][:12]}")
    # A kill may have left the branches of the state before, or of the next one.
    if not state.get("next") and _text(_branches(tree / ".git")) != state.get("sets", ""):
        raise ui.Fail(str(tree), "has branches set/* that are not where make tree put them", "run: make refresh, or put "
                      "them back: " + " && ".join(f"git -C {tree} branch -f {branch(name)} {commit[:12]}" for name, commit
                                                  in (part.split("=") for part in state.get("sets", "").split())))


def unfold(base: Base, dest: Path = paths.TREE, patches: Path = paths.PATCHES,
           file: Path = paths.SERIES) -> None:
    """Make @dest a git tree of @base with one commit per patch and a branch per set.

    Work in @dest that is not folded is never overwritten.
    """
    sets = series.sets(file, patches)
    queue = series.flat(sets)
    repo = dest / ".git"
    with ui.phase("tree") as phase:
        state = _state(dest)
        if dest.exists() and not state:
            raise ui.Fail(str(dest), "not made by make tree", f"move it away: mv {dest} {dest}.old")
        folded(dest)
        if state and state["base"] == base.key:
            if state.get("next") or state["patches"] != _digest(queue) or state["folding"]:
                tips = commit_sets(repo, state["first"], sets)
                new = list(tips.values())[-1]
                _save(dest, state | {"next": new})
                git(repo, "reset", "-q", "--keep", new)
                _save(dest, state | {"head": new, "next": "", "patches": _digest(queue), "folding": "",
                                     "sets": _place(repo, tips)})
            phase.result = f"{len(queue)} commits in {dest}"
            return
        if state and git(repo, "rev-list", "--max-count=1", "--all", "--not", "HEAD"):
            raise ui.Fail(str(dest), "is of another base, and has branches or stashes of yours",
                          f"move it away: mv {dest} {dest}.old")
        need_space(paths.BUILD, 2_800_000_000)
        temp = dest.with_name(f".tmp-{dest.name}")
        if temp.exists():
            shutil.rmtree(temp)
        phase.live("copying the base")
        status, _, err = run([["cp", "-a", "--reflink=auto", str(base.path), str(temp)]])
        if status:
            raise ui.Fail(str(temp), f"cannot be made ({first_line(err)})", "correct that, and run again")
        # Debian's .gitignore hides the whole tree: a new file would be forgotten.
        ignore = temp / ".gitignore"
        if ignore.is_file():
            text = ignore.read_text(encoding="utf-8")
            write_atomic(ignore, re.sub(r"^/\*\n(!/debian/\n)?", "", text, flags=re.M).encode())
        git(temp, "init", "-q", "--initial-branch=kthread-debug", str(temp))
        phase.live("git add")
        repo = temp / ".git"
        # Straight into one pack, instead of a hundred thousand loose objects.
        git(repo, "-c", "core.bigFileThreshold=1", "-c", "core.compression=1", "add", "-A", "-f", ".")
        first = git(repo, "commit-tree", git(repo, "write-tree").strip(),
                     stdin=f"Linux {base.version}\n\n{base.origin}\n", **EPOCH).strip()
        git(repo, "update-ref", "HEAD", first)
        git(repo, "tag", "base", first)
        phase.live(f"{len(queue)} patches")
        tips = commit_sets(repo, first, sets)
        head = list(tips.values())[-1]
        git(repo, "reset", "-q", "--hard", head)
        _save(temp, {"base": base.key, "version": base.version, "first": first, "head": head,
                     "patches": _digest(queue), "folding": "", "sets": _place(repo, tips)})
        if dest.exists():
            shutil.rmtree(dest)
        temp.rename(dest)
        phase.result = f"{len(queue)} commits in {dest}"


def fold(src: Path = paths.TREE, patches: Path = paths.PATCHES, file: Path = paths.SERIES) -> None:
    """Write the commits of @src back as @patches and @file; lose nothing."""
    state = _state(src)
    if not state:
        raise ui.Fail(str(src), "no tree to fold", "run: make tree")
    with ui.phase("refresh") as phase:
        head = _settled(src)
        # A fold that was killed leaves patches/ between two states, both ours.
        old = sorted(patches.glob("*/[0-9]*.patch")) if state["folding"] else series.read(file, patches)
        old = [path for path in old if not path.name.startswith("0000-")]
        if not state["folding"] and _digest(old) != state["patches"]:
            raise ui.Fail(str(patches), f"changed since make tree unfolded it into {src}", "keep your commits ("
                          f"git -C {src} branch mine; git -C {src} reset --hard {state['head'][:12]}), run "
                          "make tree, and rebase mine onto it")
        if git(src / ".git", "merge-base", state["first"], head).strip() != state["first"]:
            raise ui.Fail(str(src), "its base commit (tag base) is not below HEAD",
                          f"rebase onto base: git -C {src} log")
        tips = _tips(src, state["first"], head, state)
        with tempfile.TemporaryDirectory() as temp:
            repo = bare(Path(temp) / "fold", src / ".git/objects")
            notes = _emit(repo, state["first"], tips, Path(temp) / "out")
            new = {series.name(path): path.read_bytes() for path in _emitted(Path(temp) / "out")}
            _survives(new, src / ".git/objects", state["first"], Path(temp))
        text = file.read_text(encoding="utf-8")
        names = [series.name(path) for path in old]
        renamed = _renamed(dict(zip(names, (path.read_bytes() for path in old))), new)
        replaced = _replaced(names, new, renamed)
        series_text = _series(text, list(new), state["version"], renamed | replaced)
        if names == list(new) and series_text == text and all(
                _bare_index(path.read_bytes()) == _bare_index(new[name]) for name, path in zip(names, old)):
            new = {name: path.read_bytes() for name, path in zip(names, old)}  # another base's index lines at most
        _save(src, state | {"folding": "yes"})
        changed = 0
        for name, body in new.items():
            if not (patches / name).is_file() or (patches / name).read_bytes() != body:
                (patches / name).parent.mkdir(exist_ok=True)
                write_atomic(patches / name, body)
                changed += 1
        if series_text != text:
            write_atomic(file, series_text.encode())
        slugs = {_slug(name) for name in new} | renamed.keys()
        for name, path in zip(names, old):
            if name in new:
                continue
            if _slug(name) not in slugs:
                notes.append(f"dropped {name}, kept as {_keep(path)}")
            path.unlink(missing_ok=True)
        _save(src, state | {"folding": "", "head": head, "next": "", "sets": _place(src / ".git", tips),
                            "patches": _digest([patches / name for name in new])})
        for note in notes:
            phase.note(note)
        phase.result = f"{len(new)} patches, {changed} changed"


def _survives(new: dict[str, bytes], objects: Path, first: str, temp: Path) -> None:
    """Fail unless the mails @new say all that their commits do."""
    why = ""
    try:
        _refold(series.group(temp / "out" / name for name in new), None, temp / "again", objects, first)
    except ui.Fail as err:
        why = f" ({err.problem})"
        wrong = series.name(Path(err.what))
    else:
        wrong = next((n for n in new if not (temp / "again" / n).is_file()
                      or (temp / "again" / n).read_bytes() != new[n]), "")
    if wrong:
        raise ui.Fail(f"the commit that makes {wrong}", f"is altered when it is sent as a mail{why}",
                      "look for a line of its message that starts with 'diff -', 'Index:', 'From' or '---'")


def _keep(path: Path) -> Path:
    folder = paths.BUILD / "dropped"
    folder.mkdir(parents=True, exist_ok=True)
    kept = next(k for n in range(10000) if not (k := folder / f"{path.name}{f'.{n}' if n else ''}").exists())
    shutil.copy(path, kept)
    return kept


def _bare_index(body: bytes, hunks: bool = False) -> bytes:
    """The patch without blob ids (and hunk positions): what depends on the base only."""
    body = re.sub(rb"^index [0-9a-f]+\.\.[0-9a-f]+", b"index", body, flags=re.M)
    return re.sub(rb"^@@ -\d+(,\d+)? \+\d+(,\d+)? @@.*", rb"@@\1\2", body, flags=re.M) if hunks else body


def check(base: Base, patches: Path = paths.PATCHES, file: Path = paths.SERIES) -> None:
    """Fail unless fold after unfold gives patches/ and series, byte for byte.

    On another version than the series' "# Base:" line names, blob ids and
    line numbers may differ: that is the base's doing, and is only said.
    """
    sets = series.sets(file, patches)
    queue = series.flat(sets)
    text = file.read_text(encoding="utf-8")
    made_for = BASE_LINE.search(text)
    other = made_for is not None and made_for[1] != base.version
    with ui.phase("fold") as phase, tempfile.TemporaryDirectory() as temp:
        _refold(sets, base.path, Path(temp) / "out")
        new = _emitted(Path(temp) / "out")
        was, names = ([series.name(path) for path in these] for these in (queue, new))
        if was != names:
            wrong = next((a for a, b in zip(was, names) if a != b), "the last one")
            raise ui.Fail(f"patches/{wrong}", "its name does not match its place and subject",
                          "run: make tree && make refresh")
        if _series(text, names, made_for[1] if made_for else "", {}) != text:
            raise ui.Fail(file.name, "not as make refresh writes it", "run: make tree && make refresh")
        for name, a, b in zip(names, queue, new):
            here, there = a.read_bytes(), b.read_bytes()
            if here == there:
                continue
            if other and _bare_index(here, True) == _bare_index(there, True):
                phase.note(f"{name}: made for another base, line numbers differ")
                continue
            line = next((i for i, (x, y) in enumerate(zip(here.split(b"\n"), there.split(b"\n")), 1) if x != y), 0)
            raise ui.Fail(f"patches/{name}:{line}", "not as make refresh writes it", "run: make tree && make refresh")
        phase.result = f"{len(queue)} patches: fold after unfold is the identity"
