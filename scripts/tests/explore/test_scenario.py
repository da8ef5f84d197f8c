# SPDX-License-Identifier: GPL-2.0-only
"""What a scenario says of itself, and what is refused."""

from __future__ import annotations

from kdebug.explore import scenario
from kdebug.host import ui
from scratch import Scratch, fail

GOOD = """\
#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034
# md raid1: no, a title
# options: MD_RAID1 CONFIG_BLK_DEV_MD A|B_2
# packages: mdadm e2fsprogs
# disks: 2x64M 1G
# cpus: 4
# memory: 1024
# limit: 60
# needs: net cold
action() { true; }   # disks: 7x7Q is no header here
# cpus: 99
""".replace("raid1: no", "raid1, no")


class Read(Scratch):
    def read(self, text: str, name: str = "one.sh") -> scenario.Scenario:
        path = self.tmp / name
        path.write_text(text)
        return scenario.read(path)

    def refused(self, text: str, name: str = "one.sh") -> ui.Fail:
        return fail(self, self.read, text, name)

    def test_all_words(self) -> None:
        one = self.read(GOOD)
        self.assertEqual((one.name, one.title), ("one", "md raid1, no, a title"))
        self.assertEqual(one.options, ("MD_RAID1", "BLK_DEV_MD", "A|B_2"))
        self.assertEqual(one.packages, ("mdadm", "e2fsprogs"))
        self.assertEqual(one.disks, (64 << 20, 64 << 20, 1 << 30))
        self.assertEqual((one.cpus, one.memory, one.limit, one.needs), (4, 1024, 60, ("net", "cold")))

    def test_only_an_action(self) -> None:
        one = self.read("action() { true; }\n")
        self.assertEqual((one.title, one.options, one.disks, one.cpus, one.memory, one.limit),
                         ("one", (), (), 2, None, 30))

    def test_bad_heads_name_file_and_line(self) -> None:
        for head, why in (("disks: 64Q", "64Q"), ("disks:", "0 disks"), ("disks: 0x64M", "0x64M"),
                          ("disks: 17x1M", "17 disks"), ("cpus: two", "two"), ("cpus: 0", "'0'"),
                          ("limit: 601", "601"), ("memory: 1", "'1'"),
                          ("needs: internet", "internet"), ("options: MD-RAID1", "MD-RAID1"), ("options:", "''"),
                          ("packages: Mdadm", "Mdadm"), ("disk: 64M", "disk:")):
            with self.subTest(head):
                err = self.refused(f"# a title\n# {head}\naction() {{ true; }}\n")
                self.assertIn("one.sh:2", err.what)
                self.assertIn(why, err.problem)
                self.assertTrue(err.remedy)

    def test_twice_the_same_word(self) -> None:
        err = self.refused("# cpus: 1\n# cpus: 2\naction() { true; }\n")
        self.assertIn("one.sh:2", err.what)

    def test_no_action(self) -> None:
        self.assertIn("no action()", self.refused("setup() { true; }\n").problem)

    def test_no_shell_script(self) -> None:
        self.assertIn("no shell script", self.refused("action() { true\n").problem)

    def test_no_file_and_no_text(self) -> None:
        self.assertIn("cannot be read", fail(self, scenario.read, self.tmp / "none.sh").problem)
        (self.tmp / "bytes.sh").write_bytes(b"\xff\xfe")
        self.assertIn("cannot be read", fail(self, scenario.read, self.tmp / "bytes.sh").problem)

    def test_bad_name(self) -> None:
        self.assertIn("bad name", self.refused("action() { true; }\n", "a b.sh").problem)

    def test_lacks(self) -> None:
        one = self.read("# options: A B|C\naction() { true; }\n")
        self.assertEqual(one.lacks({"CONFIG_A": "m", "CONFIG_C": "y"}), [])
        self.assertEqual(one.lacks({"CONFIG_A": "n", "CONFIG_B": "n"}), ["A", "B|C"])


class Find(Scratch):
    def setUp(self) -> None:
        super().setUp()
        self.library = scenario.folder(self.context)
        self.library.mkdir(parents=True)
        for name in ("b", "a"):
            (self.library / f"{name}.sh").write_text("action() { true; }\n")

    def test_names_paths_and_all(self) -> None:
        other = self.tmp / "other.sh"
        other.write_text("action() { true; }\n")
        self.assertEqual([one.name for one in scenario.find(self.context, ["b", str(other)])], ["b", "other"])
        self.assertEqual([one.name for one in scenario.find(self.context, [])], ["a", "b"])

    def test_unknown(self) -> None:
        self.assertIn("a b", fail(self, scenario.find, self.context, ["c"]).remedy)

    def test_twice(self) -> None:
        self.assertIn("second", fail(self, scenario.find, self.context, ["a", "a"]).problem)

    def test_nothing(self) -> None:
        for path in self.library.glob("*"):
            path.unlink()
        self.assertIn("no scenario", fail(self, scenario.find, self.context, []).problem)
