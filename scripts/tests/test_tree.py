# SPDX-License-Identifier: GPL-2.0-only
"""Unfold and fold: the identity, and nothing is lost on the way."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar
from unittest import mock

import toy
from kdebug import base, paths, series, tree, ui

ONE = toy.KTHREAD.replace("int line5;\n", "int line5;\nint one;\n")
TWO = ONE.replace("int line20;\n", "int two;\n")
SERIES = """\
# What this is.

# Section A
1-fixes/0001-kthread-add-one.patch

# Section B
4-misuse/0001-kthread-add-two.patch  # first
4-misuse/0002-kthread-add-a-file-with-a-long-subject-that-is-cut-o.patch

# The end
"""
FIRST, SECOND, THIRD = (line.split()[0] for line in SERIES.splitlines() if line[:1].isdigit())
COVER = "4-misuse/0000-cover-letter.patch"
LONG = "kthread: add a file with a long subject that is cut off somewhere in the file's name"
CHANGELOG = "v3: do it\nv2: think: `---` and | 3 are no trouble\n\n    v1: indented\n"


class Tree(toy.Case):
    made: ClassVar[dict[str, str]] = {}  # patches/, as fold writes them

    def setUp(self) -> None:
        super().setUp()
        self.base = self.toy_base()
        self.dest = self.build / "tree"
        self.patches = self.tmp / "patches"
        self.series = self.tmp / "series"
        self.enterContext(mock.patch.object(tree, "need_space"))
        rough = {
            "1-fixes/0001-a.patch": toy.mail("kthread: add one", toy.FILES, {"kernel/kthread.c": ONE}, CHANGELOG + "\n"),
            "4-misuse/0002-b.patch": toy.mail("kthread: add two", {"kernel/kthread.c": ONE}, {"kernel/kthread.c": TWO}),
            "4-misuse/0003-c.patch": toy.mail(LONG, {"scripts/tool.sh": "#!/bin/sh\n"}, {
                "kernel/kthread_debug.c": "int debug;\n", "scripts/new.sh": "#!\n",
                "scripts/tool.sh": "#!/bin/sh\ntrue\n"})}
        toy.plant(self.tmp / "rough", rough)
        if not self.made:
            tree._refold(series.group(sorted((self.tmp / "rough").glob("*/*"))), self.base.path, self.patches)
            self.made.update({series.name(p): p.read_text() for p in self.patches.glob("*/*")})
        toy.plant(self.patches, self.made)
        (self.patches / COVER).write_text("cover\n")
        self.series.write_text(SERIES)
        self.before = self.state()

    def state(self) -> dict[str, bytes]:
        return {series.name(p): p.read_bytes() for p in [*self.patches.glob("*/*.patch"), self.series]}

    def unfold(self, on: base.Base | None = None) -> None:
        tree.unfold(on or self.base, self.dest, self.patches, self.series)

    def fold(self) -> None:
        tree.fold(self.dest, self.patches, self.series)

    def check(self, on: base.Base | None = None) -> None:
        tree.check(on or self.base, self.patches, self.series)

    def git(self, *args: str, **env: str) -> str:
        return toy.git(self.dest, *args, **env)

    def edit(self, name: str, text: str, *commit: str) -> None:
        toy.plant(self.dest, {name: text})
        self.git("add", name)
        self.git("commit", "-q", *commit)

    def names(self) -> list[str]:
        return sorted(series.name(p) for p in self.patches.glob("*/*") if not p.name.startswith("0000-"))

    # --- what is not folded yet

    def difference(self) -> str:
        return tree.difference(self.dest, self.patches, self.series)

    def applied(self) -> dict[str, str]:
        """The files of the base with the series and the difference on top."""
        top = self.tmp / "applied"
        shutil.rmtree(top, ignore_errors=True)
        shutil.copytree(self.base.path, top)
        names = [line.split()[0] for line in self.series.read_text().splitlines() if line[:1].isdigit()]
        for body in [*((self.patches / name).read_text() for name in names), self.difference()]:
            if body:
                subprocess.run(["patch", "-s", "-p1"], cwd=top, input=body, text=True, check=True)
        return {str(p.relative_to(top)): p.read_text() for p in top.rglob("*") if p.is_file()}

    def test_difference_of_nothing(self) -> None:
        self.assertEqual(self.difference(), "")
        self.unfold()
        self.assertEqual(self.difference(), "")

    def test_difference_has_all_work(self) -> None:
        """What is committed, staged, changed, new and removed; and nothing in the tree changes for it."""
        self.unfold()
        self.edit("kernel/kthread.c", TWO + "int committed;\n", "-m", "kthread: commit")
        toy.plant(self.dest, {"kernel/fork.c": "int staged;\n"})
        self.git("add", "kernel/fork.c")
        toy.plant(self.dest, {"kernel/kthread_debug.c": "int changed;\n", "kernel/kthread_new.c": "int new;\n",
                              "scripts/new.sh": None, "kernel/junk.o": "ignored"})
        before = self.git("status", "--porcelain")
        found = self.applied()
        self.assertEqual(found["kernel/kthread.c"], TWO + "int committed;\n")
        self.assertEqual(found["kernel/fork.c"], "int staged;\n")
        self.assertEqual(found["kernel/kthread_debug.c"], "int changed;\n")
        self.assertEqual(found["kernel/kthread_new.c"], "int new;\n")
        self.assertNotIn("scripts/new.sh", found)
        self.assertNotIn("kernel/junk.o", found)
        self.assertEqual(self.git("status", "--porcelain"), before)

    def test_difference_is_gone_with_the_fold(self) -> None:
        self.unfold()
        self.edit("kernel/kthread.c", TWO + "int x;\n", "--amend", "--no-edit")
        self.assertIn("+int x;", self.difference())
        self.fold()
        self.assertEqual(self.difference(), "")

    def test_difference_to_other_patches_is_refused(self) -> None:
        """Only if there is work in the tree that would go on top of them."""
        self.unfold()
        path = self.patches / THIRD
        path.write_text(path.read_text().replace("+int debug;", "+int other;"))
        self.assertEqual(self.difference(), "")
        toy.plant(self.dest, {"kernel/fork.c": "int mine;\n"})
        with self.assertRaisesRegex(ui.Fail, "changed since make tree unfolded it .*; run make refresh"):
            self.difference()

    # --- the identity

    def test_fold_after_unfold_is_the_identity(self) -> None:
        self.unfold()
        self.assertEqual(self.git("rev-list", "--count", "base..HEAD").strip(), "3")
        self.assertEqual((self.dest / "kernel/kthread.c").read_text(), TWO)
        self.assertTrue((self.dest / "scripts/new.sh").stat().st_mode & 0o100)
        self.fold()
        self.assertEqual(self.state(), self.before)
        self.check()

    def test_unfolded_files_are_no_links(self) -> None:
        self.unfold()
        self.assertFalse((self.dest / "kernel/fork.c").samefile(self.base.path / "kernel/fork.c"))
        self.assertEqual((self.base.path / ".gitignore").read_text(), toy.FILES[".gitignore"])

    def test_the_format(self) -> None:
        text = (self.patches / FIRST).read_text()
        self.assertTrue(text.startswith(
            "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n"
            "From: kthread-debug <kthread-debug@localhost>\n"
            "Date: Mon, 24 Nov 2025 10:00:00 +0000\n"
            "Subject: [PATCH] kthread: add one\n\nWhy kthread: add one.\n---\nv3: do it\n"), text)
        self.assertIn("    v1: indented\n---\n kernel/kthread.c | 1 +\n", text)
        self.assertTrue(text.endswith(" int line8;\n"), text[-40:])

    def test_git_am_takes_the_patches_and_gets_the_same_tree(self) -> None:
        self.unfold()
        self.git("checkout", "-q", "-b", "am", "base")
        self.git("am", "-q", *(str(self.patches / name) for name in self.names()))
        self.assertEqual(self.git("rev-parse", "am^{tree}"), self.git("rev-parse", "kthread-debug^{tree}"))

    def test_the_users_configuration_changes_no_byte(self) -> None:
        (self.tmp / ".gitconfig").write_text(
            "[diff]\n noprefix = true\n context = 9\n algorithm = patience\n renames = copies\n"
            "[format]\n signature = me\n numbered = true\n subjectPrefix = RFC\n suffix = .txt\n"
            "[user]\n name = Me\n email = me@example.org\n[commit]\n gpgSign = true\n[core]\n abbrev = 40\n"
            " autocrlf = true\n hooksPath = /nonexistent\n")
        with mock.patch.dict(os.environ, {"HOME": str(self.tmp), "GIT_DIR": "/nonexistent", "TZ": "Asia/Tokyo",
                                          "GIT_AUTHOR_NAME": "Me", "GIT_DIFF_OPTS": "-u9"}):
            self.unfold()
            shutil.copy(self.tmp / ".gitconfig", self.dest / ".git/more")
            with open(self.dest / ".git/config", "a") as file:
                file.write("[include]\n path = more\n")
            self.fold()
            self.check()
        self.assertEqual(self.state(), self.before)

    def test_a_second_unfold_keeps_the_tree(self) -> None:
        self.unfold()
        (self.dest / ".git").rename(self.tmp / "git")  # git refreshes its index
        before = toy.snapshot(self.dest)
        (self.tmp / "git").rename(self.dest / ".git")
        self.unfold()
        (self.dest / ".git").rename(self.tmp / "git")
        self.assertEqual({k: v[1:] for k, v in toy.snapshot(self.dest / "kernel").items()},
                         {k: v[1:] for k, v in before.items() if "/kernel" in k})

    # --- edits, folded

    def test_an_edit_lands_in_its_patch_only(self) -> None:
        self.unfold()
        self.edit("kernel/kthread_debug.c", "int debug;\nint more;\n", "--amend", "--no-edit")
        self.fold()
        after = self.state()
        changed = [name for name in after if after[name] != self.before.get(name)]
        self.assertEqual(changed, [self.names()[2]])
        self.assertIn("+int more;\n", after[changed[0]].decode())
        self.fold()
        self.assertEqual(self.state(), after)

    def test_the_users_identity_stays_out(self) -> None:
        self.unfold()
        message = "kthread: mine\n\nWhy.\n\nSigned-off-by: A User <user@example.org>\n" \
                  "Signed-off-by: Else <else@example.org>\n\n---\n\nv2: mine\n"
        self.edit("kernel/fork.c", "int mine;\n", "-m", message)
        self.fold()
        text = (self.patches / "4-misuse/0003-kthread-mine.patch").read_text()
        self.assertIn("From: kthread-debug <kthread-debug@localhost>\n", text)
        self.assertNotIn("user@example.org", text)
        self.assertIn("Signed-off-by: Else <else@example.org>\n---\nv2: mine\n---\n kernel/fork.c", text)
        self.assertIn("left out Signed-off-by: A User", self.err.getvalue())
        self.assertRegex(text, r"Date: .* \+0000\n")
        self.check()

    def test_text_that_is_not_ascii(self) -> None:
        self.unfold()
        self.edit("kernel/fork.c", "int x; /* µ */\n", "-m", "kthread: wait ≤ 5 µs\n\nWarum nicht größer.\n")
        self.fold()
        self.check()

    def test_insert_reorder_rename_and_drop_keep_the_comments(self) -> None:
        self.unfold()
        one, two, three = self.git("rev-list", "--reverse", "base..HEAD").split()
        self.git("reset", "-q", "--hard", "base")
        self.git("cherry-pick", one)
        self.edit("kernel/fork.c", "int mine;\n", "-m", "kthread: in between")
        self.ends("1-fixes", "2-debug", "3-fault")
        self.git("cherry-pick", three, two)
        self.git("commit", "-q", "--amend", "-m", "kthread: add the second")
        self.fold()
        self.assertEqual(self.series.read_text(), """\
