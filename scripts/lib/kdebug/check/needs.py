# SPDX-License-Identifier: GPL-2.0-only
"""The column "needs": a set applies and builds without those that it does not need."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kdebug.build import make
from kdebug.check import builds
from kdebug.check.step import Red, Skip, Step
from kdebug.context import SETS
from kdebug.host import ui
from kdebug.patches import apply, git, series, to_commits
from kdebug.source import fetch


def needs(step: Step, _: str) -> list[str]:
    """The set applies, and builds, on those that it needs, without the others."""
    if step.patch is None:
        raise Skip
    one, everything = step.set, series.sets(step.context)
    below = [other for other in everything if other.name in one.needs]
    order = list(SETS)
    without = [name for name in order[:order.index(one.name)] if name not in one.needs]
    if not without:
        return []  # so it has been applied
    queue = [*series.flat(below), *one.patches]
    also = f"{one.name} needs {' or '.join(without)}, and it may need {' and '.join(one.needs)} only"
    source = fetch.ensure(step.context)
    repo = git.bare(step.top / "needs.git") if not (step.top / "needs.git").is_dir() else step.top / "needs.git"
    try:
        to_commits.commit_all(repo, to_commits.slim(repo, queue, source.path), queue)
    except ui.Fail as err:
        if Path(err.what) != step.patch:
            raise Red(f"{series.name(Path(err.what))} before it does not apply without {' and '.join(without)}") from None
        raise Red(f"{also}: it {err.problem}; keep the lines of both further apart") from None
    if one.patches != next(other for other in everything if other.name == one.name).patches:
        return []
    out, log, output = step.top / "out/needs", step.top / f"needs-{step.number}.log", make.Output()
    out.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    alone = replace(step, applied=apply.ensure(step.context, source, queue, step.top / "needs"))
    try:
        builds.configure(alone, "needs", builds.CONFIGS["on"], out, log, output)
        make.run(step.context, [*builds.make_args(step.context, builds.CONFIGS["on"], out, alone.tree), *builds.PARTS],
                 log, output)
    except ui.Fail as err:
        raise Red(f"{also}: it does not build: {err.problem}, see {step.context.shown(log)}") from None
    return []
