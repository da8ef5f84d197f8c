# SPDX-License-Identifier: GPL-2.0-only
"""make check: each patch on its own, in order, against each check.

The tree build/check/linux is taken from patch to patch; each configuration has
an O= directory that follows it, so that a step builds what the patch changes.
Row 0 is the base: what it warns of already is no news in the rows that follow.

A cell that was good is kept under a key of the patches up to it, the base, and
the check itself, so an unchanged beginning of the series costs nothing. A check
that cannot run has failed.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from kdebug.build import toolchain
from kdebug.check import analysis, boots, builds, documents, needs, patch
from kdebug.check.step import Red, Skip, Step
from kdebug.check.table import Table
from kdebug.context import Context
from kdebug.host import files, ui
from kdebug.patches import apply, series
from kdebug.source import fetch

# Name, what runs it, and whether it only reads (and so runs beside the builds).
CHECKS: dict[str, tuple[Callable[[Step, str], list[str]], bool]] = {
    "applies": (patch.applies, True),
    "size": (patch.size, True),
    "needs": (needs.needs, False),
    "style": (patch.style, True),
    "docs": (documents.docs, True),
    "sphinx": (documents.sphinx, True),
    "kconfig": (patch.kconfig, True),
    "on": (builds.build, False),
    "boots": (boots.boots, False),
    "include": (analysis.includes, False),
    "sparse": (analysis.sparsely, False),
    "cocci": (analysis.cocci, False),
    "off": (builds.build, False),
    "bytes": (builds.bytes_off, False),
    **{name: (builds.build, False) for name in ("module", "allno", "tiny", "i386", "arm64")},
}
# What looks at a build, and at which.
LOOKS_AT = {"boots": "on", "include": "on", "sparse": "on", "bytes": "off"}


def _tools(source: Path) -> dict[str, str]:
    """For the prefix of each cross compiler, the host's tools that build the tree @source with it."""
    return {cross: json.dumps(toolchain.versions(source, [f"{cross}gcc"], cross))
            for cross in {config.cross for config in builds.CONFIGS.values()}}


def _key(context: Context, check: str, queue: Sequence[Path], base_key: str, host: Mapping[str, str]) -> str:
    """What a cell depends on: patches, base, configuration, tools of the @host, the file of the check."""
    run, _ = CHECKS[check]
    config = builds.CONFIGS.get(check, builds.CONFIGS["on"])
    tools = [host[config.cross],
             *(f.read_text() for n in config.fragments if (f := context.configs / f"{n}.config").is_file())]
    if check == "style":
        tools.append((context.scripts / "checkpatch-excuses.txt").read_text())
    code = [Path(file).read_text() for file in (inspect.getfile(run), inspect.getfile(Step))]
    return files.digest(check, base_key, repr(config), *code, *tools,
                        *(series.name(p) for p in queue), *(p.read_bytes() for p in queue))


def run(context: Context, checks: Sequence[str], rows: Sequence[int] | None = None) -> dict[tuple[int, str], str]:
    """Fill the table; what is red, and why."""
    source = fetch.ensure(context)
    queue = series.read(context)
    context = dataclasses.replace(context, outputs=context.check / "out")  # the guest's programs, too
    context.check.mkdir(parents=True, exist_ok=True)
    host = _tools(source.path)
    cache = context.check / "cells.json"
    done: dict[str, list[str]] = {k: v for k, v in files.load_json(cache).items() if isinstance(v, list)}
    table = Table(["base", *(series.name(p).removesuffix(".patch") for p in queue)], checks)
    red: dict[tuple[int, str], str] = {}
    warned: dict[str, list[str]] = {}
    with ThreadPoolExecutor(1) as beside:
        for number in range(len(queue) + 1):
            if number and rows and number not in rows:
                continue
            keys = {check: _key(context, check, queue[:number], source.key, host) for check in CHECKS}
            if all(keys[c] in done for c in checks):
                for c in checks:
                    table.put(number, c, "ok" if done[keys[c]] != ["-"] else "-")
                    if not number:
                        warned[c] = done[keys[c]]
                table.finished(number)
                continue
            # What is built is of the row that was built last.
            builds_anew = {LOOKS_AT[c] for c in checks if c in LOOKS_AT and keys[c] not in done}
            for check in builds_anew:
                done.pop(keys[check], None)
            step = Step(context, number, queue[number - 1] if number else None,
                        apply.ensure(context, source, queue[:number], context.check / "linux"), source.path, warned)

            def cell(check: str, step: Step = step, keys: dict[str, str] = keys) -> None:
                if keys[check] not in done:
                    table.put(step.number, check, "...")
                    try:
                        # Otherwise it would look at the build of another row, and be green for this one.
                        if (step.number, LOOKS_AT.get(check, "")) in red:
                            raise Red(f"it looks at {LOOKS_AT[check]}, which is red")
                        done[keys[check]] = CHECKS[check][0](step, check)
                    except Skip:
                        done[keys[check]] = ["-"]
                    except (Red, ui.Fail, OSError, subprocess.SubprocessError) as err:
                        red[step.number, check] = str(err) or repr(err)
                        with (context.check / f"{check}-{step.number}.log").open("a") as log:
                            log.write(f"\nRED: {red[step.number, check]}\n")
                        table.put(step.number, check, "RED")
                        return
                if step.patch is None:
                    warned[check] = done[keys[check]]
                table.put(step.number, check, "-" if done[keys[check]] == ["-"] else "ok")

            waiting: list[Future[None]] = [beside.submit(cell, c) for c in checks if CHECKS[c][1]]
            for c in CHECKS:
                if c in builds_anew or c in checks and not CHECKS[c][1]:
                    cell(c)
                    files.save_json(cache, dict(done))  # those beside add to it
            for job in waiting:
                job.result()
            files.save_json(cache, done)
            table.finished(number)
    return red
