# SPDX-License-Identifier: GPL-2.0-only
"""make check: what is news, which rows cost nothing, and when a series is green."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import toy
from kdebug.build import make
from kdebug.check import all_checks, analysis, builds, needs
from kdebug.check.green import clear, is_green, keys, mark, settle
from kdebug.check.patch import applies, excuses, kconfig, size
from kdebug.check.step import Red, Skip, Step, news
from kdebug.host import ui
from kdebug.patches import apply, series
from kdebug.source import fetch

Run = Callable[[Step, str], list[str]]
SERIES = "1-fixes/0001-one.patch\n2-debug/0001-two.patch\n"
KCONFIG = "config OLD\n\tbool\n"


class News(toy.Case):
    def test_lines_and_trees_do_not_count(self) -> None:
        a, b = Path("/x/linux"), Path("/x/src/7.3")
        before = ["/x/src/7.3/kernel/a.c:12:3: warning: unused 'x'", "../linux/kernel/b.h:7: warning: no prototype",
                  "a.rst: redefined at line 4 of b.rst", "a.c:4:1-7: ERROR: after free on line 3"]
        now = ["/x/linux/kernel/a.c:99:1: warning: unused 'x'", "../linux/kernel/b.h:8: warning: no prototype",
               "a.rst: redefined at line 5 of b.rst", "a.c:5:11-17: ERROR: after free on line 4"]
        self.assertEqual(news(now, before, a, b), [])

    def test_what_is_new_is_told_as_it_was_printed(self) -> None:
        line = "kernel/a.c:12:3: warning: unused 'y'"
        self.assertEqual(news([line, "kernel/a.c:1:1: warning: unused 'x'"],
                                    ["kernel/a.c:12:3: warning: unused 'x'"]), [line])


class Patches(toy.Case):
    """A queue of two patches to a toy kernel."""

    def setUp(self) -> None:
        super().setUp()
        self.context = self.using(repo=self.tmp)
        self.base = self.toy_base(files={"lib/Kconfig.debug": KCONFIG})
        self.enterContext(mock.patch.object(fetch, "ensure", lambda _: self.base))
        self.write("1-fixes/0001-one.patch", {"kernel/fork.c": "int fork;\nint one;\n"})
        self.write("2-debug/0001-two.patch", {"scripts/tool.sh": "#!/bin/sh\n# two\n"})
        (self.tmp / "series").write_text(SERIES)
        self.ran: list[tuple[str, int]] = []

    def write(self, name: str, after: dict[str, str | None]) -> Path:
        path = self.tmp / "patches" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(toy.mail(name, toy.FILES | {"lib/Kconfig.debug": KCONFIG}, after))
        return path

    def step(self, number: int = 1) -> Step:
        queue = series.read(self.context)[:number]
        return Step(self.context, number, queue[-1] if queue else None,
                    apply.ensure(self.context, self.base, queue, self.build / "check/linux"), self.base.path)

    def fill(self, said: dict[tuple[str, int], str | list[str]] | None = None,
             rows: list[int] | None = None) -> dict[tuple[int, str], str]:
        """Fill the table of two checks, "a" and "b", that say what @said has. A third, "built", is not asked for."""
        def cell(step: Step, name: str) -> list[str]:
            self.ran.append((name, step.number))
            what = (said or {}).get((name, step.number), [])
            if isinstance(what, str):
                raise Red(what)
            return step.refuse_news(name, what)

        self.ran.clear()
        checks = {"a": (cell, True), "built": (cell, False), "b": (cell, False)}
        with mock.patch.dict(all_checks.CHECKS, checks, clear=True), \
                contextlib.redirect_stdout(io.StringIO()) as out:
            red = all_checks.run(self.context, ["a", "b"], rows)
        self.out = out.getvalue()
        return red


class Table(Patches):
    def test_each_patch_by_each_check(self) -> None:
        self.assertEqual(self.fill(), {})
        self.assertEqual(sorted(self.ran), [(c, n) for c in "ab" for n in range(3)])
        self.assertEqual([line.split() for line in self.out.splitlines()],
                         [["a", "b"], *([row, "ok", "ok"] for row in ("base", "1-fixes/0001-one", "2-debug/0001-two"))])

    def test_green_costs_nothing_the_next_time(self) -> None:
        self.fill()
        self.assertEqual(self.fill(), {})
        self.assertEqual(self.ran, [])
        self.assertEqual(self.out.count(" ok"), 6)

    def test_a_check_whose_file_has_changed_runs_again(self) -> None:
        self.fill()
        (other := self.tmp / "other.py").write_text("# a check\n")
        with mock.patch.object(all_checks.inspect, "getfile", return_value=str(other)):
            self.fill()
            self.assertEqual(len(self.ran), 6)
            self.fill()
            self.assertEqual(self.ran, [])
            other.write_text("# another check\n")
            self.fill()
            self.assertEqual(len(self.ran), 6)

    def test_what_looks_at_a_build_has_one_of_its_own_row(self) -> None:
        with mock.patch.dict(all_checks.LOOKS_AT, {"b": "built"}, clear=True):
            self.fill()
            self.assertEqual(sorted(set(self.ran)), [(c, n) for c in ("a", "b", "built") for n in range(3)])
            self.fill()
            self.assertEqual(self.ran, [])
            self.write("2-debug/0001-two.patch", {"scripts/tool.sh": "#!/bin/sh\n# other\n"})
            self.fill({("b", 2): "it is broken"})
            self.fill()
            self.assertEqual(sorted(self.ran), [("b", 2), ("built", 2)])

    def test_what_looks_at_a_build_that_is_red_is_red(self) -> None:
        with mock.patch.dict(all_checks.LOOKS_AT, {"b": "built"}, clear=True):
            self.assertEqual(self.fill({("built", 1): "it is broken"}),
                             {(1, "built"): "it is broken", (1, "b"): "it looks at built, which is red"})
            self.assertNotIn(("b", 1), self.ran)
            self.assertEqual(self.fill(), {})
            self.assertEqual(sorted(self.ran), [("b", 1), ("built", 1)])

    def test_a_changed_patch_leaves_the_rows_before_it(self) -> None:
        self.fill()
        self.write("2-debug/0001-two.patch", {"scripts/tool.sh": "#!/bin/sh\n# other\n"})
        self.fill()
        self.assertEqual(sorted(self.ran), [("a", 2), ("b", 2)])
        self.write("1-fixes/0001-one.patch", {"kernel/fork.c": "int other;\n"})
        self.fill()
        self.assertEqual(sorted(self.ran), [(c, n) for c in "ab" for n in (1, 2)])

    def test_red_is_told_and_tried_again(self) -> None:
        self.assertEqual(self.fill({("b", 1): "it is broken"}), {(1, "b"): "it is broken"})
        self.assertIn("RED: it is broken", (self.build / "check/b-1.log").read_text())
        self.assertIn(["1-fixes/0001-one", "ok", "RED"], [line.split() for line in self.out.splitlines()])
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
        self.assertEqual(applies(self.step(), "applies"), [])
        body = (self.tmp / "patches/1-fixes/0001-one.patch").read_text()
        (self.tmp / "patches/1-fixes/0001-one.patch").write_text(body.replace("@@ -1 +1,2 @@", "@@ -3 +3,2 @@"))
        with self.assertRaisesRegex(Red, "offset"):
            applies(self.step(), "applies")

    def test_kconfig(self) -> None:
        def said(code: str, menu: str) -> str:
            self.write("1-fixes/0001-one.patch", {"kernel/fork.c": code, "lib/Kconfig.debug": KCONFIG + menu})
            try:
                kconfig(self.step(), "kconfig")
            except Red as err:
                return str(err)
            return ""

        (self.build / "check").mkdir()
        self.assertEqual(said("#ifdef CONFIG_NEW\n", "config NEW\n\tbool\n"), "")
        self.assertIn("not defined by any Kconfig: NEVER", said("#ifdef CONFIG_NEVER\n", ""))
        self.assertIn("NEW is used nowhere", said("#ifdef CONFIG_OLD\n", "config NEW\n\tbool\n"))

    def test_nothing_may_grow_beside_a_fix_of_the_base(self) -> None:
        """What "off" is compared with: the base, or the base with its fixes."""
        self.write("2-debug/0001-two.patch", {"lib/Kconfig.debug": KCONFIG + "config KTHREAD_DEBUG\n\tbool\n"})
        obj, kept = self.build / "check/out/off/kernel/fork.o", self.build / "check/base/kernel/fork.o"
        obj.parent.mkdir(parents=True)
        for number, code, reference in ((0, "base", "base"), (1, "fix", "fix"), (2, "series", "fix")):
            step = self.step(number)
            obj.write_text(code)
            with mock.patch.object(builds, "configure"), mock.patch.object(make, "run"), \
                    mock.patch.object(builds, "HOOKED", ("kernel/fork.o",)):
                builds.build(step, "off")
            self.assertEqual(kept.read_text(), reference)
            if number < 2:
                with self.assertRaises(Skip):
                    builds.bytes_off(step, "bytes")

    def test_an_excuse_holds_for_its_patches_alone(self) -> None:
        text = "# why\nENOSYS 1-fixes/0001 2-debug/0008\n\nLONG_LINE 1-fixes/0002\nSET 1-fixes/*\nEACH *\n"
        self.assertEqual([excuses(text, f"{n}-x.patch") for n in ("1-fixes/0001", "1-fixes/0002", "2-debug/0001")],
                         [["ENOSYS", "SET", "EACH"], ["LONG_LINE", "SET", "EACH"], ["EACH"]])

    def test_a_tool_that_is_missing_is_red(self) -> None:
        (self.build / "check").mkdir()
        with self.assertRaisesRegex(Red, "not found; run: make deps"):
            self.step().run_tool("x", ["/nonexistent/tool"], self.tmp)
        with self.assertRaisesRegex(Red, "exit 3"):
            self.step().run_tool("x", ["sh", "-c", "exit 3"], self.tmp)

    def test_a_checker_that_skips_files_is_red(self) -> None:
        """sparse that is too old: make is content, and has checked nothing."""
        step = self.step()
        (self.build / "check/out/on/kernel").mkdir(parents=True)
        (self.build / "check/out/on/kernel/fork.o").touch()
        with mock.patch.object(Step, "run_tool", lambda *_, **__: "  CC      kernel/fork.o\n"), \
                self.assertRaisesRegex(Red, "1 files, but only 0 were checked"):
            analysis._checker(step, "sparse", "sparse")
        with mock.patch.object(Step, "run_tool", lambda *_, **__: "  CHECK   kernel/fork.c\n"):
            self.assertEqual(analysis._checker(step, "sparse", "sparse"), [])


class Size(Patches):
    def said(self, lines: int, name: str = "kernel/new.c") -> str:
        self.write("2-debug/0001-two.patch", {name: "x\n" * lines})
        try:
            size(self.step(2), "size")
        except Red as err:
            self.assertNotIn("\n", str(err))
            return str(err)
        return ""

    def test_lines_of_a_patch(self) -> None:
        self.assertEqual(self.said(700), "")
        self.assertIn("701 changed lines, and a patch has at most 700: split it", self.said(701))

    def test_a_line_that_goes_counts(self) -> None:
        with mock.patch.dict(toy.FILES, {"kernel/old.c": "x\n" * 700}):
            self.write("2-debug/0001-two.patch", {"kernel/old.c": "y\n"})
            self.base = self.toy_base("old")
            with self.assertRaisesRegex(Red, "^701 changed lines"):
                size(self.step(2), "size")

    def test_tests_and_documents_may_have_more(self) -> None:
        for name in ("Documentation/a.rst", "tools/testing/selftests/kthread/a.c", "samples/kthread/a.c",
                     "kernel/tests/a.c"):
            with self.subTest(name):
                self.assertEqual(self.said(900, name), "")
                self.assertIn("901 changed lines, and a patch of tests or documents has at most 900", self.said(901, name))

    def test_their_lines_elsewhere_change_nothing_but_code_does(self) -> None:
        doc = {"Documentation/a.rst": "x\n" * 800}
        for more, red in (("lib/Kconfig.more", False), ("kernel/Makefile", False), ("MAINTAINERS", False),
                          ("kernel/a.c", True), ("include/a.h", True)):
            with self.subTest(more):
                self.write("2-debug/0001-two.patch", {**doc, more: "x\n"})
                with self.assertRaises(Red) if red else contextlib.nullcontext():
                    size(self.step(2), "size")

    def test_patches_of_a_set(self) -> None:
        """At most ten, and of fixes any number."""
        names = [f"{name}/{n:04}-x.patch" for name in ("1-fixes", "2-debug") for n in range(1, 12)]
        for patch in (self.tmp / "patches").glob("*/*"):
            patch.unlink()
        for name in names:
            self.write(name, {f"kernel/{name[0]}{name[8:12]}.c": "x\n"})
        (self.tmp / "series").write_text("".join(f"{name}\n" for name in names))
        for number in (11, 21):
            self.assertEqual(size(self.step(number), "size"), [])
        with self.assertRaisesRegex(Red, "^patch 11 of 2-debug, and a set has at most 10: join two, or move"):
            size(self.step(22), "size")


class Needs(Patches):
    """Does 4-misuse go without 3-fault?"""

    def setUp(self) -> None:
        super().setUp()
        self.built: list[Path] = []
        self.enterContext(mock.patch.object(builds, "configure", lambda step, *_: self.built.append(step.tree)))
        self.make = self.enterContext(mock.patch.object(make, "run"))
        (self.build / "check").mkdir()

    def said(self, number: int) -> str:
        try:
            needs.needs(self.step(number), "needs")
        except Red as err:
            self.assertNotIn("\n", str(err))
            return str(err)
        return ""

    def third_and_fourth(self, fourth: dict[str, str | None], below: dict[str, str] | None = None) -> None:
        """A 3-fault that changes kernel/kthread.c, and a 4-misuse of two patches."""
        text = toy.KTHREAD.replace("int line20;", "int fault;")
        self.write("3-fault/0001-three.patch", {"kernel/kthread.c": text, "kernel/fault.h": "int fault;\n"})
        path = self.write("4-misuse/0001-four.patch", {})
        path.write_text(toy.mail("four", toy.FILES | {"kernel/kthread.c": text} | (below or {}), fourth))
        self.write("4-misuse/0002-five.patch", {"kernel/five.c": "int five;\n"})
        (self.tmp / "series").write_text(SERIES + "3-fault/0001-three.patch\n4-misuse/0001-four.patch\n"
                                         "4-misuse/0002-five.patch\n")

    def test_far_apart_it_does(self) -> None:
        text = toy.KTHREAD.replace("int line20;", "int fault;")
        self.third_and_fourth({"kernel/kthread.c": text.replace("int line30;", "int misuse;")})
        self.assertEqual([self.said(n) for n in range(1, 6)], [""] * 5)
        # Once, with the last patch, and without 3-fault.
        self.assertEqual(self.built, [self.build / "check/needs"])
        self.assertFalse((self.built[0] / "kernel/fault.h").exists())
        self.assertIn("int misuse;", (self.built[0] / "kernel/kthread.c").read_text())

    def test_beside_its_lines_it_does_not(self) -> None:
        text = toy.KTHREAD.replace("int line20;", "int fault;")
        self.third_and_fourth({"kernel/kthread.c": text.replace("int line22;", "int misuse;")})
        self.assertIn("4-misuse needs 3-fault, and it may need 1-fixes and 2-debug only: it does not apply", self.said(4))
        self.assertIn("kernel/kthread.c:19", self.said(4))
        self.assertIn("4-misuse/0001-four.patch before it does not apply without 3-fault", self.said(5))
        self.assertEqual(self.said(3), "")

    def test_a_file_of_that_set(self) -> None:
        self.third_and_fourth({"kernel/fault.h": "int fault;\nint misuse;\n"}, {"kernel/fault.h": "int fault;\n"})
        self.assertIn("4-misuse needs 3-fault", self.said(4))

    def test_it_applies_and_does_not_build(self) -> None:
        self.third_and_fourth({"kernel/misuse.c": "#include \"fault.h\"\n"})
        self.make.side_effect = ui.Fail("log", "fault.h: No such file or directory", "mend that")
        self.assertEqual(self.said(4), "")
        self.assertIn("4-misuse needs 3-fault, and it may need 1-fixes and 2-debug only: it does not build: fault.h: No such",
                      self.said(5))


class Green(Patches):
    def green(self) -> list[str]:
        return [name for name in ("1-fixes", "2-debug") if is_green(self.context, name)]

    def test_for_exactly_this_state_of_the_set_and_those_before_it(self) -> None:
        self.assertEqual(self.green(), [])
        mark(self.context, ["1-fixes", "2-debug"], keys(self.context))
        self.assertEqual(self.green(), ["1-fixes", "2-debug"])
        (self.tmp / "patches/2-debug/0000-cover-letter.patch").write_text("no patch\n")
        self.assertEqual(self.green(), ["1-fixes", "2-debug"])
        self.write("2-debug/0001-two.patch", {"scripts/tool.sh": "#!/bin/sh\n# other\n"})
        self.assertEqual(self.green(), ["1-fixes"])
        mark(self.context, ["2-debug"], keys(self.context))
        self.assertEqual(self.green(), ["1-fixes", "2-debug"])
        (self.tmp / "patches/1-fixes/0001-one.patch").rename(self.tmp / "patches/1-fixes/0001-other.patch")
        (self.tmp / "series").write_text(SERIES.replace("one", "other"))
        self.assertEqual(self.green(), [])

    def test_a_check_of_a_part(self) -> None:
        both = ("1-fixes", "2-debug")
        settle(self.context, both, keys(self.context), True, False)
        self.assertEqual(self.green(), [])  # it says nothing of the rest
        settle(self.context, both, keys(self.context), True, True)
        settle(self.context, ["2-debug"], keys(self.context), True, False)
        self.assertEqual(self.green(), ["1-fixes", "2-debug"])
        settle(self.context, ["2-debug"], keys(self.context), False, False)
        self.assertEqual(self.green(), ["1-fixes"])
        settle(self.context, both, keys(self.context), False, True)
        self.assertEqual(self.green(), [])

    def test_a_check_of_one_set_leaves_the_others(self) -> None:
        clear(self.context, ["1-fixes"])
        mark(self.context, ["1-fixes", "2-debug"], keys(self.context))
        clear(self.context, ["2-debug"])
        self.assertEqual(self.green(), ["1-fixes"])


class Bytes(toy.Case):
    HEAD = "add/remove: 1/1 grow/shrink: 0/0 up/down: 8/-8 (0)\nFunction     old     new   delta\n"
    NUMBERS = (f"{HEAD}__UNIQUE_ID_addressable_kthread_stop_707  -  8  +8\n"
               "__UNIQUE_ID_addressable_kthread_stop_709  8  -  -8\n")

    def test_another_number_is_no_growth(self) -> None:
        self.assertTrue(builds.same_bytes(self.NUMBERS + "Total: Before=6316, After=6316, chg +0.00%\n"))

    def test_a_function_that_grows_for_one_that_shrinks(self) -> None:
        said = "kthread_stop  30  36  +6\nkthread_park  36  30  -6\nTotal: Before=6316, After=6316, chg +0.00%\n"
        self.assertFalse(builds.same_bytes(self.HEAD + said))

    def test_another_total(self) -> None:
        self.assertFalse(builds.same_bytes(self.NUMBERS + "Total: Before=6316, After=6324, chg +0.13%\n"))

    def test_nothing_said(self) -> None:
        self.assertFalse(builds.same_bytes(""))
