# SPDX-License-Identifier: GPL-2.0-only
"""The judge over recorded and written consoles, logs/*.log.

A log starts with what it is and how it has to be judged, up to a line `---`;
the rest is the console, byte by byte. Time is the kernel's own stamps.
"""

from __future__ import annotations

import re
import tempfile
import unittest
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kdebug import console
from kdebug.console import Code, Judge, Limits, Verdict
from kdebug.ui import Fail

LOGS = Path(__file__).parent / "logs"
RULES = console.parse()


@dataclass
class Log:
    name: str
    head: dict[str, str]
    data: bytes

    def judge(self, tags: tuple[str, ...] = ()) -> Judge:
        words = dict(w.split("=") for w in self.head.get("limits", "").split())
        limits = Limits(**{k: float(v) for k, v in words.items()})  # type: ignore[arg-type]
        return Judge(RULES, self.head["nonce"], self.head["run"].split(","), 0.0, limits, tags,
                     cpus=int(self.head["cpus"]) if "cpus" in self.head else None)

    def finish(self, judge: Judge, now: float) -> Verdict:
        """QEMU's end, as the log's `end:` has it."""
        how, _, arg = self.head["end"].partition(" ")
        if how == "hang":
            for _ in range(3):
                judge.tick(judge.deadline)
        elif how == "terminated":
            judge.eof(now, 0, "qemu-system-x86_64: terminating on signal 15 from pid 7 (sh)\n")
        else:
            status = int(arg) if how == "exit" else -int(arg)
            judge.eof(now, status, "qemu: bad option\n" if status > 0 else "")
        assert judge.verdict
        return judge.verdict

    def play(self, data: bytes | None = None, tags: tuple[str, ...] = ()) -> Judge:
        """Line by line, each at the time of its stamp."""
        judge, now = self.judge(tags), 0.0
        for line in (self.data if data is None else data).splitlines(keepends=True):
            if m := re.search(rb"\[ *(\d+\.\d{6})\]", line):
                now = max(now, float(m[1]))
            judge.tick(now)
            judge.feed(now, line)
        self.finish(judge, now)
        return judge


def load(path: Path) -> Log:
    head, data = path.read_bytes().split(b"---\n", 1)
    words = (line[2:].split(": ", 1) for line in head.decode().splitlines())
    return Log(path.stem, {key: value for key, value in words}, data)


def logs() -> Iterator[Log]:
    yield from map(load, sorted(LOGS.glob("*.log")))


def verdict(judge: Judge) -> Verdict:
    assert judge.verdict
    return judge.verdict


