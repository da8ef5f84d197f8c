# SPDX-License-Identifier: GPL-2.0-only
"""The guest that a scenario runs in: its root file system, its modules, its disks; and one boot of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from kdebug.build import bootable, flavours, initramfs, modinfo
from kdebug.build.bootable import Bootable
from kdebug.build.modules import in_tree_modules
from kdebug.context import Context
from kdebug.explore import root
from kdebug.explore.scenario import Scenario
from kdebug.explore.trial import Trial
from kdebug.guest import bad_lines, boot
from kdebug.guest.exit_codes import Code
from kdebug.guest.judge import Limits
from kdebug.host import files, lock, ui
from kdebug.host.ui import Fail

NEEDS = ("CONFIG_FAIL_KTHREAD", "CONFIG_FAULT_INJECTION_DEBUG_FS", "CONFIG_TRACING", "CONFIG_MODULE_UNLOAD")
# Trace events on the console: a name must be known before the oops comes. On a busy host a guest that
# looks whether its timer works comes to no good.
APPEND = "tp_printk no_timer_check"
AGENT = "explore"
FLAVOUR = "explore"  # what a scenario runs on, if FLAVOUR= does not say
FLOOD = 16 << 20  # bytes of console that end a guest

# The names of kmod.
KMOD = ("depmod", "insmod", "lsmod", "modinfo", "modprobe", "rmmod")


def folder(context: Context) -> Path:
    """Where all results are. Those of another flavour are apart: they took hours."""
    name = "explore" if context.flavour == FLAVOUR else f"explore-{context.flavour}"
    return (context.cell or context.root) / name


@dataclass(frozen=True)
class Machine:
    """What the guests of a flavour are booted from."""

    ready: Bootable
    initrd: Path
    config: dict[str, str]
    key: str            # of all that it is made of
    disks: tuple[tuple[str, Path], ...] = ()  # serial and image of the read-only disks

    @property
    def root(self) -> bool:
        """Whether there is a root file system with packages."""
        return any(serial == "root" for serial, _ in self.disks)


def machine(context: Context, packages: Collection[str] = ()) -> Machine:
    """Build the kernel of FLAVOUR and all that a guest of it needs, with these Debian @packages."""
    ready = bootable.prepare(context, context.flavour, shell=True, bare=True)
    config = flavours.options(ready.kernel.config.read_text())
    if lost := [option for option in NEEDS if config.get(option) != "y"]:
        raise Fail(f"FLAVOUR={context.flavour}", f"has no {lost[0]}", "use explore, plain, or a fragment on top of it")
    top = folder(context)
    top.mkdir(parents=True, exist_ok=True)
    able = all(config.get(f"CONFIG_{option}") == "y" for option in ("SQUASHFS", "VIRTIO_BLK"))
    with lock.held(context, "explore"):
        disks: tuple[tuple[str, Path], ...] = ()
        if able:
            # A root that is there is used by all scenarios, so that each behaves as it did.
            if packages or root.path(context, "root").is_file():
                disks = (("root", root.ensure(context, packages)),)
            disks = (*disks, ("modules", root.modules(context, ready.kernel, _external(ready))))
        extra, links = _tools()
        if not any(serial == "modules" for serial, _ in disks):
            extra |= _modules(ready, top / f"modules-{ready.kernel.out.name}")
        initrd = initramfs.extend(ready.kernel, ready.initrd, top / f"{ready.kernel.out.name}.cpio", extra, links)
    parts = [*sorted((context.kernel / "guest").glob("explore*")), *(path for _, path in sorted(extra.items()))]
    stats = [f"{serial} {image.stat().st_size} {image.stat().st_mtime_ns}" for serial, image in disks]
    key = files.digest(ready.kernel.key, *(path.read_bytes() for path in parts), *stats)
    return Machine(ready, initrd, config, key, disks)


def _external(ready: Bootable) -> list[Path]:
    """The modules that are no part of the kernel's own tree. One with the name of a module there is left out:
    modprobe would load it in place of that, as kernel/torture's for scftorture."""
    own = {module.name for module in in_tree_modules(ready.kernel)}
    return [module for module in ready.modules if module.name not in own]


