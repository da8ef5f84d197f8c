# SPDX-License-Identifier: GPL-2.0-only
"""Configure and build a kernel from fragments, and what has to match it.

The result lies in build/out/<flavour>/, the kernel's O= directory, the whole
output of make in build/out/<flavour>.log, and what was built from which input
in build/out/<flavour>.json: when that has not changed, make is not run at all.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from kdebug import arch, lock, paths, series, toolchain, ui

# The fragments of the kernel's own make tinyconfig.
TINY = ("kernel/configs/tiny-base.config", "kernel/configs/tiny.config", "arch/{source}/configs/tiny.config")
# The fragment that those of the architectures are on top of.
COMMON = "guest"

# Objects in a first build, for the live line until a build has counted them.
OBJECTS = 972

# A warning in these is the series' own doing and fails the build; one
# elsewhere may be news of a compiler that the base was not written for.
OURS = re.compile(r"(?:^|/)(?:kernel/kthread|lib/fault-inject|kernel/tests/kthread|samples/kthread/"
                  r"|include/linux/(?:kthread|fault-inject)|include/trace/events/kthread)[\w-]*\.[ch]\b")

_ACTION = re.compile(r"  ([A-Z][A-Z0-9_+]*)(?: \[M\])? +(\S+)$")
_WARNING = re.compile(r"\bwarning: |^WARNING: |: Warning: ")
# What went wrong, in the order of what says most.
_ERRORS = (
    re.compile(r"No space left on device"),
    re.compile(r"\berror: |undefined reference|undefined!$|\*\*\* (?!\[|Waiting)"
               r"|not found$|cannot find |^Killed"),
    re.compile(r"\*\*\* \["),
)


class Applied(Protocol):
    """A source tree and the key of its content (apply.Applied)."""

    @property
    def path(self) -> Path: ...

    @property
    def key(self) -> str: ...


@dataclass(frozen=True)
class Kernel:
    image: Path
    out: Path
    source: Path
    config: Path
    release: str
    key: str
    warnings: tuple[str, ...] = ()
    memory: int = 256  # MiB that a guest of it needs
    cpus: int | None = None  # that a guest of it has; None: as many as the architecture's board


# --- fragments

_SET = re.compile(r"(CONFIG_\w+)=(.*)")
_UNSET = re.compile(r"# (CONFIG_\w+) is not set")
# What a fragment says of itself, each on a line of its own.
_ON_TOP = re.compile(r"# On top of: (\S+)")
_ONLY_FOR = re.compile(r"^# Only for (\w+)", re.M)
_MEMORY = re.compile(r"^# Memory: (\d+)$", re.M)
_NEEDS = re.compile(r"^# Needs the set (\S+)$", re.M)
_WITHOUT = re.compile(r"^# Without: (CONFIG_\w+)$", re.M)


def options(text: str) -> dict[str, str]:
    """The options of a fragment or a .config; "n" for one that is not set."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if m := _SET.fullmatch(line.strip()):
            found[m[1]] = m[2]
        elif m := _UNSET.fullmatch(line.strip()):
            found[m[1]] = "n"
    return found


def flavours(configs: Path = paths.CONFIGS) -> list[str]:
    """What FLAVOUR can be."""
    return sorted({p.stem for p in configs.glob("*.config")} - {COMMON, *arch.TABLE})


def fragments(names: Sequence[str], configs: Path = paths.CONFIGS) -> list[Path]:
    """The architecture's file and those for @names, each behind the one it says
    it is on top of."""
    found: list[Path] = []
    not_flavours = {COMMON, *arch.TABLE}

    def add(name: str, asked_by: str) -> None:
        path = configs / f"{name}.config"
        if not re.fullmatch(r"[\w-]+", name) or not path.is_file() or asked_by == "FLAVOUR" and name in not_flavours:
            what = f"FLAVOUR={name}" if asked_by == "FLAVOUR" else f"{asked_by}: on top of {name}"
            raise ui.Fail(what, "no such flavour", f"use one of {' '.join(flavours(configs))}")
        if path in found:
            return
        for line in path.read_text().splitlines():
            if m := _ON_TOP.fullmatch(line):
                add(m[1], f"configs/{path.name}")
        found.append(path)

    add(arch.current().name, "ARCH")
    for name in names:
        add(name, "FLAVOUR")
    of_base = paths.BASES / paths.BASE / "config"
    return [*found, of_base] if of_base.is_file() else found


