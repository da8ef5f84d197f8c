# SPDX-License-Identifier: GPL-2.0-only
"""QEMU: which one, with which accelerator, which command line, how it dies."""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from kdebug.build.arch import Arch
from kdebug.context import Context
from kdebug.guest.exit_codes import Code
from kdebug.host import files, processes
from kdebug.host.ui import Fail

OLDEST = (7, 0)
# With a thread for each guest CPU, 7.2 may keep the translation of an int3 that the
# kernel had in its code for a moment (static keys), and the guest dies of it later:
# "Oops: int3". From here on a page is locked before it is translated.
PARALLEL = (8, 2)
PROBE_LIMIT = 3.0  # seconds; a working KVM takes 0.1
PROBE_ROUNDS = 20_000_000  # two instructions each: 10 ms, or 0.2 s under emulation
PROBE_EXIT = 0x2A


def _number(version: str) -> tuple[int, int] | None:
    found = re.search(r"version (\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


def threads(accel: str, version: str) -> str:
    """The -accel argument: emulation's guest CPUs share a thread where they must."""
    return f"{accel},thread=single" if accel == "tcg" and (_number(version) or OLDEST) < PARALLEL else accel


def find(m: Arch) -> tuple[str, str]:
    """Path and version line of @m's QEMU; a Fail if it cannot be used."""
    binary = shutil.which(m.binary)
    if not binary:
        raise Fail(m.binary, "not found in PATH", f"install it (apt-get install {m.package})", Code.NO_QEMU)
    try:
        out = subprocess.run([binary, "--version"], capture_output=True, text=True, errors="replace",
                             stdin=subprocess.DEVNULL, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired) as err:
        raise Fail(binary, f"does not run ({err})", f"reinstall {m.package}", Code.NO_QEMU) from err
    version = out.splitlines()[0] if out else ""
    number = _number(version)
    if not number:
        raise Fail(binary, f"tells no version ({version[:60]!r})", f"reinstall {m.package}", Code.NO_QEMU)
    if number < OLDEST:
        raise Fail(binary, f"is too old ({version})",
                   f"install QEMU {OLDEST[0]}.{OLDEST[1]} or newer", Code.NO_QEMU)
    return binary, version


# --- KVM, or not ----------------------------------------------------------------

def payload() -> bytes:
    """A multiboot image that counts PROBE_ROUNDS down, then writes PROBE_EXIT to isa-debug-exit.

    Multiboot starts it in 32-bit protected mode. That is the point: on a nested
    host that cannot run Linux, real mode may still work. The count tells such a host
    from one whose KVM emulates each instruction in these modes, a microsecond
    each: Linux needs an hour there to unpack itself.
    """
    base, magic, flags = 0x100000, 0x1BADB002, 1 << 16  # 1<<16: addresses below are valid
    code = b"\xB9" + struct.pack("<I", PROBE_ROUNDS)  # mov $PROBE_ROUNDS,%ecx
    code += bytes((0x49,              # dec %ecx
                   0x75, 0xFD,        # jnz to the dec
                   0xB0, PROBE_EXIT,  # mov $PROBE_EXIT,%al
                   0xE6, 0xF4,        # out %al,$0xf4
                   0xF4,              # hlt
                   0xEB, 0xFD))       # jmp to the hlt
    end = base + 32 + len(code)
    return struct.pack("<8I", magic, flags, -(magic + flags) & 0xFFFFFFFF,
                       base, base, end, end, base + 32) + code


def probe(binary: str, m: Arch, accel: str, limit: float = PROBE_LIMIT) -> str:
    """Run the payload under @accel: "" if it works, else why not."""
    with tempfile.TemporaryDirectory(prefix="kdebug-probe-") as tmp:
        image = Path(tmp, "payload")
        image.write_bytes(payload())
        cmd = [binary, "-nodefaults", "-no-user-config", *m.args, "-accel", accel, "-cpu", m.cpu,
               "-m", "64", "-display", "none", "-no-reboot",
               "-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-kernel", str(image)]
        proc = spawn(cmd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            err = proc.communicate(timeout=limit)[1].decode(errors="replace").strip()
        except subprocess.TimeoutExpired:
            return f"a guest did not get through {2 * PROBE_ROUNDS:,} instructions in {limit:g} s"
        finally:
            kill(proc)
            if proc.stderr:
                proc.stderr.close()
    if proc.returncode == PROBE_EXIT << 1 | 1:
        return ""
    return err.splitlines()[-1].rpartition("/")[2] if err else f"QEMU ended with {proc.returncode}"


def wanted_accel(context: Context) -> str:
    """ACCEL: kvm, tcg or auto; a Fail for anything else."""
    wanted = context.accelerator
    if wanted not in ("kvm", "tcg", "auto"):
        raise Fail("ACCEL", f"unknown accelerator {wanted!r}", "use kvm, tcg or auto")
    return wanted


def choose_accel(context: Context, m: Arch, binary: str, version: str) -> tuple[str, str]:
    """The accelerator to use, and a remark for the user ("" if there is none).

    ACCEL may force it. The probe's answer holds for this boot
    of the host and this QEMU, and is kept in build/kvm-probe.
    """
    wanted = wanted_accel(context)
    usable = os.access("/dev/kvm", os.R_OK | os.W_OK) and platform.machine() in m.kvm_hosts
    if wanted == "kvm" and not usable:
        raise Fail("ACCEL", "kvm wanted, but /dev/kvm cannot be opened or the host has another CPU",
                   "use ACCEL=tcg", Code.NO_QEMU)
    if wanted != "auto":
        return wanted, ""
    if not usable:
        return "tcg", ""
    key = {"boot_id": _boot_id(), "qemu": version, "machine": m.binary}
    cache = context.build / "kvm-probe"
    why = _cached(cache, key)
    if why is None:
        why = probe(binary, m, "kvm")
        cache.parent.mkdir(parents=True, exist_ok=True)
        new = cache.with_name(f"{cache.name}.{os.getpid()}")
        files.save_json(new, {**key, "why": why})
        new.replace(cache)
    return ("tcg", f"emulating, /dev/kvm does not work: {why}") if why else ("kvm", "")


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _cached(cache: Path, key: dict[str, str]) -> str | None:
    """The kept answer; None for another boot, another QEMU or a broken file."""
    kept = files.load_json(cache)
    if any(kept.get(k) != v for k, v in key.items()):
        return None
    why = kept.get("why")
    return why if isinstance(why, str) else None


# --- the command ----------------------------------------------------------------

def command(m: Arch, binary: str, *, accel: str, image: Path, initrd: Path | None, append: str,
            memory: int = 256, smp: int | None = None, terminal: Path | None = None,
            extra: Sequence[str] = ()) -> list[str]:
    """The whole command line; it says all, so that it can be replayed.

    With @terminal a person uses the console, with QEMU's monitor behind Ctrl-a, and
    QEMU copies what the guest prints into the file @terminal. A User-mode Linux makes no copy.
    """
    if not m.binary:
        if extra:
            raise Fail(m.name, f"{extra[0]} is for QEMU, and this is a process of its own",
                       "leave it out; it can be run under gdb itself")
        return _user_mode(m, image.absolute(), initrd, append, memory, smp, terminal is not None)
    cpus = smp or m.cpus
    # A kernel without ACPI finds the CPUs of x86 in the firmware's MP table, which lists one a socket.
    cmd = [binary, "-nodefaults", "-no-user-config", *m.args, "-accel", accel, "-cpu", m.cpu,
           "-m", str(memory), "-smp", f"{cpus},sockets={cpus}", "-display", "none", "-no-reboot",
           *_console(terminal), "-kernel", str(image.absolute())]
    if m.dtb:
        cmd += ["-dtb", str(image.absolute().parent / "dts" / m.dtb)]
    if initrd:
        cmd += ["-initrd", str(initrd.absolute())]
    return [*cmd, "-append", append, *extra]


def _console(terminal: Path | None) -> list[str]:
    if terminal is None:
        return ["-serial", "stdio"]
    # What -serial mon:stdio stands for, and a copy. A comma in a name is written twice.
    copy = str(terminal.absolute()).replace(",", ",,")
    return ["-chardev", f"stdio,id=console,mux=on,signal=off,logfile={copy}",
            "-serial", "chardev:console", "-mon", "chardev=console"]


def _user_mode(m: Arch, image: Path, initrd: Path | None, append: str, memory: int, smp: int | None,
               terminal: bool) -> list[str]:
    """The command line of a kernel that is a program of the host's."""
    if (smp or m.cpus) != m.cpus:
        raise Fail("--smp", f"{smp} CPUs, but {m.name} has {m.cpus}", "leave it out")
    # It keeps a socket there, and otherwise in the user's home. Of two consoles the last is meant.
    return [str(image), f"mem={memory}M", *([f"initrd={initrd.absolute()}"] if initrd else []),
            f"uml_dir={image.parent / 'uml'}", *append.split(), *(["con0=fd:0,fd:1"] if terminal else [])]


def save(cmd: Sequence[str], path: Path) -> None:
    """Keep the command @cmd as a shell script at @path."""
    path.write_text(f"#!/bin/sh\nexec {shlex.join(cmd)}\n")
    path.chmod(0o755)


def spawn(cmd: Sequence[str], *, stdin: int | None = subprocess.DEVNULL,
          stdout: int | IO[bytes] | None = None, stderr: int | IO[bytes] | None = None,
          session: bool = True) -> subprocess.Popen[bytes]:
    """Start QEMU so that it cannot outlive us, not even when we are killed.

    The signal follows the death of the thread that calls this: call it from
    one that lives as long as the run. With @session ^C is ours alone.
    """
    try:
        return subprocess.Popen(cmd, stdin=stdin, stdout=stdout, stderr=stderr,
                                start_new_session=session, preexec_fn=processes.die_with_parent())
    except (OSError, subprocess.SubprocessError) as err:
        raise Fail(cmd[0], f"cannot be started ({err})", "reinstall it", Code.NO_QEMU) from err


def kill(proc: subprocess.Popen[bytes]) -> None:
    """End @proc, whatever it does."""
    if proc.poll() is None:
        proc.kill()
    proc.wait()
