# SPDX-License-Identifier: GPL-2.0-only
"""The judge over recorded and written consoles, logs/*.log.

A log starts with what it is and how it has to be judged, up to a line `---`;
the rest is the console, byte by byte. Time is the kernel's own stamps.
"""

from __future__ import annotations

import re
import unittest
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kdebug.guest import bad_lines
from kdebug.guest.exit_codes import Code
from kdebug.guest.judge import Judge, KEEP, Limits, MAX_LINE, SHOWN, Verdict

LOGS = Path(__file__).parent / "logs"
RULES = bad_lines.parse()


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
                self.assertLessEqual(len(v.lines), SHOWN)

    def test_every_code_has_a_log(self) -> None:
        """But those that no console can give."""
        seen = {Code[log.head["expect"]] for log in logs()}
        self.assertEqual(set(Code) - seen, {Code.USAGE, Code.UNEXPECTED, Code.INTERRUPTED})

    def test_only_the_good_pass(self) -> None:
        good = {log.name for log in logs() if log.head["expect"] == "PASS"}
        self.assertEqual(good, {"pass", "odd-output", "firmware", "quotes", "same-program-twice",
                                "ktap-skip-todo", "ktap-nested-plan"})

    def test_kasan_before_user_space(self) -> None:
        """It reports once: such a run says that nothing was checked, or that the series is at fault. Behind init
        it is a report as any other. So it is where the other rules are not wanted."""
        log = load(LOGS / "kasan-before-init.log")
        v = verdict(log.play())
        self.assertRegex(v.reason, "^before user space, and nothing is checked behind it: BUG: KASAN: ")
        hello = b"[    0.050000] kdebug: init nonce=abc123\n"
        self.assertIs(verdict(log.play(log.data.replace(b"[    0.091211]", hello + b"[    0.091211]", 1))).code,
                      Code.KASAN)
        for name, code in (("kasan-before-init", Code.UNCHECKED), ("kasan-before-init-own", Code.KASAN),
                           ("kasan", Code.NO_STATUS)):
            log = load(LOGS / f"{name}.log")
            judge = Judge(RULES.early(), log.head["nonce"], log.head["run"].split(","), 0.0)
            judge.feed(0.0, log.data)
            if not judge.verdict:
                judge.eof(0.0, 0)
            self.assertIs(verdict(judge).code, code, name)

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
        data = b"x" * (MAX_LINE * 3) + b"\n" + log.data
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
            self.judge.feed(101.0, b"[    1.000000] y\n" * KEEP)
        self.assertLessEqual(len(self.judge.lines), KEEP)

    def test_a_line_without_end_is_judged_in_pieces(self) -> None:
        self.judge.feed(101.0, b"x" * (MAX_LINE + 1))
        self.assertEqual(len(self.judge.lines), 1)

    def test_guest_seconds(self) -> None:
        self.judge.feed(101.0, b"[    7.250000] y\nraw\n")
        self.assertEqual(self.judge.guest, 7.25)
