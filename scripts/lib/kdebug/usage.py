# SPDX-License-Identifier: GPL-2.0-only
"""Refuse a bad ARCH=, BASE=, SET= or FLAVOUR= before anything is installed, for scripts/deps.

Prints the packages that the architecture needs, one a line.
"""

from __future__ import annotations

import os
import re
import sys

from kdebug import arch, kbuild, ui


def main() -> None:
    row = arch.current()
    kbuild.fragments(re.split(r"[ ,]+", os.environ.get("FLAVOUR") or "plain"))
    sys.stdout.write("".join(f"{name}\n" for name in arch.needed_packages(row)))


if __name__ == "__main__":
    with ui.command():
        main()