def flavours_with(*wanted: str, configs: Path = paths.CONFIGS) -> list[str]:
    """Those flavours whose fragments switch one of the options @wanted on."""
    def on(name: str) -> dict[str, str]:
        return {o: v for f in fragments([name], configs) for o, v in options(f.read_text()).items()}
    return [name for name in flavours(configs) if any(on(name).get(option) == "y" for option in wanted)]


def verify(files: Iterable[Path], config: str, lacking: Iterable[str] = ()) -> None:
    """Every option that @files want has to stand in @config as they want it,
    but for @lacking and those that one of them says the base is without."""
    texts = {file: file.read_text() for file in files}
    wanted = {opt: (value, file) for file, text in texts.items() for opt, value in options(text).items()}
    for opt in (*_WITHOUT.findall("\n".join(texts.values())), *lacking):
        wanted.pop(opt, None)
    got = options(config)
    lost = [opt for opt, (value, _) in wanted.items() if got.get(opt, "n") != value]
    if lost:
        value, file = wanted[lost[0]]
        more = f" (and {len(lost) - 1} more: {' '.join(lost[1:4])})" if len(lost) > 1 else ""
        raise ui.Fail(f"configs/{file.name}",
                      f"{lost[0]} did not survive: wanted {value}, got {got.get(lost[0], 'n')}{more}",
                      "add what it depends on to the fragment, or correct its name")


# --- stamps

def digest(*parts: str | bytes) -> str:
    """One key for @parts, in which no two lists of parts share a key."""
    h = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        h.update(b"%d:" % len(raw) + raw)
    return h.hexdigest()[:16]


def stat_digest(root: Path, files: Iterable[Path]) -> str:
    """A key for many files below @root, from names, sizes and times alone."""
    parts = []
    for path in sorted(files):
        name = path.relative_to(root)
        try:
            st = path.stat()
            parts.append(f"{name} {st.st_size} {st.st_mtime_ns}")
        except FileNotFoundError:
            parts.append(f"{name} missing")
    return digest(*parts)


def read_stamp(path: Path) -> dict[str, Any]:
    """What write_stamp() wrote; nothing at all for a file that is not whole."""
    try:
        stamp = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(path: Path, stamp: Mapping[str, Any]) -> None:
    """Write @stamp so that no reader ever sees half of it."""
    tmp = path.with_suffix(".tmp")
    tmp.write_text(json.dumps(stamp, indent=1))
    tmp.replace(path)


# --- make

def cc_name() -> str:
    """The user's choice, or the architecture's gcc."""
    return os.environ.get("CC", f"{arch.current().prefix}gcc")


def compiler() -> str:
    """The name and version of the compiler: all objects depend on it."""
    cc = cc_name()
    try:
        run = subprocess.run([*cc.split(), "--version"], capture_output=True, text=True, check=True)
    except (OSError, IndexError, subprocess.CalledProcessError):
        raise ui.Fail("CC", f"{cc!r} does not run", f"run make deps ARCH={arch.current().name}, or name "
                      "a compiler that is there") from None
    return f"{cc}: {run.stdout.splitlines()[0]}"


def tools(source: Path) -> dict[str, str]:
    """What each tool of the host that builds the kernel tree @source says of its version."""
    return toolchain.versions(source, cc_name().split(), arch.current().prefix)


def environment() -> dict[str, str]:
    """The environment for make: nothing of a make around us, or of its user's
    other kernels, may reach this build."""
    drop = re.compile(r"MAKE|MFLAGS|KBUILD|KCONFIG|KCFLAGS|KCPPFLAGS|KAFLAGS|INSTALL_|CROSS_COMPILE|"
                      r"(?:ARCH|SUBARCH|O|M|MO|V|W|C|CC|LD|LLVM|HOSTCC|LOCALVERSION)$")
    env = {k: v for k, v in os.environ.items() if not drop.match(k)}
    env.update(LC_ALL="C", CCACHE_DEPEND="1", CCACHE_BASEDIR=str(paths.BUILD))
    if "CCACHE_DIR" not in env:
        env.update(CCACHE_DIR=str(paths.CCACHE), CCACHE_MAXSIZE="1G")
    return env


def make_args(source: Path, out: Path) -> list[str]:
    """The make command line that is the same for all of a kernel's targets."""
    for path in (source, out, paths.SCRIPTS):
        if re.search(r"[\s:]", str(path)):
            raise ui.Fail(str(path), "the kernel's make takes no path with a space or a colon",
                          "set KTHREAD_DEBUG_BUILD to a directory without")
    row, cc, hostcc = arch.current(), cc_name(), "gcc"
    if shutil.which("ccache"):
        cc, hostcc = f"{paths.SCRIPTS / 'cc'} {cc}", "ccache gcc"
    # With time, user and host fixed, equal sources give equal bytes.
    return ["make", "-C", str(source), f"O={out}", f"ARCH={row.make}", f"CC={cc}", f"HOSTCC={hostcc}",
            *([f"CROSS_COMPILE={row.prefix}"] if row.prefix else []), f"-j{len(os.sched_getaffinity(0))}",
            "KBUILD_BUILD_TIMESTAMP=1970-01-01",
            "KBUILD_BUILD_USER=kdebug", "KBUILD_BUILD_HOST=kdebug", "KBUILD_BUILD_VERSION=1"]


