# SPDX-License-Identifier: GPL-2.0-only
"""Fragments, the reading of make's output, stamps. No kernel is built here: a
script stands in for make."""

import io
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import toy
from kdebug import arch, kbuild, paths, series, toolchain, ui

# From make -Otarget, with a warning put into two files.
MAKE_LOG = """\
make[1]: Entering directory '/b/out/plain'
  GEN     Makefile
  CC      kernel/kthread.o
../../linux/kernel/kthread.c: In function 'kthread_stop':
../../linux/kernel/kthread.c:812:13: warning: unused variable 'x' [-Wunused-variable]
  812 |         int x;
      |             ^
  CC [M]  drivers/foo/bar.o
/b/linux/drivers/foo/bar.c:1:2: warning: #warning old [-Wcpp]
  AS      arch/x86/lib/getuser.o
  AR      kernel/built-in.a
  LD      vmlinux
ld: warning: vmlinux has a LOAD segment with RWX permissions
WARNING: modpost: missing MODULE_LICENSE() in foo.o
"""

BROKEN_LOG = """\
  CC      kernel/fork.o
  CC      kernel/kthread.o
../kernel/kthread.c: In function 'kthread':
../kernel/kthread.c:412:9: error: 'foo' undeclared (first use in this function)
  412 |         foo();
../kernel/kthread.c:412:9: note: each undeclared identifier is reported only once
../kernel/kthread.c:413:9: error: expected ';' before 'return'
make[4]: *** [../scripts/Makefile.build:289: kernel/kthread.o] Error 1
make[4]: *** Waiting for unfinished jobs....
make[3]: *** [../scripts/Makefile.build:548: kernel] Error 2
make: *** [Makefile:248: __sub-make] Error 2
"""

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


def fail(test: unittest.TestCase, func: Callable[..., object], *args: object) -> ui.Fail:
    with test.assertRaises(ui.Fail) as caught:
        func(*args)
    test.assertNotIn("\n", str(caught.exception))
    return caught.exception


class Scratch(unittest.TestCase):
    def setUp(self) -> None:
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.tmp = Path(tmp.name)

    def fragment(self, name: str, text: str) -> Path:
        path = self.tmp / f"{name}.config"
        path.write_text(textwrap.dedent(text))
        return path


class Fragments(Scratch):
    def test_options(self) -> None:
        self.assertEqual(kbuild.options('CONFIG_A=y\n# CONFIG_B is not set\n# talk of CONFIG_C=y\nCONFIG_S="a b"\n'
                                        'CONFIG_N=18\nCONFIG_X=n\n'),
                         {"CONFIG_A": "y", "CONFIG_B": "n", "CONFIG_S": '"a b"', "CONFIG_N": "18", "CONFIG_X": "n"})

    def test_on_top_of_comes_first_and_once(self) -> None:
        guest = self.fragment("guest", "CONFIG_A=n\n")
        x86 = self.fragment("x86_64", "# On top of: guest\nCONFIG_A=y\n")
        arm = self.fragment("arm", "CONFIG_A=m\n")
        plain = self.fragment("plain", "CONFIG_B=y\n")
        off = self.fragment("off", "# On top of: plain\n# CONFIG_B is not set\n")
        extra = self.fragment("extra", "# On top of: plain\nCONFIG_C=y\n")
        self.assertEqual(kbuild.fragments(["off", "extra"], self.tmp), [guest, x86, plain, off, extra])
        with mock.patch.dict(os.environ, {"ARCH": "arm"}):
            self.assertEqual(kbuild.fragments(["plain"], self.tmp), [arm, plain])

    def test_unknown_flavour(self) -> None:
        self.fragment("x86_64", "")
        self.fragment("plain", "# On top of: nowhere\n")
        err = fail(self, kbuild.fragments, ["nope"], self.tmp)
        self.assertEqual(str(err), "FLAVOUR=nope: no such flavour; use one of plain")
        self.assertEqual(fail(self, kbuild.fragments, ["plain"], self.tmp).what, "configs/plain.config: on top of nowhere")
        self.fragment("plain", "")
        for name in ("x86_64", "guest", "arm"):
            self.fragment(name, "")
            self.assertEqual(fail(self, kbuild.fragments, [name], self.tmp).what, f"FLAVOUR={name}")
        fail(self, kbuild.fragments, [f"../{self.tmp.name}/plain"], self.tmp)

    def test_which_flavours_have_an_option(self) -> None:
        self.fragment("x86_64", "CONFIG_X=y\n")
        self.fragment("plain", "CONFIG_A=y\n")
        self.fragment("off", "# On top of: plain\n# CONFIG_A is not set\n")
        self.fragment("watch", "# On top of: plain\nCONFIG_B=y\n")
        self.fragment("off-watch", "# On top of: off\nCONFIG_C=m\nCONFIG_D=y\n")
        for wanted, names in ((("A",), ["plain", "watch"]), (("B", "D"), ["off-watch", "watch"]), (("C",), []),
                              (("NONE",), [])):
            self.assertEqual(kbuild.flavours_with(*(f"CONFIG_{w}" for w in wanted), configs=self.tmp), names)

    def test_own_fragments(self) -> None:
        """Each fragment of the repository can be read and has its base."""
        for path in paths.CONFIGS.glob("*.config"):
            if path.stem not in {kbuild.COMMON, *arch.TABLE}:
                self.assertEqual(kbuild.fragments([path.stem])[-1], path)
            self.assertTrue(kbuild.options(path.read_text()), path)
            for line in path.read_text().splitlines():
                self.assertRegex(line, r"^(|#.*|CONFIG_\w+=\S+)$", path)


