# SPDX-License-Identifier: GPL-2.0-only
"""The series of patches: its order, its sets, the patched tree, the git tree of make tree."""
