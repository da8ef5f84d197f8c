# SPDX-License-Identifier: GPL-2.0-only
"""The experiment where it was published."""

from __future__ import annotations

from kdebug import scope
from kdebug.suite import arm_board
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally


@group("arm", Where.BOARD, needs=scope.FAULT, asked=True, board=arm_board.NAME)
def on_the_board(tally: Tally) -> None:
    """The experiment in the driver that it was published for, whatever ARCH= is."""
    for run in (lambda: arm_board.run("control", 1000), lambda: arm_board.run("blocked", 1000), arm_board.at_boot):
        _, checks = run()
        for name, why in checks:
            tally.result(f"{arm_board.NAME}: {name}", why)
