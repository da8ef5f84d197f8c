# SPDX-License-Identifier: GPL-2.0-only
"""KDIR: the user's own tree, of which not one byte is written."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from kdebug.context import Context
from kdebug.host import processes, ui
from kdebug.source import trees
from kdebug.source.trees import BaseTree


def copy(context: Context) -> BaseTree:
    """A copy of the tree that KDIR= names; a Fail where it is not as it was released."""
    text = context.kdir
    path = Path(text).expanduser().absolute()
    what = f"KDIR={text}"
    if not path.is_dir():
        raise ui.Fail(what, "no such directory", f"give the path of a Linux {context.base} source tree")
    path = path.resolve()
    version = trees.version_of(path)
    if not version:
        raise ui.Fail(what, "not a kernel source (no kernel's Makefile, or no kernel/kthread.c)",
                      f"give the top directory of a Linux {context.base} source tree")
    if not trees.is_wanted(context, version):
        raise ui.Fail(what, f"Linux {version}", f"the series is for {context.base}: check out v{context.base}")
    if (path / "kernel/kthread_debug.c").exists():
        raise ui.Fail(what, "already patched (it has kernel/kthread_debug.c)",
                      "give the tree without the series, which is applied to a copy of it")
    if context.build.is_relative_to(path):
        raise ui.Fail(what, f"{context.build} lies inside it, and nothing is written into KDIR",
                      "set KTHREAD_DEBUG_BUILD to a directory outside")
    env = processes.clean_env(GIT_OPTIONAL_LOCKS="0", GIT_NO_LAZY_FETCH="1", GIT_TERMINAL_PROMPT="0")
    # Any user may read the owner's tree here, root included; none of its
    # helpers may run or write.
    git = ["git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]
    if shutil.which("git") and processes.run([[*git, "ls-files", "--error-unmatch", "Makefile"]], cwd=path,
                                             env=env)[0] == 0:
        status, out, err = processes.run([[*git, "status", "--porcelain", "--", "."]], cwd=path, env=env)
        if status:
            raise ui.Fail(what, f"git status fails ({processes.first_line(err)})", "mend that repository")
        if out:
            raise ui.Fail(what, f"dirty ({len(out.splitlines())} changed or untracked, "
                          f"first '{out.splitlines()[0].strip()}')",
                          f"commit, stash or remove them: git -C {text} status")
        status, out, err = processes.run([[*git, "rev-parse", "HEAD:./"]], cwd=path, env=env)
        if status:
            raise ui.Fail(what, f"no commit to read ({processes.first_line(err)})", "mend that repository")
        key = "kdir-" + out.strip()[:16]
        env |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        producer = [*git, "-c", "core.autocrlf=false", "-c", "core.attributesFile=/dev/null",
                    "archive", "--format=tar", "HEAD"]
    else:
        key = "kdir-" + _listing(path, what)[:16]
        producer = ["tar", "-c", "--exclude=.git", "--exclude=.svn", "--exclude=.hg", "-f", "-", "."]
    return trees.find(context, key) or trees.unpack(context, key, what, key, [producer], cwd=path, env=env)


def _listing(top: Path, what: str) -> str:
    """Hash names, sizes and times of a tree without git; refuse a built-in one."""
    digest = hashlib.sha256()

    def walk(folder: str, name: str) -> None:
        for entry in sorted(os.scandir(folder), key=lambda e: e.name):
            if entry.name in (".git", ".svn", ".hg"):
                continue
            here = f"{name}{entry.name}"
            if here in (".config", "include/config", "include/generated", "vmlinux") or (
                    entry.name.endswith((".o", ".ko", ".rej", ".cmd"))):
                raise ui.Fail(what, f"dirty (it has {here}, left by a build or a patch)",
                              f"clean it: make -C {top} mrproper")
            if entry.is_dir(follow_symlinks=False):
                walk(entry.path, here + "/")
            else:
                st = entry.stat(follow_symlinks=False)
                digest.update(f"{here}\0{st.st_size}\0{st.st_mtime_ns}\0{st.st_mode}\n".encode(
                    errors="surrogateescape"))

    walk(str(top), "")
    return digest.hexdigest()