@dataclass
class Output:
    """What make's output says, line by line."""

    # By target, so that a target that is built again replaces its own and an
    # incremental build keeps those of what it did not touch.
    warnings: dict[str, list[str]] = field(default_factory=dict)
    objects: int = 0
    target: str = ""
    lines: list[str] = field(default_factory=list)

    def feed(self, line: str) -> None:
        line = line.rstrip()
        self.lines.append(line)
        if m := _ACTION.fullmatch(line):
            self.target = m[2]
            self.objects += m[2].endswith(".o")
            self.warnings.pop(self.target, None)
        elif _WARNING.search(line):
            self.warnings.setdefault(self.target, []).append(line.strip())

    def errors(self, limit: int = 5) -> list[str]:
        """The first lines that say why make failed."""
        for pattern in _ERRORS:
            if found := [line.strip() for line in self.lines if pattern.search(line)]:
                return list(dict.fromkeys(found))[:limit]
        return [line.strip() for line in self.lines[-2:]] or ["no output"]

    def all_warnings(self) -> tuple[str, ...]:
        return tuple(w for ws in self.warnings.values() for w in ws)


_libc = ctypes.CDLL(None)


def _end_with_parent() -> None:
    """A make that outlives us would write beside the one of the next run."""
    _libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def make(args: Sequence[str], log: Path, output: Output, phase: ui.Phase | None = None, state: str = "{}",
         env: Mapping[str, str] | None = None) -> None:
    """Run @args into @output and @log; when it fails, show why."""
    with log.open("a", buffering=1) as copy:
        copy.write(f"$ {' '.join(args)}\n")
        try:
            proc = subprocess.Popen(args, env=env or environment(), stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                    preexec_fn=_end_with_parent)
        except FileNotFoundError:
            raise ui.Fail(args[0], "not found", "install it (see make deps)") from None
        with proc:
            assert proc.stdout
            try:
                for line in proc.stdout:
                    copy.write(line)
                    output.feed(line)
                    if phase:
                        phase.live(state.format(output.objects) + f"  {output.target}")
            except BaseException:
                proc.terminate()
                proc.wait()
                raise
    if proc.returncode == 0:
        return
    first, *rest = output.errors()
    if phase:
        for line in rest:
            phase.note(line)
    if "No space left" in first:
        raise ui.Fail(str(paths.BUILD), "no space left on the disk",
                      "free 1 GB there, or set KTHREAD_DEBUG_BUILD to another disk")
    raise ui.Fail(shown(log), first, "mend that and run again; that file has all of it")


def shown(path: Path) -> str:
    """@path as the user knows it."""
    return str(path.relative_to(paths.REPO)) if path.is_relative_to(paths.REPO) else str(path)


# --- the kernel

def _check_compiler(source: Path) -> None:
    """The tree's own idea of a compiler that is too old, before it is used."""
    cc = cc_name()
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


def configure(source: Path, out: Path, files: Sequence[Path], log: Path, phase: ui.Phase) -> None:
    """What make tinyconfig starts from, @files merged onto it, and every option
    of @files read back.

    In one pass: each pass asks the compiler a hundred questions. And beside
    .config, which is replaced only by one that is right and differs, because
    make takes a new one as a reason to look at everything.
    """
    _check_compiler(source)
    new, merged, output = out / "new.config", out / "merged.config", Output()
    out.mkdir(parents=True, exist_ok=True)
    phase.live("configuring")
    tiny = [path for name in TINY if (path := source / name.format(source=arch.current().source)).is_file()]
    make(["sh", str(source / "scripts/kconfig/merge_config.sh"), "-m", "-Q", "-O", str(out), *map(str, tiny),
          *map(str, files)], log, output, phase, env={**environment(), "KCONFIG_CONFIG": str(merged)})
    # Not olddefconfig: what the fragments do not ask for stays off.
    make([*make_args(source, out), "-s", f"KCONFIG_ALLCONFIG={merged}", "allnoconfig"], log, output, phase,
         env={**environment(), "KCONFIG_CONFIG": str(new)})
    text = new.read_text()
    verify(files, text, series.lacking())
    config = out / ".config"
    if not config.is_file() or config.read_text() != text:
        new.replace(config)