class Recorded(unittest.TestCase):
    def test_verdicts(self) -> None:
        """Each log's code, and the first of the lines that matter."""
        for log in logs():
            with self.subTest(log.name):
                v = verdict(log.play())
                self.assertEqual(v.code.name, log.head["expect"], v.reason)
                if log.head["first"]:
                    self.assertRegex(v.lines[0].text, "^" + log.head["first"])
                self.assertLessEqual(len(v.lines), console.SHOWN)

    def test_every_code_has_a_log(self) -> None:
        """But those that no console can give."""
        seen = {Code[log.head["expect"]] for log in logs()}
        self.assertEqual(set(Code) - seen, {Code.USAGE, Code.UNEXPECTED, Code.INTERRUPTED})

    def test_only_the_good_pass(self) -> None:
        good = {log.name for log in logs() if log.head["expect"] == "PASS"}
        self.assertEqual(good, {"pass", "odd-output", "firmware", "quotes", "same-program-twice",
                                "ktap-skip-todo", "ktap-nested-plan"})

    def test_any_chunks(self) -> None:
        """The verdict does not depend on how the bytes come."""
        for log in logs():
            for size in (1, 7, 1 << 20):
                with self.subTest(log.name, size=size):
                    judge = log.judge()
                    for i in range(0, len(log.data), size):
                        judge.feed(0.0, log.data[i:i + size])
                    if "limits" not in log.head:  # time stands still here
                        self.assertEqual(log.finish(judge, 0.0).code.name, log.head["expect"])

    def test_other_dress(self) -> None:
        """CRs, caller ids, levels and NULs make no difference."""
        dress: dict[str, Callable[[bytes], bytes]] = {
            "crlf": lambda d: d.replace(b"\n", b"\r\n"),
            "task": lambda d: re.sub(rb"(?m)^(\[ *\d+\.\d{6}\])", rb"\1[   T42]", d),
            "cpu": lambda d: re.sub(rb"(?m)^(\[ *\d+\.\d{6}\])", rb"\1[    C1]", d),
            "level": lambda d: re.sub(rb"(?m)^\[", rb"<6>[", d),
            "nul": lambda d: b"\0\0" + d,
            "color": lambda d: re.sub(rb"(?m)^(\[ *\d+\.\d{6}\] )(.*)$", b"\x1b7\\1\x1b[0;1m\\2\x1b[m", d),
            "firmware": lambda d: b"WARNING: BUG: firmware\nBooting..." + d,
        }
        for log in logs():
            if log.name.startswith(("garbage", "nothing", "qemu")):
                continue
            for name, change in dress.items():
                with self.subTest(log.name, dress=name):
                    v = verdict(log.play(change(log.data)))
                    self.assertEqual(v.code.name, log.head["expect"], v.reason)

    def test_cut_anywhere_is_no_pass(self) -> None:
        log = load(LOGS / "pass.log")
        end = log.data.index(b"\n", log.data.index(b"kdebug: end")) + 1
        for cut in range(end):
            judge = log.judge()
            judge.feed(0.0, log.data[:cut])
            judge.eof(0.0, 0)
            self.assertIn(verdict(judge).code, (Code.NO_STATUS, Code.GARBLED), cut)

    def test_a_wrong_byte_in_the_status_is_no_pass(self) -> None:
        log = load(LOGS / "pass.log")
        for m in re.finditer(rb"kdebug: (status|end)[^\r\n]*", log.data):
            for i in range(*m.span()):
                for wrong in b"\x00 9fx\n":
                    if log.data[i] != wrong:
                        data = log.data[:i] + bytes([wrong]) + log.data[i + 1:]
                        self.assertIsNot(verdict(log.play(data)).code, Code.PASS, data[m.start():m.end()])

    def test_line_numbers(self) -> None:
        """As an editor counts them in console.log, long lines and all."""
        log = load(LOGS / "oops.log")
        data = b"x" * (console.MAX_LINE * 3) + b"\n" + log.data
        first = verdict(log.play(data)).lines[0]
        self.assertIn(first.text.encode(), data.split(b"\n")[first.number - 1])

    def test_ktap(self) -> None:
        program = load(LOGS / "ktap-skip-todo.log").play().programs[0]
        self.assertEqual([(t.name, t.result) for t in program.tests],
                         [("a", "ok"), ("b", "skip"), ("c", "todo")])
        nested = load(LOGS / "ktap-nested.log").play().programs[0]
        self.assertEqual([t.depth > 0 for t in nested.tests], [True, False])

    def test_verdict_skips_registers(self) -> None:
        shown = "\n".join(line.text for line in verdict(load(LOGS / "oops.log").play()).lines)
        self.assertIn("Call Trace:", shown)
        self.assertNotIn("RAX:", shown)
        arm = "\n".join(line.text for line in verdict(load(LOGS / "oops-arm64.log").play()).lines)
        self.assertIn("pc : init", arm)
        self.assertNotIn("x29:", arm)


