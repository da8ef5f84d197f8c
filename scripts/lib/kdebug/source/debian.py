# SPDX-License-Identifier: GPL-2.0-only
"""Debian's packaged source: in which suite or file it is, for each base."""

from __future__ import annotations

from pathlib import Path

from kdebug.context import Context
from kdebug.host import apt
from kdebug.source import trees

# The suites of Debian that may have it; the first that has it is taken. Of 7.2 and 6.12 the suite
# comes first that gets a release before the others do.
SUITES: dict[str, tuple[str, ...]] = {
    "7.3": ("trixie-backports", "stable-backports", "testing", "unstable"),
    "7.2": ("unstable", "testing", "trixie-backports"),
    "7.1": (),
    "6.18": (),
    "6.12": ("trixie-security", "bookworm-security", "trixie", "stable"),
}
# What was in a suite and is in none now is in the mirrors' pool for some time yet.
# No signature leads to it any more, so its size and SHA-256 are told here, from when
# one did or, of 7.1 and 6.18, from when they were first fetched.
POOL = {
    "7.2": ("linux-source-7.2_7.2.13-1_all.deb", 164108840,
            "30a8c5fc63f9028a62e6d7b3f7f43bee67425dbce2a05fceba83f9b87c92083d"),
    "7.1": ("linux-source-7.1_7.1.13-1~bpo13+1_all.deb", 162700552,
            "50166eae1af0dd300ad3f74e7829bb4bbff71038eb4934625c713d021eb03258"),
    "6.18": ("linux-source-6.18_6.18.15-1~bpo13+1_all.deb", 158400124,
             "1638c9e5f4307c722231d8000e30cd2fa2fb71f55e081ff9eecfd0a756955c18"),
}


def package(context: Context) -> str:
    """The name of the package with the base's source."""
    return f"linux-source-{context.base}"


def newest(context: Context, mirrors: list[str]) -> Path | None:
    """Fetch the newest packaged source of the base; None when no mirror has it."""
    pool = [POOL[context.base]] if context.base in POOL else []
    return apt.newest(context, mirrors, package(context), SUITES[context.base],
                      [(f"pool/main/l/linux/{file}", size, sha256) for file, size, sha256 in pool],
                      trees.other_source(context))
