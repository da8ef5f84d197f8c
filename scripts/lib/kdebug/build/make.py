# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's make: its command line, its environment, and what its output says."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kdebug.build import arch, toolchain
from kdebug.context import Context
from kdebug.host import processes, ui

_ACTION = re.compile(r"  ([A-Z][A-Z0-9_+]*)(?: \[M\])? +(\S+)$")
_WARNING = re.compile(r"\bwarning: |^WARNING: |: Warning: ")
# What went wrong, in the order of what says most.
_ERRORS = (
    re.compile(r"No space left on device"),
    re.compile(r"\berror: |undefined reference|undefined!$|\*\*\* (?!\[|Waiting)"
               r"|not found$|cannot find |^Killed"),
    re.compile(r"\*\*\* \["),
)


def cc_name(context: Context) -> str:
    """The user's choice, or the architecture's gcc."""
    return f"{arch.of(context).prefix}gcc" if context.compiler is None else context.compiler


def compiler(context: Context) -> str:
    """The name and version of the compiler: all objects depend on it."""
    cc = cc_name(context)
    try:
        run = subprocess.run([*cc.split(), "--version"], capture_output=True, text=True, check=True)
    except (OSError, IndexError, subprocess.CalledProcessError):
        raise ui.Fail("CC", f"{cc!r} does not run", f"run make deps ARCH={arch.of(context).name}, or name "
                      "a compiler that is there") from None
    return f"{cc}: {run.stdout.splitlines()[0]}"


def tools(context: Context, source: Path) -> dict[str, str]:
    """What each tool of the host that builds the kernel tree @source says of its version."""
    return toolchain.versions(source, cc_name(context).split(), arch.of(context).prefix)


def environment(context: Context) -> dict[str, str]:
    """The environment for make: nothing of a make around us, or of its user's
    other kernels, may reach this build."""
    drop = re.compile(r"MAKE|MFLAGS|KBUILD|KCONFIG|KCFLAGS|KCPPFLAGS|KAFLAGS|INSTALL_|CROSS_COMPILE|"
                      r"(?:ARCH|SUBARCH|O|M|MO|V|W|C|CC|LD|LLVM|HOSTCC|LOCALVERSION)$")
    env = {k: v for k, v in os.environ.items() if not drop.match(k)}
    env.update(LC_ALL="C")
    if "CCACHE_DIR" not in env:
        env.update(CCACHE_DIR=str(context.ccache), CCACHE_MAXSIZE="1G")
    return env


def make_args(context: Context, source: Path, out: Path) -> list[str]:
    """The make command line that is the same for all of a kernel's targets."""
    for path in (source, out, context.scripts):
        if re.search(r"[\s:]", str(path)):
            raise ui.Fail(str(path), "the kernel's make takes no path with a space or a colon",
                          "set KTHREAD_DEBUG_BUILD to a directory without")
    row, cc, hostcc = arch.of(context), cc_name(context), "gcc"
    if shutil.which("ccache"):
        cc, hostcc = f"{context.scripts / 'cc'} {cc}", "ccache gcc"
    # With time, user and host fixed, equal sources give equal bytes.
    return ["make", "-C", str(source), f"O={out}", f"ARCH={row.make}", f"CC={cc}", f"HOSTCC={hostcc}",
            *([f"CROSS_COMPILE={row.prefix}"] if row.prefix else []), f"-j{len(os.sched_getaffinity(0))}",
            "KBUILD_BUILD_TIMESTAMP=1970-01-01",
            "KBUILD_BUILD_USER=kdebug", "KBUILD_BUILD_HOST=kdebug", "KBUILD_BUILD_VERSION=1"]


@dataclass
class Output:
    """What make's output says, line by line."""

    # By target, so that a target that is built again replaces its own and an
    # incremental build keeps those of what it did not touch.
    warnings: dict[str, list[str]] = field(default_factory=dict)
    objects: int = 0
    target: str = ""
    lines: list[str] = field(default_factory=list)

    def feed(self, line: str) -> None:
        line = line.rstrip()
        self.lines.append(line)
        if m := _ACTION.fullmatch(line):
            self.target = m[2]
            self.objects += m[2].endswith(".o")
            self.warnings.pop(self.target, None)
        elif _WARNING.search(line):
            self.warnings.setdefault(self.target, []).append(line.strip())

    def errors(self, limit: int = 5) -> list[str]:
        """The first lines that say why make failed."""
        for pattern in _ERRORS:
            if found := [line.strip() for line in self.lines if pattern.search(line)]:
                return list(dict.fromkeys(found))[:limit]
        return [line.strip() for line in self.lines[-2:]] or ["no output"]

    def all_warnings(self) -> tuple[str, ...]:
        return tuple(w for ws in self.warnings.values() for w in ws)


def run(context: Context, args: Sequence[str], log: Path, output: Output, phase: ui.Phase | None = None,
        state: str = "{}",
        env: Mapping[str, str] | None = None) -> None:
    """Run @args into @output and @log; when it fails, show why."""
    with log.open("a", buffering=1) as copy:
        copy.write(f"$ {' '.join(args)}\n")
        try:
            # A make that outlives us would write beside the one of the next run.
            proc = subprocess.Popen(args, env=env or environment(context), stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                    preexec_fn=processes.die_with_parent(signal.SIGTERM))
        except FileNotFoundError:
            raise ui.Fail(args[0], "not found", "install it (see make deps)") from None
        with proc:
            assert proc.stdout
            try:
                for line in proc.stdout:
                    copy.write(line)
                    output.feed(line)
                    if phase:
                        phase.live(state.format(output.objects) + f"  {output.target}")
            except BaseException:
                proc.terminate()
                proc.wait()
                raise
    if proc.returncode == 0:
        return
    first, *rest = output.errors()
    if phase:
        for line in rest:
            phase.note(line)
    if "No space left" in first:
        raise ui.Fail(str(context.build), "no space left on the disk",
                      "free 1 GB there, or set KTHREAD_DEBUG_BUILD to another disk")
    raise ui.Fail(context.shown(log), first, "mend that and run again; that file has all of it")
