# SPDX-License-Identifier: GPL-2.0-only
"""The way from a fresh clone to something that boots, for all who boot it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kdebug.build import guest_programs, initramfs, kernel as kernels
from kdebug.build.kernel import Kernel, Variant
from kdebug.build.modules import external_modules, in_tree_modules, module_dirs
from kdebug.context import Context
from kdebug.host import lock
from kdebug.patches import apply, series
from kdebug.source import fetch


@dataclass(frozen=True)
class Bootable:
    """What a guest is booted from, and the tree that it was made of."""

    applied: apply.Applied
    kernel: Kernel
    initrd: Path
    modules: tuple[Path, ...] = ()  # in the guest's /mod


def _applied(context: Context, unpatched: bool, experiments: bool = False,
             extra: Sequence[Path] = ()) -> apply.Applied:
    """The base with the sets of SET=, with the experiments or the patches @extra on top, or without any."""
    base_tree = fetch.ensure(context)
    if experiments:
        # In the same tree, so that ccache knows all the rest; its other kernels
        # go by what the tree holds and find it changed back by the next that asks.
        return apply.ensure(context, base_tree, extra=series.experiments(context))
    if unpatched:
        return apply.ensure(context, base_tree, [], context.work / "linux-base")
    return apply.ensure(context, base_tree, extra=[*context.more, *extra])


def patched_tree(context: Context, unpatched: bool = False) -> apply.Applied:
    """The tree that prepare() builds from, and no more."""
    with lock.held(context, "patch"):
        return _applied(context, unpatched)


def objects(context: Context, flavour: str, *targets: str, unpatched: bool = False,
            fragments: Sequence[str] = ()) -> Kernel:
    """Only these @targets of a kernel, to look at."""
    with lock.held(context, f"build {flavour}"):
        return kernels.ensure(context, _applied(context, unpatched), flavour, fragments,
                              Variant("part", targets=targets))


def prepare(context: Context, flavour: str, *, unpatched: bool = False, shell: bool = False, experiments: bool = False,
            fragments: Sequence[str] = (), variant: Variant | None = None,
            extra: Sequence[Path] = (), bare: bool = False) -> Bootable:
    """Fetch, patch and build, each as far as it is not done already.

    @unpatched leaves the series out: what the base does without it; @experiments
    puts that series on top, and @extra are more patches on top of the series. @shell puts
    busybox into the root file system, and @bare leaves the modules out of it. The lock of build/ is held meanwhile, and not while
    the result runs.
    """
    with lock.held(context, f"build {flavour}"):
        applied = _applied(context, unpatched, experiments, extra)
        if experiments:
            variant = Variant("experiments")
        kernel = kernels.ensure(context, applied, flavour, fragments, variant)
        dirs = module_dirs(context, [] if unpatched else [one.name for one in series.chosen(context)])
        selftest = applied.path / guest_programs.SELFTESTS / "test_modules"
        if selftest.is_dir():
            dirs.append(selftest)
        modules = in_tree_modules(kernel) + [m for d in dirs for m in external_modules(context, kernel, d)]
        name = ("bare-" if bare else "") + ("shell" if shell else "initramfs")
        initrd = initramfs.ensure(context, kernel, [] if bare else modules, shell=shell, name=name)
        return Bootable(applied, kernel, initrd, tuple(modules))
