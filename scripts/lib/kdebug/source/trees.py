# SPDX-License-Identifier: GPL-2.0-only
"""The unpacked source trees of the base kernel, in build/src.

A tree is complete when both the directory and <name>.json are there. The stamp is
written first, and the directory is renamed into place last. So a kill leaves nothing
that is taken for a tree.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from kdebug.context import Context
from kdebug.host import processes, ui
from kdebug.host.files import load_json, need_space, save_json

TREE_BYTES = 2_000_000_000  # one unpacked kernel, rounded up
TREE_FILES = 102_000

@dataclass(frozen=True)
class BaseTree:
    """A pristine kernel tree; @key changes whenever its content does."""

    path: Path
    version: str
    origin: str
    key: str


def other_source(context: Context) -> str:
    """What the user can do where the base cannot be fetched."""
    return f"give the source of Linux {context.base} as KDIR=/path/to/linux"


def version_of(tree: Path) -> str:
    """The version in @tree's top Makefile, "" when that is not a kernel's."""
    try:
        text = (tree / "Makefile").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found: dict[str, str] = dict(re.findall(
        r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) *= *(\S*)[ \t]*$", text, re.M))
    if not {"VERSION", "PATCHLEVEL"} <= found.keys() or not (tree / "kernel/kthread.c").is_file():
        return ""
    dotted = [found["VERSION"], found["PATCHLEVEL"]]
    if found.get("SUBLEVEL", "0") not in ("", "0"):
        dotted.append(found["SUBLEVEL"])
    return ".".join(dotted) + found.get("EXTRAVERSION", "")


def is_wanted(context: Context, version: str) -> bool:
    """Is @version one of the base?"""
    return re.match(re.escape(context.base) + r"(\D|$)", version) is not None


def find(context: Context, name: str) -> BaseTree | None:
    """The tree build/src/@name; None if it is not there as a whole."""
    stamp = load_json(context.src / f"{name}.json")
    path = context.src / name
    if not path.is_dir() or not {"version", "origin", "key"} <= stamp.keys():
        return None
    return BaseTree(path, str(stamp["version"]), str(stamp["origin"]), str(stamp["key"]))


def unpack(context: Context, name: str, origin: str, key: str, chain: list[list[str]], *,
           cwd: Path | None = None, env: dict[str, str] | None = None) -> BaseTree:
    """Unpack what the pipeline @chain yields as build/src/@name."""
    path, temp = context.src / name, context.src / f".tmp-{name}"
    need_space(context.src, TREE_BYTES)
    temp.mkdir(parents=True)
    # -m: an mtime ahead of this clock would later look like an edit.
    untar = ["tar", "-x", "-m", "-v", "-f", "-", "--no-same-owner", "--no-same-permissions", "-C", str(temp)]
    if cwd is None:
        untar += ["-J", "--strip-components=1"]
    with ui.phase("unpack", origin) as phase:
        status, _, err = processes.run([*chain, untar], cwd=cwd, env=env, disk=context.build,
                                       poll=lambda files: phase.live(f"{files} files of about {TREE_FILES}"))
        if status:
            raise ui.Fail(origin, f"does not unpack ({processes.first_line(err)})",
                          other_source(context) if cwd else f"run again; if it stays so: rm -r {context.download}")
        version = version_of(temp)
        if not is_wanted(context, version):
            raise ui.Fail(origin, f"holds Linux '{version}', not {context.base}", other_source(context))
        base = BaseTree(path, version, origin, key)
        if path.exists():
            shutil.rmtree(path)
        save_json(context.src / f"{name}.json", {k: v for k, v in asdict(base).items() if k != "path"})
        temp.rename(path)
        phase.result = f"Linux {version}"
    # One user's tree and one packaged source are enough: each takes 1.8 GB.
    for stamp in context.src.glob("*.json"):
        if stamp.stem != name and stamp.stem.startswith("kdir-") == name.startswith("kdir-"):
            stamp.unlink()
            shutil.rmtree(stamp.with_suffix(""), ignore_errors=True)
    return base


def remove_incomplete(context: Context) -> None:
    """Remove what killed runs left; the lock says that nobody is at it now."""
    context.src.mkdir(parents=True, exist_ok=True)
    for path in context.src.iterdir():
        if path.is_dir() and not (context.src / f"{path.name}.json").exists():
            shutil.rmtree(path)
