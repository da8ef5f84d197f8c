# SPDX-License-Identifier: GPL-2.0-only
"""The guest's programs: init, those of kernel/guest and kernel/claims, and the selftests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from kdebug.build import arch, make
from kdebug.build.make import Output
from kdebug.host import files, lock, paths, ui

# Of the series; a base without it has none.
SELFTESTS = Path("tools/testing/selftests/kthread")


def _nolibc(source: Path) -> Path:
    """The tree whose nolibc, headers and test harness the guest's programs are
    built on: an older one than the series' own has not all that they use."""
    if paths.BASE == paths.DEFAULT_BASE:
        return source
    env = {key: value for key, value in os.environ.items() if key not in ("BASE", "KDIR")}
    done = subprocess.run([paths.SCRIPTS / "fetch"], env=env | {lock.WAIT: "1"}, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise ui.Fail(f"BASE={paths.BASE}", f"its guests need the headers of Linux {paths.DEFAULT_BASE}, "
                      "and fetching them failed", "see above")
    return Path(done.stdout.rpartition(": Linux ")[0])


def build(source: Path, programs: Path = paths.KERNEL / "guest") -> list[Path]:
    """The guest's programs, init among them, those of kernel/claims, and the selftests of @source. No
    flavour changes those, so this is done once for all of them."""
    row = arch.current()
    exporter = row.headers or row.source
    libc = _nolibc(source)
    out = paths.OUT / f"guest-{row.name}"
    log, stamp_file, dest = out.with_suffix(".log"), out.with_suffix(".json"), out / "bin"
    dirs = ("include/uapi", f"arch/{exporter}/include/uapi", f"arch/{exporter}/entry/syscalls",
            f"arch/{exporter}/tools", "tools/include/nolibc")
    key = files.digest(make.compiler(), files.stat_digest(libc, (p for d in dirs for p in (libc / d).rglob("*") if p.is_file())))
    log.unlink(missing_ok=True)
    if files.load_json(stamp_file).get("key") != key:
        with ui.phase("headers") as phase:
            shutil.rmtree(out, ignore_errors=True)
            dest.mkdir(parents=True)
            make.run([*make.make_args(libc, out), *([f"ARCH={row.headers}"] if row.headers else []), "headers"],
                 log, Output(), phase)
            files.save_json(stamp_file, {"key": key})
    make.run(["make", "-s", "-C", str(programs), f"CC={make.cc_name()}", f"SRC={source}", f"LIBC={libc}",
          f"HDR={out / 'usr/include'}", f"OUT={dest}"], log, Output())
    sources = [*programs.glob("*.c"), *(programs.parent / "claims/guest").glob("*.c"),
               *(source / SELFTESTS).glob("*.c")]
    return sorted(dest / p.stem for p in sources)