class Verify(Scratch):
    WANT = 'CONFIG_Y=y\n# CONFIG_N is not set\nCONFIG_M=m\nCONFIG_S="x"\nCONFIG_I=18\n'

    def test_all_there(self) -> None:
        f = self.fragment("f", self.WANT)
        kbuild.verify([f], 'CONFIG_Y=y\n# CONFIG_N is not set\nCONFIG_M=m\nCONFIG_S="x"\nCONFIG_I=18\nCONFIG_Z=y\n')
        # An option that is not visible at all is off as well.
        kbuild.verify([f], 'CONFIG_Y=y\nCONFIG_M=m\nCONFIG_S="x"\nCONFIG_I=18\n')

    def test_each_kind_dropped(self) -> None:
        f = self.fragment("f", self.WANT)
        good = {"CONFIG_Y": "y", "CONFIG_N": "n", "CONFIG_M": "m", "CONFIG_S": '"x"', "CONFIG_I": "18"}
        for opt, got in (("CONFIG_Y", "n"), ("CONFIG_Y", "m"), ("CONFIG_N", "y"), ("CONFIG_M", "y"),
                         ("CONFIG_S", '"y"'), ("CONFIG_I", "12")):
            config = "".join(f"{o}={v}\n" for o, v in {**good, opt: got}.items())
            err = fail(self, kbuild.verify, [f], config)
            self.assertEqual(err.what, "configs/f.config")
            self.assertEqual(err.problem, f"{opt} did not survive: wanted {good[opt]}, got {got}")
        err = fail(self, kbuild.verify, [f], "")
        self.assertIn("(and 3 more: CONFIG_M CONFIG_S CONFIG_I)", err.problem)

    def test_last_fragment_wins(self) -> None:
        one = self.fragment("one", "CONFIG_A=y\n")
        two = self.fragment("two", "# CONFIG_A is not set\n")
        kbuild.verify([one, two], "# CONFIG_A is not set\n")
        self.assertEqual(fail(self, kbuild.verify, [two, one], "").what, "configs/one.config")

    def test_what_a_set_lacks_is_not_missed(self) -> None:
        one = self.fragment("one", "CONFIG_A=y\nCONFIG_B=y\n")
        kbuild.verify([one], "CONFIG_A=y\n", ["CONFIG_B"])
        self.assertIn("CONFIG_A did not survive", fail(self, kbuild.verify, [one], "", ["CONFIG_B"]).problem)


