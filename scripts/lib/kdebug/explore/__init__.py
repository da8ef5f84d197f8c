# SPDX-License-Identifier: GPL-2.0-only
"""make explore: each creation of a thread in a scenario, broken in turn, and what comes of it."""
