# SPDX-License-Identifier: GPL-2.0-only
"""make mail: a set of patches as mails that git send-email takes as they are.

The queue has a neutral author and no sign-off. Here the person who sends is put
in: as author, as the one who signs off, and as sender. Nothing is sent.

The cover letter names the patches that have to be applied first, in the form that
b4 writes and reads: prerequisite-patch-id: lines below base-commit:.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import base, gitrepo, kbuild, paths, series, stamp, tree, ui

TOP = paths.BUILD / "mail"
PLACEHOLDER = re.compile(r"\*\*\*.*\*\*\*|@[A-Z]+@|\bTODO\b|\bXXX\b")
# Of a Fixes: line, the only form that the maintainers' scripts take.
FIXES = re.compile(r'Fixes: [0-9a-f]{12} \(".+"\)')
# With a domain: what git makes up for who has not set an identity has none.
ADDRESS = re.compile(r"[^@\s<>()]+@[^@\s<>()]+\.[^@\s<>().]+")


@dataclass(frozen=True)
class Sender:
    """Who sends the series, and so signs it off."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    @property
    def env(self) -> dict[str, str]:
        return {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
                for what, value in (("NAME", self.name), ("EMAIL", self.email))}


# --- what has to be so before anything is made

def sender() -> Sender:
    """The user's git identity; git's guess of one will not do."""
    said = {}
    for key in ("user.name", "user.email"):
        done = subprocess.run(["git", "-C", paths.REPO, "config", key], capture_output=True, text=True)
        said[key] = done.stdout.strip()
        if not said[key]:
            raise ui.Fail(f"git {key}", "not set; you send and sign the series",
                          f"run: git config --global {key} '{'Your Name' if key == 'user.name' else 'you@example.org'}'")
    name, email = said["user.name"], said["user.email"]
    if not ADDRESS.fullmatch(email) or email.endswith(".localdomain"):
        raise ui.Fail(f"git user.email '{email}'", "not an address that a list can reply to",
                      "run: git config --global user.email you@example.org")
    return Sender(name, email)


def clean() -> None:
    """What is mailed is what has been committed."""
    done = subprocess.run(["git", "-C", paths.REPO, "status", "--porcelain", "--", "patches", "series"],
                          capture_output=True, text=True)
    if done.returncode:
        raise ui.Fail(str(paths.REPO), base.first_line(done.stderr), "run make mail in a clone of the repository")
    if done.stdout:
        raise ui.Fail(done.stdout.splitlines()[0][3:], "changed, and not committed",
                      f"commit it, or drop it: git -C {paths.REPO} status")