def out_name(applied: Applied, names: Sequence[str]) -> str:
    """The directory's name under out/: another tree has its own."""
    own = [] if applied.path == paths.LINUX else [applied.path.name]
    return arch.current().flavour("-".join([*names, *own]))


@dataclass(frozen=True)
class Variant:
    """A build that is not for use: with other arguments for make, or of a part."""

    name: str  # of its own directory
    args: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()  # if not what a guest needs


def ensure(applied: Applied, flavour: str, extra: Sequence[str] = (), variant: Variant | None = None) -> Kernel:
    """The kernel of @applied in @flavour, with the fragments @extra on top; of a
    @variant that makes no image, the image is the first thing that it does make."""
    names = [flavour, *extra]
    files = fragments(names)
    out = paths.OUT / out_name(applied, [*names, variant.name] if variant else names)
    variant = variant or Variant("")
    row = arch.current()
    targets = variant.targets or row.targets
    log, stamp_file = out.with_name(out.name + ".log"), out.with_name(out.name + ".json")
    image = out / (variant.targets[0] if variant.targets else row.path)
    stamp = read_stamp(stamp_file)
    have = {"compiler": compiler(), **tools(applied.path)}
    config_key = digest(json.dumps(have), *(f.read_bytes() for f in files))
    key = digest(applied.key, str(applied.path), config_key, *variant.args, *targets)

    smp = [value for f in files if (value := options(f.read_text()).get("CONFIG_SMP"))]
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
        write_stamp(stamp_file, stamp)
        def config_stamp() -> str:
            return digest(config_key, _kconfig_digest(applied.path, out))

        if stamp.get("config") != config_stamp() or not (out / ".config").is_file():
            configure(applied.path, out, files, log, phase)

        output = Output(warnings=stamp.get("warnings", {}))
        state = "{} objects rebuilt"
        if not (out / "vmlinux").is_file():
            output.objects = sum(1 for _ in out.rglob("*.o"))
            state = f"{{}} of {stamp.get('objects', OBJECTS)} objects"
        before = output.objects
        try:
            # -O keeps the lines of one target together, its warnings with it.
            make([*make_args(applied.path, out), "-Otarget", *variant.args, *targets],
                 log, output, phase, state)
        finally:
            stamp.update(warnings=output.warnings, config=config_stamp())
            write_stamp(stamp_file, stamp)
        refuse(output.all_warnings(), log)
        stamp.update(key=key, release=(out / "include/config/kernel.release").read_text().strip(),
                     objects=sum(1 for _ in out.rglob("*.o")), all_warnings=output.all_warnings())
        write_stamp(stamp_file, stamp)
        phase.result = f"{out.name}: {stamp['release']}, {output.objects - before} objects built"
        if output.all_warnings():
            phase.result += f", {len(output.all_warnings())} warnings"
        return kernel()


def about(source: Path) -> re.Pattern[str]:
    """What finds the files of the module's directory @source in a warning.

    The environment warns, too: of another pahole, of a clock. That is no fault of a module.
    """
    made = (name for file in ("Makefile", "Kbuild") if (source / file).is_file()
            for name in re.findall(r"([\w-]+)\.o\b", (source / file).read_text()))
    names = {*made, *(p.stem for p in source.rglob("*") if p.suffix in (".c", ".h", ".S"))}
    return re.compile(rf"(?:^|[\s/\"\[])(?:{'|'.join(map(re.escape, sorted(names))) or '(?!)'})(?:\.mod)?\.(?:[chSo]|ko)\b")


def refuse(warnings: Iterable[str], log: Path, *modules: re.Pattern[str]) -> None:
    """A warning about a file of the series, or about one of these @modules, is an error."""
    if ours := [w for w in warnings if any(pattern.search(w) for pattern in (OURS, *modules))]:
        more = f" (and {len(ours) - 1} more)" if len(ours) > 1 else ""
        raise ui.Fail(shown(log), f"{ours[0]}{more}", "the series' own files have to build without a warning")


# --- what is built to match a kernel

def module_dirs(sets: Collection[str] = tuple(paths.SETS), root: Path = paths.KERNEL) -> list[Path]:
    """The directories of kernel/ that are external modules for this architecture and
    build on a tree that has these @sets. The Makefile tells which it needs: none, one,
    or, if it says nothing, all."""
    def builds(text: str) -> bool:
        needs = _NEEDS.findall(text) or ([] if "# Builds without the series" in text else paths.SETS)
        return all(name in sets for name in needs)

    found = ((p.parent, p.read_text()) for p in sorted(root.glob("*/Makefile")))
    return [d for d, text in found if "obj-m" in text and builds(text)
            and _ONLY_FOR.findall(text) in ([], [arch.current().name])]


