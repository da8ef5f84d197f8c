# SPDX-License-Identifier: GPL-2.0-only
"""What the base does without the series."""

from __future__ import annotations

import re

from kdebug.build import bootable
from kdebug.build.bootable import Bootable
from kdebug.context import Context
from kdebug.guest import boot
from kdebug.guest.exit_codes import Code
from kdebug.guest.judge import Limits
from kdebug.suite.guests import BASE_FLAVOUR, programs
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally


@group("khungtaskd", Where.PLAIN, whole_series=True)
def khungtaskd(context: Context, tally: Tally) -> None:
    """Whom the base blames when a creation is never answered."""
    programs(context, tally, bootable.prepare(context, "off", unpatched=True), ["withhold"], "base", tags=["withheld"])


ASLEEP = r"^do not call blocking ops when !TASK_RUNNING; state=1 set at .* asleep\+"
# What the other fixes of the base mend: the program that meets it, how the
# unfixed base ends, and what it says.
FIXES = {
    "a clone without memory": ("fixes:create", Code.FAILED, "# allocation \\d+ of the clone fails: error 11"),
    "a threadfn that returns in TASK_INTERRUPTIBLE": ("fixes:asleep", Code.WARNING, ASLEEP),
    "the same with a bound thread": ("fixes:asleep-bound", Code.WARNING, ASLEEP),
}
OPTION = "fail_futex=1,0,0,1"


@group("fixes", Where.PLAIN)
def fixes(context: Context, tally: Tally) -> None:
    """What the first patches mend: the base has it, and with the series it is gone."""
    # Built before either boots: a build takes all CPUs.
    unfixed, fixed = (bootable.prepare(context, BASE_FLAVOUR, unpatched=unpatched) for unpatched in (True, False))

    def end(ready: Bootable, program: str, append: str = "") -> boot.Result:
        return boot.run(context, ready.kernel.image, ready.initrd, append, programs=[program],
                        limits=Limits(boot=20), label="guest")

    with tally.case("fixes: a fault attribute's boot option: the unfixed base dies of it before its init"):
        result = end(unfixed, "show:/proc/version")
        assert result.passed, "it dies without the option, too\n" + result.report()
        result = end(unfixed, "show:/proc/version", OPTION)
        assert not any("kdebug: init" in line.text for line in result.lines), result.report()
        assert result.verdict.code in (Code.BOOT, Code.NO_STATUS, Code.PANIC, Code.OOPS), result.report()
    with tally.case("fixes: a fault attribute's boot option: gone with the series"):
        result = end(fixed, "show:/proc/version", OPTION)
        assert result.passed, result.report()
    for what, (program, code, said) in FIXES.items():
        with tally.case(f"fixes: {what}: the unfixed base ends with {code.name}"):
            result = end(unfixed, program)
            assert result.verdict.code is code, result.report()
            assert any(re.search(said, line.said) for line in result.lines), f"no '{said}'\n{result.report()}"
        with tally.case(f"fixes: {what}: gone with the series"):
            result = end(fixed, program)
            assert result.passed, result.report()
