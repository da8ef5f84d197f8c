# SPDX-License-Identifier: GPL-2.0-only
"""Warnings about threads that are gone or are none, and what only a kernel that watches its memory shows."""

from __future__ import annotations

from kdebug.build import arch, bootable
from kdebug.build.bootable import Bootable
from kdebug.build.flavours import flavours_with
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.guest.exit_codes import Code
from kdebug.patches import scope
from kdebug.suite.guests import REQUESTS, SLOW, has, of_group
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally

# A call on no thread: what the module test_kthread_misuse passes as its error=.
NO_THREAD = {"-12": "-ENOMEM", "0": "NULL"}
# For each the function that warns, and where that was called.
WRONG_CALLS = {"wrong_stop": ("kthread_stop", "misuse_"), "wrong_stop_put": ("kthread_stop", "kthread_stop_put+"),
               "wrong_park": ("kthread_park", "misuse_"), "wrong_unpark": ("kthread_unpark", "misuse_"),
               "wrong_bind": ("kthread_bind", "misuse_")}


@group("misuse", Where.ANY, needs=scope.MISUSE)
def misuse(context: Context, tally: Tally) -> None:
    """The warnings about threads that are gone, or are none, or wait for themselves."""
    of_group(context, tally, "misuse")
    for flavour in context.flavours:
        ready, where = bootable.prepare(context, flavour), arch.of(context).flavour(flavour)
        # Behind the warning comes the oops that the call has without it. KASAN is first to see that,
        # and User-mode Linux panics.
        codes = (Code.KASAN, Code.OOPS) if has(ready, "CONFIG_KASAN") else (Code.OOPS,)
        if arch.of(context).name == "um":
            codes = (Code.PANIC,)
        for call, (name, place) in WRONG_CALLS.items():
            for error, said in NO_THREAD.items():
                with tally.case(f"{where}: {call}: {name}() given {said}: a warning, and then the oops"):
                    result = boot.run(context, ready.kernel.image, ready.initrd, memory=ready.kernel.memory,
                                      limits=SLOW, tags=["misuse"],
                                      programs=[f"load:/mod/test_kthread_misuse.ko:what={call}:error={error}"],
                                      label="guest")
                    assert result.verdict.code in codes, result.report()
                    kernel = [line.said for line in result.lines if not line.prog]
                    # Up to the verdict's line, which the excused warning is not.
                    bad = next(n for n, line in enumerate(kernel) if line[:200] == result.verdict.reason)
                    told = [line for line in kernel[:bad] if f"{name}() given {said} at {place}" in line]
                    warned = [line for line in kernel[:bad] if line.startswith("WARNING: ")]
                    assert len(told) == len(warned) == 1, result.report()
        if arch.of(context).name == "um":
            continue
        with tally.case(f"{where}: a wild pointer: an oops, and the table's lock is free"):
            result = boot.run(context, ready.kernel.image, ready.initrd, memory=ready.kernel.memory, limits=SLOW,
                              programs=["load:/mod/test_kthread_misuse.ko:what=wrong_stop:error=4096",
                                        f"show:{REQUESTS}"], label="guest")
            assert result.verdict.code in codes, result.report()
            assert any(f"{REQUESTS}: # id age_ms" in line.said for line in result.lines), result.report()


@group("watched", Where.ANY, needs=scope.MISUSE)
def watched(context: Context, tally: Tally) -> None:
    """What only a kernel that watches its memory can show, itself included."""

    def ends(name: str, ready: Bootable, specs: list[str], code: Code, said: str) -> None:
        with tally.case(name):
            result = boot.run(context, ready.kernel.image, ready.initrd, programs=specs, memory=ready.kernel.memory,
                              smp=ready.kernel.cpus, limits=SLOW, label="guest")
            assert result.verdict.code is code, result.report()
            assert any(said in line.said for line in result.lines if not line.prog), f"no '{said}'\n{result.report()}"

    able = flavours_with(context, "CONFIG_KASAN", "CONFIG_DEBUG_KMEMLEAK")
    for flavour in context.flavours:
        where = arch.of(context).flavour(flavour)
        if flavour not in able:
            tally.skip(f"{where}: watched", f"this kernel does not watch its memory, take FLAVOUR={able[0]}")
            continue
        ready = bootable.prepare(context, flavour)
        if has(ready, "CONFIG_KASAN"):
            ends(f"{where}: s5_use_after_free: a stop of an exited thread without a reference to it", ready,
                 ["load:/mod/test_kthread_misuse.ko:what=stop_forgotten"], Code.KASAN,
                 "BUG: KASAN: slab-use-after-free in kthread_")
        if has(ready, "CONFIG_DEBUG_KMEMLEAK"):
            ends(f"{where}: what is lost is found", ready, ["misbehave:leak", "kmemleak"], Code.KMEMLEAK,
                 " new suspected memory leaks")
