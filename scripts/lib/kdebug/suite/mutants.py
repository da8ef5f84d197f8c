# SPDX-License-Identifier: GPL-2.0-only
"""make mutants: break one line of the series at a time, and see which test notices.

All of it happens in build/mutants: a patched tree, kernels and runs of its own. Only the kernel is built for a
mutant; modules and the root file system are those of the control, which no line of the lists changes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
import io
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kdebug.build import bootable, kernel as kernels
from kdebug.build.bootable import Bootable
from kdebug.context import Context
from kdebug.guest import boot, kunit
from kdebug.guest.judge import Limits
from kdebug.guest.lines import Line
from kdebug.host import lock, ui
from kdebug.host.files import digest
from kdebug.mutants import blocks, results
from kdebug.mutants.blocks import KERNELS, MODELS, Mutant
from kdebug.mutants.results import ARGUED, Book, KILLED, NO_BUILD, Outcome, SURVIVED, UNSEEN
from kdebug.patches import apply
from kdebug.source import fetch
from kdebug.suite import registry, store
from kdebug.suite.guests import TOGETHER, Together
from kdebug.suite.report import Tally

KUNIT = "kunit"
GROUP = "group "
# All tests of Bench.rest(), as a name.
REST = "all tests"
# The architecture and the flavour of a kernel of blocks.KERNELS.
ARCHITECTURES = dict(zip(KERNELS, ("um", "x86_64", "x86_64")))
FLAVOURS = dict(zip(KERNELS, ("plain", "plain", "lockdep")))
# A mutant may hang; emulation is slow, and slower beside other work.
_SLOW = Limits(boot=120, silence=180, total=1200)
LIMITS = dict(zip(KERNELS, (Limits(boot=60, silence=90, total=400), _SLOW, _SLOW)))
# What a busy host does to an emulated clock: it says nothing of the kernel under test.
STARVED = "IO-APIC + timer doesn't work"
TRIES = 3


def folder(context: Context) -> Path:
    """The lists."""
    return context.repo / "mutants"


def top(context: Context) -> Path:
    """Where all is built and run."""
    return context.build / "mutants"


class NoBuild(Exception):
    """A mutant that does not build, and why."""


class _Red(Exception):
    """A test has failed: there is no need to go on."""


@dataclass(frozen=True)
class Kernel:
    """A kernel to build mutants of: its context, and what its control is booted from."""

    context: Context
    ready: Bootable
    limits: Limits

    @property
    def config(self) -> bytes:
        """What it is configured with."""
        return self.ready.kernel.config.read_bytes()

    def boot(self, image: Path, specs: Sequence[str], tags: Sequence[str], append: str = "") -> boot.Result:
        """Run the programs @specs in a guest of @image; _Red at the first of their tests that fails."""
        def stop_at_red(line: Line) -> None:
            if line.prog and line.said.startswith("not ok ") and not re.search(r"# (SKIP|TODO)", line.said):
                raise _Red(f"{line.prog}: {line.said}")

        for _ in range(TRIES):
            result = boot.run(self.context, image, self.ready.initrd, append, programs=specs, tags=tags,
                              limits=self.limits, memory=self.ready.kernel.memory, label="mutant", on_line=stop_at_red)
            if not any(STARVED in line.said for line in result.lines):
                break
        return result


# --- the tests: each says "" if all is well, else what is wrong

def _kunit(kernel: Kernel, image: Path) -> str:
    result = kernel.boot(image, ["show:/proc/version"], ["stall-report", "misuse"], "kunit.enable=1")
    if not result.passed:
        return result.verdict.reason
    try:
        cases = kunit.parse(kernel.context, kernel.ready.applied.path, result.console)
    except ui.Fail as err:
        return str(err)
    return ", ".join(name for name, said in cases.items() if said == "fail")


def _programs(kernel: Kernel, image: Path, specs: Sequence[str], tags: Sequence[str]) -> str:
    try:
        result = kernel.boot(image, specs, tags)
    except _Red as red:
        return str(red)
    return "" if result.passed else result.verdict.reason


def _group(kernel: Kernel, patch: Path, name: str) -> str:
    """Run a whole group of tests, which builds what it boots itself."""
    chosen = next(one for one in registry.every() if one.name == name)
    tally = Tally(brief=True)
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            chosen.run(dataclasses.replace(kernel.context, more=(patch,)), tally)
        except ui.Fail as err:
            return str(err)
    failed = [test.name for test in tally.tests if test.failed]
    return ", ".join(failed) if failed or any(test.result == "ok" for test in tally.tests) else "it has tested nothing"


def _together(name: str) -> Together | None:
    """The guest that has the program @name."""
    return next((one for guests in TOGETHER.values() for one in guests if name in one.specs), None)


def check(mutant: Mutant) -> None:
    """A Fail unless there is the test that is to see @mutant."""
    name = mutant.seen
    group = name.removeprefix(GROUP)
    if group not in (one.name for one in registry.every()) if group != name else name != KUNIT and not _together(name):
        raise ui.Fail(mutant.at, f"mutant {mutant.id}: there is no test '{name}'",
                      "name kunit, a program of the guest, or 'group' and a group of scripts/test")


class Bench:
    """Builds the mutants and runs the tests. The unit tests have one that does neither."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def prepare(self, name: str) -> Kernel:
        """The kernel @name without a mutant, and all that its guests need."""
        # It takes long, so it waits for whoever else builds meanwhile.
        context = dataclasses.replace(self._context, architecture=ARCHITECTURES[name], flavour=FLAVOURS[name],
                                      wait=True, scratch=top(self._context))
        return Kernel(context, bootable.prepare(context, FLAVOURS[name]), LIMITS[name])

    def build(self, kernel: Kernel, patch: Path) -> Path:
        """The image of @kernel with the @patch on top."""
        with lock.held(kernel.context, "make mutants"):
            applied = apply.ensure(kernel.context, fetch.ensure(kernel.context), extra=[patch])
            try:
                return kernels.ensure(kernel.context, applied, kernel.context.flavour).image
            except ui.Fail as err:
                raise NoBuild(str(err)) from None

    def seen(self, kernel: Kernel, image: Path, patch: Path, name: str) -> str:
        """What the test @name says of @image, the kernel with the @patch: "" if all is well."""
        if name == KUNIT:
            return _kunit(kernel, image)
        if guest := _together(name):
            return _programs(kernel, image, [name], guest.tags)
        return _group(kernel, patch, name.removeprefix(GROUP))

    def rest(self, kernel: Kernel, image: Path) -> Iterator[tuple[str, str]]:
        """All tests that run in any guest, the quick ones first: the name of each, and what it says of @image."""
        yield KUNIT, _kunit(kernel, image)
        guests = (one for guests in TOGETHER.values() for one in guests)
        for guest in sorted(guests, key=lambda one: "stall" in one.specs):
            yield ",".join(guest.specs), _programs(kernel, image, guest.specs, guest.tags)


