# SPDX-License-Identifier: GPL-2.0-only
"""What a guest of scripts/explore has to load."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from kdebug.explore import guest

from scratch import Scratch


class Modules(Scratch):
    def test_a_module_of_the_kernel_is_not_hidden(self) -> None:
        (self.tmp / "modules.order").write_text("kernel/torture.o\nkernel/scftorture.o\n")
        own = [self.tmp / "kernel" / f"{name}.ko" for name in ("torture", "scftorture")]
        ours = [self.tmp / "ours" / f"{name}.ko" for name in ("torture", "three")]
        ready: Any = SimpleNamespace(kernel=SimpleNamespace(out=self.tmp), modules=[*own, *ours])
        self.assertEqual(guest._external(ready), ours[1:])
