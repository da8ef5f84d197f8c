# SPDX-License-Identifier: GPL-2.0-only
"""The runner with a fake QEMU: what it leaves behind, and that nothing outlives it."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from unittest import mock

from guest.fakeqemu import BOOT, FakeQemu, GOOD, NONCE, alive
from kdebug.context import REPO
from kdebug.guest import boot
from kdebug.guest.exit_codes import Code
from kdebug.guest.judge import Limits
from kdebug.host.ui import Fail

SCRIPT = REPO / "scripts/boot"
HANG = 'echo $$ > $T/pid; exec sleep 1000'


class Boot(FakeQemu):
    def run_boot(self, limits: Limits = Limits(), **more: object) -> boot.Result:
        with contextlib.redirect_stderr(io.StringIO()) as self.stderr:
            return boot.run(self.context, self.image, self.initrd, "x=y", programs=["prog"], nonce=NONCE,
                            limits=limits, **more)  # type: ignore[arg-type]

    def start(self, *more: str) -> subprocess.Popen[str]:
        """scripts/boot as a process of its own; its guests cannot know the nonce."""
        proc = subprocess.Popen([sys.executable, SCRIPT, "--image", self.image, "--initrd", self.initrd,
                                 "--run", "prog", *more], text=True, env=self.env(),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                # What runs in the background, as this may, ignores it.
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.enterContext(proc)
        self.addCleanup(proc.kill)
        return proc


class Verdicts(Boot):
    def test_pass(self) -> None:
        self.fake("cat $T/good")
        result = self.run_boot()
        self.assertTrue(result.passed, result.report())
        self.assertEqual(result.programs[0].tests[0].name, "first")
        self.assertEqual(result.console.read_text(), BOOT + GOOD)
        self.assertEqual([line.guest for line in result.lines], [0.0, 1.0, 2.0, 2.0, 2.0])
        self.assertIn("ok     prog: first", result.report())

    def test_what_is_left(self) -> None:
        self.fake("cat $T/good")
        result = self.run_boot()
        saved = json.loads((result.directory / "verdict.json").read_text())
        self.assertEqual((saved["code"], saved["name"]), (0, "pass"))
        self.assertEqual(saved["programs"][0]["exit"], 0)
        self.assertEqual(saved["command"], result.command)
        self.assertEqual((self.context.runs / "latest").resolve(), result.directory)
        self.assertIn(shlex.join(result.command), self.stderr.getvalue())
        again = subprocess.run([result.directory / "command"], capture_output=True, text=True)
        self.assertEqual(again.stdout, BOOT + GOOD)

    def test_kernel_command_line(self) -> None:
        self.fake('for word; do echo "$word"; done; exit 1')
        words = self.run_boot().lines[-1].text.split()
        for word in ("console=ttyS0", "panic=-1", "printk.devkmsg=on", "ignore_loglevel",
                     "kdebug.run=prog", f"kdebug.nonce={NONCE}", "x=y"):
            self.assertIn(word, words)

    def test_fewer_cpus_are_no_pass(self) -> None:
        self.fake("cat $T/good")
        result = self.run_boot(smp=4)
        self.assertIs(result.verdict.code, Code.CPUS)
        self.assertIn("2 CPUs online, 4 asked for", result.report())
        self.assertIn("4,sockets=4", result.command)

    def test_nonce_is_new_each_time(self) -> None:
        nonces = set()
        self.fake('for word; do echo "$word"; done; exit 1')
        for _ in range(2):
            with contextlib.redirect_stderr(io.StringIO()):
                result = boot.run(self.context, self.image, self.initrd, programs=["prog"])
            nonces.add(re.findall(r"kdebug\.nonce=(\w{16})\b", result.lines[-1].text)[0])
        self.assertEqual(len(nonces), 2)

    def test_qemu_killed(self) -> None:
        self.fake("cat $T/boot; kill -9 $$")
        self.assertIs(self.run_boot().verdict.code, Code.LOST)

    def test_qemu_terminated(self) -> None:
        """Asked to end by a signal, QEMU exits with 0."""
        self.fake("cat $T/boot; echo 'qemu: terminating on signal 15 from pid 1' >&2")
        result = self.run_boot()
        self.assertIs(result.verdict.code, Code.LOST)
        self.assertIn("terminating on signal 15", result.verdict.reason)

    def test_qemu_refuses(self) -> None:
        self.fake("echo 'qemu: -M q35: unsupported machine type' >&2; exit 1")
        result = self.run_boot()
        self.assertIs(result.verdict.code, Code.NO_QEMU)
        self.assertIn("unsupported machine type", result.verdict.reason)

    def test_guest_ends_without_status(self) -> None:
        self.fake("cat $T/boot")
        self.assertIs(self.run_boot().verdict.code, Code.NO_STATUS)

    def test_limits_end_qemu(self) -> None:
        for limits, say, code in ((Limits(boot=0.1), "", Code.BOOT),
                                  (Limits(silence=0.1), "cat $T/boot;", Code.SILENCE),
                                  (Limits(total=0.1), "", Code.TOTAL)):
            with self.subTest(code.name):
                # The pid comes first, or the limit may pass without one.
                self.fake(f"{say} {HANG}")
                (self.tmp / "pid").unlink(missing_ok=True)
                self.assertIs(self.run_boot(limits).verdict.code, code)
                if (self.tmp / "pid").exists():
                    self.assertFalse(alive(self.pid()))

    def test_bad_line_ends_qemu(self) -> None:
        self.fake(f"cat $T/boot; echo '[    1.5] Oops: no'; echo '[    1.500000] Oops: x [#1]'; {HANG}")
        result = self.run_boot()
        self.assertIs(result.verdict.code, Code.OOPS)
        self.assertFalse(alive(self.pid()))

    def test_pipe_held_open(self) -> None:
        """QEMU's end counts, not that of what it may leave behind."""
        self.fake("cat $T/good; sleep 1000 & echo $! > $T/pid")
        self.addCleanup(lambda: os.kill(self.pid(), signal.SIGKILL))
        self.assertTrue(self.run_boot().passed)

    def test_output_of_any_size(self) -> None:
        """More than a pipe holds, up to the last byte."""
        self.fake("cat $T/boot; head -c 3000000 /dev/zero | tr '\\0' x; echo; tail -n 3 $T/good")
        result = self.run_boot()
        self.assertTrue(result.passed, result.report()[-500:])
        self.assertEqual(result.console.stat().st_size, len(BOOT + GOOD) + 3000001)

    def test_lines_as_they_come(self) -> None:
        seen: list[str] = []
        self.fake("cat $T/good")
        self.run_boot(on_line=lambda line: seen.append(line.said))
        self.assertIn("ok 1 first", seen)


