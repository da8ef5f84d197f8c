# SPDX-License-Identifier: GPL-2.0-only
"""What is built: configuration, kernel, modules, guest programs, root file system."""
