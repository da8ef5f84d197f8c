# SPDX-License-Identifier: GPL-2.0-only
"""The scenarios of the repository: that each can be read, and runs on the flavour that is made for them."""

from __future__ import annotations

import unittest

from kdebug.build import flavours
from kdebug.context import Context
from kdebug.explore import scenario


class Library(unittest.TestCase):
    def setUp(self) -> None:
        self.context = Context()
        self.scenarios = scenario.find(self.context, [])

    def test_each_has_a_title_of_its_own(self) -> None:
        titles = [one.title for one in self.scenarios]
        self.assertEqual(sorted({t for t in titles if titles.count(t) > 1}), [])
        self.assertEqual([one.name for one in self.scenarios if one.title == one.name], [])

    def test_the_flavour_has_all_that_they_need(self) -> None:
        files = flavours.fragments(self.context, "explore")
        config = {o: v for file in files for o, v in flavours.options(file.read_text()).items()}
        self.assertEqual({one.name: lacks for one in self.scenarios if (lacks := one.lacks(config))}, {})
        self.assertEqual([one.name for one in self.scenarios if not one.options], [])

    def test_a_disk_is_not_named_by_its_number_alone(self) -> None:
        """It is asked for in the head, and its path comes from there."""
        for one in self.scenarios:
            self.assertNotRegex(one.text, r"/dev/vd[a-z]", one.name)
            used = {n for n in range(1, scenario.MOST_DISKS + 1) if f"$DISK{n}" in one.text}
            self.assertEqual(used, set(range(1, len(one.disks) + 1)), one.name)
