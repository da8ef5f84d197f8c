# SPDX-License-Identifier: GPL-2.0-only
"""The base kernel: KDIR untouched, packages checked, kills and cuts made good.

apt-get, dpkg-deb, git and tar are the real ones; the mirror is a server on
the loopback device with a package of a few files, signed by a key of its own.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest
from pathlib import Path
from typing import ClassVar
from unittest import mock

import toy
from kdebug import base, paths, ui

FETCH = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from kdebug import base, lock, ui
base.TREE_BYTES = 1000
base.KEYRINGS = (Path(sys.argv[3]),)
base.KERNEL_ORG = sys.argv[4]
with ui.command(), lock.held("fetch"):
    print(base.ensure(sys.argv[5] or None).path)
"""


def tool(folder: Path, name: str, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("#!/bin/bash\n" + script)
    (folder / name).chmod(0o755)


class Kdir(toy.Case):
    def setUp(self) -> None:
        super().setUp()
        self.kdir = toy.plant(self.tmp / "linux", toy.FILES)

    def ensure(self) -> base.Base:
        return base.ensure(str(self.kdir))

    def contents(self, top: Path) -> dict[str, bytes]:
        return {str(p.relative_to(top)): p.read_bytes() for p in top.rglob("*")
                if p.is_file() and ".git/" not in str(p)}

    # --- what is refused

    def test_missing(self) -> None:
        with self.fails("KDIR=/nonexistent/linux", "no such directory", "give the path"):
            base.ensure("/nonexistent/linux")

    def test_not_a_kernel(self) -> None:
        for gone in ("Makefile", "kernel/kthread.c"):
            with self.subTest(gone):
                kdir = toy.plant(self.tmp / gone.replace("/", "-"), toy.FILES)
                (kdir / gone).unlink()
                with self.fails(f"KDIR={kdir}", "not a kernel source", "7.3"):
                    base.ensure(str(kdir))

    def test_another_version(self) -> None:
        for old, new, version in (("PATCHLEVEL = 3", "PATCHLEVEL = 30", "7.30.4"),
                                  ("VERSION = 7", "VERSION = 6", "6.3.4")):
            toy.plant(self.kdir, {"Makefile": toy.FILES["Makefile"].replace(old, new, 1)})
            with self.fails(f"KDIR={self.kdir}", f"Linux {version}", "v7.3"):
                self.ensure()

    def test_any_sublevel_is_the_version(self) -> None:
        for sublevel, extra, version in (("0", "", "7.3"), ("17", "", "7.3.17"), ("0", "-rc2", "7.3-rc2")):
            toy.plant(self.kdir, {"Makefile": f"VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = {sublevel}\n"
                                              f"EXTRAVERSION = {extra}\n"})
            self.assertEqual(self.ensure().version, version)

    def test_already_patched(self) -> None:
        toy.plant(self.kdir, {"kernel/kthread_debug.c": "x\n"})
        with self.fails(f"KDIR={self.kdir}", "already patched", "kernel/kthread_debug.c"):
            self.ensure()

    def test_dirty_git_tree(self) -> None:
        toy.plant(self.kdir, {".gitignore": "*.o\n"})
        toy.commit(self.kdir)
        toy.plant(self.kdir, {"kernel/built.o": "ignored\n"})
        self.ensure()
        for name, text in (("kernel/fork.c", "mine\n"), ("kernel/new.c", "mine\n")):
            toy.plant(self.kdir, {name: text})
            with self.fails(f"KDIR={self.kdir}", "dirty", name, "git -C"):
                self.ensure()
            toy.plant(self.kdir, {"kernel/fork.c": toy.FILES["kernel/fork.c"]})

    def test_dirty_plain_tree(self) -> None:
        for name in (".config", "include/config/auto.conf", "include/generated/autoconf.h", "kernel/kthread.o",
                     "kernel/kthread.c.rej"):
            with self.subTest(name):
                kdir = toy.plant(self.tmp / "plain", toy.FILES | {name: "left\n"})
                with self.fails(f"KDIR={kdir}", "dirty", "mrproper"):
                    base.ensure(str(kdir))
                shutil.rmtree(kdir)

    def test_build_inside_it(self) -> None:
        with mock.patch.object(paths, "BUILD", self.kdir / "kthread-debug/build"):
            with self.fails(f"KDIR={self.kdir}", "lies inside", "KTHREAD_DEBUG_BUILD"):
                self.ensure()

    # --- what is copied

    def test_git_tree_is_copied_and_not_one_byte_written(self) -> None:
        toy.commit(self.kdir)
        os.utime(self.kdir / "kernel/fork.c", ns=(1, 1))  # an index that git would like to refresh
        before = toy.snapshot(self.kdir)
        found = self.ensure()
        self.assertEqual(toy.snapshot(self.kdir), before)
        self.assertEqual(self.contents(found.path), self.contents(self.kdir))
        self.assertEqual(found.version, "7.3.4")
        self.assertTrue((found.path / "scripts/tool.sh").stat().st_mode & 0o100)
        self.assertFalse((found.path / ".git").exists())

    def test_plain_tree_is_copied_and_not_one_byte_written(self) -> None:
        os.utime(self.kdir / "kernel/fork.c", (2**32, 2**32))  # a clock that was ahead
        before = toy.snapshot(self.kdir)
        found = self.ensure()
        self.assertEqual(toy.snapshot(self.kdir), before)
        self.assertEqual(self.contents(found.path), self.contents(self.kdir))
        self.assertLess((found.path / "kernel/fork.c").stat().st_mtime, 2**32)

    def test_unchanged_it_is_not_copied_again(self) -> None:
        for commit in (False, True):
            if commit:
                toy.commit(self.kdir)
            with self.subTest(git=commit):
                first = self.ensure()
                tool(self.tmp / "no", "tar", "exit 9\n")
                with mock.patch.dict(os.environ, {"PATH": f"{self.tmp / 'no'}:{os.environ['PATH']}"}):
                    self.assertEqual(self.ensure(), first)

    def test_a_change_makes_a_new_copy_and_removes_the_old(self) -> None:
        for commit in (False, True):
            with self.subTest(git=commit):
                if commit:
                    toy.commit(self.kdir)
                first = self.ensure()
                toy.plant(self.kdir, {"kernel/fork.c": f"int other{commit};\n"})
                if commit:
                    toy.git(self.kdir, "commit", "-qam", "change")
                second = self.ensure()
                self.assertNotEqual(first.key, second.key)
                self.assertEqual((second.path / "kernel/fork.c").read_text(), f"int other{commit};\n")
                self.assertFalse(first.path.exists())

    def test_the_users_git_configuration_changes_no_byte(self) -> None:
        toy.commit(self.kdir)
        toy.git(self.kdir, "config", "core.autocrlf", "true")
        (self.tmp / ".gitconfig").write_text("[core]\n autocrlf = true\n fsmonitor = /bin/false\n"
                                             "[safe]\n directory = /nonexistent\n")
        with mock.patch.dict(os.environ, {"HOME": str(self.tmp), "GIT_DIR": "/nonexistent"}):
            found = self.ensure()
        self.assertEqual(self.contents(found.path), self.contents(self.kdir))
        self.assertEqual(found.key, "kdir-" + toy.git(self.kdir, "rev-parse", "HEAD^{tree}")[:16])

    def test_a_plain_tree_inside_somebody_elses_repository(self) -> None:
        toy.plant(self.tmp, {"README": "x\n"})
        toy.git(self.tmp, "init", "-q", ".")
        toy.git(self.tmp, "add", "README")
        toy.git(self.tmp, "commit", "-qm", "x")
        self.assertEqual(self.contents(self.ensure().path), self.contents(self.kdir))

    # --- disk and kills

    def test_no_space_before_and_in_the_middle(self) -> None:
        usage = shutil.disk_usage(self.tmp)._replace(free=10)
        with mock.patch.object(shutil, "disk_usage", return_value=usage):
            with mock.patch.object(base, "TREE_BYTES", 2_000_000_000):
                with self.fails(str(self.build / "src"), "0 MB free", "2000 MB needed", "KTHREAD_DEBUG_BUILD"):
                    self.ensure()
        tool(self.tmp / "full", "tar", 'case "$*" in *-x*) cat >/dev/null; echo "tar: x: No space left on device" >&2; '
                                       'exit 2;; esac; exec /bin/tar "$@"\n')
        with mock.patch.dict(os.environ, {"PATH": f"{self.tmp / 'full'}:{os.environ['PATH']}"}):
            with self.fails("no space left", "free some space"):
                self.ensure()
        self.ensure()

    def test_what_kills_leave_is_cleaned_up(self) -> None:
        good = self.ensure()
        src = self.build / "src"
        stamp = src / f"{good.key}.json"
        for what in ("half a copy", "tree without stamp", "stamp without tree", "broken stamp"):
            with self.subTest(what):
                if what == "half a copy":
                    toy.plant(src / f".tmp-{good.key}", {"kernel/half.c": "half\n"})
                elif what == "tree without stamp":
                    stamp.unlink()
                    (good.path / "kernel/fork.c").write_text("half\n")
                elif what == "stamp without tree":
                    shutil.rmtree(good.path)
                    toy.plant(src / "kdir-older", {"kernel/fork.c": "half removed\n"})
                else:
                    stamp.write_text("{")
                self.assertEqual(self.ensure(), good)
                self.assertEqual(self.contents(good.path), self.contents(self.kdir))
                self.assertEqual(sorted(p.name for p in src.iterdir()), [good.key, f"{good.key}.json"])

    def test_killed_for_good_in_the_middle_of_a_copy(self) -> None:
        marker = self.tmp / "copying"
        os.mkfifo(marker)
        tool(self.tmp / "slow", "tar", f'case "$*" in *-x*) /bin/tar "$@"; echo $$ >{marker}; exec sleep 1000;; esac; '
                                       'exec /bin/tar "$@"\n')
        child = subprocess.Popen([sys.executable, "-c", FETCH, str(toy.SCRIPTS / "lib"), str(Path(__file__).parent),
                                  "/dev/null", "", str(self.kdir)], stderr=subprocess.DEVNULL,
                                 env=os.environ | {"PATH": f"{self.tmp / 'slow'}:{os.environ['PATH']}"})
        tar = os.pidfd_open(int(marker.read_text()))
        self.addCleanup(os.close, tar)
        child.send_signal(signal.SIGKILL)
        child.wait()
        # What it had started must not go on in a directory that is cleaned up.
        self.assertTrue(select.select([tar], [], [], 60)[0])
        self.assertEqual(len(list((self.build / "src").glob(".tmp-*"))), 1)
        self.assertEqual(self.contents(self.ensure().path), self.contents(self.kdir))
        self.assertEqual(list((self.build / "src").glob(".tmp-*")), [])


class Mirror:
    """A Debian mirror and a kernel.org, with faults to switch on."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.fault = ""
        self.asked: list[tuple[str, str]] = []
        self.stalled = threading.Event()
        self.resume = threading.Event()
        mirror = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                path = Path(self.translate_path(self.path))
                mirror.asked.append((self.path, self.headers.get("Range", "")))
                if not path.is_file():
                    self.send_error(404)
                    return
                data = path.read_bytes()
                start = int(self.headers.get("Range", "bytes=0-")[6:-1])
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
                self.send_header("Content-Length", str(len(data) - start))
                self.send_header("Last-Modified", "Mon, 24 Nov 2025 10:00:00 GMT")
                self.end_headers()
                half = (start + len(data)) // 2
                if path.suffix in (".deb", ".xz") and mirror.fault:
                    if mirror.fault == "altered":
                        data = data[:half] + bytes([data[half] ^ 1]) + data[half + 1:]
                    else:
                        self.wfile.write(data[start:half])
                        self.wfile.flush()
                        if mirror.fault == "stall":
                            mirror.stalled.set()
                            mirror.resume.wait(60)
                        self.close_connection = True
                        return
                self.wfile.write(data[start:])

        handler = functools.partial(Handler, directory=str(top))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self) -> None:
        self.resume.set()
        if self.thread.is_alive():
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()


@unittest.skipUnless(shutil.which("apt-get"), "no apt here")
class Debian(toy.Case):
    keys: ClassVar[tempfile.TemporaryDirectory[str]]
    packages: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        """The key and the packages are made once: they take a second."""
        cls.keys = tempfile.TemporaryDirectory()
        top = Path(cls.keys.name)
        gpg = ["gpg", "--homedir", str(top), "--batch", "-q", "--passphrase", ""]
        subprocess.run([*gpg, "--quick-gen-key", "Toy <toy@localhost>", "rsa2048"], check=True, capture_output=True)
        with open(top / "ring.gpg", "wb") as ring:
            subprocess.run([*gpg, "--export"], check=True, stdout=ring)
        for version, sublevel in (("7.3.4-1~bpo13+1", "4"), ("7.3.10-1", "10")):
            root = top / f"root-{sublevel}"
            kernel = toy.plant(top / f"k{sublevel}/linux-source-7.3", toy.FILES | {
                "Makefile": toy.FILES["Makefile"].replace("SUBLEVEL = 4", f"SUBLEVEL = {sublevel}")})
            # Enough that half of the package is not all of its content.
            (kernel / "kernel/bulk.c").write_bytes(hashlib.shake_128(b"bulk").hexdigest(30000).encode())
            (root / "usr/src").mkdir(parents=True)
            subprocess.run(["tar", "-C", kernel.parent, "-cJf", root / "usr/src/linux-source-7.3.tar.xz",
                            "linux-source-7.3"], check=True)
            toy.plant(root, {"DEBIAN/control": f"Package: linux-source-7.3\nVersion: {version}\nArchitecture: all\n"
                                               "Maintainer: Toy <toy@localhost>\nDescription: toy\n"})
            subprocess.run(["dpkg-deb", "--root-owner-group", "-b", root,
                            top / f"linux-source-7.3_{version}_all.deb"], check=True, capture_output=True)

    @classmethod
    def tearDownClass(cls) -> None:
        subprocess.run(["gpgconf", "--homedir", cls.keys.name, "--kill", "all"], capture_output=True)
        cls.keys.cleanup()

    def setUp(self) -> None:
        super().setUp()
        self.keytop = Path(self.keys.name)
        self.www = self.tmp / "www"
        self.www.mkdir()
        self.mirror = Mirror(self.www)
        self.addCleanup(self.mirror.close)
        self.host = self.tmp / "etc/sources.list"
        toy.plant(self.tmp, {"etc/sources.list": f"deb {self.mirror.url}/debian bookworm main\n"
                                                 f"deb {self.mirror.url}/debian-security bookworm-security main\n"
                                                 "deb http://127.0.0.1:9/other stable nonfree\n",
                             "etc/apt.conf": textwrap.dedent(f"""\
            Dir::Etc::sourcelist "{self.host}";
            Dir::Etc::sourceparts "/dev/null";
            Dir::State::lists "{self.tmp}/hostlists";
            Acquire::http::Proxy::127.0.0.1 "DIRECT";
            Acquire::Retries::Delay "false";
            APT::Update::Post-Invoke {{ "touch {self.tmp}/hook-ran"; }};
            APT::Update::Pre-Invoke {{ "touch {self.tmp}/hook-ran"; }};
            APT::Default-Release "bookworm";
            """)})
        self.enterContext(mock.patch.dict(os.environ, {"APT_CONFIG": str(self.tmp / "etc/apt.conf")}))
        self.enterContext(mock.patch.multiple(base, KEYRINGS=(self.keytop / "ring.gpg",),
                                              KERNEL_ORG=f"{self.mirror.url}/kernel.org/"))
        self.deb = self.publish("trixie-backports", "7.3.4-1~bpo13+1")

    def publish(self, suite: str, *versions: str) -> Path:
        """Put a signed suite with the packages of @versions on the mirror."""
        packages = ""
        for version in versions:
            file = f"linux-source-7.3_{version}_all.deb"
            data = (self.keytop / file).read_bytes()
            toy.plant(self.www / "debian", {f"pool/{file}": ""})
            (self.www / "debian/pool" / file).write_bytes(data)
            packages += (f"Package: linux-source-7.3\nVersion: {version}\nArchitecture: all\nMaintainer: Toy\n"
                         f"Filename: pool/{file}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n\n")
        arch = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True,
                              text=True).stdout.strip()
        name = f"main/binary-{arch}/Packages.gz"
        data = gzip.compress(packages.encode())
        top = toy.plant(self.www / "debian/dists" / suite, {name: "", "Release": (
            f"Origin: Toy\nSuite: {suite}\nCodename: {suite}\nDate: Mon, 24 Nov 2025 10:00:00 UTC\n"
            f"Architectures: {arch}\nComponents: main\nSHA256:\n"
            f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n"
            f" {hashlib.sha256(packages.encode()).hexdigest()} {len(packages)} {name[:-3]}\n")})
        (top / name).write_bytes(data)
        (top / "InRelease").unlink(missing_ok=True)
        subprocess.run(["gpg", "--homedir", str(self.keytop), "--batch", "-q", "--clearsign", "-o", top / "InRelease",
                        top / "Release"], check=True, capture_output=True)
        return self.build / "download" / f"linux-source-7.3_{versions[0]}_all.deb" if versions else Path()

    def debs_asked(self) -> list[tuple[str, str]]:
        return [row for row in self.mirror.asked if row[0].endswith(".deb")]

    # --- the good ways

    def test_fetched_unpacked_and_then_used_without_the_network(self) -> None:
        found = base.ensure(None)
        self.assertEqual((found.version, found.origin), ("7.3.4", "linux-source-7.3 7.3.4-1~bpo13+1"))
        self.assertEqual((found.path / "kernel/fork.c").read_text(), toy.FILES["kernel/fork.c"])
        self.assertTrue((found.path / "scripts/tool.sh").stat().st_mode & 0o100)
        self.assertFalse((self.tmp / "hook-ran").exists())
        self.assertFalse((self.tmp / "hostlists").exists())
        self.assertEqual(sorted(p.name for p in self.tmp.iterdir()), ["build", "etc", "www"])
        self.mirror.close()
        before = toy.snapshot(found.path)
        self.assertEqual(base.ensure(None), found)
        self.assertEqual(toy.snapshot(found.path), before)
        shutil.rmtree(found.path)  # unpacked again from what was downloaded
        self.assertEqual(base.ensure(None), found)

    def test_later_suites_are_asked_when_the_first_has_it_no_more(self) -> None:
        self.publish("trixie-backports")
        self.publish("unstable", "7.3.10-1")
        self.assertEqual(base.ensure(None).version, "7.3.10")

    def test_the_newest_is_taken_and_update_looks_for_a_newer_one(self) -> None:
        old = base.ensure(None)
        self.publish("trixie-backports", "7.3.4-1~bpo13+1", "7.3.10-1")
        self.assertEqual(base.ensure(None), old)
        new = base.ensure(None, update=True)
        self.assertEqual(new.version, "7.3.10")
        self.assertNotEqual(new.key, old.key)
        self.assertFalse(old.path.exists())
        self.assertFalse(self.deb.exists())
        asked = len(self.debs_asked())
        self.assertEqual(base.ensure(None, update=True), new)
        self.assertEqual(len(self.debs_asked()), asked)

    def test_kdir_and_package_do_not_push_each_other_out(self) -> None:
        found = base.ensure(None)
        kdir = base.ensure(str(toy.plant(self.tmp / "linux", toy.FILES)))
        self.mirror.close()
        self.assertEqual(base.ensure(None), found)
        self.assertTrue(kdir.path.exists())

    # --- the bad ones

    def test_no_network(self) -> None:
        self.mirror.close()
        with self.fails("linux-source-7.3", "no network", "127.0.0.1", "KDIR="):
            base.ensure(None)

    def test_no_network_and_only_an_update_wanted(self) -> None:
        found = base.ensure(None)
        self.mirror.close()
        with self.fails("no network"):
            base.ensure(None, update=True)
        self.assertEqual(base.ensure(None), found)

    def test_download_cut_short(self) -> None:
        self.mirror.fault = "cut"
        with self.fails(self.deb.name, "cut short", "run again"):
            base.ensure(None)
        self.mirror.fault = ""
        asked = len(self.debs_asked())
        self.assertEqual(base.ensure(None).version, "7.3.4")
        self.assertNotEqual(self.debs_asked()[asked][1], "", "it did not go on where it stopped")

    def test_download_altered(self) -> None:
        self.mirror.fault = "altered"
        with self.fails(self.deb.name, "altered", "run again"):
            base.ensure(None)
        self.assertFalse((self.build / "src").exists() and any((self.build / "src").iterdir()))
        self.mirror.fault = ""
        self.assertEqual(base.ensure(None).version, "7.3.4")

    def test_altered_or_cut_on_the_disk(self) -> None:
        found = base.ensure(None)
        good = self.deb.read_bytes()
        for bad in (good[:-1] + bytes([good[-1] ^ 1]), good[:len(good) // 2], b""):
            shutil.rmtree(found.path)
            self.deb.write_bytes(bad)
            self.assertEqual(base.ensure(None), found)
            self.assertEqual(self.deb.read_bytes(), good)

    def test_a_wrong_signature(self) -> None:
        release = self.www / "debian/dists/trixie-backports/InRelease"
        release.write_text(release.read_text().replace("Origin: Toy", "Origin: Toi"))
        with self.fails("trixie-backports", "signature", "debian-archive-keyring"):
            base.ensure(None)

    def test_no_keyring(self) -> None:
        with mock.patch.object(base, "KEYRINGS", (Path("/nonexistent.gpg"),)):
            with self.fails("/nonexistent.gpg", "debian-archive-keyring"):
                base.ensure(None)

    def test_a_package_that_holds_something_else(self) -> None:
        with mock.patch.object(base, "WANTED", "7.4"):
            with self.fails("linux-source-7.3", "holds Linux '7.3.4', not 7.4", "KDIR="):
                base.ensure(None)

    def test_no_space_for_the_download(self) -> None:
        usage = shutil.disk_usage(self.tmp)._replace(free=2000)
        with mock.patch.object(shutil, "disk_usage", return_value=usage):
            with self.fails(str(self.build / "download"), "0 MB free", "needed"):
                base.ensure(None)

    def test_killed_in_the_middle_of_the_download(self) -> None:
        self.mirror.fault = "stall"
        child = subprocess.Popen([sys.executable, "-c", FETCH, str(toy.SCRIPTS / "lib"), str(Path(__file__).parent),
                                  str(base.KEYRINGS[0]), base.KERNEL_ORG, ""], stderr=subprocess.DEVNULL)
        self.assertTrue(self.mirror.stalled.wait(60))
        child.send_signal(signal.SIGKILL)
        child.wait()
        self.mirror.fault = ""
        self.mirror.resume.set()
        self.assertEqual(base.ensure(None).version, "7.3.4")

    # --- Debian's pool

    def pool(self, wrong: str = "") -> None:
        """No suite has the package any more, but its file is still there."""
        self.publish("trixie-backports")
        file = "linux-source-7.3_7.3.10-1_all.deb"
        data = (self.keytop / file).read_bytes()
        toy.plant(self.www / "debian/pool/main/l/linux", {file: ""}).joinpath(file).write_bytes(data)
        self.enterContext(mock.patch.object(base, "POOL", {"7.3": (
            file, len(data), wrong or hashlib.sha256(data).hexdigest())}))

    def test_what_no_suite_has_any_more_is_in_the_pool(self) -> None:
        self.pool()
        self.assertEqual(base.ensure(None).version, "7.3.10")
        asked = [path for path, _ in self.debs_asked()]
        self.assertEqual(asked, ["/debian/pool/main/l/linux/linux-source-7.3_7.3.10-1_all.deb"])

    def test_no_suite_is_asked_where_none_is_known(self) -> None:
        self.pool()
        with mock.patch.object(base, "SUITES", ()):
            found = base._debian(base._mirrors(), suites=())
        assert found
        self.assertEqual(found.name, "linux-source-7.3_7.3.10-1_all.deb")
        self.assertFalse([path for path, _ in self.mirror.asked if "/dists/" in path])

    def test_a_suite_goes_before_the_pool(self) -> None:
        self.pool()
        self.publish("unstable", "7.3.4-1~bpo13+1")
        self.assertEqual(base.ensure(None).version, "7.3.4")

    def test_another_file_in_the_pool_is_not_taken(self) -> None:
        self.pool(wrong="0" * 64)
        with self.fails("linux-source-7.3_7.3.10-1_all.deb", "the download was altered", "run again"):
            base.ensure(None)

    def test_kernel_org_when_the_pool_has_it_no_more(self) -> None:
        host = self.host.read_text()
        self.kernel_org()
        self.host.write_text(host)
        self.pool()
        (self.www / "debian/pool/main/l/linux/linux-source-7.3_7.3.10-1_all.deb").unlink()
        self.assertEqual(base.ensure(None).origin, "linux-7.3.10.tar.xz from kernel.org")

    def test_kernel_org_gives_the_release_that_was_pinned(self) -> None:
        host = self.host.read_text()
        self.kernel_org()
        self.host.write_text(host)
        self.publish("trixie-backports")
        with mock.patch.object(base, "POOL", {"7.3": ("linux-source-7.3_7.3.4-1~gone_all.deb", 9, "0" * 64)}):
            self.assertEqual(base.ensure(None).origin, "linux-7.3.4.tar.xz from kernel.org")

    # --- kernel.org

    def kernel_org(self) -> str:
        """No Debian mirror; tarballs on kernel.org instead; the newest's name."""
        self.host.write_text("")
        top = self.www / "kernel.org"
        top.mkdir()
        sums = ""
        for sublevel in ("4", "10"):
            file = f"linux-7.3.{sublevel}.tar.xz"
            shutil.copy(self.keytop / f"root-{sublevel}/usr/src/linux-source-7.3.tar.xz", top / file)
            sums += f"{hashlib.sha256((top / file).read_bytes()).hexdigest()}  {file}\n"
        (top / "sha256sums.asc").write_text(
            f"-----BEGIN PGP SIGNED MESSAGE-----\n\n{sums}{'0' * 64}  linux-7.30.tar.xz\n")
        self.enterContext(mock.patch.object(base, "_signed", return_value="signature not checked: no gpg"))
        return "linux-7.3.10.tar.xz"

    def test_kernel_org_where_no_apt_has_it(self) -> None:
        file = self.kernel_org()
        found = base.ensure(None)
        self.assertEqual((found.version, found.origin), ("7.3.10", f"{file} from kernel.org"))
        self.assertIn("signature not checked", self.err.getvalue())
        self.mirror.close()
        self.assertEqual(base.ensure(None), found)
        shutil.rmtree(found.path)
        self.assertEqual(base.ensure(None), found)

    def test_kernel_org_when_debian_has_moved_on(self) -> None:
        host = self.host.read_text()
        self.kernel_org()
        self.host.write_text(host)
        self.publish("trixie-backports")
        self.assertEqual(base.ensure(None).version, "7.3.10")
        self.assertIn("no suite of Debian has linux-source-7.3", self.err.getvalue())

    def test_kernel_org_cut_short_goes_on_where_it_stopped(self) -> None:
        file = self.kernel_org()
        self.mirror.fault = "cut"
        with self.fails(file, "cut short", "run again"):
            base.ensure(None)
        self.mirror.fault = ""
        self.assertEqual(base.ensure(None).version, "7.3.10")
        self.assertRegex(self.mirror.asked[-1][1], r"bytes=\d{3,}-")

    def test_kernel_org_altered(self) -> None:
        file = self.kernel_org()
        self.mirror.fault = "altered"
        with self.fails(file, "altered", "run again"):
            base.ensure(None)
        self.mirror.fault = ""
        self.assertEqual(base.ensure(None).version, "7.3.10")

    def test_kernel_org_without_network(self) -> None:
        self.kernel_org()
        self.mirror.close()
        with self.fails("sha256sums.asc", "cannot be fetched", "KDIR="):
            base.ensure(None)


class Signed(toy.Case):
    def answer(self, status: str) -> str:
        tool(self.tmp / "bin", "gpg", f'case "$*" in *--verify*) echo "[GNUPG:] {status}";; esac\n')
        with mock.patch.dict(os.environ, {"PATH": f"{self.tmp / 'bin'}:{os.environ['PATH']}"}):
            return base._signed(self.tmp / "sha256sums.asc")

    def test_only_kernel_orgs_own_key_is_good(self) -> None:
        self.assertEqual(self.answer(f"VALIDSIG {base.KERNEL_ORG_KEY} 2025"), "signature good")
        self.assertEqual(self.answer(f"VALIDSIG {'0' * 40} 2025"), "signature not checked: no key")
        with self.fails("sha256sums.asc", "altered"):
            self.answer("BADSIG 632D3A06589DA6B1 Kernel.org")

    def test_it_is_said_when_nothing_checks(self) -> None:
        with mock.patch.dict(os.environ, {"PATH": "/nonexistent"}):
            self.assertEqual(base._signed(self.tmp / "sha256sums.asc"), "signature not checked: no gpg")


class Deps(toy.Case):
    """scripts/deps with tools that a test chooses."""

    def setUp(self) -> None:
        super().setUp()
        self.bin = self.tmp / "bin"
        for name in ("bash", "sed", "sort", "tr", "cat", "grep", "tee", "tail", "mktemp", "rm"):
            tool(self.bin, name, f'exec {shutil.which(name)} "$@"\n')
        tool(self.bin, "gcc", "echo 12.2.0\n")
        tool(self.bin, "make", "echo 'GNU Make 4.3'\n")
        tool(self.bin, "python3", "echo 'Python 3.11.2'\n")
        tool(self.bin, "qemu-system-x86_64", "echo 'QEMU emulator version 7.2.17 (Debian 1:7.2+dfsg)'\n")
        tool(self.bin, "id", "echo 1000\n")
        tool(self.bin, "apt-get", f'echo "$*" >>{self.tmp}/apt.log\n')
        tool(self.bin, "dpkg-query", 'for p; do echo "installed $p"; done\n')

    def run_deps(self, want: str = "", arch: str = "") -> tuple[int, str]:
        done = subprocess.run([shutil.which("bash") or "", str(toy.SCRIPTS / "deps")], capture_output=True, text=True,
                              env={"PATH": str(self.bin)} | ({"DEPS_FOR": want} if want else {})
                              | ({"ARCH": arch} if arch else {}))
        return done.returncode, done.stderr

    def test_nothing_to_do_is_silent_and_asks_no_apt(self) -> None:
        self.assertEqual(self.run_deps(), (0, ""))
        self.assertFalse((self.tmp / "apt.log").exists())

    def test_missing_and_not_root_prints_the_one_line(self) -> None:
        tool(self.bin, "dpkg-query", 'for p; do [[ $p == gcc || $p == flex ]] || echo "installed $p"; done\n')
        self.assertEqual(self.run_deps(), (2, (
            "error: missing: flex gcc; as root, run: "
            "apt-get update && apt-get install -y --no-install-recommends flex gcc\n")))
        self.assertFalse((self.tmp / "apt.log").exists())

    def test_missing_and_root_installs_just_that(self) -> None:
        tool(self.bin, "id", "echo 0\n")
        tool(self.bin, "dpkg-query", 'for p; do [[ $p == gcc || $p == flex ]] || echo "installed $p"; done\n')
        code, err = self.run_deps()
        self.assertEqual(code, 0, err)
        update, install = (self.tmp / "apt.log").read_text().splitlines()
        self.assertTrue(update.endswith(" update"))
        self.assertTrue(install.endswith(" --no-install-recommends install flex gcc"), install)

    def test_removed_but_configured_is_missing(self) -> None:
        tool(self.bin, "dpkg-query",
             'for p; do [[ $p == gcc ]] && echo "config-files gcc" || echo "installed $p"; done\n')
        self.assertIn("missing: gcc;", self.run_deps()[1])

    def test_apt_that_fails_is_one_line(self) -> None:
        tool(self.bin, "id", "echo 0\n")
        tool(self.bin, "dpkg-query", "exit 1\n")
        tool(self.bin, "apt-get", 'echo one; echo "E: Could not get lock"; echo three; exit 100\n')
        code, err = self.run_deps("repro")
        self.assertEqual(code, 2)
        self.assertEqual(err.splitlines()[-1],
                         "error: apt-get update: E: Could not get lock; see to the network or to apt's sources")

    def test_too_old_or_broken_is_one_line(self) -> None:
        for name, says, version in (("gcc", "7.5.0", "7.5.0"), ("make", "GNU Make 3.82", "3.82"),
                                    ("python3", "Python 3.9.18", "3.9.18"),
                                    ("qemu-system-x86_64", "QEMU emulator version 6.2.0", "6.2.0")):
            with self.subTest(name):
                good = (self.bin / name).read_text()
                tool(self.bin, name, f"echo '{says}'\n")
                code, err = self.run_deps()
                self.assertEqual(code, 2)
                self.assertRegex(err, rf"^error: {name}: version {version} \({self.bin}/{name}\) is too old; .*\n$")
                tool(self.bin, name, "exit 127\n")
                self.assertRegex(self.run_deps()[1], rf"^error: {name}: does not run; .*\n$")
                (self.bin / name).write_text(good)

    def test_newer_is_good(self) -> None:
        tool(self.bin, "gcc", "echo 15\n")
        tool(self.bin, "python3", "echo 'Python 4.0.0rc1'\n")
        tool(self.bin, "make", "echo 'GNU Make 4.10'\n")
        self.assertEqual(self.run_deps(), (0, ""))

    def test_without_dpkg_commands_count(self) -> None:
        (self.bin / "dpkg-query").unlink()
        (self.bin / "apt-get").unlink()
        for name in ("ld", "flex", "bison", "bc", "ccache", "xz", "git", "true"):
            tool(self.bin, name, "exit 0\n")
        self.assertEqual(self.run_deps("repro"), (0, ""))
        (self.bin / "bison").unlink()
        self.assertEqual(self.run_deps("repro"), (2, (
            "error: missing: bison; install these with your system's package manager\n")))

    def test_a_module_is_read_where_a_module_is_tried(self) -> None:
        tool(self.bin, "dpkg-query", 'for p; do [[ $p == kmod ]] || echo "installed $p"; done\n')
        self.assertEqual(self.run_deps("repro"), (0, ""))
        for want in ("", "fail-each", "test"):
            self.assertIn("missing: kmod;", self.run_deps(want)[1])

    def test_another_architecture(self) -> None:
        tool(self.bin, "python3", 'case $1$ARCH in -marm) echo gcc-cross-arm ;;\n'
             '-m*) echo "error: ARCH" >&2; exit 2 ;; *) echo "Python 3.11.2" ;; esac\n')
        self.assertEqual(self.run_deps("repro", "arm"), (0, ""))
        tool(self.bin, "dpkg-query", 'for p; do [[ $p == gcc-cross-arm ]] || echo "installed $p"; done\n')
        self.assertEqual(self.run_deps("repro"), (0, ""))
        self.assertIn("missing: gcc-cross-arm; as root, run: ", self.run_deps("repro", "arm")[1])
        self.assertEqual(self.run_deps("repro", "vax"), (2, "error: ARCH\n"))

    def test_an_unknown_set(self) -> None:
        self.assertIn("DEPS_FOR: unknown set 'tests'", self.run_deps("tests")[1])


class Command(toy.Case):
    def test_fetch_ends_a_bad_kdir_in_one_line(self) -> None:
        done = subprocess.run([str(toy.SCRIPTS / "fetch")], capture_output=True, text=True,
                              env=os.environ | {"KDIR": "/nonexistent"})
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"\Aerror: KDIR=/nonexistent: no such directory; .*\n\Z")

    def test_an_empty_kdir_is_none(self) -> None:
        with mock.patch.object(base, "_packaged", side_effect=ui.Fail("a", "b", "c")):
            with self.fails("a: b; c"):
                base.ensure("")