class Time(unittest.TestCase):
    """The limits, on a clock of the test's own."""

    def setUp(self) -> None:
        self.judge = Judge(RULES, "abc123", ["prog"], 100.0, Limits(boot=30, silence=20, total=90))

    def code(self) -> Code | None:
        return self.judge.verdict.code if self.judge.verdict else None

    def test_boot(self) -> None:
        for now in (110.0, 125.0, 129.9):
            self.judge.feed(now, b"[    0.000000] something\n")
            self.judge.tick(now)
        self.assertIsNone(self.code())
        self.judge.tick(130.0)
        self.assertIs(self.code(), Code.BOOT)

    def test_hello_ends_the_boot_limit(self) -> None:
        self.judge.feed(129.0, b"[    0.000000] kdebug: init nonce=abc123\n")
        self.judge.tick(148.9)
        self.assertIsNone(self.code())
        self.judge.tick(149.0)
        self.assertIs(self.code(), Code.SILENCE)

    def test_hello_has_to_be_guest_inits(self) -> None:
        self.judge.feed(101.0, b"[    0.0] kdebug: init\n[    0.000000] Kernel command line: kdebug: init\n")
        self.judge.tick(130.0)
        self.assertIs(self.code(), Code.BOOT)

    def test_any_byte_is_no_silence(self) -> None:
        self.judge.feed(101.0, b"[    0.000000] kdebug: init nonce=abc123\n")
        for now in range(102, 190, 10):
            self.judge.feed(now, b".")
            self.judge.tick(now)
        self.assertIsNone(self.code())
        self.judge.tick(190.0)
        self.assertIs(self.code(), Code.TOTAL)

    def test_as_many_cpus_as_asked_for(self) -> None:
        for said, why in (("cpus=2", ""), ("cpus=1", "1 CPU online, 2 asked for"),
                          ("cpus=0", "0 CPUs online, 2 asked for"), ("cpus=4", "4 CPUs online, 2 asked for"),
                          ("cpus=", "unknown how many CPUs are online, 2 asked for"),
                          ("", "unknown how many CPUs are online, 2 asked for")):
            with self.subTest(said):
                judge = Judge(RULES, "abc123", ["prog"], 0.0, cpus=2)
                judge.feed(1.0, f"[    0.000000] kdebug: init nonce=abc123 {said}".rstrip().encode() + b"\n")
                judge.feed(1.0, b"[    0.000000] kdebug: status nonce=abc123 prog=prog exit=0\n"
                           b"[    0.000000] kdebug: end nonce=abc123 progs=1 failed=0\n")
                judge.eof(1.0, 0)
                assert judge.verdict
                want = (Code.CPUS, why) if why else (Code.PASS, "pass")
                self.assertEqual((judge.verdict.code, judge.verdict.reason), want)

    def test_late_runner(self) -> None:
        """What came while the runner slept counts before the limit."""
        self.judge.feed(500.0, b"[    0.000000] kdebug: init nonce=abc123\n"
                        b"[    0.000000] kdebug: status nonce=abc123 prog=prog exit=0\n"
                        b"[    0.000000] kdebug: end nonce=abc123 progs=1 failed=0\n")
        self.judge.eof(500.0, 0)
        self.assertIs(self.code(), Code.PASS)

    def test_context_of_a_bad_line_is_bounded(self) -> None:
        self.judge.feed(101.0, b"[    1.000000] Linux version 7.3.4\n[    1.000000] WARNING: x\n")
        self.assertIsNone(self.code())
        self.assertLessEqual(self.judge.deadline, 104.0)
        self.judge.tick(self.judge.deadline)
        self.assertIs(self.code(), Code.WARNING)

    def test_context_is_bounded_in_lines(self) -> None:
        self.judge.feed(101.0, b"[    1.000000] WARNING: x\n" + b"[    1.000000] y\n" * 1000)
        self.assertIs(self.code(), Code.WARNING)

    def test_panic_at_once(self) -> None:
        self.judge.feed(101.0, b"[    1.000000] Kernel panic - not syncing: x\n")
        self.assertLessEqual(self.judge.deadline, 101.5)

    def test_panic_shortens_an_oops(self) -> None:
        self.judge.feed(101.0, b"[    1.000000] Oops: x\n[    1.000000] Kernel panic - not syncing: x\n")
        self.assertLessEqual(self.judge.deadline, 101.5)
        self.judge.tick(101.5)
        self.assertIs(self.code(), Code.OOPS)

    def test_flood(self) -> None:
        judge = Judge(RULES, "abc123", ["prog"], 0.0, Limits(size=1000))
        judge.feed(1.0, b"x\n" * 501)
        self.assertIs(verdict(judge).code, Code.TOTAL)

    def test_memory_is_bounded(self) -> None:
        for _ in range(5):
            self.judge.feed(101.0, b"[    1.000000] y\n" * console.KEEP)
        self.assertLessEqual(len(self.judge.lines), console.KEEP)

    def test_a_line_without_end_is_judged_in_pieces(self) -> None:
        self.judge.feed(101.0, b"x" * (console.MAX_LINE + 1))
        self.assertEqual(len(self.judge.lines), 1)

    def test_guest_seconds(self) -> None:
        self.judge.feed(101.0, b"[    7.250000] y\nraw\n")
        self.assertEqual(self.judge.guest, 7.25)


