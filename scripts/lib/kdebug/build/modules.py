# SPDX-License-Identifier: GPL-2.0-only
"""The modules that match a kernel: those of its own tree, and those of kernel/."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection
from pathlib import Path

from kdebug.build import arch, make
from kdebug.build.kernel import Kernel, refuse
from kdebug.build.make import Output
from kdebug.context import Context, SETS
from kdebug.host import ui
from kdebug.host.files import digest, load_json, save_json

_ONLY_FOR = re.compile(r"^# Only for (\w+)", re.M)

_NEEDS = re.compile(r"^# Needs the set (\S+)$", re.M)


def module_dirs(context: Context, sets: Collection[str] = tuple(SETS)) -> list[Path]:
    """The directories of kernel/ that are external modules for this architecture and
    build on a tree that has these @sets. The Makefile tells which it needs: none, one,
    or, if it says nothing, all."""
    def builds(text: str) -> bool:
        needs = _NEEDS.findall(text) or ([] if "# Builds without the series" in text else SETS)
        return all(name in sets for name in needs)

    found = ((p.parent, p.read_text()) for p in sorted(context.kernel.glob("*/Makefile")))
    return [d for d, text in found if "obj-m" in text and builds(text)
            and _ONLY_FOR.findall(text) in ([], [arch.of(context).name])]


def in_tree_modules(kernel: Kernel) -> list[Path]:
    """What the kernel's own configuration builds as a module."""
    order = kernel.out / "modules.order"
    return [(kernel.out / line).with_suffix(".ko") for line in order.read_text().splitlines()]


def about(source: Path) -> re.Pattern[str]:
    """What finds the files of the module's directory @source in a warning.

    The environment warns, too: of another pahole, of a clock. That is no fault of a module.
    """
    made = (name for file in ("Makefile", "Kbuild") if (source / file).is_file()
            for name in re.findall(r"([\w-]+)\.o\b", (source / file).read_text()))
    names = {*made, *(p.stem for p in source.rglob("*") if p.suffix in (".c", ".h", ".S"))}
    known = "|".join(map(re.escape, sorted(names))) or "(?!)"
    return re.compile(rf"(?:^|[\s/\"\[])(?:{known})(?:\.mod)?\.(?:[chSo]|ko)\b")


def external_modules(context: Context, kernel: Kernel, source: Path) -> list[Path]:
    """The modules of the directory @source, built against @kernel."""
    dest = kernel.out / "mod" / source.name
    log, stamp_file = dest.with_suffix(".log"), dest.with_suffix(".json")
    files = sorted(p for p in source.rglob("*") if p.is_file())
    key = digest(kernel.key, *(str(f.relative_to(source)).encode() + b"\0" + f.read_bytes() for f in files))
    stamp = load_json(stamp_file)
    found = [dest / name for name in stamp.get("modules", [])]
    if stamp.get("key") == key and all(p.is_file() for p in found):
        return found
    with ui.phase("module") as phase:
        # MO= keeps every object out of @source; where make does not know it, a copy does.
        shutil.rmtree(dest, ignore_errors=True)
        if "KBUILD_EXTMOD_OUTPUT" in (kernel.source / "Makefile").read_text():
            where = [f"M={source}", f"MO={dest}"]
            dest.mkdir(parents=True)
        else:
            where = [f"M={dest}"]
            shutil.copytree(source, dest)
        log.unlink(missing_ok=True)
        output = Output()
        make.run(context, [*make.make_args(context, kernel.source, kernel.out), "-Otarget", *where, "modules"], log,
                 output, phase)
        refuse(context, output.all_warnings(), log, about(source))
        found = [dest / Path(line).with_suffix(".ko")
                 for line in (dest / "modules.order").read_text().splitlines()]
        save_json(stamp_file, {"key": key, "modules": [str(p.relative_to(dest)) for p in found]})
        phase.result = " ".join(p.name for p in found)
    return found
