# SPDX-License-Identifier: GPL-2.0-only
"""KTAP: one line of it, which a guest prints, and a whole file, which the tests write.

The kernel's own parser (tools/testing/kunit/kunit_parser.py) reads the logs of KUnit, see guest/kunit.py.
It cannot read these. It takes a plan behind the results for one more test and an expected failure (TODO) for a
failure, it loses a result in a nested block without a header, and it is there only when the source is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

RESULT = re.compile(r"( *)(not ok|ok) +(\d+)\b *(?:- )?([^#]*?) *(?:# *(\w+)(.*))?$")
PLAN = re.compile(r"( *)1\.\.(\d+)\b")
SUBTEST = re.compile(r"( *)# Subtest: (.*)")
STEP = "    "  # how far a nested block stands inside
NOTE = "note: "


@dataclass
class Test:
    """One test, or a block of them, whose own result then follows theirs."""

    name: str
    result: str = ""     # ok | not ok | skip | todo; "" for a block that has not come to its end
    reason: str = ""     # of a skip
    why: list[str] = field(default_factory=list)    # lines: what was wrong
    notes: list[str] = field(default_factory=list)  # lines: what was measured
    took: float = 0.0    # seconds
    plan: int | None = None  # so many tests are to come in the block
    tests: list[Test] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether it counts as failed; what has no result has failed."""
        return self.result in ("", "not ok")


# --- one line

@dataclass(frozen=True)
class Result:
    """A result line."""

    indent: int      # in blanks
    result: str      # ok | not ok | skip | todo
    number: int
    name: str        # as it stands there; "" if the line has none
    directive: str   # the word behind the '#', in lower case
    rest: str        # what stands behind that word


def result(line: str) -> Result | None:
    """What the result line @line says; None for any other line."""
    m = RESULT.match(line)
    if not m:
        return None
    directive = (m[5] or "").lower()
    said = directive if directive in ("skip", "todo") else m[2]
    return Result(len(m[1]), said, int(m[3]), m[4], directive, m[6] or "")


def plan(line: str) -> int | None:
    """How many tests the plan line @line announces, at whatever depth; None for any other line."""
    m = PLAN.match(line)
    return int(m[2]) if m else None


_NOT_IN_LINES = r"[\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"


def escape(text: str) -> str:
    """@text as a name. KTAP has no way to write a '#' or a newline in it, and blanks at its ends are lost."""
    return re.sub(rf"{_NOT_IN_LINES}|#|^ | $", _escaped, text)


def _comment(text: str) -> str:
    """@text as a comment of a test, that looks like no other comment."""
    return re.sub(rf"{_NOT_IN_LINES}|^S(?=ubtest: )|^n(?=ote: )", _escaped, text)


def _escaped(m: re.Match[str]) -> str:
    return r"\\" if m[0] == "\\" else f"\\u{ord(m[0]):04x}"


def unescape(text: str) -> str:
    """The text that escape() made @text of."""
    return re.sub(r"\\(?:\\|u([0-9a-f]{4}))", lambda m: chr(int(m[1], 16)) if m[1] else "\\", text)


# --- writing

def header(name: str = "", depth: int = 0) -> str:
    """The first lines of a block, which is that of the test @name."""
    return _indented(["KTAP version 1", *([f"# Subtest: {escape(name)}"] if name else [])], depth)


def entry(number: int, test: Test, depth: int = 0) -> str:
    """The lines of @test: the block of its tests if it has one, what it says beside its result, and that."""
    block = ""
    if test.tests or test.plan is not None:
        block = header(test.name, depth + 1) + _indented([f"1..{len(test.tests) if test.plan is None else test.plan}"],
                                                           depth + 1)
        block += "".join(entry(n, one, depth + 1) for n, one in enumerate(test.tests, 1))
    return block + end(number, test, depth)


def end(number: int, test: Test, depth: int = 0) -> str:
    """The lines of @test behind its block: what it says beside its result, and that."""
    lines = [f"# {NOTE}{_comment(line)}" for line in test.notes] + [f"# {_comment(line)}" for line in test.why]
    mark = f" # time={test.took:.3f}s" if test.took else ""
    if test.result == "skip":
        mark = f" # SKIP {escape(test.reason)}"
    word = "not ok" if test.failed else "ok"
    return _indented([*lines, f"{word} {number} - {escape(test.name)}{mark}"], depth)


