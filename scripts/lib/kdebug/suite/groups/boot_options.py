# SPDX-License-Identifier: GPL-2.0-only
"""The knob and the stall report before there is a user space."""

from __future__ import annotations

import re

from kdebug.build import bootable
from kdebug.build.bootable import Bootable
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.guest.exit_codes import Code
from kdebug.guest.judge import Limits
from kdebug.patches import scope
from kdebug.suite.guests import FAIL_CREATE, KNOB
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally

# A thread that the kernel itself creates in a device initcall.
EARLY = "kswapd0"
# And one that a boot can do without.
SPARE = "oom_reaper"


def shown(context: Context, ready: Bootable, append: str, want: dict[str, str], *, log: str = "",
          knob: str = KNOB) -> None:
    """Boot with @append; the files of the @knob hold @want, in patterns, the log has @log."""
    result = boot.run(context, ready.kernel.image, ready.initrd, append, label="guest",
                      programs=[":".join(["show", *(f"{knob}/{name}" for name in want)])])
    assert result.passed, result.report()
    said = {line.said for line in result.lines if line.prog}
    for name, value in want.items():
        found = re.compile(rf"{re.escape(f'{knob}/{name}')}: {value}")
        assert any(found.fullmatch(line) for line in said), f"{name} is not '{value}'\n{result.report()}"
    kernel = [line.said for line in result.lines if not line.prog and "ommand line:" not in line.said]
    assert any(log in line for line in kernel), f"no line with '{log}', see {result.console}"


@group("boot-options", Where.PLAIN, needs=scope.FAULT)
def boot_options(context: Context, tally: Tally) -> None:
    """What is armed on the command line holds a creation before there is a user space."""
    ready = bootable.prepare(context, "plain")
    armed = f"comp_block=1,100,0,1 comp_block_name={EARLY} comp_block_hold_ms=3000"
    with tally.case("boot options: a creation in a device initcall is held and released"):
        result = boot.run(context, ready.kernel.image, ready.initrd, f"{armed} comp_block_point=fork",
                          label="guest", programs=[f"show:{KNOB}/times:{KNOB}/point"])
        assert result.passed, result.report()
        said = [line for line in result.lines if not line.prog]
        held = [n for n, line in enumerate(said) if "name comp_block, interval 1, probability 100" in line.said]
        assert len(held) == 1, f"{len(held)} creations held, see {result.console}"
        # Who runs the initcalls is the creator, so init has to wait as well.
        init = [line for line in said if line.said.startswith("Run /init")]
        assert init and (init[0].guest or 0) - (said[held[0]].guest or 0) >= 3, result.report()
        assert any(line.said == f"{KNOB}/times: 0" for line in result.lines), result.report()
    with tally.case("boot options: a hold that nobody could release ends by itself"):
        # Without hold_ms, and before there is anybody who could write to a file.
        result = boot.run(context, ready.kernel.image, ready.initrd,
                          f"comp_block=1,100,0,1 comp_block_name={EARLY} comp_block_point=fork", label="guest",
                          limits=Limits(boot=90), programs=[f"show:{KNOB}/times"])
        assert result.passed, result.report()
        said = [line for line in result.lines if not line.prog]
        begun = [line for line in said if "name comp_block, interval 1, probability 100" in line.said]
        ended = [line for line in said if re.fullmatch(
            rf'kthread: comp_block releases id=\d+ \("{EARLY}"\) by itself after 30 s: no user space yet', line.said)]
        init = [line for line in said if line.said.startswith("Run /init")]
        assert len(begun) == len(ended) == len(init) == 1, result.report()
        assert begun[0].number < ended[0].number < init[0].number, result.report()
        assert 30 <= (ended[0].guest or 0) - (begun[0].guest or 0) < 35, result.report()
    with tally.case("boot options: all are taken"):
        # A name that nothing has, or its creation would use some of them up.
        shown(context, ready,
              "comp_block=2,50,3,4 comp_block_point=claim comp_block_name=nobody comp_block_creator=!no "
              "comp_block_hold_ms=700",
              {"interval": "2", "probability": "50", "space": "3", "times": "4", "point": "claim",
               "name": "nobody", "creator": "!no", "hold_ms": "700", "hits": "0 0"})
        shown(context, ready,
              "fail_create=2,50,3,4 fail_create_name=!no fail_create_creator=nobody fail_create_errno=-4",
              {"interval": "2", "probability": "50", "space": "3", "times": "4", "name": "!no", "creator": "nobody",
               "errno": "-4", "hits": "0 0"}, knob=FAIL_CREATE)
    # An exclusion matches the first thread of the system, too.
    for knob, path, options, needs in (
            ("comp_block", KNOB, "", "comp_block_name="),
            ("comp_block", KNOB, "comp_block_name=!no comp_block_creator=swapper/0", "comp_block_name="),
            ("fail_create", FAIL_CREATE, "", "fail_create_name= or fail_create_creator="),
            ("fail_create", FAIL_CREATE, "fail_create_name=!no fail_create_creator=!no",
             "fail_create_name= or fail_create_creator=")):
        with tally.case(f"boot options: {knob} with {options or 'no name'} stays disarmed"):
            shown(context, ready, f"{knob}=1,100,0,-1 {options}", {"probability": "0", "times": "-1"},
                  log=f"at boot {knob}= needs {needs}, {knob} stays disarmed", knob=path)
    with tally.case("boot options: a creation in a device initcall fails"):
        shown(context, ready, f"fail_create=1,100,0,1 fail_create_name={SPARE} fail_create_creator=swapper/* "
              "fail_create_errno=-11", {"times": "0", "hits": r"1 \d+"}, knob=FAIL_CREATE,
              log=f'kthread: fail_create injects error -11 into kthread_create("{SPARE}") by swapper/0:1, id=')
    for bad in ("fail_create=1,100,0", "fail_create_errno=11", "fail_create_name=!",
                f"fail_create_creator={'x' * 128}"):
        option, value = bad.split("=")
        with tally.case(f"boot options: {option}={value[:12]} is refused and disarms"):
            shown(context, ready, f"fail_create=1,100,0,1 fail_create_name={EARLY} {bad}", {"probability": "0"},
                  log=f"bad value '{value}' for {option}=, fail_create stays disarmed", knob=FAIL_CREATE)
    for bad in ("comp_block=1,100,0", "comp_block_point=here", "comp_block_hold_ms=1s",
                f"comp_block_name={'x' * 128}"):
        option, value = bad.split("=")
        with tally.case(f"boot options: {option}={value[:12]} is refused and disarms"):
            shown(context, ready, f"{armed} {bad}", {"probability": "0", "point": "complete"},
                  log=f"bad value '{value}' for {option}=")


