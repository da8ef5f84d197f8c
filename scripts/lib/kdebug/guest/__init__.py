# SPDX-License-Identifier: GPL-2.0-only
"""A guest: QEMU, the run, the console, and the judgement of both."""
