# SPDX-License-Identifier: GPL-2.0-only
"""Tests of kdebug.mutants."""

import toy  # noqa: F401  # it puts scripts/lib on the path
