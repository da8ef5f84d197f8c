# SPDX-License-Identifier: GPL-2.0-only
"""Which QEMU, which accelerator, which command line, and how it dies."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

from guest.fakeqemu import FakeQemu, alive
from kdebug.build import arch
from kdebug.guest import qemu
from kdebug.host.ui import Fail

X86 = arch.get("x86_64")


class Find(FakeQemu):
    def fails(self, pattern: str) -> None:
        with self.assertRaisesRegex(Fail, pattern) as caught:
            qemu.find(X86)
        self.assertEqual(caught.exception.code, 16)
        self.assertNotIn("\n", str(caught.exception))

    def test_missing(self) -> None:
        os.environ["PATH"] = str(self.tmp)
        self.fails("qemu-system-x86_64: not found in PATH; .*qemu-system-x86")

    def test_too_old(self) -> None:
        os.environ["FAKE_VERSION"] = "QEMU emulator version 6.2.0"
        self.addCleanup(os.environ.pop, "FAKE_VERSION")
        self.fails(r"too old \(QEMU emulator version 6.2.0\); install QEMU 7.0")

    def test_tells_nothing(self) -> None:
        for text in ("", "what?"):
            with self.subTest(text), mock.patch.dict(os.environ, {"FAKE_VERSION": text}):
                self.fails("tells no version")

    def test_cannot_run(self) -> None:
        self.install("#!/no/such/shell\n")
        self.fails("does not run")

    def test_version_with_two_digits(self) -> None:
        with mock.patch.dict(os.environ, {"FAKE_VERSION": "QEMU emulator version 10.0.2 (Debian)"}):
            self.assertEqual(qemu.find(X86)[1], "QEMU emulator version 10.0.2 (Debian)")

    def test_unknown_machine(self) -> None:
        with self.assertRaisesRegex(Fail, "ARCH=vax: no such architecture; use one of x86_64"):
            arch.get("vax")


class Accel(FakeQemu):
    """The choice, with a probe and a /dev/kvm that are the test's."""

    def setUp(self) -> None:
        super().setUp()
        self.answer = "it hangs"
        self.probes = 0
        self.usable = True
        self.boot_id = "boot-1"

        def probe(*_: object) -> str:
            self.probes += 1
            return self.answer

        for name, new in (("probe", probe), ("_boot_id", lambda: self.boot_id)):
            self.patch(mock.patch.object(qemu, name, new))
        self.patch(mock.patch("os.access", lambda *_: self.usable))
        self.patch(mock.patch("platform.machine", lambda: "x86_64"))
        self.context = replace(self.context, accelerator="auto")

    def choose(self, wanted: str = "auto", version: str = "v7") -> str:
        return qemu.choose_accel(replace(self.context, accelerator=wanted), X86, "qemu", version)[0]

    def test_broken_kvm(self) -> None:
        self.assertEqual(qemu.choose_accel(self.context, X86, "qemu", "v7"),
                         ("tcg", "emulating, /dev/kvm does not work: it hangs"))

    def test_working_kvm(self) -> None:
        self.answer = ""
        self.assertEqual(qemu.choose_accel(self.context, X86, "qemu", "v7"), ("kvm", ""))

    def test_answer_is_kept(self) -> None:
        for self.answer, accel in (("it hangs", "tcg"), ("", "kvm")):
            (self.tmp / "build/kvm-probe").unlink(missing_ok=True)
            self.probes = 0
            self.assertEqual([self.choose(), self.choose()], [accel, accel])
            self.assertEqual(self.probes, 1)

    def test_another_boot_or_qemu_probes_again(self) -> None:
        self.choose()
        self.boot_id, self.answer = "boot-2", ""
        self.assertEqual(self.choose(), "kvm")
        self.answer = "it hangs"
        self.assertEqual(self.choose(version="v8"), "tcg")
        self.assertEqual(self.probes, 3)

    def test_corrupt_answer_probes_again(self) -> None:
        self.choose()
        cache = self.tmp / "build/kvm-probe"
        good = json.loads(cache.read_text())
        for text in ("", "{", "[]", "null", "\0\xff", cache.read_text()[:-5],
                     json.dumps({**good, "why": 3}), json.dumps({"why": ""})):
            with self.subTest(text):
                self.probes = 0
                cache.write_text(text, encoding="latin-1")
                self.assertEqual(self.choose(), "tcg")
                self.assertEqual(self.probes, 1)
                self.assertEqual(json.loads(cache.read_text()), good)

    def test_no_dev_kvm(self) -> None:
        self.usable = False
        self.assertEqual(self.choose(), "tcg")
        self.assertEqual(self.probes, 0)
        with self.assertRaisesRegex(Fail, "ACCEL: kvm wanted"):
            self.choose("kvm")

    def test_forced(self) -> None:
        self.assertEqual([self.choose("kvm"), self.choose("tcg")], ["kvm", "tcg"])
        self.assertEqual(self.probes, 0)

    def test_unknown(self) -> None:
        with self.assertRaisesRegex(Fail, "ACCEL: unknown accelerator 'xen'; use kvm, tcg or auto"):
            self.choose("xen")


