# SPDX-License-Identifier: GPL-2.0-only
"""The tools that boot a guest: they see each kind of misbehaviour, and take what is good for good."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from kdebug.build import bootable
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.guest.exit_codes import Code
from kdebug.guest.judge import Limits
from kdebug.host import pseudoterminal
from kdebug.patches import scope
from kdebug.tools import perfetto_proof, timeline_boot, timeline_perfetto, timeline_proof, trace
from kdebug.suite.guests import programs
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally


@group("tools", Where.PLAIN, needs=scope.FAULT)
def tools(context: Context, tally: Tally) -> None:
    """Tools of others read what the guest has traced."""
    with tally.case("trace-cmd reads the events of a trace.dat from the guest"):
        timeline_proof.run(context, bootable.prepare(context, "plain"))


@group("boot-timeline", Where.PLAIN, needs=scope.DEBUG)
def boot_timeline(context: Context, tally: Tally) -> None:
    """A whole boot, drawn: each kernel thread that it leaves is there, from the first on."""
    traced = timeline_boot.run(context, bootable.prepare(context, "plain"))
    found = trace.parse(traced.lines)
    drawing = timeline_perfetto.render(found)
    where = traced.result.directory / "boot-trace.json"
    where.write_text(drawing, encoding="utf-8")
    with tally.case("boot timeline: the trace begins with the first creation, and no event is missing"):
        assert traced.result.passed, traced.result.report()
        assert not found.unread and not found.lost, f"{found.unread} lines that timeline cannot read"
        # Ids count from 1 on.
        assert sorted(found.requests) == list(range(1, len(found.requests) + 1)), sorted(found.requests)
        noted = {r.id: r.notes for r in found.requests.values() if any("not in the trace" in note for note in r.notes)}
        assert found.requests and not noted, f"events are missing: {noted}, see {traced.result.console}"
    events = []
    with tally.case("boot timeline: the drawing keeps to the rules of its format"):
        events = perfetto_proof.check(drawing)
    with tally.case("boot timeline: each kernel thread has its lane"):
        names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
        starts = {e["tid"] for e in events if e["ph"] == "X" and e["name"] == "starting"}
        # A worker's name in /proc goes on with what it works on.
        missing = {pid: name for pid, name in traced.threads.items()
                   if pid not in starts or not name.startswith(names.get(pid, "?"))}
        assert traced.threads and not missing, f"not in {where}: {missing}"
    viewer = perfetto_proof.viewer()
    name = "boot timeline: Chrome's trace viewer reads the drawing"
    if isinstance(viewer, str):
        tally.skip(name, viewer)
        return
    with tally.case(name):
        said = viewer.read(drawing)
        assert not said["complaints"], said["complaints"]
        shown = {int(tid) for tid in said["lanes"]}
        assert set(traced.threads) <= shown, f"lanes that it lacks: {set(traced.threads) - shown}"
        answered = {str(r.id) for r in found.requests.values() if r.latency is not None and not r.error}
        assert answered <= set(said["flows"]), f"flows that it lacks: {answered - set(said['flows'])}"


@group("reboot", Where.PLAIN, needs=scope.FAULT)
def reboot(context: Context, tally: Tally) -> None:
    """With a thread held that a driver waits for; clean means: it went down."""
    programs(context, tally, bootable.prepare(context, "plain"), ["repro:0:leave"], "reboot")


# What kernel/faileach/three.c does wrong, and what is said of its second thread.
WRONG = {
    "good": "-12 ENOMEM  ok",
    # Its module goes before the thread that it leaves, of which the series warns.
    "leak": r"-12 ENOMEM  warning: WARNING: \S+ at kthread_misuse_notify\+.*",
    "files": "-12 ENOMEM  leak: /sys/kernel/debug/three",
    # It stops an ERR_PTR(), of which the series warns before the oops.
    "oops": r"-  warning: WARNING: \S+ at kthread_misuse_none\+.*",
    "hang": "-  hang: init has not returned after 3 s",
    "ignore": "0  init succeeded without its thread",
    "retry": "0  ok",
    "pin": "0  init succeeded without its thread; leak: module stays in use, refcnt 1",
    "stuck": "0  init succeeded without its thread; hang: exit has not returned after 3 s",
}


@group("fail-each", Where.PLAIN, needs=scope.FAULT)
def fail_each(context: Context, tally: Tally) -> None:
    """Each creation in a module's init fails in turn; what is wrong is told."""
    ready = bootable.prepare(context, "plain")
    module = {path.name: path for path in ready.modules}

    def run(status: int, *args: str | Path) -> str:
        done = subprocess.run([context.scripts / "fail-each", "--limit", "3", *args], capture_output=True, text=True,
                              env=os.environ | {"FLAVOUR": "plain"})
        assert done.returncode == status, f"status {done.returncode}, not {status}\n{done.stdout}{done.stderr}"
        return re.sub(" {2,}", "  ", done.stdout if status < 2 else done.stderr)

    def wants(out: str, *patterns: str) -> None:
        for pattern in patterns:
            assert re.search(rf"^{pattern}$", out, re.M), f"no '{pattern}' in\n{out}"

    for how, second in WRONG.items():
        with tally.case(f"fail-each: {how}: {second}"):
            good = second.endswith("ok")
            out = run(0 if good else 1, module["three.ko"], "--", f"how={how}")
            wants(out, "  1  three/0  -12 ENOMEM  -12 ENOMEM  ok", f"  2  three/1  -12 ENOMEM  {second}",
                  "  3  three/2  -12 ENOMEM  -12 ENOMEM  ok", "  -  -  nothing  0  ok",
                  f"3 creations, {3 if good else 2} ok, {0 if good else 1} not; consoles: .*")
            if how in ("hang", "oops"):  # where, in the module
                wants(out, r"  three_init\+0x\w+/0x\w+ \[three\]")
    with tally.case("fail-each: the errno is the one that is asked for"):
        wants(run(0, "--errno", "EINTR", module["kthread_pattern.ko"]),
              "  1  pattern_tick  -4 EINTR  -4 EINTR  ok", "1 creation, 1 ok, 0 not; .*")
    with tally.case("fail-each: no creation is no pass"):
        wants(run(1, module["kthread_stall.ko"]), "no kernel thread is created in its init: there is nothing to fail")
    with tally.case("fail-each: what does not load as it is is no pass"):
        wants(run(1, module["three.ko"], "--", "how=x"), "  -  -  nothing  -22 EINVAL  cannot be loaded: -22 EINVAL")
    with tally.case("fail-each: a module for another kernel is refused"), tempfile.TemporaryDirectory() as tmp:
        other = Path(tmp, "other.ko")
        data = module["three.ko"].read_bytes()
        other.write_bytes(data.replace(b"vermagic=7.3", b"vermagic=7.2"))
        assert data != other.read_bytes()
        out = run(2, other)
        assert f"error: {other}: built for '7.2" in out and f"make -C {ready.kernel.out} M=" in out, out


