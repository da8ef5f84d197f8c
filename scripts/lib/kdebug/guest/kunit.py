# SPDX-License-Identifier: GPL-2.0-only
"""KUnit tests of the series, by the kernel's own kunit.py: under UML, and from
the console of a guest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kdebug.build import bootable, make
from kdebug.context import Context
from kdebug.host import lock, ui
from kdebug.patches import apply

CONFIG = Path("kernel/tests")
SUITE = "kthread"
VERDICTS = {"PASS": "ok", "SKIP": "skip"}


def _cases(group: dict[str, Any], inside: bool = False) -> Iterator[tuple[str, str]]:
    """The cases of SUITE, wherever it is in what kunit.py makes of a log."""
    inside = inside or group["name"] == SUITE
    for case in group["test_cases"] if inside else ():
        yield case["name"], VERDICTS.get(case["status"], "fail")
    for sub in group["sub_groups"]:
        yield from _cases(sub, inside)


def _run(context: Context, source: Path, log: Path, *args: str) -> dict[str, str]:
    """kunit.py with @args; the verdict of each case."""
    found = log.with_suffix(".json")
    found.unlink(missing_ok=True)
    with log.open("w") as out:
        done = subprocess.run([sys.executable, source / "tools/testing/kunit/kunit.py", *args, f"--json={found}"],
                              cwd=source, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                              env=make.environment(context) | {"PYTHONDONTWRITEBYTECODE": "1", "TERM": "dumb"})
    cases = dict(_cases(json.loads(found.read_text()))) if found.is_file() else {}
    if not cases:
        last = log.read_text().strip().splitlines()[-5:]
        raise ui.Fail(context.shown(log), f"kunit.py found no case (exit {done.returncode}): " + " / ".join(last),
                      "see that file")
    return cases


def parse(context: Context, source: Path, console: Path) -> dict[str, str]:
    """What the log @console of a kernel booted with kunit.enable=1 says."""
    return _run(context, source, console.with_name("kunit.log"), "parse", str(console))


def um(context: Context) -> dict[str, str]:
    """Build the series' .kunitconfig for UML, and run it."""
    applied: apply.Applied = bootable.patched_tree(context)
    out = context.out / "um"
    with lock.held(context, "build um"), ui.phase("kunit", "building and running UML") as phase:
        out.mkdir(parents=True, exist_ok=True)
        cc = [arg for arg in make.make_args(context, applied.path, out) if arg.split("=")[0] in ("CC", "HOSTCC")]
        cases = _run(context, applied.path, out.with_suffix(".log"), "run", f"--kunitconfig={CONFIG}", f"--build_dir={out}",
                     f"--jobs={len(os.sched_getaffinity(0))}", *(f"--make_options={arg}" for arg in cc))
        phase.result = f"{len(cases)} cases"
    return cases
