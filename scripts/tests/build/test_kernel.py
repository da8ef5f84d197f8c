# SPDX-License-Identifier: GPL-2.0-only
"""Fragments, the reading of make's output, stamps. No kernel is built here: a
script stands in for make."""

import io
import os
import re
import subprocess
import sys
import time
from build.test_make import BROKEN_LOG
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import toy
from kdebug.build import flavours, guest_programs, make, modules, toolchain
from kdebug.build.kernel import Kernel, Variant, ccache, ensure, out_name
from kdebug.context import Context, SETS
from kdebug.patches import series
from scratch import Scratch, fail

# Stands in for make: writes what each target of the kernel's make writes.
FAKE_MAKE = """\
#!/bin/sh
echo "$*" >> "$FAKE/calls"
for a; do case $a in
O=*) O=${a#O=} ;; M=*) MO=${a#M=} ;; MO=*) MO=${a#MO=} ;; KCONFIG_ALLCONFIG=*) ALL=${a#KCONFIG_ALLCONFIG=} ;;
esac; done
case "$*" in
*allnoconfig*) cp "$ALL" "$FAKE/asked"; cp "$FAKE/result.config" "$KCONFIG_CONFIG" ;;
*' M='*)
	cat "$FAKE/modlog" 2>/dev/null
	echo sub/one.o > "$MO/modules.order"; mkdir -p "$MO/sub"; echo ko > "$MO/sub/one.ko" ;;
*bzImage*)
	cat "$FAKE/log" 2>/dev/null
	mkdir -p "$O/arch/x86/boot" "$O/include/config"
	echo image > "$O/arch/x86/boot/bzImage"
	echo 7.3.4 > "$O/include/config/kernel.release"
	printf 'deps_config := \\\\\\n\\tKconfig \\\\\\n\\n' > "$O/include/config/auto.conf.cmd"
	exit $(cat "$FAKE/status" 2>/dev/null || echo 0) ;;
esac
"""


@dataclass(frozen=True)
class Applied:
    path: Path
    key: str


