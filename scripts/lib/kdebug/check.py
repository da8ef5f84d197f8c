# SPDX-License-Identifier: GPL-2.0-only
"""make check: each patch on its own, in order, against each check.

The tree build/check/linux is taken from patch to patch; each configuration has
an O= directory that follows it, so that a step builds what the patch changes.
Row 0 is the base: what it warns of already is no news in the rows that follow.

A cell that was good is kept under a key of the patches up to it, the base, and
the check itself, so an unchanged beginning of the series costs nothing. A check
that cannot run has failed.
"""

from __future__ import annotations

import fnmatch
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import apply, arch, base, boot, initramfs, kbuild, kunit, paths, series, sparse, tree, ui
from .console import Limits

TOP = paths.BUILD / "check"
CACHE = TOP / "cells.json"
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


# The selftests that go with any boot.
BOOTED = ("events", "table", "sysrq", "comp_block", "fail_create", "fail_nth", "knobs", "nomem", "hazard", "misuse", "stops", "stall")


@dataclass
class Step:
    """The series up to patch @number, as it lies in the tree."""

    number: int
    patch: Path | None
    applied: apply.Applied
    base: Path  # the unpatched tree
    warned: dict[str, list[str]] = field(default_factory=dict)  # of row 0, by check

    @property
    def tree(self) -> Path:
        return self.applied.path

    @property
    def set(self) -> series.Set:
        """The set of the patch, up to the patch."""
        assert self.patch
        one = next(one for one in series.sets() if self.patch in one.patches)
        return replace(one, patches=one.patches[:one.patches.index(self.patch) + 1])

    def touched(self, *suffixes: str) -> list[str]:
        """Files of the patch; for the base those of the whole series."""
        bodies = [self.patch] if self.patch else series.read()
        names = dict.fromkeys(n for p in bodies for n in apply.touched(p.read_text(errors="surrogateescape")))
        return [n for n in names if n.endswith(suffixes) and (self.tree / n).is_file()]


class Red(Exception):
    """A check that has found something; its lines."""


class Skip(Exception):
    """There is nothing to check here."""


