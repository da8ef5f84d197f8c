# SPDX-License-Identifier: GPL-2.0-only
"""make mail: a set of patches as mails that git send-email takes as they are.

The queue has a neutral author and no sign-off. Here the person who sends is put
in: as author, as the one who signs off, and as sender. Nothing is sent.

The cover letter names the patches that have to be applied first, in the form that
b4 writes and reads: prerequisite-patch-id: lines below base-commit:. By its change-id:
b4 and patchwork know that two versions are of one set. The id is kept in the header of
the set's cover letter in patches/.
"""

from __future__ import annotations

import dataclasses
import re
import secrets
import shlex
import shutil
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from kdebug.check import green
from kdebug.context import Context, short
from kdebug.host import files, processes, ui
from kdebug.patches import git, series, to_commits
from kdebug.source import trees

PLACEHOLDER = re.compile(r"\*\*\*.*\*\*\*|@[A-Z]+@|\bTODO\b|\bXXX\b")
# Of a Fixes: line, the only form that the maintainers' scripts take.
FIXES = re.compile(r'Fixes: [0-9a-f]{12} \(".+"\)')
LOG = "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/log/?qt=grep&q="
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

def sender(context: Context) -> Sender:
    """The user's git identity; git's guess of one will not do."""
    said = {}
    for key in ("user.name", "user.email"):
        done = subprocess.run(["git", "-C", context.repo, "config", key], capture_output=True, text=True)
        said[key] = done.stdout.strip()
        if not said[key]:
            raise ui.Fail(f"git {key}", "not set; you send and sign the series",
                          f"run: git config --global {key} '{'Your Name' if key == 'user.name' else 'you@example.org'}'")
    name, email = said["user.name"], said["user.email"]
    if not ADDRESS.fullmatch(email) or email.endswith(".localdomain"):
        raise ui.Fail(f"git user.email '{email}'", "not an address that a list can reply to",
                      "run: git config --global user.email you@example.org")
    return Sender(name, email)


def clean(context: Context) -> None:
    """What is mailed is what has been committed."""
    done = subprocess.run(["git", "-C", context.repo, "status", "--porcelain", "--", "patches", "series"],
                          capture_output=True, text=True)
    if done.returncode:
        raise ui.Fail(str(context.repo), processes.first_line(done.stderr),
                      "run make mail in a clone of the repository")
    if done.stdout:
        raise ui.Fail(done.stdout.splitlines()[0][3:], "changed, and not committed",
                      f"commit it, or drop it: git -C {context.repo} status")


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


def change_id(context: Context, letter: Path) -> str:
    """The Change-id: in the header of the cover letter @letter, "" without one."""
    head = letter.read_text(encoding="utf-8").partition("\n\n")[0] if letter.is_file() else ""
    found = re.search(r"^Change-id:[ \t]*(.*?)[ \t]*$", head, re.M | re.I)
    if found and not re.fullmatch(r"[\w.-]+", found[1]):
        raise ui.Fail(context.shown(letter), f"'{found[0]}' is no change-id", "put the line back as it was, or, if "
                      "nothing was sent yet, remove it")
    return found[1] if found else ""


def shared_id(context: Context, one: series.Set, prev: Sequence[series.Set]) -> str:
    """The change-id of the set @one: its own, that of the version before in @prev, or a new one, formed as b4 does."""
    here, before = change_id(context, one.cover), change_id(context, prev[-1].cover) if prev else ""
    if here and before and here != before:
        raise ui.Fail(f"{context.shown(one.cover)}: Change-id: {here}", "the version before was sent with another one",
                      f"write Change-id: {before}")
    return here or before or f"{time.strftime('%Y%m%d')}-kthread-{one.short}-{secrets.token_hex(6)}"


def keep_id(context: Context, one: series.Set, change: str) -> bool:
    """Write the change-id @change into the cover letter of @one; True if it was not there."""
    if change_id(context, one.cover):
        return False
    head, blank, body = one.cover.read_text(encoding="utf-8").partition("\n\n")
    files.write_atomic(one.cover, f"{head}\nChange-id: {change}{blank}{body}".encode())
    return True


