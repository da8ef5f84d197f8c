# SPDX-License-Identifier: GPL-2.0-only
"""Boot a kernel in QEMU, follow its console, and say how it ended."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import fcntl
import os
import re
import secrets
import selectors
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kdebug.build import arch
from kdebug.build.arch import Arch
from kdebug.context import Context
from kdebug.guest import bad_lines, qemu, terminal
from kdebug.guest.bad_lines import Rules
from kdebug.guest.exit_codes import Code
from kdebug.guest.judge import Judge, Limits, Program, SHOWN, Verdict
from kdebug.guest.lines import Line
from kdebug.host import files, ui
from kdebug.host.ui import Fail

KEEP_RUNS = 100  # three times what all tests take
CMDLINE_MAX = 2047  # x86's COMMAND_LINE_SIZE, without its NUL
# Everything on the console, and a panic ends the run without another boot.
APPEND = "printk.devkmsg=on ignore_loglevel panic=-1"
# A person wants the prompt. init puts the console's log level back before it.
APPEND_SHELL = "panic=-1 kdebug.run=shell"
QUIET = "quiet loglevel=3"

CODES = """exit codes:
   0  pass: a status from each program, all of them good, and no bad line
   1  a guest program failed            2  usage or bad input
   3  passed, but --expect wanted another end
  10  no guest init within the boot limit
  11  silence limit                    12  total limit
  13  guest ended without its status   14  status garbled or cut short
  15  QEMU died or was killed          16  QEMU is missing or would not start
  17  a second kernel started (reboot loop)
  18  not as many CPUs online as asked for
  19  KASAN reported before user space, and reports nothing more
  20  panic       21  oops             22  WARNING        23  lockdep
  24  KASAN       25  KCSAN            26  RCU stall      27  soft/hard lockup
  28  hung task   29  kmemleak         30  other bad line (UBSAN, ...)
 130  interrupted
Which lines are bad, and which are excused: scripts/console-lines.txt"""


@dataclass
class Result:
    """How a run ended, what it said, and where that is kept."""

    verdict: Verdict
    programs: list[Program]
    lines: list[Line]
    directory: Path
    command: list[str]
    seconds: float  # on the host

    @property
    def passed(self) -> bool:
        return self.verdict.code is Code.PASS

    @property
    def console(self) -> Path:
        return self.directory / "console.log"

    def report(self) -> str:
        """The verdict, each program's results, the lines that matter, the log."""
        v = self.verdict
        out = [f"{v.code.name.lower()} ({v.code:d}): {v.reason}"]
        for p in self.programs:
            out += [f"  {t.result:<6} {p.spec}: {t.name}" for t in p.tests if t.depth == 0]
        out += ["  " + show(line) for line in v.lines]
        out.append(f"console: {self.console}")
        return "\n".join(out)


def show(line: Line) -> str:
    """A console line as a verdict shows it."""
    stamp = "" if line.guest is None else f"[{line.guest:12.6f}] "
    return f"{line.number:>6}: {stamp}{line.text[:200]}"


# --- a directory per run ----------------------------------------------------------

@contextlib.contextmanager
def run_directory(context: Context, directory: Path | None = None) -> Iterator[Path]:
    """A directory of this run's own; its lock says that the run is alive."""
    if directory is None:
        stamp = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
        for n in range(1000):
            directory = context.runs / (f"{stamp}.{n}" if n else stamp)
            with contextlib.suppress(FileExistsError):
                directory.mkdir(parents=True)
                break
    assert directory
    directory.mkdir(parents=True, exist_ok=True)
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Fail(str(directory), "another run uses it", "name another directory") from None
        if directory.parent == context.runs:
            _latest(directory)
            prune(context)
        yield directory
    finally:
        os.close(fd)


@contextlib.contextmanager
def _writable(context: Context) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # our own stdout's reader has gone
        raise
    except OSError as err:
        raise Fail(str(err.filename or context.runs), f"cannot be written ({err.strerror})",
                   "make room there, or make it writable") from err