# What the kernel prints (7.3's formats, arguments filled in), and its category.
SAMPLES = """
panic Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b
panic ---[ end Kernel panic - not syncing: softlockup: hung tasks ]---
panic PANIC: double fault, error_code: 0x0
panic PANIC: early exception 0x0e IP 10:ffffffff81a2 error 0 cr2 0x8
kasan BUG: KASAN: slab-out-of-bounds in misbehave_init+0x2f/0x1000 [misbehave]
kasan BUG: KASAN: invalid-access
kcsan BUG: KCSAN: data-race in a / b
bad BUG: KFENCE: use-after-free read in x+0x1/0x2
bad BUG: KMSAN: uninit-value in x+0x1/0x2
bad UBSAN: shift-out-of-bounds in lib/x.c:3:4
kmemleak kmemleak: 1 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
kmemleak kmemleak: Kernel memory leak detector disabled
kmemleak kmemleak: Memory pool empty, consider increasing CONFIG_DEBUG_KMEMLEAK_MEM_POOL_SIZE
lockdep DEBUG_LOCKS_WARN_ON(lock->magic != lock)
lockdep WARNING: possible circular locking dependency detected
lockdep WARNING: possible recursive locking detected
lockdep WARNING: possible irq lock inversion dependency detected
lockdep WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected
lockdep WARNING: inconsistent lock state
lockdep WARNING: suspicious RCU usage
lockdep WARNING: bad unlock balance detected!
lockdep WARNING: bad contention detected!
lockdep WARNING: held lock freed!
lockdep WARNING: prog/40 still has locks held!
lockdep WARNING: lock held when returning to user space!
lockdep WARNING: Nested lock was not taken
lockdep WARNING: chain_key collision
lockdep [ BUG: Invalid wait context ]
lockdep INFO: trying to register non-static key.
lockdep BUG: key ffff888004c5a040 has not been registered!
lockdep BUG: MAX_LOCKDEP_ENTRIES too low!
lockdep BUG: MAX_LOCK_DEPTH too low!
lockdep BUG: MAX_STACK_TRACE_ENTRIES too low!
lockdep turning off the locking correctness validator.
lockdep BUG: sleeping function called from invalid context at kernel/locking/mutex.c:591
lockdep BUG: scheduling while atomic: lk/38/0x00000002
lockdep BUG: scheduling in a non-blocking section: lk/38/1
lockdep BUG: assuming atomic context at x.c:3
lockdep BUG: workqueue leaked atomic, lock or RCU: kworker/0:1[9]
lockdep BUG: spinlock bad magic on CPU#0, swapper/0
rcu rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu rcu: INFO: rcu_sched self-detected stall on CPU
rcu rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-....
rcu INFO: rcu_tasks detected stalls on tasks:
rcu rcu: INFO: rcu_preempt detected stall, but suppressed full report due to a stuck CSD-lock.
rcu rcu: rcu_preempt kthread starved for 5000 jiffies! g-1147 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 ->cpu=1
lockup watchdog: BUG: soft lockup - CPU#1 stuck for 5s! [migration/1:19]
lockup watchdog: CPU0: Watchdog detected hard LOCKUP on cpu 1
lockup BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 31s!
lockup csd: Detected non-responsive CSD lock (#1) on CPU#0, waiting 5000000032 ns for CPU#01 x+0x0/0x9(y).
hung INFO: task misbehave:39 blocked for more than 4 seconds.
hung INFO: task a b:39 blocked in I/O wait for more than 120 seconds.
hung INFO: kthread_create("test_task") by kill_task:29 blocked for 10 s in stage completing, held by comp_block
hung INFO: kthread_stop("worker") by rmmod:81 blocked for 10 s
oops BUG: kernel NULL pointer dereference, address: 0000000000000008
oops BUG: unable to handle page fault for address: ffffc900deadbeef
oops BUG: TASK stack guard page was hit at ffa000000025f428 (stack is ffa0000000260000..ffa0000000268000)
oops Oops: general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP
oops general protection fault: 0000 [#1] SMP
oops kernel BUG at kernel/kthread.c:311!
oops Unable to handle kernel paging request at virtual address dead000000000108
oops Internal error: Oops - Undefined instruction: 0000000002000000 [#1]  SMP
oops Insufficient stack space to handle exception!
oops SError Interrupt on CPU0, code 0x00000000be000011 -- SError
oops Bad mode in prefetch abort handler detected
oops Unhandled fault: external abort (0x008) at 0x00000000
oops Kernel BUG [#1]
bad list_del corruption, ffff888004c5a040->next is LIST_POISON1 (dead000000000100)
bad BUG: Bad page state in process prog  pfn:0a3c1
bad BUG kmalloc-64 (Tainted: G    B   ): Poison overwritten
bad usercopy: Kernel memory exposure attempt detected from SLUB object 'task_struct' (offset 9, size 1)!
bad unregister_netdevice: waiting for eth0 to become free. Usage count = 2
bad bad: scheduling from the idle thread!
bad irq 19: nobody cared (try booting with the "irqpoll" option)
bad Out of memory: Killed process 40 (prog) total-vm:1kB, anon-rss:1kB
bad BUG: arch topology borken
bad [ BUG: something of tomorrow's ]
warning refcount_t: underflow; use-after-free.
warning WARNING: kernel/kthread.c:569 at kthread_bind_mask+0x2c/0x90, CPU#0: prog/40
warning WARNING: at kthread_bind_mask+0x2c/0x90, CPU#0: prog/40
bad ** 17 printk messages dropped **
"""

