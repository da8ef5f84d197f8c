# SPDX-License-Identifier: GPL-2.0-only
"""The base kernel: the user's KDIR, Debian's packaged source, or kernel.org's.

All three end as a pristine tree in build/src/<name>, complete when both the
directory and <name>.json are there: the stamp is written first, the directory
renamed into place last, so a kill leaves nothing that is taken for a tree.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from kdebug import paths, ui

WANTED = paths.BASE
PACKAGE = f"linux-source-{WANTED}"
SUITES = paths.SUITES.get(WANTED, ())
# What was in a suite and is in none now is in the mirrors' pool for some time yet.
# No signature leads to it any more, so its size and SHA-256 are told here, from when
# one did or, of 7.1 and 6.18, from when they were first fetched.
POOL = {
    "7.2": ("linux-source-7.2_7.2.13-1_all.deb", 164108840,
            "30a8c5fc63f9028a62e6d7b3f7f43bee67425dbce2a05fceba83f9b87c92083d"),
    "7.1": ("linux-source-7.1_7.1.13-1~bpo13+1_all.deb", 162700552,
            "50166eae1af0dd300ad3f74e7829bb4bbff71038eb4934625c713d021eb03258"),
    "6.18": ("linux-source-6.18_6.18.15-1~bpo13+1_all.deb", 158400124,
             "1638c9e5f4307c722231d8000e30cd2fa2fb71f55e081ff9eecfd0a756955c18"),
}
MIRROR_SUITES = re.compile(
    r"(bookworm|trixie|forky|duke|oldstable|stable|testing|sid|unstable)(-(updates|security|backports|proposed-updates))?$")
KEYRINGS = (Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
            Path("/usr/share/keyrings/debian-archive-keyring.pgp"))
KERNEL_ORG = f"https://cdn.kernel.org/pub/linux/kernel/v{WANTED.partition('.')[0]}.x/"
KERNEL_ORG_KEY = "B8868C80BA62A1FFFAF5FDA9632D3A06589DA6B1"  # checksum autosigner
TREE_BYTES = 2_000_000_000  # one unpacked kernel, rounded up
TREE_FILES = 102_000
NO_NETWORK = re.compile(
    r"Could not resolve|Temporary failure|Could not connect|Connection (failed|refused|timed out)|"
    r"Unable to connect|Cannot initiate|Network is unreachable|No route to host|timed out")
BAD_SIGNATURE = re.compile(r"NO_PUBKEY|BADSIG|EXPKEYSIG|not signed|signature.*(invalid|verif)|"
                           r"(invalid|verif).*signature|Missing key")
NOT_THERE = re.compile(r"404 +(File )?[Nn]ot [Ff]ound")
ALTERED = re.compile(r"Hash Sum mismatch|unexpected size|[Ss]ize mismatch")
OTHER_SOURCE = f"give the source of Linux {WANTED} as KDIR=/path/to/linux"


@dataclass(frozen=True)
class Base:
    """A pristine kernel tree; @key changes whenever its content does."""

    path: Path
    version: str
    origin: str
    key: str


# --- helpers that apply.py and tree.py use as well -------------------------

_LIBC = ctypes.CDLL(None)


def die_with_parent() -> None:
    """For a child, before it becomes another program."""
    _LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def clean_env(**extra: str) -> dict[str, str]:
    """The environment without what changes git's behaviour."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("GIT_", "QUILT_", "LC_")) and k not in (
               "LANG", "LANGUAGE", "POSIXLY_CORRECT", "GREP_OPTIONS", "TAR_OPTIONS", "XZ_OPT",
               "XZ_DEFAULTS", "PATCH_GET", "PATCH_VERSION_CONTROL", "VERSION_CONTROL")}
    return env | {"LC_ALL": "C"} | extra


