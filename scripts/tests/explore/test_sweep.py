# SPDX-License-Identifier: GPL-2.0-only
"""A sweep with guests that are made up: what is done, what is done again, and what comes of it."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import threading
from pathlib import Path
from xml.etree import ElementTree

from kdebug.explore import guest, page, replay, results, sweep
from kdebug.explore.guest import Ended
from kdebug.explore.results import Cell, Sheet
from kdebug.explore.scenario import Scenario
from kdebug.explore.trial import CONTROL_TRIAL, Trial
from kdebug.guest import bad_lines, ktap
from kdebug.guest.exit_codes import Code
from kdebug.host import lock, processes, ui
from scratch import Scratch, fail

from explore import consoles
from explore.consoles import control, of, trial

RULES = bad_lines.parse()
TEXT = "# one thread\naction() { echo 'it'\"'\"'s'; }\n"
DEAD = "BUG: unable to handle page fault\n"


class Guests:
    """Boots nothing. A guest dies in the middle of the trials @dies, and is not clean behind @dirty."""

    def __init__(self, tmp: Path, dies: tuple[int, ...] = (), dirty: tuple[int, ...] = (), first: str = "") -> None:
        self.tmp, self.dies, self.dirty = tmp, dies, dirty
        self.first = first or control("one/0")
        self.batches: list[list[int]] = []
        self.code, self.empty, self.early = Code.NO_STATUS, False, 0
        self.unchecked: tuple[int, ...] = ()  # the trials that the first guest does not look for leaks
        self.lock = threading.Lock()

    def __call__(self, batch: list[Trial], where: Path, phase: ui.Phase) -> Ended:
        phase.live("running")
        self.early -= 1
        text = "Linux version 7.3\n" + "kdebug: init nonce=1 cpus=2\n" * (self.early < 0)
        for one in [] if self.empty or self.early >= 0 else batch:
            if not one.number:
                text += self.first
            elif one.number in self.dies:
                text += trial(one.number).partition("explore: step")[0] + DEAD
                break
            elif one.number in self.dirty:
                text += trial(one.number, later=f"explore: left n={one.number} kind=thread what=one/0\n",
                              done="explore: done n={n} clean=0\n")
                break
            else:
                killed = f"explore: killed n={one.number} pid=3 comm=modprobe\n" if one.fault == "kill" else ""
                good = one.fault in ("stop", "slow", "slow-exit")
                text += trial(one.number, 0 if good else 1, killed + (consoles.creation("one/0", 50) if good else ""))
        for number in self.unchecked if len(self.batches) == 1 else ():
            text = text.replace(f"explore: checked n={number}\n", "")
        with self.lock:
            self.batches.append([one.number for one in batch])
            console = self.tmp / f"console-{len(self.batches)}"
        console.write_bytes(consoles.raw(text))
        return Ended(self.code if self.empty or self.dies else Code.PASS, "guest ended", console, 1.0)


class Sweeps(Scratch):
    def setUp(self) -> None:
        super().setUp()
        self.scenario = Scenario("one", self.tmp / "one.sh", TEXT, "one thread")

    def sheet(self, key: str = "k") -> Sheet:
        sheet = Sheet(self.scenario, guest.folder(self.context) / "one", key)
        sheet.open()
        return sheet

    def run_sweep(self, guests: Guests, sheet: Sheet | None = None, jobs: int = 1, only: str = "") -> list[Cell]:
        with contextlib.redirect_stdout(io.StringIO()) as self.out:
            return sweep.Sweep(sheet or self.sheet(), guests, RULES, [], jobs, only).run()

    def test_all_in_two_guests(self) -> None:
        guests = Guests(self.tmp)
        cells = self.run_sweep(guests)
        self.assertEqual(guests.batches, [[0], [1, 2, 3, 4, 5, 6, 7]])
        self.assertEqual([cell.word for cell in cells], ["ok"] * 8)
        self.assertIn("  3  kill fork   one/0 by modprobe: ok", self.out.getvalue())

    def test_a_scenario_that_needs_it_has_a_cold_guest_for_each(self) -> None:
        self.scenario = dataclasses.replace(self.scenario, needs=("cold",))
        guests = Guests(self.tmp)
        self.run_sweep(guests)
        self.assertEqual(guests.batches, [[n] for n in range(8)])

    def test_what_ends_a_guest_goes_on_in_a_new_one(self) -> None:
        guests = Guests(self.tmp, dies=(2,), dirty=(5,))
        cells = self.run_sweep(guests)
        self.assertEqual(guests.batches, [[0], [1, 2, 3, 4, 5, 6, 7], [3, 4, 5, 6, 7], [6, 7]])
        self.assertEqual([cell.word for cell in cells], ["ok", "ok", "oops", "ok", "ok", "left over", "ok", "ok"])
        self.assertEqual(sweep.summary(cells), "6 ok, 2 to look at")

    def test_what_was_not_looked_for_leaks_is_done_again(self) -> None:
        guests = Guests(self.tmp, dies=(5,))
        guests.unchecked = (3, 4)
        cells = self.run_sweep(guests)
        self.assertEqual(guests.batches, [[0], [1, 2, 3, 4, 5, 6, 7], [3, 4, 6, 7]])
        self.assertEqual([cell.word for cell in cells], ["ok"] * 5 + ["oops", "ok", "ok"])

    def test_it_goes_on_where_it_stopped(self) -> None:
        sheet = self.sheet()
        self.run_sweep(Guests(self.tmp), sheet, only="fail*")
        guests = Guests(self.tmp)
        cells = self.run_sweep(guests)
        self.assertEqual(guests.batches, [[3, 4, 5, 6, 7]])
        self.assertEqual(len(cells), 8)
        self.run_sweep(guests)
        self.assertEqual(len(guests.batches), 1)

    def test_another_key_begins_anew(self) -> None:
        self.run_sweep(Guests(self.tmp))
        sheet = self.sheet("other")
        self.assertEqual(sheet.ends, {})
        self.assertEqual(list((guest.folder(self.context) / "one").glob("[0-9]*")), [])

    def test_a_trial_whose_console_is_gone_is_done_again(self) -> None:
        sheet = self.sheet()
        self.run_sweep(Guests(self.tmp), sheet)
        (sheet.folder / "3" / results.CONSOLE).unlink()
        guests = Guests(self.tmp)
        self.run_sweep(guests)
        self.assertEqual(guests.batches, [[3]])

    def test_side_by_side(self) -> None:
        guests = Guests(self.tmp, dies=(2,))
        cells = self.run_sweep(guests, jobs=2)
        self.assertEqual([cell.trial.number for cell in cells], list(range(8)))
        self.assertEqual(sum(cell.passed for cell in cells), 7)
        self.assertEqual(max(map(len, guests.batches)), 4)

    def test_a_hopeless_control_ends_it(self) -> None:
        for text in (control(), control("one/0").replace("explore: done", DEAD + "explore: done")):
            guests = Guests(self.tmp, first=text)
            cells = self.run_sweep(guests, self.sheet(text))
            self.assertEqual((len(cells), cells[0].passed, guests.batches), (1, False, [[0]]))

    def test_a_guest_that_does_not_come_to_a_trial_is_an_error(self) -> None:
        guests = Guests(self.tmp)
        guests.empty = True
        self.assertEqual(fail(self, self.run_sweep, guests).code, 1)

    def test_a_guest_that_does_not_come_to_its_init_is_booted_again(self) -> None:
        guests = Guests(self.tmp)
        guests.early = 2
        self.assertEqual(len(self.run_sweep(guests)), 8)
        self.assertEqual(guests.batches[:4], [[0], [0], [0], [1, 2, 3, 4, 5, 6, 7]])
        guests.early = 3
        self.assertEqual(fail(self, self.run_sweep, guests, self.sheet("other")).code, 1)

    def test_who_has_lost_the_guest_knows_nothing(self) -> None:
        guests = Guests(self.tmp, dies=(1,))
        guests.code = Code.LOST
        self.assertEqual(fail(self, self.run_sweep, guests).code, 1)
        self.assertNotIn(1, self.sheet().ends)

    def test_only(self) -> None:
        guests = Guests(self.tmp)
        self.run_sweep(guests, only="kill * one/0 by modprobe")
        self.assertEqual(guests.batches, [[0], [3, 4]])
        self.assertIn("no trial", fail(self, self.run_sweep, guests, None, 1, "nothing").problem)

    def test_replay(self) -> None:
        guests = Guests(self.tmp)
        with contextlib.redirect_stdout(io.StringIO()):
            one = sweep.Sweep(self.sheet(), guests, RULES, [])
            self.assertTrue(one.again(4).passed)
            self.assertTrue(one.again(4).passed)
        self.assertEqual(guests.batches, [[0], [4], [4]])
        self.assertIn("0 to 7", fail(self, one.again, 8).remedy)

    def test_two_at_a_time_are_refused(self) -> None:
        with lock.alone(self.tmp / "x", "explore"):
            self.assertIn("held by pid", fail(self, lock.alone(self.tmp / "x", "explore").__enter__).problem)

    def test_another_flavour_keeps_its_own_results(self) -> None:
        folders = [guest.folder(dataclasses.replace(self.context, flavour=name)).name for name in ("explore", "plain")]
        self.assertEqual(folders, ["explore", "explore-plain"])

    def test_page_ktap_and_junit(self) -> None:
        self.run_sweep(Guests(self.tmp, dies=(2,)))
        page.write(self.context, RULES, [])
        top = guest.folder(self.context)
        text = (top / page.PAGE).read_text()
        links = [part.partition('"')[0] for part in text.split('href="')[1:]]
        self.assertEqual(len([link for link in links if link.endswith(results.CONSOLE)]), 8)
        for link in links:
            self.assertTrue(f'id="{link[1:]}"' in text if link.startswith("#") else (top / link).is_file(), link)
        self.assertNotIn("http", text.replace("http-equiv", ""))
        self.assertIn('class="red"', text)
        tests = ktap.load(top / page.KTAP)
        self.assertEqual(str(ktap.count(tests)), "7 passed, 1 failed")
        suite = ElementTree.fromstring((top / page.JUNIT).read_bytes())[0]
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("8", "1"))
        self.assertEqual(len(suite.findall("testcase/failure")), 1)


class Replay(Scratch):
    def test_each_fault_is_a_shell_script(self) -> None:
        one = Scenario("one", Path("one.sh"), TEXT, "one thread", disks=(1, 1), packages=("mdadm",), options=("MD",),
                       needs=("net",))
        for label in ("fail -12", "kill fork", "stop", "slow", "slow-exit"):
            text = replay.script(one, of(label))
            status, _, err = processes.run([["sh", "-n", "-c", text]])
            self.assertEqual((status, err), (0, ""), text)
            self.assertIn(TEXT, text)
            self.assertIn("set_knob name 'one/[0-9]*'", text)
            self.assertIn("CONFIG_MD", text)
            self.assertIn("DISK2:?", text)
        self.assertIn("set_knob errno -12", replay.script(one, of("fail -12")))
        self.assertIn("set_knob point run\n", replay.script(one, of("stop")))
        self.assertIn("hold_ms 1000", replay.script(one, of("slow-exit")))
        self.assertNotIn("step again\nstep teardown\necho all", replay.script(one, of("stop")))
        self.assertNotIn("set_knob", replay.script(one, CONTROL_TRIAL))
