# SPDX-License-Identifier: GPL-2.0-only
"""make roundtrip: what a maintainer's tools make of each set, sent and fetched, and of the whole.

A mail server, an archive, and what applies the mails are the programs that the
lists and the maintainers use; all of them run on loopback and end with the
command. Nothing of the user's is read: not the git identity, not $HOME.
"""

from __future__ import annotations

import contextlib
import gzip
import mailbox
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

from . import apply, base, gitrepo, mail, paths, series, tree, ui

TOP = paths.BUILD / "roundtrip"
WHO = mail.Sender("kthread-debug round trip", "sender@roundtrip.invalid")
LIST = "list@roundtrip.invalid"
LIMIT = 60.0  # seconds for a server to listen, or an archive to have a mail


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@dataclass
class Trip:
    """Where the round trip takes place: directories, environment, a log."""

    top: Path
    base: base.Base

    def __post_init__(self) -> None:
        shutil.rmtree(self.top, ignore_errors=True)
        (self.top / "home").mkdir(parents=True)
        self.log = self.top / "log"
        drop = ("GIT_", "PI_", "XDG_", "EMAIL", "QUILT_", "LC_", "LANG")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(drop)} | {
            "HOME": str(self.top / "home"), "PI_DIR": str(self.top / "home/public-inbox"), "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1", "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1", "TZ": "UTC",
            "QUILTRC": "/dev/null"}
        for key, value in (("user.name", WHO.name), ("user.email", WHO.email), ("core.fsync", "none"),
                           ("safe.directory", "*"), ("init.defaultBranch", "main"), ("gc.auto", "0")):
            self.run("git", "config", "--global", key, value)

    def run(self, *args: str | Path, cwd: Path | None = None, stdin: bytes = b"", **env: str) -> str:
        """Run a program; one that fails is named, with its last line and the log."""
        with self.log.open("ab") as log:
            log.write(f"$ {' '.join(map(str, args))}\n".encode())
        try:
            done = subprocess.run([str(a) for a in args], cwd=cwd or self.top, env=self.env | env, input=stdin,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
        except FileNotFoundError:
            raise ui.Fail(str(args[0]), "not found", "run: make deps") from None
        said = done.stdout.decode(errors="replace")
        with self.log.open("ab") as log:
            log.write(done.stdout)
        if done.returncode:
            last = [line for line in said.splitlines() if line.strip()][-1:] or [f"exit {done.returncode}"]
            raise ui.Fail(f"{Path(str(args[0])).name} {args[1] if len(args) > 1 else ''}".strip(), last[0],
                          f"see {self.log}")
        return said

    @contextlib.contextmanager
    def server(self, name: str, port: int, *args: str | Path) -> Iterator[None]:
        """Run the server @args until the block ends; it has to listen on @port."""
        log = self.top / f"{name}.log"
        with log.open("wb") as out:
            try:
                child = subprocess.Popen([str(a) for a in args], cwd=self.top, env=self.env, stdin=subprocess.DEVNULL,
                                         stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
            except FileNotFoundError:
                raise ui.Fail(str(args[0]), "not found", "run: make deps") from None

            def listens() -> bool:
                if child.poll() is not None:
                    raise ui.Fail(name, f"has ended by itself ({child.returncode})", f"see {log}")
                with socket.socket() as s:
                    return s.connect_ex(("127.0.0.1", port)) == 0

            try:
                wait_for(listens, f"{name} does not listen on port {port}", log)
                yield
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, 15)
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    os.killpg(child.pid, 9)
                    child.wait()

    def repo(self, name: str, first: str) -> Path:
        """A clean clone with the base checked out."""
        path = self.top / name
        self.run("git", "clone", "-q", "--shared", "--no-checkout", self.top / "queue", path)
        self.run("git", "checkout", "-q", "-b", "work", first, cwd=path)
        return path

    def tree_of(self, repo: Path) -> str:
        return self.run("git", "rev-parse", "HEAD^{tree}", cwd=repo).strip()


def wait_for(state: Callable[[], bool], problem: str, log: Path) -> None:
    """Until @state holds; an error when it does not within LIMIT."""
    end = time.monotonic() + LIMIT
    while not state():
        if time.monotonic() > end:
            raise ui.Fail("make roundtrip", problem, f"see {log}")
        time.sleep(0.05)


# --- the ways from patches/ to a tree

def asked_for(url: str, box: Path, letter: Path) -> list[Path]:
    """The patches that the cover letter @letter names as needed, each found in the archive at
    @url by its id, and put beside @box: what b4 shazam does since 0.14."""
    found: list[Path] = []
    for number, patch in enumerate(re.findall(r"^prerequisite-patch-id: (\S+)$", letter.read_text(), re.M), 1):
        request = urllib.request.Request(f"{url}/?x=m&q=patchid:{patch}", data=b"")
        try:
            # Not through a proxy: it is on this machine.
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=LIMIT) as answer:
                mails = gzip.decompress(answer.read())
        except OSError as err:
            raise ui.Fail(f"prerequisite-patch-id: {patch}", f"not in the archive ({err})", f"see {letter}") from None
        found.append(box.with_name(f"{box.stem}-needs-{number}.mbx"))
        found[-1].write_bytes(mails)
    return found


