# SPDX-License-Identifier: GPL-2.0-only
"""Where things are: the repository's own files, and what build/ holds."""

from __future__ import annotations

import os
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
PATCHES = REPO / "patches"
SERIES = REPO / "series"
EXPERIMENTS = REPO / "experiments"
CONFIGS = REPO / "configs"
BASES = REPO / "bases"
KERNEL = REPO / "kernel"
SCRIPTS = REPO / "scripts"

# Which Linux, and the suites of Debian that may have its source; the first that has it is
# taken. Of 7.2 and 6.12 the suite comes first that gets a release before the others do.
# Of what no suite has any more see base.POOL.
SUITES: dict[str, tuple[str, ...]] = {
    "7.3": ("trixie-backports", "stable-backports", "testing", "unstable"),
    "7.2": ("unstable", "testing", "trixie-backports"),
    "7.1": (),
    "6.18": (),
    "6.12": ("trixie-security", "bookworm-security", "trixie", "stable"),
}
DEFAULT_BASE = "7.3"
BASE = os.environ.get("BASE") or DEFAULT_BASE  # one that is unknown is refused by ui.command()

# The sets of patches, each a folder of patches/, in the order in which they are sent;
# and for each the set that has to be below it. The one place that knows this.
SETS: dict[str, str] = {"1-fixes": "", "2-debug": "1-fixes", "3-fault": "2-debug", "4-misuse": "2-debug"}
# SET=debug and SET=2-debug: only this set and those that it needs. "" is the whole series.
# A name that is none of a set stays as it is, and ui.command() refuses it.
SET = os.environ.get("SET") or ""
SET = next((name for name in SETS if SET in (name, name.partition("-")[2])), SET)

# KTHREAD_DEBUG_BUILD lets tests work in a directory of their own.
ROOT = Path(os.environ.get("KTHREAD_DEBUG_BUILD", REPO / "build")).resolve()
BUILD = ROOT
if BASE in SUITES and BASE != DEFAULT_BASE:
    BUILD /= BASE
DOWNLOAD = BUILD / "download"  # the .deb or tarball, and apt's private state
SRC = BUILD / "src"            # pristine base trees, one directory each
TREE = BUILD / "tree"          # git tree, one commit per patch (make tree)
# A set on its own has sources and objects of its own.
WORK = BUILD / "sets" / SET if SET in SETS else BUILD
LINUX = WORK / "linux"         # the patched tree that is compiled
OUT = WORK / "out"             # O= directories, one per arch and flavour
# A cell of make matrix keeps its consoles and its results to itself.
_CELL = Path(os.environ.get("KTHREAD_DEBUG_CELL") or WORK).resolve()
RUNS = _CELL / "runs"          # one directory per boot: console, command line
RESULTS = _CELL / "results"    # what each test said last
CCACHE = BUILD / "ccache"
