# SPDX-License-Identifier: GPL-2.0-only
"""What differs on another base, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from kdebug.build import flavours
from kdebug.context import BASES, Context, SETS
from kdebug.host import ui
from kdebug.patches import apply, other_bases, series

ONE = """\
diff --git a/one.c b/one.c
--- a/one.c
+++ b/one.c
@@ -1,3 +1,4 @@
 a
 b
+B
 c
"""
TWO = """\
diff --git a/two/two.c b/two/two.c
--- a/two/two.c
+++ b/two/two.c
@@ -1 +1,2 @@
 z
+Z
-- \n2.47
"""
PATCH = f"From: A Tester <a@example.org>\nSubject: [PATCH] change two files\n\n---\n{ONE}{TWO}"


class Listed(unittest.TestCase):
    def setUp(self) -> None:
        self.top = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name in SETS:
            (self.top / name).mkdir()
            (self.top / name / "0001-change.patch").write_text(PATCH)
        self.sets = series.group(self.top / name / "0001-change.patch" for name in SETS)
        self.context, self.other = Context(repo=self.top), Context(repo=self.top, base="6.12")
        self.folder = self.other.bases / "6.12"
        self.folder.mkdir(parents=True)

    def names(self, *lines: str, of: str = "") -> list[str]:
        return [name for name, _ in self.adapted(*lines, of=of)]

    def adapted(self, *lines: str, of: str = "") -> list[tuple[str, bytes]]:
        (self.folder / "series").write_text("".join(f"{line}\n" for line in lines or SETS))
        return other_bases.adapted(self.other, series.upto(of, self.sets))

    def own(self, *names: str) -> None:
        for name in names:
            (self.folder / name).write_text("why\n\ndiff --git a/x.c b/x.c\n")

    def test_the_default_base_has_the_patches_as_they_are(self) -> None:
        self.assertEqual(other_bases.adapted(self.context, self.sets),
                         [(f"{name}/0001-change.patch", PATCH.encode()) for name in SETS])
        self.assertEqual(self.adapted(), other_bases.adapted(self.context, self.sets))

    def test_a_patch_is_where_its_line_is_and_goes_with_the_set_above(self) -> None:
        self.own("before.patch", "on-fault.patch", "last.patch")
        lines = ["before.patch", "1-fixes", "2-debug  # two", "3-fault", "on-fault.patch", "4-misuse", "last.patch"]
        all_ = ["6.12/before.patch", "1-fixes/0001-change.patch", "2-debug/0001-change.patch",
                "3-fault/0001-change.patch", "6.12/on-fault.patch", "4-misuse/0001-change.patch", "6.12/last.patch"]
        self.assertEqual(self.names(*lines), all_)
        self.assertEqual(self.names(*lines, of="1-fixes"), all_[:2])
        self.assertEqual(self.names(*lines, of="4-misuse"), all_[:3] + all_[5:])

    def test_files_and_directories_are_left_out(self) -> None:
        for line in ("-one.c", "-two/"):
            for name, body in self.adapted(line, *SETS):
                with self.subTest(line, patch=name):
                    head, one, two = PATCH.partition("diff --git a/one.c")[0], ONE, TWO
                    self.assertEqual(body.decode(), head + (two if line == "-one.c" else one))

    def test_only_that_file_is_left_out(self) -> None:
        for line in ("-one", "-two", "-wo/two.c", "-two/two"):
            self.assertEqual(self.adapted(line, *SETS), other_bases.adapted(self.context, self.sets), line)

    def test_a_patch_of_which_nothing_is_left_is_left_out(self) -> None:
        self.assertEqual(self.names("-one.c", "-two/", *SETS), [])

    def refused(self, said: str, *lines: str) -> None:
        with self.assertRaises(ui.Fail) as caught:
            self.adapted(*lines)
        self.assertIn(said, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def test_what_is_wrong_in_the_list_is_refused(self) -> None:
        one, two, three, four = SETS
        self.refused("bases/6.12/series:2: '5-more' is no set and no patch in bases/6.12; mend that line",
                     one, "5-more", two, three, four)
        self.refused(f"bases/6.12/series: names the sets {one} {two} {four}; name each", one, two, four)
        self.refused("name each, in this order: 1-fixes 2-debug", two, one, three, four)
        self.refused("names the sets", one, two, three, four, four)
        self.own("forgotten.patch")
        self.refused("bases/6.12/forgotten.patch: no line of series names it; add that line", *SETS)
        (self.folder / "series").unlink()
        with self.assertRaisesRegex(ui.Fail, "bases/6.12/series: not there; run: git checkout -- bases/6.12/series"):
            other_bases.adapted(self.other, self.sets)


class Bases(unittest.TestCase):
    def test_each_one_goes_with_the_series(self) -> None:
        for folder in sorted(Context().bases.iterdir()):
            with self.subTest(folder.name):
                self.assertIn(folder.name, BASES)
                self.assertTrue(other_bases.adapted(Context(base=folder.name), series.sets(Context())))

    def test_what_is_left_out_is_in_the_series(self) -> None:
        names = {name for patch in series.read(Context()) for name in apply.touched(patch.read_text())}
        seen = [line[1:] for file in Context().bases.glob("*/series") for _, line in series.parse(file.read_text())
                if line.startswith("-")]
        self.assertTrue(seen)
        for path in seen:
            self.assertTrue(any(name == path or path.endswith("/") and name.startswith(path) for name in names), path)

    def test_none_is_kept_twice(self) -> None:
        seen: set[str] = set()
        for path in sorted(Context().bases.rglob("*.patch")):
            if not path.is_symlink():
                for hunk in re.split(r"^(?=@@ )", path.read_text(), flags=re.M)[1:]:
                    self.assertNotIn(hunk, seen, path)
                    seen.add(hunk)
        self.assertTrue(seen)

    def asked(self, base: str) -> subprocess.CompletedProcess[str]:
        code = ("from kdebug.context import read\nfrom kdebug.host import ui\nfrom kdebug.patches import other_bases\n"
                "with ui.command():\n    c = read()\n    print(c.build.name, c.runs.parent.name, other_bases.fuzz(c))\n")
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                              env=os.environ | {"BASE": base, "PYTHONPATH": str(Context().scripts / "lib"),
                                                "KTHREAD_DEBUG_BUILD": "/nowhere/build"})

    def test_each_has_a_build_directory_of_its_own(self) -> None:
        self.assertEqual(self.asked("").stdout, "build build 0\n")
        self.assertEqual(self.asked("7.3").stdout, "build build 0\n")
        self.assertEqual(self.asked("6.12").stdout, "6.12 6.12 2\n")

    def test_another_is_refused_by_name(self) -> None:
        for base in ("6.13", "../x", "v7.3"):
            done = self.asked(base)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertEqual(done.stderr, f"error: BASE={base}: no such base; use one of 7.3 7.2 7.1 6.18 6.12\n")

    def test_an_option_that_it_is_without_is_not_missed(self) -> None:
        wanted, of_base = self.files("CONFIG_A=y\nCONFIG_B=y\n", "# Without: CONFIG_B\n")
        flavours.verify([wanted, of_base], "CONFIG_A=y\n")
        with self.assertRaisesRegex(ui.Fail, "CONFIG_B did not survive"):
            flavours.verify([wanted], "CONFIG_A=y\n")

    def files(self, *texts: str) -> list[Path]:
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        found = [Path(temp.name) / f"{n}.config" for n in range(len(texts))]
        for path, text in zip(found, texts):
            path.write_text(text)
        return found
