# SPDX-License-Identifier: GPL-2.0-only
"""What two articles say of kernel threads."""

from __future__ import annotations

from kdebug.build import bootable
from kdebug.context import Context
from kdebug.suite import claims, store
from kdebug.suite.guests import BASE_FLAVOUR, SLOW, on_each, programs
from kdebug.suite.registry import When, Where, group
from kdebug.suite.report import Tally

# The programs of kernel/claims and what they need. The last one taints the kernel, and has a boot of its own.
CLAIMS = ["kunit", "creating", "writing"]
STARVE = ["starve"]
KUNIT_CLAIMS = "kunit.enable=1 kunit.filter_glob=claims*"


@group("claims", Where.ANY)
def claimed(context: Context, tally: Tally) -> None:
    """What two articles say of kernel threads."""
    on_each(context, tally, CLAIMS, ["nomem"], append=KUNIT_CLAIMS)


@group("starve", Where.ANY, in_matrix=False)
def starve(context: Context, tally: Tally) -> None:
    """A thread that never yields."""
    on_each(context, tally, STARVE, ["starve"])


@group("claims-base", Where.PLAIN, whole_series=True)
def claimed_of_base(context: Context, tally: Tally) -> None:
    """What two articles say of kernel threads, without the series."""
    ready = bootable.prepare(context, BASE_FLAVOUR, unpatched=True)
    programs(context, tally, ready, CLAIMS, "base", append=KUNIT_CLAIMS, limits=SLOW)
    programs(context, tally, ready, STARVE, "base", tags=["starve"], limits=SLOW)


@group("claims-page", Where.HOST, when=When.LAST, whole_series=True)
def page(context: Context, tally: Tally) -> None:
    """Each statement has tests, and they passed when they ran last."""
    rows = claims.match(claims.read(), store.load(context))
    for row in rows:
        if row.needs and not row.tests:
            tally.skip(f"claims: {row.name}", f"it needs {row.needs}")
        else:
            tally.result(f"claims: {row.name}", "" if row.verdict == "ok" else row.verdict)
    with tally.case("CLAIMS.md is the table"):
        bad = claims.outdated(rows, claims.PAGE.read_text())
        assert not bad, "\n".join([*bad, "make claims PAGE=1 writes it anew"])
