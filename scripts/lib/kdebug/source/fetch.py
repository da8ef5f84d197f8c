# SPDX-License-Identifier: GPL-2.0-only
"""The base kernel: the user's KDIR, Debian's packaged source, or kernel.org's."""

from __future__ import annotations

from pathlib import Path

from kdebug.context import Context
from kdebug.host import apt, files
from kdebug.source import debian, kernel_org, trees, user_tree
from kdebug.source.trees import BaseTree


def _intact(path: Path) -> bool:
    """Whether the download @path is what its stamp says; a wrong one is removed."""
    stamp = files.load_json(path.with_name(path.name + ".json"))
    if path.is_file() and stamp:
        if path.stat().st_size == stamp.get("size") and files.sha256_of(path) == stamp.get("sha256"):
            return True
        path.unlink()
    return False


def _unpack(context: Context, path: Path) -> BaseTree:
    """Unpack the download @path as its stamp says."""
    stamp = files.load_json(path.with_name(path.name + ".json"))
    name, origin = str(stamp["name"]), str(stamp["origin"])
    if path.suffix == ".deb":
        chain = [["dpkg-deb", "--fsys-tarfile", str(path)],
                 ["tar", "-x", "-O", "-f", "-", f"./usr/src/{debian.package(context)}.tar.xz"]]
    else:
        chain = [["cat", str(path)]]
    return trees.unpack(context, name, origin, f"{name}-{str(stamp['sha256'])[:16]}", chain)


def _packaged(context: Context, update: bool) -> BaseTree:
    """The packaged source that is there; with @update, or without one, the newest that there is."""
    stamps = sorted((s for s in context.src.glob("*.json") if not s.name.startswith("kdir-")),
                    key=lambda s: s.stat().st_mtime)
    stored = next(filter(None, (trees.find(context, s.stem) for s in reversed(stamps))), None)
    if stored and not update:
        return stored
    downloads = sorted(context.download.glob(f"linux-*{context.base}*.json"), key=lambda s: s.stat().st_mtime)
    if downloads and not update and _intact(path := downloads[-1].with_suffix("")):
        return _unpack(context, path)
    mirrors = apt.host_mirrors()
    found = (debian.newest(context, mirrors) if mirrors else None) or kernel_org.fetch(context)
    for old in context.download.glob(f"linux-*{context.base}*"):
        if not old.name.startswith(found.name):
            old.unlink()
    name = str(files.load_json(found.with_name(found.name + ".json"))["name"])
    return trees.find(context, name) or _unpack(context, found)


def ensure(context: Context, update: bool = False) -> BaseTree:
    """Return the pristine base, fetched or copied if it is not there yet.

    The caller holds the lock.  @update looks for a newer package; without it
    an unpacked base is taken as it is, and no network is needed.
    """
    trees.remove_incomplete(context)
    return user_tree.copy(context) if context.kdir else _packaged(context, update)
