# SPDX-License-Identifier: GPL-2.0-only
"""Packages from Debian, by an apt with a state of its own: nothing on the host changes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from kdebug.context import Context
from kdebug.host import files, processes, ui

MIRROR_SUITES = re.compile(
    r"(bookworm|trixie|forky|duke|oldstable|stable|testing|sid|unstable)(-(updates|security|backports|proposed-updates))?$")
KEYRINGS = (Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
            Path("/usr/share/keyrings/debian-archive-keyring.pgp"))

NO_NETWORK = re.compile(
    r"Could not resolve|Temporary failure|Could not connect|Connection (failed|refused|timed out)|"
    r"Unable to connect|Cannot initiate|Network is unreachable|No route to host|timed out")
BAD_SIGNATURE = re.compile(r"NO_PUBKEY|BADSIG|EXPKEYSIG|not signed|signature.*(invalid|verif)|"
                           r"(invalid|verif).*signature|Missing key")
NOT_THERE = re.compile(r"404 +(File )?[Nn]ot [Ff]ound")
ALTERED = re.compile(r"Hash Sum mismatch|unexpected size|[Ss]ize mismatch")


def host_mirrors() -> list[str]:
    """The Debian mirrors that the host's apt uses; none on another system."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return []
    _, out, _ = processes.run([["apt-get", "indextargets", "--no-release-info", "--format",
                                "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Identifier: Packages"]])
    rows = [line.split() for line in out.splitlines()]
    return list(dict.fromkeys(row[0] for row in rows if len(row) == 3 and row[2] == "main"
                              and MIRROR_SUITES.match(row[1]) and not row[0].startswith("cdrom:")))


class Apt:
    """apt-get with its own lists, cache, status and sources.

    The host's configuration is read first, so its proxy and its other ways
    out hold; its hooks, pins and relaxed checks do not.
    """

    def __init__(self, top: Path) -> None:
        self.top = top
        for name in ("lists/partial", "cache/archives/partial", "etc"):
            (self.top / name).mkdir(parents=True, exist_ok=True)
        (self.top / "etc/status").touch()
        self.conf = self.top / "etc/apt.conf"
        self.sources = self.top / "etc/sources.list"
        settings = {
            "Dir::State": self.top, "Dir::State::lists": self.top / "lists",
            "Dir::State::status": self.top / "etc/status",
            "Dir::State::extended_states": self.top / "etc/extended_states",
            "Dir::Cache": self.top / "cache", "Dir::Cache::archives": self.top / "cache/archives",
            "Dir::Etc::sourcelist": self.sources, "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null", "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
            "APT::Update::Error-Mode": "any", "APT::Get::AllowUnauthenticated": "false",
            "Acquire::AllowInsecureRepositories": "false", "Acquire::AllowWeakRepositories": "false",
            "Acquire::Languages": "none", "Acquire::PDiffs": "false", "Acquire::Retries": "2",
            "Acquire::http::Timeout": "30", "Acquire::https::Timeout": "30"}
        lines = ["#clear APT::Update;", "#clear APT::Default-Release;", "#clear Acquire::Languages;"]
        lines += [f'{name} "{value}";' for name, value in settings.items() if value != ""]
        files.write_atomic(self.conf, ("\n".join(lines) + "\n").encode())

    def __call__(self, *args: str) -> tuple[int, str, str]:
        # Not where the packages are: what is there already has no URI to print.
        return processes.run([["apt-get", "-c", str(self.conf), "-q", *args]], cwd=self.top)

    def find(self, mirror: str, suite: str, keyring: Path,
             package: str) -> tuple[tuple[str, str, int, str] | None, str]:
        """Look for @package, name or name:architecture: ((uri, file, size, sha256), "") or (None, why not)."""
        foreign = package.partition(":")[2]
        more = ["-o", f"APT::Architectures::={foreign}"] if foreign else []
        which = f"signed-by={keyring} target=Packages" + (f" arch={foreign}" if foreign else "")
        files.write_atomic(self.sources, f"deb [{which}] {mirror} {suite} main\n".encode())
        status, out, err = self(*more, "update")
        if status:
            return None, out + err
        status, out, err = self(*more, "download", "--print-uris", package)
        found = re.search(r"^'(\S+)' (\S+) (\d+) SHA256:([0-9a-f]{64})$", out, re.M)
        return ((found[1], found[2], int(found[3]), found[4]) if found else None), err

    def download(self, uri: str, deb: Path, size: int, sha256: str, phase: ui.Phase) -> str:
        """Fetch @deb; unlike apt-get download, this goes on where an earlier one stopped."""
        child = subprocess.Popen(["/usr/lib/apt/apt-helper", "-c", str(self.conf), "-q", "download-file", uri,
                                  str(deb), f"SHA256:{sha256}"], env=processes.clean_env(), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 preexec_fn=processes.die_with_parent())
        try:
            while child.poll() is None:
                phase.live(f"{files.megabytes(files.size_of(deb))} of {files.megabytes(size)}")
                time.sleep(0.1)
        finally:
            child.kill()
            out = child.communicate()[0].decode(errors="replace")
        return out


def package(context: Context, name: str, suites: tuple[str, ...]) -> Path:
    """Fetch the package @name from the first of @suites that has it; the .deb."""
    found = newest(context, host_mirrors(), name, suites)
    if found is None:
        raise ui.Fail(name, f"not in {' or '.join(suites)} of a Debian mirror that apt knows",
                      "install it by hand, or use a Debian that has it")
    return found