def run(chain: Sequence[Sequence[str]], *, cwd: Path | None = None,
        env: dict[str, str] | None = None, stdin: bytes | None = None,
        poll: Callable[[int], None] | None = None, tie: bool = True) -> tuple[int, str, str]:
    """Run the pipeline @chain; return (worst status, last stdout, all stderr).

    With @tie the children die with this process: a killed run must not leave a
    cp behind that goes on writing while the next run cleans up.  It triples
    what it costs to start one.  @poll is called with the number of lines of
    output so far, instead of keeping them.
    """
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as feed:
        feed.write(stdin or b"")
        feed.seek(0)
        children: list[subprocess.Popen[bytes]] = []
        for command in chain:
            source = children[-1].stdout if children else feed
            try:
                children.append(subprocess.Popen(
                    command, cwd=cwd, env=env or clean_env(), stdin=source,
                    stdout=subprocess.PIPE, stderr=errors,
                    preexec_fn=die_with_parent if tie else None))
            except FileNotFoundError:
                for child in children:
                    child.kill()
                    child.wait()
                raise ui.Fail(command[0], "not installed", "run: make deps") from None
            if children[:-1]:
                assert children[-2].stdout
                children[-2].stdout.close()
        last = children[-1].stdout
        assert last
        out, lines = b"", 0
        try:
            if poll is None:
                out = last.read()
            else:
                while chunk := os.read(last.fileno(), 1 << 16):
                    lines += chunk.count(b"\n")
                    poll(lines)
        except BaseException:
            for child in children:
                child.kill()
            raise
        finally:
            last.close()
            status = max(abs(child.wait()) for child in children)
        errors.seek(0)
        err = errors.read().decode(errors="replace")
        if status and "No space left on device" in err:
            raise no_space(cwd or paths.BUILD)
        return status, out.decode(errors="surrogateescape"), err


def first_line(text: str) -> str:
    """The line of an error output that says most: the first that is one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for mark in ("(E|fatal|error): ", ".*: ") for line in lines if re.match(mark, line)),
                lines[0] if lines else "no message")


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace @path as a whole: a reader or a kill never sees half of it."""
    temp = path.with_name(f".{path.name}.kdebug-new")
    try:
        temp.unlink(missing_ok=True)
        temp.write_bytes(data)
        temp.chmod(mode)
        temp.rename(path)
    except OSError as err:
        temp.unlink(missing_ok=True)
        if err.errno == 28:
            raise no_space(path.parent) from None
        raise