def fetched(trip: Trip, first: str, mails: Mapping[str, Sequence[Path]]) -> dict[str, list[Path]]:
    """What comes back of each set's @mails, behind the patches that it needs: git send-email,
    a mail server, public-inbox, b4 am."""
    smtp, http = free_port(), free_port()
    received = trip.top / "received"
    total = sum(len(some) for some in mails.values())
    box = mailbox.Maildir(received)
    with trip.server("aiosmtpd", smtp, "aiosmtpd", "-n", "-l", f"127.0.0.1:{smtp}", "-c",
                     "aiosmtpd.handlers.Mailbox", received):
        sender = trip.repo("sender", first)
        for some in mails.values():
            trip.run("git", "send-email", "--quiet", "--confirm=never", "--smtp-server=127.0.0.1",
                     f"--smtp-server-port={smtp}", "--suppress-cc=all", "--no-chain-reply-to",
                     f"--to={LIST}", *some, cwd=sender)
        wait_for(lambda: len(box) >= total, f"of {total} mails fewer have come", trip.log)
    if len(box) != total:
        raise ui.Fail(str(received), f"{len(box)} mails of {total}", f"see {trip.log}")
    url = f"http://127.0.0.1:{http}/roundtrip"
    inbox = trip.top / "inbox"
    trip.run("public-inbox-init", "-V2", "roundtrip", inbox, url, LIST)
    trip.run("git", "config", "-f", trip.top / "home/public-inbox/config", "publicinboxmda.spamcheck", "none")
    for message in box:
        trip.run("public-inbox-mda", "--no-precheck", stdin=message.as_bytes(), ORIGINAL_RECIPIENT=LIST)
    trip.run("public-inbox-index", inbox)
    for key, value in (("midmask", f"{url}/%s"), ("linkmask", f"{url}/%s"), ("searchmask", f"{url}/?x=m&t=1&q=%s"),
                       ("attestation-policy", "off"), ("save-maildirs", "no")):
        trip.run("git", "config", "--global", f"b4.{key}", value)
    with trip.server("public-inbox-httpd", http, "public-inbox-httpd", "-l", f"127.0.0.1:{http}"):
        (trip.top / "fetched").mkdir()
        b4 = trip.repo("b4", first)
        boxes: dict[str, list[Path]] = {}
        for name, (letter, *_) in mails.items():
            own = trip.top / f"fetched/{name}.mbx"
            trip.run("b4", "am", "-n", name, "-o", own.parent,
                     message_from_bytes(letter.read_bytes())["Message-Id"].strip("<>"), cwd=b4)
            boxes[name] = [*asked_for(url, own, letter), own]
    return boxes


def by_am(trip: Trip, name: str, first: str, *mails: Path) -> Path:
    """git am of these mails, or of folders of mails, on @first."""
    repo = trip.repo(name, first)
    trip.run("git", "am", *(file for mail in mails for file in (sorted(mail.iterdir()) if mail.is_dir() else [mail])),
             cwd=repo)
    return repo


