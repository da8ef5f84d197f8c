# SPDX-License-Identifier: GPL-2.0-only
"""The column "boots": the kernel of "on" passes the tests that it contains."""

from __future__ import annotations

from kdebug.guest import kunit
from kdebug.build import arch, guest_programs, initramfs
from kdebug.build.kernel import Kernel
from kdebug.build.modules import external_modules, in_tree_modules
from kdebug.check.step import Red, Step
from kdebug.guest import boot
from kdebug.guest.judge import Limits
from kdebug.host import files

# The selftests that go with any boot.
BOOTED = ("events", "table", "sysrq", "comp_block", "fail_create", "fail_nth", "knobs", "nomem", "hazard", "hits", "run",
          "misuse", "stops", "stall", "cause")


def boots(step: Step, _: str) -> list[str]:
    """The kernel of "on" boots, and passes the tests that it contains."""
    out = step.top / "out/on"
    release = (out / "include/config/kernel.release").read_text().strip()
    key = files.digest((out / "vmlinux").read_bytes())
    kernel = Kernel(out / arch.get("x86_64").path, out, step.tree, out / ".config", release, key)
    programs, modules = ["show:/proc/version"], in_tree_modules(kernel)
    if (tests := step.tree / guest_programs.SELFTESTS / "test_modules").is_dir():
        modules += external_modules(step.context, kernel, tests)
        programs += [p for p in BOOTED if (step.tree / guest_programs.SELFTESTS / f"{p}.c").is_file()]
    if (step.tree / "samples/kthread/kthread_pattern.c").is_file():
        programs += ["samples"]
    has_kunit = (step.tree / "kernel/tests/kthread_kunit.c").is_file()
    initrd = initramfs.ensure(step.context, kernel, modules)
    # What a patch to documents leaves as it was need not boot again.
    done, now = step.top / "out/on/passed", files.digest(kernel.image.read_bytes(), initrd.read_bytes(), *programs)
    if step.patch and done.is_file() and done.read_text() == now:
        return []
    result = boot.run(step.context, kernel.image, initrd, "kunit.enable=1" if has_kunit else "", programs=programs,
                      tags=["stall-report", "misuse"], label="check",
                      limits=Limits(boot=300, silence=300, total=1800))
    if has_kunit:
        cases = kunit.parse(step.context, step.tree, result.console)
        if bad := [case for case, said in cases.items() if said not in ("ok", "skip")]:
            raise Red(f"KUnit: {' '.join(bad)}, see {result.console}")
    if not result.passed:
        raise Red(result.report())
    done.write_text(now)
    return []