def load_json(path: Path) -> dict[str, object]:
    """The object in the JSON file @path; {} when missing or not one."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def save_json(path: Path, data: object) -> None:
    write_atomic(path, json.dumps(data, indent=1, sort_keys=True).encode() + b"\n")


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB"


def no_space(where: Path) -> ui.Fail:
    return ui.Fail(str(where), "no space left on device",
                   "free some space, or set KTHREAD_DEBUG_BUILD to a directory on another disk")


def need_space(where: Path, size: int) -> None:
    """Fail before the work, not in the middle of it, when the disk is too full."""
    where.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(where).free
    if free < size:
        raise ui.Fail(str(where), f"{_mb(free)} free, {_mb(size)} needed",
                      "free some space, or set KTHREAD_DEBUG_BUILD to a directory on another disk")


# --- the pristine trees ----------------------------------------------------

def version_of(tree: Path) -> str:
    """The version in @tree's top Makefile, "" when that is not a kernel's."""
    try:
        text = (tree / "Makefile").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found: dict[str, str] = dict(re.findall(
        r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) *= *(\S*)[ \t]*$", text, re.M))
    if not {"VERSION", "PATCHLEVEL"} <= found.keys() or not (tree / "kernel/kthread.c").is_file():
        return ""
    dotted = [found["VERSION"], found["PATCHLEVEL"]]
    if found.get("SUBLEVEL", "0") not in ("", "0"):
        dotted.append(found["SUBLEVEL"])
    return ".".join(dotted) + found.get("EXTRAVERSION", "")


def _is_wanted(version: str) -> bool:
    return re.match(re.escape(WANTED) + r"(\D|$)", version) is not None


def _stored(name: str) -> Base | None:
    stamp = load_json(paths.SRC / f"{name}.json")
    path = paths.SRC / name
    if not path.is_dir() or not {"version", "origin", "key"} <= stamp.keys():
        return None
    return Base(path, str(stamp["version"]), str(stamp["origin"]), str(stamp["key"]))


def _store(name: str, origin: str, key: str, chain: list[list[str]], *,
           cwd: Path | None = None, env: dict[str, str] | None = None) -> Base:
    """Unpack what the pipeline @chain yields as build/src/@name."""
    path, temp = paths.SRC / name, paths.SRC / f".tmp-{name}"
    need_space(paths.SRC, TREE_BYTES)
    temp.mkdir(parents=True)
    # -m: an mtime ahead of this clock would later look like an edit.
    untar = ["tar", "-x", "-m", "-v", "-f", "-", "--no-same-owner", "--no-same-permissions", "-C", str(temp)]
    if cwd is None:
        untar += ["-J", "--strip-components=1"]
    with ui.phase("unpack", origin) as phase:
        status, _, err = run([*chain, untar], cwd=cwd, env=env,
                             poll=lambda files: phase.live(f"{files} files of about {TREE_FILES}"))
        if status:
            raise ui.Fail(origin, f"does not unpack ({first_line(err)})",
                          OTHER_SOURCE if cwd else f"run again; if it stays so: rm -r {paths.DOWNLOAD}")
        version = version_of(temp)
        if not _is_wanted(version):
            raise ui.Fail(origin, f"holds Linux '{version}', not {WANTED}", OTHER_SOURCE)
        base = Base(path, version, origin, key)
        if path.exists():
            shutil.rmtree(path)
        save_json(paths.SRC / f"{name}.json", {k: v for k, v in asdict(base).items() if k != "path"})
        temp.rename(path)
        phase.result = f"Linux {version}"
    # One user's tree and one packaged source are enough: each takes 1.8 GB.
    for stamp in paths.SRC.glob("*.json"):
        if stamp.stem != name and stamp.stem.startswith("kdir-") == name.startswith("kdir-"):
            stamp.unlink()
            shutil.rmtree(stamp.with_suffix(""), ignore_errors=True)
    return base


def _clean() -> None:
    """Remove what killed runs left; the lock says that nobody is at it now."""
    paths.SRC.mkdir(parents=True, exist_ok=True)
    for path in paths.SRC.iterdir():
        if path.is_dir() and not (paths.SRC / f"{path.name}.json").exists():
            shutil.rmtree(path)


# --- KDIR: the user's own tree, of which not one byte is written ------------

def _kdir(text: str) -> Base:
    path = Path(text).expanduser().absolute()
    what = f"KDIR={text}"
    if not path.is_dir():
        raise ui.Fail(what, "no such directory", f"give the path of a Linux {WANTED} source tree")
    path = path.resolve()
    version = version_of(path)
    if not version:
        raise ui.Fail(what, "not a kernel source (no kernel's Makefile, or no kernel/kthread.c)",
                      f"give the top directory of a Linux {WANTED} source tree")
    if not _is_wanted(version):
        raise ui.Fail(what, f"Linux {version}", f"the series is for {WANTED}: check out v{WANTED}")
    if (path / "kernel/kthread_debug.c").exists():
        raise ui.Fail(what, "already patched (it has kernel/kthread_debug.c)",
                      "give the tree without the series, which is applied to a copy of it")
    if paths.BUILD.is_relative_to(path):
        raise ui.Fail(what, f"{paths.BUILD} lies inside it, and nothing is written into KDIR",
                      "set KTHREAD_DEBUG_BUILD to a directory outside")
    env = clean_env(GIT_OPTIONAL_LOCKS="0", GIT_NO_LAZY_FETCH="1", GIT_TERMINAL_PROMPT="0")
    # Any user may read the owner's tree here, root included; none of its
    # helpers may run or write.
    git = ["git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]
    if shutil.which("git") and run([[*git, "ls-files", "--error-unmatch", "Makefile"]], cwd=path, env=env)[0] == 0:
        status, out, err = run([[*git, "status", "--porcelain", "--", "."]], cwd=path, env=env)
        if status:
            raise ui.Fail(what, f"git status fails ({first_line(err)})", "mend that repository")
        if out:
            raise ui.Fail(what, f"dirty ({len(out.splitlines())} changed or untracked, "
                          f"first '{out.splitlines()[0].strip()}')",
                          f"commit, stash or remove them: git -C {text} status")
        status, out, err = run([[*git, "rev-parse", "HEAD:./"]], cwd=path, env=env)
        if status:
            raise ui.Fail(what, f"no commit to read ({first_line(err)})", "mend that repository")
        key = "kdir-" + out.strip()[:16]
        env |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        producer = [*git, "-c", "core.autocrlf=false", "-c", "core.attributesFile=/dev/null",
                    "archive", "--format=tar", "HEAD"]
    else:
        key = "kdir-" + _listing(path, what)[:16]
        producer = ["tar", "-c", "--exclude=.git", "--exclude=.svn", "--exclude=.hg", "-f", "-", "."]
    return _stored(key) or _store(key, what, key, [producer], cwd=path, env=env)


def _listing(top: Path, what: str) -> str:
    """Hash names, sizes and times of a tree without git; refuse a built-in one."""
    digest = hashlib.sha256()

    def walk(folder: str, name: str) -> None:
        for entry in sorted(os.scandir(folder), key=lambda e: e.name):
            if entry.name in (".git", ".svn", ".hg"):
                continue
            here = f"{name}{entry.name}"
            if here in (".config", "include/config", "include/generated", "vmlinux") or (
                    entry.name.endswith((".o", ".ko", ".rej", ".cmd"))):
                raise ui.Fail(what, f"dirty (it has {here}, left by a build or a patch)",
                              f"clean it: make -C {top} mrproper")
            if entry.is_dir(follow_symlinks=False):
                walk(entry.path, here + "/")
            else:
                st = entry.stat(follow_symlinks=False)
                digest.update(f"{here}\0{st.st_size}\0{st.st_mtime_ns}\0{st.st_mode}\n".encode(
                    errors="surrogateescape"))

    walk(str(top), "")
    return digest.hexdigest()


# --- Debian's packaged source, in an apt state of its own -------------------

def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _intact(path: Path) -> bool:
    """Whether the download @path is what its stamp says; a wrong one is removed."""
    stamp = load_json(path.with_name(path.name + ".json"))
    if path.is_file() and stamp:
        if path.stat().st_size == stamp.get("size") and _sha256(path) == stamp.get("sha256"):
            return True
        path.unlink()
    return False


def _unpack(path: Path) -> Base:
    stamp = load_json(path.with_name(path.name + ".json"))
    name, origin = str(stamp["name"]), str(stamp["origin"])
    if path.suffix == ".deb":
        chain = [["dpkg-deb", "--fsys-tarfile", str(path)],
                 ["tar", "-x", "-O", "-f", "-", f"./usr/src/{PACKAGE}.tar.xz"]]
    else:
        chain = [["cat", str(path)]]
    return _store(name, origin, f"{name}-{str(stamp['sha256'])[:16]}", chain)


def _mirrors() -> list[str]:
    """The Debian mirrors that the host's apt uses; none on another system."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return []
    _, out, _ = run([["apt-get", "indextargets", "--no-release-info", "--format",
                      "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Identifier: Packages"]])
    rows = [line.split() for line in out.splitlines()]
    return list(dict.fromkeys(row[0] for row in rows if len(row) == 3 and row[2] == "main"
                              and MIRROR_SUITES.match(row[1]) and not row[0].startswith("cdrom:")))


