# SPDX-License-Identifier: GPL-2.0-only
"""Proof that trace-cmd reads the events: it records in the guest, the host reads its trace.dat."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from kdebug.build import bootable, guest_programs, initramfs
from kdebug.build.modules import module_dirs, external_modules
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.host import lock, ui
from kdebug.tools import trace

CREATED = ["queue", "fork", "start", "claim", "complete", "return", "run", "exit", "stop", "stop_return"]
HELD = [*CREATED[:4], "hold", "release", *CREATED[4:]]


def image(context: Context, ready: bootable.Bootable, tool: str) -> Path:
    """A root file system with the guest's programs, busybox, and trace-cmd with its libraries."""
    files = {"/bin/busybox": initramfs.busybox(context), "/bin/trace-cmd": Path(tool)}
    listed = subprocess.run(["ldd", tool], capture_output=True, text=True, check=True).stdout
    files |= {name: Path(name) for name in re.findall(r"(/\S+) \(0x", listed)}
    parents = {str(parent) for name in files for parent in Path(name).parents} - {"/", "/bin"}
    with lock.held(context, "trace-cmd"):
        modules = [m for d in module_dirs(context) for m in external_modules(context, ready.kernel, d)]
        spec = initramfs.spec(guest_programs.build(context, ready.kernel.source), modules, files)
        made = ready.kernel.out / "trace-cmd.cpio"
        made.with_suffix(".list").write_text("".join(f"dir {d} 0755 0 0\n" for d in sorted(parents)) + spec)
        subprocess.run([ready.kernel.out / "usr/gen_init_cpio", "-t", "0", "-o", made, made.with_suffix(".list")],
                       check=True, capture_output=True)
    return made


def run(context: Context, ready: bootable.Bootable) -> None:
    """Raise an AssertionError that says what trace-cmd could not read."""
    tool = shutil.which("trace-cmd")
    if not tool:
        raise ui.Fail("trace-cmd", "not found", "install it")
    data = context.build / "trace.dat"
    # A second serial port takes the file out, slowly: without the symbols it is a twentieth.
    result = boot.run(context, ready.kernel.image, image(context, ready, tool), label="trace-cmd",
                      extra=["-serial", f"file:{str(data).replace(',', ',,')}"],
                      programs=["busybox:mount:-o:bind:/dev/null:/proc/kallsyms",
                                "trace-cmd:record:-q:-C:mono:-e:kthread:-o:/tmp/trace.dat:timeline:300:untraced",
                                "busybox:stty:-F:/dev/ttyS1:raw:-echo", "busybox:dd:if=/tmp/trace.dat:of=/dev/ttyS1"])
    assert result.passed, result.report()
    check(data)


def check(data: Path) -> None:
    """@data holds a free and a held creation of test_task, and all of it can be read."""
    report = subprocess.run(["trace-cmd", "report", "-t", "-i", data], capture_output=True, text=True,
                            env=os.environ | {"LC_ALL": "C"})
    lines = [line for line in report.stdout.splitlines() if not line.startswith("cpus=")]
    assert report.returncode == 0, report.stderr
    odd = [line for line in lines
           if re.search(r"FAILED TO PARSE|INVALID|UNKNOWN|BAD", line)] + report.stderr.splitlines()
    assert lines and not odd, "\n".join(["trace-cmd report could not read:", *odd])
    read = trace.parse(lines)
    assert not read.unread and not read.lost, f"{read.unread} lines that timeline cannot read, of {len(lines)}"
    found = [r for r in read.requests.values() if r.name == "test_task"]
    kinds = sorted(sorted(e.kind for e in r.events) for r in found)
    assert kinds == sorted([sorted(CREATED), sorted(HELD)]), f"not what was done: {kinds}"
    assert sum(len(r.events) for r in read.requests.values()) == len(lines), "lines that are no event of a request"
    fields = [e.said for r in found for e in r.events if e.kind in ("hold", "release")]
    fields += [{key: r.said("return", key)} for r in found for key in ("stage", "error")]
    assert fields == [{"point": "complete"}] * 2 + [{"stage": "completing"},
                                                    {"error": "0"}] * 2, f"wrong fields: {fields}"