def fixes(context: Context, patch: Path) -> None:
    """Refuse the patch @patch if one of its Fixes: lines does not name a commit."""
    message = patch.read_text(encoding="utf-8").partition("\n---\n")[0]
    for line in re.findall(r"^Fixes:.*", message, re.M):
        if not FIXES.fullmatch(line) or line.split()[1] == "0" * 12:
            said = re.search(r'\("?(.+?)"?\)?$', line)
            subject = said[1] if said else "SUBJECT"
            raise ui.Fail(f"{context.shown(patch)}: '{line}'", "does not name a commit by 12 digits and its subject",
                          f"look it up at {LOG}{urllib.parse.quote_plus(subject)} or in a clone of Linux by git log -1 "
                          f"--abbrev=12 --format='Fixes: %h (\"%s\")' -F --grep={shlex.quote(subject)}; then make tree, "
                          "amend the commit's message, make refresh")


def base_commit_is_one(given: str) -> None:
    """Refuse a commit that is not given by all of its digits."""
    if given and not re.fullmatch(r"[0-9a-f]{40}", given):
        raise ui.Fail(f"BASE_COMMIT={given}", "not the 40 digits of a commit",
                      "run: git -C /path/to/linux rev-parse v7.3")


def base_commit(given: str, source: trees.BaseTree) -> str:
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
        raise ui.Fail("scripts/get_maintainer.pl", processes.first_line(done.stderr or done.stdout),
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
    for commit in git.run(repo, "rev-list", "--reverse", f"{first}..{head}").split():
        wrote, date = git.run(repo, "log", "-1", "--format=%T %aI", commit).split()
        text, mark, changelog = git.run(repo, "log", "-1", "--format=%B", commit).rstrip("\n").partition("\n---\n")
        line = f"Signed-off-by: {who}"
        text = subprocess.run(["git", "interpret-trailers", "--no-divider", "--if-exists", "addIfDifferent",
                               "--trailer", line],
                              input=text.rstrip("\n") + "\n", capture_output=True, text=True, check=True).stdout
        last = git.run(repo, "commit-tree", wrote, "-p", last, stdin=text.rstrip("\n") + "\n" + (
            f"---\n{changelog}\n" if mark else ""), **who.env, GIT_AUTHOR_DATE=date).strip()
    return last


def unnoted(repo: Path, spans: tuple[str, str], version: int) -> list[str]:
    """Subjects of patches that differ from the version before and do not say in what, below "---"."""
    said = git.run(repo, "range-diff", "--no-color", "--no-patch", *spans)
    lost = []
    for line in said.splitlines():
        m = re.match(r"\s*(?:\d+|-):\s+\S+ ([!>]) +\d+:\s+(\S+) (.*)", line)
        if m and not re.search(rf"^v{version}:",
                               git.run(repo, "log", "-1", "--format=%B", m[2]).partition("\n---\n")[2],
                               re.M):
            lost.append(m[3])
    return lost


def revision(context: Context, rev: str) -> None:
    """Refuse what is no revision of this repository."""
    done = subprocess.run(["git", "-C", context.repo, "rev-parse", "-q", "--verify", f"{rev}^{{commit}}"],
                          capture_output=True, text=True)
    if done.returncode:
        raise ui.Fail(f"PREV={rev}", "no revision of this repository",
                      "name the one that was sent, as in PREV=sent-2-debug-v1; git tag lists the tags")


def earlier(context: Context, rev: str, name: str, where: Path) -> list[series.Set]:
    """The set @name, and those that it needs, as they were at the revision @rev of this
    repository, unpacked at @where."""
    where.mkdir(parents=True)
    revision(context, rev)
    archive = subprocess.run(["git", "-C", context.repo, "archive", rev, "--", "patches", "series"],
                             capture_output=True)
    if archive.returncode:
        raise ui.Fail(f"PREV={rev}", processes.first_line(archive.stderr.decode(errors="replace")),
                      "name a revision that has patches/ and series")
    subprocess.run(["tar", "-x", "-C", where], input=archive.stdout, check=True)
    try:
        found = series.upto(name, series.sets(dataclasses.replace(context, repo=where)))
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


def chosen(context: Context) -> list[series.Set]:
    """The set of SET=, which is mailed, behind those that it needs."""
    sets = series.sets(context)
    there = [one.short for one in sets if one.patches]
    if not context.set:
        raise ui.Fail("SET=", "not given, and one set is mailed at a time", f"use one of {' '.join(there)}")
    found = series.upto(context.set, sets)
    if not found[-1].patches:
        raise ui.Fail(f"SET={short(context.set)}", "has no patches", f"use one of {' '.join(there)}")
    return found


def make(context: Context, who: Sender, source: trees.BaseTree, sets: Sequence[series.Set], out: Path, commit: str,
         version: int = 1, prev: Sequence[series.Set] = (), change: str = "") -> list[Path]:
    """The mails of the last of @sets, in @out, which is made anew; their paths in the order to send.

    The others are below it. @source is the unpatched tree, @commit how its maintainers know it, @change the
    change-id of the set.
    """
    *below, one = sets
    subject, body = cover(one.cover)
    with ui.phase("mail") as phase, tempfile.TemporaryDirectory() as tmp:
        repo = git.bare(Path(tmp) / "mail")
        bottom = to_commits.slim(repo, series.flat([*sets, *prev]), source.path)
        first = to_commits.commit_all(repo, bottom, series.flat(below))
        head = signed(repo, first, to_commits.commit_all(repo, first, one.patches), who)
        since: list[str] = []
        if prev:
            start = to_commits.commit_all(repo, bottom, series.flat(prev[:-1]))
            before = signed(repo, start, to_commits.commit_all(repo, start, prev[-1].patches), who)
            if lost := unnoted(repo, (f"{start}..{before}", f"{first}..{head}"), version):
                raise ui.Fail(f"'{lost[0]}'", f"differs from v{version - 1}, and no line 'v{version}: ...' below its "
                              "'---' says in what", "make tree, write it into the commit's message below a line '---', "
                              "make refresh")
            since = [f"--range-diff={start}..{before}"]
        git.run(repo, "update-ref", "refs/heads/mail", head)
        git.run(repo, "symbolic-ref", "HEAD", "refs/heads/mail")
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        git.run(repo, "-c", f"branch.mail.description={subject}\n\n{body}", "-c",
                f"diff.kdebug.xfuncname={git.FUNCNAME}", "format-patch", "-q", "-o", str(out), "--cover-letter",
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
                same = f"change-id: {change}\n" if change else ""
                text = text.replace("\n-- \n", f"\nbase-commit: {commit}\n{same}{needed}-- \n", 1)
            mail.write_text(address(text, to, [who for who in cc if who not in to]), encoding="utf-8")
        phase.result = f"{len(mails)} in {context.shown(out)}"
    return mails


def tag(name: str, version: int) -> str:
    """The tag of the revision from which @version of the set @name was sent."""
    return f"sent-{name}-v{version}"


def command(context: Context, mails: Sequence[Path], one: series.Set, version: int, changed: bool = False) -> str:
    """What sends them, and what the next version will need; @changed if the cover letter has a new change-id."""
    return (f"git send-email --no-chain-reply-to {context.shown(mails[0].parent)}/*.patch\n"
            + (f"git commit -m '{one.name}: keep the change-id' {context.shown(one.cover)}\n" if changed else "")
            + f"git tag {tag(one.name, version)}")


def refuse(context: Context, one: series.Set) -> Sender:
    """Who sends; or an error, where the set @one is not fit to be sent."""
    who = sender(context)
    clean(context)
    cover(one.cover)
    for patch in one.patches:
        fixes(context, patch)
    if not green.is_green(context, one.name):
        raise ui.Fail("make check", f"is not green for exactly this state of {one.name}",
                      f"run: make check SET={one.short}")
    return who