class Death(Boot):
    def test_runner_killed(self) -> None:
        self.fake(HANG)
        proc = self.start()
        pid = self.pid()
        self.assertTrue(alive(pid))
        proc.kill()
        self.wait(lambda: not alive(pid), "the end of QEMU")

    def test_runner_interrupted(self) -> None:
        self.fake(f"cat $T/boot; {HANG}")
        proc = self.start()
        pid = self.pid()
        proc.send_signal(signal.SIGINT)
        self.assertEqual(proc.communicate(timeout=30)[1].splitlines()[-1], "interrupted")
        self.assertEqual(proc.returncode, 130)
        self.wait(lambda: not alive(pid), "the end of QEMU")
        self.assertEqual(json.loads((self.context.runs / "latest/verdict.json").read_text())["code"], 130)

    def test_caller_fails(self) -> None:
        """QEMU ends with the run, also where the process goes on."""
        self.fake(f"echo $$ > $T/pid; cat $T/boot; {HANG}")

        def fail(_: object) -> None:
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            self.run_boot(on_line=fail)
        self.assertFalse(alive(self.pid()))

    def test_terminal_interrupt_is_the_runners(self) -> None:
        """^C goes to a process group; QEMU has one of its own."""
        self.fake(HANG)
        proc = self.start()
        self.assertNotEqual(os.getpgid(self.pid()), os.getpgid(proc.pid))

    def test_two_at_once(self) -> None:
        """Each waits until the other one runs as well."""
        self.fake("echo $$ > $T/pid.$PPID; until test $(ls $T/pid.* | wc -l) = 2; do sleep 0.01; done; "
                  "cat $T/boot; exit 1")
        runs = [self.start(), self.start()]
        for proc in runs:
            proc.communicate(timeout=60)
        found = [json.loads(p.read_text())["code"] for p in self.context.runs.glob("2*/verdict.json")]
        self.assertEqual(found, [Code.LOST, Code.LOST])
        self.assertEqual([proc.returncode for proc in runs], [Code.LOST, Code.LOST])


