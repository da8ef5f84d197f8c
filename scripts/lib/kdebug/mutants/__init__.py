# SPDX-License-Identifier: GPL-2.0-only
"""make mutants: the series with one line broken at a time, and the test that sees it."""
