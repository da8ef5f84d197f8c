# SPDX-License-Identifier: GPL-2.0-only
"""make quick: from what has changed to the few tests that see it first."""

from __future__ import annotations

import ast
import re
import subprocess
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kdebug.build import bootable, flavours
from kdebug.build.bootable import Bootable
from kdebug.check import lint
from kdebug.context import Context
from kdebug.guest import boot, ktap, kunit
from kdebug.guest.judge import Limits
from kdebug.host import ui
from kdebug.patches import apply, tree
from kdebug.suite import units
from kdebug.suite.report import Tally, close

# Selftests of one to two seconds each: the events, sysrq's table, and the files of both knobs.
PROGRAMS = ("events", "sysrq", "knobs", "fail_create")
# What goes into the plain kernel, its modules and its root file system.
KERNEL = ("patches/", "series", "kernel/", *(f"configs/{name}.config" for name in ("guest", "x86_64", "plain")))


@dataclass
class Plan:
    """What to run, and what is changed but not tested here."""

    tests: list[Path] = field(default_factory=list)  # files in scripts/tests
    jobs: dict[str, list[str]] = field(default_factory=dict)  # linters
    kernel: bool = False
    untested: dict[str, str] = field(default_factory=dict)  # by file: which command looks at it


def changed(context: Context, since: str) -> list[str]:
    """The files that differ from the commit @since, and those that git does not know yet."""
    found: list[str] = []
    for args in (["diff", "--name-only", "--no-renames", since, "--"], ["ls-files", "-o", "--exclude-standard"]):
        done = subprocess.run(["git", *args], cwd=context.repo, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True)
        if done.returncode:
            why = next(iter(done.stderr.splitlines()), f"exit {done.returncode}")
            raise ui.Fail(f"SINCE={since}", f"git cannot compare with it ({why})",
                          "give a commit of this clone, or run: make test")
        found += done.stdout.splitlines()
    return sorted(set(found))


# --- which tests belong to which file

def _key(path: str | Path) -> str:
    """The file's name as a test file has it: fail-each and faileach.py are faileach."""
    return re.sub(r"[\W_]", "", Path(path).name.removesuffix(".py"))


def _imports(file: Path) -> set[str]:
    """The last names of the modules that the Python @file imports."""
    try:
        body = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return set()
    found: set[str] = set()
    for node in ast.walk(body):
        if isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names} | {(node.module or "").rpartition(".")[2]}
        elif isinstance(node, ast.Import):
            found |= {alias.name.rpartition(".")[2] for alias in node.names}
    return found


def tests_of(context: Context, name: str) -> list[Path]:
    """The test files for the file @name of scripts/: that of its name; if there is none, those that
    import it; for what is no Python, those that name it or its folder, and those of the modules that do."""
    scripts = context.scripts
    path = scripts.parent / name
    files = sorted((scripts / "tests").rglob("test_*.py"))
    if path in files:
        return [path]
    if found := [f for f in files if _key(f) == "test" + _key(name)]:
        return found
    if path.suffix == ".py":
        return [f for f in files if path.stem in f.read_text(encoding="utf-8") and path.stem in _imports(f)]
    if path.parent == scripts and not path.suffix:
        return []  # a command, whose name may be any word
    words = {path.name, *({path.parent.name} if (scripts / "tests") in path.parents else ())}

    def names_it(file: Path) -> bool:
        return any(f'"{word}' in file.read_text(encoding="utf-8") or f'/{word}"' in file.read_text(encoding="utf-8")
                   for word in words)

    readers = {"test" + _key(m) for m in (scripts / "lib").rglob("*.py") if names_it(m)}
    return [f for f in files if names_it(f) or _key(f) in readers]


def plan(context: Context, files: Sequence[str], unfolded: Collection[str]) -> Plan:
    """What to run for the changed @files of the repository, and the changed files @unfolded of build/tree."""
    made = Plan(kernel=bool(unfolded), jobs=lint.jobs(context, files))
    for name in files:
        if name.startswith(KERNEL):
            made.kernel = True
        elif name.startswith("scripts/") or _document(name):
            tests = tests_of(context, "scripts/docs" if _document(name) else name)
            made.tests += [test for test in tests if test not in made.tests]
            if not tests:
                made.untested[name] = "make test"
        else:
            made.untested[name] = _command(context, name)
    made.tests.sort()
    return made


def _document(name: str) -> bool:
    """Does test_docs look at the file @name?"""
    return name == "Makefile" or name.endswith(".md") and not name.startswith("scripts/")


# Which group is for what comes on top of a flavour.
FRAGMENTS = {"gdb": "postmortem", "rv": "monitor"}