class Directories(Boot):
    def test_same_second(self) -> None:
        with mock.patch("time.strftime", lambda _: "20260101-000000"), \
                boot.run_directory(self.context) as a, boot.run_directory(self.context) as b:
            self.assertNotEqual(a, b)

    def test_prune(self) -> None:
        """The oldest go; a live one and what is not a run stay."""
        names = [f"20260101-0000{n:02}-77" for n in range(10)]
        for name in (*names, "mine"):
            (self.context.runs / name).mkdir(parents=True)
            (self.context.runs / name / "console.log").write_text("x")
        fd = os.open(self.context.runs / names[0], os.O_RDONLY)
        self.addCleanup(os.close, fd)
        fcntl.flock(fd, fcntl.LOCK_EX)
        boot.prune(self.context, keep=3)
        self.assertEqual(sorted(p.name for p in self.context.runs.iterdir()), [names[0], *names[-3:], "mine"])
        self.assertTrue((self.context.runs / names[0] / "console.log").exists())

    def test_runs_prune(self) -> None:
        for n in range(boot.KEEP_RUNS + 5):
            (self.context.runs / f"20260101-{n:06}-77").mkdir(parents=True)
        with boot.run_directory(self.context) as mine:
            kept = [p for p in self.context.runs.iterdir() if p.name != "latest"]
            self.assertEqual(len(kept), boot.KEEP_RUNS)
            self.assertIn(mine, kept)

    def test_a_live_run_is_locked(self) -> None:
        with boot.run_directory(self.context, self.tmp / "mine"), \
                self.assertRaisesRegex(Fail, "another run uses it"), \
                boot.run_directory(self.context, self.tmp / "mine"):
            pass
        with boot.run_directory(self.context, self.tmp / "mine"):
            pass

    def test_latest_is_best_effort(self) -> None:
        (self.context.runs / "latest").mkdir(parents=True)
        with boot.run_directory(self.context):
            pass

    def test_cannot_be_written(self) -> None:
        (self.tmp / "build").write_text("a file")
        with self.assertRaisesRegex(Fail, "build.*: cannot be written"):
            self.run_boot()

    def test_full_disk(self) -> None:
        self.fake("cat $T/good")
        with mock.patch("kdebug.guest.boot._read", side_effect=OSError(28, "No space left on device")), \
                self.assertRaisesRegex(Fail, "No space left on device"):
            self.run_boot()


