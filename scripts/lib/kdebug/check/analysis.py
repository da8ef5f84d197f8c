# SPDX-License-Identifier: GPL-2.0-only
"""The columns of the analysers: includes, sparse, coccinelle."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from kdebug.build import make
from kdebug.check import builds, sparse
from kdebug.check.step import Red, Skip, Step


def includes(step: Step, _: str) -> list[str]:
    """Nothing is included twice, and a header compiles by itself."""
    files = step.touched(".c", ".h")
    said = step.run_tool("include", ["perl", step.tree / "scripts/checkincludes.pl", *files],
                         step.tree) if files else ""
    result = step.refuse_news("include", [line for line in said.splitlines() if line.strip()])
    headers = [n for n in step.touched(".h") if n.startswith(("include/", "kernel/"))] if step.patch else []
    if headers:
        alone = step.top / "alone"
        shutil.rmtree(alone, ignore_errors=True)
        alone.mkdir(parents=True)
        (alone / "Kbuild").write_text("".join(f"obj-m += h{n}.o\n" for n in range(len(headers))))
        for n, header in enumerate(headers):
            (alone / f"h{n}.c").write_text(f'#include "{step.tree / header}"\n')
        step.run_tool("alone", [*builds.make_args(step.context, builds.CONFIGS["on"], step.top / "out/on", step.tree),
                                f"M={alone}",
                                *(f"h{n}.o" for n in range(len(headers)))], step.tree,
                      env=make.environment(step.context))
    return result


def _objects(step: Step) -> list[str]:
    """What of "on" is made of the files that the patch touches."""
    out = step.top / "out/on"
    return [str(o) for n in step.touched(".c") if (out / (o := Path(n).with_suffix(".o"))).is_file()]


def _checker(step: Step, name: str, command: str, *more: str) -> list[str]:
    """Run @command as the kernel's make does (C=2) for what the patch touches."""
    if not (objects := _objects(step)):
        raise Skip
    said = step.run_tool(name, [*builds.make_args(step.context, builds.CONFIGS["on"], step.top / "out/on", step.tree),
                                "C=2", f"CHECK={command}", *more,
                                *objects], step.tree, env=make.environment(step.context))
    ran = re.findall(r"^  CHECK +(\S+)", said, re.M)
    if len(ran) < len(objects):
        raise Red(f"{len(objects)} files, but only {len(ran)} were checked: {said.splitlines()[-1]}")
    lines = [line for line in said.splitlines() if re.search(r":\d+(:\d+)?(-\d+)?: ", line)]
    return step.refuse_news(name, lines)


def sparsely(step: Step, name: str) -> list[str]:
    """sparse, one that is new enough."""
    return _checker(step, name, str(sparse.ensure(step.context, step.tree)))


def cocci(step: Step, name: str) -> list[str]:
    """Each of the tree's semantic patches that reports, by its own coccicheck.

    Not by C=2 CHECK=scripts/coccicheck: 7.3 asks each checker to read a file as
    sparse does, and takes coccicheck for one that is out of date.
    """
    if not (files := step.touched(".c")):
        raise Skip
    if not shutil.which("spatch"):
        raise Red("spatch: not found; run: make deps")
    includes = " ".join(f"-I {d}" for d in ("arch/x86/include", "include", "arch/x86/include/uapi", "include/uapi"))
    # It takes the files from one argument.
    said = step.run_tool(name, ["bash", step.tree / "scripts/coccicheck", " ".join(files)], step.tree,
                         env=make.environment(step.context) | {"C": "2", "MODE": "report", "srctree": str(step.tree),
                                            "LINUXINCLUDE": includes})
    rules = [f for f in (step.tree / "scripts/coccinelle").rglob("*.cocci")
             if re.search(r"virtual\s+report", f.read_text(errors="replace"))]
    if (ran := len(re.findall(r"^\S*spatch -D report ", said, re.M))) != len(rules):
        raise Red(f"{len(rules)} semantic patches, but {ran} were tried")
    return step.refuse_news(name, [line for line in said.splitlines() if re.match(r"\S+\.c:\d+:", line)])
