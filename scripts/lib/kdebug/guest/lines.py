# SPDX-License-Identifier: GPL-2.0-only
"""A line of the console, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

STAMP = re.compile(r"(?:<\d+>)?\[ *(\d+\.\d{6})\](?:\[ *[CT]\d+\])? ?")
ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
PROGRAM = re.compile(r"kdebug: ([^\s|]+)\| ?(.*)")


@dataclass(frozen=True)
class Line:
    """A line of the console."""

    number: int           # in console.log, from 1
    host: float           # host's monotonic clock
    guest: float | None   # seconds on the kernel's stamp
    text: str             # the line without stamp, escapes and control bytes
    prog: str | None      # the guest program that printed it
    said: str             # what that program printed, else the same as text


def clean(raw: bytes) -> str:
    """The bytes @raw as text, without escapes and control characters."""
    text = ESCAPE.sub("", raw.decode("utf-8", "replace").replace("\r", ""))
    return CONTROL.sub("\ufffd", text)


def parse_line(number: int, host: float, raw: bytes) -> Line:
    """Take a line apart. Firmware, or a panic, can leave an unfinished line in
    front of a stamp: then the message is what stands behind the last stamp,
    unless a program printed the line, which may quote the log."""
    text = clean(raw)
    stamps = list(STAMP.finditer(text))
    if not stamps:
        return Line(number, host, None, text, None, text)
    first, last = stamps[0], stamps[-1]
    if prog := PROGRAM.match(text, first.end()):
        return Line(number, host, float(first[1]), text[first.end():], prog[1], prog[2])
    said = text[last.end():]
    return Line(number, host, float(last[1]), said, None, said)
