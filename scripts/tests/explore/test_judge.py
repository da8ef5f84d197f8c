# SPDX-License-Identifier: GPL-2.0-only
"""Each verdict, from the console of a trial; the worst first."""

from __future__ import annotations

import unittest

from kdebug.explore import console, judge
from kdebug.explore.judge import Finding
from kdebug.explore.trial import CONTROL_TRIAL
from kdebug.guest import bad_lines

from explore import consoles
from explore.consoles import ONE, control, creation, of, seen, trial

RULES = bad_lines.parse()
CONTROL = seen(control("one/0"))


def findings(text: str, fault: str = "fail -12", end: str = "") -> list[Finding]:
    return judge.findings(seen(text), of(fault), CONTROL, RULES, end)


class Verdicts(unittest.TestCase):
    def worst(self, text: str, fault: str = "fail -12", end: str = "") -> str:
        found = findings(text, fault, end)
        return str(found[0]) if found else "ok"

    def test_ok(self) -> None:
        self.assertEqual(findings(trial()), [])
        self.assertEqual(findings(trial(action=0, between=creation("one/0", 50), ), "slow"), [])

    def test_the_kernels_reports_by_how_bad_they_are(self) -> None:
        for line, kind in (
                ("BUG: KASAN: slab-use-after-free in f+0x1/0x2", "corruption"),
                ("BUG: KASAN: null-ptr-deref in f+0x1/0x2", "oops"),
                ("refcount_t: underflow; use-after-free.", "corruption"),
                ("list_del corruption, c->next is LIST_POISON1", "corruption"),
                ("BUG kmalloc-64 (Tainted: G W): Poison overwritten", "corruption"),
                ("BUG: Bad page state in process x  pfn:1", "corruption"),
                ("BUG: kernel NULL pointer dereference, address: 0", "oops"),
                ("Oops: general protection fault, 0000 [#1]", "oops"),
                ("Kernel panic - not syncing: out of everything", "oops"),
                ("INFO: task three:5 blocked for more than 10 seconds.", "hang"),
                ('INFO: kthread_stop("three/0") by rmmod:81 blocked for 10 s', "hang"),
                ("rcu: INFO: rcu_sched self-detected stall on CPU", "hang"),
                ("watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [x:1]", "hang"),
                ("unregister_netdevice: waiting for x to become free", "hang"),
                ("WARNING: possible circular locking dependency detected", "lockdep"),
                ("BUG: sleeping function called from invalid context at x.c:1", "lockdep"),
                ("WARNING: kernel/x.c:5 at f+0x1/0x2", "warning"),
                ("UBSAN: array-index-out-of-bounds in x.c:5", "warning")):
            with self.subTest(line):
                self.assertEqual(self.worst(trial(later=f"{line}\n")), f"{kind}: {line}")

    def test_a_program_may_say_what_it_likes(self) -> None:
        for line in ("explore: said n=1 step=action BUG: KASAN: bad", "kdebug: other| Oops: no"):
            self.assertEqual(findings(trial(later=f"{line}\n")), [])

    def test_what_says_where_is_left_alone(self) -> None:
        """The first frame below it is the one that prints."""
        found = findings(trial(action=0, later="BUG: KASAN: null-ptr-deref in f+0x1/0x2 [m]\nCall Trace:\n"
                               " dump_stack_lvl+0x6a/0x93\n"))
        self.assertEqual(found[0].line, "BUG: KASAN: null-ptr-deref in f+0x1/0x2 [m]")

    def test_an_oops_says_where(self) -> None:
        self.assertEqual(self.worst(trial(later="BUG: unable to handle page fault\nRIP: 0010:f+0x1/0x2 [three]\n")),
                         "oops: BUG: unable to handle page fault at f+0x1/0x2 [three]")

    def test_the_worst_first_not_the_first(self) -> None:
        found = findings(trial(action=0, later="WARNING: kernel/x.c:5 at f+0x1/0x2\nBUG: KASAN: use-after-free in f\n"
                               "explore: left n=1 kind=thread what=one/0\nexplore: leak n=1 unreferenced object 0x1\n"))
        self.assertEqual([one.kind for one in found], ["corruption", "warning", "leak", "half success", "left over"])

    def test_hang_says_where(self) -> None:
        text = trial(action="hang", between="explore: stack n=1 pid=40 comm=sh\n"
                     "explore: stack n=1 do_wait+0x1/0x2\nexplore: stack n=1 pid=41 comm=modprobe\n"
                     "explore: stack n=1 f+0x1/0x2\nexplore: stack n=1 pid=42 comm=sh\n"
                     "explore: stack n=1 do_wait+0x1/0x2\nINFO: task modprobe:41 blocked for more than 7 seconds.\n",
                     done="explore: done n=1 clean=0\n")
        self.assertEqual(self.worst(text), "hang: action does not return in f+0x1/0x2")

    def test_half_success(self) -> None:
        self.assertEqual(self.worst(trial(action=0)),
                         "half success: action returns 0 without its thread, and the rest goes well")
        self.assertEqual(self.worst(trial(action=0, again=3)),
                         "half success: action returns 0 without its thread, and again returns 3")

    def test_a_second_try_is_no_half_success(self) -> None:
        self.assertEqual(findings(trial(action=0, between=creation("one/0", 50))), [])
        # Of another name: that is not the thread.
        self.assertEqual(findings(trial(action=0, between=creation("two", 50)))[0].kind, "half success")
        self.assertEqual(findings(trial(action=0, between=creation("one/0", 50, -12)))[0].kind, "half success")

    def test_in_a_cold_guest_what_the_control_leaves_is_left_by_the_first_use(self) -> None:
        first = "explore: left n={n} kind=proc what=/proc/x\n"
        cold = seen(control("one/0").replace("explore: done", first.format(n=0) + "explore: done"))
        text = trial(later=first.format(n=1) + "explore: left n=1 kind=proc what=/proc/y\n")
        told = [str(one) for one in judge.findings(seen(text + "explore: cold n=1\n"), of("fail -12"), cold, RULES)]
        self.assertEqual(told, ["left over: proc /proc/y"])
        usual = trial(later=first.format(n=1) + "explore: cold n=1\n").replace("clean=1", "clean=0")
        self.assertEqual(judge.findings(seen(usual), of("fail -12"), cold, RULES), [])
        self.assertEqual(len(judge.findings(seen(text), of("fail -12"), cold, RULES)), 2)

    def test_a_leak_belongs_to_the_trial_that_the_agent_names(self) -> None:
        parts = console.split(consoles.raw(
            trial(1).replace("explore: checked n=1\n", "") + trial(2).replace("explore: checked n=2\n", "")
            + "kmemleak: 1 new suspected memory leaks (see ...)\nexplore: leak n=1 unreferenced object 0x1\n"
            "explore: checked n=1\nexplore: checked n=2\n"))
        self.assertEqual(round(console.read(parts[1]).seconds * 1e6), trial(1).count("\n") - 2)
        found = [judge.findings(console.read(parts[n]), of("fail -12"), CONTROL, RULES) for n in (1, 2)]
        self.assertEqual([[str(one) for one in each] for each in found], [["leak: unreferenced object 0x1"], []])

    def test_who_dies_in_the_look_for_leaks_is_not_clean(self) -> None:
        self.assertEqual(self.worst(trial(done="explore: done n=1 clean=1\n")),
                         "error: the guest ends in the look for leaks: unknown why")

    def test_left_over_and_leak(self) -> None:
        # Both rounds may tell of it.
        found = findings(trial(later="explore: left n=1 kind=module what=three in use 1\n" * 2))
        self.assertEqual([str(one) for one in found], ["left over: module three in use 1"])
        self.assertEqual(self.worst(trial(later="explore: leak n=1 unreferenced object 0x1 (size 8):\n")),
                         "leak: unreferenced object 0x1 (size 8):")

    def test_another_errno(self) -> None:
        def says(text: str, fault: str = "fail -12") -> list[Finding]:
            return findings(trial(between=f"explore: said n=1 step=action {text}\n"), fault)
        self.assertEqual(str(says("modprobe: Invalid argument")[0]),
                         "another errno: ENOMEM becomes EINVAL: modprobe: Invalid argument")
        self.assertEqual(says("modprobe: Cannot allocate memory"), [])
        self.assertEqual(says("failed, and so is that"), [])
        self.assertEqual(says("modprobe: Cannot allocate memory", "fail -4")[0].kind, "another errno")
        # ENXIO's text begins as ENODEV's.
        self.assertEqual(str(says("ioctl failed: No such device or address")[0]),
                         "another errno: ENOMEM becomes ENXIO: ioctl failed: No such device or address")
        # Who is killed says nothing of the error.
        self.assertEqual([one.kind for one in says("Invalid argument", "kill fork")], ["not reached"])

    def test_does_not_work_again(self) -> None:
        self.assertEqual(self.worst(trial(second_action=1)), "does not work again: in a second round action returns 1")
        self.assertEqual(self.worst(trial(action=0, between=creation("one/0", 50), teardown=2), "slow"),
                         "does not work again: action returns 0, but teardown returns 2")
        self.assertEqual(self.worst(trial(action=1), "slow"),
                         "does not work again: action returns 1, though its thread is only late")

    def test_not_reached_and_not_killable(self) -> None:
        self.assertEqual(self.worst(trial(hits=0)), "not reached: no creation in action() matches")
        text = trial(action=0, between="explore: notkillable n=1 pid=7 comm=kworker/0:1\n" + creation("one/0", 50))
        self.assertEqual(self.worst(text, "kill fork"), "not killable: kworker/0:1 is a kernel thread")
        self.assertEqual(self.worst(trial(), "kill claim"), "not reached: nobody was there to be killed")
        self.assertEqual(findings(trial(between="explore: killed n=1 pid=41 comm=modprobe\n"), "kill claim"), [])

    def test_a_killed_step_is_no_fault_of_its_own(self) -> None:
        self.assertEqual(findings(trial(action=137, between="explore: killed n=1 pid=41 comm=sh\n"), "kill claim"), [])

    def test_what_is_not_clean_is_not_ok(self) -> None:
        self.assertEqual(findings(trial(done="explore: done n=1 clean=0\n"))[0].kind, "error")

    def test_a_guest_that_ends_in_the_middle(self) -> None:
        text = "explore: trial n=1 fault=stop\nexplore: begin n=1 round=1 what=action\n"
        self.assertEqual(self.worst(text, end="no console byte for 60 s (silence limit)"),
                         "hang: the guest ends in action: no console byte for 60 s (silence limit)")
        self.assertEqual(self.worst(text, end="QEMU ended"), "error: the guest ends in action: QEMU ended")
        self.assertEqual(self.worst(text + "BUG: unable to handle page fault\n", end="x"),
                         "oops: BUG: unable to handle page fault")


