# SPDX-License-Identifier: GPL-2.0-only
"""gdb prints the kernel's table of requests from a live guest and from a dump, drgn from a dump."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from kdebug.build.kernel import Kernel
from kdebug.context import Context
from kdebug.host import apt, processes, ui

# Debian 12 has no drgn.
SUITES = ("testing", "unstable")
SCRIPT = Path("tools/kthread/kthread_dump.py")
HEADER = "# id "
AGE = 1  # the column that another moment changes
LIMIT = 300  # seconds on a busy machine


def _said(command: Sequence[str | Path], **env: str) -> str:
    """What @command prints."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=LIMIT,
                          stdin=subprocess.DEVNULL, env=processes.clean_env(**env))
    assert done.returncode == 0, f"{command[0]}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def table(said: str) -> list[str]:
    """The table in what a debugger @said: its header, and all from there on that has as many words."""
    lines = said.splitlines()
    first = next((n for n, line in enumerate(lines) if line.startswith(HEADER)), None)
    assert first is not None, f"no line '{HEADER}...' in\n{said}"
    words = len(lines[first].split()) - 1
    return [lines[first], *(line for line in lines[first + 1:] if len(line.split(" ")) == words)]


def differs(before: Sequence[str], got: Sequence[str], after: Sequence[str]) -> str:
    """The first line of @got that is not that of the tables which the kernel printed @before and @after; "" if none.

    An age is not below that of @before, nor above that of @after. All else is equal.
    """
    if not len(before) == len(got) == len(after):
        return "\n".join([f"{len(got)} lines, where the kernel has {len(before)} and {len(after)}:", *got, *before])
    for number, (early, line, late) in enumerate(zip(before, got, after, strict=True)):
        old, now, new = (text.split(" ") for text in (early, line, late))
        if number == 0:
            same = old == now == new
        else:
            same = [*old[:AGE], *old[AGE + 1:]] == [*now[:AGE], *now[AGE + 1:]] == [*new[:AGE], *new[AGE + 1:]]
            same = same and now[AGE].isdigit() and int(old[AGE]) <= int(now[AGE]) <= int(new[AGE])
        if not same:
            return f"{line}\nwhere the kernel has\n{early}\n{late}"
    return ""


def notes(dump: Path) -> Path:
    """Where the kernel's own notes of the machine in @dump are."""
    return dump.with_suffix(".vmcoreinfo")


class Gdb:
    """Debian's gdb, with the commands of the kernel's own scripts."""

    def __init__(self, kernel: Kernel) -> None:
        self.vmlinux = kernel.out / "vmlinux"
        self.command = ["gdb", "-nx", "-batch", "-iex", f"add-auto-load-safe-path {kernel.out}",
                        "-iex", f"add-auto-load-safe-path {kernel.source}", str(self.vmlinux)]

    def live(self, sock: Path, dump: Path) -> str:
        """What it prints of the guest behind the stub @sock, which stands still and is written to the file @dump.

        The kernel's notes go beside the dump: QEMU adds them only for a guest with a driver for its fw_cfg.
        """
        steps = ["set remotetimeout 300", f"target remote {sock}", "lx-kthreads",
                 f"monitor dump-guest-memory -p {dump}",
                 f"dump binary memory {notes(dump)} vmcoreinfo_data vmcoreinfo_data+vmcoreinfo_size", "detach"]
        return _said([*self.command, *(word for step in steps for word in ("-ex", step))])

    def dump(self, file: Path) -> str:
        """What it prints of a dump."""
        return _said([*self.command, "-ex", f"core-file {file}", "-ex", "lx-kthreads"])


class Drgn:
    """The host's drgn, or else that of a newer Debian, with its Python and its C library."""

    def __init__(self, context: Context, kernel: Kernel) -> None:
        top = context.check / "drgn"
        self.arguments = ["--quiet", "--no-default-symbols", "--symbols", str(kernel.out / "vmlinux")]
        self.script = str(kernel.source / SCRIPT)
        self.env = {}
        self.command = ["drgn"]
        if shutil.which("drgn"):
            return
        if not top.is_dir():
            apt.unpack("python3-drgn", SUITES, top)
        python = next(iter(sorted((top / "usr/bin").glob("python3.*[0-9]"))), None)
        loader = next(top.rglob("ld-linux-x86-64.so.2"), None)
        if python is None or loader is None:
            raise ui.Fail(str(top), "has no Python, or no program loader", f"run: rm -r {top}")
        libs = next(top.rglob("libc.so.6")).parent
        self.command = [str(loader), "--library-path", str(libs), str(python), "-m", "drgn"]
        self.env = {"PYTHONHOME": str(top / "usr")}

    def dump(self, file: Path) -> str:
        """What it prints of a dump."""
        return _said([*self.command, *self.arguments, "--vmcoreinfo", str(notes(file)), "--core", str(file), self.script],
                     **self.env)
