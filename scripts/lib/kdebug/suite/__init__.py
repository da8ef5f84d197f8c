# SPDX-License-Identifier: GPL-2.0-only
"""The tests: what there are (groups/), how they run (run.py), and what becomes of what they say."""
