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
KERNEL = REPO / "kernel"
SCRIPTS = REPO / "scripts"

# KTHREAD_DEBUG_BUILD lets tests work in a directory of their own.
BUILD = Path(os.environ.get("KTHREAD_DEBUG_BUILD", REPO / "build")).resolve()
DOWNLOAD = BUILD / "download"  # the .deb or tarball, and apt's private state
SRC = BUILD / "src"            # pristine base trees, one directory each
LINUX = BUILD / "linux"        # the patched tree that is compiled
TREE = BUILD / "tree"          # git tree, one commit per patch (make tree)
OUT = BUILD / "out"            # O= directories, one per arch and flavour
RUNS = BUILD / "runs"          # one directory per boot: console, command line
CCACHE = BUILD / "ccache"

BASE_VERSION = (7, 3)
