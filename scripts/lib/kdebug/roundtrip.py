# SPDX-License-Identifier: GPL-2.0-only
"""make roundtrip: what a maintainer's tools make of the series, sent and fetched.

A mail server, an archive, and what applies the mails are the programs that the
lists and the maintainers use; all of them run on loopback and end with the
command. Nothing of the user's is read: not the git identity, not $HOME.
"""

from __future__ import annotations

import contextlib
import mailbox
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import apply, base, mail, paths, series, tree, ui

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

def by_mail(trip: Trip, first: str, mails: Sequence[Path]) -> Path:
    """git send-email, a mail server, public-inbox, b4 am, git am."""
    smtp, http = free_port(), free_port()
    received = trip.top / "received"
    with trip.server("aiosmtpd", smtp, "aiosmtpd", "-n", "-l", f"127.0.0.1:{smtp}", "-c",
                     "aiosmtpd.handlers.Mailbox", received):
        trip.run("git", "send-email", "--quiet", "--confirm=never", "--smtp-server=127.0.0.1",
                 f"--smtp-server-port={smtp}", "--suppress-cc=all", "--no-chain-reply-to",
                 f"--to={LIST}", *mails, cwd=trip.repo("sender", first))
        box = mailbox.Maildir(received)
        wait_for(lambda: len(box) >= len(mails), f"of {len(mails)} mails fewer have come", trip.log)
    if len(box) != len(mails):
        raise ui.Fail(str(received), f"{len(box)} mails of {len(mails)}", f"see {trip.log}")
    url = f"http://127.0.0.1:{http}/roundtrip"
    inbox = trip.top / "inbox"
    trip.run("public-inbox-init", "-V2", "roundtrip", inbox, url, LIST)
    trip.run("git", "config", "-f", trip.top / "home/public-inbox/config", "publicinboxmda.spamcheck", "none")
    ids = []
    for message in box:
        ids.append((message["Subject"], message["Message-Id"].strip("<>")))
        trip.run("public-inbox-mda", "--no-precheck", stdin=message.as_bytes(), ORIGINAL_RECIPIENT=LIST)
    trip.run("public-inbox-index", inbox)
    letter = next(i for subject, i in ids if f" 00/{len(mails) - 1}]" in subject)
    for key, value in (("midmask", f"{url}/%s"), ("linkmask", f"{url}/%s"), ("searchmask", f"{url}/?x=m&t=1&q=%s"),
                       ("attestation-policy", "off"), ("save-maildirs", "no")):
        trip.run("git", "config", "--global", f"b4.{key}", value)
    with trip.server("public-inbox-httpd", http, "public-inbox-httpd", "-l", f"127.0.0.1:{http}"):
        fetched = trip.top / "fetched"
        fetched.mkdir()
        trip.run("b4", "am", "-n", "series", "-o", fetched, letter, cwd=trip.repo("b4", first))
    repo = trip.repo("am-of-mails", first)
    trip.run("git", "am", fetched / "series.mbx", cwd=repo)
    return repo


def by_am(trip: Trip, first: str) -> Path:
    """git am patches/*, the cover letter with them."""
    repo = trip.repo("am", first)
    trip.run("git", "am", *sorted(paths.PATCHES.iterdir()), cwd=repo)
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


def run(source: base.Base, top: Path = TOP) -> list[tuple[str, str]]:
    """Each way, and what is wrong with the tree that it gives: "" where it is the series' own."""
    trip = Trip(top, source)
    queue = series.read()
    repo = tree.bare(top / "queue")
    first = tree.slim(repo, queue, source.path)
    # What patch(1) makes of the series is what the kernel is built from.
    patched = apply.ensure(source, queue, top / "patched")
    want = tree.git(repo, "rev-parse", f"{tree.slim(repo, queue, patched.path)}^{{tree}}").strip()
    tree.git(repo, "update-ref", "refs/heads/base", first)
    mails = mail.make(WHO, source, top / "mails", mail.base_commit("", source))
    ways: list[tuple[str, Callable[[], Path]]] = [
        ("git send-email, public-inbox, b4 am, git am", lambda: by_mail(trip, first, mails)),
        ("git am patches/*", lambda: by_am(trip, first)),
        ("git quiltimport", lambda: by_quiltimport(trip, first)),
        ("quilt push -a", lambda: by_quilt(trip, first))]
    results = []
    for name, way in ways:
        try:
            at = way()
            got = trip.tree_of(at)
            why = "" if got == want else "not the tree of the series:\n" + trip.run(
                "git", "diff", "--stat", want, got, cwd=at)
            if not why and way is ways[0][1]:
                signed = trip.run("git", "log", "--format=%an <%ae>%n%(trailers:key=Signed-off-by,valueonly,separator=)",
                                  f"{first}..HEAD", cwd=at).split("\n")
                if wrong := [line for line in signed if line and line != str(WHO)]:
                    why = f"author or sign-off: {wrong[0]}"
        except ui.Fail as err:
            why = str(err)
        results.append((name, why))
    return results