def _command(context: Context, name: str) -> str:
    """Which command tests the file @name, "" for none."""
    top, _, rest = name.partition("/")
    if top == "bases" and rest:
        return f"make test BASE={rest.partition('/')[0]}"
    if top == "configs":
        stem = Path(rest).stem
        if stem in FRAGMENTS:
            return f"scripts/test {FRAGMENTS[stem]}"
        return f"make test FLAVOUR={stem}" if stem in flavours.available(context) else f"make test ARCH={stem}"
    return {"experiments": "make test ARCH=arm", "models": "scripts/test models",
            "monitor": "scripts/test monitor", "mutants": "make mutants", ".ci": ".ci/run"}.get(top, "")


# --- running them

def kernel(context: Context, tally: Tally, extra: Sequence[Path]) -> None:
    """Build the plain kernel with the patches @extra on top; KUnit and PROGRAMS in one boot."""
    ready: Bootable | None = None
    with tally.case("plain: builds without a warning of the series' own"):
        ready = bootable.prepare(context, "plain", extra=extra)
    if not ready:
        return
    with tally.case(f"plain: KUnit, {', '.join(PROGRAMS)}: clean run"):
        result = boot.run(context, ready.kernel.image, ready.initrd, "kunit.enable=1", programs=PROGRAMS,
                          limits=Limits(silence=120), tags=["stall-report", "misuse"], label="guest")
        try:
            cases = kunit.parse(context, ready.applied.path, result.console)
        except ui.Fail:
            assert result.passed, result.report()  # which says why there are no cases
            raise
        said = {f"kunit: {kunit.SUITE}.{case}": verdict for case, verdict in cases.items()}
        said |= {f"{program.spec}: {test.name}": test.result
                 for program in result.programs for test in program.tests if not test.depth}
        for name, verdict in said.items():
            if verdict == "skip":
                tally.skip(f"plain: {name}", f"see {result.console}")
            else:
                tally.result(f"plain: {name}", "" if verdict == "ok" else f"see {result.console}")
        assert result.passed, result.report()


def _shown(names: Iterable[str], most: int = 6) -> str:
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")


def _summary(context: Context, made: Plan) -> tuple[list[str], list[str]]:
    """What is run, and what is not, for who reads it."""
    runs = [*([f"the units of {_shown(_key(t)[4:] for t in made.tests)}"] if made.tests else []), *made.jobs,
            *([f"the plain kernel with KUnit and the selftests {' '.join(PROGRAMS)}"] if made.kernel else [])]
    out = [f"{name}: {command or 'nothing'} tests it" for name, command in made.untested.items()]
    if made.tests or made.jobs:
        count = len(list(units.folder(context).rglob("test_*.py"))) - len(made.tests)
        out.append(f"the units in {count} other files, the linters for other files")
    if made.kernel:
        out.append("the other programs, flavours, architectures and bases, and each patch on its own")
    return runs, out


def run(context: Context, since: str) -> int:
    """Run what is quick for what differs from the commit @since; return the exit status."""
    start, tally = time.monotonic(), Tally(brief=True)
    files, patch = changed(context, since), tree.difference(context)
    unfolded = apply.touched(patch)
    made = plan(context, files, unfolded)
    if not files and not unfolded:
        print(f"Nothing differs from {since}, and build/tree holds nothing that is not folded.\n"
              "`make test` runs all tests, and `make check` looks at each patch.")
        return close(ktap.count(tally.tests))
    what = [f"from {since}: {_shown(files)}" if files else "",
            f"in build/tree and not folded: {_shown(unfolded)}" if unfolded else ""]
    runs, out = _summary(context, made)
    print("\n".join([*(f"changed   {line}" for line in what if line), f"runs      {'; '.join(runs) or 'nothing'}",
                     *(f"leaves    {line}" for line in out)]), flush=True)
    for name, command in made.jobs.items():
        began = time.monotonic()
        tally.result(name, lint.complaint(context, command))
        _timed(name, 1, tally, began)
    for test in made.tests:
        began, before = time.monotonic(), _counted(tally)
        units.run(context, tally, [test])
        _timed(test.stem, _counted(tally) - before, tally, began)
    if made.kernel:
        began, before = time.monotonic(), _counted(tally)
        kernel(context, tally, [_kept(context, patch)] if patch else [])
        _timed("plain kernel", _counted(tally) - before, tally, began)
    print(f"\n{time.monotonic() - start:.0f} s; `make test` runs all tests, and `make check` looks at each patch")
    return close(ktap.count(tally.tests))


def _counted(tally: Tally) -> int:
    """How many tests of @tally have passed or failed."""
    count = ktap.count(tally.tests)
    return count.passed + count.failed


def _timed(name: str, tests: int, tally: Tally, began: float) -> None:
    print(f"done  {name}: {tests} test{'s' * (tests != 1)} ({time.monotonic() - began:.1f} s)", flush=True)


def _kept(context: Context, patch: str) -> Path:
    """A file with @patch, whose name an error shows."""
    path = context.build / "unfolded.patch"
    path.write_text(patch, errors="surrogateescape")
    return path