def unpack(name: str, suites: tuple[str, ...], top: Path) -> None:
    """Unpack the package @name of the first of @suites that has it, and all that it depends on, as the tree @top.

    Nothing is installed: no package's scripts run.
    """
    keyring = next((k for k in KEYRINGS if k.is_file()), None)
    new, said = top.with_name(f".{top.name}.new"), ""
    shutil.rmtree(new, ignore_errors=True)
    with ui.phase("fetch", f"{name} and what it depends on") as phase:
        apt = Apt(new / "apt")
        for suite, mirror in ((s, m) for s in suites for m in host_mirrors() if keyring):
            phase.live(f"asking {suite}")
            assert keyring
            found, said = apt.find(mirror, suite, keyring, name)
            if not found:
                continue
            status, _, said = apt("--yes", "--no-install-recommends", "--download-only", "install", name)
            if status:
                continue
            for deb in sorted((new / "apt/cache/archives").glob("*.deb")):
                phase.live(deb.name)
                status, _, err = processes.run([["dpkg-deb", "-x", str(deb), str(new / "root")]], disk=new)
                if status:
                    raise ui.Fail(deb.name, f"cannot be unpacked ({processes.first_line(err)})", "run again")
            shutil.rmtree(top, ignore_errors=True)
            (new / "root").replace(top)
            shutil.rmtree(new)
            phase.result = found[1]
            return
    shutil.rmtree(new)
    raise ui.Fail(name, f"not to be had from {' or '.join(suites)} of Debian ({processes.first_line(said)})",
                  "connect, or install it by hand")


def newest(context: Context, mirrors: list[str], name: str, suites: tuple[str, ...],
           pool: Sequence[tuple[str, int, str]] = (),
           instead: str = "") -> Path | None:
    """Fetch the newest package @name from @suites; None when no mirror has it.

    @pool has files that no suite lists any more: path on a mirror, size, SHA-256.
    @instead is what the user can do without a network, for the error's text.
    """
    or_instead = f"; or {instead}" if instead else ""
    keyring = next((k for k in KEYRINGS if k.is_file()), None)
    if keyring is None:
        raise ui.Fail(str(KEYRINGS[0]), "not there, so nothing Debian signed can be checked",
                      "run: make deps (package debian-archive-keyring)")
    apt = Apt(context.download / "apt")
    reached = False
    why = ""
    with ui.phase("fetch", f"{name}: looking for the newest") as phase:
        for suite in suites:
            for mirror in mirrors:
                phase.live(f"{name}: asking {suite}")
                found, said = apt.find(mirror, suite, keyring, name)
                if found and (deb := _take(context, apt, found, phase, or_instead)):
                    return deb
                if BAD_SIGNATURE.search(said):
                    raise ui.Fail(f"{mirror} {suite}", f"its signature is not good ({processes.first_line(said)})",
                                  "update the package debian-archive-keyring, or mend the mirror in apt's sources")
                if NO_NETWORK.search(said):
                    why = f"{mirror}: {processes.first_line(said)}"
                else:
                    reached = True
        if suites and not reached:
            raise ui.Fail(name, f"no network ({why})", f"connect, or set apt's proxy, and run again{or_instead}")
        for path, size, sha256 in pool:
            for mirror in mirrors:
                found = f"{mirror.rstrip('/')}/{path}", path.rpartition("/")[2], size, sha256
                if deb := _take(context, apt, found, phase, or_instead):
                    return deb
        phase.result = f"no suite of Debian has {name}"
    return None


def _take(context: Context, apt: Apt, found: tuple[str, str, int, str], phase: ui.Phase,
          or_instead: str) -> Path | None:
    """Fetch the package @found, or take the one that is there; None if the mirror has it not."""
    uri, file, size, sha256 = found
    deb = context.download / file
    name, version, _ = file.replace("%3a", ":").split("_")
    said = ""
    for _ in range(2):  # a second time from nothing, if what was there was wrong
        have = files.size_of(deb)
        if have == size and files.sha256_of(deb) == sha256:
            break
        if have >= size:
            phase.note(f"{file} was altered: fetching it again")
            deb.unlink()
            have = 0
        files.need_space(context.download, size - have)
        said = apt.download(uri, deb, size, sha256, phase)
        deb.with_name(f"{file}.FAILED").unlink(missing_ok=True)
        if not ALTERED.search(said):
            break
    if ALTERED.search(said):
        raise ui.Fail(file, f"the download was altered ({processes.first_line(said)})",
                      f"run again; if it stays so, the mirror is bad ({uri})")
    if files.size_of(deb) < size:
        if NOT_THERE.search(said):
            return None
        if "No space left on device" in said:
            raise files.no_space(context.download)
        why = "no network" if NO_NETWORK.search(said) else "the download was cut short"
        raise ui.Fail(file, f"{why} ({processes.first_line(said)})",
                      f"run again, it goes on where it stopped{or_instead}")
    files.save_json(deb.with_name(file + ".json"), {
        "size": size, "sha256": sha256, "origin": f"{name} {version}",
        "name": f"{name}_{version.replace(':', '_')}"})
    phase.result = f"{name} {version}, {files.megabytes(size)}"
    return deb
