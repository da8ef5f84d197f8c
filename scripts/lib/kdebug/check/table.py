# SPDX-License-Identifier: GPL-2.0-only
"""The table on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence


class Table:
    """Patch by check: on a terminal drawn anew as it fills, in a pipe row by row."""

    def __init__(self, rows: Sequence[str], checks: Sequence[str], width: int = 4, first: int = 24) -> None:
        self.rows, self.checks = rows, checks
        self.width, self.first = width, first  # of a cell at least, and of the rows' names
        self.cells: dict[tuple[int, str], str] = {}
        self.drawn = 0
        self.live = sys.stdout.isatty()

    def line(self, row: int) -> str:
        cells = "".join(f"{self.cells.get((row, c), ''):>{max(len(c), self.width) + 1}}" for c in self.checks)
        return f"{self.rows[row]:<{self.first}.{self.first}}{cells}"

    def head(self) -> str:
        return " " * self.first + "".join(f"{c:>{max(len(c), self.width) + 1}}" for c in self.checks)

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
