# SPDX-License-Identifier: GPL-2.0-only
"""What the consoles of scripts/fail-each's guests tell, in lines as they come."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from build.test_modinfo import MAGIC, elf
from kdebug.context import Context
from kdebug.guest.exit_codes import Code
from kdebug.guest.judge import Verdict
from kdebug.guest.lines import Line, parse_line
from kdebug.host.ui import Fail
from kdebug.tools import fail_each
from kdebug.tools.fail_each import Case, Story

PASS, FAILED = Verdict(Code.PASS, "pass", []), Verdict(Code.FAILED, "faileach:1 exit status 1", [])

GOOD = """\
faileach: load n=0 nth=0 pid=38
kthread_create_queue: id=37 name=a/0 fn=thread [one] creator=38
kthread_create_return: id=37 pid=39 error=0 stage=completing latency_ns=1
kthread_create_queue: id=38 name=b 1 fn=thread [one] creator=38
kthread_create_return: id=38 pid=40 error=0 stage=completing latency_ns=1
faileach: init n=0 errno=0
"""
FIRST = """\
faileach: load n=1 nth=1 pid=41
kthread_create_return: id=39 pid=0 error=-12 stage=queued latency_ns=1
faileach: init n=1 errno=-12
"""
SECOND = """\
faileach: load n=2 nth=2 pid=45
kthread_create_queue: id=42 name=a/0 fn=thread [one] creator=45
kthread_create_return: id=42 pid=46 error=0 stage=completing latency_ns=1
kthread_create_return: id=43 pid=0 error=-12 stage=queued latency_ns=1
faileach: init n=2 errno=-1
"""
AGAIN = GOOD.replace("n=0 nth", "n={n} nth").replace("init n=0", "init n={n}")
END = """\
faileach: load n=3 nth=3 pid=49
faileach: init n=3 errno=0
faileach: end n=3
"""
FIRST_DONE = FIRST + AGAIN.format(n=1) + "faileach: done n=1\n"
ALL = GOOD + FIRST_DONE + SECOND + AGAIN.format(n=2) + "faileach: done n=2\n" + END


def lines(text: str) -> list[Line]:
    return [parse_line(n, 0.0, f"[    1.000000] {line}".encode()) for n, line in enumerate(text.splitlines(), 1)]


class Tell(unittest.TestCase):
    def tell(self, text: str, verdict: Verdict = PASS, story: Story | None = None, inject: int = -12) -> Story:
        self.story = story or Story()
        self.last = fail_each.tell(self.story, lines(text), verdict, "one", inject, 10)
        fail_each.missing(self.story)
        return self.story

    def verdicts(self, text: str, verdict: Verdict = FAILED) -> list[str]:
        """Of the last case of @text, behind a control that is good."""
        story = self.tell(GOOD + text, verdict)
        assert self.last
        self.assertFalse(story.passed)
        return self.last.verdicts

    def test_all_good(self) -> None:
        story = self.tell(ALL)
        self.assertTrue(story.passed)
        self.assertEqual([(c.number, c.name, c.injected, c.init, c.verdict) for c in story.failures],
                         [(1, "a/0", -12, -12, "ok"), (2, "b 1", -12, -1, "ok")])
        self.assertEqual((story.control.init, story.control.created, story.control.verdict), (0, 2, "ok"))

    def test_nothing_is_seen(self) -> None:
        self.assertFalse(self.tell(GOOD + END.replace("3", "1")).passed)
        self.assertFalse(self.tell("").passed)
        self.assertIsNone(self.last)

    def test_without_an_end_it_has_not_passed(self) -> None:
        self.assertFalse(self.tell(ALL.replace(END, "")).passed)
        # Nor has what was under way.
        self.assertEqual(self.verdicts(FIRST), ["guest ended early: faileach:1 exit status 1"])
        self.assertEqual(self.verdicts(FIRST_DONE.replace("faileach: done n=1\n", ""), PASS), ["guest ended early: pass"])

    def test_what_the_guest_found(self) -> None:
        for said, want in (("leak thread a/0[39]", "leak: thread a/0[39]"),
                           ("leak module stays in use, refcnt 1", "leak: module stays in use, refcnt 1"),
                           ("hang init", "hang: init has not returned after 10 s"),
                           ("hang exit", "hang: exit has not returned after 10 s"),
                           ("died exit", "died in exit"),
                           ("unload errno=-16", "cannot be unloaded: -16 EBUSY"),
                           ("load errno=-4000", "cannot be loaded: -4000")):
            self.assertEqual(self.verdicts(f"{FIRST}faileach: bad n=1 {said}\n"), [want])
        self.assertEqual(self.verdicts(f"{FIRST}{AGAIN.format(n=1)}faileach: bad n=1 load errno=-16\n"),
                         ["leak: cannot be loaded again: -16 EBUSY"])

    def test_how_the_guest_ended(self) -> None:
        for code, want in ((Code.OOPS, "oops: x"), (Code.PANIC, "oops: x"), (Code.KASAN, "kasan: x"),
                           (Code.WARNING, "warning: x"), (Code.HUNG, "hang: x"), (Code.SILENCE, "hang: x"),
                           (Code.LOCKUP, "hang: x"), (Code.NO_STATUS, "no status: x")):
            self.assertEqual(self.verdicts(FIRST, Verdict(code, "x", [])), [want])
        # A line after the load belongs to that load, too.
        self.assertEqual(self.verdicts(FIRST_DONE, Verdict(Code.OOPS, "x", [])), ["oops: x"])
        self.assertEqual(self.verdicts(FIRST + "faileach: bad n=1 died init\n", Verdict(Code.OOPS, "x", [])), ["oops: x"])

    def test_a_thread_that_is_left_behind_and_dies(self) -> None:
        bug = "BUG: unable to handle page fault for address: ffffffffa0400046"
        story = self.tell(GOOD + FIRST + bug + "\n" + AGAIN.format(n=1) + "faileach: done n=1\n" + SECOND,
                          Verdict(Code.OOPS, bug, []))
        self.assertEqual([(c.number, c.verdict) for c in story.failures], [(1, f"oops: {bug}")])
        self.assertTrue(story.control.ok)
        self.assertFalse(story.ended)
        self.assertIs(self.last, story.cases[1])

    def test_an_init_that_takes_no_notice(self) -> None:
        self.assertEqual(self.verdicts(SECOND.replace("errno=-1", "errno=0") + AGAIN.format(n=2) + "faileach: done n=2\n"),
                         ["init succeeded without its thread"])
        # One that has tried again has all of its threads.
        again = SECOND.replace("faileach: init n=2 errno=-1\n", """\
