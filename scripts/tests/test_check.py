# SPDX-License-Identifier: GPL-2.0-only
"""make check: what is news, which rows cost nothing, and when a series is green."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import toy
from kdebug import apply, base, check, kbuild, paths, series, stamp, ui

Run = Callable[[check.Step, str], list[str]]
KCONFIG = "config OLD\n\tbool\n"


class News(toy.Case):
    def test_lines_and_trees_do_not_count(self) -> None:
        a, b = Path("/x/linux"), Path("/x/src/7.3")
        before = ["/x/src/7.3/kernel/a.c:12:3: warning: unused 'x'", "../linux/kernel/b.h:7: warning: no prototype",
                  "a.rst: redefined at line 4 of b.rst", "a.c:4:1-7: ERROR: after free on line 3"]
        now = ["/x/linux/kernel/a.c:99:1: warning: unused 'x'", "../linux/kernel/b.h:8: warning: no prototype",
               "a.rst: redefined at line 5 of b.rst", "a.c:5:11-17: ERROR: after free on line 4"]
        self.assertEqual(check.news(now, before, a, b), [])

    def test_what_is_new_is_told_as_it_was_printed(self) -> None:
        line = "kernel/a.c:12:3: warning: unused 'y'"
        self.assertEqual(check.news([line, "kernel/a.c:1:1: warning: unused 'x'"],
                                    ["kernel/a.c:12:3: warning: unused 'x'"]), [line])


class Patches(toy.Case):
    """A queue of two patches to a toy kernel."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.multiple(check, TOP=self.build / "check", CACHE=self.build / "check/cells.json"))
        self.enterContext(mock.patch.multiple(paths, PATCHES=self.tmp / "patches", SERIES=self.tmp / "series"))
        self.base = self.toy_base(files={"lib/Kconfig.debug": KCONFIG})
        self.enterContext(mock.patch.object(base, "ensure", lambda _: self.base))
        (self.tmp / "patches").mkdir()
        self.write("0001-one.patch", {"kernel/fork.c": "int fork;\nint one;\n"})
        self.write("0002-two.patch", {"scripts/tool.sh": "#!/bin/sh\n# two\n"})
        (self.tmp / "series").write_text("0001-one.patch\n0002-two.patch\n")
        self.ran: list[tuple[str, int]] = []

    def write(self, name: str, after: dict[str, str | None]) -> Path:
        path = self.tmp / "patches" / name
        path.write_text(toy.mail(name, toy.FILES | {"lib/Kconfig.debug": KCONFIG}, after))
        return path

    def step(self, number: int = 1) -> check.Step:
        queue = series.read()[:number]
        return check.Step(number, queue[-1] if queue else None,
                          apply.ensure(self.base, queue, self.build / "check/linux"), self.base.path)

    def fill(self, said: dict[tuple[str, int], str | list[str]] | None = None,
             rows: list[int] | None = None) -> dict[tuple[int, str], str]:
        """Fill the table of two checks, "a" and "b", that say what @said has."""
        def cell(step: check.Step, name: str) -> list[str]:
            self.ran.append((name, step.number))
            what = (said or {}).get((name, step.number), [])
            if isinstance(what, str):
                raise check.Red(what)
            return check._refuse_news(step, name, what)

        self.ran.clear()
        with mock.patch.dict(check.CHECKS, {"a": (cell, True), "b": (cell, False)}, clear=True), \
                contextlib.redirect_stdout(io.StringIO()) as out:
            red = check.run(["a", "b"], rows)
        self.out = out.getvalue()
        return red


class Table(Patches):
    def test_each_patch_by_each_check(self) -> None:
        self.assertEqual(self.fill(), {})
        self.assertEqual(sorted(self.ran), [(c, n) for c in "ab" for n in range(3)])
        self.assertEqual([line.split() for line in self.out.splitlines()],
                         [["a", "b"], *([row, "ok", "ok"] for row in ("base", "0001-one", "0002-two"))])

    def test_green_costs_nothing_the_next_time(self) -> None:
        self.fill()
        self.assertEqual(self.fill(), {})
        self.assertEqual(self.ran, [])
        self.assertEqual(self.out.count(" ok"), 6)

    def test_a_changed_patch_leaves_the_rows_before_it(self) -> None:
        self.fill()
        self.write("0002-two.patch", {"scripts/tool.sh": "#!/bin/sh\n# other\n"})
        self.fill()
        self.assertEqual(sorted(self.ran), [("a", 2), ("b", 2)])
        self.write("0001-one.patch", {"kernel/fork.c": "int other;\n"})
        self.fill()
        self.assertEqual(sorted(self.ran), [(c, n) for c in "ab" for n in (1, 2)])

    def test_red_is_told_and_tried_again(self) -> None:
        self.assertEqual(self.fill({("b", 1): "it is broken"}), {(1, "b"): "it is broken"})
        self.assertIn("RED: it is broken", (self.build / "check/b-1.log").read_text())
        self.assertIn(["0001-one", "ok", "RED"], [line.split() for line in self.out.splitlines()])
        self.assertEqual(self.fill(), {})
        self.assertEqual(self.ran, [("b", 1)])

    def test_what_the_base_says_is_no_news(self) -> None:
        old, new = "kernel/fork.c:1:1: warning: old", "kernel/fork.c:1:1: warning: new"
        red = self.fill({("a", n): [old] for n in range(3)} | {("a", 2): [old, new]})
        self.assertEqual(list(red), [(2, "a")])
        self.assertIn(new, red[2, "a"])
        self.assertNotIn(old, red[2, "a"])
        # The base's row comes from the cache now.
        self.assertEqual(list(self.fill({("a", 2): [old]})), [])

    def test_only_some_rows(self) -> None:
        self.fill(rows=[2])
        self.assertEqual(sorted(self.ran), [(c, n) for c in "ab" for n in (0, 2)])