class Command(Boot):
    """scripts/boot: arguments and exit codes."""

    def main(self, *args: str) -> int:
        with contextlib.redirect_stdout(io.StringIO()) as self.out, \
                contextlib.redirect_stderr(io.StringIO()) as self.stderr, \
                mock.patch("secrets.token_hex", lambda _: NONCE):
            return boot.main(self.context, ["--image", str(self.image), "--initrd", str(self.initrd), *args])

    def test_exit_codes(self) -> None:
        for commands, code in (("cat $T/good", 0), ("cat $T/boot", 13), ("cat $T/boot; kill -9 $$", 15)):
            self.fake(commands)
            self.assertEqual(self.main("--run", "prog"), code)

    def test_exit_code_of_the_process(self) -> None:
        self.fake("cat $T/boot")
        proc = self.start()
        out, err = proc.communicate(timeout=60)
        self.assertEqual(proc.returncode, 13)
        self.assertIn("no_status (13): guest ended without the status of prog", out)
        self.assertIn("console: ", out)

    def test_expect(self) -> None:
        for commands, expect, code in (("cat $T/boot", "13", 0), ("cat $T/boot", "15", 13),
                                       ("cat $T/good", "13", 3), ("cat $T/good", "0", 0)):
            self.fake(commands)
            self.assertEqual(self.main("--run", "prog", "--expect", expect), code)

    def test_limits_reach_the_judge(self) -> None:
        for name, say in (("boot", ""), ("silence", "cat $T/boot;"), ("total", "")):
            self.fake(f"{say} {HANG}")
            self.main("--run", "prog", f"--limit-{name}", "0.1")
            self.assertRegex(self.out.getvalue(), rf"0\.1 s \({name} limit\)")

    def test_tag_reaches_the_judge(self) -> None:
        (self.tmp / "stall").write_text(
            "[    2.000000] INFO: kthread_create(\"a\") by b:1 blocked for 10 s in stage forking\n")
        self.fake("cat $T/boot $T/stall; tail -n 3 $T/good")
        self.assertEqual(self.main("--run", "prog"), 28)
        self.assertEqual(self.main("--run", "prog", "--tag", "stall-report"), 0)

    def test_verbose(self) -> None:
        self.fake("cat $T/good")
        self.main("--run", "prog", "--verbose")
        self.assertIn("     2: [    1.000000] kdebug: init", self.out.getvalue())

    def test_help_names_each_code(self) -> None:
        for code in Code:
            self.assertRegex(boot.CODES, rf"(?m)(^|  ) *{code:d}  ?\w")

    def test_bad_input(self) -> None:
        for args, pattern in (
                (("--run", ""), "--run: names no program"),
                (("--run", "a,,b"), "--run: bad program ''"),
                (("--run", "a b"), "--run: bad program 'a b'"),
                (("--run", "p", "--limit-boot", "0"), "--limit-boot: bad value 0"),
                (("--run", "p", "--limit-total", "nan"), "--limit-total: bad value nan"),
                (("--run", "p", "--memory", "-1"), "--memory: bad value -1"),
                (("--run", "p", "--arch", "vax"), "ARCH=vax: no such architecture"),
                (("--run", "p", "--accel", "xen"), "ACCEL: unknown accelerator 'xen'"),
                (("--run", "p", "--expect", "77"), "--expect: 77 is no exit code"),
                (("--run", "p", "--append", "x" * 2048), "--append: kernel command line of"),
                (("--run", "p", "--append", "x\ny"), "--append: .*unprintable"),
                (("--run", "p", "--initrd", "/no/such"), "--initrd: cannot read '/no/such'"),
                (("--run", "p", "--image", "/no/such"), "--image: cannot read '/no/such'"),
                (("--gdb", "/no/vmlinux"), "--gdb: cannot read '/no/vmlinux'")):
            with self.subTest(args), self.assertRaisesRegex(Fail, pattern) as caught:
                self.main(*args)
            self.assertNotIn("\n", str(caught.exception))
            self.assertFalse(self.context.runs.exists(), "it got as far as a run")

    def test_qemu_missing(self) -> None:
        proc = subprocess.run([sys.executable, SCRIPT, "--image", self.image, "--run", "p"],
                              env=self.env(PATH=str(self.tmp)), capture_output=True, text=True)
        self.assertEqual(proc.returncode, 16)
        self.assertRegex(proc.stderr, r"\Aerror: qemu-system-x86_64: not found in PATH; .*\n\Z")


class Interactive(Boot):
    def test_shell(self) -> None:
        self.fake('for word; do echo "$word"; done > $T/args; cat')
        done = subprocess.run([sys.executable, SCRIPT, "--image", self.image, "--shell"], input="typed\n",
                              env=self.env(), capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, "typed\n"))
        args = (self.tmp / "args").read_text()
        self.assertIn("-chardev\nstdio,id=console,mux=on,signal=off,logfile=", args)
        self.assertIn("-serial\nchardev:console\n-mon\nchardev=console\n", args)
        self.assertIn("kdebug.run=shell quiet loglevel=3", args)
        self.assertNotIn("-gdb", args)

    def test_qemu_died(self) -> None:
        self.fake("exit 1")
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(boot.interactive(self.context, self.image, None), Code.LOST)

    def gdb(self) -> tuple[list[str], str]:
        self.fake('for word; do echo "$word"; done > $T/args')
        (self.tmp / "vm linux").write_text("elf")
        with contextlib.redirect_stderr(io.StringIO()) as err:
            self.assertEqual(boot.interactive(self.context, self.image, None, gdb=self.tmp / "vm linux"), 0)
        return (self.tmp / "args").read_text().splitlines(), err.getvalue()

    def test_gdb(self) -> None:
        args, err = self.gdb()
        self.assertIn("-S", args)
        self.assertNotIn("quiet", " ".join(args))
        sock = re.fullmatch(r"unix:(.*),server=on,wait=off", args[args.index("-gdb") + 1])
        assert sock
        line = shlex.split(next(ln for ln in err.splitlines() if ln.startswith("  gdb ")))
        self.assertEqual(line, ["gdb", str(self.tmp / "vm linux"), "-ex", f"target remote {sock[1]}"])

    def test_gdb_socket_fits(self) -> None:
        """A socket's name has 108 bytes, and no comma for QEMU."""
        for name in ("deep/" * 30, "a,b"):
            self.context = dataclasses.replace(self.context, cell=self.tmp / name)
            args, _ = self.gdb()
            sock = args[args.index("-gdb") + 1].removeprefix("unix:").removesuffix(",server=on,wait=off")
            self.assertLess(len(sock), 100)
            self.assertNotIn(",", sock)