@group("runner", Where.PLAIN, whole_series=True)
def runner(context: Context, tally: Tally) -> None:
    """The runner on real misbehaviour: each kind has its own code."""
    ready = bootable.prepare(context, "plain")
    for how, code in (("panic", Code.PANIC), ("oops", Code.OOPS), ("warn", Code.WARNING),
                      ("exit3", Code.FAILED), ("reboot", Code.NO_STATUS), ("silent", Code.SILENCE)):
        with tally.case(f"runner: {how} is told apart"):
            result = boot.run(context, ready.kernel.image, ready.initrd, programs=[f"misbehave:{how}"],
                              limits=Limits(silence=8), label="guest")
            assert result.verdict.code is code, f"wanted {code.name}\n{result.report()}"
    # Without ACPI it finds no second CPU, as there is no MP table for a kernel without X86_MPPARSE.
    with tally.case("runner: fewer CPUs than asked for are no pass"):
        result = boot.run(context, ready.kernel.image, ready.initrd, "acpi=off", programs=["show:/proc/version"],
                          label="guest")
        assert result.verdict.code is Code.CPUS, f"wanted {Code.CPUS.name}\n{result.report()}"
    with tally.case("runner: four CPUs are four"):
        result = boot.run(context, ready.kernel.image, ready.initrd, programs=["show:/proc/version"], smp=4,
                          label="guest")
        assert result.passed, result.report()


PROMPT = "kthread# "
# How a person leaves make shell. With -f nobody asks process 1.
WAYS_OUT = ("exit", "poweroff", "reboot", "halt", "poweroff -f", "reboot -f", "halt -f")


@group("shell", Where.PLAIN)
def leaving(context: Context, tally: Tally) -> None:
    """make shell is quiet up to its prompt, and each way to leave it leaves nothing behind."""
    bootable.prepare(context, "plain", shell=True)

    @contextlib.contextmanager
    def guest_shell(before: Sequence[str] = (), controlling: bool = True) -> Iterator[pseudoterminal.Screen]:
        """A terminal with the prompt; at the end none of the processes behind it is left."""
        with pseudoterminal.screen([*before, str(context.scripts / "guest"), "shell"],
                                   os.environ | {"FLAVOUR": "plain"}, controlling=controlling) as one:
            one.wait_for(PROMPT, 120)
            there = [one.process.pid, *pseudoterminal.descendants(one.process.pid)]
            assert any("qemu" in Path(f"/proc/{pid}/comm").read_text() for pid in there), "no QEMU runs"
            yield one
            one.wait_for(lambda: not any(map(pseudoterminal.alive, there)))

    for how in WAYS_OUT:
        with tally.case(f"shell: {how} ends the guest, and QEMU with it"), guest_shell() as one:
            # The console's lines begin with a time in brackets.
            loud = re.findall(r"\[ *\d+\.\d{6}\] .*", one.seen)
            assert not loud, "the boot is not quiet:\n" + "\n".join(loud)
            assert "leave    exit, poweroff or reboot" in one.seen, one.seen
            one.type(f"{how}\n")
            status = one.ended()
            assert status == 0, f"exit status {status}\n{one.seen[-1000:]}"
    with tally.case("shell: a closed terminal ends all of it"), guest_shell() as one:
        one.close()
    with tally.case("shell: a killed runner takes QEMU along"), guest_shell() as one:
        one.process.kill()
    with tally.case("shell: a killed parent takes all of it along"), \
            guest_shell(["/bin/sh", "-c", '"$@"; exit', "sh"], controlling=False) as one:
        one.process.kill()