# What this is.

# Section A
1-fixes/0001-kthread-add-one.patch
1-fixes/0002-kthread-in-between.patch

# Section B
4-misuse/0001-kthread-add-a-file-with-a-long-subject-that-is-cut-o.patch
4-misuse/0002-kthread-add-the-second.patch  # first

# The end
""")
        self.assertEqual(len(self.names()), 4)
        self.assertEqual((self.patches / COVER).read_text(), "cover\n")
        self.check()

    def test_a_dropped_patch_is_kept_aside_and_its_heading_stays(self) -> None:
        self.unfold()
        for _ in range(2):
            self.git("rebase", "-q", "--onto", "HEAD~2", "HEAD~1")
            self.fold()
            self.assertIn(f"dropped {SECOND}", self.err.getvalue())
            self.assertIn("# Section B\n4-misuse/0001-kthread-add-a-file", self.series.read_text())
            self.check()
            toy.plant(self.tmp, {"patches/" + n: t.decode() for n, t in self.before.items() if n != "series"})
            (self.patches / "4-misuse/0001-kthread-add-a-file-with-a-long-subject-that-is-cut-o.patch").unlink()
            self.series.write_text(SERIES)
            self.unfold()
        kept = sorted((self.build / "dropped").iterdir())
        self.assertEqual([p.name for p in kept],
                         ["0001-kthread-add-two.patch", "0001-kthread-add-two.patch.1"])
        self.assertEqual(kept[0].read_bytes(), self.before[SECOND])

    def test_another_subject_and_another_content_at_once(self) -> None:
        self.unfold()
        one, _, three = self.git("rev-list", "--reverse", "base..HEAD").split()
        self.git("reset", "-q", "--hard", one)
        self.edit("kernel/kthread.c", TWO.replace("int two", "int second"), "-m", "kthread: add the second one")
        self.git("cherry-pick", three)
        self.fold()
        self.assertEqual(self.series.read_text(), SERIES.replace("kthread-add-two", "kthread-add-the-second-one"))
        self.assertIn("int two;", (self.build / "dropped/0001-kthread-add-two.patch").read_text())
        self.check()

    def test_a_patch_is_split(self) -> None:
        self.unfold()
        one, _, three = self.git("rev-list", "--reverse", "base..HEAD").split()
        self.git("reset", "-q", "--hard", one)
        self.edit("kernel/kthread.c", TWO, "-m", "kthread: add two")
        self.edit("kernel/kthread.c", TWO.replace("int two;", "int two;\nint half;"), "-m", "kthread: add a half")
        self.git("cherry-pick", three)
        self.fold()
        self.assertEqual(self.series.read_text(), SERIES.replace("0002-", "0003-").replace(
            "add-two.patch  # first\n", "add-two.patch  # first\n4-misuse/0002-kthread-add-a-half.patch\n"))
        self.assertEqual(len(self.names()), 4)
        self.assertFalse((self.build / "dropped").exists())
        self.check()

    # --- sets

    def ends(self, *names: str) -> None:
        """HEAD is the last commit of each of these sets."""
        for name in names:
            self.git("branch", "-f", f"set/{name}")

    def branches(self) -> dict[str, str]:
        """Where each set's branch is: the subject."""
        return dict(line.split(" ", 1) for line in self.git(
            "for-each-ref", "--format=%(refname:lstrip=3) %(subject)", "refs/heads/set/").splitlines())

    def test_a_branch_at_the_end_of_each_set(self) -> None:
        self.unfold()
        one = "kthread: add one"
        self.assertEqual(self.branches(), {"1-fixes": one, "2-debug": one, "3-fault": one, "4-misuse": LONG})

    def test_a_rebase_moves_the_branches(self) -> None:
        self.unfold()
        editor = "sed -i '1s/^pick/reword/'"
        self.git("rebase", "-q", "-i", "base", GIT_SEQUENCE_EDITOR=editor, GIT_EDITOR="sed -i '1s/one/the first/'")
        self.assertEqual(self.branches()["1-fixes"], "kthread: add the first")
        self.fold()
        self.assertEqual(self.names()[0], "1-fixes/0001-kthread-add-the-first.patch")
        self.assertEqual(self.names()[1:], [SECOND, THIRD])
        self.check()

    def test_a_patch_moves_to_another_set(self) -> None:
        self.unfold()
        self.git("branch", "-f", "set/2-debug", "HEAD~1")
        self.git("branch", "-f", "set/3-fault", "HEAD~1")
        self.fold()
        self.assertEqual(self.series.read_text(), """\
# What this is.

# Section A
1-fixes/0001-kthread-add-one.patch

# 2-debug
2-debug/0001-kthread-add-two.patch  # first

# Section B
4-misuse/0001-kthread-add-a-file-with-a-long-subject-that-is-cut-o.patch

# The end
""")
        self.assertEqual(len(self.names()), 3)
        self.assertFalse((self.build / "dropped").exists())
        self.check()

    def test_one_subject_in_two_sets(self) -> None:
        self.unfold()
        one, two, three = self.git("rev-list", "--reverse", "base..HEAD").split()
        self.git("reset", "-q", "--hard", one)
        self.edit("kernel/fork.c", "int two;\n", "-m", "kthread: add two")
        self.ends("1-fixes", "2-debug", "3-fault")
        self.git("cherry-pick", two, three)
        self.fold()
        self.assertEqual(self.series.read_text(), SERIES.replace(f"{FIRST}\n", f"{FIRST}\n1-fixes/0002-kthread-add-two.patch\n"))
        self.check()

    def test_a_new_first_patch_of_a_set_is_below_its_heading(self) -> None:
        self.unfold()
        one, two, three = self.git("rev-list", "--reverse", "base..HEAD").split()
        self.git("reset", "-q", "--hard", one)
        self.edit("kernel/fork.c", "int mine;\n", "-m", "kthread: mine")
        self.git("cherry-pick", two, three)
        self.fold()
        self.assertIn("# Section B\n4-misuse/0001-kthread-mine.patch\n4-misuse/0002-kthread-add-two.patch  # first\n",
                      self.series.read_text())

    def test_an_amended_last_commit_takes_the_last_branch_along(self) -> None:
        self.unfold()
        self.git("commit", "-q", "--amend", "-m", "kthread: add it")
        self.fold()
        self.assertEqual(self.branches()["4-misuse"], "kthread: add it")

    def test_what_is_above_the_last_branch_belongs_to_the_last_set(self) -> None:
        self.unfold()
        self.edit("kernel/fork.c", "int mine;\n", "-m", "kthread: mine")
        self.fold()
        self.assertEqual(self.names()[3], "4-misuse/0003-kthread-mine.patch")
        self.assertEqual(self.branches()["4-misuse"], "kthread: mine")
        self.unfold()
        self.fold()

    def mends(self, *words: str) -> None:
        """The fold is refused, and the commands that it names put it right."""
        before = self.state()
        with self.fails(str(self.dest), *words) as caught:
            self.fold()
        self.assertEqual(self.state(), before)
        command = str(caught.exception).split("perhaps: ")[1]
        subprocess.run(["sh", "-c", command], check=True, capture_output=True)
        self.fold()

    def test_a_branch_that_is_not_there(self) -> None:
        self.unfold()
        self.git("branch", "-D", "set/1-fixes")
        self.git("branch", "-D", "set/3-fault")
        self.mends("set/1-fixes: not there", " branch -f set/1-fixes ", " branch -f set/3-fault ")
        self.assertEqual(self.state(), self.before)

    def test_a_branch_that_a_rebase_left_behind(self) -> None:
        self.unfold()
        self.git("rebase", "-q", "--no-update-refs", "-f", "base", GIT_COMMITTER_DATE="@1 +0000")
        self.mends("set/1-fixes: at ", "not between base and HEAD", " branch -f set/2-debug ", " set/3-fault ")
        self.assertEqual(self.state(), self.before)

    def test_a_branch_below_the_one_before_it(self) -> None:
        self.unfold()
        self.git("branch", "-f", "set/2-debug", "HEAD")
        self.mends("set/3-fault: below the branch of the set before it", " branch -f set/3-fault ")
        self.assertEqual([name.split("/")[0] for name in self.names()], ["1-fixes", "2-debug", "2-debug"])

    def test_a_branch_that_was_moved_is_work(self) -> None:
        self.unfold()
        self.git("branch", "-f", "set/2-debug", "HEAD~1")
        self.git("branch", "-f", "set/3-fault", "HEAD~1")
        for act in (self.unfold, lambda: tree.folded(self.dest)):
            with self.fails("branches set/*", "make refresh") as caught:
                act()
        subprocess.run(["sh", "-c", str(caught.exception).split("put them back: ")[1]], check=True, capture_output=True)
        self.unfold()
        self.assertEqual(self.state(), self.before)

    def test_a_new_file_shows_in_status_despite_debians_gitignore(self) -> None:
        self.unfold()
        toy.plant(self.dest, {"kernel/new.c": "int x;\n"})
        with self.fails("dirty", "kernel/new.c", "git -C"):
            self.fold()

    # --- refusals

    def test_fold_refuses_a_dirty_tree(self) -> None:
        self.unfold()
        (self.dest / "kernel/fork.c").write_text("mine\n")
        with self.fails(str(self.dest), "dirty", "kernel/fork.c"):
            self.fold()
        with self.fails("dirty"):
            self.unfold()
        self.assertEqual((self.dest / "kernel/fork.c").read_text(), "mine\n")

    def test_fold_refuses_in_the_middle_of_a_rebase(self) -> None:
        self.unfold()
        with self.assertRaises(subprocess.CalledProcessError):
            self.git("rebase", "-q", "-x", "false", "base")
        with self.fails(str(self.dest), "rebase-merge"):
            self.fold()

    def test_fold_refuses_when_the_base_is_not_below(self) -> None:
        self.unfold()
        self.git("checkout", "-q", "--orphan", "other")
        self.git("commit", "-qm", "other")
        with self.fails("base"):
            self.fold()

    def test_fold_refuses_merges_and_empty_commits(self) -> None:
        self.unfold()
        self.git("commit", "-q", "--allow-empty", "-m", "nothing")
        with self.fails("changes nothing"):
            self.fold()
        self.git("reset", "-q", "--hard", "HEAD~1")
        self.git("checkout", "-q", "-b", "side", "HEAD~1")
        self.edit("kernel/fork.c", "side\n", "-m", "side")
        self.git("merge", "-q", "--no-edit", "kthread-debug")
        with self.fails("a merge"):
            self.fold()
        self.assertEqual(self.state(), self.before)

    def test_fold_refuses_what_a_mail_cannot_carry(self) -> None:
        for message in ("kthread: x\n\nSee:\ndiff --git a/x b/x\nfoo", "kthread: x\n\nIndex: foo\n\nmore",
                        "kthread: x\n\nFrom: Else <else@example.org>\n\nmore"):
            with self.subTest(message):
                self.unfold()
                self.edit("kernel/fork.c", "mine\n", "-m", message)
                with self.fails("4-misuse/0003-kthread-x.patch", "mail"):
                    self.fold()
                self.assertEqual(self.state(), self.before)
                self.git("reset", "-q", "--hard", "HEAD~1")

    def test_fold_refuses_when_the_patches_have_changed(self) -> None:
        self.unfold()
        with open(self.patches / FIRST, "a") as file:
            file.write("\n")
        with self.fails(str(self.patches), "changed since", "branch mine"):
            self.fold()

    def test_fold_needs_a_tree(self) -> None:
        with self.fails(str(self.dest), "run: make tree"):
            self.fold()

    def test_unfold_never_overwrites_work(self) -> None:
        self.unfold()
        tree.folded(self.dest)
        self.edit("kernel/fork.c", "mine\n", "-m", "kthread: mine")
        head = self.git("rev-parse", "HEAD")
        for on in (self.base, self.toy_base("other")):
            with self.fails(str(self.dest), "not folded", "make refresh"):
                self.unfold(on)
        with self.fails("not folded"):
            tree.folded(self.dest)
        self.assertEqual(self.git("rev-parse", "HEAD"), head)
        self.git("branch", "keep")
        self.git("reset", "-q", "--hard", "HEAD~1")
        with self.fails(str(self.dest), "branches or stashes"):
            self.unfold(self.toy_base("other"))
        self.git("branch", "-D", "keep")
        self.unfold(self.toy_base("other"))

    def test_unfold_leaves_a_foreign_directory_alone(self) -> None:
        toy.plant(self.dest, {"kernel/fork.c": "mine\n"})
        with self.fails(str(self.dest), "not made by make tree", "mv "):
            self.unfold()

    def test_unfold_of_a_patch_that_does_not_apply(self) -> None:
        with self.fails(FIRST, "does not apply", "scripts/apply"):
            self.unfold(self.toy_base("other", {"kernel/kthread.c": "int other;\n"}))
        self.assertFalse(self.dest.exists())

    def test_unfold_of_what_is_no_mail(self) -> None:
        path = self.patches / FIRST
        path.write_text(path.read_text().split("\n\n", 1)[1])
        with self.fails(str(path), "not a mail"):
            self.unfold()

    # --- updates and kills

    def test_changed_patches_are_unfolded_in_place(self) -> None:
        self.unfold()
        inode = (self.dest / "kernel/fork.c").stat().st_ino
        self.git("branch", "mine")
        name = self.names()[2]
        text = self.before[name].decode().replace("+int debug;", "+int debugged;")
        (self.patches / name).write_text(text)
        self.unfold()
        self.assertEqual((self.dest / "kernel/kthread_debug.c").read_text(), "int debugged;\n")
        self.assertEqual((self.dest / "kernel/fork.c").stat().st_ino, inode)
        self.assertEqual(self.git("rev-parse", "--verify", "mine").strip()[:2], self.git("rev-parse", "mine")[:2])
        self.fold()

    def test_killed_in_the_middle_of_an_unfold(self) -> None:
        toy.plant(self.build / ".tmp-tree", {"kernel/half.c": "half\n"})
        self.unfold()
        self.assertFalse((self.dest / "kernel/half.c").exists())
        # Between moving the branch and noting it.
        name = self.names()[2]
        (self.patches / name).write_text(self.before[name].decode().replace("+int debug;", "+int debugged;"))
        real = tree._save
        saves = []

        def dying(where: Path, state: dict[str, str]) -> None:
            saves.append(state)
            if len(saves) == 2:
                raise KeyboardInterrupt
            real(where, state)

        with mock.patch.object(tree, "_save", dying), self.assertRaises(KeyboardInterrupt):
            self.unfold()
        self.unfold()
        self.assertEqual((self.dest / "kernel/kthread_debug.c").read_text(), "int debugged;\n")
        self.fold()

    def test_killed_at_any_write_of_a_fold(self) -> None:
        for survive in range(5):
            with self.subTest(survive=survive):
                toy.plant(self.tmp, {"patches/" + n: t.decode() for n, t in self.before.items() if n != "series"})
                for name in set(self.names()) - self.before.keys():
                    (self.patches / name).unlink()
                self.series.write_text(SERIES)
                self.unfold()
                self.git("rebase", "-q", "--onto", "HEAD~2", "HEAD~1")
                self.edit("kernel/fork.c", "mine\n", "-m", "kthread: mine")
                left = survive
                real = base.write_atomic

                def dying(path: Path, data: bytes, mode: int = 0o644) -> None:
                    nonlocal left
                    if left == 0:
                        raise KeyboardInterrupt
                    left -= 1
                    real(path, data, mode)

                with mock.patch.object(tree, "write_atomic", dying):
                    try:
                        self.fold()
                    except KeyboardInterrupt:
                        pass
                self.fold()
                self.assertEqual(len(self.names()), 3)
                self.assertTrue((self.patches / COVER).exists())
                self.assertIn("4-misuse/0002-kthread-mine.patch", self.series.read_text())
                self.check()

    # --- check

    def test_check_finds_what_fold_would_change(self) -> None:
        path = self.patches / FIRST
        body = path.read_text()
        for wrong in (body.replace("+0000", "+0200"), body.replace("1 file changed", "2 files changed"),
                      body.replace("[PATCH]", "[PATCH v2]"), body.replace("From 000", "From 100"),
                      body.replace("localhost", "example.org"), body.replace("@@ -3,6", "@@ -4,6"),
                      body + "-- \n2.39\n"):
            self.assertNotEqual(wrong, body)
            path.write_text(wrong)
            with self.fails(f"patches/{FIRST}:", "make tree && make refresh"):
                self.check()
        path.write_text(body)
        self.check()

    def test_check_finds_a_wrong_name_and_a_wrong_series(self) -> None:
        self.series.write_text(SERIES.replace("patch  # first", "patch # first"))
        with self.fails("series", "make tree && make refresh"):
            self.check()
        (self.patches / FIRST).rename(self.patches / "1-fixes/0001-other.patch")
        self.series.write_text(SERIES.replace("0001-kthread-add-one", "0001-other"))
        with self.fails("patches/1-fixes/0001-other.patch", "its name"):
            self.check()

    def test_another_base_moves_lines_only_if_the_series_names_its_own(self) -> None:
        moved = self.toy_base("moved", {"kernel/kthread.c": "int top;\n" + toy.KTHREAD})
        moved = base.Base(moved.path, "7.3.5", moved.origin, moved.key)
        with self.fails(FIRST):
            self.check(moved)
        self.series.write_text("# Base: Linux 7.3.4\n" + SERIES)
        self.check(moved)
        self.assertIn("line numbers differ", self.err.getvalue())
        self.check()
        self.unfold(moved)
        self.fold()
        self.assertIn("# Base: Linux 7.3.5\n", self.series.read_text())
        self.check(moved)

    def test_a_base_that_differs_elsewhere_changes_no_patch(self) -> None:
        other = self.toy_base("other", {"kernel/kthread.c": toy.KTHREAD + "int end;\n"})
        self.unfold(other)
        self.fold()
        self.assertEqual(self.state(), self.before)