class _Apt:
    """apt-get with its own lists, cache, status and sources.

    The host's configuration is read first, so its proxy and its other ways
    out hold; its hooks, pins and relaxed checks do not.
    """

    def __init__(self) -> None:
        self.top = paths.DOWNLOAD / "apt"
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
        write_atomic(self.conf, ("\n".join(lines) + "\n").encode())

    def __call__(self, *args: str) -> tuple[int, str, str]:
        # Not where the packages are: what is there already has no URI to print.
        return run([["apt-get", "-c", str(self.conf), "-q", *args]], cwd=self.top)

    def find(self, mirror: str, suite: str, keyring: Path,
             package: str = PACKAGE) -> tuple[tuple[str, str, int, str] | None, str]:
        """Look for @package, name or name:architecture: ((uri, file, size, sha256), "") or (None, why not)."""
        foreign = package.partition(":")[2]
        more = ["-o", f"APT::Architectures::={foreign}"] if foreign else []
        which = f"signed-by={keyring} target=Packages" + (f" arch={foreign}" if foreign else "")
        write_atomic(self.sources, f"deb [{which}] {mirror} {suite} main\n".encode())
        status, out, err = self(*more, "update")
        if status:
            return None, out + err
        status, out, err = self(*more, "download", "--print-uris", package)
        found = re.search(r"^'(\S+)' (\S+) (\d+) SHA256:([0-9a-f]{64})$", out, re.M)
        return ((found[1], found[2], int(found[3]), found[4]) if found else None), err

    def download(self, uri: str, deb: Path, size: int, sha256: str, phase: ui.Phase) -> str:
        """Fetch @deb; unlike apt-get download, this goes on where an earlier one stopped."""
        child = subprocess.Popen(["/usr/lib/apt/apt-helper", "-c", str(self.conf), "-q", "download-file", uri,
                                  str(deb), f"SHA256:{sha256}"], env=clean_env(), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 preexec_fn=die_with_parent)
        try:
            while child.poll() is None:
                phase.live(f"{_mb(_size(deb))} of {_mb(size)}")
                time.sleep(0.1)
        finally:
            child.kill()
            out = child.communicate()[0].decode(errors="replace")
        return out


