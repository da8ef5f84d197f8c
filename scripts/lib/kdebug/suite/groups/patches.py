# SPDX-License-Identifier: GPL-2.0-only
"""What the queue of patches is, and what it is to others: the tools that check it and those that mail it."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from kdebug.build import bootable
from kdebug.check import all_checks
from kdebug.check.step import Red, Step
from kdebug.context import Context
from kdebug.mail import roundtrip
from kdebug.patches import apply, series
from kdebug.source import fetch
from kdebug.suite.registry import When, Where, group
from kdebug.suite.report import Tally


@group("queue", Where.HOST, when=When.FIRST)
def queue(context: Context, tally: Tally) -> None:
    """The series is well-formed, it survives an unfold and a fold, and it applies exactly."""
    with tally.case("series and patches/ agree"):
        series.read(context)
    with tally.case("fold after unfold is the identity"):
        done = subprocess.run([context.scripts / "tree", "check"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + done.stdout
    chosen = series.flat(series.chosen(context))
    # Without a set in between the lines are others.
    with tally.case("the series applies exactly" if chosen == series.read(context)[:len(chosen)] else
                    f"SET={context.set} applies without fuzz"):
        ready = bootable.patched_tree(context)
        assert not ready.notes or chosen != series.read(context)[:len(chosen)], "\n".join(ready.notes)


# What each of the columns that only read has to find, beside a patch that is right.
GOOD = "// SPDX-License-Identifier: GPL-2.0-only\n/**\n * planted() - Do nothing\n * @n: is not used\n */\n" \
       "void planted(int n)\n{\n}\n"
PLANTED = {
    "style": GOOD.replace("void planted(int n)", "void planted (int n)"),
    "style: spelling": GOOD.replace("is not used", "is not recieved"),
    "docs": GOOD.replace("@n:", "@m:"),
    "kconfig": GOOD.replace("{\n", "{\n#ifdef CONFIG_PLANTED_NOWHERE\n#endif\n"),
}


@group("check", Where.HOST, whole_series=True)
def planted(context: Context, tally: Tally) -> None:
    """make check finds what is planted; its columns that build are not tried here."""
    tree = fetch.ensure(context)
    context.check.mkdir(parents=True, exist_ok=True)

    def red(check_name: str, code: str) -> str:
        with tempfile.TemporaryDirectory() as tmp:
            patch = Path(tmp) / "0001-kthread-plant-a-defect.patch"
            lines = code.splitlines(True)
            patch.write_text("From: kthread-debug <kthread-debug@localhost>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n"
                             "Subject: [PATCH] kthread: plant a defect\n\nIt has to be found.\n\n---\n"
                             "diff --git a/kernel/planted.c b/kernel/planted.c\nnew file mode 100644\n"
                             f"--- /dev/null\n+++ b/kernel/planted.c\n@@ -0,0 +1,{len(lines)} @@\n"
                             + "".join(f"+{line}" for line in lines))
            step = Step(context, 1, patch, apply.ensure(context, tree, [patch], context.check / "planted"), tree.path)
            try:
                all_checks.CHECKS[check_name][0](step, check_name)
            except Red as err:
                return str(err)
            return ""

    for name, code in PLANTED.items():
        with tally.case(f"make check finds what is planted: {name}"):
            column = name.partition(":")[0]
            right, wrong = red(column, GOOD), red(column, code)
            assert not right, f"a patch that is right is red: {right}"
            assert wrong, "it is green"


@group("roundtrip", Where.HOST, whole_series=True)
def round_trip(context: Context, tally: Tally) -> None:
    """What the maintainers' tools make of the series."""
    for way, why in roundtrip.run(context, fetch.ensure(context)):
        with tally.case(f"round trip: {way}"):
            assert not why, why
