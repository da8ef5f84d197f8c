# SPDX-License-Identifier: GPL-2.0-only
"""What differs from one architecture to another, all of it.

ARCH= chooses the row. Beside it each has a fragment, configs/<name>.config.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from kdebug.context import Context
from kdebug.host.ui import Fail


@dataclass(frozen=True)
class Arch:
    """A row: an architecture, the machine that runs it, and what builds it."""

    name: str
    # The kernel: make's ARCH=, the directory in arch/, and what of its boot/ is booted.
    make: str
    source: str
    image: str
    # The machine that QEMU emulates; none where the image is a program of the host's.
    binary: str
    package: str              # Debian's name of what to install for that
    args: tuple[str, ...]
    cpu: str
    append: str               # the console, and the restart that QEMU notices
    cpus: int = 2
    dtb: str = ""             # below boot/dts/, where QEMU brings none for the machine
    kvm_hosts: tuple[str, ...] = ()  # uname -m of hosts that may accelerate it
    headers: str = ""         # whose headers the guest's programs are built with, if not its own
    # What it is built with on x86-64, and what Debian calls it.
    prefix: str = ""          # of the compiler and of binutils
    packages: tuple[str, ...] = ()
    debian: str = ""

    @property
    def path(self) -> Path:
        """Where the image is, in the O= directory."""
        return Path("arch") / self.source / "boot" / self.image if self.binary else Path(self.image)

    @property
    def targets(self) -> tuple[str, ...]:
        """What make has to make for a guest."""
        return (self.image, *([self.dtb] if self.dtb else []), "modules")

    def flavour(self, name: str) -> str:
        """What a flavour is called, in directories and in results."""
        return name if self.name == DEFAULT else f"{self.name}-{name}"


def _release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


DEFAULT = "x86_64"
# Debian 12 has them among the rarer ones.
_RISCV, _S390X = ["qemu-system-misc"] * 2 if _release().get("VERSION_ID") == "12" else [
    "qemu-system-riscv", "qemu-system-s390x"]
TABLE = {row.name: row for row in (
    # With five page levels a KASAN kernel reports a wild access that is none when
    # an interrupt comes while identify_cpu() has the boot CPU's feature bits cleared.
    Arch("x86_64", "x86_64", "x86", "bzImage", "qemu-system-x86_64", "qemu-system-x86", ("-M", "q35"),
         "max,la57=off", "console=ttyS0 reboot=t", kvm_hosts=("x86_64",)),
    Arch("arm", "arm", "arm", "zImage", "qemu-system-arm", "qemu-system-arm",
         ("-M", "vexpress-a9", "-audiodev", "none,id=off"), "cortex-a9",
         "console=ttyAMA0", cpus=1, dtb="arm/vexpress-v2p-ca9.dtb",
         prefix="arm-linux-gnueabihf-", packages=("gcc-arm-linux-gnueabihf",), debian="armhf"),
    Arch("arm64", "arm64", "arm64", "Image", "qemu-system-aarch64", "qemu-system-arm", ("-M", "virt"), "cortex-a57",
         "console=ttyAMA0",
         prefix="aarch64-linux-gnu-", packages=("gcc-aarch64-linux-gnu",), debian="arm64"),
    Arch("riscv64", "riscv", "riscv", "Image", "qemu-system-riscv64", _RISCV, ("-M", "virt"), "rv64",
         "console=ttyS0",
         prefix="riscv64-linux-gnu-", packages=("opensbi", "gcc-riscv64-linux-gnu"), debian="riscv64"),
    # As an AMD of 32 bits it would be warned of.
    Arch("i386", "i386", "x86", "bzImage", "qemu-system-i386", "qemu-system-x86", ("-M", "q35"),
         "max,vendor=GenuineIntel",
         "console=ttyS0 reboot=t", kvm_hosts=("x86_64",),
         prefix="i686-linux-gnu-", packages=("gcc-i686-linux-gnu",), debian="i386"),
    # The one whose first byte is the big one.
    Arch("s390x", "s390", "s390", "bzImage", "qemu-system-s390x", _S390X, ("-M", "s390-ccw-virtio"), "max",
         "console=ttysclp0",
         prefix="s390x-linux-gnu-", packages=("gcc-s390x-linux-gnu",), debian="s390x"),
    # User-mode Linux: no machine, but a process. After a reboot it would start anew.
    Arch("um", "um", "um", "linux", "", "", (), "", "console=tty con0=null,fd:1 con=null kdebug.off=1",
         cpus=1, headers="x86"),
)}


def get(name: str) -> Arch:
    """The row called @name; a Fail that names all of them for another."""
    try:
        return TABLE[name]
    except KeyError:
        raise Fail(f"ARCH={name}", "no such architecture", f"use one of {' '.join(TABLE)}") from None


def of(context: Context) -> Arch:
    """The row that ARCH= names."""
    return get(context.architecture or DEFAULT)


def needed_packages(row: Arch) -> list[str]:
    """What Debian has to install to build for @row and to run it."""
    return [name for name in (row.package, *row.packages) if name]
