# SPDX-License-Identifier: GPL-2.0-only
"""How far kernel.org's signature is checked."""

from __future__ import annotations

import os
from unittest import mock

import toy
from kdebug.source import kernel_org
from source.mirror import tool


class Signed(toy.Case):
    def answer(self, status: str) -> str:
        tool(self.tmp / "bin", "gpg", f'case "$*" in *--verify*) echo "[GNUPG:] {status}";; esac\n')
        with mock.patch.dict(os.environ, {"PATH": f"{self.tmp / 'bin'}:{os.environ['PATH']}"}):
            return kernel_org._signed(self.context, self.tmp / "sha256sums.asc")

    def test_only_kernel_orgs_own_key_is_good(self) -> None:
        self.assertEqual(self.answer(f"VALIDSIG {kernel_org.KERNEL_ORG_KEY} 2025"), "signature good")
        self.assertEqual(self.answer(f"VALIDSIG {'0' * 40} 2025"), "signature not checked: no key")
        with self.fails("sha256sums.asc", "altered"):
            self.answer("BADSIG 632D3A06589DA6B1 Kernel.org")

    def test_it_is_said_when_nothing_checks(self) -> None:
        with mock.patch.dict(os.environ, {"PATH": "/nonexistent"}):
            self.assertEqual(kernel_org._signed(self.context, self.tmp / "sha256sums.asc"), "signature not checked: no gpg")
