# SPDX-License-Identifier: GPL-2.0-only
"""make tree: the git tree, its branches, and what it refuses to throw away."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from unittest import mock

import toy
from kdebug.host import ui
from kdebug.patches import tree
from patches.unfolded import Case, FIRST, LONG, SECOND, THIRD, TWO


class Tree(Case):
    def test_unfolded_files_are_no_links(self) -> None:
        self.unfold()
        self.assertFalse((self.dest / "kernel/fork.c").samefile(self.base.path / "kernel/fork.c"))
        self.assertEqual((self.base.path / ".gitignore").read_text(), toy.FILES[".gitignore"])

    def test_a_second_unfold_keeps_the_tree(self) -> None:
        self.unfold()
        (self.dest / ".git").rename(self.tmp / "git")  # git refreshes its index
        before = toy.snapshot(self.dest)
        (self.tmp / "git").rename(self.dest / ".git")
        self.unfold()
        (self.dest / ".git").rename(self.tmp / "git")
        self.assertEqual({k: v[1:] for k, v in toy.snapshot(self.dest / "kernel").items()},
                         {k: v[1:] for k, v in before.items() if "/kernel" in k})

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
        for act in (self.unfold, lambda: tree.refuse_unrefreshed(self.context)):
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

    def test_unfold_never_overwrites_work(self) -> None:
        self.unfold()
        tree.refuse_unrefreshed(self.context)
        self.edit("kernel/fork.c", "mine\n", "-m", "kthread: mine")
        head = self.git("rev-parse", "HEAD")
        for on in (self.base, self.toy_base("other")):
            with self.fails(str(self.dest), "not folded", "make refresh"):
                self.unfold(on)
        with self.fails("not folded"):
            tree.refuse_unrefreshed(self.context)
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
        real = tree.save_state
        saves = []

        def dying(where: Path, state: dict[str, str]) -> None:
            saves.append(state)
            if len(saves) == 2:
                raise KeyboardInterrupt
            real(where, state)

        with mock.patch.object(tree, "save_state", dying), self.assertRaises(KeyboardInterrupt):
            self.unfold()
        self.unfold()
        self.assertEqual((self.dest / "kernel/kthread_debug.c").read_text(), "int debugged;\n")
        self.fold()


class Difference(Case):
    """What is not folded yet."""

    def difference(self) -> str:
        return tree.difference(self.context)

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
