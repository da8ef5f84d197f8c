# SPDX-License-Identifier: GPL-2.0-only
"""What is kept of the verdicts, for which state of the series."""

from __future__ import annotations

import unittest
from pathlib import Path
from unittest import mock

import toy
from kdebug.guest.ktap import Test
from kdebug.suite import store


def tests(**said: str) -> list[Test]:
    return [Test(name, {"fail": "not ok"}.get(verdict, verdict)) for name, verdict in said.items()]


class Results(toy.Case):
    def setUp(self) -> None:
        super().setUp()
        self.root = self.context.results

    def load(self, key: str = "k") -> dict[str, str]:
        return store.load(self.context, key)

    def save(self, group: str, key: str = "k", **said: str) -> None:
        store.save(self.context, group, tests(**said), key)

    def test_added_to_and_dropped_with_the_series(self) -> None:
        self.assertEqual(self.load(), {})
        self.save("a", x="ok", y="fail")
        self.save("b", z="skip")
        self.save("a", y="ok")
        self.assertEqual(self.load(), {"x": "ok", "y": "ok", "z": "skip"})
        self.assertEqual(self.load("other"), {})
        self.save("a", "other", new="ok")
        self.assertEqual(self.load("other"), {"new": "ok"})
        self.assertEqual(self.load(), {"z": "skip"})

    def test_two_flavours_are_one_table(self) -> None:
        for flavour, verdict in (("plain", "ok"), ("kasan", "fail"), ("plain", "skip")):
            test = Test(f"{flavour}: repro: E2 control", {"fail": "not ok"}.get(verdict, verdict))
            store.save(self.context, "guest", [test], "k")
        self.assertEqual(self.load(), {"plain: repro: E2 control": "skip", "kasan: repro: E2 control": "fail"})

    def test_a_torn_file_is_nothing(self) -> None:
        self.save("a", x="ok", y="skip")
        path = self.root / "a.ktap"
        whole = path.read_bytes()
        for cut in range(len(whole)):
            path.write_bytes(whole[:cut])
            self.assertEqual(self.load(), {}, cut)
        path.write_bytes(whole.replace(b"1..2", b"1..3"))
        self.assertEqual(self.load(), {})
        path.write_bytes(b"\xff" + whole)
        self.assertEqual(self.load(), {})

    def test_an_interrupted_writer_leaves_what_was(self) -> None:
        self.save("a", x="ok")
        with mock.patch.object(Path, "rename", side_effect=KeyboardInterrupt), self.assertRaises(KeyboardInterrupt):
            self.save("a", x="fail")
        self.assertEqual(self.load(), {"x": "ok"})
        self.save("a", y="ok")
        self.assertEqual(self.load(), {"x": "ok", "y": "ok"})

    def test_odd_names_are_kept(self) -> None:
        odd = ["a # b", "back\\slash", "two\nlines", "plain: three/0\\[\\d+\\]", " x ", "series: k"]
        bad = [Test(name, "not ok", why=["series: other", name.replace("\n", " ")]) for name in odd]
        store.save(self.context, "a", bad, "k")
        self.assertEqual(self.load(), dict.fromkeys(odd, "fail"))
        self.assertEqual(self.load("other"), {})

    def test_the_report_of_a_run_is_no_groups(self) -> None:
        self.save(store.LAST_RUN.removesuffix(".ktap"), x="ok")
        self.assertEqual(self.load(), {})

    def test_what_has_not_come_to_its_end_is_not_kept(self) -> None:
        self.save("a", x="ok")
        path = self.root / "a.ktap"
        path.write_text(path.read_text().replace("ok 1 - x\n", "    # Subtest: x\n    ok 1 - y\n"))
        self.assertEqual(self.load(), {})


class Key(toy.Case):
    def test_any_patch_is_part_of_it(self) -> None:
        toy.plant(self.tmp, {"patches/1-fixes/0001-a.patch": "a", "bases/6.12/1.patch": "b"})
        new, old = self.using(repo=self.tmp, base="7.3"), self.using(repo=self.tmp, base="6.12")
        seen = [store.series_key(new), store.series_key(old)]
        for name in ("patches/1-fixes/0001-a.patch", "patches/1-fixes/0002-b.patch"):
            toy.plant(self.tmp, {name: "c"})
            seen.append(store.series_key(new))
        toy.plant(self.tmp, {"bases/6.12/1.patch": "d"})
        self.assertEqual(store.series_key(new), seen[-1])
        seen.append(store.series_key(old))
        self.assertEqual(len(set(seen)), len(seen))


if __name__ == "__main__":
    unittest.main()
