# SPDX-License-Identifier: GPL-2.0-only
"""Configure and build a kernel from fragments, and what has to match it.

The result lies in build/out/<flavour>/, the kernel's O= directory, the whole
output of make in build/out/<flavour>.log, and what was built from which input
in build/out/<flavour>.json: when that has not changed, make is not run at all.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kdebug.build import arch, flavours, make, toolchain
from kdebug.build.make import Output
from kdebug.context import Context
from kdebug.host import ui
from kdebug.host.files import digest, load_json, save_json, stat_digest
from kdebug.patches import series

# Objects in a first build, for the live line until a build has counted them.
OBJECTS = 972

# A warning in these is the series' own doing and fails the build; one
# elsewhere may be news of a compiler that the base was not written for.
OURS = re.compile(r"(?:^|/)(?:kernel/kthread|lib/fault-inject|kernel/tests/kthread|samples/kthread/"
                  r"|include/linux/(?:kthread|fault-inject)|include/trace/events/kthread)[\w-]*\.[ch]\b")


class Applied(Protocol):
    """A source tree and the key of its content (apply.Applied)."""

    @property
    def path(self) -> Path: ...

    @property
    def key(self) -> str: ...


@dataclass(frozen=True)
class Kernel:
    """A kernel that has been built, and what its guest needs."""

    image: Path
    out: Path
    source: Path
    config: Path
    release: str
    key: str
    warnings: tuple[str, ...] = ()
    memory: int = 256  # MiB that a guest of it needs
    cpus: int | None = None  # that a guest of it has; None: as many as the architecture's board


_MEMORY = re.compile(r"^# Memory: (\d+)$", re.M)


def _check_compiler(context: Context, source: Path) -> None:
    """The tree's own idea of a compiler that is too old, before it is used."""
    cc = make.cc_name(context)
    if "clang" in cc:
        return
    have = subprocess.run([*cc.split(), "-dumpfullversion"], capture_output=True, text=True).stdout.strip()
    need = subprocess.run(["sh", "scripts/min-tool-version.sh", "gcc"], cwd=source, capture_output=True,
                          text=True).stdout.strip()

    def number(version: str) -> list[int]:
        return [int(n) for n in re.findall(r"\d+", version)]

    if number(have) < number(need):
        raise ui.Fail("CC", f"{cc} {have} is too old for this kernel", f"use gcc {need} or newer")


def _kconfig_digest(source: Path, out: Path) -> str:
    """A key for the Kconfig files that the last build's configuration read."""
    try:
        text = (out / "include/config/auto.conf.cmd").read_text()
    except FileNotFoundError:
        return ""
    return stat_digest(source, (source / name for name in re.findall(r"^\t(\S+) \\$", text, re.M)))


def configure(context: Context, source: Path, out: Path, files: Sequence[Path], log: Path, phase: ui.Phase) -> None:
    """What make tinyconfig starts from, @files merged onto it, and every option
    of @files read back.

    In one pass: each pass asks the compiler a hundred questions. And beside
    .config, which is replaced only by one that is right and differs, because
    make takes a new one as a reason to look at everything.
    """
    _check_compiler(context, source)
    new, merged, output = out / "new.config", out / "merged.config", Output()
    out.mkdir(parents=True, exist_ok=True)
    phase.live("configuring")
    tiny = [path for name in flavours.TINY if (path := source / name.format(source=arch.of(context).source)).is_file()]
    make.run(context,
             ["sh", str(source / "scripts/kconfig/merge_config.sh"), "-m", "-Q", "-O", str(out), *map(str, tiny),
              *map(str, files)], log, output, phase,
             env={**make.environment(context), "KCONFIG_CONFIG": str(merged)})
    # Not olddefconfig: what the fragments do not ask for stays off.
    make.run(context, [*make.make_args(context, source, out), "-s", f"KCONFIG_ALLCONFIG={merged}", "allnoconfig"], log,
             output, phase,
             env={**make.environment(context), "KCONFIG_CONFIG": str(new)})
    text = new.read_text()
    flavours.verify(files, text, series.lacking(context))
    config = out / ".config"
    if not config.is_file() or config.read_text() != text:
        new.replace(config)


def out_name(context: Context, applied: Applied, names: Sequence[str]) -> str:
    """The directory's name under out/: another tree has its own."""
    own = [] if applied.path == context.linux else [applied.path.name]
    return arch.of(context).flavour("-".join([*names, *own]))


@dataclass(frozen=True)
class Variant:
    """A build that is not for use: with other arguments for make, or of a part."""

    name: str  # of its own directory
    args: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()  # if not what a guest needs


# With one of these nearly every object differs from those of any other kernel. There ccache looks for the same
# configuration only, which saves a quarter of each compilation.
APART = ("KASAN", "KCSAN", "PROVE_LOCKING", "PREEMPT_RT", "DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT")


