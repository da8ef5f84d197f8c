# SPDX-License-Identifier: GPL-2.0-only
"""The columns that build: each configuration with W=1 and no new warning."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from kdebug.build import flavours, make
from kdebug.check.step import Red, Skip, Step
from kdebug.context import Context
from kdebug.host import ui

# Objects of the base that the series changes, none of them when it is off.
HOOKED = ("kernel/kthread.o", "kernel/hung_task.o", "kernel/fork.o", "drivers/tty/sysrq.o")
# All that includes what the series touches, without a whole kernel.
PARTS = ("kernel/", "lib/", "init/", "drivers/tty/")
DIVISIONS = re.compile(r"\bU __(?:aeabi_)?u?l?(?:div|mod)(?:di3|si3|mod)?\b|\bU __u?(?:div|mod)di3\b")


@dataclass(frozen=True)
class Config:
    """A kernel to build: which fragments, for what, and how much of it."""

    fragments: tuple[str, ...] = ()
    arch: str = "x86_64"
    cross: str = ""
    targets: tuple[str, ...] = PARTS
    without: tuple[str, ...] = ()  # options of the fragments that it cannot have
    more: str = ""
    since: str = ""  # a file of the series without which there is nothing to build


CONFIGS = {
    "on": Config(("guest", "x86_64", "plain"), targets=("bzImage", "modules")),
    "off": Config(("guest", "x86_64", "plain", "off")),
    "module": Config(("guest", "x86_64", "plain"), targets=("bzImage", "modules"), since="kernel/tests/kthread_kunit.c",
                     more="CONFIG_KUNIT=m\nCONFIG_KTHREAD_KUNIT_TEST=m\n"),
    "allno": Config(),
    "tiny": Config(),
    "i386": Config(("guest", "x86_64", "plain"), arch="i386", without=("CONFIG_64BIT",)),
    "arm64": Config(("guest", "x86_64", "plain"), arch="arm64", cross="aarch64-linux-gnu-"),
}
# Of the series: where a tree defines them, "on" has to have them.
OPTIONS = ("KTHREAD_DEBUG", "FAIL_KTHREAD", "KTHREAD_KUNIT_TEST", "SAMPLE_KTHREAD")


def make_args(context: Context, config: Config, out: Path, tree: Path) -> list[str]:
    """The make command line for @config of the tree @tree, built in @out."""
    args = [a for a in make.make_args(context, tree, out) if not a.startswith(("ARCH=", "CC="))]
    cc = f"{config.cross}gcc"
    if shutil.which("ccache"):
        cc = f"{context.scripts / 'cc'} {cc}"
    return [*args, f"ARCH={config.arch}", f"CROSS_COMPILE={config.cross}", f"CC={cc}", "W=1", "UT=1", "-Otarget"]


def configure(step: Step, name: str, config: Config, out: Path, log: Path, output: make.Output) -> None:
    """Write .config anew, unless it is what it was."""
    if name == "tiny":
        wanted, target = "", "tinyconfig"
    else:
        files = [step.context.configs / f"{f}.config" for f in config.fragments]
        tiny = [step.tree / f for f in flavours.TINY[:2] if config.fragments]
        options: dict[str, str] = {}
        for text in [*(f.read_text() for f in (*tiny, *files)), config.more]:
            options |= flavours.options(text)
        wanted = "".join(f"{k}={v}\n" if v != "n" else f"# {k} is not set\n" for k, v in options.items()
                         if k not in config.without)
        target = "allnoconfig"
    merged, new = out / "merged.config", out / "new.config"
    merged.write_text(wanted)
    make.run(step.context, [*make_args(step.context, config, out, step.tree), "-s",
                            *([f"KCONFIG_ALLCONFIG={merged}"] if wanted else []), target],
             log, output, env={**make.environment(step.context), "KCONFIG_CONFIG": str(new)})
    text = new.read_text()
    if not (out / ".config").is_file() or (out / ".config").read_text() != text:
        new.replace(out / ".config")
    got = flavours.options(text)
    kconfig = "".join((step.tree / f).read_text() for f in ("lib/Kconfig.debug", "samples/Kconfig"))
    there = [f"CONFIG_{o}" for o in OPTIONS if re.search(rf"^config {o}$", kconfig, re.M)]
    if "plain" in config.fragments:
        want = "n" if "off" in config.fragments else "ym"
        if wrong := [o for o in there if got.get(o, "n") not in want]:
            raise Red(f"{' '.join(wrong)} did not come out {'off' if want == 'n' else 'on'}")


def build(step: Step, name: str) -> list[str]:
    """Builds with this configuration, W=1 and no new warning."""
    config = CONFIGS[name]
    if config.since and not (step.tree / config.since).is_file() and step.patch:
        raise Skip
    if config.cross and not shutil.which(f"{config.cross}gcc"):
        raise Red(f"{config.cross}gcc: not found; run: make deps")
    out, log = step.top / "out" / name, step.top / f"{name}-{step.number}.log"
    out.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    output = make.Output()
    try:
        configure(step, name, config, out, log, output)
        make.run(step.context, [*make_args(step.context, config, out, step.tree), *config.targets], log, output)
    except ui.Fail as err:
        raise Red("\n".join([str(err), *output.errors()])) from None
    if name in ("i386", "arm64"):
        for obj in (*HOOKED, "kernel/kthread_debug.o", "lib/fault-inject.o"):
            if (out / obj).is_file():
                used = subprocess.run(["nm", out / obj], capture_output=True, text=True, check=True).stdout
                if bad := DIVISIONS.findall(used):
                    raise Red(f"{obj} divides 64 bits by itself: {' '.join(bad)}")
    if name == "off" and not _adds(step):
        for obj in HOOKED:
            (step.top / "base" / obj).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(out / obj, step.top / "base" / obj)
    return step.refuse_news(name, list(output.all_warnings()))


def _adds(step: Step) -> bool:
    """Has the tree an option of the series? Before, there are only fixes of the base, whose code is compared with."""
    return "config KTHREAD_DEBUG\n" in (step.tree / "lib/Kconfig.debug").read_text()


# A row of bloat-o-meter: the name, its size before and after.
_BLOAT = re.compile(r"^(\S+) +(\d+|-) +(\d+|-) +[-+]\d+$", re.M)


def same_bytes(said: str) -> bool:
    """Does bloat-o-meter, which has @said this, find in two objects what is linked of the same size?"""
    # A header more is enough for another number behind such a name, and none of them is linked.
    grown = [name for name, before, after in _BLOAT.findall(said)
             if before != after and not name.startswith("__UNIQUE_ID_addressable_")]
    return not grown and re.search(r"^Total: Before=(\d+), After=\1,", said, re.M) is not None


def bytes_off(step: Step, _: str) -> list[str]:
    """With the options off nothing grows: nothing beside the fixes of the base."""
    if not _adds(step):
        raise Skip
    for obj in HOOKED:
        old, new = step.top / "base" / obj, step.top / "out/off" / obj
        said = step.run_tool("bytes", [step.tree / "scripts/bloat-o-meter", old, new], step.tree)
        if not same_bytes(said):
            raise Red(f"{obj} is not what it was:\n{said}")
        a, b = (subprocess.run(["size", o], capture_output=True, text=True, check=True).stdout.splitlines()[1]
                .split()[:3] for o in (old, new))
        if a != b:
            raise Red(f"{obj}: text, data, bss {a} have become {b}")
    return []
