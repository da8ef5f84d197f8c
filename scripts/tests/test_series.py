# SPDX-License-Identifier: GPL-2.0-only
"""series and patches/ agree, or the repair is named."""

from __future__ import annotations

import toy
from kdebug import series


class Series(toy.Case):
    def read(self, text: str, *files: str) -> list[str]:
        patches = self.tmp / "patches"
        patches.mkdir()
        for name in files:
            (patches / name).touch()
        (self.tmp / "series").write_text(text)
        return [p.name for p in series.read(self.tmp / "series", patches)]

    def test_order_comments_and_blank_lines(self) -> None:
        found = self.read("# A\n\n0002-b.patch\n  # B\n0001-a.patch   # why\n", "0001-a.patch", "0002-b.patch")
        self.assertEqual(found, ["0002-b.patch", "0001-a.patch"])

    def test_cover_letter_and_backups_need_no_line(self) -> None:
        self.assertEqual(self.read("# none yet\n", "0000-cover-letter.patch", "0001-a.patch~", "README"), [])

    def test_a_line_without_a_file(self) -> None:
        with self.fails("series:2", "patches/0002-b.patch", "git checkout", "sed -i 2d series"):
            self.read("0001-a.patch\n0002-b.patch\n", "0001-a.patch")

    def test_a_file_without_a_line(self) -> None:
        with self.fails("patches/0002-b.patch", "series", "echo 0002-b.patch >>series"):
            self.read("0001-a.patch\n", "0001-a.patch", "0002-b.patch")

    def test_the_same_line_twice(self) -> None:
        with self.fails("series:3", "line 1", "sed -i 3d series"):
            self.read("0001-a.patch\n\n0001-a.patch\n", "0001-a.patch")

    def test_what_is_no_patch_name(self) -> None:
        for line in ("0001-a.patch -p0", "../0001-a.patch", "0000-cover-letter.patch", "0001-a"):
            with self.subTest(line), self.fails("series:1", "not the name of a patch"):
                series_file = self.tmp / "series"
                series_file.write_text(line + "\n")
                series.read(series_file, self.tmp)

    def test_no_series(self) -> None:
        with self.fails("series", "git checkout -- series"):
            series.read(self.tmp / "series", self.tmp)
