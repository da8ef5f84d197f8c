# SPDX-License-Identifier: GPL-2.0-only
"""The two disks of a guest of scripts/explore: Debian's programs, and the kernel's modules.

Both are squashfs images in build/explore/, made again only when what they hold changes.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from kdebug.build import make, modinfo
from kdebug.build.kernel import Kernel
from kdebug.build.make import Output
from kdebug.context import Context
from kdebug.host import apt, processes, ui
from kdebug.host.files import digest, load_json, megabytes, need_space, save_json, size_of

# One Debian for everybody: a scenario's commands behave alike on each host.
SUITE = "bookworm"
# What each scenario may use without a word in its header.
ALWAYS = ("busybox", "kmod", "mount", "procps", "util-linux")
# A guest has no use for these, and they are a third of the root.
LEFT_OUT = ("doc", "info", "locale", "man")
ROOM = 1_500_000_000  # bytes, while the root is made

_NAME = re.compile(r"[a-z0-9][a-z0-9.+-]+")


def path(context: Context, name: str) -> Path:
    """Where the image @name, "root" or "modules", is."""
    return context.build / "explore" / f"{name}.squashfs"


def ensure(context: Context, packages: Iterable[str]) -> Path:
    """The image of a Debian root that has @packages and what they depend on.

    An image that has more is good enough. A new one has what the old one had, too: so
    scenarios that are run one after the other do not make it anew each time.
    """
    wanted = {*ALWAYS, *packages}
    for name in sorted(wanted):
        if not _NAME.fullmatch(name):
            raise ui.Fail(f"packages: {name}", "no name of a Debian package", "correct it in the scenario's header")
    image = path(context, "root")
    stamp_file = image.with_suffix(".json")
    stamp = load_json(stamp_file)
    have = set(stamp.get("packages", [])) if stamp.get("suite") == SUITE and image.is_file() else set()
    if wanted <= have:
        return image
    names = sorted(wanted | have)
    need_space(image.parent, ROOM)
    with ui.phase("root", f"{len(names)} packages of {SUITE} and what they depend on") as phase:
        phase.live("installing")
        _make_root(context, image, names)
        save_json(stamp_file, {"suite": SUITE, "packages": names})
        phase.result = f"{len(names)} packages of {SUITE}, {megabytes(size_of(image))}"
    return image


def command(mirrors: Iterable[str], keyring: Path, names: Iterable[str]) -> list[str]:
    """What writes a Debian root with the packages @names as a tar archive to its output."""
    lines = [f"deb [signed-by={keyring}] {mirror} {SUITE} main" for mirror in mirrors]
    return ["mmdebstrap", "--quiet", "--variant=essential", "--format=tar", f"--include={','.join(names)}",
            *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT), SUITE, "-", *lines]


def _make_root(context: Context, image: Path, names: list[str]) -> None:
    keyring = next((k for k in apt.KEYRINGS if k.is_file()), None)
    # A mirror of security updates alone has no such suite.
    mirrors = [m for m in apt.host_mirrors() if "security" not in m]
    if keyring is None or not mirrors:
        raise ui.Fail("the guest's root", "apt knows no mirror of Debian that it can check",
                      "run it on Debian (package debian-archive-keyring), or use scenarios without packages")
    new = image.with_name(f".{image.name}.new")
    new.unlink(missing_ok=True)
    status, _, said = processes.run([command(mirrors[:1], keyring, names), _squash("-", new, "-tar")],
                                    disk=image.parent)
    if status:
        new.unlink(missing_ok=True)
        raise ui.Fail("the guest's root", _why(said), "correct a package's name, or see to the network, and run again")
    new.replace(image)


def _squash(source: str, image: Path, *more: str) -> list[str]:
    """What makes @image of @source. gzip: the guest unpacks it under emulation."""
    return ["mksquashfs", source, str(image), *more, "-noappend", "-quiet", "-no-progress", "-comp", "gzip",
            "-Xcompression-level", "1"]


def _why(said: str) -> str:
    """The line of what a tool @said that names the trouble; E: is mmdebstrap's mark."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    bad = [line for line in lines if line.startswith("E: ")]
    return (bad or lines or ["it ended without a word"])[0]


def modules(context: Context, kernel: Kernel, external: Iterable[Path] = ()) -> Path:
    """The image of /lib/modules for @kernel: its own modules and the @external ones, with depmod's tables."""
    more = sorted(external)
    image = path(context, "modules")
    stamp_file = image.with_suffix(".json")
    key = digest(kernel.key, str(kernel.out), *(module.read_bytes() for module in more))
    if load_json(stamp_file).get("key") == key and image.is_file():
        return image
    image.parent.mkdir(parents=True, exist_ok=True)
    with ui.phase("modules", "installing") as phase, \
            tempfile.TemporaryDirectory(dir=image.parent, prefix=".modules-") as temp:
        log = image.with_suffix(".log")
        log.unlink(missing_ok=True)
        make.run(context, [*make.make_args(context, kernel.source, kernel.out), "-s", f"INSTALL_MOD_PATH={temp}",
                           "INSTALL_MOD_STRIP=1", "modules_install"], log, Output(), phase)
        top = Path(temp) / "lib/modules"
        # They lead out of the image.
        for link in ("build", "source"):
            (top / kernel.release / link).unlink(missing_ok=True)
        if more:
            (top / kernel.release / "extra").mkdir()
            for module in more:
                shutil.copy(module, top / kernel.release / "extra")
            status, _, said = processes.run([["depmod", "-b", temp, kernel.release]], env=processes.clean_env(
                PATH=f"{os.environ.get('PATH', os.defpath)}:{modinfo.SBIN}"))
            if status:
                raise ui.Fail("depmod", _why(said), "mend that and run again")
        new = image.with_name(f".{image.name}.new")
        new.unlink(missing_ok=True)
        status, _, said = processes.run([_squash(str(top), new, "-all-root")])
        if status:
            raise ui.Fail(context.shown(image), _why(said), "see to the disk, and run again")
        new.replace(image)
        save_json(stamp_file, {"key": key})
        count = sum(1 for _ in top.rglob("*.ko"))
        phase.result = f"{count} modules, {megabytes(size_of(image))}"
    return image