class MakeOutput(unittest.TestCase):
    def read(self, text: str, out: kbuild.Output | None = None) -> kbuild.Output:
        out = out or kbuild.Output()
        for line in text.splitlines(keepends=True):
            out.feed(line)
        return out

    def test_objects_and_warnings(self) -> None:
        out = self.read(MAKE_LOG)
        self.assertEqual(out.objects, 3)
        self.assertEqual(out.target, "vmlinux")
        self.assertEqual([w.split(":")[0] for w in out.all_warnings()],
                         ["../../linux/kernel/kthread.c", "/b/linux/drivers/foo/bar.c", "ld", "WARNING"])
        ours = [w for w in out.all_warnings() if kbuild.OURS.search(w)]
        self.assertEqual(len(ours), 1)
        err = fail(self, kbuild.refuse, out.all_warnings(), Path("/b/plain.log"))
        self.assertIn("unused variable 'x'", err.problem)

    def test_rebuilt_object_takes_its_warning_back(self) -> None:
        first = self.read(MAKE_LOG)
        second = self.read("  CC      kernel/kthread.o\n", kbuild.Output(warnings=first.warnings))
        self.assertFalse([w for w in second.all_warnings() if "kthread" in w])
        self.assertTrue([w for w in second.all_warnings() if "bar.c" in w])

    def test_ours(self) -> None:
        for name in ("kernel/kthread.c", "kernel/kthread_debug.c", "kernel/kthread_debug.h", "lib/fault-inject.c",
                     "include/trace/events/kthread.h", "kernel/tests/kthread_kunit.c", "samples/kthread/sample.c"):
            self.assertTrue(kbuild.OURS.search(f"/x/linux/{name}:1:2: warning: w"), name)
        for name in ("kernel/fork.c", "drivers/foo/kernel/kthreadless/x.c", "mykernel/kthread.c"):
            self.assertFalse(kbuild.OURS.search(f"/x/linux/{name}:1:2: warning: w"), name)

    def test_errors(self) -> None:
        self.assertEqual(self.read(BROKEN_LOG).errors(), [
            "../kernel/kthread.c:412:9: error: 'foo' undeclared (first use in this function)",
            "../kernel/kthread.c:413:9: error: expected ';' before 'return'"])
        for line in ("/bin/sh: 1: flex: not found", "*** Compiler is too old.",
                     "make[2]: *** No rule to make target 'x', needed by 'y'.  Stop.",
                     "ERROR: modpost: \"x\" [one.ko] undefined!",
                     "fatal error: error writing to /tmp/x.s: No space left on device"):
            out = self.read(f"  CC      a.o\n{line}\nmake: *** [Makefile:1: a.o] Error 2\n")
            self.assertEqual(out.errors()[0], line)
        self.assertEqual(self.read("make: *** [x] Error 9\n").errors(), ["make: *** [x] Error 9"])
        self.assertEqual(self.read("a\nb\nc\n").errors(), ["b", "c"])
        self.assertEqual(self.read("").errors(), ["no output"])


class Stamps(Scratch):
    def test_digest_keeps_parts_apart(self) -> None:
        self.assertNotEqual(kbuild.digest("ab", "c"), kbuild.digest("a", "bc"))

    def test_damaged_stamp_is_none(self) -> None:
        path = self.tmp / "s.json"
        self.assertEqual(kbuild.read_stamp(path), {})
        kbuild.write_stamp(path, {"key": "k"})
        self.assertEqual(kbuild.read_stamp(path), {"key": "k"})
        for text in ("", '{"key": "k"', "[1]", "\0"):
            path.write_text(text)
            self.assertEqual(kbuild.read_stamp(path), {})

    def test_stat_digest(self) -> None:
        path = self.tmp / "Kconfig"
        before = kbuild.stat_digest(self.tmp, [path])
        path.write_text("a")
        os.utime(path, (5, 5))
        there = kbuild.stat_digest(self.tmp, [path])
        self.assertNotEqual(before, there)
        os.utime(path, (6, 6))
        self.assertNotEqual(there, kbuild.stat_digest(self.tmp, [path]))