class Control(unittest.TestCase):
    def judged(self, text: str) -> list[str]:
        return [str(one) for one in judge.findings(seen(text), CONTROL_TRIAL, seen(text), RULES)]

    def test_ok(self) -> None:
        self.assertEqual(self.judged(control("one/0")), [])

    def test_no_creation(self) -> None:
        self.assertEqual(self.judged(control()), ["error: no thread is created in action()"])
        # The workqueues' own workers are in no trial.
        self.assertEqual(self.judged(control("kworker/1:2")), ["error: no thread is created in action()"])
        self.assertEqual(self.judged(control("kworker/R-one")), [])

    def test_what_does_not_work(self) -> None:
        text = control("one/0").replace("round=1 what=setup status=0", "round=1 what=setup status=1")
        self.assertEqual(self.judged(text), ["error: with nothing armed setup returns 1"])

    def test_it_is_judged_as_all_others_are(self) -> None:
        text = control("one/0").replace("explore: done", "explore: left n=0 kind=proc what=/proc/x\nexplore: done")
        self.assertEqual(self.judged(text), ["left over: proc /proc/x"])


class Console(unittest.TestCase):
    def test_split(self) -> None:
        raw = consoles.raw("Linux version 7\n" + trial(1) + "late\n"
                           "explore: said n=1 step=x explore: trial n=7 fault=\n" + trial(2) + "end\n")
        parts = consoles.console.split(raw)
        self.assertEqual(list(parts), [1, 2])
        self.assertIn(b"late", parts[1])
        self.assertNotIn(b"Linux", parts[1])
        self.assertIn(b"end\n", parts[2])

    def test_a_line_cut_in_the_middle(self) -> None:
        raw = consoles.raw(trial(1))
        for cut in range(0, len(raw), 37):
            consoles.console.read(raw[:cut])

    def test_names_with_odd_bytes(self) -> None:
        found = seen(r"explore: created n=0 kthread=1 comm=a|b|id=5 name=x\040y\134z fn=f creator=3" + "\n").created
        self.assertEqual([(one.name, one.creator, one.kthread) for one in found], [("x y\\z", "a|b", True)])

    def test_created(self) -> None:
        self.assertEqual(CONTROL.created, ONE)
        self.assertEqual(CONTROL.made, ["one/0"])
