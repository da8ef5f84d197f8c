# SPDX-License-Identifier: GPL-2.0-only
"""What a group of tests says about itself, and which groups a run has.

A group is a function in groups/. Its declaration there is all that has to be written to add it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from kdebug.context import Context
from kdebug.patches import scope
from kdebug.suite.report import Tally

# A group's function: what the user asked for, and who takes its verdicts.
Run = Callable[[Context, Tally], None]


class Where(enum.Enum):
    """What a group runs on."""

    HOST = "host"           # it boots nothing of ours
    PLAIN = "plain x86-64"  # it chooses its kernels itself, on x86-64
    ANY = "any guest"       # the kernels of FLAVOUR, ARCH and BASE
    BOARD = "a board"       # whatever ARCH= is, with a compiler and a QEMU for that board


class When(enum.Enum):
    """In which part of a run a group has its turn."""

    FIRST = "first"    # one after the other, before the rest
    BESIDE = "beside"  # beside each other
    LAST = "last"      # one after the other, since they read what the others said


@dataclass(frozen=True)
class Group:
    """A group of tests, see group() below."""

    name: str
    run: Run
    where: Where
    when: When
    needs: str
    whole_series: bool
    asked: bool
    board: str
    in_matrix: bool

    @property
    def purpose(self) -> str:
        """What it tests, in a line."""
        return (self.run.__doc__ or "").partition("\n")[0]

    def there(self, context: Context) -> bool:
        """Whether the sets of SET= have what it tests."""
        return not context.set or not self.whole_series and (not self.needs or scope.there(context, self.needs))


_groups: dict[str, Group] = {}


def group(name: str, where: Where, *, when: When = When.BESIDE, needs: str = "", whole_series: bool = False,
          asked: bool = False, board: str = "",
          in_matrix: bool = True) -> Callable[[Run], Run]:
    """The function below is the group @name of tests; its docstring says in the first line what it tests.

    @where it runs and @when are as above. It @needs that file of the series, or is about the @whole_series,
    the repository or the base, so it is no part of a SET= without that. @asked: it runs only if it is named,
    or with ARCH= its @board. @in_matrix: the matrix has it, if it runs in any guest.
    """
    def register(run: Run) -> Run:
        assert name not in _groups and run.__doc__, name
        _groups[name] = Group(name, run, where, when, needs, whole_series, asked, board, in_matrix)
        return run

    return register


def every() -> list[Group]:
    """All groups, in the order of their declarations."""
    from kdebug.suite import groups  # they register themselves
    assert groups
    return list(_groups.values())


def default(plain: bool, arch: str) -> list[str]:
    """The names of the groups of a run that names none.

    @plain: it is of the plain flavour, among others, on x86-64 and on the base of the series. Otherwise it
    only runs what is in the guest again, on another kernel.
    """
    if plain:
        return [one.name for one in every() if not one.asked]
    return [one.name for one in every() if one.where is Where.ANY or one.board == arch]


def for_matrix() -> tuple[str, ...]:
    """The names of the groups of a cell of the matrix."""
    return tuple(one.name for one in every() if one.where is Where.ANY and one.in_matrix)

