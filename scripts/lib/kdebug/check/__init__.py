# SPDX-License-Identifier: GPL-2.0-only
"""make check: a row for each patch, a column for each check."""
