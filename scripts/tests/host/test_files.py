# SPDX-License-Identifier: GPL-2.0-only
"""Keys of content, and stamps."""

import os

from kdebug.host import files
from scratch import Scratch


class Stamps(Scratch):
    def test_digest_keeps_parts_apart(self) -> None:
        self.assertNotEqual(files.digest("ab", "c"), files.digest("a", "bc"))

    def test_damaged_stamp_is_none(self) -> None:
        path = self.tmp / "s.json"
        self.assertEqual(files.load_json(path), {})
        files.save_json(path, {"key": "k"})
        self.assertEqual(files.load_json(path), {"key": "k"})
        for text in ("", '{"key": "k"', "[1]", "\0"):
            path.write_text(text)
            self.assertEqual(files.load_json(path), {})

    def test_stat_digest(self) -> None:
        path = self.tmp / "Kconfig"
        before = files.stat_digest(self.tmp, [path])
        path.write_text("a")
        os.utime(path, (5, 5))
        there = files.stat_digest(self.tmp, [path])
        self.assertNotEqual(before, there)
        os.utime(path, (6, 6))
        self.assertNotEqual(there, files.stat_digest(self.tmp, [path]))