class Environment(unittest.TestCase):
    def test_nothing_of_the_make_around(self) -> None:
        dirty = {"MAKEFLAGS": "-j8", "MAKELEVEL": "1", "KCFLAGS": "-O0", "ARCH": "arm", "O": "/x", "PATH": "/bin",
                 "OTHER": "kept", "CCACHE_DIR": "/mine"}
        with mock.patch.dict(os.environ, dirty, clear=True):
            env = kbuild.environment()
        self.assertEqual({k for k in env if not k.startswith("CCACHE")}, {"PATH", "OTHER", "LC_ALL"})
        self.assertEqual(env["CCACHE_DIR"], "/mine")
        with mock.patch.dict(os.environ, {}, clear=True):
            self.assertEqual(kbuild.environment()["CCACHE_DIR"], str(paths.CCACHE))

    def test_paths_that_make_cannot_take(self) -> None:
        for bad in ("/a b", "/a:b"):
            fail(self, kbuild.make_args, Path("/src"), Path(bad))

    def test_no_compiler(self) -> None:
        for cc in ("no-such-gcc", "false", ""):
            with mock.patch.dict(os.environ, {"CC": cc}):
                self.assertEqual(fail(self, kbuild.compiler).what, "CC")

    def test_old_compiler(self) -> None:
        with tempfile.TemporaryDirectory() as tmp:
            source = Path(tmp)
            (source / "scripts").mkdir()
            (source / "scripts/min-tool-version.sh").write_text("echo 99.1.0\n")
            with mock.patch.dict(os.environ, {"CC": "gcc"}):
                self.assertIn("too old", fail(self, kbuild._check_compiler, source).problem)
            (source / "scripts/min-tool-version.sh").write_text("echo 4.10\n")
            kbuild._check_compiler(source)


@dataclass(frozen=True)
class Applied:
    path: Path
    key: str


