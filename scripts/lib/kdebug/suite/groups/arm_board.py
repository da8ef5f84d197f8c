# SPDX-License-Identifier: GPL-2.0-only
"""The experiment where it was published."""

from __future__ import annotations

import functools

from kdebug.context import Context
from kdebug.patches import scope
from kdebug.suite import arm_board
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally


@group("arm", Where.BOARD, needs=scope.FAULT, asked=True, board=arm_board.NAME)
def on_the_board(context: Context, tally: Tally) -> None:
    """The experiment in the driver that it was published for, whatever ARCH= is."""
    for run in (functools.partial(arm_board.run, context, "control", 1000),
                functools.partial(arm_board.run, context, "blocked", 1000),
                functools.partial(arm_board.at_boot, context)):
        _, checks = run()
        for name, why in checks:
            tally.result(f"{arm_board.NAME}: {name}", why)
