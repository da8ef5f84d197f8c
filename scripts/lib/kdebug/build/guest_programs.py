# SPDX-License-Identifier: GPL-2.0-only
"""The guest's programs: init, those of kernel/guest, kernel/claims and kernel/details, and the selftests."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

from kdebug.build import arch, make
from kdebug.build.make import Output
from kdebug.context import Context, DEFAULT_BASE
from kdebug.host import files, lock, ui
from kdebug.source import fetch

# Of the series; a base without it has none.
SELFTESTS = Path("tools/testing/selftests/kthread")
# A tree with all of the series has these. Those of kernel/details need both.
WHOLE = ("misuse.c", "comp_block.c")


def _nolibc(context: Context, source: Path) -> Path:
    """The tree whose nolibc, headers and test harness the guest's programs are
    built on: an older one than the series' own has not all that they use."""
    if context.base == DEFAULT_BASE:
        return source
    newest = dataclasses.replace(context, base=DEFAULT_BASE, kdir="", wait=True)
    try:
        with lock.held(newest, "headers"):
            return fetch.ensure(newest).path
    except ui.Fail as err:
        raise ui.Fail(f"BASE={context.base}", f"its guests need the headers of Linux {DEFAULT_BASE}: "
                      f"{err.what}: {err.problem}", err.remedy) from None


def build(context: Context, source: Path) -> list[Path]:
    """The guest's programs, init among them, those of kernel/claims and kernel/details, and the selftests of
    @source. No flavour changes those, so this is done once for all of them."""
    programs = context.kernel / "guest"
    row = arch.of(context)
    exporter = row.headers or row.source
    libc = _nolibc(context, source)
    out = context.out / f"guest-{row.name}"
    log, stamp_file, dest = out.with_suffix(".log"), out.with_suffix(".json"), out / "bin"
    dirs = ("include/uapi", f"arch/{exporter}/include/uapi", f"arch/{exporter}/entry/syscalls",
            f"arch/{exporter}/tools", "tools/include/nolibc")
    key = files.digest(make.compiler(context), json.dumps(make.tools(context, libc)),
                       files.stat_digest(libc, (p for d in dirs for p in (libc / d).rglob("*") if p.is_file())))
    log.unlink(missing_ok=True)
    if files.load_json(stamp_file).get("key") != key:
        with ui.phase("headers") as phase:
            shutil.rmtree(out, ignore_errors=True)
            dest.mkdir(parents=True)
            make.run(context, [*make.make_args(context, libc, out), *([f"ARCH={row.headers}"] if row.headers else []),
                               "headers"],
                     log, Output(), phase)
            files.save_json(stamp_file, {"key": key})
    make.run(context,
             ["make", "-s", "-C", str(programs), f"CC={make.cc_name(context)}", f"SRC={source}", f"LIBC={libc}",
          f"HDR={out / 'usr/include'}", f"OUT={dest}"], log, Output())
    sources = [*programs.glob("*.c"), *(programs.parent / "claims/guest").glob("*.c"),
               *(source / SELFTESTS).glob("*.c")]
    if all((source / SELFTESTS / name).is_file() for name in WHOLE):
        sources += (programs.parent / "details/guest").glob("*.c")
    return sorted(dest / p.stem for p in sources)
