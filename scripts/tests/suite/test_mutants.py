# SPDX-License-Identifier: GPL-2.0-only
"""A campaign: which tests a mutant runs, what it counts as, what is done again, and when it is refused."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kdebug.host import ui
from kdebug.mutants import blocks, results
from kdebug.mutants.results import Outcome
from kdebug.suite import mutants, registry
from kdebug.suite.guests import TOGETHER
from kdebug.suite.mutants import Asked, Bench, Campaign, NoBuild
from scratch import Scratch, fail

CODE = "void one(void)\n{\n\t/* comment */\n\ta();\n\tb();\n\tc();\n}\n"
LIST = """\
file kernel/one.c

mutant a-is-gone
function one
seen by table
-\ta();

mutant b-is-gone
function one
seen by events
-\tb();

mutant c-is-gone
function one
seen by plain cause
-\tc();

mutant nothing-is-ordered
function one
seen by litmus x-y: barrier();
-\ta();
 \tb();
+\ta();
"""
CONTROL = "file kernel/one.c\n\nmutant the-control\nfunction one\nseen by table\n-\t/* comment */\n+\t/* remark */\n"


class Kernel:
    """A kernel that is not built."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.config = name.encode()


class Fake(Bench):
    """Says of each line that is missing what @red names for it: a test; and writes down what was run."""

    def __init__(self, red: dict[str, str]) -> None:
        self.red = red
        self.ran: list[str] = []

    def prepare(self, name: str) -> Any:
        return Kernel(name)

    def build(self, kernel: Any, patch: Path) -> Path:
        # A path ends in no slash.
        gone = [line[1:].strip().strip("/") for line in patch.read_text().splitlines() if line.startswith("-\t")]
        if self.red.get(gone[0]) == "build":
            raise NoBuild("unused variable")
        self.ran.append(f"{kernel.name} {gone[0]}")
        return Path(gone[0])

    def seen(self, kernel: Any, image: Path, patch: Path, name: str) -> str:
        self.ran.append(name)
        return "not ok 1" if self.red.get(str(image)) == name else ""

    def rest(self, kernel: Any, image: Path) -> Iterator[tuple[str, str]]:
        for name in ("kunit", "table", "events"):
            yield name, self.seen(kernel, image, image, name)


