# SPDX-License-Identifier: GPL-2.0-only
"""The models of the handshake and of what it needs of the memory, with their negative controls."""

from __future__ import annotations

import shutil
from pathlib import Path

from kdebug.build import bootable
from kdebug.context import Context
from kdebug.host import lock, ui
from kdebug.models import herd, litmus, promela
from kdebug.models.quoted import Quote, missing
from kdebug.source import fetch
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally

# How many creations, and releases before the last one of all; see models/handshake.pml. A control is looked
# for in the first, where each is found.
SMALL = {"handshake": (("REQUESTS=1",), ("REQUESTS=2", "RELEASES=0")), "arming": ((),)}
FULL = {"handshake": (("REQUESTS=1",), ("REQUESTS=1", "RELEASES=3"), ("REQUESTS=2",)), "arming": ((),)}


def _quotes(tally: Tally, tree: Path, name: str, quotes: list[Quote]) -> None:
    with tally.case(f"{name}: the kernel has the {len(quotes)} lines that it is a model of"):
        lines = missing(tree, quotes)
        assert not lines, "\n".join(lines)


def _promela(tally: Tally, tree: Path, path: Path, bounds: tuple[tuple[str, ...], ...], full: bool) -> None:
    model = promela.read(path)
    name = path.stem
    _quotes(tally, tree, name, [control.quote for control in model.controls])
    for bound in bounds:
        with tally.case(f"{name}{''.join(f' {one}' for one in bound)}: {', '.join(model.properties)}"):
            found = promela.search(model, bound, large=full)
            assert not found.broken, f"{found.broken} fails after {found.states} states"
            assert found.whole, f"not exhaustive: {found.states} states take more than {promela.MEGABYTES} MB"
            # Only the largest reaches all that the model has.
            dead = found.unreached if full and bound == bounds[-1] else []
            assert not dead, "never reached:\n" + "\n".join(dead)
            tally.note(f"{found.states:,} states, all")
    for control in model.controls:
        with tally.case(f"{name}: without {control.name} {control.breaks} fails"):
            found = promela.search(model, bounds[0], control)
            assert found.broken == control.breaks, f"it holds without '{control.quote.code}', in {found.states} states"


def _litmus(context: Context, tally: Tally, tree: Path, tests: list[litmus.Test]) -> None:
    with tally.case("the litmus tests are those that the comments of the series name"):
        names, files = litmus.named(tree), {test.name for test in tests}
        assert names == files, f"in one of both only: {' '.join(sorted(names ^ files))}"
    try:
        with lock.held(context, "fetch herd7"):
            base = fetch.ensure(context).path
            command = herd.ensure(context, base)
    except ui.Fail as err:
        tally.skip(f"{len(tests)} litmus tests", f"no herd7: {err}")
        return
    for test in tests:
        _quotes(tally, tree, test.name, test.quotes)
        with tally.case(f"{test.name}: the bad outcome never happens"):
            said = litmus.judge(command, base, test.name, test.text)
            assert not said.possible, "the bad outcome is possible, or there is a data race"
            tally.note(f"{said.executions} executions, all")
        for line, text in test.controls.items():
            with tally.case(f"{test.name}: it does with the control in line {line}"):
                assert litmus.judge(command, base, test.name, text).possible, "it does not"


def run(context: Context, tally: Tally, full: bool) -> None:
    """Judge all models; @full: as far as make models does."""
    tree = bootable.patched_tree(context).path
    if shutil.which("spin"):
        for name, bounds in (FULL if full else SMALL).items():
            _promela(tally, tree, context.models / f"{name}.pml", bounds, full)
    else:
        tally.skip("the models in Promela", "no spin; run: make deps")
    _litmus(context, tally, tree, [litmus.read(path) for path in sorted(context.models.glob("litmus/*.litmus"))])


@group("models", Where.HOST, whole_series=True)
def models(context: Context, tally: Tally) -> None:
    """The models of the handshake hold in all orders of its steps, and each fails without a line of the code."""
    run(context, tally, full=False)