HARMLESS = """
Kernel command line: x="INFO: rcu_sched self-detected stall on CPU" panic=-1
Command line: x="BUG: soft lockup - CPU#"
Call Trace:
sysrq: Show Blocked State
task:kill_task state:D stack:0     pid:29    tgid:29    ppid:2
Kernel memory leak detector initialized (mem pool available: 15823)
kmemleak: Automatic memory scanning thread started
clocksource: Watchdog remote CPU 1 read timed out
watchdog: Delayed init of the lockup detector failed: -19
traps: prog[40] general protection fault ip:401000 sp:7ffd1c8f1c20 error:0 in prog[401000+1000]
prog[40]: segfault at 8 ip 0000000000401000 sp 00007ffd1c8f1c20 error 6 in prog[401000+1000]
x86/fpu: x87 FPU will use FXSAVE
Warning: unable to open an initial console.
rcu: Hierarchical RCU implementation.
rcu: RCU lockdep checking is enabled.
Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar
hung_task: on
FAULT_INJECTION: forcing a failure.
name comp_block, interval 1, probability 100, space 0, times 1
"""


class Lines(unittest.TestCase):
    def test_samples(self) -> None:
        for sample in SAMPLES.strip().splitlines():
            category, text = sample.split(" ", 1)
            with self.subTest(text):
                self.assertIs(RULES.match(text), console.CATEGORIES[category])

    def test_harmless(self) -> None:
        for text in HARMLESS.strip().splitlines():
            with self.subTest(text):
                self.assertIsNone(RULES.match(text))

    def test_no_rule_is_dead(self) -> None:
        """Each is the first to match a sample; else it stands behind another."""
        texts = [s.split(" ", 1)[1] for s in SAMPLES.strip().splitlines()]
        used = {next(i for i, (_, regex) in enumerate(RULES.bad) if regex.search(t)) for t in texts}
        self.assertEqual([r.pattern for i, (_, r) in enumerate(RULES.bad) if i not in used], [])

    def test_excuse_needs_its_tag(self) -> None:
        log = load(LOGS / "stall-report.log")
        self.assertIs(verdict(log.play()).code, Code.HUNG)
        self.assertIs(verdict(log.play(tags=("other",))).code, Code.HUNG)
        self.assertIs(verdict(log.play(tags=("stall-report",))).code, Code.PASS)


class Files(unittest.TestCase):
    """Errors in the data file: one line, with its place."""

    def parse(self, text: str) -> console.Rules:
        with tempfile.NamedTemporaryFile("w", suffix="-rules.txt") as f:
            f.write(text)
            f.flush()
            return console.parse(Path(f.name))

    def test_errors(self) -> None:
        for text, line, word in (
                ("bad oops x\nbad ops x\n", 2, "'ops'"),
                ("\nbad oops (x\n", 2, "regex"),
                ("bad oops x|\n", 1, "every line"),
                ("bad oops\n", 1, "not a rule"),
                ("evil oops x\n", 1, "not a rule"),
                ("bad oops x\n  reason: y\n", 2, "stray"),
                ("bad oops x\nexcuse - y\n  why: z\n", 3, "stray"),
                ("bad oops x\nexcuse - y\n  reason: z\n", 2, "until"),
                ("bad oops x\nexcuse - y\n  until: z\nbad oops z\n", 2, "reason"),
                ("bad oops x\nexcuse - y\n  reason:\n", 3, "stray")):
            with self.subTest(text), self.assertRaises(Fail) as caught:
                self.parse(text)
            self.assertRegex(str(caught.exception), rf"-rules\.txt:{line}: .*{re.escape(word)}")
            self.assertNotIn("\n", str(caught.exception))

    def test_empty(self) -> None:
        with self.assertRaisesRegex(Fail, "no `bad` rule"):
            self.parse("# nothing\n")

    def test_missing(self) -> None:
        with self.assertRaisesRegex(Fail, "/no/such/file"):
            console.parse(Path("/no/such/file"))

    def test_good(self) -> None:
        rules = self.parse("bad oops x\nexcuse - xy\n  reason: a: b\n  until: never\n")
        self.assertEqual(rules.excuses[0].reason, "a: b")
        self.assertIsNone(rules.match("xy"))
        self.assertIs(rules.match("x"), Code.OOPS)


if __name__ == "__main__":
    unittest.main()