def in_tree_modules(kernel: Kernel) -> list[Path]:
    """What the kernel's own configuration builds as a module."""
    order = kernel.out / "modules.order"
    return [(kernel.out / line).with_suffix(".ko") for line in order.read_text().splitlines()]


def modules(kernel: Kernel, source: Path) -> list[Path]:
    """The modules of the directory @source, built against @kernel."""
    dest = kernel.out / "mod" / source.name
    log, stamp_file = dest.with_suffix(".log"), dest.with_suffix(".json")
    files = sorted(p for p in source.rglob("*") if p.is_file())
    key = digest(kernel.key, *(str(f.relative_to(source)).encode() + b"\0" + f.read_bytes() for f in files))
    stamp = read_stamp(stamp_file)
    found = [dest / name for name in stamp.get("modules", [])]
    if stamp.get("key") == key and all(p.is_file() for p in found):
        return found
    with ui.phase("module") as phase:
        # MO= keeps every object out of @source; where make does not know it, a copy does.
        shutil.rmtree(dest, ignore_errors=True)
        if "KBUILD_EXTMOD_OUTPUT" in (kernel.source / "Makefile").read_text():
            where = [f"M={source}", f"MO={dest}"]
            dest.mkdir(parents=True)
        else:
            where = [f"M={dest}"]
            shutil.copytree(source, dest)
        log.unlink(missing_ok=True)
        output = Output()
        make([*make_args(kernel.source, kernel.out), "-Otarget", *where, "modules"], log, output, phase)
        refuse(output.all_warnings(), log, about(source))
        found = [dest / Path(line).with_suffix(".ko")
                 for line in (dest / "modules.order").read_text().splitlines()]
        write_stamp(stamp_file, {"key": key, "modules": [str(p.relative_to(dest)) for p in found]})
        phase.result = " ".join(p.name for p in found)
    return found


# Of the series; a base without it has none.
SELFTESTS = Path("tools/testing/selftests/kthread")


def _nolibc(source: Path) -> Path:
    """The tree whose nolibc, headers and test harness the guest's programs are
    built on: an older one than the series' own has not all that they use."""
    if paths.BASE == paths.DEFAULT_BASE:
        return source
    env = {key: value for key, value in os.environ.items() if key not in ("BASE", "KDIR")}
    done = subprocess.run([paths.SCRIPTS / "fetch"], env=env | {lock.WAIT: "1"}, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise ui.Fail(f"BASE={paths.BASE}", f"its guests need the headers of Linux {paths.DEFAULT_BASE}, "
                      "and fetching them failed", "see above")
    return Path(done.stdout.rpartition(": Linux ")[0])


def guest(source: Path, programs: Path = paths.KERNEL / "guest") -> list[Path]:
    """The guest's programs, init among them, those of kernel/claims, and the selftests of @source. No
    flavour changes those, so this is done once for all of them."""
    row = arch.current()
    exporter = row.headers or row.source
    libc = _nolibc(source)
    out = paths.OUT / f"guest-{row.name}"
    log, stamp_file, dest = out.with_suffix(".log"), out.with_suffix(".json"), out / "bin"
    dirs = ("include/uapi", f"arch/{exporter}/include/uapi", f"arch/{exporter}/entry/syscalls",
            f"arch/{exporter}/tools", "tools/include/nolibc")
    key = digest(compiler(), json.dumps(tools(libc)), stat_digest(libc, (p for d in dirs for p in (libc / d).rglob("*") if p.is_file())))
    log.unlink(missing_ok=True)
    if read_stamp(stamp_file).get("key") != key:
        with ui.phase("headers") as phase:
            shutil.rmtree(out, ignore_errors=True)
            dest.mkdir(parents=True)
            make([*make_args(libc, out), *([f"ARCH={row.headers}"] if row.headers else []), "headers"],
                 log, Output(), phase)
            write_stamp(stamp_file, {"key": key})
    make(["make", "-s", "-C", str(programs), f"CC={cc_name()}", f"SRC={source}", f"LIBC={libc}",
          f"HDR={out / 'usr/include'}", f"OUT={dest}"], log, Output())
    sources = [*programs.glob("*.c"), *(programs.parent / "claims/guest").glob("*.c"),
               *(source / SELFTESTS).glob("*.c")]
    return sorted(dest / p.stem for p in sources)
