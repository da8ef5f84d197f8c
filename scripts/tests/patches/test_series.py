# SPDX-License-Identifier: GPL-2.0-only
"""series and patches/ agree, or the repair is named; which patches a set needs."""

from __future__ import annotations

import subprocess
import sys

import toy
from kdebug.patches import series

ONE, TWO = "1-fixes/0001-a.patch", "2-debug/0001-b.patch"


class Series(toy.Case):
    def write(self, text: str, *files: str) -> list[series.Set]:
        toy.plant(self.tmp / "patches", dict.fromkeys(files, ""))
        (self.tmp / "patches").mkdir(exist_ok=True)
        (self.tmp / "series").write_text(text)
        return series.sets(self.using(repo=self.tmp))

    def read(self, text: str, *files: str) -> list[str]:
        return [series.name(patch) for patch in series.flat(self.write(text, *files))]

    def test_order_comments_and_blank_lines(self) -> None:
        found = self.read("# A\n\n1-fixes/0002-c.patch\n  # B\n1-fixes/0001-a.patch   # why\n2-debug/0001-b.patch\n",
                          ONE, "1-fixes/0002-c.patch", TWO)
        self.assertEqual(found, ["1-fixes/0002-c.patch", ONE, TWO])

    def test_the_sets(self) -> None:
        found = self.write(f"{ONE}\n{TWO}\n4-misuse/0001-a.patch\n", ONE, TWO, "4-misuse/0001-a.patch")
        self.assertEqual([(one.name, one.short, [p.name for p in one.patches]) for one in found],
                         [("1-fixes", "fixes", ["0001-a.patch"]), ("2-debug", "debug", ["0001-b.patch"]),
                          ("3-fault", "fault", []), ("4-misuse", "misuse", ["0001-a.patch"])])

    def test_a_set_and_those_that_it_needs(self) -> None:
        found = self.write("")
        for name, want in (("1-fixes", "1"), ("2-debug", "12"), ("3-fault", "123"), ("4-misuse", "124"), ("", "1234")):
            with self.subTest(name):
                self.assertEqual("".join(one.name[0] for one in series.upto(name, found)), want)

    def test_cover_letters_and_backups_need_no_line(self) -> None:
        self.assertEqual(self.read("# none yet\n", "1-fixes/0000-cover-letter.patch", "0000-cover-letter.patch",
                                   "1-fixes/0001-a.patch~", "README"), [])

    def test_a_line_without_a_file(self) -> None:
        with self.fails("series:2", f"patches/{TWO}", "git checkout", "sed -i 2d series"):
            self.read(f"{ONE}\n{TWO}\n", ONE)

    def test_a_file_without_a_line(self) -> None:
        with self.fails(f"patches/{TWO}", "series", f"echo {TWO} >>series", f"rm patches/{TWO}"):
            self.read(f"{ONE}\n", ONE, TWO)

    def test_the_line_that_is_missing_goes_to_its_set(self) -> None:
        text = f"# A\n{ONE}\n\n{TWO}\n"
        for new, want in (("1-fixes/0002-c.patch", f"# A\n{ONE}\n1-fixes/0002-c.patch\n\n{TWO}\n"),
                          ("3-fault/0001-c.patch", f"{text}3-fault/0001-c.patch\n")):
            (self.tmp / "series").unlink(missing_ok=True)
            with self.subTest(new), self.fails(f"patches/{new}") as caught:
                self.read(text, ONE, TWO, new)
            command = str(caught.exception).split("run: ")[1].split(" or, ")[0]
            subprocess.run(["sh", "-c", command], cwd=self.tmp, check=True)
            self.assertEqual((self.tmp / "series").read_text(), want)
            (self.tmp / "patches" / new).unlink()

    def test_the_same_line_twice(self) -> None:
        with self.fails("series:3", "line 1", "sed -i 3d series"):
            self.read(f"{ONE}\n\n{ONE}\n", ONE)

    def test_a_set_that_comes_back(self) -> None:
        with self.fails("series:3", "1-fixes/0002-c.patch is behind the set 2-debug", "others of 1-fixes"):
            self.read(f"{ONE}\n{TWO}\n1-fixes/0002-c.patch\n", ONE, TWO, "1-fixes/0002-c.patch")

    def test_what_is_no_patch_name(self) -> None:
        for line in (f"{ONE} -p0", "../0001-a.patch", "1-fixes/../0001-a.patch", "1-fixes/0000-cover-letter.patch",
                     "1-fixes/0001-a", "0001-a.patch", "5-more/0001-a.patch"):
            with self.subTest(line), self.fails("series:1", f"'{line}' is not the name of a patch", "1-fixes 2-debug"):
                self.write(line + "\n", ONE, "0001-a.patch")

    def test_a_patch_in_the_folder_of_no_set(self) -> None:
        for name in ("0001-a.patch", "5-more/0001-a.patch"):
            with self.subTest(name), self.fails(f"patches/{name}", "of no set", "patches/1-fixes patches/2-debug"):
                self.write("", name)
            (self.tmp / "patches" / name).unlink()

    def test_no_series(self) -> None:
        with self.fails("series", "git checkout -- series"):
            series.read(self.using(repo=self.tmp))

    def test_experiments_have_no_sets(self) -> None:
        context = self.using(repo=self.tmp)
        toy.plant(context.experiments, {"0001-a.patch": "", "series": "0001-a.patch\n"})
        self.assertEqual(series.experiments(context), [context.experiments / "0001-a.patch"])
        (context.experiments / "series").write_text(f"{ONE}\n")
        with self.fails("series:1", "is not the name of a patch"):
            series.experiments(context)


class Chosen(toy.Case):
    """SET= in the environment."""

    def asked(self, given: str, **env: str) -> subprocess.CompletedProcess[str]:
        code = ("from kdebug.context import read\nfrom kdebug.host import ui\nwith ui.command():\n    c = read()\n"
                "    print(c.set, *(p.relative_to(c.root) for p in (c.linux, c.out, c.results, c.src)))\n")
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=self.env | {
            "SET": given, "BASE": "", "PYTHONPATH": str(self.context.scripts / "lib")} | env)

    def test_each_has_directories_of_its_own(self) -> None:
        self.assertEqual(self.asked("").stdout, " linux out results src\n")
        for given in ("debug", "2-debug"):
            self.assertEqual(self.asked(given).stdout,
                             "2-debug sets/2-debug/linux sets/2-debug/out sets/2-debug/results src\n")
        self.assertEqual(self.asked("misuse", BASE="6.12").stdout.split()[1:],
                         ["6.12/sets/4-misuse/linux", "6.12/sets/4-misuse/out", "6.12/sets/4-misuse/results", "6.12/src"])

    def test_another_is_refused_by_name(self) -> None:
        for given in ("2", "2-", "debug,fault", "5-more", "../x"):
            done = self.asked(given)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertEqual(done.stderr, f"error: SET={given}: no such set; use one of fixes debug fault "
                                          "misuse, or no SET= for all\n")

    def test_its_options_alone_are_asked_for(self) -> None:
        one, two = (f"+config {name}\n+\tbool\n config OLD\n+menuconfig {name}_MENU\n" for name in ("ONE", "TWO"))
        toy.plant(self.tmp / "patches", {ONE: one, TWO: two})
        (self.tmp / "series").write_text(f"{ONE}\n{TWO}\n")
        for name, want in (("", set()), ("1-fixes", {"CONFIG_TWO", "CONFIG_TWO_MENU"}), ("2-debug", set())):
            with self.subTest(name):
                self.assertEqual(series.lacking(self.using(repo=self.tmp, set=name)), want)
