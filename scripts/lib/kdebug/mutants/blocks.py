# SPDX-License-Identifier: GPL-2.0-only
"""The list of mutants: what each breaks, and where. Files mutants/*.txt, in blocks with a blank line between them.

    file kernel/kthread_debug.c

    mutant two-requests-share-an-id
    function kthread_debug_queue
    seen by events
    -		row->id = ++kthread_last_id;
    +		row->id = kthread_last_id;

"file" holds for the blocks below it. The lines with "-" or " " in front stand in the function, once; those with "+" or
" " take their place. A line that begins with "#" is a comment.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kdebug.host.files import digest
from kdebug.host.ui import Fail
from kdebug.models import litmus, promela

# Files of mutants/ that are no list of them.
ARGUMENTS = "arguments.txt"
CONTROL = "control.txt"
# Which kernels a mutant can be seen on; the first is the fast one, and meant where a block names none.
KERNELS = ("um", "plain", "lockdep")
# What sees those that no run does. It is named by one of its negative controls.
MODELS = ("litmus", "model")


@dataclass(frozen=True)
class Mutant:
    """A block of a list."""

    id: str
    at: str        # FILE:LINE of the block, for errors
    file: str      # in the patched tree
    function: str  # or the variable, in whose lines it is
    kernel: str    # one of KERNELS, or of MODELS
    seen: str      # by which test; with MODELS by which control, as "NAME: CONTROL"
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def text(self) -> str:
        """All that its result depends on, of the block."""
        return "\n".join([self.file, self.function, *self.old, "", *self.new])


@dataclass
class _Block:
    number: int
    fields: dict[str, str] = field(default_factory=dict)
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)


def read(folder: Path) -> list[Mutant]:
    """All mutants of the lists in @folder, each list by its name; a Fail for an id that is there twice."""
    found: dict[str, Mutant] = {}
    for path in sorted(folder.glob("*.txt")):
        if path.name in (ARGUMENTS, CONTROL):
            continue
        for mutant in parse(path):
            if mutant.id in found:
                raise Fail(mutant.at, f"mutant {mutant.id} is in {found[mutant.id].at}, too", "give it another id")
            found[mutant.id] = mutant
    if not found:
        raise Fail(str(folder), "has no mutant", "write a list: docs/mutants.md")
    return list(found.values())


def parse(path: Path) -> list[Mutant]:
    """The mutants of the list @path; a Fail for a line that is none of a block."""
    found: list[Mutant] = []
    file = ""
    block: _Block | None = None
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], 1):
        at = f"{path.parent.name}/{path.name}:{number}"
        word, _, rest = line.partition(" ")
        if line.startswith("#"):
            continue
        if not line:
            if block:
                found.append(_mutant(block, file, f"{path.parent.name}/{path.name}:{block.number}"))
            block = None
        elif word == "file" and not block:
            file = rest
        elif word == "mutant" and not block:
            block = _Block(number, {"mutant": rest})
        elif block and line[0] in "-+ ":
            if line[0] != "+":
                block.old.append(line[1:])
            if line[0] != "-":
                block.new.append(line[1:])
        elif block and not block.old and not block.new and word in ("function", "seen") and word not in block.fields:
            block.fields[word] = rest
        else:
            raise Fail(at, f"'{line}' is not of a mutant", "write file, mutant, function, seen by, then lines with "
                       "'-', '+' or a blank in front: docs/mutants.md")
    return found


def _mutant(block: _Block, file: str, at: str) -> Mutant:
    """What the lines of @block say; a Fail if one is missing."""
    name = block.fields["mutant"]
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)+", name):
        raise Fail(at, f"'{name}' is no id of a mutant", "say in small letters, with '-' between words, what it breaks")
    words = re.fullmatch(rf"by (?:({'|'.join((*KERNELS, *MODELS))}) )?(\S.*)", block.fields.get("seen", ""))
    for what, there in (("file", file), ("function", block.fields.get("function", "")), ("seen by", words),
                        ("line with '-' or a blank in front", block.old)):
        if not there:
            raise Fail(at, f"mutant {name} has no {what}", "add it: docs/mutants.md")
    if block.old == block.new:
        raise Fail(at, f"mutant {name} changes nothing", "put '+' in front of what comes in and '-' of what goes")
    assert words
    return Mutant(name, at, file, block.fields["function"], words[1] or KERNELS[0], words[2],
                  tuple(block.old), tuple(block.new))


# --- the mutant and the code

def _region(lines: Sequence[str], name: str) -> tuple[int, int] | None:
    """The first line, and the one behind the last, of the function, variable or macro @name in a file of C."""
    # As a function, or else as anything: a struct may have the same name.
    starts = [start for after in (r"\(", r"\b") for start, line in enumerate(lines)
              if re.match(r"[A-Za-z_}#]", line) and re.search(rf"\b{re.escape(name)}{after}", line)]
    for start in starts:
        line = lines[start]
        if line.startswith("#"):
            ends = (at for at in range(start, len(lines)) if not lines[at].endswith("\\"))
            return start, next(ends, start) + 1
        # A declaration comes to its ';' before a brace opens.
        opened = next((at for at in range(start, len(lines)) if re.search(r"(^|\s)\{$|;$", lines[at])), start)
        if lines[opened].endswith("{"):
            end = next((at for at in range(opened + 1, len(lines)) if lines[at].startswith("}")), opened)
            return start, end + 1
    return None


def mutate(mutant: Mutant, text: str) -> str:
    """The file @text with the @mutant; a Fail if the function is not there, or has the old lines not exactly once."""
    lines = text.splitlines()
    found = _region(lines, mutant.function)
    if not found:
        raise Fail(mutant.at, f"mutant {mutant.id}: {mutant.file} has no {mutant.function}",
                   "name the function as it is now, or delete the block")
    old = list(mutant.old)
    places = [at for at in range(found[0], found[1] - len(old) + 1) if lines[at:at + len(old)] == old]
    if len(places) != 1:
        raise Fail(mutant.at, f"mutant {mutant.id}: {mutant.function} in {mutant.file} has its old lines "
                   f"{len(places) or 'no'} time{'s' * (len(places) != 1)}",
                   "copy lines that are there once, as they are now, or delete the block")
    lines[places[0]:places[0] + len(old)] = mutant.new
    return "\n".join([*lines, ""])


def patch(mutant: Mutant, text: str) -> str:
    """The @mutant as a patch to its file, which has the content @text."""
    return "".join(difflib.unified_diff(text.splitlines(True), mutate(mutant, text).splitlines(True),
                                        f"a/{mutant.file}", f"b/{mutant.file}"))


def check_control(mutant: Mutant, models: Path) -> None:
    """A Fail unless the control that the @mutant names is one of its model in the folder @models."""
    name, _, control = mutant.seen.partition(": ")
    path = models / (f"litmus/{name}.litmus" if mutant.kernel == "litmus" else f"{name}.pml")
    if not path.is_file():
        raise Fail(mutant.at, f"mutant {mutant.id}: there is no {models.name}/{path.relative_to(models)}",
                   f"name a model that is in {models.name}/")
    known = litmus.statements(path.read_text(encoding="utf-8")) if mutant.kernel == "litmus" else \
        [one.name for one in promela.read(path).controls]
    if control not in known:
        raise Fail(mutant.at, f"mutant {mutant.id}: {name} has no control '{control}'",
                   f"name one of: {' | '.join(known)}")


# --- arguments

@dataclass
class Argument:
    """Why nothing can see a mutant."""

    at: str
    reason: str
    used: bool = False


def arguments(path: Path, mutants: Sequence[Mutant]) -> dict[str, Argument]:
    """The arguments of the file @path by the id of the mutant; none if there is no such file.

    "ID: REASON", and lines that go on with a blank or a tab in front.
    """
    found: dict[str, Argument] = {}
    last = ""
    known = {mutant.id for mutant in mutants}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.is_file() else (), 1):
        at = f"{path.parent.name}/{path.name}:{number}"
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] in " \t" and last:
            found[last].reason += " " + line.strip()
            continue
        last, _, reason = line.partition(": ")
        if last not in known:
            raise Fail(at, f"no mutant '{last}'", "write the id of one, ': ' and the reason; or delete the argument")
        if last in found:
            raise Fail(at, f"a second argument for {last}", f"the first is in {found[last].at}: make them one")
        if not reason.strip():
            raise Fail(at, f"the argument for {last} gives no reason", "say why nothing can see it")
        found[last] = Argument(at, reason.strip())
    return found


def of_day(mutants: Sequence[Mutant], day: str, count: int) -> list[Mutant]:
    """@count of the @mutants that the fast kernel can show, for the @day: the same wherever it is asked."""
    able = [mutant for mutant in mutants if mutant.kernel == KERNELS[0]]
    return sorted(able, key=lambda mutant: digest(day, mutant.id))[:count]