def _tools() -> tuple[dict[str, Path], dict[str, str]]:
    """The host's shell and kmod with their libraries, by their paths in the guest, and kmod's names.

    busybox's modprobe tries a second time when a load has failed, and its shell takes no other.
    """
    path = f"{os.environ.get('PATH', os.defpath)}:{modinfo.SBIN}"
    found: dict[str, Path] = {}
    for name, package in (("sh", "dash"), ("kmod", "kmod")):
        tool = shutil.which(name, path=path)
        if not tool:
            raise Fail(name, "not found", f"install {package}")
        said = subprocess.run(["ldd", tool], capture_output=True, text=True).stdout
        libraries = re.findall(r"^\s(?:\S+ => )?(/\S+) \(0x", said, re.M)
        found |= {f"/bin/{name}": Path(tool).resolve(), **{library: Path(library).resolve() for library in libraries}}
    return found, {f"/bin/{name}": "kmod" for name in KMOD}


def _modules(ready: Bootable, stage: Path) -> dict[str, Path]:
    """All modules and what depmod knows of them, as they are below /lib/modules."""
    base = stage / "lib/modules" / ready.kernel.release
    shutil.rmtree(stage, ignore_errors=True)
    (base / "extra").mkdir(parents=True)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        if (ready.kernel.out / name).is_file():
            shutil.copy(ready.kernel.out / name, base)
    for module in [*in_tree_modules(ready.kernel), *_external(ready)]:
        shutil.copy(module, base / "extra")
    done = subprocess.run(["depmod", "-b", stage, ready.kernel.release], capture_output=True, text=True,
                          env=os.environ | {"PATH": f"{os.environ.get('PATH', os.defpath)}:{modinfo.SBIN}"})
    if done.returncode:
        raise Fail("depmod", done.stderr.strip().partition("\n")[0] or "failed", "mend that and run again")
    return {f"/{path.relative_to(stage)}": path for path in base.rglob("*") if path.is_file()}


def check(context: Context, host: Machine, scenario: Scenario) -> str:
    """Why the machine cannot run the @scenario; "" if it can."""
    if lacks := scenario.lacks(host.config):
        return f"FLAVOUR={context.flavour} has no CONFIG_{lacks[0]}"
    if scenario.packages and not host.root:
        return f"needs a root file system with {' '.join(scenario.packages)}"
    if scenario.disks and host.config.get("CONFIG_VIRTIO_BLK") not in ("y",):
        return f"FLAVOUR={context.flavour} has no CONFIG_VIRTIO_BLK for its disks"
    return ""


@dataclass(frozen=True)
class Ended:
    """How a guest came to its end."""

    code: Code
    reason: str
    console: Path
    seconds: float


def run(context: Context, host: Machine, scenario: Scenario, trials: Sequence[Trial], where: Path,
        phase: ui.Phase, cold: bool = False) -> Ended:
    """Boot a guest that does these @trials in this order, until one of them is not clean.

    Unless it may begin @cold, there is a warm-up first."""
    net = int("net" in scenario.needs)
    with tempfile.TemporaryDirectory(prefix="kdebug-explore-", dir=folder(context)) as tmp:
        config, script = Path(tmp, "explore"), Path(tmp, "scenario")
        config.write_text(f"{scenario.limit}\n{net}\n{int(cold)}\n" + "".join(f"{trial.line()}\n" for trial in trials))
        script.write_text(scenario.text)
        initrd = initramfs.extend(host.ready.kernel, host.initrd, Path(tmp, "root.cpio"),
                                  {"/etc/explore": config, "/scenario": script})
        kernel = host.ready.kernel
        result = boot.run(context, kernel.image, initrd, APPEND, programs=[AGENT],
                          limits=Limits(boot=300, silence=90 + 5 * scenario.limit,
                                        total=600 + len(trials) * (60 + 30 * scenario.limit), size=FLOOD),
                          memory=max(kernel.memory, scenario.memory or 0), smp=kernel.cpus or scenario.cpus,
                          rules=bad_lines.parse().early(), out_dir=where, phase=phase,
                          extra=_drives(host, scenario, Path(tmp)))
    return Ended(result.verdict.code, result.verdict.reason, result.console, result.seconds)


def _drives(host: Machine, scenario: Scenario, tmp: Path) -> list[str]:
    """QEMU's arguments for all disks; those of the scenario are new and empty."""
    drives = [(serial, image, "readonly=on") for serial, image in host.disks]
    for number, size in enumerate(scenario.disks, 1):
        image = tmp / f"disk{number}"
        with open(image, "wb") as file:
            file.truncate(size)
        drives.append((f"disk{number}", image, "cache=unsafe,discard=unmap"))
    found: list[str] = []
    for serial, image, how in drives:
        path = str(image.absolute()).replace(",", ",,")
        found += ["-drive", f"file={path},format=raw,if=none,id={serial},{how}",
                  "-device", f"virtio-blk-pci,drive={serial},serial={serial}"]
    return found
