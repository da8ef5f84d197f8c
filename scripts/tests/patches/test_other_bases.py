# SPDX-License-Identifier: GPL-2.0-only
"""What differs on another base, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from kdebug.build import flavours
from kdebug.context import BASES, Context
from kdebug.host import ui
from kdebug.patches import other_bases, series

PATCH = """\
From: A Tester <a@example.org>
Subject: [PATCH] change two files

---
diff --git a/one.c b/one.c
--- a/one.c
+++ b/one.c
@@ -1,3 +1,4 @@
 a
 b
+B
 c
@@ -11,5 +12,5 @@ heading
 k
-l
+L
 m
-n
+N
 o
diff --git a/two.c b/two.c
--- a/two.c
+++ b/two.c
@@ -1 +1,2 @@
 z
+Z
-- \n2.47
"""


class Merge(unittest.TestCase):
    def merged(self, other: str) -> str:
        return other_bases.merge(PATCH, other, "0001-change.context")

    def refused(self, other: str) -> str:
        with self.assertRaises(ui.Fail) as caught:
            self.merged(other)
        return str(caught.exception)

    def test_only_the_surroundings_of_the_one_hunk_change(self) -> None:
        got = self.merged("why\n\ndiff --git a/one.c b/one.c\n@@ 2 @@\n x\n y\n...\n...\n p\n \n")
        self.assertEqual(got, PATCH.replace(
            "@@ -11,5 +12,5 @@ heading\n k\n-l\n+L\n m\n-n\n+N\n o\n",
            "@@ -11,6 +12,6 @@\n x\n y\n-l\n+L\n-n\n+N\n p\n \n").partition("-- \n")[0])

    def test_what_git_writes_below_the_last_hunk_is_no_line_of_it(self) -> None:
        got = self.merged("diff --git a/two.c b/two.c\n@@ 1 @@\n y\n...\n")
        self.assertTrue(got.endswith("@@ -1,1 +1,2 @@\n y\n+Z\n"), got)

    def test_a_file_is_left_out(self) -> None:
        got = self.merged("It is not there.\n\nWithout: one.c\n")
        self.assertNotIn("one.c b/one.c", got)
        self.assertIn("diff --git a/two.c", got)

    def test_a_hunk_is_left_out_and_the_others_keep_their_numbers(self) -> None:
        got = self.merged("Without: one.c @@ 1 @@\n\ndiff --git a/one.c b/one.c\n@@ 2 @@\n x\n...\n...\n")
        head, _, rest = PATCH.partition("@@ -1,3 +1,4 @@\n a\n b\n+B\n c\n")
        self.assertEqual(got, (head + rest).replace(
            "@@ -11,5 +12,5 @@ heading\n k\n-l\n+L\n m\n-n\n+N\n o\n",
            "@@ -11,3 +12,3 @@\n x\n-l\n+L\n-n\n+N\n").partition("-- \n")[0])

    def test_what_the_patch_does_not_have_is_refused(self) -> None:
        for other, said in (
                ("Without: three.c\n", "Without: three.c: the patch does not touch"),
                ("Without: three.c @@ 1 @@\n", "Without: three.c: the patch does not touch"),
                ("Without: one.c @@ 0 @@\n", "Without: one.c @@ 0 @@: the patch has 2 hunks"),
                ("Without: one.c @@ 3 @@\n", "Without: one.c @@ 3 @@: the patch has 2 hunks"),
                ("diff --git a/three.c b/three.c\n@@ 1 @@\n...\n", "three.c: the patch does not touch"),
                ("diff --git a/one.c b/one.c\n@@ 3 @@\n...\n", "'@@ 3 @@' is none of the patch's 2 hunks"),
                ("diff --git a/one.c b/one.c\n@@ 0 @@\n...\n", "'@@ 0 @@' is none"),
                ("diff --git a/one.c b/one.c\n@@ -1 +1 @@\n...\n", "'@@ -1 +1 @@' is none"),
                ("diff --git a/one.c b/one.c\n@@ 2 @@\n x\n...\n", "1 times '...', and the patch's hunk has 2"),
                ("diff --git a/one.c b/one.c\n@@ 1 @@\n+x\n...\n", "a line of context begins with a space")):
            with self.subTest(other):
                self.assertIn(said, self.refused(other))


class Sets(unittest.TestCase):
    def setUp(self) -> None:
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.top = Path(temp.name)
        self.bases = self.top / "bases"
        (self.bases / "6.12/1-fixes").mkdir(parents=True)
        (self.top / "1-fixes").mkdir()
        self.patch = self.top / "1-fixes/0001-change.patch"
        self.patch.write_text(PATCH)
        self.sets = series.group([self.patch])
        self.context, self.other = Context(repo=self.top), Context(repo=self.top, base="6.12")

    def test_the_default_base_has_the_patches_as_they_are(self) -> None:
        self.assertEqual(other_bases.adapted(self.context, self.sets), [("1-fixes/0001-change.patch", PATCH.encode())])

    def test_a_context_is_that_of_the_set(self) -> None:
        (self.bases / "6.12/1-fixes/0001-change.context").write_text("Without: one.c\n")
        other = self.top / "2-debug/0001-change.patch"
        other.parent.mkdir()
        other.write_text(PATCH)
        (_, one), (name, two) = other_bases.adapted(self.other, series.group([self.patch, other]))
        self.assertNotIn(b"one.c b/one.c", one)
        self.assertEqual((name, two), ("2-debug/0001-change.patch", PATCH.encode()))

    def test_a_patch_of_which_nothing_is_left_is_left_out(self) -> None:
        (self.bases / "6.12/1-fixes/0001-change.context").write_text("Without: one.c\nWithout: two.c\n")
        self.assertEqual(other_bases.adapted(self.other, self.sets), [])

    def test_what_is_on_top_of_a_set_is_below_the_next(self) -> None:
        (self.bases / "6.12/1-fixes/use-what-is-there.patch").write_text("x")
        (self.bases / "6.12/4-misuse").mkdir()
        (self.bases / "6.12/4-misuse/more.patch").write_text("y")
        other = self.top / "2-debug/0001-change.patch"
        other.parent.mkdir()
        other.write_text(PATCH)
        found = series.group([self.patch, other])
        names = ["1-fixes/0001-change.patch", "1-fixes/use-what-is-there.patch", "2-debug/0001-change.patch"]
        self.assertEqual([name for name, _ in other_bases.adapted(self.other, found)], [*names, "4-misuse/more.patch"])
        self.assertEqual([name for name, _ in other_bases.adapted(self.other, series.upto("2-debug", found))], names)

    def test_a_patch_that_was_renamed_leaves_nothing_behind(self) -> None:
        (self.bases / "6.12/1-fixes/0002-other.context").write_text("Without: one.c\n")
        with self.assertRaisesRegex(ui.Fail, "bases/6.12/1-fixes/0002-other.context: no patch of the set has this name"):
            other_bases.adapted(self.other, self.sets)

    def test_what_is_of_no_set_is_refused(self) -> None:
        (self.bases / "6.12/config").touch()
        other_bases.adapted(self.other, self.sets)
        (self.bases / "6.12/0001-change.context").touch()
        with self.assertRaisesRegex(ui.Fail, "bases/6.12/0001-change.context: of no set; move it .* 1-fixes 2-debug"):
            other_bases.adapted(self.other, self.sets)


class Bases(unittest.TestCase):
    def test_each_one_goes_with_the_series(self) -> None:
        for folder in sorted(Context().bases.iterdir()):
            with self.subTest(folder.name):
                self.assertIn(folder.name, BASES)
                self.assertTrue(other_bases.adapted(Context(base=folder.name), series.sets(Context())))

    def test_none_is_kept_twice(self) -> None:
        seen: set[str] = set()
        for path in sorted(Context().bases.rglob("*.patch")):
            if not path.is_symlink():
                for hunk in other_bases._HUNK.split(path.read_text())[1:]:
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
