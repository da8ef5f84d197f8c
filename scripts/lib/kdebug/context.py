# SPDX-License-Identifier: GPL-2.0-only
"""What a command works on, and where: read once from the environment, then passed down.

No other module reads these variables. A function that needs one of them takes the
context as its first argument, so one process can work on several bases at a time:
dataclasses.replace(context, base="6.12") is another context.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kdebug.host.ui import Fail

REPO = Path(__file__).resolve().parents[3]

# What BASE= can be. source/debian.py knows where each is to be had.
BASES = ("7.3", "7.2", "7.1", "6.18", "6.12")
DEFAULT_BASE = "7.3"

# The sets of patches, each a folder of patches/, in the order in which they are sent;
# and for each the set that has to be below it. The one place that knows this.
SETS: dict[str, str] = {"1-fixes": "", "2-debug": "1-fixes", "3-fault": "2-debug", "4-misuse": "2-debug"}



def short(name: str) -> str:
    """The set @name as a user writes it in SET=: without its number."""
    return name.partition("-")[2] if name in SETS else name


# Set by a command for those that it runs side by side: they wait for each other.
WAIT = "KTHREAD_DEBUG_WAIT"


@dataclass(frozen=True)
class Context:
    """What the user asked for, and the directories that follow from it."""

    repo: Path = REPO               # the repository, whose files are only read
    root: Path = REPO / "build"     # KTHREAD_DEBUG_BUILD: all that is made is below it
    base: str = DEFAULT_BASE        # BASE: which Linux, one of BASES
    set: str = ""                   # SET: only this set and those that it needs; "": the whole series
    architecture: str = ""          # ARCH: the name of a row in build/arch.py; "": the default one
    flavour: str = "plain"          # FLAVOUR: one of configs/, or several for scripts/test
    kdir: str = ""                  # KDIR: the user's own tree; "": a packaged source
    accelerator: str = "auto"       # ACCEL: kvm, tcg or auto; guest/qemu.py refuses others
    compiler: str | None = None     # CC; None: the architecture's gcc
    cell: Path | None = None        # KTHREAD_DEBUG_CELL: a cell of make matrix keeps runs and results there
    wait: bool = False              # WAIT: wait for build/lock instead of failing
    outputs: Path | None = None     # where kernels are built, if not in the usual place
    scratch: Path | None = None     # a directory with sources and objects of its own, if not the usual ones
    more: tuple[Path, ...] = ()     # patches on top of the series

    @property
    def flavours(self) -> list[str]:
        """FLAVOUR as a list."""
        return re.split(r"[ ,]+", self.flavour)

    # --- the repository's own files

    @property
    def patches(self) -> Path:
        """The folder with a folder for each set."""
        return self.repo / "patches"

    @property
    def series(self) -> Path:
        """The file that names the patches in their order."""
        return self.repo / "series"

    @property
    def experiments(self) -> Path:
        """The series on top of the series, which is never sent."""
        return self.repo / "experiments"

    @property
    def configs(self) -> Path:
        """The Kconfig fragments."""
        return self.repo / "configs"

    @property
    def models(self) -> Path:
        """The models that Spin and herd7 judge."""
        return self.repo / "models"

    @property
    def bases(self) -> Path:
        """What differs on another base, a folder each."""
        return self.repo / "bases"

    @property
    def kernel(self) -> Path:
        """The C that runs in a guest and is not sent."""
        return self.repo / "kernel"

    @property
    def scripts(self) -> Path:
        """The commands."""
        return self.repo / "scripts"

    # --- what is made

    @property
    def build(self) -> Path:
        """All that is made for this base."""
        return self.root if self.base == DEFAULT_BASE else self.root / self.base

    @property
    def download(self) -> Path:
        """The .deb or the tarball, and apt's private state."""
        return self.build / "download"

    @property
    def src(self) -> Path:
        """The pristine base trees, a directory each."""
        return self.build / "src"

    @property
    def tree(self) -> Path:
        """The git tree of make tree, a commit for each patch."""
        return self.build / "tree"

    @property
    def work(self) -> Path:
        """Where a set on its own has sources and objects of its own."""
        return self.scratch or (self.build / "sets" / self.set if self.set else self.build)

    @property
    def linux(self) -> Path:
        """The patched tree that is compiled."""
        return self.work / "linux"

    @property
    def out(self) -> Path:
        """The O= directories, one for each architecture and flavour."""
        return self.outputs or self.work / "out"

    @property
    def runs(self) -> Path:
        """A directory for each boot: console, command line."""
        return (self.cell or self.work) / "runs"

    @property
    def results(self) -> Path:
        """What each test said last."""
        return (self.cell or self.work) / "results"

    @property
    def check(self) -> Path:
        """Where make check works."""
        return self.build / "check"

    @property
    def ccache(self) -> Path:
        """The compiler's cache, if the user has none."""
        return self.build / "ccache"

    def shown(self, path: Path) -> str:
        """@path as the user knows it."""
        return str(path.relative_to(self.repo)) if path.is_relative_to(self.repo) else str(path)


def read(environ: Mapping[str, str] = os.environ, flavour: str = "plain") -> Context:
    """The context that @environ asks for; a Fail for an unknown BASE= or SET=. @flavour is that of no FLAVOUR=.

    ARCH=, FLAVOUR= and ACCEL= are refused by what uses them, as not every command does.
    """
    base = environ.get("BASE") or DEFAULT_BASE
    if base not in BASES:
        raise Fail(f"BASE={base}", "no such base", f"use one of {' '.join(BASES)}")
    given = environ.get("SET") or ""
    # SET=debug and SET=2-debug alike.
    found = [name for name in SETS if given in (name, name.partition("-")[2])]
    if given and not found:
        raise Fail(f"SET={given}", "no such set", f"use one of {' '.join(map(short, SETS))}, or no SET= for all")
    cell = environ.get("KTHREAD_DEBUG_CELL")
    return Context(
        root=Path(environ.get("KTHREAD_DEBUG_BUILD", REPO / "build")).resolve(), base=base,
        set=found[0] if given else "", architecture=environ.get("ARCH") or "",
        flavour=environ.get("FLAVOUR") or flavour,
        kdir=environ.get("KDIR") or "", accelerator=environ.get("ACCEL") or "auto", compiler=environ.get("CC"),
        cell=Path(cell).resolve() if cell else None, wait=bool(environ.get(WAIT)))
