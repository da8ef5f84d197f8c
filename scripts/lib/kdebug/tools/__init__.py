# SPDX-License-Identifier: GPL-2.0-only
"""Commands of their own on top of a guest: fail-each, timeline."""
