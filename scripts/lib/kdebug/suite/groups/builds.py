# SPDX-License-Identifier: GPL-2.0-only
"""What the compiler makes of the series, and of code that it has to refuse."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from kdebug.build import bootable, make
from kdebug.build.kernel import Kernel
from kdebug.context import Context
from kdebug.host import lock, ui
from kdebug.patches import scope
from kdebug.suite import registry
from kdebug.suite.guests import SUSPENDS
from kdebug.suite.registry import When, Where, group
from kdebug.suite.report import Tally


@group("builds", Where.HOST, when=When.FIRST)
def builds(context: Context, tally: Tally) -> None:
    """Each combination of options builds without a warning."""
    for flavour, what in (("plain", "all on"), ("debug-only", "FAIL_KTHREAD off"),
                          ("off", "KTHREAD_DEBUG off"), ("notrace", "no trace events")):
        with tally.case(f"builds without a warning: {what}"):
            kernel = bootable.prepare(context, flavour).kernel
            assert not kernel.warnings, "\n".join(kernel.warnings)
    # What else the groups boot: a build takes all CPUs, so not while they run.
    bootable.prepare(context, "off", unpatched=True)
    suspends = [SUSPENDS for one in registry.every() if one.name == "suspend" and one.there(context)]
    for flavour in (*context.flavours, *suspends):
        bootable.prepare(context, flavour)


KTHREAD = "kernel/kthread.o"
DEBUG = "kernel/kthread_debug.o"


@group("unchanged", Where.HOST, needs=scope.DEBUG)
def unchanged(context: Context, tally: Tally) -> None:
    """What is off leaves no code, and what is on uses only what it may."""

    def code(kernel: Kernel) -> str:
        dump = subprocess.run(["objdump", "-d", "-r", "--no-show-raw-insn", kernel.out / KTHREAD],
                              capture_output=True, text=True, check=True).stdout
        return dump.split("\n", 3)[3]  # behind the file's name

    def symbols(kernel: Kernel, name: str) -> list[str]:
        listed = subprocess.run(["nm", kernel.out / name], capture_output=True, text=True, check=True).stdout
        return [line.split()[-1] for line in listed.splitlines()]

    def kernel(trace: bool, unpatched: bool) -> Kernel:
        if trace:
            return bootable.prepare(context, "off", unpatched=unpatched).kernel
        return bootable.objects(context, "off", KTHREAD, unpatched=unpatched, fragments=["notrace"])

    for trace in (True, False):
        with tally.case(f"off, trace events {'on' if trace else 'off'}: {KTHREAD} has the code of the base"):
            patched, base = code(kernel(trace, False)), code(kernel(trace, True))
            assert patched, "no code at all"
            if patched != base:
                lines = [(a, b) for a, b in zip(patched.splitlines(), base.splitlines()) if a != b]
                raise AssertionError("\n".join(["first difference, off and base:", *lines[0]]) if lines
                                     else "one is longer")
    for name in (KTHREAD, DEBUG):
        with tally.case(f"without trace events there is no code for them in {name}"):
            def traced(flavour: str) -> list[str]:
                every = symbols(bootable.prepare(context, flavour).kernel, name)
                return [s for s in every if "trace" in s.replace("backtrace", "")]
            assert traced("plain"), "there is none with them, too"
            assert not traced("notrace"), " ".join(traced("notrace"))
    with tally.case(f"without the knob {DEBUG} takes no mutex and allocates only for who reads the table"):
        used = symbols(bootable.prepare(context, "debug-only").kernel, DEBUG)
        assert "_raw_spin_lock_irqsave" in used, "not even a lock"
        bad = [s for s in used if re.search("mutex|alloc", s) and s != "perf_trace_buf_alloc"]
        assert not bad, " ".join(bad)
    with tally.case("kernel/kthread.c grows by at most 60 lines, with no conditional of the preprocessor"):
        added, removed = changed_lines(context, "kernel/kthread.c")
        assert added, "nothing is added at all"
        assert len(added) - len(removed) <= 60, f"{len(added)} lines added, {len(removed)} removed"
        bad = [line for line in added if re.match(r"\s*#\s*(if|else|elif|endif)", line)]
        assert not bad, "\n".join(bad)


def changed_lines(context: Context, path: str) -> tuple[list[str], list[str]]:
    """What the whole series adds to the file @path, and what it removes."""
    old, new = (bootable.patched_tree(context, unpatched).path / path for unpatched in (True, False))
    diff = subprocess.run(["diff", old, new], capture_output=True, text=True).stdout.splitlines()
    return [line[2:] for line in diff if line[0] == ">"], [line[2:] for line in diff if line[0] == "<"]


def outside(context: Context, kernel: Kernel, name: str, *args: str) -> tuple[str, ...]:
    """Build the module @name of kernel/nobuild; what is warned of."""
    dest, output = kernel.out / "mod" / name, make.Output()
    shutil.rmtree(dest, ignore_errors=True)
    dest.mkdir(parents=True)
    with lock.held(context, f"build {name}"):
        make.run(context, [*make.make_args(context, kernel.source, kernel.out), f"M={context.kernel / 'nobuild'}",
                           f"MO={dest}", f"NAME={name}", *args, "modules"], dest.with_suffix(".log"), output)
    return output.all_warnings()


def configured(context: Context, kernel: Kernel, files: str) -> list[str]:
    """What comes of asking for FAIL_KTHREAD with FAULT_INJECTION_DEBUG_FS=@files."""
    with tempfile.TemporaryDirectory(dir=context.out) as tmp:
        out = Path(tmp)
        wish = out / "wish.config"
        wish.write_text("".join(f"CONFIG_{option}={value}\n" for option, value in {
            "EXPERT": "y", "SYSFS": "y", "DEBUG_KERNEL": "y", "DEBUG_FS": "y", "KTHREAD_DEBUG": "y",
            "FAULT_INJECTION": "y", "FAULT_INJECTION_DEBUG_FS": files, "FAIL_KTHREAD": "y"}.items()))
        make.run(context, [*make.make_args(context, kernel.source, out), "-s", f"KCONFIG_ALLCONFIG={wish}",
                           "allnoconfig"], out / "log", make.Output())
        config = (out / ".config").read_text().splitlines()
    assert {"CONFIG_KTHREAD_DEBUG=y", "CONFIG_FAULT_INJECTION=y"} <= set(config), "these are lost, too"
    return config


@group("nobuild", Where.HOST, needs=scope.FAULT)
def nobuild(context: Context, tally: Tally) -> None:
    """What a driver is warned of, or refused, when it is built."""
    kernel = bootable.prepare(context, "plain").kernel
    with tally.case("w7_the_build_warns: of 64 KiB on a kernel stack, and not of as much from the heap"):
        warned = outside(context, kernel, "bigframe", "KCFLAGS=-DON_STACK")
        large = r"bigframe\.c:.*frame size of 65\d+ bytes.*-Wframe-larger-than="
        assert len(warned) == 1 and re.search(large, warned[0]), warned
        assert not (warned := outside(context, kernel, "bigframe")), warned
    with tally.case("w11_no_module_can_call_it: kernel_thread() is not exported"):
        try:
            outside(context, kernel, "clone", "KCFLAGS=-DKERNEL_THREAD")
        except ui.Fail as err:
            assert "symbol 'kernel_thread' undefined!" in str(err), err
        else:
            raise AssertionError("it has been linked")
        assert not (warned := outside(context, kernel, "clone")), warned
    with tally.case("what can be armed can be released: FAIL_KTHREAD needs FAULT_INJECTION_DEBUG_FS"):
        assert "CONFIG_FAIL_KTHREAD=y" not in configured(context, kernel, "n"), "it is set without"
        assert "CONFIG_FAIL_KTHREAD=y" in configured(context, kernel, "y"), "it is not even set with it"
    with tally.case("w11_only_the_core_calls_it: kthreadd, and what starts that"):
        objects = [o for o in kernel.out.rglob("*.o") if o.name != "vmlinux.o" and kernel.out / "mod" not in o.parents]
        listed = subprocess.run(["nm", "-A", "-u", *objects], capture_output=True, text=True, check=True).stdout
        callers = {line.split(":")[0] for line in listed.splitlines() if line.endswith(" U kernel_thread")}
        assert callers == {str(kernel.out / o) for o in ("init/main.o", "kernel/kthread.o")}, callers
