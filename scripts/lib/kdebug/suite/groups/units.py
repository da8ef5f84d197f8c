# SPDX-License-Identifier: GPL-2.0-only
"""The host side's own tests."""

from __future__ import annotations

from kdebug.context import Context
from kdebug.suite import units
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally


@group("units", Where.HOST, whole_series=True)
def host_side(context: Context, tally: Tally) -> None:
    """The host side's own tests, each counted."""
    units.run(context, tally)