class Probe(FakeQemu):
    def test_hang_is_bounded_and_killed(self) -> None:
        self.fake('echo $$ > $T/pid; exec sleep 1000')
        binary, _ = qemu.find(X86)
        # The limit may pass before the fake has run at all; then try longer.
        for limit in (0.2, 2, 20):
            self.assertIn("did not get through", qemu.probe(binary, X86, "kvm", limit))
            if (self.tmp / "pid").exists():
                break
        self.assertFalse(alive(self.pid()))

    def test_failure_says_why(self) -> None:
        self.fake('echo "qemu: x: /dev/kvm: Permission denied" >&2; exit 1')
        self.assertEqual(qemu.probe(qemu.find(X86)[0], X86, "kvm"), "kvm: Permission denied")

    def test_only_the_payloads_status_counts(self) -> None:
        for status, good in ((0, False), (1, False), (84, False), (85, True)):
            self.fake(f"exit {status}")
            self.assertEqual(qemu.probe(qemu.find(X86)[0], X86, "kvm") == "", good, status)


class Real(unittest.TestCase):
    """The payload in a real QEMU; emulation runs it, so it is right."""

    def test_payload_runs(self) -> None:
        self.assertEqual(qemu.probe(qemu.find(X86)[0], X86, "tcg", 60), "")

    def test_a_payload_that_does_nothing_is_seen(self) -> None:
        whole = qemu.payload()
        idle = whole[:32] + b"\xf4\xeb\xfd" + b"\xf4" * (len(whole) - 35)
        with mock.patch.object(qemu, "payload", lambda: idle):
            self.assertIn("did not get through", qemu.probe(qemu.find(X86)[0], X86, "tcg", 1))

    def test_a_slow_machine_is_seen(self) -> None:
        # A KVM that emulates each instruction runs the payload, and takes many times the limit.
        with mock.patch.object(qemu, "PROBE_ROUNDS", 4_000_000_000):
            self.assertIn("did not get through", qemu.probe(qemu.find(X86)[0], X86, "tcg", 1))


class Threads(unittest.TestCase):
    def test_only_old_emulation_shares_one(self) -> None:
        for accel, version, want in (("tcg", "version 7.2.22 (Debian)", "tcg,thread=single"),
                                     ("tcg", "version 8.1.0", "tcg,thread=single"),
                                     ("tcg", "version 8.2.0", "tcg"), ("tcg", "version 10.0.2", "tcg"),
                                     ("kvm", "version 7.2.22", "kvm")):
            self.assertEqual(qemu.threads(accel, f"QEMU emulator {version}"), want)


class Command(FakeQemu):
    def command(self) -> list[str]:
        return qemu.command(X86, str(self.bin / "qemu-system-x86_64"), accel="tcg", image=self.image,
                            initrd=self.initrd, append="a b=$c 'd' \"e\"")

    def test_alone_and_bounded(self) -> None:
        cmd = self.command()
        for word in ("-nodefaults", "-no-user-config", "-no-reboot"):
            self.assertIn(word, cmd)
        for pair in (("-M", "q35"), ("-display", "none"), ("-m", "256"), ("-smp", "2,sockets=2"),
                     ("-serial", "stdio"), ("-accel", "tcg"), ("-append", "a b=$c 'd' \"e\"")):
            self.assertEqual(cmd[cmd.index(pair[0]) + 1], pair[1])

    def test_each_cpu_is_a_socket(self) -> None:
        """Without ACPI a kernel of x86 sees one CPU of a socket."""
        for row in arch.TABLE.values():
            if not row.binary:
                continue
            for asked, cpus in ((None, row.cpus), (1, 1), (4, 4)):
                cmd = qemu.command(row, "qemu", accel="tcg", image=self.image, initrd=None, append="", smp=asked)
                self.assertEqual(cmd[cmd.index("-smp") + 1], f"{cpus},sockets={cpus}", row.name)

    def test_saved_one_says_the_same(self) -> None:
        self.fake('for word; do printf "%s\\n" "$word"; done')
        path = self.tmp / "command"
        qemu.save(self.command(), path)
        out = subprocess.run([path], capture_output=True, text=True, check=True).stdout
        self.assertEqual(out.splitlines(), self.command()[1:])
        self.assertEqual(shlex.split(path.read_text().splitlines()[1])[1:], self.command())

    def test_paths_are_absolute(self) -> None:
        cmd = qemu.command(X86, "qemu", accel="tcg", image=Path("x"), initrd=Path("y"), append="")
        self.assertEqual(cmd[cmd.index("-kernel") + 1], str(Path.cwd() / "x"))
        self.assertEqual(cmd[cmd.index("-initrd") + 1], str(Path.cwd() / "y"))


class Spawn(FakeQemu):
    def test_parent_died_before_the_prctl(self) -> None:
        """The child must not run on when it has another parent already."""
        with mock.patch("os.getpid", lambda: 1 << 22):
            proc = qemu.spawn(["touch", str(self.tmp / "ran")])
            self.assertEqual(proc.wait(), 1)
        self.assertFalse((self.tmp / "ran").exists())

    def test_not_there(self) -> None:
        with self.assertRaisesRegex(Fail, "/no/qemu: cannot be started") as caught:
            qemu.spawn(["/no/qemu"])
        self.assertEqual(caught.exception.code, 16)
