# SPDX-License-Identifier: GPL-2.0-only
"""The guest's root file system: init, programs, modules, for a shell busybox.

Written by the kernel's own gen_init_cpio from a list, so that device nodes need
no root, and without times, so that equal content gives equal bytes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from kdebug.build import arch, guest_programs
from kdebug.build.kernel import Kernel
from kdebug.context import Context
from kdebug.host import apt, ui
from kdebug.host.files import digest, load_json, save_json

# The shell starts in /sys/kernel/debug/kthread, and its prompt says so.
HINT = """\
arm      echo 'NAME*' > comp_block/name; echo 100 > comp_block/probability
see      insmod /mod/MODULE.ko & sleep 1; cat requests
release  echo all > comp_block/release
leave    exit, poweroff or reboot"""
# For a guest that does not answer.
HINT_QEMU = "; Ctrl-a x ends QEMU"

# Where Debian has busybox for a guest of another architecture.
SUITES = ("stable", "testing")

DIRS = ("/bin", "/dev", "/etc", "/mod", "/proc", "/sys", "/tmp")


def spec(programs: Sequence[Path], modules: Sequence[Path], shell: dict[str, Path]) -> str:
    """gen_init_cpio's list. @shell: busybox and the hint, by name, or nothing."""
    lines = [f"dir {name} 0755 0 0" for name in DIRS]
    lines.append("nod /dev/console 0600 0 0 c 5 1")
    for path in sorted(programs):
        where = "/init" if path.name == "init" else f"/bin/{path.name}"
        lines.append(f"file {where} {path} 0755 0 0")
    lines += [f"file /mod/{path.name} {path} 0644 0 0" for path in sorted(modules)]
    lines += [f"file {where} {path} 0755 0 0" for where, path in sorted(shell.items())]
    return "\n".join(lines) + "\n"


def links(applets: str, taken: set[str]) -> str:
    """A symlink to busybox for each applet that is not the name of a program."""
    names = sorted(set(applets.split()) - taken - {"busybox"})
    return "".join(f"slink /bin/{name} busybox 0777 0 0\n" for name in names)


def busybox(context: Context) -> Path:
    """A busybox that runs in a guest without any library."""
    if arch.of(context).debian:
        return _foreign(context, arch.of(context).debian)
    found = shutil.which("busybox", path=os.environ.get("PATH", "") + ":/bin:/usr/bin")
    if not found:
        raise ui.Fail("busybox", "not found", "install busybox-static")
    # A dynamic one names its interpreter in its first kilobytes.
    if b"/ld-linux" in Path(found).read_bytes()[:4096]:
        raise ui.Fail(found, "is not static, so it cannot run in the guest", "install busybox-static")
    return Path(found)


def _foreign(context: Context, debian: str) -> Path:
    """Debian's own for another architecture, unpacked into build/."""
    root = context.build / f"busybox-{debian}"
    if not root.is_dir():
        new = root.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        deb = apt.package(context, f"busybox-static:{debian}", SUITES)
        subprocess.run(["dpkg-deb", "-x", deb, new], check=True)
        new.rename(root)
    found = next(root.rglob("bin/busybox"), None)
    if found is None:
        raise ui.Fail(str(root), "has no busybox", f"run again after: rm -r {root}")
    return found


def applets(context: Context, busybox_file: Path) -> str:
    """The names of what it can do: it says so itself, if it runs on this host."""
    if not arch.of(context).debian:
        return subprocess.run([busybox_file, "--list"], capture_output=True, text=True, check=True).stdout
    # One string behind the other in its data, the first of them "[" and "[[".
    found = re.search(rb"(\[\0\[\[\0(?:[\w.+-]+\0)+)", busybox_file.read_bytes())
    if not found:
        raise ui.Fail(str(busybox_file), "has no list of applets", f"run again after: rm -r {busybox_file.parent}")
    return found[1].decode().replace("\0", "\n")


def ensure(context: Context, kernel: Kernel, modules: Sequence[Path] = (), *, shell: bool = False,
           name: str = "") -> Path:
    """The image for @kernel: init, all of the guest's programs and @modules.

    With @shell busybox as well. Runs that differ in what they need take a @name
    each, so that none replaces what another is about to boot.
    """
    image = kernel.out / f"{name or ('shell' if shell else 'initramfs')}.cpio"
    progs = guest_programs.build(context, kernel.source)
    more: dict[str, Path] = {}
    names = ""
    if shell:
        hint = image.with_suffix(".hint")
        hint.write_text(HINT + (HINT_QEMU if arch.of(context).binary else "") + "\n")
        more = {"/bin/busybox": busybox(context), "/etc/hint": hint,
                "/etc/udhcpc.sh": context.kernel / "guest/udhcpc.sh"}
        names = applets(context, more["/bin/busybox"])
    text = spec(progs, modules, more) + links(names, {p.name for p in progs})
    key = digest(text, *(p.read_bytes() for p in (*progs, *modules, *more.values())))
    stamp_file = image.with_suffix(".json")
    if load_json(stamp_file).get("key") == key and image.is_file():
        return image

    _write(kernel, image, text)
    save_json(stamp_file, {"key": key})
    return image


def _write(kernel: Kernel, image: Path, text: str, before: bytes = b"") -> None:
    """gen_init_cpio's list @text as the archive @image, behind the archives in @before."""
    list_file, new = image.with_suffix(".list"), image.with_suffix(".new")
    list_file.write_text(text)
    # To its standard output: older ones know no -o.
    run = subprocess.run([kernel.out / "usr/gen_init_cpio", "-t", "0", list_file], capture_output=True)
    if run.returncode:
        raise ui.Fail(str(list_file), run.stderr.decode().strip().replace("\n", ", ") or "gen_init_cpio failed",
                      "mend that and run again")
    new.write_bytes(before + run.stdout)
    # Renamed into place: a QEMU that is starting reads the old one or this one.
    new.replace(image)


def extend(kernel: Kernel, before: Path, image: Path, files: Mapping[str, Path],
           links: Mapping[str, str] | None = None) -> Path:
    """As @image what is in the image @before, @files by their paths in the guest, and symbolic @links.

    The kernel unpacks one archive behind the other; both are padded by their maker. What is
    there twice is as in the last.
    """
    names = [*files, *(links or {})]
    dirs = {str(parent) for name in names for parent in Path(name).parents} - {"/", *DIRS}
    text = "".join(f"dir {name} 0755 0 0\n" for name in sorted(dirs))
    text += "".join(f"file {where} {path} {0o755 if os.access(path, os.X_OK) else 0o644:04o} 0 0\n"
                    for where, path in sorted(files.items()))
    text += "".join(f"slink {where} {to} 0777 0 0\n" for where, to in sorted((links or {}).items()))
    _write(kernel, image, text, before.read_bytes())
    return image
