# SPDX-License-Identifier: GPL-2.0-only
"""The lines of the kernel that a model quotes: the model is of these, so they have to be there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Quote:
    """The @code that the @file of the patched kernel has."""

    file: str
    code: str


def _one_line(text: str) -> str:
    return " ".join(text.split())


def missing(tree: Path, quotes: list[Quote]) -> list[str]:
    """A line for each of @quotes that the patched kernel in @tree does not have."""
    texts: dict[str, str] = {}
    lines = []
    for quote in quotes:
        if quote.file not in texts:
            path = tree / quote.file
            texts[quote.file] = _one_line(path.read_text(encoding="utf-8")) if path.is_file() else ""
        if _one_line(quote.code) not in texts[quote.file]:
            lines.append(f"{quote.file} has no '{quote.code}'")
    return lines