class Campaigns(Scratch):
    def setUp(self) -> None:
        super().setUp()
        self.folder = self.tmp / "mutants"
        self.write("mutants/one.txt", LIST)
        self.write("mutants/control.txt", CONTROL)
        self.write("kernel/one.c", CODE)
        self.write("models/litmus/x-y.litmus", "\tsmp_mb(); // control: barrier();\n")
        # What it builds is beside what it reads, as in a clone.
        self.context = dataclasses.replace(self.context, root=self.tmp / "build")
        self.out = io.StringIO()
        self.enterContext(contextlib.redirect_stdout(self.out))
        self.err = io.StringIO()
        self.enterContext(contextlib.redirect_stderr(self.err))

    def write(self, name: str, text: str) -> None:
        path = self.tmp / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_all(self, bench: Fake, quick: bool = False) -> dict[str, Outcome]:
        campaign = Campaign(self.context, self.tmp, bench)
        self.campaign = campaign
        return {mutant.id: one for mutant, one in campaign.run(campaign.mutants, quick).items()}

    def test_verdicts(self) -> None:
        bench = Fake({"a();": "table", "b();": "kunit"})
        said = self.run_all(bench)
        self.assertEqual({name: (one.status, one.by) for name, one in said.items()}, {
            "a-is-gone": ("killed", "table: not ok 1"), "b-is-gone": ("killed", "kunit: not ok 1"),
            "c-is-gone": ("survived", ""), "nothing-is-ordered": ("argued", "litmus x-y: barrier();")})
        # The control first, with their tests; the first red ends a mutant.
        self.assertEqual(bench.ran, [
            "um * comment *", "table", "events", "um a();", "table", "um b();", "events",
            "um * comment *", "kunit", "table", "events", "um b();", "kunit",
            "plain * comment *", "cause", "plain c();", "cause",
            "plain * comment *", "kunit", "table", "events", "plain c();", "kunit", "table", "events"])

    def test_what_survives_is_an_exit_status(self) -> None:
        said = self.run_all(Fake({"a();": "table", "b();": "events", "c();": "cause"}))
        self.assertTrue(all(one.passed for one in said.values()))
        (self.tmp / "build/mutants/results.json").unlink()
        self.assertFalse(self.run_all(Fake({"a();": "table", "b();": "events"}))["c-is-gone"].passed)

    def test_a_red_control_refuses(self) -> None:
        said = str(fail(self, self.run_all, Fake({"* comment *": "events", "a();": "table"})))
        self.assertIn("make mutants: events: the control, which changes only a comment, is red (not ok 1)", said)
        self.assertFalse((self.tmp / "build/mutants/results.json").exists() and
                         "a-is-gone" in (self.tmp / "build/mutants/results.json").read_text())

    def test_a_control_that_is_red_elsewhere_refuses_survivors(self) -> None:
        bench = Fake({"* comment *": "kunit", "a();": "table"})
        self.assertIn("make mutants: kunit", str(fail(self, self.run_all, bench)))

    def test_quick_leaves_it_at_their_own_tests(self) -> None:
        bench = Fake({"a();": "table"})
        said = self.run_all(bench, quick=True)
        self.assertEqual([one.status for one in said.values()], ["killed", "not seen", "not seen", "argued"])
        self.assertNotIn("kunit", bench.ran)

    def test_what_does_not_build_is_told_and_tried_again(self) -> None:
        red = {"a();": "table", "b();": "events", "c();": "build"}
        said = self.run_all(Fake(red))
        self.assertEqual((said["c-is-gone"].status, said["c-is-gone"].passed), ("no build", False))
        self.assertEqual(self.run_all(Fake(red | {"c();": "cause"}))["c-is-gone"].status, "killed")

    def test_what_keeps_it_from_building_is_no_outcome(self) -> None:
        class Locked(Fake):
            def build(self, kernel: Any, patch: Path) -> Path:
                if "-\tb();" in patch.read_text():
                    raise ui.Fail("build/lock", "held by another", "wait")
                return super().build(kernel, patch)

        self.assertIn("build/lock", str(fail(self, self.run_all, Locked({"a();": "table"}))))
        self.assertNotIn("b-is-gone", (self.tmp / "build/mutants/results.json").read_text())

    def test_what_is_done_is_not_done_again(self) -> None:
        red = {"a();": "table", "b();": "events", "c();": "cause"}
        self.run_all(Fake(red))
        again = Fake(red)
        self.assertEqual([one.status for one in self.run_all(again).values()], ["killed"] * 3 + ["argued"])
        self.assertEqual(again.ran, [])

    def test_another_text_series_or_config_is_done_again(self) -> None:
        red = {"a();": "table", "b();": "events", "c();": "cause"}
        self.run_all(Fake(red))
        self.write("mutants/one.txt", LIST.replace("-\tb();\n", "-\tb();\n+\tbb();\n"))
        other = Fake(red)
        self.run_all(other)
        self.assertEqual(other.ran, ["um b();", "events"])
        self.write("patches/2-debug/0001-x.patch", "x")
        all_of_it = Fake(red)
        self.run_all(all_of_it)
        self.assertIn("um a();", all_of_it.ran)

    def test_a_survivor_is_tried_with_new_tests(self) -> None:
        red = {"a();": "table", "b();": "events"}
        self.run_all(Fake(red))
        same = Fake(red)
        self.run_all(same)
        self.assertEqual(same.ran, [])
        self.write("kernel/guest/new.c", "int main(void) { }\n")
        bench = Fake(red | {"c();": "cause"})
        self.assertEqual(self.run_all(bench)["c-is-gone"].status, "killed")
        self.assertNotIn("um a();", bench.ran)
        self.assertIn("plain * comment *", bench.ran, "the control runs the new tests, too")

    def test_a_run_that_is_killed_keeps_what_it_has(self) -> None:
        class Killed(Fake):
            def build(self, kernel: Any, patch: Path) -> Path:
                if "-\tb();" in patch.read_text():
                    raise KeyboardInterrupt
                return super().build(kernel, patch)

        red = {"a();": "table", "b();": "events", "c();": "cause"}
        with self.assertRaises(KeyboardInterrupt):
            self.run_all(Killed(red))
        after = Fake(red)
        self.run_all(after)
        self.assertNotIn("um a();", after.ran)
        self.assertIn("um b();", after.ran)

    def test_arguments(self) -> None:
        self.write("mutants/arguments.txt", "a-is-gone: Nobody looks.\nc-is-gone: Nobody can look.\n")
        said = self.run_all(Fake({"a();": "table", "b();": "events"}))
        self.assertEqual((said["a-is-gone"].status, said["c-is-gone"].status), ("killed", "argued"))
        self.assertEqual(said["c-is-gone"].by, "Nobody can look.")
        outcomes = {mutant: said[mutant.id] for mutant in self.campaign.mutants}
        self.assertEqual(results.unused(self.campaign.arguments, outcomes),
                         ["mutants/arguments.txt:1: nothing needs the argument for a-is-gone, which was killed"])

    def test_the_table(self) -> None:
        self.run_all(Fake({"a();": "table", "b();": "events"}))
        text = results.table(self.campaign.run(self.campaign.mutants))
        self.assertIn("\nto do\n  survived  c-is-gone (mutants/one.txt:13)\n", text)
        self.assertTrue(text.endswith("4 mutants: 2 killed, 1 argued, 1 survived, 0 not seen, 0 do not build"
                                      + text[text.rindex(" do not build") + len(" do not build"):]), text)

    # --- what is refused before anything is built

    def refused(self, *words: str) -> None:
        bench = Fake({})
        said = str(fail(self, Campaign, self.context, self.tmp, bench))
        for word in words:
            self.assertIn(word, said)
        self.assertEqual(bench.ran, [])

    def test_a_block_that_does_not_fit(self) -> None:
        self.write("kernel/one.c", CODE.replace("b();", "d();"))
        self.refused("mutants/one.txt:8: mutant b-is-gone: one in kernel/one.c has its old lines no times",
                     "or delete the block")

    def test_a_file_that_is_gone(self) -> None:
        (self.tmp / "kernel/one.c").unlink()
        self.refused("mutant a-is-gone: the patched tree has no kernel/one.c")

    def test_a_test_that_there_is_not(self) -> None:
        for name in ("tabel", "group tabel", "boot-options"):
            self.write("mutants/one.txt", LIST.replace("seen by table", f"seen by {name}"))
            self.refused(f"mutant a-is-gone: there is no test '{name}'")
        for name in ("kunit", "group boot-options", "plain group suspend"):
            self.write("mutants/one.txt", LIST.replace("seen by table", f"seen by {name}"))
            Campaign(self.context, self.tmp, Fake({}))

    def test_a_control_that_there_is_not(self) -> None:
        self.write("models/litmus/x-y.litmus", "\tsmp_mb(); // control: other();\n")
        self.refused("mutant nothing-is-ordered: x-y has no control 'barrier();'")

    # --- which

    def test_choice(self) -> None:
        all_of_it = blocks.read(self.folder)

        def chosen(asked: Asked) -> list[str]:
            return [one.id for one in asked.choose(all_of_it)]

        self.assertEqual(chosen(Asked()), [one.id for one in all_of_it])
        self.assertEqual(chosen(Asked("?-is-gone")), ["a-is-gone", "b-is-gone", "c-is-gone"])
        self.assertEqual(len(chosen(Asked("one.c"))), 4)
        self.assertEqual(chosen(Asked(kernel="plain")), ["c-is-gone"])
        self.assertEqual(sorted(chosen(Asked(day="2026-11-30", sample=5))), ["a-is-gone", "b-is-gone"])
        self.assertIn("ONLY=none", str(fail(self, chosen, Asked("none"))))


class Programs(Scratch):
    def test_each_program_has_one_guest(self) -> None:
        self.assertIsNotNone(mutants._together("cause"))
        self.assertIsNone(mutants._together("no-such"))
        programs = [spec for guests in TOGETHER.values() for one in guests for spec in one.specs]
        self.assertEqual(len(programs), len(set(programs)))

    def test_each_guest_is_of_a_group(self) -> None:
        self.assertLessEqual(set(TOGETHER), {one.name for one in registry.every()})