class Ensure(Scratch):
    """The whole of ensure() and modules(), with a script as make."""

    def setUp(self) -> None:
        super().setUp()
        self.tools, self.configs, source = self.tmp / "tools", self.context.configs, self.context.linux
        for d in (self.tools, source / "scripts/kconfig"):
            d.mkdir(parents=True)
        (self.tools / "make").write_text(FAKE_MAKE)
        (self.tools / "make").chmod(0o755)
        (source / "scripts/min-tool-version.sh").write_text("echo 4\n")
        (source / "scripts/kconfig/merge_config.sh").write_text(
            'while [ "$1" != -O ]; do shift; done; shift 2; cat "$@" > "$KCONFIG_CONFIG"')
        (source / "kernel/configs").mkdir(parents=True)
        (source / flavours.TINY[0]).write_text("CONFIG_TINY=y\n")
        (source / "Kconfig").write_text("k")
        (self.configs / "x86_64.config").write_text("CONFIG_A=y\n")
        (self.configs / "plain.config").write_text("# Memory: 512\nCONFIG_B=y\n")
        self.result("CONFIG_A=y\nCONFIG_B=y\n")
        patches: list[Any] = [
            mock.patch.dict(os.environ, {"PATH": f"{self.tools}:{os.environ['PATH']}", "FAKE": str(self.tmp)}),
            mock.patch("sys.stderr", io.StringIO())]
        for patch in patches:
            patch.start()
            self.addCleanup(patch.stop)
        self.applied = Applied(source, "one")

    def result(self, text: str) -> None:
        (self.tmp / "result.config").write_text(text)

    def calls(self) -> list[str]:
        """The make targets since the last look."""
        path = self.tmp / "calls"
        text = path.read_text() if path.exists() else ""
        path.write_text("")
        return re.findall(r"allnoconfig|bzImage|MO=|headers$|HDR=", text, re.M)

    def test_a_set_builds_without_the_options_of_others(self) -> None:
        self.result("CONFIG_A=y\n")
        self.assertIn("CONFIG_B did not survive", fail(self, ensure, self.context, self.applied, "plain").problem)
        with mock.patch.object(series, "lacking", lambda _: {"CONFIG_B"}):
            ensure(self.context, self.applied, "plain")

    def test_nothing_changed_runs_nothing(self) -> None:
        first = ensure(self.context, self.applied, "plain")
        self.assertEqual(self.calls(), ["allnoconfig", "bzImage"])
        self.assertEqual(ensure(self.context, self.applied, "plain"), first)
        self.assertEqual(self.calls(), [])
        self.assertEqual((first.release, first.memory), ("7.3.4", 512))
        self.assertEqual((self.tmp / "asked").read_text(),
                         "CONFIG_TINY=y\nCONFIG_A=y\n# Memory: 512\nCONFIG_B=y\n")
        self.assertEqual(first.config.read_text(), "CONFIG_A=y\nCONFIG_B=y\n")

    def test_a_kernel_for_one_cpu_says_so(self) -> None:
        self.assertIsNone(ensure(self.context, self.applied, "plain").cpus)
        (self.configs / "up.config").write_text("# On top of: plain\n# CONFIG_SMP is not set\n")
        self.assertEqual(ensure(self.context, self.applied, "up").cpus, 1)

    def test_a_kernel_for_gdb_has_its_commands(self) -> None:
        (self.configs / "gdb.config").write_text("CONFIG_GDB_SCRIPTS=y\n")
        self.result("CONFIG_A=y\nCONFIG_B=y\nCONFIG_GDB_SCRIPTS=y\n")
        ensure(self.context, self.applied, "plain", ["gdb"])
        self.assertIn(" bzImage modules scripts_gdb\n", (self.tmp / "calls").read_text())

    def test_a_variant_has_its_own_directory_and_arguments(self) -> None:
        first = ensure(self.context, self.applied, "plain")
        moved = ensure(self.context, self.applied, "plain", variant=Variant("pad", ("CFLAGS_kthread.o=-DX=1",)))
        self.assertEqual(moved.out, first.out.with_name("plain-pad"))
        self.assertTrue(moved.image.is_file())
        self.assertIn(" CFLAGS_kthread.o=-DX=1 bzImage modules\n", (self.tmp / "calls").read_text())
        self.assertNotEqual(moved.key, first.key)
        other = ensure(self.context, self.applied, "plain", variant=Variant("pad", ("CFLAGS_kthread.o=-DX=2",)))
        self.assertNotEqual(other.key, moved.key)
        self.assertEqual(ensure(self.context, self.applied, "plain"), first)

    def test_source_changed_builds_without_configuring(self) -> None:
        first = ensure(self.context, self.applied, "plain")
        self.calls()
        again = ensure(self.context, Applied(self.applied.path, "two"), "plain")
        self.assertEqual(self.calls(), ["bzImage"])
        self.assertNotEqual(again.key, first.key)

    def test_kconfig_or_fragment_changed_configures(self) -> None:
        ensure(self.context, self.applied, "plain")
        self.calls()
        (self.applied.path / "Kconfig").write_text("longer")
        ensure(self.context, Applied(self.applied.path, "two"), "plain")
        self.assertEqual(self.calls(), ["allnoconfig", "bzImage"])
        (self.configs / "plain.config").write_text("CONFIG_B=y\n# said differently\n")
        ensure(self.context, Applied(self.applied.path, "two"), "plain")
        self.assertEqual(self.calls(), ["allnoconfig", "bzImage"])

    def installs(self, name: str, says: str) -> None:
        """Another version of a tool, and a new process that finds it."""
        toy.tool(self.tools, name, f"echo '{says}'")
        toolchain._output.cache_clear()

    def test_another_toolchain_configures_and_builds(self) -> None:
        """pahole that was not there, a compiler, a linker, an assembler, a parser: each of another version."""
        (self.applied.path / "Makefile").write_text("LD = $(CROSS_COMPILE)ld\nPAHOLE = pahole\nYACC\t= bison\n")
        self.installs("gcc", "gcc 12.2.0")
        ensure(self.context, self.applied, "plain")
        seen: set[str] = set()
        for name, says in (("pahole", "v9.1"), ("pahole", "v9.2"), ("gcc", "gcc 14.2.0"), ("ld", "GNU ld 2.44"),
                           ("as", "GNU assembler 2.44"), ("bison", "bison 3.9")):
            with self.subTest(f"{name} {says}"):
                if name == "as":  # where this compiler looks for it
                    toy.tool(self.tools, "gcc",
                             f"case $1 in -print*) echo {self.tools}/as ;; *) echo gcc 14.2.0 ;; esac")
                self.installs(name, says)
                self.calls()
                sys.stderr = io.StringIO()
                seen.add(ensure(self.context, self.applied, "plain").key)
                self.assertEqual(self.calls(), ["allnoconfig", "bzImage"])
                self.assertRegex(sys.stderr.getvalue(), f"another version is installed of: (.* )?{name}\n")
                ensure(self.context, self.applied, "plain")
                self.assertEqual(self.calls(), [])
        self.assertEqual(len(seen), 6)

    def test_another_toolchain_makes_the_headers_anew(self) -> None:
        (self.context.kernel / "guest").mkdir(parents=True)
        guest_programs.build(self.context, self.applied.path)
        self.calls()
        self.installs("as", "GNU assembler 2.44")
        guest_programs.build(self.context, self.applied.path)
        self.assertEqual(self.calls(), ["headers", "HDR="])

    def test_dropped_option_stops_and_keeps_the_old_config(self) -> None:
        kernel = ensure(self.context, self.applied, "plain")
        self.calls()
        before = kernel.config.read_text()
        self.result("CONFIG_A=y\n")
        (self.configs / "plain.config").write_text("CONFIG_B=y\n#\n")
        self.assertIn("CONFIG_B did not survive", fail(self, ensure, self.context, self.applied, "plain").problem)
        self.assertEqual(self.calls(), ["allnoconfig"])
        self.assertEqual(kernel.config.read_text(), before)

    def test_interrupted_build_is_not_up_to_date(self) -> None:
        """Back to the first source after a failure: the tree is a mixture."""
        ensure(self.context, self.applied, "plain")
        (self.tmp / "status").write_text("2")
        fail(self, ensure, self.context, Applied(self.applied.path, "two"), "plain")
        (self.tmp / "status").write_text("0")
        self.calls()
        ensure(self.context, self.applied, "plain")
        self.assertEqual(self.calls(), ["bzImage"])

    def test_lost_image_is_built_again(self) -> None:
        ensure(self.context, self.applied, "plain").image.unlink()
        self.calls()
        self.assertTrue(ensure(self.context, self.applied, "plain").image.is_file())

    def test_failure_names_the_log(self) -> None:
        (self.tmp / "log").write_text(BROKEN_LOG)
        (self.tmp / "status").write_text("2")
        err = fail(self, ensure, self.context, self.applied, "plain")
        self.assertEqual(err.what, "out/plain.log")
        self.assertIn("'foo' undeclared", err.problem)
        self.assertIn(BROKEN_LOG, (self.tmp / err.what).read_text())

    def test_disk_full(self) -> None:
        (self.tmp / "log").write_text("fatal error: x.s: No space left on device\n")
        (self.tmp / "status").write_text("2")
        self.assertIn("no space", fail(self, ensure, self.context, self.applied, "plain").problem)

    def test_warning_elsewhere_is_returned_even_when_up_to_date(self) -> None:
        (self.tmp / "log").write_text("  CC      a.o\na.c:1:1: warning: old\n")
        self.assertEqual(ensure(self.context, self.applied, "plain").warnings, ("a.c:1:1: warning: old",))
        self.assertEqual(ensure(self.context, self.applied, "plain").warnings, ("a.c:1:1: warning: old",))

    def test_own_warning_fails_until_it_is_gone(self) -> None:
        (self.tmp / "log").write_text("  CC      kernel/kthread.o\nkernel/kthread.c:1:1: warning: w\n")
        self.assertIn("kthread.c:1:1", fail(self, ensure, self.context, self.applied, "plain").problem)
        # make has nothing to do now, and says nothing.
        (self.tmp / "log").write_text("")
        fail(self, ensure, self.context, self.applied, "plain")
        (self.tmp / "log").write_text("  CC      kernel/kthread.o\n")
        self.assertEqual(ensure(self.context, self.applied, "plain").warnings, ())

    def test_other_tree_has_its_own_directory(self) -> None:
        other = self.tmp / "linux-base"
        other.mkdir()
        self.assertEqual(out_name(self.context, Applied(other, "k"), ["off"]), "off-linux-base")
        self.assertEqual(out_name(self.context, self.applied, ["plain", "extra"]), "plain-extra")

    def test_make_does_not_outlive_us(self) -> None:
        """Killed, by a signal that no handler sees, we take make with us."""
        code = ("import sys; from pathlib import Path; from kdebug.build import make; "
                "from kdebug.context import Context; make.run(Context(), ['sh', '-c', 'echo $$; exec sleep 1000'], Path(sys.argv[1]), make.Output())")
        log = self.tmp / "killed.log"
        us = subprocess.Popen([sys.executable, "-c", code, str(log)],
                              env={**os.environ, "PYTHONPATH": str(Context().scripts / "lib")})
        self.addCleanup(us.kill)

        def state(pid: str) -> str:
            try:
                return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            except FileNotFoundError:
                return "gone"

        def wait(what: Callable[[], bool]) -> None:
            limit = time.monotonic() + 30
            while not what():
                self.assertLess(time.monotonic(), limit)
                time.sleep(0.01)

        wait(lambda: log.exists() and log.read_text().count("\n") == 2)
        pid = log.read_text().split()[-1]
        us.kill()
        us.wait()
        wait(lambda: state(pid) in ("gone", "Z"))

    def test_no_make(self) -> None:
        with mock.patch.dict(os.environ, {"PATH": ""}):
            err = fail(self, make.run, self.context, ["make"], self.tmp / "log2", make.Output())
        self.assertEqual((err.what, err.problem), ("make", "not found"))

    def test_guest(self) -> None:
        """The headers are made when they change; the programs' Makefile is
        always asked."""
        programs = self.context.kernel / "guest"
        programs.mkdir(parents=True)
        (programs / "init.c").touch()
        uapi = self.applied.path / "include/uapi/linux"
        uapi.mkdir(parents=True)
        (uapi / "one.h").write_text("1")
        found = guest_programs.build(self.context, self.applied.path)
        self.assertEqual(found, [self.tmp / "out/guest-x86_64/bin/init"])
        self.assertEqual(self.calls(), ["headers", "HDR="])
        guest_programs.build(self.context, self.applied.path)
        self.assertEqual(self.calls(), ["HDR="])
        # The same headers in another tree are the same headers.
        self.applied.path.rename(self.tmp / "linux-base")
        guest_programs.build(self.context, self.tmp / "linux-base")
        self.assertEqual(self.calls(), ["HDR="])
        (self.tmp / "linux-base/include/uapi/linux/one.h").write_text("longer")
        guest_programs.build(self.context, self.tmp / "linux-base")
        self.assertEqual(self.calls(), ["headers", "HDR="])

    def test_module_dirs(self) -> None:
        for name, text in (("a", "obj-m := a.o\n"), ("b", "# Builds without the series.\nobj-m := b.o\n"),
                           ("c", "all:\n"), ("d", "# Only for arm: it is.\nobj-m := d.o\n"),
                           ("e", "# Needs the set 3-fault\nobj-m := e.o\n")):
            (self.context.kernel / name).mkdir(parents=True)
            (self.context.kernel / name / "Makefile").write_text(text)
        for sets, want in ((list(SETS), "abe"), ((), "b"), (("1-fixes", "2-debug"), "b"),
                           (("1-fixes", "2-debug", "3-fault"), "be")):
            with self.subTest(sets):
                self.assertEqual("".join(d.name for d in modules.module_dirs(self.context, sets)), want)
        arm = replace(self.context, architecture="arm")
        self.assertEqual([d.name for d in modules.module_dirs(arm)], ["a", "b", "d", "e"])

    def test_in_tree_modules(self) -> None:
        kernel = ensure(self.context, self.applied, "plain")
        (kernel.out / "modules.order").write_text("samples/a/one.o\nlib/two.o\n")
        self.assertEqual(modules.in_tree_modules(kernel),
                         [kernel.out / "samples/a/one.ko", kernel.out / "lib/two.ko"])

    def external(self, makefile: str) -> tuple[Kernel, Path]:
        """A kernel with this top Makefile, and the source of a module."""
        kernel = ensure(self.context, self.applied, "plain")
        (kernel.source / "Makefile").write_text(makefile)
        source = self.tmp / "repro"
        source.mkdir()
        (source / "one.c").write_text("int a;")
        self.calls()
        return kernel, source

    def test_modules(self) -> None:
        kernel, source = self.external("KBUILD_EXTMOD_OUTPUT := $(MO)\n")
        found = modules.external_modules(self.context, kernel, source)
        self.assertEqual(found, [kernel.out / "mod/repro/sub/one.ko"])
        self.assertEqual(modules.external_modules(self.context, kernel, source), found)
        self.assertEqual(self.calls(), ["MO="])
        (source / "one.c").write_text("int b;")
        modules.external_modules(self.context, kernel, source)
        self.assertEqual(self.calls(), ["MO="])
        found[0].unlink()
        modules.external_modules(self.context, kernel, source)
        self.assertEqual(self.calls(), ["MO="])
        self.assertEqual([p.name for p in source.iterdir()], ["one.c"])
        (self.tmp / "modlog").write_text("one.c:1:1: warning: w\n")
        (source / "one.c").write_text("int c;")
        fail(self, modules.external_modules, self.context, kernel, source)

    def test_a_warning_of_the_environment_is_no_error(self) -> None:
        kernel, source = self.external("KBUILD_EXTMOD_OUTPUT := $(MO)\n")
        (source / "Makefile").write_text("obj-m := driver.o\ndriver-y := one.o\n")
        for number, line in enumerate((
                "warning: pahole version differs from the one used to build the kernel",
                "warning: the compiler differs from the one used to build the kernel",
                "make[3]: warning:  Clock skew detected.  Your build may be incomplete.",
                f"{kernel.source}/include/linux/someone.h:1:1: warning: of a newer compiler")):
            (self.tmp / "modlog").write_text(f"{line}\n")
            (source / "one.c").write_text(f"int a{number};")
            with self.subTest(line):
                self.assertEqual([p.name for p in modules.external_modules(self.context, kernel, source)], ["one.ko"])
        for number, line in enumerate((
                f"{source}/one.c:1:1: warning: unused", f"{source}/one.o: warning: objtool: f: unreachable",
                "one.o: warning: objtool: f: unreachable",
                f"WARNING: modpost: missing MODULE_LICENSE() in {source}/driver.o",
                f"WARNING: modpost: \"nothing\" [{source}/driver.ko] undefined!",
                "../include/linux/kthread.h:1:1: warning: w")):
            (self.tmp / "modlog").write_text(f"warning: pahole version differs\n{line}\n")
            (source / "one.c").write_text(f"int b{number};")
            with self.subTest(line):
                self.assertEqual(fail(self, modules.external_modules, self.context, kernel, source).problem, line)

    def test_modules_where_make_has_no_mo(self) -> None:
        kernel, source = self.external("KBUILD_EXTMOD := $(M)\n")
        found = modules.external_modules(self.context, kernel, source)
        self.assertEqual(found, [kernel.out / "mod/repro/sub/one.ko"])
        self.assertTrue((kernel.out / "mod/repro/one.c").is_file())
        self.assertEqual(self.calls(), [])
        self.assertEqual([p.name for p in source.iterdir()], ["one.c"])


class Ccache(Scratch):
    def test_only_what_differs_everywhere_is_alone(self) -> None:
        def alone(flavour: str, *more: str, arch: str = "x86_64") -> bool:
            context = Context(architecture=arch)
            return bool(ccache(context, flavours.fragments(context, flavour, more)))
        self.assertEqual([name for name in ("plain", "debug-only", "off", "pm", "lockdep", "kasan", "rt")
                          if alone(name)], ["lockdep", "kasan", "rt"])
        self.assertTrue(alone("plain", "gdb"))
        self.assertTrue(alone("plain", arch="arm64"))
        # With a base directory, and not in depend mode, __FILE__ would name the tree.
        with mock.patch.dict(os.environ, {}, clear=True):
            self.assertNotIn("CCACHE_BASEDIR", make.environment(Context()))