def cover(path: Path) -> tuple[str, str]:
    """Subject and body of the cover letter at @path; no place left to be filled in."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ui.Fail(str(path), "not there", f"run: git checkout -- {path}") from None
    for number, line in enumerate(text.splitlines(), 1):
        if found := PLACEHOLDER.search(line):
            raise ui.Fail(f"{path}:{number}", f"'{found[0]}' is a placeholder", "write the text that belongs there")
    head, _, body = text.partition("\n\n")
    subject = re.search(r"^Subject:[ \t]*(?:\[[^]]*\][ \t]*)?(.+(?:\n[ \t].+)*)", head, re.M)
    if not subject or not body.strip():
        raise ui.Fail(str(path), "no Subject: line with a text below it", "write it as a mail")
    return " ".join(subject[1].split()), body.strip() + "\n"


def fixes(patch: Path) -> None:
    """Refuse the patch @patch if one of its Fixes: lines does not name a commit."""
    message = patch.read_text(encoding="utf-8").partition("\n---\n")[0]
    for line in re.findall(r"^Fixes:.*", message, re.M):
        if not FIXES.fullmatch(line) or line.split()[1] == "0" * 12:
            raise ui.Fail(f"{kbuild.shown(patch)}: '{line}'", "does not name a commit by 12 digits and its subject",
                          "make tree, amend the commit's message with what git log -1 --abbrev=12 "
                          "--format='Fixes: %h (\"%s\")' prints for that commit in a clone of Linux, make refresh")


def base_commit_is_one(given: str) -> None:
    """Refuse a commit that is not given by all of its digits."""
    if given and not re.fullmatch(r"[0-9a-f]{40}", given):
        raise ui.Fail(f"BASE_COMMIT={given}", "not the 40 digits of a commit",
                      "run: git -C /path/to/linux rev-parse v7.3")


def base_commit(given: str, source: base.Base) -> str:
    """The commit that the series is made for: what was given, or the user's own tree is at.

    Debian's source has no history; its release has a tag.
    """
    base_commit_is_one(given)
    if given:
        return given
    if (source.path / ".git").exists():
        done = subprocess.run(["git", "-C", source.path, "rev-parse", "HEAD"], capture_output=True, text=True)
        if not done.returncode:
            return done.stdout.strip()
    return f"v{source.version}"


# --- whom it goes to

def maintainers(source: Path, patch: Path) -> tuple[list[str], list[str]]:
    """To and Cc by the tree's get_maintainer.pl: who maintains, and who else reads."""
    done = subprocess.run(["perl", "scripts/get_maintainer.pl", "--no-git", "--no-git-fallback", "--roles",
                           "--no-rolestats", patch], cwd=source, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ui.Fail("scripts/get_maintainer.pl", base.first_line(done.stderr or done.stdout),
                      f"run it by hand in {source}")
    to: list[str] = []
    cc: list[str] = []
    for line in done.stdout.splitlines():
        # Of two roles, "(maintainer:A,reviewer:B (C))", the first counts.
        if m := re.match(r"(.*?\S+@\S+) \((\w+)", line.strip()):
            (to if m[2] in ("maintainer", "supporter") else cc).append(m[1])
    return (to, cc) if to else (cc[:1], cc[1:])


def address(body: str, to: Iterable[str], cc: Iterable[str]) -> str:
    """The mail @body with To and Cc behind its Subject."""
    def header(name: str, who: Iterable[str]) -> str:
        people = ",\n ".join(dict.fromkeys(who))
        return f"{name}: {people}\n" if people else ""

    new = header("To", to) + header("Cc", cc)
    return re.sub(r"^Subject: .*\n(?:[ \t].*\n)*", lambda m: m[0] + new, body, count=1, flags=re.M)


# --- the mails

def signed(repo: Path, first: str, head: str, who: Sender) -> str:
    """The commits first..head again, by @who and signed off; the last of them."""
    last = first
    for commit in gitrepo.git(repo, "rev-list", "--reverse", f"{first}..{head}").split():
        wrote, date = gitrepo.git(repo, "log", "-1", "--format=%T %aI", commit).split()
        text, mark, changelog = gitrepo.git(repo, "log", "-1", "--format=%B", commit).rstrip("\n").partition("\n---\n")
        line = f"Signed-off-by: {who}"
        text = subprocess.run(["git", "interpret-trailers", "--no-divider", "--if-exists", "addIfDifferent", "--trailer", line],
                              input=text.rstrip("\n") + "\n", capture_output=True, text=True, check=True).stdout
        last = gitrepo.git(repo, "commit-tree", wrote, "-p", last, stdin=text.rstrip("\n") + "\n" + (
            f"---\n{changelog}\n" if mark else ""), **who.env, GIT_AUTHOR_DATE=date).strip()
    return last


def unnoted(repo: Path, spans: tuple[str, str], version: int) -> list[str]:
    """Subjects of patches that differ from the version before and do not say in what, below "---"."""
    said = gitrepo.git(repo, "range-diff", "--no-color", "--no-patch", *spans)
    lost = []
    for line in said.splitlines():
        m = re.match(r"\s*(?:\d+|-):\s+\S+ ([!>]) +\d+:\s+(\S+) (.*)", line)
        if m and not re.search(rf"^v{version}:", gitrepo.git(repo, "log", "-1", "--format=%B", m[2]).partition("\n---\n")[2],
                               re.M):
            lost.append(m[3])
    return lost


def revision(rev: str) -> None:
    """Refuse what is no revision of this repository."""
    done = subprocess.run(["git", "-C", paths.REPO, "rev-parse", "-q", "--verify", f"{rev}^{{commit}}"],
                          capture_output=True, text=True)
    if done.returncode:
        raise ui.Fail(f"PREV={rev}", "no revision of this repository",
                      "name the one that was sent, as in PREV=sent-2-debug-v1; git tag lists the tags")


def earlier(rev: str, name: str, where: Path) -> list[series.Set]:
    """The set @name, and those that it needs, as they were at the revision @rev of this
    repository, unpacked at @where."""
    where.mkdir(parents=True)
    revision(rev)
    archive = subprocess.run(["git", "-C", paths.REPO, "archive", rev, "--", "patches", "series"], capture_output=True)
    if archive.returncode:
        raise ui.Fail(f"PREV={rev}", base.first_line(archive.stderr.decode(errors="replace")),
                      "name a revision that has patches/ and series")
    subprocess.run(["tar", "-x", "-C", where], input=archive.stdout, check=True)
    try:
        found = series.upto(name, series.sets(where / "series", where / "patches"))
    except ui.Fail as err:
        raise ui.Fail(f"PREV={rev}", f"its series cannot be read ({err.what}: {err.problem})",
                      "name a revision that has sets") from None
    if not found[-1].patches:
        raise ui.Fail(f"PREV={rev}", f"has no patches of {name}", "name the revision that was sent, or leave out V=")
    return found


def patch_id(patch: Path) -> str:
    """What git calls the change in @patch, wherever it is applied."""
    done = subprocess.run(["git", "patch-id", "--stable"], input=patch.read_bytes(), capture_output=True)
    return done.stdout.decode().partition(" ")[0]


def chosen() -> list[series.Set]:
    """The set of SET=, which is mailed, behind those that it needs."""
    sets = series.sets()
    there = [one.short for one in sets if one.patches]
    if not paths.SET:
        raise ui.Fail("SET", "not given, and one set is mailed at a time", f"give SET=, one of {' '.join(there)}")
    found = series.upto(paths.SET, sets)
    if not found[-1].patches:
        raise ui.Fail(f"SET={paths.SET}", "has no patches", f"use one of {' '.join(there)}")
    return found


def make(who: Sender, source: base.Base, sets: Sequence[series.Set], out: Path, commit: str, version: int = 1,
         prev: Sequence[series.Set] = ()) -> list[Path]:
    """The mails of the last of @sets, in @out, which is made anew; their paths in the order to send.

    The others are below it. @source is the unpatched tree, @commit how its maintainers know it.
    """
    *below, one = sets
    subject, body = cover(one.cover)
    with ui.phase("mail") as phase, tempfile.TemporaryDirectory() as tmp:
        repo = gitrepo.bare(Path(tmp) / "mail")
        bottom = tree.slim(repo, series.flat([*sets, *prev]), source.path)
        first = tree.commit_all(repo, bottom, series.flat(below))
        head = signed(repo, first, tree.commit_all(repo, first, one.patches), who)
        since: list[str] = []
        if prev:
            start = tree.commit_all(repo, bottom, series.flat(prev[:-1]))
            before = signed(repo, start, tree.commit_all(repo, start, prev[-1].patches), who)
            if lost := unnoted(repo, (f"{start}..{before}", f"{first}..{head}"), version):
                raise ui.Fail(f"'{lost[0]}'", f"differs from v{version - 1}, and no line 'v{version}: ...' below its "
                              "'---' says in what", "make tree, write it into the commit's message below a line '---', "
                              "make refresh")
            since = [f"--range-diff={start}..{before}"]
        gitrepo.git(repo, "update-ref", "refs/heads/mail", head)
        gitrepo.git(repo, "symbolic-ref", "HEAD", "refs/heads/mail")
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        gitrepo.git(repo, "-c", f"branch.mail.description={subject}\n\n{body}", "-c",
                 f"diff.kdebug.xfuncname={tree.FUNCNAME}", "format-patch", "-q", "-o", str(out), "--cover-letter",
                 "--cover-from-description=subject", "--thread=shallow", "--no-renames", "--abbrev=12",
                 *([f"-v{version}"] if version > 1 else []), *since, f"{first}..mail", **who.env)
        mails = sorted(out.iterdir())
        letter, *rest = mails
        with ThreadPoolExecutor() as pool:
            found = list(pool.map(lambda mail: maintainers(source.path, mail), rest))
        # The cover letter goes to whom any of the patches goes to.
        found.insert(0, ([who for to, _ in found for who in to], [who for _, cc in found for who in cc]))
        for mail, (to, cc) in zip(mails, found, strict=True):
            text = mail.read_text(encoding="utf-8")
            if mail is letter:
                needed = "".join(f"prerequisite-patch-id: {patch_id(patch)}\n" for patch in series.flat(below))
                text = text.replace("\n-- \n", f"\nbase-commit: {commit}\n{needed}-- \n", 1)
            mail.write_text(address(text, to, [who for who in cc if who not in to]), encoding="utf-8")
        phase.result = f"{len(mails)} in {kbuild.shown(out)}"
    return mails


def tag(name: str, version: int) -> str:
    """The tag of the revision from which @version of the set @name was sent."""
    return f"sent-{name}-v{version}"


def command(mails: Sequence[Path], name: str, version: int) -> str:
    """What sends them, and what the next version will need."""
    return (f"git send-email --no-chain-reply-to {kbuild.shown(mails[0].parent)}/*.patch\n"
            f"git tag {tag(name, version)}")


def refuse(one: series.Set) -> Sender:
    """Who sends; or an error, where the set @one is not fit to be sent."""
    who = sender()
    clean()
    cover(one.cover)
    for patch in one.patches:
        fixes(patch)
    if not stamp.is_green(one.name):
        raise ui.Fail("make check", f"is not green for exactly this state of {one.name}",
                      f"run: make check SET={one.short}")
    return who