def _latest(directory: Path) -> None:
    link = directory.parent / "latest"
    new = link.with_name(f"latest.{os.getpid()}")
    with contextlib.suppress(OSError):  # a convenience, not worth a failure
        new.unlink(missing_ok=True)
        new.symlink_to(directory.name)
        new.replace(link)


def prune(context: Context, keep: int = KEEP_RUNS) -> None:
    """Delete the oldest runs, none that is still alive."""
    runs = sorted(d for d in context.runs.iterdir() if re.match(r"\d{8}-\d{6}-\d+", d.name))
    for old in runs[:-keep]:
        with contextlib.suppress(OSError):  # alive, or deleted by another run
            fd = os.open(old, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(old, ignore_errors=True)
            finally:
                os.close(fd)


# --- one judged run ---------------------------------------------------------------

def run(context: Context, image: Path, initrd: Path | None, append: str = "", *, programs: Sequence[str],
        nonce: str | None = None, limits: Limits = Limits(), memory: int = 256, smp: int | None = None,
        tags: Sequence[str] = (), rules: Rules | None = None,
        out_dir: Path | None = None, label: str = "boot", phase: ui.Phase | None = None,
        on_line: Callable[[Line], None] | None = None, extra: Sequence[str] = ()) -> Result:
    """Boot, let guest init run @programs, judge. A Fail means that nothing ran.

    @phase is a phase of the caller's to show the live line in, else there is a
    new one named @label. @extra are more arguments for QEMU. @rules say which lines end
    the run, if not those of scripts/console-lines.txt.
    """
    _check(image, initrd, limits, memory, smp)
    for spec in programs:
        if not re.fullmatch(r"[\w.+/-]+(:[\w.+/=@%-]*)*", spec):
            raise Fail("--run", f"bad program {spec!r}", "write prog or prog:arg:arg, no spaces")
    if not programs:
        raise Fail("--run", "names no program", "name at least one: no status is never a pass")
    rules = rules or bad_lines.parse()
    nonce = nonce or secrets.token_hex(8)
    m, binary, accel, remark = _qemu(context)
    words = f"{m.append} {APPEND} kdebug.run={','.join(programs)} kdebug.nonce={nonce} {append}"
    cmd = qemu.command(m, binary, accel=accel, image=image, initrd=initrd, append=_cmdline(words),
                       memory=memory, smp=smp, extra=extra)
    with contextlib.ExitStack() as stack, _writable(context):
        where = stack.enter_context(run_directory(context, out_dir))
        p = phase or stack.enter_context(ui.phase(label))
        if remark:
            p.note(remark)
        p.note(shlex.join(cmd))
        qemu.save(cmd, where / "command")
        start = time.monotonic()
        judge = Judge(rules, nonce, programs, start, limits, tags, on_line, smp or m.cpus)
        try:
            _follow(cmd, judge, where, p)
        except KeyboardInterrupt:
            judge.verdict = Verdict(Code.INTERRUPTED, "interrupted", judge.lines[-SHOWN:])
            raise
        finally:
            if judge.verdict:
                result = Result(judge.verdict, judge.programs, judge.lines, where, cmd,
                                time.monotonic() - start)
                _write_verdict(result)
        if not phase:
            v = result.verdict
            p.result = v.reason if result.passed else f"{v.code.name.lower()} ({v.code:d}): {v.reason}"
    return result


def _follow(cmd: list[str], judge: Judge, where: Path, p: ui.Phase) -> None:
    """QEMU from its start to its end; afterwards there is a verdict."""
    stderr = where / "qemu.err"
    with (where / "console.log").open("wb", buffering=0) as log, stderr.open("wb") as err, \
            selectors.DefaultSelector() as sel:
        proc = qemu.spawn(cmd, stdout=subprocess.PIPE, stderr=err)
        assert proc.stdout
        out = proc.stdout.fileno()
        os.set_blocking(out, False)
        gone = os.pidfd_open(proc.pid)  # its end, even if somebody holds the pipe open
        try:
            sel.register(out, selectors.EVENT_READ)
            sel.register(gone, selectors.EVENT_READ)
            while not judge.verdict:
                ready = sel.select(min(1.0, max(0.0, judge.deadline - time.monotonic())))
                if _read(out, log, judge) == 0 and out in sel.get_map():
                    sel.unregister(out)
                last = judge.lines[-1].text if judge.lines else "nothing from the guest yet"
                p.live(f"{judge.guest:.1f} guest s  {last}")
                if any(key.fd == gone for key, _ in ready):
                    judge.eof(time.monotonic(), proc.wait(),
                              stderr.read_text(encoding="utf-8", errors="replace"))
                else:
                    judge.tick(time.monotonic())
            qemu.kill(proc)
            _read(out, log, judge)
        finally:
            qemu.kill(proc)
            os.close(gone)
            proc.stdout.close()


def _read(fd: int, log: IO[bytes], judge: Judge) -> int:
    """Take what is there: how many bytes, 0 at the end, -1 for nothing now.
    More than a pipe holds, so that after QEMU's end there is nothing left."""
    try:
        data = os.read(fd, 1 << 20)
    except BlockingIOError:
        return -1
    log.write(data)
    judge.feed(time.monotonic(), data)
    return len(data)


def _write_verdict(r: Result) -> None:
    v = r.verdict
    files.save_json(r.directory / "verdict.json", {
        "code": int(v.code), "name": v.code.name.lower(), "reason": v.reason,
        "lines": [show(line) for line in v.lines], "seconds": round(r.seconds, 3),
        "programs": [{"spec": p.spec, "exit": p.exit, "plan": p.plan,
                      "tests": [vars(t) for t in p.tests]} for p in r.programs],
        "command": r.command})


def _check(image: Path, initrd: Path | None, limits: Limits, memory: int, smp: int | None) -> None:
    for what, path in (("--image", image), ("--initrd", initrd)):
        if path and not os.access(path, os.R_OK):
            raise Fail(what, f"cannot read {str(path)!r}", "build it, or name another one")
    for what, value in (("--limit-boot", limits.boot), ("--limit-silence", limits.silence),
                        ("--limit-total", limits.total), ("--memory", memory), ("--smp", 1 if smp is None else smp)):
        if not 0 < value < float("inf"):
            raise Fail(what, f"bad value {value:g}", "give a number above 0")


def _qemu(context: Context) -> tuple[Arch, str, str, str]:
    m = arch.of(context)
    if not m.binary:
        if qemu.wanted_accel(context) == "kvm":
            raise Fail("ACCEL", f"kvm wanted, but {m.name} is a process and no machine", "leave it out")
        return m, "", "", ""
    binary, version = qemu.find(m)
    accel, remark = qemu.choose_accel(context, m, binary, version)
    return m, binary, qemu.threads(accel, version), remark


def _cmdline(words: str) -> str:
    words = words.strip()
    if len(words) > CMDLINE_MAX or not words.isprintable():
        raise Fail("--append", f"kernel command line of {len(words)} characters, or an unprintable one",
                   f"keep it within {CMDLINE_MAX} printable characters")
    return words


# --- a person at the console ------------------------------------------------------

def interactive(context: Context, image: Path, initrd: Path | None, append: str = "", *, memory: int = 256,
                smp: int | None = None,
                gdb: Path | None = None) -> int:
    """A shell in the guest on this terminal; returns an exit code. With @gdb, the
    vmlinux, QEMU waits at its stub; that is a socket of this run, so that no port can
    be taken. The guest ends with the terminal, with who started us, and with us."""
    _check(image, initrd, Limits(), memory, smp)
    if gdb and not os.access(gdb, os.R_OK):
        raise Fail("--gdb", f"cannot read {str(gdb)!r}", "name the vmlinux of this kernel")
    m, binary, accel, remark = _qemu(context)
    words = _cmdline(f"{m.append} {APPEND_SHELL} {'' if gdb else QUIET} {append}")
    with _writable(context), run_directory(context) as where, contextlib.ExitStack() as stack:
        extra: list[str] = []
        if gdb:
            sock = where / "gdb.sock"
            if len(str(sock)) > 100 or "," in str(sock):  # sun_path, and QEMU's syntax
                sock = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kdebug-")), "gdb.sock")
            extra = ["-S", "-gdb", f"unix:{sock},server=on,wait=off"]
        copy = where / "console.log"
        cmd = qemu.command(m, binary, accel=accel, image=image, initrd=initrd, append=words,
                           memory=memory, smp=smp, terminal=copy, extra=extra)
        qemu.save(cmd, where / "command")
        note = [remark, f"booting with {where}/command; " + (
            "Ctrl-a x ends QEMU, Ctrl-a c is its monitor" if binary else "exit ends it")]
        if gdb:
            line = shlex.join(["gdb", str(gdb), "-ex", f"target remote {sock}"])
            note.append(f"stopped before the first instruction; in another terminal:\n  {line}")
        sys.stderr.write("".join(f"{text}\n" for text in note if text))
        sys.stderr.flush()
        code = terminal.attend(lambda: qemu.spawn(cmd, stdin=None, session=False), copy if binary else None)
    return code


# --- scripts/boot -----------------------------------------------------------------

def main(context: Context, argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code, see CODES."""
    limits = Limits()
    ap = argparse.ArgumentParser(prog="boot", description="Boot a kernel in QEMU and judge the run.",
                                 epilog=CODES, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = ap.add_argument
    add("--image", type=Path, required=True, help="kernel to boot")
    add("--initrd", type=Path, help="initramfs with guest init")
    add("--append", default="", metavar="WORDS", help="more words for the kernel command line")
    what = ap.add_mutually_exclusive_group(required=True)
    what.add_argument("--run", metavar="PROG[:ARG...][,PROG...]", help="guest programs, in order")
    what.add_argument("--shell", action="store_true", help="a shell on this terminal, no verdict")
    what.add_argument("--gdb", type=Path, metavar="VMLINUX", help="as --shell, stopped for gdb")
    for name in ("boot", "silence", "total"):
        add(f"--limit-{name}", type=float, default=getattr(limits, name), metavar="S",
            help="host seconds (default %(default)g)")
    add("--arch", help="(default: $ARCH, else x86_64)")
    add("--accel", help="kvm, tcg or auto (default: $ACCEL, else auto)")
    add("--memory", type=int, default=256, metavar="MIB")
    add("--smp", type=int, metavar="N", help="CPUs (default: those of the architecture's board)")
    add("--tag", action="append", default=[], help="grant the excuses of this tag")
    add("--expect", type=int, metavar="CODE", help="exit with 0 if the run ends with CODE, and only then")
    add("--verbose", action="store_true", help="print the console on stdout")
    a = ap.parse_args(argv)
    if a.expect is not None and a.expect not in list(Code):
        raise Fail("--expect", f"{a.expect} is no exit code of this command", "see --help")
    if not a.run and not a.shell and not a.gdb:
        raise Fail("--run", "names no program", "name at least one: no status is never a pass")
    context = dataclasses.replace(context, architecture=a.arch or context.architecture,
                                  accelerator=a.accel or context.accelerator)
    if not a.run:
        return interactive(context, a.image, a.initrd, a.append, memory=a.memory, smp=a.smp, gdb=a.gdb)
    result = run(context, a.image, a.initrd, a.append, programs=a.run.split(","),
                 limits=Limits(a.limit_boot, a.limit_silence, a.limit_total), memory=a.memory, smp=a.smp, tags=a.tag,
                 on_line=(lambda line: print(show(line), flush=True)) if a.verbose else None)
    print(result.report())
    code = result.verdict.code
    if a.expect is None:
        return code
    if code == a.expect:
        return 0
    print(f"expected: {Code(a.expect).name.lower()} ({a.expect})")
    return code or Code.UNEXPECTED