@group("stall-at-boot", Where.PLAIN, needs=scope.FAULT)
def stall_at_boot(context: Context, tally: Tally) -> None:
    """The report needs no user space; and the panic behind it, for who wants that."""
    ready = bootable.prepare(context, "plain")
    held = f"comp_block=1,100,0,1 comp_block_name={EARLY} comp_block_point=fork kthread_debug.stall_secs=1"
    report = (rf'INFO: kthread_create\("{EARLY}"\) by swapper/0:1 blocked for 1 s in stage forking, '
              "held by comp_block")

    def said(result: boot.Result, pattern: str) -> list[int]:
        return [line.number for line in result.lines if not line.prog and re.match(pattern, line.said)]

    with tally.case("stall report: at boot, before there is a user space"):
        result = boot.run(context, ready.kernel.image, ready.initrd, f"{held} comp_block_hold_ms=2500",
                          label="guest", programs=["show:/proc/version"], tags=["stall-report"])
        assert result.passed, result.report()
        first, stack, init = said(result, report), said(result, "task:kthreadd "), said(result, "Run /init")
        assert first and stack and init and first[0] < stack[0] < init[0], result.report()
    with tally.case("stall report: stall_panic= panics behind it"):
        result = boot.run(context, ready.kernel.image, ready.initrd, f"{held} kthread_debug.stall_panic=1",
                          label="guest", programs=["show:/proc/version"], tags=["stall-report"])
        assert result.verdict.code is Code.PANIC, result.report()
        first = said(result, report)
        panic = said(result, "Kernel panic - not syncing: kthread: blocked for more than 1 s")
        assert first and panic and first[0] < panic[0], result.report()
