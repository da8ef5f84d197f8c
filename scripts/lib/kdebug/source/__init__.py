# SPDX-License-Identifier: GPL-2.0-only
"""The base kernel: where its source comes from, and its unpacked tree."""
