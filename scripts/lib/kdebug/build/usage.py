# SPDX-License-Identifier: GPL-2.0-only
"""Refuse a bad ARCH=, BASE=, SET= or FLAVOUR= before anything is installed, for scripts/deps.

Prints the packages that the architecture needs, one a line.
"""

from __future__ import annotations

import sys

from kdebug.build import arch, flavours
from kdebug.context import read
from kdebug.host import ui


def main() -> None:
    context = read()
    for flavour in context.flavours:
        flavours.fragments(context, flavour)
    sys.stdout.write("".join(f"{name}\n" for name in arch.needed_packages(arch.of(context))))


if __name__ == "__main__":
    with ui.command():
        main()
