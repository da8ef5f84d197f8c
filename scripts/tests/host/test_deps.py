# SPDX-License-Identifier: GPL-2.0-only
"""scripts/deps says what is missing."""

from __future__ import annotations

import shutil
import subprocess
import sys

import toy
from source.mirror import tool


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
        tool(self.bin, "python3", 'case $1$ARCH in -marm) echo gcc-cross-arm ;; -m) ;;\n'
             '-m*) echo "error: ARCH" >&2; exit 2 ;; *) echo "Python 3.11.2" ;; esac\n')
        self.assertEqual(self.run_deps("repro", "arm"), (0, ""))
        tool(self.bin, "dpkg-query", 'for p; do [[ $p == gcc-cross-arm ]] || echo "installed $p"; done\n')
        self.assertEqual(self.run_deps("repro"), (0, ""))
        self.assertIn("missing: gcc-cross-arm; as root, run: ", self.run_deps("repro", "arm")[1])
        self.assertEqual(self.run_deps("repro", "vax"), (2, "error: ARCH\n"))

    def test_a_bad_value_is_told_before_anything_is_installed(self) -> None:
        tool(self.bin, "python3", f'exec {sys.executable} "$@"\n')
        tool(self.bin, "id", "echo 0\n")
        tool(self.bin, "dpkg-query", "exit 1\n")
        for name, value in (("ARCH", "vax"), ("BASE", "5.4"), ("SET", "deb"), ("FLAVOUR", "plain,salt")):
            with self.subTest(name):
                done = subprocess.run([shutil.which("bash") or "", str(toy.SCRIPTS / "deps")], capture_output=True,
                                      text=True, env={"PATH": str(self.bin), name: value})
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                told = rf"\Aerror: {name}={value.rpartition(',')[2]}: no such \w+; use one of .*\n\Z"
                self.assertRegex(done.stderr, told)
                self.assertFalse((self.tmp / "apt.log").exists())

    def test_help(self) -> None:
        done = subprocess.run([toy.SCRIPTS / "deps", "--help"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, "^usage: ")

    def test_an_unknown_set(self) -> None:
        self.assertIn("DEPS_FOR: unknown set 'tests'", self.run_deps("tests")[1])