def ccache(context: Context, files: Iterable[Path]) -> dict[str, str]:
    """What ccache is told of a kernel with the fragments @files: without a word it finds the objects of other
    kernels that do not depend on what is configured differently.

    Only a kernel apart shares with another checkout: with a base directory ccache compiles by relative names,
    which -fmacro-prefix-map does not match, and __FILE__ then names the tree. Depend mode takes the names given.
    """
    on = {name for file in files for name, value in flavours.options(file.read_text()).items() if value == "y"}
    apart = arch.of(context).name != arch.DEFAULT or any(f"CONFIG_{name}" in on for name in APART)
    return {"CCACHE_DEPEND": "1", "CCACHE_BASEDIR": str(context.build)} if apart else {}


def ensure(context: Context, applied: Applied, flavour: str, extra: Sequence[str] = (),
           variant: Variant | None = None) -> Kernel:
    """The kernel of @applied in @flavour, with the fragments @extra on top; of a
    @variant that makes no image, the image is the first thing that it does make."""
    names = [flavour, *extra]
    files = flavours.fragments(context, flavour, extra)
    out = context.out / out_name(context, applied, [*names, variant.name] if variant else names)
    variant = variant or Variant("")
    row = arch.of(context)
    gdb = any(flavours.options(f.read_text()).get("CONFIG_GDB_SCRIPTS") == "y" for f in files)
    targets = variant.targets or (*row.targets, *(["scripts_gdb"] if gdb else []))
    log, stamp_file = out.with_name(out.name + ".log"), out.with_name(out.name + ".json")
    image = out / (variant.targets[0] if variant.targets else row.path)
    stamp = load_json(stamp_file)
    have = {"compiler": make.compiler(context), **make.tools(context, applied.path)}
    config_key = digest(json.dumps(have), *(f.read_bytes() for f in files))
    key = digest(applied.key, str(applied.path), config_key, *variant.args, *targets)

    smp = [value for f in files if (value := flavours.options(f.read_text()).get("CONFIG_SMP"))]
    cpus = 1 if smp[-1:] == ["n"] else None
    memory = max([256, *(int(m) for f in files for m in _MEMORY.findall(f.read_text()))])

    def kernel() -> Kernel:
        return Kernel(image, out, applied.path, out / ".config", str(stamp["release"]), key,
                      tuple(stamp["all_warnings"]), memory, cpus)

    with ui.phase("kernel") as phase:
        if stamp.get("key") == key and image.is_file():
            phase.result = f"{out.name}: up to date"
            return kernel()

        out.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        if "tools" in stamp and (other := toolchain.changed(stamp["tools"], have)):
            phase.note(f"configured anew, another version is installed of: {' '.join(other)}")
        # An interrupted build leaves a mixture, which must not pass for either.
        stamp.update(key="", tools=have)
        save_json(stamp_file, stamp)
        def config_stamp() -> str:
            return digest(config_key, _kconfig_digest(applied.path, out))

        if stamp.get("config") != config_stamp() or not (out / ".config").is_file():
            # What is killed from here on has a .config of which the stamp does not know.
            stamp.pop("config", None)
            save_json(stamp_file, stamp)
            configure(context, applied.path, out, files, log, phase)

        output = Output(warnings=stamp.get("warnings", {}))
        state = "{} objects rebuilt"
        if not (out / "vmlinux").is_file():
            output.objects = sum(1 for _ in out.rglob("*.o"))
            state = f"{{}} of {stamp.get('objects', OBJECTS)} objects"
        before = output.objects
        try:
            # -O keeps the lines of one target together, its warnings with it.
            make.run(context, [*make.make_args(context, applied.path, out), "-Otarget", *variant.args, *targets],
                     log, output, phase, state, env=make.environment(context) | ccache(context, files))
        finally:
            stamp.update(warnings=output.warnings, config=config_stamp())
            save_json(stamp_file, stamp)
        refuse(context, output.all_warnings(), log)
        stamp.update(key=key, release=(out / "include/config/kernel.release").read_text().strip(),
                     objects=sum(1 for _ in out.rglob("*.o")), all_warnings=output.all_warnings())
        save_json(stamp_file, stamp)
        phase.result = f"{out.name}: {stamp['release']}, {output.objects - before} objects built"
        if output.all_warnings():
            phase.result += f", {len(output.all_warnings())} warnings"
        return kernel()


def refuse(context: Context, warnings: Iterable[str], log: Path, *modules: re.Pattern[str]) -> None:
    """A warning about a file of the series, or about one of these @modules, is an error."""
    if ours := [w for w in warnings if any(pattern.search(w) for pattern in (OURS, *modules))]:
        more = f" (and {len(ours) - 1} more)" if len(ours) > 1 else ""
        raise ui.Fail(context.shown(log), f"{ours[0]}{more}", "the series' own files have to build without a warning")
