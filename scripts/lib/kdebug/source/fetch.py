# SPDX-License-Identifier: GPL-2.0-only
"""The base kernel: the user's KDIR, Debian's packaged source, or kernel.org's."""

from __future__ import annotations

from pathlib import Path

from kdebug.host import apt, files, paths
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


def _unpack(path: Path) -> BaseTree:
    stamp = files.load_json(path.with_name(path.name + ".json"))
    name, origin = str(stamp["name"]), str(stamp["origin"])
    if path.suffix == ".deb":
        chain = [["dpkg-deb", "--fsys-tarfile", str(path)],
                 ["tar", "-x", "-O", "-f", "-", f"./usr/src/{debian.PACKAGE}.tar.xz"]]
    else:
        chain = [["cat", str(path)]]
    return trees.unpack(name, origin, f"{name}-{str(stamp['sha256'])[:16]}", chain)


def _packaged(update: bool) -> BaseTree:
    stamps = sorted((s for s in paths.SRC.glob("*.json") if not s.name.startswith("kdir-")),
                    key=lambda s: s.stat().st_mtime)
    stored = next(filter(None, (trees.find(s.stem) for s in reversed(stamps))), None)
    if stored and not update:
        return stored
    downloads = sorted(paths.DOWNLOAD.glob(f"linux-*{trees.WANTED}*.json"), key=lambda s: s.stat().st_mtime)
    if downloads and not update and _intact(path := downloads[-1].with_suffix("")):
        return _unpack(path)
    mirrors = apt.host_mirrors()
    found = (debian.newest(mirrors) if mirrors else None) or kernel_org.fetch()
    for old in paths.DOWNLOAD.glob(f"linux-*{trees.WANTED}*"):
        if not old.name.startswith(found.name):
            old.unlink()
    name = str(files.load_json(found.with_name(found.name + ".json"))["name"])
    return trees.find(name) or _unpack(found)


def ensure(kdir: str | None, update: bool = False) -> BaseTree:
    """Return the pristine base, fetched or copied if it is not there yet.

    The caller holds the lock.  @update looks for a newer package; without it
    an unpacked base is taken as it is, and no network is needed.
    """
    trees.remove_incomplete()
    return user_tree.copy(kdir) if kdir else _packaged(update)