def _say(step: Step, check: str, args: Sequence[str | Path], cwd: Path, env: dict[str, str] | None = None,
         ok: tuple[int, ...] = (0,)) -> str:
    """Run a tool; its output, which also is the log. A tool that fails is red."""
    log = TOP / f"{check}-{step.number}.log"
    try:
        done = subprocess.run([str(a) for a in args], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", env=env)
    except FileNotFoundError:
        raise Red(f"{args[0]}: not found; run: make deps") from None
    log.write_text(f"$ {' '.join(map(str, args))}\n{done.stdout}")
    if done.returncode not in ok:
        lines = [line for line in done.stdout.splitlines() if line.strip()][-8:]
        raise Red("\n".join([f"{Path(str(args[0])).name}: exit {done.returncode}, see {kbuild.shown(log)}", *lines]))
    return done.stdout


def normal(line: str, *trees: Path) -> str:
    """A warning without what changes with the place: trees, lines and columns."""
    for tree in trees:
        line = line.replace(f"{tree}/", "")
    line = re.sub(r"^(?:\.\./)+(?:linux/|src/[^/]+/)?", "", line.strip())
    return re.sub(r":\d+(?::\d+(?:-\d+)?)?(?=:)|\b(?:at|on) line \d+|:\d+\b", "", line)


def news(now: Iterable[str], before: Iterable[str], *trees: Path) -> list[str]:
    """What of @now is not in @before, as it was printed."""
    known = {normal(line, *trees) for line in before}
    return [line for line in now if normal(line, *trees) not in known]


def _refuse_news(step: Step, check: str, now: list[str]) -> list[str]:
    """Red for what the base does not say; for the base, what it says."""
    if step.patch is None:
        return now
    if fresh := news(now, step.warned.get(check, ()), step.tree, step.base):
        raise Red("\n".join(["new against the base:", *fresh[:8]]))
    return []


# --- what is built

def _make(config: Config, out: Path, tree: Path) -> list[str]:
    args = [a for a in kbuild.make_args(tree, out) if not a.startswith(("ARCH=", "CC="))]
    cc = f"{config.cross}gcc"
    if shutil.which("ccache"):
        cc = f"{paths.SCRIPTS / 'cc'} {cc}"
    return [*args, f"ARCH={config.arch}", f"CROSS_COMPILE={config.cross}", f"CC={cc}", "W=1", "UT=1", "-Otarget"]


def _configure(step: Step, name: str, config: Config, out: Path, log: Path, output: kbuild.Output) -> None:
    """Write .config anew, unless it is what it was."""
    if name == "tiny":
        wanted, target = "", "tinyconfig"
    else:
        files = [paths.CONFIGS / f"{f}.config" for f in config.fragments]
        tiny = [step.tree / f for f in kbuild.TINY[:2] if config.fragments]
        options: dict[str, str] = {}
        for text in [*(f.read_text() for f in (*tiny, *files)), config.more]:
            options |= kbuild.options(text)
        wanted = "".join(f"{k}={v}\n" if v != "n" else f"# {k} is not set\n" for k, v in options.items()
                         if k not in config.without)
        target = "allnoconfig"
    merged, new = out / "merged.config", out / "new.config"
    merged.write_text(wanted)
    kbuild.make([*_make(config, out, step.tree), "-s", *([f"KCONFIG_ALLCONFIG={merged}"] if wanted else []), target],
                log, output, env={**kbuild.environment(), "KCONFIG_CONFIG": str(new)})
    text = new.read_text()
    if not (out / ".config").is_file() or (out / ".config").read_text() != text:
        new.replace(out / ".config")
    got = kbuild.options(text)
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
    out, log = TOP / "out" / name, TOP / f"{name}-{step.number}.log"
    out.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    output = kbuild.Output()
    try:
        _configure(step, name, config, out, log, output)
        kbuild.make([*_make(config, out, step.tree), *config.targets], log, output)
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
            (TOP / "base" / obj).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(out / obj, TOP / "base" / obj)
    return _refuse_news(step, name, list(output.all_warnings()))


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
        old, new = TOP / "base" / obj, TOP / "out/off" / obj
        said = _say(step, "bytes", [step.tree / "scripts/bloat-o-meter", old, new], step.tree)
        if not same_bytes(said):
            raise Red(f"{obj} is not what it was:\n{said}")
        a, b = (subprocess.run(["size", o], capture_output=True, text=True, check=True).stdout.splitlines()[1]
                .split()[:3] for o in (old, new))
        if a != b:
            raise Red(f"{obj}: text, data, bss {a} have become {b}")
    return []


def boots(step: Step, _: str) -> list[str]:
    """The kernel of "on" boots, and passes the tests that it contains."""
    out = TOP / "out/on"
    release = (out / "include/config/kernel.release").read_text().strip()
    key = kbuild.digest((out / "vmlinux").read_bytes())
    kernel = kbuild.Kernel(out / arch.get("x86_64").path, out, step.tree, out / ".config", release, key)
    programs, modules = ["show:/proc/version"], kbuild.in_tree_modules(kernel)
    if (tests := step.tree / kbuild.SELFTESTS / "test_modules").is_dir():
        modules += kbuild.modules(kernel, tests)
        programs += [p for p in BOOTED if (step.tree / kbuild.SELFTESTS / f"{p}.c").is_file()]
    if (step.tree / "samples/kthread").is_dir():
        programs += ["samples"]
    has_kunit = (step.tree / "kernel/tests/kthread_kunit.c").is_file()
    initrd = initramfs.ensure(kernel, modules)
    # What a patch to documents leaves as it was need not boot again.
    done, now = TOP / "out/on/passed", kbuild.digest(kernel.image.read_bytes(), initrd.read_bytes(), *programs)
    if step.patch and done.is_file() and done.read_text() == now:
        return []
    result = boot.run(kernel.image, initrd, "kunit.enable=1" if has_kunit else "", programs=programs,
                      tags=["stall-report", "misuse"], label="check",
                      limits=Limits(boot=300, silence=300, total=1800))
    if has_kunit:
        cases = kunit.parse(step.tree, result.console)
        if bad := [case for case, said in cases.items() if said not in ("ok", "skip")]:
            raise Red(f"KUnit: {' '.join(bad)}, see {result.console}")
    if not result.passed:
        raise Red(result.report())
    done.write_text(now)
    return []


# --- what is read

def applies(step: Step, _: str) -> list[str]:
    """Without fuzz and without an offset."""
    if step.applied.notes:
        raise Red("\n".join(step.applied.notes))
    return []


def size(step: Step, _: str) -> list[str]:
    """A patch, and a set, that somebody reads in one go."""
    if step.patch is None:
        raise Skip
    changed = apply.changed(step.patch.read_text(errors="surrogateescape"))
    lines, most, what = sum(changed.values()), 700, "a patch"
    if all(name.startswith(("Documentation/", "tools/testing/", "samples/", "kernel/tests/"))
           or Path(name).name.partition(".")[0] in ("Makefile", "Kconfig", "MAINTAINERS") for name in changed):
        most, what = 900, "a patch of tests or documents"
    if lines > most:
        raise Red(f"{lines} changed lines, and {what} has at most {most}: split it in the tree of make tree")
    one = step.set
    if len(one.patches) > 10 and one.needs:  # the lowest set has fixes, each for itself
        raise Red(f"patch {len(one.patches)} of {one.name}, and a set has at most 10: join two, or move one to "
                  "another set, in the tree of make tree")
    return []


def needs(step: Step, _: str) -> list[str]:
    """The set applies, and builds, on those that it needs, without the others."""
    if step.patch is None:
        raise Skip
    one, everything = step.set, series.sets()
    below = [other for other in everything if other.name in one.needs]
    order = list(paths.SETS)
    without = [name for name in order[:order.index(one.name)] if name not in one.needs]
    if not without:
        return []  # so it has been applied
    queue = [*series.flat(below), *one.patches]
    also = f"{one.name} needs {' or '.join(without)}, and it may need {' and '.join(one.needs)} only"
    source = base.ensure(os.environ.get("KDIR") or None)
    repo = tree.bare(TOP / "needs.git") if not (TOP / "needs.git").is_dir() else TOP / "needs.git"
    try:
        tree.commit_all(repo, tree.slim(repo, queue, source.path), queue)
    except ui.Fail as err:
        if Path(err.what) != step.patch:
            raise Red(f"{series.name(Path(err.what))} before it does not apply without {' and '.join(without)}") from None
        raise Red(f"{also}: it {err.problem}; keep the lines of both further apart") from None
    if one.patches != next(other for other in everything if other.name == one.name).patches:
        return []
    out, log, output = TOP / "out/needs", TOP / f"needs-{step.number}.log", kbuild.Output()
    out.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    alone = replace(step, applied=apply.ensure(source, queue, TOP / "needs"))
    try:
        _configure(alone, "needs", CONFIGS["on"], out, log, output)
        kbuild.make([*_make(CONFIGS["on"], out, alone.tree), *PARTS], log, output)
    except ui.Fail as err:
        raise Red(f"{also}: it does not build: {err.problem}, see {kbuild.shown(log)}") from None
    return []


WORDS = Path("/usr/lib/python3/dist-packages/codespell_lib/data/dictionary.txt")


def excuses(text: str, patch: str) -> list[str]:
    """The types of reports that stand in the patch of this name, by checkpatch.txt."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [kind for kind, *of in lines if any(fnmatch.fnmatch(patch, f"{where}-*") for where in of)]


def style(step: Step, _: str) -> list[str]:
    """checkpatch --strict --codespell; checkpatch.txt has the excuses.

    A missing sign-off is the sender's to add. The repository around is none of
    checkpatch's business.
    """
    if step.patch is None:
        raise Skip
    if not WORDS.is_file():  # without it checkpatch only says that it finds no typo
        raise Red(f"{WORDS}: missing; install codespell")
    excused = excuses((paths.SCRIPTS / "checkpatch.txt").read_text(), series.name(step.patch))
    _say(step, "style", [step.base / "scripts/checkpatch.pl", "--strict", "--no-signoff", "--codespell",
                         "--codespellfile", WORDS, "--quiet", "--no-summary", "--show-types", "--ignore",
                         ",".join(excused or ["NONE"]), step.patch], TOP, env=os.environ | {"GIT_DIR": "/nonexistent"})
    return []


def docs(step: Step, _: str) -> list[str]:
    """kernel-doc of what the patch touches."""
    files = step.touched(".c", ".h")
    said = _say(step, "docs", [sys.executable, step.tree / "scripts/kernel-doc", "-none", "-Wall", *files], step.tree,
                env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}, ok=tuple(range(256))) if files else ""
    if "Traceback" in said or "No such file" in said:
        raise Red(said)
    return _refuse_news(step, "docs", [line for line in said.splitlines() if re.search("warning|error", line, re.I)])


def sphinx(step: Step, _: str) -> list[str]:
    """The documents, by folder, as a part of the kernel's own make htmldocs."""
    folders = sorted({str(Path(n).parent.relative_to("Documentation")) for n in step.touched(".rst")})
    if not folders:
        raise Skip
    if not shutil.which("sphinx-build"):
        raise Red("sphinx-build: not found; run: make deps")
    out = TOP / "out/sphinx"
    shutil.rmtree(out, ignore_errors=True)  # what has been read is not warned of again
    out.mkdir(parents=True)
    said = _say(step, "sphinx", ["make", "-C", step.tree, f"O={out}", f"SPHINXDIRS={' '.join(folders)}", "htmldocs"],
                step.tree, env=kbuild.environment() | {"PYTHONDONTWRITEBYTECODE": "1"})
    pages = [out / "Documentation/output" / Path(n).relative_to("Documentation").with_suffix(".html")
             for n in step.touched(".rst")]
    if lost := [page.name for page in pages if not page.is_file()]:
        raise Red(f"{' '.join(lost)} was not made")

    def elsewhere(line: str) -> bool:
        """Does it name a document that is there, in a folder that is not built here?"""
        m = re.search(r"unknown document: '/(.+)'$", line)
        return bool(m and (step.tree / "Documentation" / f"{m[1]}.rst").is_file())

    return _refuse_news(step, "sphinx", [line for line in said.splitlines()
                                         if re.search("WARNING|ERROR", line) and not elsewhere(line)])


def kconfig(step: Step, _: str) -> list[str]:
    """Options that are named are defined, and those that are defined are used."""
    if step.patch is None:
        raise Skip
    body = step.patch.read_text(errors="surrogateescape")
    added = "\n".join(line[1:] for line in body.splitlines() if line.startswith("+") and not line.startswith("+++"))
    found = _say(step, "kconfig", ["grep", "-rhoE", "--include=Kconfig*", r"^\s*(menu)?config \w+", "."], step.tree)
    defined = set(re.findall(r"config (\w+)", found))
    if lost := sorted({o for o in re.findall(r"\bCONFIG_([A-Z0-9_]+)\b", added) if o not in defined}):
        raise Red(f"not defined by any Kconfig: {' '.join(lost)}")
    for option in re.findall(r"^config (\w+)$", added, re.M):
        files = [step.tree / n for n in apply.touched(body) if not Path(n).name.startswith("Kconfig")]
        if not any(f.is_file() and f"CONFIG_{option}" in f.read_text(errors="replace") for f in files):
            raise Red(f"{option} is used nowhere in this patch")
    return []


def includes(step: Step, _: str) -> list[str]:
    """Nothing is included twice, and a header compiles by itself."""
    files = step.touched(".c", ".h")
    said = _say(step, "include", ["perl", step.tree / "scripts/checkincludes.pl", *files], step.tree) if files else ""
    result = _refuse_news(step, "include", [line for line in said.splitlines() if line.strip()])
    headers = [n for n in step.touched(".h") if n.startswith(("include/", "kernel/"))] if step.patch else []
    if headers:
        alone = TOP / "alone"
        shutil.rmtree(alone, ignore_errors=True)
        alone.mkdir(parents=True)
        (alone / "Kbuild").write_text("".join(f"obj-m += h{n}.o\n" for n in range(len(headers))))
        for n, header in enumerate(headers):
            (alone / f"h{n}.c").write_text(f'#include "{step.tree / header}"\n')
        _say(step, "alone", [*_make(CONFIGS["on"], TOP / "out/on", step.tree), f"M={alone}",
                             *(f"h{n}.o" for n in range(len(headers)))], step.tree, env=kbuild.environment())
    return result


def _objects(step: Step) -> list[str]:
    """What of "on" is made of the files that the patch touches."""
    out = TOP / "out/on"
    return [str(o) for n in step.touched(".c") if (out / (o := Path(n).with_suffix(".o"))).is_file()]


def _checker(step: Step, name: str, command: str, *more: str) -> list[str]:
    """Run @command as the kernel's make does (C=2) for what the patch touches."""
    if not (objects := _objects(step)):
        raise Skip
    said = _say(step, name, [*_make(CONFIGS["on"], TOP / "out/on", step.tree), "C=2", f"CHECK={command}", *more,
                             *objects], step.tree, env=kbuild.environment())
    ran = re.findall(r"^  CHECK +(\S+)", said, re.M)
    if len(ran) < len(objects):
        raise Red(f"{len(objects)} files, but only {len(ran)} were checked: {said.splitlines()[-1]}")
    lines = [line for line in said.splitlines() if re.search(r":\d+(:\d+)?(-\d+)?: ", line)]
    return _refuse_news(step, name, lines)


def sparsely(step: Step, name: str) -> list[str]:
    """sparse, one that is new enough."""
    return _checker(step, name, str(sparse.ensure(step.tree)))


def cocci(step: Step, name: str) -> list[str]:
    """Each of the tree's semantic patches that reports, by its own coccicheck.

    Not by C=2 CHECK=scripts/coccicheck: 7.3 asks each checker to read a file as
    sparse does, and takes coccicheck for one that is out of date.
    """
    if not (files := step.touched(".c")):
        raise Skip
    if not shutil.which("spatch"):
        raise Red("spatch: not found; run: make deps")
    includes = " ".join(f"-I {d}" for d in ("arch/x86/include", "include", "arch/x86/include/uapi", "include/uapi"))
    # It takes the files from one argument.
    said = _say(step, name, ["bash", step.tree / "scripts/coccicheck", " ".join(files)], step.tree,
                env=kbuild.environment() | {"C": "2", "MODE": "report", "srctree": str(step.tree),
                                            "LINUXINCLUDE": includes})
    rules = [f for f in (step.tree / "scripts/coccinelle").rglob("*.cocci")
             if re.search(r"virtual\s+report", f.read_text(errors="replace"))]
    if (ran := len(re.findall(r"^\S*spatch -D report ", said, re.M))) != len(rules):
        raise Red(f"{len(rules)} semantic patches, but {ran} were tried")
    return _refuse_news(step, name, [line for line in said.splitlines() if re.match(r"\S+\.c:\d+:", line)])


# Name, what runs it, and whether it only reads (and so runs beside the builds).
CHECKS: dict[str, tuple[Callable[[Step, str], list[str]], bool]] = {
    "applies": (applies, True),
    "size": (size, True),
    "needs": (needs, False),
    "style": (style, True),
    "docs": (docs, True),
    "sphinx": (sphinx, True),
    "kconfig": (kconfig, True),
    "on": (build, False),
    "boots": (boots, False),
    "include": (includes, False),
    "sparse": (sparsely, False),
    "cocci": (cocci, False),
    "off": (build, False),
    "bytes": (bytes_off, False),
    **{name: (build, False) for name in ("module", "allno", "tiny", "i386", "arm64")},
}


# --- the table

class Table:
    """Patch by check: on a terminal drawn anew as it fills, in a pipe row by row."""

    def __init__(self, rows: Sequence[str], checks: Sequence[str]) -> None:
        self.rows, self.checks = rows, checks
        self.cells: dict[tuple[int, str], str] = {}
        self.drawn = 0
        self.live = sys.stdout.isatty()

    def line(self, row: int) -> str:
        cells = "".join(f"{self.cells.get((row, c), ''):>{max(len(c), 4) + 1}}" for c in self.checks)
        return f"{self.rows[row]:<24.24}{cells}"

    def head(self) -> str:
        return " " * 24 + "".join(f"{c:>{max(len(c), 4) + 1}}" for c in self.checks)

    def put(self, row: int, check: str, said: str) -> None:
        self.cells[row, check] = said
        if self.live:
            lines = [self.head(), *(self.line(r) for r in range(len(self.rows)))]
            sys.stdout.write(f"\033[{self.drawn}F" * bool(self.drawn) + "".join(f"\033[K{x}\n" for x in lines))
            sys.stdout.flush()
            self.drawn = len(lines)

    def finished(self, row: int) -> None:
        if not self.live:
            if not row:
                print(self.head())
            print(self.line(row), flush=True)


def _key(check: str, queue: Sequence[Path], base_key: str) -> str:
    """What a cell depends on: patches, base, configuration, tools, the check."""
    run, _ = CHECKS[check]
    config = CONFIGS.get(check, CONFIGS["on"])
    tools = [kbuild.compiler(), *(f.read_text() for n in config.fragments if (f := paths.CONFIGS / f"{n}.config").is_file())]
    if check == "style":
        tools.append((paths.SCRIPTS / "checkpatch.txt").read_text())
    return kbuild.digest(check, base_key, repr(config), inspect.getsource(run), *tools,
                         *(series.name(p) for p in queue), *(p.read_bytes() for p in queue))


def run(checks: Sequence[str], rows: Sequence[int] | None = None) -> dict[tuple[int, str], str]:
    """Fill the table; what is red, and why."""
    source = base.ensure(os.environ.get("KDIR") or None)
    queue = series.read()
    paths.OUT = TOP / "out"  # the guest's programs, too
    TOP.mkdir(parents=True, exist_ok=True)
    done: dict[str, list[str]] = {k: v for k, v in kbuild.read_stamp(CACHE).items() if isinstance(v, list)}
    table = Table(["base", *(series.name(p).removesuffix(".patch") for p in queue)], checks)
    red: dict[tuple[int, str], str] = {}
    warned: dict[str, list[str]] = {}
    with ThreadPoolExecutor(1) as beside:
        for number in range(len(queue) + 1):
            if number and rows and number not in rows:
                continue
            keys = {check: _key(check, queue[:number], source.key) for check in checks}
            if all(keys[c] in done for c in checks):
                for c in checks:
                    table.put(number, c, "ok" if done[keys[c]] != ["-"] else "-")
                    if not number:
                        warned[c] = done[keys[c]]
                table.finished(number)
                continue
            step = Step(number, queue[number - 1] if number else None,
                        apply.ensure(source, queue[:number], TOP / "linux"), source.path, warned)

            def cell(check: str, step: Step = step, keys: dict[str, str] = keys) -> None:
                if keys[check] not in done:
                    table.put(step.number, check, "...")
                    try:
                        done[keys[check]] = CHECKS[check][0](step, check)
                    except Skip:
                        done[keys[check]] = ["-"]
                    except (Red, ui.Fail, OSError, subprocess.SubprocessError) as err:
                        red[step.number, check] = str(err) or repr(err)
                        with (TOP / f"{check}-{step.number}.log").open("a") as log:
                            log.write(f"\nRED: {red[step.number, check]}\n")
                        table.put(step.number, check, "RED")
                        return
                if step.patch is None:
                    warned[check] = done[keys[check]]
                table.put(step.number, check, "-" if done[keys[check]] == ["-"] else "ok")

            waiting: list[Future[None]] = [beside.submit(cell, c) for c in checks if CHECKS[c][1]]
            for c in checks:
                if not CHECKS[c][1]:
                    cell(c)
                    kbuild.write_stamp(CACHE, done)
            for job in waiting:
                job.result()
            kbuild.write_stamp(CACHE, done)
            table.finished(number)
    return red
