# SPDX-License-Identifier: GPL-2.0-only
"""What every part needs of this machine: paths, files, programs, packages, the terminal."""
