# SPDX-License-Identifier: GPL-2.0-only
"""The way from a fresh clone to something that boots, for all who boot it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import apply, base, initramfs, kbuild, lock, paths, series


@dataclass(frozen=True)
class Ready:
    applied: apply.Applied
    kernel: kbuild.Kernel
    initrd: Path
    modules: tuple[Path, ...] = ()  # in the guest's /mod


def _applied(unpatched: bool, experiments: bool = False, extra: Sequence[Path] = ()) -> apply.Applied:
    base_tree = base.ensure(os.environ.get("KDIR") or None)
    if experiments:
        # In the same tree, so that ccache knows all the rest; its other kernels
        # go by what the tree holds and find it changed back by the next that asks.
        return apply.ensure(base_tree, extra=series.experiments())
    if unpatched:
        return apply.ensure(base_tree, [], paths.WORK / "linux-base")
    return apply.ensure(base_tree, extra=extra)


def source(unpatched: bool = False) -> apply.Applied:
    """The tree that prepare() builds from, and no more."""
    with lock.held("patch"):
        return _applied(unpatched)


def part(flavour: str, *targets: str, unpatched: bool = False, fragments: Sequence[str] = ()) -> kbuild.Kernel:
    """Only these @targets of a kernel, to look at."""
    with lock.held(f"build {flavour}"):
        return kbuild.ensure(_applied(unpatched), flavour, fragments, kbuild.Variant("part", targets=targets))


def prepare(flavour: str, *, unpatched: bool = False, shell: bool = False, experiments: bool = False,
            fragments: Sequence[str] = (), variant: kbuild.Variant | None = None,
            extra: Sequence[Path] = ()) -> Ready:
    """Fetch, patch and build, each as far as it is not done already.

    @unpatched leaves the series out: what the base does without it; @experiments
    puts that series on top, and @extra are more patches on top of the series. @shell puts
    busybox into the root file system. The lock of build/ is held meanwhile, and not while
    the result runs.
    """
    with lock.held(f"build {flavour}"):
        applied = _applied(unpatched, experiments, extra)
        if experiments:
            variant = kbuild.Variant("experiments")
        kernel = kbuild.ensure(applied, flavour, fragments, variant)
        dirs = kbuild.module_dirs([] if unpatched else [one.name for one in series.chosen()])
        selftest = applied.path / kbuild.SELFTESTS / "test_modules"
        if selftest.is_dir():
            dirs.append(selftest)
        modules = kbuild.in_tree_modules(kernel) + [m for d in dirs for m in kbuild.modules(kernel, d)]
        name = "shell" if shell else "initramfs"
        return Ready(applied, kernel, initramfs.ensure(kernel, modules, shell=shell, name=name), tuple(modules))
