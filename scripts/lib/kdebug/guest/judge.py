# SPDX-License-Identifier: GPL-2.0-only
"""Judge a guest by its console. Pure: bytes and the host's time go in.

There is no I/O and no clock in Judge, so that recorded consoles and made-up
hours can be judged in tests. A run passes only on explicit word from the guest
(see Judge._status and Judge._end); whatever else happens has a code of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from kdebug.guest import ktap
from kdebug.guest.bad_lines import Rules
from kdebug.guest.exit_codes import Code
from kdebug.guest.lines import Line, parse_line

HELLO = re.compile(r"kdebug: init nonce=[0-9a-f]+ cpus=(\d{1,4})")
STATUS = re.compile(r"kdebug: status nonce=([0-9a-f]+) prog=(\S+) exit=(\d{1,3})")
END = re.compile(r"kdebug: end nonce=([0-9a-f]+) progs=(\d{1,4}) failed=(\d{1,4})")
BANNER = re.compile(r"Linux version \d")
CUT = re.compile(r"-+\[ cut here \]-+$|=+$")
# Of a report, what only fills the screen: registers, code bytes, guesses.
NOISE = re.compile(r" *(?:[A-Za-z]\w{0,4} ?: *(?:\w{4}:)?[0-9a-f]{8}|Code: |CS: |PGD |Modules linked in:|"
                   r"Tainted:|Hardware name:|\? |</?(?:TASK|IRQ|NMI)>$|$)")


@dataclass(frozen=True)
class Limits:
    """In host seconds. Silence counts from guest init on: before, there is the
    boot limit, so that a hang before and a hang after are told apart."""

    boot: float = 120
    silence: float = 60
    total: float = 600
    size: int = 64 << 20  # bytes: a flood would fill the disk


@dataclass(frozen=True)
class Test:
    """A line of KTAP."""

    name: str
    result: str  # ok | not ok | skip | todo
    depth: int   # of KTAP's nesting


@dataclass
class Program:
    """A guest program that is to run, and what came of it."""

    spec: str                 # as in kdebug.run=
    exit: int | None = None   # None: no status line
    tests: list[Test] = field(default_factory=list)
    plan: int | None = None

    @property
    def names(self) -> tuple[str, str]:
        """What the guest may call it: with its arguments, or without."""
        return self.spec, self.spec.split(":")[0]

    def problem(self) -> str | None:
        """Why this is no success; exit 0 alone does not outweigh its KTAP."""
        if self.exit is None:
            return f"{self.spec} gave no status"
        if self.exit:
            return f"{self.spec} exit status {self.exit}"
        if bad := [t.name for t in self.tests if t.result == "not ok"]:
            return f"{self.spec} not ok: {', '.join(bad[:5])}"
        ran = sum(t.depth == 0 for t in self.tests)
        if self.plan is not None and ran != self.plan:
            return f"{self.spec} planned {self.plan} tests, gave {ran} results"
        return None


@dataclass
class Verdict:
    """How a run ended."""

    code: Code
    reason: str
    lines: list[Line]  # the first that matter, at most SHOWN


SHOWN = 12           # lines that a verdict shows
LEAD = 6             # so far above a bad line its "cut here" or "====" may be
MAX_LINE = 64 << 10  # longer ones are judged in pieces
KEEP = 20_000        # lines kept in memory; console.log has them all


class Judge:
    """Feed it, ask .verdict after each call and call tick() at .deadline."""

    def __init__(self, rules: Rules, nonce: str, programs: Sequence[str], start: float,
                 limits: Limits = Limits(), tags: Iterable[str] = (),
                 on_line: Callable[[Line], None] | None = None, cpus: int | None = None) -> None:
        self.programs = [Program(spec) for spec in programs]
        self.lines: list[Line] = []
        self.verdict: Verdict | None = None
        self.guest = 0.0
        self._on_line = on_line
        self._rules, self._nonce, self._tags = rules, nonce, frozenset(tags)
        self._cpus = cpus  # that the guest has to bring up; None: any number
        self._limits, self._start, self._heard = limits, start, start
        self._partial, self._number = b"", 1
        self._bytes = 0
        self._banners = 0
        self._hello = self._ended = False
        self._cut: Line | None = None         # a status line without its end
        self._done = 0                        # programs that gave their status
        self._bad: tuple[Code, str, int] | None = None  # code, reason, index in lines
        self._settle = 0.0                    # end of a bad line's context
        self._context = 0

    def feed(self, now: float, data: bytes) -> None:
        """Console bytes, as they come."""
        self._heard = now
        self._bytes += len(data)
        if self._bytes > self._limits.size:
            self._end_run(Code.TOTAL, f"more than {self._limits.size >> 20} MiB of console",
                          self.lines[-SHOWN:])
        *whole, self._partial = (self._partial + data).split(b"\n")
        for raw in whole:
            self._line(now, raw)
            self._number += 1
        if len(self._partial) > MAX_LINE:
            self._line(now, self._partial)
            self._partial = b""

    def tick(self, now: float) -> None:
        """Let time pass. Feed what has arrived first: a runner that was starved
        itself must not take that for the guest's silence."""
        if self.verdict or now < self.deadline:
            return
        if self._bad:
            self._close()
            return
        _, code, what = self._limit()
        if self._partial:  # what stands there unfinished may say why
            self._line(now, self._partial, whole=False)
            self._partial = b""
            if self._bad:
                self._close()
        tail = self.lines[-SHOWN:]
        last = f"; last line: {tail[-1].text[:80]!r}" if tail else "; no line at all"
        self._end_run(code, what + last, tail)

    @property
    def deadline(self) -> float:
        return self._settle if self._bad else self._limit()[0]

    def _limit(self) -> tuple[float, Code, str]:
        lim = self._limits
        total = (self._start + lim.total, Code.TOTAL, f"not ended after {lim.total:g} s (total limit)")
        if not self._hello:
            return min(total, (self._start + lim.boot, Code.BOOT,
                               f"no guest init after {lim.boot:g} s (boot limit)"))
        return min(total, (self._heard + lim.silence, Code.SILENCE,
                           f"no console byte for {lim.silence:g} s (silence limit)"))

    def eof(self, now: float, status: int, stderr: str = "") -> None:
        """QEMU has ended, with subprocess's returncode and this on stderr."""
        if self._partial:
            self._line(now, self._partial, whole=False)
        if self._bad:
            self._close()
        if self.verdict:
            return
        tail = self.lines[-SHOWN:]
        error = next((s for s in stderr.splitlines() if s.strip()), "")
        # QEMU exits with 0 when a signal asks it to.
        if status or "terminating on signal" in stderr:
            how = f"signal {-status}" if status < 0 else f"status {status}"
            if not self._bytes and status > 0:
                self._end_run(Code.NO_QEMU, f"QEMU did not start: {error or how}", [])
            else:
                self._end_run(Code.LOST, f"QEMU ended with {how}" + (f": {error}" if error else ""), tail)
        elif self._cut:
            self._garbled("cut short", self._cut)
        elif not self._ended:
            missing = ", ".join(p.spec for p in self.programs[self._done:])
            self._end_run(Code.NO_STATUS, "guest ended without " +
                          (f"the status of {missing}" if missing else "its end line"), tail)
        elif problems := [s for p in self.programs if (s := p.problem())]:
            names = {name for p in self.programs if p.problem() for name in p.names}
            said = [ln for ln in self.lines if ln.prog in names]
            why = [ln for ln in said if ln.said.lstrip().startswith("not ok")] or said[-SHOWN:]
            self._end_run(Code.FAILED, "; ".join(problems), why[:SHOWN])
        else:
            self._end_run(Code.PASS, "pass", [])

    # -- inside

    def _end_run(self, code: Code, reason: str, lines: list[Line]) -> None:
        if not self.verdict:
            self.verdict = Verdict(code, reason, lines)

    def _close(self) -> None:
        """A bad line's context is complete: show it from its report's head on."""
        assert self._bad
        code, reason, at = self._bad
        if code is Code.UNCHECKED:
            report = [ln.text for ln in self.lines[at:] if not NOISE.match(ln.text)]
            if self._rules.is_own(report):
                code = self._rules.match(reason, self._tags) or Code.KASAN
            else:
                reason = f"before user space, and nothing is checked behind it: {reason}"
        head = [i for i in range(max(0, at - LEAD), at) if CUT.match(self.lines[i].text)]
        at = head[-1] if head else at
        self._end_run(code, reason, [ln for ln in self.lines[at:] if not NOISE.match(ln.text)][:SHOWN])

    def _line(self, now: float, raw: bytes, whole: bool = True) -> None:
        line = parse_line(self._number, now, raw)
        if not self._bad and len(self.lines) >= KEEP:
            del self.lines[:KEEP // 2]
        self.lines.append(line)
        if self._on_line:
            self._on_line(line)
        if line.guest is not None:
            self.guest = line.guest
        if self.verdict:
            return
        if self._bad:
            self._more(now, line)
            return
        if line.guest is not None and line.text.startswith("kdebug: "):
            self._hello = True
        if line.prog:
            self._ktap(line.prog, line.said)
        elif line.guest is not None and line.text.startswith("kdebug: "):
            self._protocol(line, whole)
        elif line.guest is not None and BANNER.match(line.text):
            self._banners += 1
            if self._banners > 1:
                self._end_run(Code.REBOOT, "a second kernel started", self.lines[-SHOWN:])
        elif line.guest is not None or self._banners:
            # Without a stamp before the banner: firmware's own words.
            self._judge(now, line)

    def _judge(self, now: float, line: Line) -> None:
        code = self._rules.match(line.text, self._tags)
        if not self._hello and self._rules.ends_checking(line.text):
            code = Code.UNCHECKED
        if code is not None:
            self._bad = (code, line.text[:200], len(self.lines) - 1)
            self._settle = now + (0.5 if code is Code.PANIC else 2.0)

    def _more(self, now: float, line: Line) -> None:
        """Behind a bad line: a little context, none after the kernel's end."""
        self._context += 1
        if self._context >= 200 or BANNER.match(line.text):
            self._close()
        elif line.guest is not None and line.text.startswith("Kernel panic"):
            self._settle = min(self._settle, now + 0.5)

    def _protocol(self, line: Line, whole: bool) -> None:
        kind = line.text.split(" ", 2)[1]
        if not whole:
            self._cut = line
        elif kind == "init":
            self._init(line)
        elif kind == "status":
            self._status(line)
        elif kind == "end":
            self._end(line)
        elif kind.startswith(("stat", "end")):
            self._garbled("garbled", line)

    def _init(self, line: Line) -> None:
        """With one CPU a test of a race shows nothing, and passes."""
        if self._cpus is None:
            return
        m = HELLO.fullmatch(line.text)
        online = f"{m[1]} CPU{'s' * (m[1] != '1')} online" if m else "unknown how many CPUs are online"
        if not m or int(m[1]) != self._cpus:
            self._end_run(Code.CPUS, f"{online}, {self._cpus} asked for", [line])

    def _garbled(self, what: str, line: Line) -> None:
        self._end_run(Code.GARBLED, f"status {what}: {line.text[:120]!r}", [line])

    def _status(self, line: Line) -> None:
        m = STATUS.fullmatch(line.text)
        if not m:
            self._garbled("garbled", line)
        elif m[1] != self._nonce:
            self._garbled("of another run (wrong nonce)", line)
        elif self._ended:
            self._garbled("behind the end line", line)
        elif self._is_next(m[2]):
            self.programs[self._done].exit = int(m[3])
            self._done += 1
        elif any(m[2] in p.names for p in self.programs[:self._done]):
            self._garbled("given twice", line)
        else:
            self._garbled("of a program that is not the next", line)

    def _is_next(self, prog: str) -> bool:
        return self._done < len(self.programs) and prog in self.programs[self._done].names

    def _end(self, line: Line) -> None:
        m = END.fullmatch(line.text)
        failed = sum(bool(p.exit) for p in self.programs)
        if not m:
            self._garbled("garbled", line)
        elif m[1] != self._nonce:
            self._garbled("of another run (wrong nonce)", line)
        elif self._ended:
            self._garbled("given twice", line)
        elif self._done < len(self.programs):
            missing = ", ".join(p.spec for p in self.programs[self._done:])
            self._end_run(Code.NO_STATUS, f"guest ended without the status of {missing}", [line])
        elif (int(m[2]), int(m[3])) != (self._done, failed):
            self._garbled(f"contradicts itself ({self._done} programs, {failed} failed)", line)
        else:
            self._ended = True

    def _ktap(self, prog: str, said: str) -> None:
        if not self._is_next(prog):
            return
        program = self.programs[self._done]
        if found := ktap.result(said):
            program.tests.append(Test(found.name or str(found.number), found.result, found.indent // 2))
        elif not said.startswith(" ") and (plan := ktap.plan(said)) is not None:
            program.plan = plan