class Cells(Patches):
    def test_applies(self) -> None:
        self.assertEqual(check.applies(self.step(), "applies"), [])
        body = (self.tmp / "patches/0001-one.patch").read_text()
        (self.tmp / "patches/0001-one.patch").write_text(body.replace("@@ -1 +1,2 @@", "@@ -3 +3,2 @@"))
        with self.assertRaisesRegex(check.Red, "offset"):
            check.applies(self.step(), "applies")

    def test_kconfig(self) -> None:
        def said(code: str, menu: str) -> str:
            self.write("0001-one.patch", {"kernel/fork.c": code, "lib/Kconfig.debug": KCONFIG + menu})
            try:
                check.kconfig(self.step(), "kconfig")
            except check.Red as err:
                return str(err)
            return ""

        (self.build / "check").mkdir()
        self.assertEqual(said("#ifdef CONFIG_NEW\n", "config NEW\n\tbool\n"), "")
        self.assertIn("not defined by any Kconfig: NEVER", said("#ifdef CONFIG_NEVER\n", ""))
        self.assertIn("NEW is used nowhere", said("#ifdef CONFIG_OLD\n", "config NEW\n\tbool\n"))

    def test_nothing_may_grow_beside_a_fix_of_the_base(self) -> None:
        """What "off" is compared with: the base, or the base with its fixes."""
        self.write("0002-two.patch", {"lib/Kconfig.debug": KCONFIG + "config KTHREAD_DEBUG\n\tbool\n"})
        obj, kept = self.build / "check/out/off/kernel/fork.o", self.build / "check/base/kernel/fork.o"
        obj.parent.mkdir(parents=True)
        for number, code, reference in ((0, "base", "base"), (1, "fix", "fix"), (2, "series", "fix")):
            step = self.step(number)
            obj.write_text(code)
            with mock.patch.object(check, "_configure"), mock.patch.object(kbuild, "make"), \
                    mock.patch.object(check, "HOOKED", ("kernel/fork.o",)):
                check.build(step, "off")
            self.assertEqual(kept.read_text(), reference)
            if number < 2:
                with self.assertRaises(check.Skip):
                    check.size(step, "size")

    def test_an_excuse_holds_for_its_patches_alone(self) -> None:
        text = "# why\nENOSYS 0001 0008\n\nLONG_LINE 0002\nEACH *\n"
        self.assertEqual([check.excuses(text, f"000{n}-x.patch") for n in (1, 2, 3)],
                         [["ENOSYS", "EACH"], ["LONG_LINE", "EACH"], ["EACH"]])

    def test_a_tool_that_is_missing_is_red(self) -> None:
        (self.build / "check").mkdir()
        with self.assertRaisesRegex(check.Red, "not found; run: make deps"):
            check._say(self.step(), "x", ["/nonexistent/tool"], self.tmp)
        with self.assertRaisesRegex(check.Red, "exit 3"):
            check._say(self.step(), "x", ["sh", "-c", "exit 3"], self.tmp)

    def test_a_checker_that_skips_files_is_red(self) -> None:
        """sparse that is too old: make is content, and has checked nothing."""
        step = self.step()
        (self.build / "check/out/on/kernel").mkdir(parents=True)
        (self.build / "check/out/on/kernel/fork.o").touch()
        with mock.patch.object(check, "_say", lambda *_, **__: "  CC      kernel/fork.o\n"), \
                self.assertRaisesRegex(check.Red, "1 files, but only 0 were checked"):
            check._checker(step, "sparse", "sparse")
        with mock.patch.object(check, "_say", lambda *_, **__: "  CHECK   kernel/fork.c\n"):
            self.assertEqual(check._checker(step, "sparse", "sparse"), [])


class Green(Patches):
    def test_for_exactly_this_series(self) -> None:
        path = self.build / "check/green"
        self.assertFalse(stamp.is_green(path))
        stamp.green(stamp.key(), path)
        self.assertTrue(stamp.is_green(path))
        (self.tmp / "patches/0000-cover-letter.patch").write_text("no patch\n")
        self.assertTrue(stamp.is_green(path))
        (self.tmp / "series").write_text("0002-two.patch\n0001-one.patch\n")
        self.assertFalse(stamp.is_green(path))
        (self.tmp / "series").write_text("0001-one.patch\n0002-two.patch\n")
        self.assertTrue(stamp.is_green(path))
        self.write("0002-two.patch", {"scripts/tool.sh": "#!/bin/sh\n# other\n"})
        self.assertFalse(stamp.is_green(path))
        stamp.clear(path)
        self.assertFalse(path.exists())
