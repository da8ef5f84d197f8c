# SPDX-License-Identifier: GPL-2.0-only
"""Mutants of the series: a few, chosen by the day, and one that must survive."""

from __future__ import annotations

import contextlib
import datetime
import io

from kdebug.build import bootable
from kdebug.context import Context
from kdebug.mutants import blocks, results
from kdebug.suite.mutants import Bench, Campaign
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally

SAMPLE = 5


@group("mutants", Where.HOST, whole_series=True)
def mutants(context: Context, tally: Tally) -> None:
    """A few lines of the series, chosen by the day, are broken one at a time; each fails a test."""
    campaign: Campaign | None = None
    with tally.case("mutants: each fits the series, and has a test or a model"):
        campaign = Campaign(context, bootable.patched_tree(context).path, Bench(context))
    if campaign is None:
        return
    day = str(datetime.date.today())
    with tally.case("mutants: one that changes only a comment survives"):
        with contextlib.redirect_stdout(io.StringIO()):
            campaign.check_control(blocks.KERNELS[0], [campaign.control.seen])
    for mutant in blocks.of_day(campaign.mutants, day, SAMPLE):
        with tally.case(f"mutants: {mutant.id}"):
            with contextlib.redirect_stdout(io.StringIO()):
                outcome = campaign.run([mutant])[mutant]
            tally.note(f"{results.line(mutant, outcome)}; again: scripts/mutants --day {day}")
            assert outcome.passed, f"{results.line(mutant, outcome)}, see {mutant.at}"