def by_quiltimport(trip: Trip, first: str) -> Path:
    """git quiltimport."""
    repo = trip.repo("quiltimport", first)
    trip.run("git", "quiltimport", "--patches", paths.PATCHES, "--series", paths.SERIES, cwd=repo)
    return repo


def by_quilt(trip: Trip, first: str) -> Path:
    """quilt push -a."""
    repo = trip.repo("quilt", first)
    trip.run("quilt", "--quiltrc", "-", "push", "-a", "--fuzz=0", cwd=repo, QUILT_PATCHES=str(paths.PATCHES),
             QUILT_SERIES=str(paths.SERIES))
    shutil.rmtree(repo / ".pc")
    trip.run("git", "add", "-A", "-f", ".", cwd=repo)
    trip.run("git", "commit", "-q", "-m", "pushed", cwd=repo)
    return repo


def unsigned(trip: Trip, repo: Path, first: str) -> str:
    """The first author or sign-off of @first..HEAD in @repo that is not the sender's, "" without one."""
    people = trip.run("git", "log", "--format=%an <%ae>%n%(trailers:key=Signed-off-by,valueonly,separator=)",
                      f"{first}..HEAD", cwd=repo).split("\n")
    return next((f"author or sign-off: {line}" for line in people if line and line != str(WHO)), "")


def run(source: base.Base, top: Path = TOP) -> list[tuple[str, str]]:
    """Each way, and what is wrong with the tree that it gives: "" where it is what series gives."""
    trip = Trip(top, source)
    sets = [one for one in series.sets() if one.patches]
    queue = series.flat(sets)
    repo = gitrepo.bare(top / "queue")
    first = tree.slim(repo, queue, source.path)
    gitrepo.git(repo, "update-ref", "refs/heads/base", first)
    commit = mail.base_commit("", source)
    below: dict[str, str] = {}  # what each set's mails are applied to
    want: dict[str, str] = {}   # the tree of each set with what it needs; "" of all
    mails: dict[str, list[Path]] = {}
    results: list[tuple[str, str]] = []
    for name in ["", *(one.name for one in sets)]:
        these = series.upto(name, sets)
        # What patch(1) makes of the series is what the kernel is built from.
        try:
            patched = apply.ensure(source, series.flat(these), top / "patched")
        except ui.Fail as err:
            results.append((f"{name or 'all'}: series", str(err)))
            continue
        want[name] = gitrepo.git(repo, "rev-parse", f"{tree.slim(repo, queue, patched.path)}^{{tree}}").strip()
        if name:
            below[name] = tree.commit_all(repo, first, series.flat(these[:-1]))
            mails[name] = mail.make(WHO, source, these, top / "mails" / name, commit)

    def way(what: str, name: str, act: Callable[[], Path], start: str = "") -> None:
        """The tree that @act gives is that of the set @name; from mails, all on @start are the sender's."""
        try:
            at = act()
            got = trip.tree_of(at)
            why = "" if got == want[name] else "not the tree of the series:\n" + trip.run(
                "git", "diff", "--stat", want[name], got, cwd=at)
            why = why or (unsigned(trip, at, start) if start else "")
        except ui.Fail as err:
            why = str(err)
        results.append((what, why))

    sent = "git send-email, public-inbox, b4 am, git am"
    boxes: dict[str, list[Path]] = {}
    try:
        boxes = fetched(trip, first, mails)
    except ui.Fail as err:
        results.append((sent, str(err)))
    for name, some in boxes.items():
        way(f"{name}{' and what its cover letter asks for' if some[1:] else ''}: {sent}", name,
            lambda: by_am(trip, f"am-of-mails-{name}", first, *some), first)
    if len(boxes) == len(sets):
        way(f"all, one after the other: {sent}", "",
            lambda: by_am(trip, "am-of-mails", first, *(some[-1] for some in boxes.values())), first)
    for name in below:
        way(f"{name}: git am patches/{name}/*", name,
            lambda: by_am(trip, f"am-{name}", below[name], paths.PATCHES / name))
    folders = [paths.PATCHES / one.name for one in sets]
    way("git am patches/*/*", "", lambda: by_am(trip, "am", first, *folders))
    way("git quiltimport", "", lambda: by_quiltimport(trip, first))
    way("quilt push -a", "", lambda: by_quilt(trip, first))
    return results