def package(name: str, suites: tuple[str, ...]) -> Path:
    """Fetch the package @name from the first of @suites that has it; the .deb."""
    found = _debian(_mirrors(), name, suites)
    if found is None:
        raise ui.Fail(name, f"not in {' or '.join(suites)} of a Debian mirror that apt knows",
                      "install it by hand, or use a Debian that has it")
    return found


def _debian(mirrors: list[str], name: str = PACKAGE, suites: tuple[str, ...] = SUITES) -> Path | None:
    """Fetch the newest package @name; None when no mirror has it."""
    keyring = next((k for k in KEYRINGS if k.is_file()), None)
    if keyring is None:
        raise ui.Fail(str(KEYRINGS[0]), "not there, so nothing Debian signed can be checked",
                      "run: make deps (package debian-archive-keyring)")
    apt = _Apt()
    reached = False
    why = ""
    with ui.phase("fetch", f"{name}: looking for the newest") as phase:
        for suite in suites:
            for mirror in mirrors:
                phase.live(f"{name}: asking {suite}")
                found, said = apt.find(mirror, suite, keyring, name)
                if found and (deb := _take(apt, found, phase)):
                    return deb
                if BAD_SIGNATURE.search(said):
                    raise ui.Fail(f"{mirror} {suite}", f"its signature is not good ({first_line(said)})",
                                  "update the package debian-archive-keyring, or mend the mirror in apt's sources")
                if NO_NETWORK.search(said):
                    why = f"{mirror}: {first_line(said)}"
                else:
                    reached = True
        if suites and not reached:
            raise ui.Fail(name, f"no network ({why})",
                          f"connect, or set apt's proxy, and run again; or {OTHER_SOURCE}" if name == PACKAGE else
                          "connect, or set apt's proxy, and run again")
        for file, size, sha256 in [POOL[WANTED]] if name == PACKAGE and WANTED in POOL else []:
            for mirror in mirrors:
                if deb := _take(apt, (f"{mirror.rstrip('/')}/pool/main/l/linux/{file}", file, size, sha256), phase):
                    return deb
        phase.result = f"no suite of Debian has {name}"
    return None


def _take(apt: _Apt, found: tuple[str, str, int, str], phase: ui.Phase) -> Path | None:
    """Fetch the package @found, or take the one that is there; None if the mirror has it not."""
    uri, file, size, sha256 = found
    deb = paths.DOWNLOAD / file
    name, version, _ = file.replace("%3a", ":").split("_")
    said = ""
    for _ in range(2):  # a second time from nothing, if what was there was wrong
        have = _size(deb)
        if have == size and _sha256(deb) == sha256:
            break
        if have >= size:
            phase.note(f"{file} was altered: fetching it again")
            deb.unlink()
            have = 0
        need_space(paths.DOWNLOAD, size - have)
        said = apt.download(uri, deb, size, sha256, phase)
        deb.with_name(f"{file}.FAILED").unlink(missing_ok=True)
        if not ALTERED.search(said):
            break
    if ALTERED.search(said):
        raise ui.Fail(file, f"the download was altered ({first_line(said)})",
                      f"run again; if it stays so, the mirror is bad ({uri})")
    if _size(deb) < size:
        if NOT_THERE.search(said):
            return None
        if "No space left on device" in said:
            raise no_space(paths.DOWNLOAD)
        why = "no network" if NO_NETWORK.search(said) else "the download was cut short"
        raise ui.Fail(file, f"{why} ({first_line(said)})", f"run again, it goes on where it stopped; or {OTHER_SOURCE}")
    save_json(deb.with_name(file + ".json"), {
        "size": size, "sha256": sha256, "origin": f"{name} {version}",
        "name": f"{name}_{version.replace(':', '_')}"})
    phase.result = f"{name} {version}, {_mb(size)}"
    return deb


# --- kernel.org's tarball, where there is no apt ----------------------------

def _get(url: str, start: int = 0) -> HTTPResponse:
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        answer: HTTPResponse = urllib.request.urlopen(request, timeout=30)
    except OSError as err:  # URLError is one
        raise ui.Fail(url, f"cannot be fetched ({err})", f"connect and run again; or {OTHER_SOURCE}") from None
    return answer