kthread_create_queue: id=44 name=b 1 fn=thread [one] creator=45
kthread_create_return: id=44 pid=47 error=0 stage=completing latency_ns=1
faileach: init n=2 errno=0
""")
        story = self.tell(GOOD + again + AGAIN.format(n=2) + "faileach: done n=2\n" + END)
        self.assertEqual([c.verdict for c in story.failures], ["ok"])

    def test_only_the_injected_failure_names_the_thread(self) -> None:
        # One for want of memory, one of another errno, and one that was forked for.
        for line in ("kthread_create_return: id=0 pid=0 error=-12 stage=queued latency_ns=1",
                     "kthread_create_return: id=39 pid=0 error=-11 stage=queued latency_ns=1",
                     "kthread_create_return: id=39 pid=0 error=-12 stage=forking latency_ns=1"):
            text = FIRST.replace(FIRST.splitlines()[1], line)
            self.assertEqual(self.tell(GOOD + text + AGAIN.format(n=1) + "faileach: done n=1\n").cases[1].name, "")

    def test_others(self) -> None:
        other = "kthread_create_queue: id=50 name={} fn=thread [one] creator=7\n"
        story = self.tell(ALL.replace("faileach: init n=2", other.format("mine") + other.format("kworker/0:1")
                                      + "faileach: init n=2"))
        self.assertEqual(story.others, {"mine"})
        self.assertIn("not made to fail: mine", fail_each.report(Context(), story, Path("one.ko"), Path("/runs")))
        self.assertTrue(story.passed)

    def test_more(self) -> None:
        story = self.tell(GOOD + FIRST + """\
INFO: kthread_stop("a/0") by faileach:41 blocked for 5 s
faileach: stack one_init+0x1/0x2 [one]
one: loading out-of-tree module taints kernel.
one: sorry
 ? one_exit+0x1/0x2 [one]
 one_init+0x3/0x4 [one]
 two_init+0x3/0x4 [two]
RIP: 0010:one_init+0x5/0x6 [one]
faileach: bad n=1 hang init
""", FAILED)
        self.assertEqual(story.cases[1].more, [
            'INFO: kthread_stop("a/0") by faileach:41 blocked for 5 s', "one_init+0x1/0x2 [one]", "one: sorry",
            "one_init+0x3/0x4 [one]", "RIP: 0010:one_init+0x5/0x6 [one]"])

    def test_a_place_is_told_once(self) -> None:
        """An oops prints the stack that its warning has printed, and its RIP again behind it."""
        story = self.tell(GOOD + FIRST + """\
