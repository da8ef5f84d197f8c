# SPDX-License-Identifier: GPL-2.0-only
"""All groups of tests: each declares itself when its module is read. Their order is that of a run."""

from . import units, patches, builds, kunit, selftests, fuzz, misuse, torture
from . import models, mutants, monitor, cost, articles, calls, boot_options
from . import unpatched, runner, explore, postmortem, arm_board

__all__ = ["units", "patches", "builds", "kunit", "selftests", "fuzz", "misuse", "torture", "models", "mutants",
           "monitor", "cost", "articles", "calls", "boot_options", "unpatched", "runner", "explore", "postmortem",
           "arm_board"]