# --- a campaign

class Campaign:
    """Mutants, one after the other: first each with its own test, then those that it did not see with all others."""

    def __init__(self, context: Context, tree: Path, bench: Bench) -> None:
        """@tree is the patched kernel without a mutant; a Fail if a mutant does not fit it, or has no test."""
        self.context = context
        self.tree = tree
        self.bench = bench
        self.mutants = blocks.read(folder(context))
        self.arguments = blocks.arguments(folder(context) / blocks.ARGUMENTS, self.mutants)
        self.control = blocks.parse(folder(context) / blocks.CONTROL)[0]
        self.book = Book(top(context) / "results.json")
        self._kernels: dict[str, Kernel] = {}
        self._series = store.series_key(context)
        # Those of the series are in its key.
        self._tests = digest(*(path.read_bytes() for path in sorted(context.kernel.rglob("*.[ch]"))))
        for mutant in (*self.mutants, self.control):
            blocks.mutate(mutant, self._source(mutant))
            if mutant.kernel in MODELS:
                blocks.check_control(mutant, context.models)
            else:
                check(mutant)

    def _source(self, mutant: Mutant) -> str:
        """The file that the @mutant changes."""
        path = self.tree / mutant.file
        if not path.is_file():
            raise ui.Fail(mutant.at, f"mutant {mutant.id}: the patched tree has no {mutant.file}",
                          "name the file as it is now, or delete the block")
        return path.read_text(encoding="utf-8")

    def _key(self, kernel: Kernel, mutant: Mutant) -> str:
        """All that the outcome of the @mutant depends on, but for the tests."""
        return digest(mutant.text, self._series, kernel.config)

    def _kernel(self, name: str) -> Kernel:
        """The kernel @name."""
        if name not in self._kernels:
            self._kernels[name] = self.bench.prepare(name)
        return self._kernels[name]

    def check_control(self, name: str, tests: Iterable[str] = (REST,)) -> None:
        """A Fail unless the control passes the @tests on the kernel @name."""
        with lock.alone(top(self.context), "make mutants", wait=self.context.wait):
            self._check_control(self._kernel(name), tests)

    def _check_control(self, kernel: Kernel, tests: Iterable[str]) -> None:
        """A Fail unless the control passes all @tests, REST among them: else nothing can be said of a mutant."""
        key = self._key(kernel, self.control)
        new = [name for name in dict.fromkeys(tests) if not self.book.get(f"{key} {name}", self._tests)]
        if not new:
            return
        patch = self._write(self.control)
        image = self.bench.build(kernel, patch)
        for name in new:
            start = time.monotonic()
            said = self.bench.rest(kernel, image) if name == REST else \
                [(name, self.bench.seen(kernel, image, patch, name))]
            for test, wrong in said:
                if wrong:
                    raise ui.Fail(f"make mutants: {test}", "the control, which changes only a comment, is red "
                                  f"({wrong})", "mend that first: of a red kernel nothing can be said")
            took = round(time.monotonic() - start, 1)
            self.book.put(f"{key} {name}", self.control.id, Outcome(SURVIVED, name, took, self._tests))
            print(f"{SURVIVED}  {self.control.id}: {name} ({took:.0f} s)", flush=True)

    def _tests_of(self, mutant: Mutant) -> str:
        """A key of the tests that can see the @mutant."""
        return digest(self._tests, mutant.seen)

    def _write(self, mutant: Mutant) -> Path:
        """The @mutant as a patch."""
        patch = top(self.context) / "mutant.patch"
        patch.write_text(blocks.patch(mutant, self._source(mutant)), encoding="utf-8")
        return patch

    def _judge(self, kernel: Kernel, mutant: Mutant, *, named: bool) -> Outcome:
        """Build the @mutant, and run the test that it names, or all others. Keep what came of it."""
        start = time.monotonic()
        outcome = self._run(kernel, mutant, named)
        outcome = dataclasses.replace(outcome, by=outcome.by[:200], seconds=round(time.monotonic() - start, 1),
                                      tests=self._tests_of(mutant))
        self.book.put(self._key(kernel, mutant), mutant.id, outcome)
        return outcome

    def _run(self, kernel: Kernel, mutant: Mutant, named: bool) -> Outcome:
        patch = self._write(mutant)
        try:
            image = self.bench.build(kernel, patch)
        except NoBuild as why:
            return Outcome(NO_BUILD, str(why))
        said = [(mutant.seen, self.bench.seen(kernel, image, patch, mutant.seen))] if named else \
            self.bench.rest(kernel, image)
        for name, wrong in said:
            if wrong:
                return Outcome(KILLED, f"{name}: {wrong}")
        return Outcome(UNSEEN if named else SURVIVED)

    def run(self, mutants: Sequence[Mutant], quick: bool = False) -> dict[Mutant, Outcome]:
        """What comes of each of the @mutants, or has come of it before. @quick: leave it at their own tests."""
        done: dict[Mutant, Outcome] = {}

        def tell(mutant: Mutant, outcome: Outcome) -> None:
            done[mutant] = outcome.judged(self.arguments.get(mutant.id))
            took = f" ({outcome.seconds:.0f} s)" if outcome.seconds else ""
            print(results.line(mutant, done[mutant]) + took, flush=True)

        for mutant in mutants:
            if mutant.kernel in MODELS:
                tell(mutant, Outcome(ARGUED, f"{mutant.kernel} {mutant.seen}"))
        with lock.alone(top(self.context), "make mutants", wait=self.context.wait):
            for name in KERNELS:
                mine = [mutant for mutant in mutants if mutant.kernel == name]
                if mine:
                    self._run_on(self._kernel(name), mine, quick, tell)
        return {mutant: done[mutant] for mutant in mutants}

    def _run_on(self, kernel: Kernel, mutants: Sequence[Mutant], quick: bool,
                tell: Callable[[Mutant, Outcome], None]) -> None:
        """The @mutants of one kernel; @tell what comes of each."""
        unseen = []
        known = {mutant: self.book.get(self._key(kernel, mutant), self._tests_of(mutant)) for mutant in mutants}
        self._check_control(kernel, (mutant.seen for mutant, outcome in known.items() if not outcome))
        for mutant, outcome in known.items():
            outcome = outcome or self._judge(kernel, mutant, named=True)
            if outcome.status == UNSEEN and not quick:
                unseen.append(mutant)
            else:
                tell(mutant, outcome)
        if unseen:
            self._check_control(kernel, [REST])
        for mutant in unseen:
            tell(mutant, self._judge(kernel, mutant, named=False))


