# SPDX-License-Identifier: GPL-2.0-only
"""A run of groups of tests: which, in which order, and how many at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from kdebug.build import arch
from kdebug.build.flavours import fragments
from kdebug.context import Context, DEFAULT_BASE, short, WAIT
from kdebug.guest import ktap, qemu
from kdebug.host import lock, processes, ui
from kdebug.suite import registry, store
from kdebug.suite.registry import Group, When
from kdebug.suite.report import Report, close


def choose(context: Context, wanted: Sequence[str]) -> list[Group]:
    """The groups of a run that names @wanted; a Fail for one that there is not, or not in SET=."""
    every = registry.every()
    known = [one for one in every if one.there(context)]
    able = f"use one of {', '.join(one.name for one in known)}"
    for name in wanted:
        if name not in [one.name for one in every]:
            raise ui.Fail("scripts/test", f"no group '{name}'", able)
        if name not in [one.name for one in known]:
            raise ui.Fail(f"SET={short(context.set)}", f"has no group '{name}'", able)
    row = arch.of(context)
    # Another flavour, architecture, or base is another kernel to run the same tests in the guest on.
    plain = "plain" in context.flavours and row.name == arch.DEFAULT and context.base == DEFAULT_BASE
    chosen = wanted or registry.default(plain, row.name)
    return [one for one in known if one.name in chosen]


def alone(context: Context, group: Group, report: Report) -> None:
    """Run @group here, and keep what its tests said."""
    key = store.series_key(context)
    with report.group(group.name) as tally:
        try:
            group.run(context, tally)
        except (ui.Fail, OSError, subprocess.SubprocessError) as err:
            tally.result(f"{group.name}: cannot go on", str(err))
        if not tally.tests:
            tally.result(f"{group.name}: ended without a verdict", "it has tested nothing")
    store.save(context, group.name, tally.tests, key)


def _command(context: Context, name: str, report: Path) -> Sequence[str | Path]:
    return [sys.executable, context.scripts / "test", f"--report={report}", name]


def together(context: Context, names: Sequence[str], report: Report,
             command: Callable[[Context, str, Path], Sequence[str | Path]] = _command) -> None:
    """Run these groups, as many at a time as there are CPUs, each by the @command for it and a report of its
    own: a guest of emulation takes one CPU. They read the @context in the environment that this process has."""
    left = list(names)
    with tempfile.TemporaryDirectory(prefix="kdebug-reports-") as folder, \
            ui.phase("tests", f"running {' '.join(names)}") as phase, \
            ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:

        def group(name: str) -> tuple[str, int, str]:
            # Only for people who run one group: the same is in its report.
            done = subprocess.run(command(context, name, Path(folder, f"{name}.ktap")), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
                                  env=os.environ | {WAIT: "1"}, preexec_fn=processes.die_with_parent())
            left.remove(name)
            return name, done.returncode, done.stderr

        for job in as_completed([pool.submit(group, name) for name in names]):
            name, status, err = job.result()
            sys.stderr.write(err)
            said = Path(folder, f"{name}.ktap")
            tests = ktap.load(said) if said.is_file() else []
            if not tests or status not in (0, 1) and not any(test.failed for test in tests):
                tests.append(ktap.Test(f"{name}: ended without a verdict", "not ok", why=[f"exit status {status}"]))
            report.add(name, tests)
            phase.live(f"still running: {' '.join(left)}")


def run(context: Context, wanted: Sequence[str], path: Path) -> int:
    """scripts/test: run the groups @wanted, or all, with their report in @path. Returns the exit code."""
    groups = choose(context, wanted)
    start = time.monotonic()
    # Before anything is built.
    qemu.wanted_accel(context)
    for flavour in context.flavours:
        fragments(context, flavour)
    with lock.held(context, "scripts/test"):
        pass
    beside = [one.name for one in groups if one.when is When.BESIDE]
    with Report(path, [one.name for one in groups]) as report:
        for one in groups:
            if one.when is When.FIRST or one.when is When.BESIDE and len(beside) == 1:
                alone(context, one, report)
        if len(beside) > 1:
            together(context, beside, report)
        for one in groups:
            if one.when is When.LAST:
                alone(context, one, report)
        count = report.count()
    print(f"\n{time.monotonic() - start:.0f} s")
    return close(count)
