# SPDX-License-Identifier: GPL-2.0-only
"""The base kernel: KDIR untouched, packages checked, kills and cuts made good.

apt-get, dpkg-deb, git and tar are the real ones; the mirror is a server on
the loopback device with a package of a few files, signed by a key of its own.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path
from typing import ClassVar
from unittest import mock

import toy
from kdebug.host import apt
from kdebug.source import debian, fetch, kernel_org
from source.mirror import FETCH, Mirror


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
        self.enterContext(mock.patch.object(apt, "KEYRINGS", (self.keytop / "ring.gpg",)))
        self.enterContext(mock.patch.object(kernel_org, "KERNEL_ORG", f"{self.mirror.url}/kernel.org/"))
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
        found = fetch.ensure(self.context)
        self.assertEqual((found.version, found.origin), ("7.3.4", "linux-source-7.3 7.3.4-1~bpo13+1"))
        self.assertEqual((found.path / "kernel/fork.c").read_text(), toy.FILES["kernel/fork.c"])
        self.assertTrue((found.path / "scripts/tool.sh").stat().st_mode & 0o100)
        self.assertFalse((self.tmp / "hook-ran").exists())
        self.assertFalse((self.tmp / "hostlists").exists())
        self.assertEqual(sorted(p.name for p in self.tmp.iterdir()), ["build", "etc", "www"])
        self.mirror.close()
        before = toy.snapshot(found.path)
        self.assertEqual(fetch.ensure(self.context), found)
        self.assertEqual(toy.snapshot(found.path), before)
        shutil.rmtree(found.path)  # unpacked again from what was downloaded
        self.assertEqual(fetch.ensure(self.context), found)

    def test_later_suites_are_asked_when_the_first_has_it_no_more(self) -> None:
        self.publish("trixie-backports")
        self.publish("unstable", "7.3.10-1")
        self.assertEqual(fetch.ensure(self.context).version, "7.3.10")

    def test_the_newest_is_taken_and_update_looks_for_a_newer_one(self) -> None:
        old = fetch.ensure(self.context)
        self.publish("trixie-backports", "7.3.4-1~bpo13+1", "7.3.10-1")
        self.assertEqual(fetch.ensure(self.context), old)
        new = fetch.ensure(self.context, update=True)
        self.assertEqual(new.version, "7.3.10")
        self.assertNotEqual(new.key, old.key)
        self.assertFalse(old.path.exists())
        self.assertFalse(self.deb.exists())
        asked = len(self.debs_asked())
        self.assertEqual(fetch.ensure(self.context, update=True), new)
        self.assertEqual(len(self.debs_asked()), asked)

    def test_kdir_and_package_do_not_push_each_other_out(self) -> None:
        found = fetch.ensure(self.context)
        kdir = fetch.ensure(self.using(kdir=str(toy.plant(self.tmp / "linux", toy.FILES))))
        self.mirror.close()
        self.assertEqual(fetch.ensure(self.context), found)
        self.assertTrue(kdir.path.exists())

    # --- the bad ones

    def test_no_network(self) -> None:
        self.mirror.close()
        with self.fails("linux-source-7.3", "no network", "127.0.0.1", "KDIR="):
            fetch.ensure(self.context)

    def test_no_network_and_only_an_update_wanted(self) -> None:
        found = fetch.ensure(self.context)
        self.mirror.close()
        with self.fails("no network"):
            fetch.ensure(self.context, update=True)
        self.assertEqual(fetch.ensure(self.context), found)

    def test_download_cut_short(self) -> None:
        self.mirror.fault = "cut"
        with self.fails(self.deb.name, "cut short", "run again"):
            fetch.ensure(self.context)
        self.mirror.fault = ""
        asked = len(self.debs_asked())
        self.assertEqual(fetch.ensure(self.context).version, "7.3.4")
        self.assertNotEqual(self.debs_asked()[asked][1], "", "it did not go on where it stopped")

    def test_download_altered(self) -> None:
        self.mirror.fault = "altered"
        with self.fails(self.deb.name, "altered", "run again"):
            fetch.ensure(self.context)
        self.assertFalse((self.build / "src").exists() and any((self.build / "src").iterdir()))
        self.mirror.fault = ""
        self.assertEqual(fetch.ensure(self.context).version, "7.3.4")

    def test_altered_or_cut_on_the_disk(self) -> None:
        found = fetch.ensure(self.context)
        good = self.deb.read_bytes()
        for bad in (good[:-1] + bytes([good[-1] ^ 1]), good[:len(good) // 2], b""):
            shutil.rmtree(found.path)
            self.deb.write_bytes(bad)
            self.assertEqual(fetch.ensure(self.context), found)
            self.assertEqual(self.deb.read_bytes(), good)

    def test_a_wrong_signature(self) -> None:
        release = self.www / "debian/dists/trixie-backports/InRelease"
        release.write_text(release.read_text().replace("Origin: Toy", "Origin: Toi"))
        with self.fails("trixie-backports", "signature", "debian-archive-keyring"):
            fetch.ensure(self.context)

    def test_no_keyring(self) -> None:
        with mock.patch.object(apt, "KEYRINGS", (Path("/nonexistent.gpg"),)):
            with self.fails("/nonexistent.gpg", "debian-archive-keyring"):
                fetch.ensure(self.context)

    def test_a_package_that_holds_something_else(self) -> None:
        other = self.using(base="7.2")
        with mock.patch.object(debian, "package", lambda _: "linux-source-7.3"), mock.patch.dict(debian.SUITES, {
                "7.2": debian.SUITES["7.3"]}), self.fails("linux-source-7.3", "holds Linux '7.3.4', not 7.2", "KDIR="):
            fetch.ensure(other)

    def test_no_space_for_the_download(self) -> None:
        usage = shutil.disk_usage(self.tmp)._replace(free=2000)
        with mock.patch.object(shutil, "disk_usage", return_value=usage):
            with self.fails(str(self.build / "download"), "0 MB free", "needed"):
                fetch.ensure(self.context)

    def test_killed_in_the_middle_of_the_download(self) -> None:
        self.mirror.fault = "stall"
        child = subprocess.Popen([sys.executable, "-c", FETCH, str(toy.SCRIPTS / "lib"),
                                  str(apt.KEYRINGS[0]), kernel_org.KERNEL_ORG], stderr=subprocess.DEVNULL,
                                 env=self.env | {"KDIR": "", "APT_CONFIG": os.environ["APT_CONFIG"]})
        self.assertTrue(self.mirror.stalled.wait(60))
        child.send_signal(signal.SIGKILL)
        child.wait()
        self.mirror.fault = ""
        self.mirror.resume.set()
        self.assertEqual(fetch.ensure(self.context).version, "7.3.4")

    # --- Debian's pool

    def pool(self, wrong: str = "") -> None:
        """No suite has the package any more, but its file is still there."""
        self.publish("trixie-backports")
        file = "linux-source-7.3_7.3.10-1_all.deb"
        data = (self.keytop / file).read_bytes()
        toy.plant(self.www / "debian/pool/main/l/linux", {file: ""}).joinpath(file).write_bytes(data)
        self.enterContext(mock.patch.object(debian, "POOL", {"7.3": (
            file, len(data), wrong or hashlib.sha256(data).hexdigest())}))

    def test_what_no_suite_has_any_more_is_in_the_pool(self) -> None:
        self.pool()
        self.assertEqual(fetch.ensure(self.context).version, "7.3.10")
        asked = [path for path, _ in self.debs_asked()]
        self.assertEqual(asked, ["/debian/pool/main/l/linux/linux-source-7.3_7.3.10-1_all.deb"])

    def test_no_suite_is_asked_where_none_is_known(self) -> None:
        self.pool()
        with mock.patch.dict(debian.SUITES, {"7.3": ()}):
            found = debian.newest(self.context, apt.host_mirrors())
        assert found
        self.assertEqual(found.name, "linux-source-7.3_7.3.10-1_all.deb")
        self.assertFalse([path for path, _ in self.mirror.asked if "/dists/" in path])

    def test_a_suite_goes_before_the_pool(self) -> None:
        self.pool()
        self.publish("unstable", "7.3.4-1~bpo13+1")
        self.assertEqual(fetch.ensure(self.context).version, "7.3.4")

    def test_another_file_in_the_pool_is_not_taken(self) -> None:
        self.pool(wrong="0" * 64)
        with self.fails("linux-source-7.3_7.3.10-1_all.deb", "the download was altered", "run again"):
            fetch.ensure(self.context)

    def test_kernel_org_when_the_pool_has_it_no_more(self) -> None:
        host = self.host.read_text()
        self.publish_kernel_org()
        self.host.write_text(host)
        self.pool()
        (self.www / "debian/pool/main/l/linux/linux-source-7.3_7.3.10-1_all.deb").unlink()
        self.assertEqual(fetch.ensure(self.context).origin, "linux-7.3.10.tar.xz from kernel.org")

    def test_kernel_org_gives_the_release_that_was_pinned(self) -> None:
        host = self.host.read_text()
        self.publish_kernel_org()
        self.host.write_text(host)
        self.publish("trixie-backports")
        with mock.patch.object(debian, "POOL", {"7.3": ("linux-source-7.3_7.3.4-1~gone_all.deb", 9, "0" * 64)}):
            self.assertEqual(fetch.ensure(self.context).origin, "linux-7.3.4.tar.xz from kernel.org")

    # --- kernel.org

    def publish_kernel_org(self) -> str:
        """No Debian mirror; tarballs on kernel.org instead; the newest's name."""
        self.host.write_text("")
        top = self.www / "kernel.org/v7.x"
        top.mkdir(parents=True)
        sums = ""
        for sublevel in ("4", "10"):
            file = f"linux-7.3.{sublevel}.tar.xz"
            shutil.copy(self.keytop / f"root-{sublevel}/usr/src/linux-source-7.3.tar.xz", top / file)
            sums += f"{hashlib.sha256((top / file).read_bytes()).hexdigest()}  {file}\n"
        (top / "sha256sums.asc").write_text(
            f"-----BEGIN PGP SIGNED MESSAGE-----\n\n{sums}{'0' * 64}  linux-7.30.tar.xz\n")
        self.enterContext(mock.patch.object(kernel_org, "_signed", return_value="signature not checked: no gpg"))
        return "linux-7.3.10.tar.xz"

    def test_kernel_org_where_no_apt_has_it(self) -> None:
        file = self.publish_kernel_org()
        found = fetch.ensure(self.context)
        self.assertEqual((found.version, found.origin), ("7.3.10", f"{file} from kernel.org"))
        self.assertIn("signature not checked", self.err.getvalue())
        self.mirror.close()
        self.assertEqual(fetch.ensure(self.context), found)
        shutil.rmtree(found.path)
        self.assertEqual(fetch.ensure(self.context), found)

    def test_kernel_org_when_debian_has_moved_on(self) -> None:
        host = self.host.read_text()
        self.publish_kernel_org()
        self.host.write_text(host)
        self.publish("trixie-backports")
        self.assertEqual(fetch.ensure(self.context).version, "7.3.10")
        self.assertIn("no suite of Debian has linux-source-7.3", self.err.getvalue())

    def test_kernel_org_cut_short_goes_on_where_it_stopped(self) -> None:
        file = self.publish_kernel_org()
        self.mirror.fault = "cut"
        with self.fails(file, "cut short", "run again"):
            fetch.ensure(self.context)
        self.mirror.fault = ""
        self.assertEqual(fetch.ensure(self.context).version, "7.3.10")
        self.assertRegex(self.mirror.asked[-1][1], r"bytes=\d{3,}-")

    def test_kernel_org_altered(self) -> None:
        file = self.publish_kernel_org()
        self.mirror.fault = "altered"
        with self.fails(file, "altered", "run again"):
            fetch.ensure(self.context)
        self.mirror.fault = ""
        self.assertEqual(fetch.ensure(self.context).version, "7.3.10")

    def test_kernel_org_without_network(self) -> None:
        self.publish_kernel_org()
        self.mirror.close()
        with self.fails("sha256sums.asc", "cannot be fetched", "KDIR="):
            fetch.ensure(self.context)
