# SPDX-License-Identifier: GPL-2.0-only
"""The columns for what is written: kernel-doc and the documents."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from kdebug.build import make
from kdebug.check.step import Red, Skip, Step


def docs(step: Step, _: str) -> list[str]:
    """kernel-doc of what the patch touches."""
    files = step.touched(".c", ".h")
    said = step.run_tool("docs", [sys.executable, step.tree / "scripts/kernel-doc", "-none", "-Wall", *files],
                         step.tree,
                         env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}, ok=tuple(range(256))) if files else ""
    if "Traceback" in said or "No such file" in said:
        raise Red(said)
    return step.refuse_news("docs", [line for line in said.splitlines() if re.search("warning|error", line, re.I)])


def sphinx(step: Step, _: str) -> list[str]:
    """The documents, by folder, as a part of the kernel's own make htmldocs."""
    folders = sorted({str(Path(n).parent.relative_to("Documentation")) for n in step.touched(".rst")})
    if not folders:
        raise Skip
    if not shutil.which("sphinx-build"):
        raise Red("sphinx-build: not found; run: make deps")
    out = step.top / "out/sphinx"
    shutil.rmtree(out, ignore_errors=True)  # what has been read is not warned of again
    out.mkdir(parents=True)
    said = step.run_tool("sphinx", ["make", "-C", step.tree, f"O={out}", f"SPHINXDIRS={' '.join(folders)}", "htmldocs"],
                         step.tree, env=make.environment(step.context) | {"PYTHONDONTWRITEBYTECODE": "1"})
    pages = [out / "Documentation/output" / Path(n).relative_to("Documentation").with_suffix(".html")
             for n in step.touched(".rst")]
    if lost := [page.name for page in pages if not page.is_file()]:
        raise Red(f"{' '.join(lost)} was not made")

    def elsewhere(line: str) -> bool:
        """Does it name a document that is there, in a folder that is not built here?"""
        m = re.search(r"unknown document: '/(.+)'$", line)
        return bool(m and (step.tree / "Documentation" / f"{m[1]}.rst").is_file())

    return step.refuse_news("sphinx", [line for line in said.splitlines()
                                       if re.search("WARNING|ERROR", line) and not elsewhere(line)])
