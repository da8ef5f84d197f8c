# SPDX-License-Identifier: GPL-2.0-only
"""The patched tree: exact, cheap to update, and never at the cost of an edit."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from unittest import mock

import toy
from kdebug.context import SETS
from kdebug.host import files
from kdebug.patches import apply, git, other_bases, series
from kdebug.source import trees

ONE = toy.KTHREAD.replace("int line5;\n", "int line5;\nint one;\n")
TWO = ONE.replace("int line20;\n", "int two;\n")
DEBUG = "int debug;\n"


class Apply(toy.Case):
    def setUp(self) -> None:
        super().setUp()
        self.base = self.toy_base()
        self.dest = self.build / "linux"
        self.kthread = self.dest / "kernel/kthread.c"
        self.queue = self.patches({
            "0001-one.patch": toy.mail("one", toy.FILES, {"kernel/kthread.c": ONE, "samples/new/debug.c": DEBUG,
                                                         "scripts/new.sh": "#!/bin/sh\n"}),
            "0002-two.patch": toy.mail("two", {"kernel/kthread.c": ONE}, {"kernel/kthread.c": TWO})})

    def patches(self, texts: dict[str, str]) -> list[Path]:
        toy.plant(self.tmp / "patches", texts)
        return [self.tmp / "patches" / name for name in texts]

    def ensure(self, patches: list[Path] | None = None, on: trees.BaseTree | None = None) -> apply.Applied:
        return apply.ensure(self.context, on or self.base, self.queue if patches is None else patches, self.dest)

    def edit(self, path: Path) -> None:
        """An edit in place, clearly later than the run before it."""
        with open(path, "a", encoding="utf-8") as file:
            file.write("mine\n")
        later = (self.build / "linux.git").stat().st_mtime_ns + 10**9
        os.utime(path, ns=(later, later))

    def linked(self, name: str) -> bool:
        return (self.dest / name).samefile(self.base.path / name)

    # --- what it makes

    def test_patched_files_are_own_and_the_rest_links(self) -> None:
        before = toy.snapshot(self.base.path)
        done = self.ensure()
        self.assertEqual(done.notes, [])
        self.assertEqual(self.kthread.read_text(), TWO)
        self.assertEqual((self.dest / "samples/new/debug.c").read_text(), DEBUG)
        self.assertTrue((self.dest / "scripts/new.sh").stat().st_mode & 0o100)
        self.assertTrue((self.dest / "scripts/tool.sh").stat().st_mode & 0o100)
        self.assertTrue(self.linked("kernel/fork.c"))
        self.assertFalse(self.linked("kernel/kthread.c"))
        after = toy.snapshot(self.base.path)
        self.assertEqual({k: (v[0], v[1], v[3]) for k, v in before.items()},
                         {k: (v[0], v[1], v[3]) for k, v in after.items()})

    def test_again_changes_nothing(self) -> None:
        first = self.ensure()
        before = toy.snapshot(self.dest)
        with mock.patch.object(git, "apply", side_effect=AssertionError):
            self.assertEqual(self.ensure(), first)
        self.assertEqual(toy.snapshot(self.dest), before)

    def test_only_what_a_patch_changed_is_written(self) -> None:
        first = self.ensure()
        before = toy.snapshot(self.dest)
        self.patches({"0002-two.patch": toy.mail("two", {"kernel/kthread.c": ONE},
                                                 {"kernel/kthread.c": ONE + "int more;\n"})})
        second = self.ensure()
        self.assertNotEqual(first.key, second.key)
        self.assertEqual(self.kthread.read_text(), ONE + "int more;\n")
        after = toy.snapshot(self.dest)
        changed = {name for name in before if before[name] != after.get(name)}
        self.assertEqual(changed, {str(self.kthread), str(self.kthread.parent)})

    def test_a_dropped_patch_takes_its_files_along(self) -> None:
        self.ensure()
        old = self.kthread.stat().st_mtime_ns
        self.ensure([])
        self.assertEqual(self.kthread.read_text(), toy.KTHREAD)
        # Not the link: its mtime would tell make that nothing changed.
        self.assertGreaterEqual(self.kthread.stat().st_mtime_ns, old)
        self.assertFalse(self.linked("kernel/kthread.c"))
        self.assertFalse((self.dest / "samples").exists())
        self.ensure()
        self.assertEqual(self.kthread.read_text(), TWO)

    def test_a_prefix_of_the_series_and_the_bare_base(self) -> None:
        self.ensure(self.queue[:1])
        self.assertEqual(self.kthread.read_text(), ONE)
        bare = apply.ensure(self.context, self.base, [], self.build / "linux-base")
        self.assertEqual((bare.path / "kernel/kthread.c").read_text(), toy.KTHREAD)
        self.assertEqual(self.kthread.read_text(), ONE)

    def test_the_sets_that_are_asked_for(self) -> None:
        """Each file and each patch of one name in each set, and 4-misuse without 3-fault."""
        toy.plant(self.tmp / "repo/patches", {f"{name}/0001-a.patch": toy.mail("a", {}, {f"{name[0]}.c": f"{name}\n"})
                                              for name in SETS})
        (self.tmp / "repo/series").write_text("".join(f"{name}/0001-a.patch\n" for name in SETS))
        keys = set()
        for name, want in (("", "1234"), ("2-debug", "12"), ("4-misuse", "124"), ("3-fault", "123"), ("1-fixes", "1")):
            with self.subTest(name):
                keys.add(apply.ensure(self.using(repo=self.tmp / "repo", set=name), self.base, dest=self.dest).key)
                self.assertEqual(sorted(p.name for p in self.dest.glob("?.c")), [f"{n}.c" for n in want])
        self.assertEqual(len(keys), 5)

    def test_a_patch_of_a_set_that_does_not_apply_is_named_with_its_set(self) -> None:
        queue = self.patches({"2-debug/0001-one.patch": toy.mail("one", {"kernel/fork.c": "a\n"}, {"kernel/fork.c": "b\n"})})
        with self.fails("patches/2-debug/0001-one.patch: does not apply to kernel/fork.c"):
            self.ensure(queue)

    def test_a_removed_file(self) -> None:
        queue = self.patches({"0001-rm.patch": toy.mail("rm", toy.FILES, {"kernel/fork.c": None})})
        self.ensure(queue)
        self.assertFalse((self.dest / "kernel/fork.c").exists())
        self.assertTrue((self.base.path / "kernel/fork.c").exists())
        self.ensure()
        self.assertEqual((self.dest / "kernel/fork.c").read_text(), "int fork;\n")

    def test_the_users_gitconfig_and_environment_change_nothing(self) -> None:
        (self.tmp / ".gitconfig").write_text("[apply]\n\twhitespace = error-all\n[core]\n\tautocrlf = true\n\tworktree = /\n")
        with mock.patch.dict(os.environ, {"HOME": str(self.tmp), "GIT_DIR": "elsewhere", "GIT_INDEX_FILE": "elsewhere",
                                          "POSIXLY_CORRECT": "1"}):
            self.ensure()
        self.assertEqual(self.kthread.read_text(), TWO)

    def test_another_base_drops_objects_of_the_old_one(self) -> None:
        self.ensure()
        for name, source in (("plain", self.dest), ("other", self.base.path)):
            (self.build / "out" / name).mkdir(parents=True)
            (self.build / "out" / name / "source").symlink_to(source)
        other = self.toy_base("other", {"kernel/fork.c": "int other;\n"})
        self.ensure(on=other)
        self.assertEqual((self.dest / "kernel/fork.c").read_text(), "int other;\n")
        self.assertEqual(self.kthread.read_text(), TWO)
        self.assertEqual([p.name for p in (self.build / "out").iterdir()], ["other"])

    def test_a_file_system_without_hard_links(self) -> None:
        tools = toy.plant(self.tmp / "tools", {"cp.sh": f'#!/bin/sh\ncase "$*" in *" -l "*) exit 1;; esac\n'
                                                        f'exec {shutil.which("cp")} "$@"\n'})
        (tools / "cp.sh").rename(tools / "cp")
        with mock.patch.dict(os.environ, {"PATH": f"{tools}:{os.environ['PATH']}"}):
            with mock.patch.object(apply, "need_space"):
                self.ensure()
        self.assertEqual(self.kthread.read_text(), TWO)
        self.assertFalse(self.linked("kernel/fork.c"))

    # --- what does not apply

    def test_an_offset_is_said_each_time(self) -> None:
        moved = self.toy_base("moved", {"kernel/kthread.c": "int top;\n" * 3 + toy.KTHREAD})
        for _ in range(2):
            done = self.ensure(on=moved)
            self.assertEqual(len(done.notes), 2)
            self.assertRegex(done.notes[0], r"0001-one\.patch: kernel/kthread\.c: Hunk #1 .*offset 3 lines")
            self.assertIn("0002-two.patch: kernel/kthread.c: Hunk #1", self.err.getvalue())
            self.err.truncate(0)

    def test_a_reject_is_shown_and_the_work_so_far_stays(self) -> None:
        self.ensure()
        before = toy.snapshot(self.dest)
        self.patches({"0002-two.patch": toy.mail("two", {"kernel/kthread.c": toy.KTHREAD.replace("line21", "was")}, {
            "kernel/kthread.c": toy.KTHREAD.replace("line21", "was").replace("line22", "will")})})
        with self.fails("patches/0002-two.patch", "kernel/kthread.c", "7.3.4", "kernel/kthread.c:19: the hunk does not match"):
            self.ensure()
        self.assertIn("| @@ -19,7 +19,7 @@", self.err.getvalue())
        self.assertIn("| -int line22;", self.err.getvalue())
        self.assertEqual(toy.snapshot(self.dest), before)

    def test_on_another_base_its_own_file_is_to_be_mended(self) -> None:
        toy.plant(self.tmp / "bases/6.18", {"without-it.patch": ""})
        for patch, what, remedy in (
                ("6.18/without-it.patch", "bases/6.18/without-it.patch", "mend that file"),
                ("2-debug/0099-new.patch", "patches/2-debug/0099-new.patch", "that bases/6.18/series names before")):
            with self.subTest(patch):
                found = apply._to_mend(self.using(repo=self.tmp, base="6.18"), patch)
                self.assertEqual(found[0], what)
                self.assertTrue(found[1].endswith(remedy), found[1])
        self.assertEqual(apply._to_mend(self.context, "2-debug/0001-x.patch")[0], "patches/2-debug/0001-x.patch")

    def test_experiments_go_on_top_of_all_that_the_base_needs(self) -> None:
        one, two = ((path.name, path.read_bytes()) for path in self.queue)
        three = self.patches({"0003-three.patch": toy.mail("three", {}, {"kernel/three.c": "3\n"})})
        with mock.patch.object(series, "chosen", lambda _: []), \
                mock.patch.object(other_bases, "adapted", lambda *_: [one, two]):
            apply.ensure(self.context, self.base, dest=self.dest, extra=three)
        self.assertEqual(self.kthread.read_text(), TWO)
        self.assertEqual((self.dest / "kernel/three.c").read_text(), "3\n")

    def test_fuzz_is_not_accepted(self) -> None:
        near = toy.KTHREAD.replace("line3;", "three;")  # the outermost line of the context
        base_ = self.toy_base("near", {"kernel/kthread.c": near})
        with self.fails("patches/0001-one.patch", "kernel/kthread.c:3: the hunk does not match"):
            self.ensure(on=base_)

    def test_a_file_that_the_base_lacks(self) -> None:
        queue = self.patches({"0001-x.patch": toy.mail("x", {"kernel/x.c": "a\nb\n"}, {"kernel/x.c": "a\nc\n"})})
        with self.fails("patches/0001-x.patch: does not apply to kernel/x.c", "does not exist"):
            self.ensure(queue)

    def test_a_patch_that_reaches_outside(self) -> None:
        queue = self.patches({"0001-x.patch": toy.mail("x", {}, {"../escaped": "a\n"})})
        with self.fails("../escaped", "outside"):
            self.ensure(queue)
        self.assertFalse((self.build / "escaped").exists())

    def test_no_space(self) -> None:
        usage = shutil.disk_usage(self.tmp)._replace(free=5_000_000)
        with mock.patch.object(shutil, "disk_usage", return_value=usage):
            with self.fails(str(self.build), "5 MB free", "100 MB needed"):
                self.ensure()

    # --- edits by hand

    def test_an_edit_of_a_patched_file_is_not_lost(self) -> None:
        self.ensure()
        self.kthread.write_text(TWO + "mine\n")
        os.utime(self.kthread, ns=(0, 0))  # as mv of an older file leaves it
        queues: list[list[Path]] = [self.queue, []]
        for queue in queues:
            with self.fails(str(self.kthread), "edited by hand", "make refresh", f"rm {self.kthread}"):
                self.ensure(queue)
            self.assertEqual(self.kthread.read_text(), TWO + "mine\n")
        self.kthread.unlink()  # the remedy
        self.ensure()
        self.assertEqual(self.kthread.read_text(), TWO)

    def test_an_edit_of_another_file_is_not_lost(self) -> None:
        self.ensure()
        fork = self.dest / "kernel/fork.c"
        pristine = self.base.path / "kernel/fork.c"
        fork.unlink()
        shutil.copyfile(pristine, fork)
        self.edit(fork)
        with self.fails(str(fork), "edited by hand", f"cp {pristine} {fork}"):
            self.ensure()
        self.assertEqual(fork.read_text(), "int fork;\nmine\n")
        shutil.copyfile(pristine, fork)  # the remedy
        self.ensure()

    def test_an_edit_through_a_hard_link_is_found_out(self) -> None:
        self.ensure()
        fork = self.dest / "kernel/fork.c"
        self.edit(fork)
        with self.fails(str(fork), "edited in place", str(self.base.path / "kernel/fork.c"), "rm -r"):
            self.ensure()

    def test_an_edit_is_not_lost_to_another_base(self) -> None:
        self.ensure()
        self.edit(self.dest / "kernel/notes.txt")
        self.ensure()  # a file of the user's own does not disturb
        with self.fails(str(self.dest / "kernel/notes.txt")):
            self.ensure(on=self.toy_base("other"))
        self.assertTrue((self.dest / "kernel/notes.txt").exists())

    def test_a_patch_does_not_overwrite_the_users_new_file(self) -> None:
        self.ensure([])
        mine = self.dest / "samples/new/debug.c"
        toy.plant(self.dest, {"samples/new/debug.c": "mine\n"})
        with self.fails(str(mine), "edited by hand"):
            self.ensure()
        self.assertEqual(mine.read_text(), "mine\n")

    def test_a_tree_without_manifest_is_not_taken_over(self) -> None:
        toy.plant(self.dest, {"kernel/kthread.c": "mine\n"})
        with self.fails(str(self.dest), "linux.git", "rm -r"):
            self.ensure()

    # --- kills

    def test_killed_while_linking(self) -> None:
        toy.plant(self.build / ".tmp-linux", {"kernel/half.c": "half\n"})
        toy.plant(self.build / ".old-linux", {"kernel/half.c": "half\n"})
        toy.plant(self.build / "linux.git", {"HEAD": "half\n"})
        self.ensure()
        self.assertEqual(self.kthread.read_text(), TWO)
        self.assertFalse((self.dest / "kernel/half.c").exists())
        self.assertEqual(sorted(p.name for p in self.build.iterdir()), ["linux", "linux.git", "src"])

    def test_killed_at_any_write(self) -> None:
        """Before each thing that writes, and in the middle of the files; from nothing and from another state."""

        class Killed(BaseException):
            pass

        call, save = git.call, files.save_json
        nothing: list[Path] = []
        for start, target, text in ((nothing, self.queue, TWO), (self.queue[:1], self.queue, TWO),
                                    (self.queue, self.queue[:1], ONE), (self.queue, nothing, toy.KTHREAD)):
            survive, killed = -1, True
            while killed:
                survive, killed = survive + 1, False
                with self.subTest(start=len(start), target=len(target), survive=survive):
                    self.ensure(start)
                    left = survive

                    def dies() -> bool:
                        nonlocal left
                        left -= 1
                        return left < 0

                    def call_git(repo: Path, *args: str, stdin: str = "", **env: str) -> tuple[int, str, str]:
                        if args[0] in ("update-index", "read-tree", "checkout-index") and dies():
                            (repo / "index.lock").touch()
                            if "-u" in args:
                                self.half_done(repo, args[-1])
                            raise Killed
                        return call(repo, *args, stdin=stdin, **env)

                    def save_json(path: Path, data: object) -> None:
                        if dies():
                            path.with_name(f".{path.name}.kdebug-new").write_bytes(b"{")
                            raise Killed
                        save(path, data)

                    with mock.patch.object(git, "call", call_git), mock.patch.object(apply, "save_json", save_json):
                        try:
                            self.ensure(target)
                        except Killed:
                            killed = True
                    self.ensure(target)
                    self.assertEqual(self.kthread.read_text(), text)
                    self.assertEqual((self.dest / "samples/new/debug.c").exists(), bool(target))
            self.assertGreater(survive, 4)

    def half_done(self, repo: Path, tree: str) -> None:
        """As git is killed while it puts @tree there: one file is written, one half, one not."""
        for name, share in (("samples/new/debug.c", 1), ("kernel/kthread.c", 2)):
            (self.dest / name).unlink(missing_ok=True)
            done = subprocess.run(["git", f"--git-dir={repo}", "show", f"{tree}:{name}"], capture_output=True)
            if done.returncode == 0:
                toy.plant(self.dest, {name: done.stdout[:len(done.stdout) // share].decode()})

    def test_an_edit_behind_a_kill_is_not_lost(self) -> None:
        self.ensure(self.queue[:1])
        call = git.call

        def call_git(repo: Path, *args: str, stdin: str = "", **env: str) -> tuple[int, str, str]:
            if "-u" in args:
                raise KeyboardInterrupt
            return call(repo, *args, stdin=stdin, **env)

        with mock.patch.object(git, "call", call_git), self.assertRaises(KeyboardInterrupt):
            self.ensure()
        self.kthread.write_text(ONE + "mine\n")
        with self.fails(str(self.kthread), "edited by hand", f"rm {self.kthread}"):
            self.ensure()
        self.assertEqual(self.kthread.read_text(), ONE + "mine\n")
        self.kthread.unlink()
        self.ensure()
        self.assertEqual(self.kthread.read_text(), TWO)


class Touched(toy.Case):
    def test_names_are_taken_from_headers_only(self) -> None:
        text = toy.mail("x", {"a.c": "-- a/fooled\n1\n", "c.c": "x\n"},
                        {"a.c": "2\n++ b/fooled\n", "b.c": "new\n", "c.c": None})
        self.assertIn("--- a/fooled", text)
        self.assertEqual(apply.touched("--- not a name\n@@ -1,50 +1,50 @@ quoted\n" + text), ["a.c", "b.c", "c.c"])

    def test_lines_are_counted_by_file(self) -> None:
        text = toy.mail("x", {"a.c": "1\n2\n3\n", "c.c": "x\n"}, {"a.c": "1\n--- 2\n3\n4\n", "b.c": "new\n", "c.c": None})
        self.assertEqual(apply.changed("-no line\n+of it\n" + text + "-- \n2.47\n"), {"a.c": 3, "b.c": 1, "c.c": 1})

    def test_modes_and_renames(self) -> None:
        text = "diff --git a/x.sh b/x.sh\nold mode 100644\nnew mode 100755\n" \
               "diff --git a/old.c b/new.c\nsimilarity index 100%\nrename from old.c\nrename to new.c\n"
        self.assertEqual(apply.touched(text), ["x.sh", "old.c", "new.c"])