RIP: 0010:stop+0x5/0x6 [one]
 stop+0x5/0x6 [one]
 one_init+0x3/0x4 [one]
one: sorry
 stop+0x5/0x6 [one]
 one_init+0x3/0x4 [one]
 one_init+0x3/0x40 [one]
RIP: 0010:stop+0x5/0x6 [one]
one: sorry
faileach: stack kthread_stop+0x1/0x2
faileach: stack kthread_stop+0x1/0x2
faileach: bad n=1 hang init
""", FAILED)
        self.assertEqual(story.cases[1].more, ["RIP: 0010:stop+0x5/0x6 [one]", "one_init+0x3/0x4 [one]", "one: sorry",
                                               "one_init+0x3/0x40 [one]", "one: sorry", "kthread_stop+0x1/0x2"])

    def test_the_control(self) -> None:
        bad = GOOD.replace("errno=0", "errno=-22") + "faileach: bad n=0 load errno=-22\n"
        story = self.tell(bad, FAILED)
        self.assertEqual((self.last and self.last.number, story.control.init), (0, -22))
        text = fail_each.report(Context(), story, Path("one.ko"), Path("/runs"))
        self.assertIn("cannot be loaded: -22 EINVAL", text)
        self.assertIn("it has to load and unload with nothing failing", text)

    def test_boots_add_up(self) -> None:
        story = self.tell(GOOD + FIRST + "faileach: bad n=1 leak thread a/0[39]\n", FAILED)
        self.tell(GOOD + SECOND + AGAIN.format(n=2) + "faileach: done n=2\n" + END, PASS, story)
        self.assertEqual([c.verdict for c in story.failures], ["leak: thread a/0[39]", "ok"])
        self.assertEqual(story.control.verdict, "ok")
        self.assertFalse(story.passed)

    def test_report(self) -> None:
        story = self.tell(GOOD + FIRST + "faileach: bad n=1 leak thread a/0[39]\nfaileach: stack f+0x1/0x2\n", FAILED)
        self.tell(GOOD + SECOND + AGAIN.format(n=2) + "faileach: done n=2\n" + END, PASS, story)
        self.assertEqual(fail_each.report(Context(), story, Path("x/one.ko"), Path("/runs")).splitlines(), [
            "one.ko: each creation of a kernel thread in its init fails in turn",
            "     thread  fails with  init returned  verdict",
            "  1  a/0     -12 ENOMEM  -12 ENOMEM     leak: thread a/0[39]",
            "       f+0x1/0x2",
            "  2  b 1     -12 ENOMEM  -1 EPERM       ok",
            "  -  -       nothing     0              ok",
            "2 creations, 1 ok, 1 not; consoles: /runs"])
        text = fail_each.report(Context(), Story({0: Case(0, init=0)}, ended=True), Path("one.ko"), Path("/runs"))
        self.assertIn("no kernel thread is created in its init", text)


class Takes(unittest.TestCase):
    def test_only_what_the_module_knows(self) -> None:
        module = Path(self.enterContext(tempfile.TemporaryDirectory()), "one.ko")
        words = {"parmtype": "how_much:int", "name": "one", "vermagic": MAGIC}
        module.write_bytes(elf(words))
        fail_each._takes(module, ["how_much=1", "how-much=1", "dyndbg", "async_probe=1"])
        with self.assertRaisesRegex(Fail, "PARAMS=hwo: one.ko has no such parameter; take some of: how_much"):
            fail_each._takes(module, ["how_much=1", "hwo=1"])
        module.write_bytes(elf({k: v for k, v in words.items() if k != "parmtype"}))
        with self.assertRaisesRegex(Fail, "it has none"):
            fail_each._takes(module, ["how_much=1"])


class Config(unittest.TestCase):
    def config(self, *params: str) -> str:
        return fail_each._config(Path("a/b-c.ko"), {"name": "b_c"}, -4, 10, params)

    def test_config(self) -> None:
        self.assertEqual(self.config(), "/mod/b-c.ko\nb_c\n-4\n10\n\n")
        self.assertEqual(self.config("x=1,2", "flag", "s=a b", "e="), '/mod/b-c.ko\nb_c\n-4\n10\nx=1,2 flag s="a b" e=\n')

    def test_refused(self) -> None:
        for param in ("", "=1", 'x="1"', "x=a\nb", "a b=1", f"x={'1' * 4000}"):
            with self.assertRaises(Fail) as caught:
                self.config(param)
            self.assertNotIn("\n", str(caught.exception))
