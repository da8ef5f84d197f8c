# SPDX-License-Identifier: GPL-2.0-only
"""A sparse that is new enough for the kernel: where the host's is not, the make
of the kernel warns, checks nothing, and is content.

Then the newest that Debian has is unpacked into build/, with the C library that
it was built for, and started with that: the host is left as it is.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from kdebug.context import Context
from kdebug.host import apt, ui

SUITES = ("testing", "unstable")


def _valid(command: Path, tree: Path) -> bool:
    """The kernel's own idea of a checker that can read it."""
    done = subprocess.run(["sh", tree / "scripts/checker-valid.sh", command], capture_output=True, text=True)
    return done.stdout.strip() == "1"


def ensure(context: Context, tree: Path) -> Path:
    """The command, for the kernel in @tree."""
    top = context.check / "sparse"
    if (host := shutil.which("sparse")) and _valid(Path(host), tree):
        return Path(host)
    wrapper = top / "sparse"
    if not wrapper.is_file():
        shutil.rmtree(top, ignore_errors=True)
        top.mkdir(parents=True)
        for name in ("sparse", "libc6"):
            deb = apt.package(context, name, SUITES)
            subprocess.run(["dpkg-deb", "-x", deb, top / "root"], check=True)
        loader = next((top / "root").rglob("ld-linux-x86-64.so.2"), None)
        if loader is None:
            raise ui.Fail(str(top), "no program loader in libc6", "install sparse 0.6.5 or newer")
        libs = next((top / "root").rglob("libc.so.6")).parent
        wrapper.write_text(f'#!/bin/sh\nexec {loader} --library-path {libs} {top}/root/usr/bin/sparse "$@"\n')
        wrapper.chmod(0o755)
    if not _valid(wrapper, tree):
        raise ui.Fail(str(wrapper), "does not run, or is too old",
                      f"run: rm -r {top}, or install sparse 0.6.5 or newer")
    return wrapper