@dataclass(frozen=True)
class Asked:
    """What the command was asked for: mutants whose id or file matches @only, those for @kernel, a @sample of the @day.

    @kernel "" is any, @sample 0 is all. @quick: see Campaign.run().
    """

    only: str = "*"
    kernel: str = ""
    day: str = ""
    sample: int = 0
    quick: bool = False

    def choose(self, mutants: Sequence[Mutant]) -> list[Mutant]:
        """Those of @mutants; a Fail if there is none."""
        chosen = [one for one in mutants if self.kernel in ("", one.kernel) and any(
            fnmatch.fnmatchcase(name, self.only) for name in (one.id, Path(one.file).name))]
        if not chosen:
            raise ui.Fail(f"ONLY={self.only}", "no mutant has such an id, or such a file",
                          f"take a glob such as {mutants[0].id} or {Path(mutants[0].file).name}")
        return blocks.of_day(chosen, self.day, self.sample) if self.sample else chosen


def command(context: Context, asked: Asked) -> int:
    """The command: what came of each mutant that is @asked for, as a table. Returns the exit status."""
    campaign = Campaign(context, bootable.patched_tree(context).path, Bench(context))
    chosen = asked.choose(campaign.mutants)
    if asked.sample:
        print(f"{len(chosen)} mutants of {asked.day}; again: scripts/mutants --day {asked.day} "
              f"--sample {asked.sample}", flush=True)
    outcomes = campaign.run(chosen, asked.quick)
    print(f"\n{results.table(outcomes)}")
    for line in results.unused(campaign.arguments, outcomes):
        sys.stderr.write(f"note: {line}\n")
    return 0 if all(one.passed for one in outcomes.values()) else 1