def write(tests: list[Test], comments: Iterable[str] = ()) -> str:
    """A whole file of @tests, with the @comments in its head."""
    head = header() + _indented([f"# {comment}" for comment in comments] + [f"1..{len(tests)}"], 0)
    return head + "".join(entry(n, test) for n, test in enumerate(tests, 1))


def _indented(lines: Iterable[str], depth: int) -> str:
    return "".join(f"{STEP * depth}{line}\n" for line in lines)


# --- reading

def read(text: str) -> Test:
    """The file @text as a block without a name.

    A last line without its end was cut off, and is none. A block that has not come
    to its end is a test without a result.
    """
    levels = [Test("")]
    said: list[str] = []
    for line in text.split("\n")[:-1]:
        depth = (len(line) - len(line.lstrip(" "))) // len(STEP)
        if m := SUBTEST.match(line):
            _close(levels, depth)
            _open(levels, depth)
            levels[depth].name = unescape(m[2])
            said = []
        elif (number := plan(line)) is not None:
            _open(levels, depth)
            levels[depth].plan = number
            said = []
        elif found := result(line):
            _close(levels, depth + 2)
            block = levels[depth + 1] if len(levels) > depth + 1 else Test("")
            del levels[depth + 1:]
            _open(levels, depth)
            levels[depth].tests.append(_test(found, said, block))
            said = []
        elif line.lstrip(" ").startswith("# "):
            said.append(line.lstrip(" ")[2:])
    _close(levels, 1)
    return levels[0]


def _open(levels: list[Test], depth: int) -> None:
    while len(levels) <= depth:
        levels.append(Test(""))


def _close(levels: list[Test], depth: int) -> None:
    """The blocks at @depth and below have no result: they are where their result would be."""
    while len(levels) > max(depth, 1):
        block = levels.pop()
        if block.name or block.tests or block.plan is not None:
            levels[-1].tests.append(block)


def _test(found: Result, said: list[str], block: Test) -> Test:
    took = re.match(r"=(\d+\.\d+)s", found.rest) if found.directive == "time" else None
    return Test(unescape(found.name) or str(found.number), found.result,
                unescape(found.rest.strip(" ")) if found.result == "skip" else "",
                [unescape(line) for line in said if not line.startswith(NOTE)],
                [unescape(line.removeprefix(NOTE)) for line in said if line.startswith(NOTE)],
                float(took[1]) if took else 0.0, block.plan, block.tests)


# --- counting

def verdicts(block: Test) -> Iterator[Test]:
    """Each single test in @block, and a failed one for each that was planned and is not there, and for each
    block that failed, or has not come to its end, though all in it is well."""
    for test in block.tests:
        if not test.tests and test.plan is None and test.result:
            yield test
            continue
        inner = list(verdicts(test))
        yield from inner
        if test.failed and not any(one.failed for one in inner):
            yield Test(f"{test.name}: {'failed' if test.result else 'has not come to its end'}", "not ok")
    for number in range(len(block.tests) + 1, (block.plan or 0) + 1):
        yield Test(f"{block.name + ': ' if block.name else ''}no verdict of {number} of {block.plan}", "not ok")


def load(path: Path) -> list[Test]:
    """The verdicts() of the file @path. One that is missing, or says nothing, has failed as a whole."""
    try:
        block = read(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as err:
        return [Test(f"{path}: cannot be read", "not ok", why=[str(err.strerror)])]
    if block.plan is None:
        return [*verdicts(block), Test(f"{path}: has no plan", "not ok")]
    return list(verdicts(block))


@dataclass(frozen=True)
class Count:
    """How many tests passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        """The line with which a run closes."""
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def count(tests: Iterable[Test]) -> Count:
    """The Count of these single tests."""
    said = ["failed" if test.failed else "skipped" if test.result == "skip" else "passed" for test in tests]
    return Count(said.count("passed"), said.count("failed"), said.count("skipped"))
