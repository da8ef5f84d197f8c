# SPDX-License-Identifier: GPL-2.0-only
"""What make's output says, and make's environment."""

import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from kdebug.build import make
from kdebug.build.kernel import OURS, _check_compiler, refuse
from kdebug.context import Context
from scratch import fail

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


class MakeOutput(unittest.TestCase):
    def read(self, text: str, out: make.Output | None = None) -> make.Output:
        out = out or make.Output()
        for line in text.splitlines(keepends=True):
            out.feed(line)
        return out

    def test_objects_and_warnings(self) -> None:
        out = self.read(MAKE_LOG)
        self.assertEqual(out.objects, 3)
        self.assertEqual(out.target, "vmlinux")
        self.assertEqual([w.split(":")[0] for w in out.all_warnings()],
                         ["../../linux/kernel/kthread.c", "/b/linux/drivers/foo/bar.c", "ld", "WARNING"])
        ours = [w for w in out.all_warnings() if OURS.search(w)]
        self.assertEqual(len(ours), 1)
        err = fail(self, refuse, Context(), out.all_warnings(), Path("/b/plain.log"))
        self.assertIn("unused variable 'x'", err.problem)

    def test_rebuilt_object_takes_its_warning_back(self) -> None:
        first = self.read(MAKE_LOG)
        second = self.read("  CC      kernel/kthread.o\n", make.Output(warnings=first.warnings))
        self.assertFalse([w for w in second.all_warnings() if "kthread" in w])
        self.assertTrue([w for w in second.all_warnings() if "bar.c" in w])

    def test_ours(self) -> None:
        for name in ("kernel/kthread.c", "kernel/kthread_debug.c", "kernel/kthread_debug.h", "lib/fault-inject.c",
                     "include/trace/events/kthread.h", "kernel/tests/kthread_kunit.c", "samples/kthread/sample.c"):
            self.assertTrue(OURS.search(f"/x/linux/{name}:1:2: warning: w"), name)
        for name in ("kernel/fork.c", "drivers/foo/kernel/kthreadless/x.c", "mykernel/kthread.c"):
            self.assertFalse(OURS.search(f"/x/linux/{name}:1:2: warning: w"), name)

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


class Environment(unittest.TestCase):
    def test_nothing_of_the_make_around(self) -> None:
        dirty = {"MAKEFLAGS": "-j8", "MAKELEVEL": "1", "KCFLAGS": "-O0", "ARCH": "arm", "O": "/x", "PATH": "/bin",
                 "OTHER": "kept", "CCACHE_DIR": "/mine"}
        with mock.patch.dict(os.environ, dirty, clear=True):
            env = make.environment(Context())
        self.assertEqual({k for k in env if not k.startswith("CCACHE")}, {"PATH", "OTHER", "LC_ALL"})
        self.assertEqual(env["CCACHE_DIR"], "/mine")
        with mock.patch.dict(os.environ, {}, clear=True):
            self.assertEqual(make.environment(Context())["CCACHE_DIR"], str(Context().ccache))

    def test_paths_that_make_cannot_take(self) -> None:
        for bad in ("/a b", "/a:b"):
            fail(self, make.make_args, Context(), Path("/src"), Path(bad))

    def test_no_compiler(self) -> None:
        for cc in ("no-such-gcc", "false", ""):
            self.assertEqual(fail(self, make.compiler, Context(compiler=cc)).what, "CC")

    def test_old_compiler(self) -> None:
        with tempfile.TemporaryDirectory() as tmp:
            source = Path(tmp)
            (source / "scripts").mkdir()
            (source / "scripts/min-tool-version.sh").write_text("echo 99.1.0\n")
            self.assertIn("too old", fail(self, _check_compiler, Context(compiler="gcc"), source).problem)
            (source / "scripts/min-tool-version.sh").write_text("echo 4.10\n")
            _check_compiler(Context(), source)