def _signed(sums: Path) -> str:
    """How far the signature on kernel.org's list of checksums was checked."""
    if not shutil.which("gpg"):
        return "signature not checked: no gpg"
    with tempfile.TemporaryDirectory() as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--no-tty"]
        run([[*gpg, "--auto-key-locate", "clear,wkd", "--locate-keys", "autosigner@kernel.org"]])
        _, out, _ = run([[*gpg, "--status-fd", "1", "--output", "/dev/null", "--verify", str(sums)]])
        if shutil.which("gpgconf"):
            run([["gpgconf", "--homedir", home, "--kill", "all"]])
    if "BADSIG" in out:
        raise ui.Fail(sums.name, "its signature is wrong: altered on the way", f"run again; or {OTHER_SOURCE}")
    return "signature good" if f"VALIDSIG {KERNEL_ORG_KEY}" in out else "signature not checked: no key"


def _kernel_org() -> Path:
    paths.DOWNLOAD.mkdir(parents=True, exist_ok=True)
    with ui.phase("fetch", f"Linux {WANTED} from kernel.org") as phase:
        sums = paths.DOWNLOAD / "sha256sums.asc"
        with _get(KERNEL_ORG + sums.name) as answer:
            write_atomic(sums, answer.read())
        found = re.findall(rf"^([0-9a-f]{{64}})  (linux-{re.escape(WANTED)}(?:\.(\d+))?\.tar\.xz)$",
                           sums.read_text(encoding="utf-8", errors="replace"), re.M)
        if not found:
            raise ui.Fail(KERNEL_ORG, f"no tarball of Linux {WANTED}", OTHER_SOURCE)
        # bases/ may fit no other release of that Linux than the one that it was made for.
        made_for = POOL[WANTED][0].split("_")[1].partition("-")[0] if WANTED in POOL else ""
        found = [row for row in found if row[1] == f"linux-{made_for}.tar.xz"] or found
        sha256: str
        file: str
        sha256, file, _ = max(found, key=lambda row: int(row[2] or 0))
        phase.note(f"{sums.name}: {_signed(sums)}")
        path, part = paths.DOWNLOAD / file, paths.DOWNLOAD / f"{file}.part"
        start = _size(part)
        with _get(KERNEL_ORG + file, start) as answer, open(part, "ab") as out:
            if start and answer.status != 206:
                out.truncate(start := 0)
            size = start + int(answer.headers.get("Content-Length") or 0)
            need_space(paths.DOWNLOAD, size - start)
            try:
                while chunk := answer.read(1 << 18):
                    out.write(chunk)
                    phase.live(f"{_mb(out.tell())} of {_mb(size)}")
            except (OSError, HTTPException) as err:
                raise ui.Fail(file, f"the download was cut short ({err})",
                              "run again, it goes on where it stopped") from None
        have = part.stat().st_size
        if have < size:
            raise ui.Fail(file, f"the download was cut short ({have} of {size} bytes)",
                          "run again, it goes on where it stopped")
        if _sha256(part) != sha256:
            part.unlink()
            raise ui.Fail(file, "altered (not the published SHA-256)", f"run again; or {OTHER_SOURCE}")
        name = file.removesuffix(".tar.xz")
        save_json(path.with_name(file + ".json"), {
            "size": have, "sha256": sha256, "origin": f"{file} from kernel.org", "name": name})
        part.rename(path)
        phase.result = f"{file}, {_mb(have)}"
    return path


def _packaged(update: bool) -> Base:
    stamps = sorted((s for s in paths.SRC.glob("*.json") if not s.name.startswith("kdir-")),
                    key=lambda s: s.stat().st_mtime)
    stored = next(filter(None, (_stored(s.stem) for s in reversed(stamps))), None)
    if stored and not update:
        return stored
    downloads = sorted(paths.DOWNLOAD.glob(f"linux-*{WANTED}*.json"), key=lambda s: s.stat().st_mtime)
    if downloads and not update and _intact(path := downloads[-1].with_suffix("")):
        return _unpack(path)
    mirrors = _mirrors()
    found = (_debian(mirrors) if mirrors else None) or _kernel_org()
    for old in paths.DOWNLOAD.glob(f"linux-*{WANTED}*"):
        if not old.name.startswith(found.name):
            old.unlink()
    name = str(load_json(found.with_name(found.name + ".json"))["name"])
    return _stored(name) or _unpack(found)


def ensure(kdir: str | None, update: bool = False) -> Base:
    """Return the pristine base, fetched or copied if it is not there yet.

    The caller holds the lock.  @update looks for a newer package; without it
    an unpacked base is taken as it is, and no network is needed.
    """
    _clean()
    return _kdir(kdir) if kdir else _packaged(update)