class Ensure(Scratch):
    """The whole of ensure() and modules(), with a script as make."""

    def setUp(self) -> None:
        super().setUp()
        self.tools, self.configs, source = self.tmp / "tools", self.tmp / "configs", self.tmp / "linux"
        for d in (self.tools, self.configs, source / "scripts/kconfig"):
            d.mkdir(parents=True)
        (self.tools / "make").write_text(FAKE_MAKE)
        (self.tools / "make").chmod(0o755)
        (source / "scripts/min-tool-version.sh").write_text("echo 4\n")
        (source / "scripts/kconfig/merge_config.sh").write_text(
            'while [ "$1" != -O ]; do shift; done; shift 2; cat "$@" > "$KCONFIG_CONFIG"')
        (source / "kernel/configs").mkdir(parents=True)
        (source / kbuild.TINY[0]).write_text("CONFIG_TINY=y\n")
        (source / "Kconfig").write_text("k")
        (self.configs / "x86_64.config").write_text("CONFIG_A=y\n")
        (self.configs / "plain.config").write_text("# Memory: 512\nCONFIG_B=y\n")
        self.result("CONFIG_A=y\nCONFIG_B=y\n")
        patches: list[Any] = [
            mock.patch.dict(os.environ, {"PATH": f"{self.tools}:{os.environ['PATH']}", "FAKE": str(self.tmp)}),
            mock.patch.object(paths, "OUT", self.tmp / "out"),
            mock.patch.object(paths, "LINUX", source),
            mock.patch.object(kbuild, "fragments", lambda names, f=kbuild.fragments: f(names, self.configs)),
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
        self.assertIn("CONFIG_B did not survive", fail(self, kbuild.ensure, self.applied, "plain").problem)
        with mock.patch.object(series, "lacking", lambda: {"CONFIG_B"}):
            kbuild.ensure(self.applied, "plain")

    def test_nothing_changed_runs_nothing(self) -> None:
        first = kbuild.ensure(self.applied, "plain")
        self.assertEqual(self.calls(), ["allnoconfig", "bzImage"])
        self.assertEqual(kbuild.ensure(self.applied, "plain"), first)
        self.assertEqual(self.calls(), [])
        self.assertEqual((first.release, first.memory), ("7.3.4", 512))
        self.assertEqual((self.tmp / "asked").read_text(),
                         "CONFIG_TINY=y\nCONFIG_A=y\n# Memory: 512\nCONFIG_B=y\n")
        self.assertEqual(first.config.read_text(), "CONFIG_A=y\nCONFIG_B=y\n")

    def test_a_kernel_for_one_cpu_says_so(self) -> None:
        self.assertIsNone(kbuild.ensure(self.applied, "plain").cpus)
        (self.configs / "up.config").write_text("# On top of: plain\n# CONFIG_SMP is not set\n")
        self.assertEqual(kbuild.ensure(self.applied, "up").cpus, 1)

    def test_a_variant_has_its_own_directory_and_arguments(self) -> None:
        first = kbuild.ensure(self.applied, "plain")
        moved = kbuild.ensure(self.applied, "plain", variant=kbuild.Variant("pad", ("CFLAGS_kthread.o=-DX=1",)))
        self.assertEqual(moved.out, first.out.with_name("plain-pad"))
        self.assertTrue(moved.image.is_file())
        self.assertIn(" CFLAGS_kthread.o=-DX=1 bzImage modules\n", (self.tmp / "calls").read_text())
        self.assertNotEqual(moved.key, first.key)
        other = kbuild.ensure(self.applied, "plain", variant=kbuild.Variant("pad", ("CFLAGS_kthread.o=-DX=2",)))
        self.assertNotEqual(other.key, moved.key)
        self.assertEqual(kbuild.ensure(self.applied, "plain"), first)

    def test_source_changed_builds_without_configuring(self) -> None:
        first = kbuild.ensure(self.applied, "plain")
        self.calls()
        again = kbuild.ensure(Applied(self.applied.path, "two"), "plain")
        self.assertEqual(self.calls(), ["bzImage"])
        self.assertNotEqual(again.key, first.key)

    def test_kconfig_or_fragment_changed_configures(self) -> None:
        kbuild.ensure(self.applied, "plain")
        self.calls()
        (self.applied.path / "Kconfig").write_text("longer")
        kbuild.ensure(Applied(self.applied.path, "two"), "plain")
        self.assertEqual(self.calls(), ["allnoconfig", "bzImage"])
        (self.configs / "plain.config").write_text("CONFIG_B=y\n# said differently\n")
        kbuild.ensure(Applied(self.applied.path, "two"), "plain")
        self.assertEqual(self.calls(), ["allnoconfig", "bzImage"])

    def installs(self, name: str, says: str) -> None:
        """Another version of a tool, and a new process that finds it."""
        toy.tool(self.tools, name, f"echo '{says}'")
        toolchain._output.cache_clear()

    def test_another_toolchain_configures_and_builds(self) -> None:
        """pahole that was not there, a compiler, a linker, an assembler, a parser: each of another version."""
        (self.applied.path / "Makefile").write_text("LD = $(CROSS_COMPILE)ld\nPAHOLE = pahole\nYACC\t= bison\n")
        self.installs("gcc", "gcc 12.2.0")
        kbuild.ensure(self.applied, "plain")
        seen: set[str] = set()
        for name, says in (("pahole", "v1.24"), ("pahole", "v1.25"), ("gcc", "gcc 14.2.0"), ("ld", "GNU ld 2.44"),
                           ("as", "GNU assembler 2.44"), ("bison", "bison 3.9")):
            with self.subTest(f"{name} {says}"):
                if name == "as":  # where this compiler looks for it
                    toy.tool(self.tools, "gcc", f"case $1 in -print*) echo {self.tools}/as ;; *) echo gcc 14.2.0 ;; esac")
                self.installs(name, says)
                self.calls()
                sys.stderr = io.StringIO()
                seen.add(kbuild.ensure(self.applied, "plain").key)
                self.assertEqual(self.calls(), ["allnoconfig", "bzImage"])
                self.assertRegex(sys.stderr.getvalue(), f"another version is installed of: (.* )?{name}\n")
                kbuild.ensure(self.applied, "plain")
                self.assertEqual(self.calls(), [])
        self.assertEqual(len(seen), 6)

    def test_another_toolchain_makes_the_headers_anew(self) -> None:
        programs = self.tmp / "guest"
        programs.mkdir()
        kbuild.guest(self.applied.path, programs)
        self.calls()
        self.installs("as", "GNU assembler 2.44")
        kbuild.guest(self.applied.path, programs)
        self.assertEqual(self.calls(), ["headers", "HDR="])

    def test_dropped_option_stops_and_keeps_the_old_config(self) -> None:
        kernel = kbuild.ensure(self.applied, "plain")
        self.calls()
        before = kernel.config.read_text()
        self.result("CONFIG_A=y\n")
        (self.configs / "plain.config").write_text("CONFIG_B=y\n#\n")
        self.assertIn("CONFIG_B did not survive", fail(self, kbuild.ensure, self.applied, "plain").problem)
        self.assertEqual(self.calls(), ["allnoconfig"])
        self.assertEqual(kernel.config.read_text(), before)

    def test_interrupted_build_is_not_up_to_date(self) -> None:
        """Back to the first source after a failure: the tree is a mixture."""
        kbuild.ensure(self.applied, "plain")
        (self.tmp / "status").write_text("2")
        fail(self, kbuild.ensure, Applied(self.applied.path, "two"), "plain")
        (self.tmp / "status").write_text("0")
        self.calls()
        kbuild.ensure(self.applied, "plain")
        self.assertEqual(self.calls(), ["bzImage"])

    def test_lost_image_is_built_again(self) -> None:
        kbuild.ensure(self.applied, "plain").image.unlink()
        self.calls()
        self.assertTrue(kbuild.ensure(self.applied, "plain").image.is_file())

    def test_failure_names_the_log(self) -> None:
        (self.tmp / "log").write_text(BROKEN_LOG)
        (self.tmp / "status").write_text("2")
        err = fail(self, kbuild.ensure, self.applied, "plain")
        self.assertEqual(err.what, str(self.tmp / "out/plain.log"))
        self.assertIn("'foo' undeclared", err.problem)
        self.assertIn(BROKEN_LOG, Path(err.what).read_text())

    def test_disk_full(self) -> None:
        (self.tmp / "log").write_text("fatal error: x.s: No space left on device\n")
        (self.tmp / "status").write_text("2")
        self.assertIn("no space", fail(self, kbuild.ensure, self.applied, "plain").problem)

    def test_warning_elsewhere_is_returned_even_when_up_to_date(self) -> None:
        (self.tmp / "log").write_text("  CC      a.o\na.c:1:1: warning: old\n")
        self.assertEqual(kbuild.ensure(self.applied, "plain").warnings, ("a.c:1:1: warning: old",))
        self.assertEqual(kbuild.ensure(self.applied, "plain").warnings, ("a.c:1:1: warning: old",))

    def test_own_warning_fails_until_it_is_gone(self) -> None:
        (self.tmp / "log").write_text("  CC      kernel/kthread.o\nkernel/kthread.c:1:1: warning: w\n")
        self.assertIn("kthread.c:1:1", fail(self, kbuild.ensure, self.applied, "plain").problem)
        # make has nothing to do now, and says nothing.
        (self.tmp / "log").write_text("")
        fail(self, kbuild.ensure, self.applied, "plain")
        (self.tmp / "log").write_text("  CC      kernel/kthread.o\n")
        self.assertEqual(kbuild.ensure(self.applied, "plain").warnings, ())

    def test_other_tree_has_its_own_directory(self) -> None:
        other = self.tmp / "linux-base"
        other.mkdir()
        self.assertEqual(kbuild.out_name(Applied(other, "k"), ["off"]), "off-linux-base")
        self.assertEqual(kbuild.out_name(self.applied, ["plain", "extra"]), "plain-extra")

    def test_make_does_not_outlive_us(self) -> None:
        """Killed, by a signal that no handler sees, we take make with us."""
        code = ("import sys; from pathlib import Path; from kdebug import kbuild; "
                "kbuild.make(['sh', '-c', 'echo $$; exec sleep 1000'], Path(sys.argv[1]), kbuild.Output())")
        log = self.tmp / "killed.log"
        us = subprocess.Popen([sys.executable, "-c", code, str(log)],
                              env={**os.environ, "PYTHONPATH": str(paths.SCRIPTS / "lib")})
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
            err = fail(self, kbuild.make, ["make"], self.tmp / "log2", kbuild.Output())
        self.assertEqual((err.what, err.problem), ("make", "not found"))

    def test_guest(self) -> None:
        """The headers are made when they change; the programs' Makefile is
        always asked."""
        programs = self.tmp / "guest"
        programs.mkdir()
        (programs / "init.c").touch()
        uapi = self.applied.path / "include/uapi/linux"
        uapi.mkdir(parents=True)
        (uapi / "one.h").write_text("1")
        found = kbuild.guest(self.applied.path, programs)
        self.assertEqual(found, [self.tmp / "out/guest-x86_64/bin/init"])
        self.assertEqual(self.calls(), ["headers", "HDR="])
        kbuild.guest(self.applied.path, programs)
        self.assertEqual(self.calls(), ["HDR="])
        # The same headers in another tree are the same headers.
        self.applied.path.rename(self.tmp / "linux-base")
        kbuild.guest(self.tmp / "linux-base", programs)
        self.assertEqual(self.calls(), ["HDR="])
        (self.tmp / "linux-base/include/uapi/linux/one.h").write_text("longer")
        kbuild.guest(self.tmp / "linux-base", programs)
        self.assertEqual(self.calls(), ["headers", "HDR="])

    def test_module_dirs(self) -> None:
        for name, text in (("a", "obj-m := a.o\n"), ("b", "# Builds without the series.\nobj-m := b.o\n"),
                           ("c", "all:\n"), ("d", "# Only for arm: it is.\nobj-m := d.o\n"),
                           ("e", "# Needs the set 3-fault\nobj-m := e.o\n")):
            (self.tmp / "k" / name).mkdir(parents=True)
            (self.tmp / "k" / name / "Makefile").write_text(text)
        for sets, want in ((list(paths.SETS), "abe"), ((), "b"), (("1-fixes", "2-debug"), "b"),
                           (("1-fixes", "2-debug", "3-fault"), "be")):
            with self.subTest(sets):
                self.assertEqual("".join(d.name for d in kbuild.module_dirs(sets, self.tmp / "k")), want)
        with mock.patch.dict(os.environ, {"ARCH": "arm"}):
            self.assertEqual([d.name for d in kbuild.module_dirs(root=self.tmp / "k")], ["a", "b", "d", "e"])

    def test_in_tree_modules(self) -> None:
        kernel = kbuild.ensure(self.applied, "plain")
        (kernel.out / "modules.order").write_text("samples/a/one.o\nlib/two.o\n")
        self.assertEqual(kbuild.in_tree_modules(kernel),
                         [kernel.out / "samples/a/one.ko", kernel.out / "lib/two.ko"])

    def external(self, makefile: str) -> tuple[kbuild.Kernel, Path]:
        """A kernel with this top Makefile, and the source of a module."""
        kernel = kbuild.ensure(self.applied, "plain")
        (kernel.source / "Makefile").write_text(makefile)
        source = self.tmp / "repro"
        source.mkdir()
        (source / "one.c").write_text("int a;")
        self.calls()
        return kernel, source

    def test_modules(self) -> None:
        kernel, source = self.external("KBUILD_EXTMOD_OUTPUT := $(MO)\n")
        found = kbuild.modules(kernel, source)
        self.assertEqual(found, [kernel.out / "mod/repro/sub/one.ko"])
        self.assertEqual(kbuild.modules(kernel, source), found)
        self.assertEqual(self.calls(), ["MO="])
        (source / "one.c").write_text("int b;")
        kbuild.modules(kernel, source)
        self.assertEqual(self.calls(), ["MO="])
        found[0].unlink()
        kbuild.modules(kernel, source)
        self.assertEqual(self.calls(), ["MO="])
        self.assertEqual([p.name for p in source.iterdir()], ["one.c"])
        (self.tmp / "modlog").write_text("one.c:1:1: warning: w\n")
        (source / "one.c").write_text("int c;")
        fail(self, kbuild.modules, kernel, source)

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
                self.assertEqual([p.name for p in kbuild.modules(kernel, source)], ["one.ko"])
        for number, line in enumerate((
                f"{source}/one.c:1:1: warning: unused", f"{source}/one.o: warning: objtool: f: unreachable",
                "one.o: warning: objtool: f: unreachable",
                f"WARNING: modpost: missing MODULE_LICENSE() in {source}/driver.o",
                f"WARNING: modpost: \"nothing\" [{source}/driver.ko] undefined!",
                "../include/linux/kthread.h:1:1: warning: w")):
            (self.tmp / "modlog").write_text(f"warning: pahole version differs\n{line}\n")
            (source / "one.c").write_text(f"int b{number};")
            with self.subTest(line):
                self.assertEqual(fail(self, kbuild.modules, kernel, source).problem, line)

    def test_modules_where_make_has_no_mo(self) -> None:
        kernel, source = self.external("KBUILD_EXTMOD := $(M)\n")
        found = kbuild.modules(kernel, source)
        self.assertEqual(found, [kernel.out / "mod/repro/sub/one.ko"])
        self.assertTrue((kernel.out / "mod/repro/one.c").is_file())
        self.assertEqual(self.calls(), [])
        self.assertEqual([p.name for p in source.iterdir()], ["one.c"])


if __name__ == "__main__":
    unittest.main()
