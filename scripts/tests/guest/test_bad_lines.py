# SPDX-License-Identifier: GPL-2.0-only
"""Which lines are bad: samples of both kinds, and the file of rules."""

from __future__ import annotations

import re
import tempfile
import unittest
from pathlib import Path

from guest.test_judge import LOGS, RULES, load, verdict
from kdebug.guest import bad_lines
from kdebug.guest.exit_codes import Code
from kdebug.host.ui import Fail

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
warning sysfs: cannot create duplicate filename '/devices/virtual/workqueue/scsi_tmf_0'
warning kobject: 'x' (ff11000006b5f810): tried to init an initialized object, something is seriously wrong.
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
                self.assertIs(RULES.match(text), bad_lines.CATEGORIES[category])

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


class Own(unittest.TestCase):
    """Which lines of a report are about kthread.c or the series."""

    def test_own(self) -> None:
        for text in ("BUG: KASAN: slab-use-after-free in kthread+0x1/0x2", " comp_block_release_id+0x1/0x2",
                     "BUG: KASAN: invalid-access in __kthread_debug_hold.constprop.0+0x1/0x2",
                     " kthread_stall_check+0x1/0x2", "[<c0101234>] kthread_debug_stop+0x1/0x2",
                     " fail_create_say.isra.0+0x1/0x2"):
            with self.subTest(text):
                self.assertTrue(RULES.is_own([" f+0x1/0x2", text]))

    def test_others(self) -> None:
        for text in (" kthread+0x1/0x2", " kthreadd+0x1/0x2", " ret_from_fork+0x1/0x2", "Comm: kthread_x Not tainted",
                     "BUG: KASAN: slab-use-after-free in f+0x1/0x2", " smpboot_create_threads+0x1/0x2"):
            with self.subTest(text):
                self.assertFalse(RULES.is_own([text]))

    def test_early(self) -> None:
        """Without its other rules a run still ends where nothing is checked any more."""
        early = RULES.early()
        self.assertIsNone(early.match("BUG: KASAN: slab-use-after-free in f+0x1/0x2"))
        self.assertTrue(early.ends_checking("BUG: KASAN: slab-use-after-free in f+0x1/0x2"))
        self.assertFalse(early.ends_checking("WARNING: x"))
        self.assertTrue(early.is_own([" kthread_stall_check+0x1/0x2"]))


class Files(unittest.TestCase):
    """Errors in the data file: one line, with its place."""

    def parse(self, text: str) -> bad_lines.Rules:
        with tempfile.NamedTemporaryFile("w", suffix="-rules.txt") as f:
            f.write(text)
            f.flush()
            return bad_lines.parse(Path(f.name))

    def test_errors(self) -> None:
        for text, line, word in (
                ("bad oops x\nbad ops x\n", 2, "'ops'"),
                ("\nbad oops (x\n", 2, "regex"),
                ("bad oops x|\n", 1, "every line"),
                ("bad oops\n", 1, "not a rule"),
                ("evil oops x\n", 1, "not a rule"),
                ("unchecked\n", 1, "not a rule"),
                ("bad oops x\nown \n", 2, "not a rule"),
                ("bad oops x\nown (x\n", 2, "regex"),
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
            bad_lines.parse(Path("/no/such/file"))

    def test_good(self) -> None:
        rules = self.parse("bad oops x\nunchecked y z\nown z\nexcuse - xy\n  reason: a: b\n  until: never\n")
        self.assertTrue(rules.ends_checking("a y z") and not rules.ends_checking("y"))
        self.assertTrue(rules.is_own(["y", "z"]) and not rules.is_own(["y"]))
        self.assertEqual(rules.excuses[0].reason, "a: b")
        self.assertIsNone(rules.match("xy"))
        self.assertIs(rules.match("x"), Code.OOPS)
