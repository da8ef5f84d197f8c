# SPDX-License-Identifier: GPL-2.0-only
"""KDIR is not touched."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

import toy
from kdebug.source import fetch, trees
from source.mirror import FETCH, tool


class Kdir(toy.Case):
    def setUp(self) -> None:
        super().setUp()
        self.kdir = toy.plant(self.tmp / "linux", toy.FILES)

    def ensure(self) -> trees.BaseTree:
        return fetch.ensure(self.using(kdir=str(self.kdir)))

    def contents(self, top: Path) -> dict[str, bytes]:
        return {str(p.relative_to(top)): p.read_bytes() for p in top.rglob("*")
                if p.is_file() and ".git/" not in str(p)}

    # --- what is refused

    def test_missing(self) -> None:
        with self.fails("KDIR=/nonexistent/linux", "no such directory", "give the path"):
            fetch.ensure(self.using(kdir="/nonexistent/linux"))

    def test_not_a_kernel(self) -> None:
        for gone in ("Makefile", "kernel/kthread.c"):
            with self.subTest(gone):
                kdir = toy.plant(self.tmp / gone.replace("/", "-"), toy.FILES)
                (kdir / gone).unlink()
                with self.fails(f"KDIR={kdir}", "not a kernel source", "7.3"):
                    fetch.ensure(self.using(kdir=str(kdir)))

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
                    fetch.ensure(self.using(kdir=str(kdir)))
                shutil.rmtree(kdir)

    def test_build_inside_it(self) -> None:
        self.context = self.using(root=self.kdir / "kthread-debug/build")
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
            with mock.patch.object(trees, "TREE_BYTES", 2_000_000_000):
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
        child = subprocess.Popen([sys.executable, "-c", FETCH, str(toy.SCRIPTS / "lib"), "/dev/null", ""],
                                 stderr=subprocess.DEVNULL, env=self.env | {"KDIR": str(self.kdir), "PATH": f"{self.tmp / 'slow'}:{os.environ['PATH']}"})
        tar = os.pidfd_open(int(marker.read_text()))
        self.addCleanup(os.close, tar)
        child.send_signal(signal.SIGKILL)
        child.wait()
        # What it had started must not go on in a directory that is cleaned up.
        self.assertTrue(select.select([tar], [], [], 60)[0])
        self.assertEqual(len(list((self.build / "src").glob(".tmp-*"))), 1)
        self.assertEqual(self.contents(self.ensure().path), self.contents(self.kdir))
        self.assertEqual(list((self.build / "src").glob(".tmp-*")), [])
