# SPDX-License-Identifier: GPL-2.0-only
"""What the documents name is there: files, commands, targets."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

import toy

REPO = toy.SCRIPTS.parent

DOCUMENTS = [REPO / "README.md", REPO / "CONTRIBUTING.md", *sorted((REPO / "docs").glob("*.md"))]
# Of the kernel's own make and scripts.
KERNELS = {"olddefconfig", "scripts/config"}
HERE = ("docs/", "configs/", "patches/", "scripts/", "bases/", "experiments/", "labs/", "kernel/repro")


def code(text: str) -> list[str]:
    """What stands in back quotes, and the indented lines without what is behind a #."""
    spans = re.findall(r"`([^`]+)`", re.sub(r"^    .*", "", text, flags=re.M))
    return [re.sub(r"\s+", " ", s) for s in spans] + [line.partition("#")[0] for line in re.findall(r"^    (.*)", text, re.M)]


class Documents(unittest.TestCase):
    def each(self, pattern: str) -> list[tuple[str, str]]:
        """What @pattern finds in the code of each document."""
        found = [(path.name, word) for path in DOCUMENTS for span in code(path.read_text(encoding="utf-8"))
                 for word in re.findall(pattern, span)]
        self.assertGreater(len(found), 3, pattern)
        return [(name, word) for name, word in found if word not in KERNELS]

    def test_length(self) -> None:
        for name, most in (("README.md", 150), ("CONTRIBUTING.md", 70)):
            self.assertLessEqual(len((REPO / name).read_text(encoding="utf-8").splitlines()), most, name)

    def test_links(self) -> None:
        for path in DOCUMENTS:
            for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
                self.assertTrue((path.parent / target).exists(), f"{path.name}: {target}")

    def test_each_page_is_linked(self) -> None:
        readme = (REPO / "README.md").read_text(encoding="utf-8")
        for path in DOCUMENTS[1:]:
            self.assertTrue(f"]({path.relative_to(REPO)})" in readme, f"no link to {path.name}")

    def test_targets(self) -> None:
        targets = re.findall(r"^([a-z-]+(?: [a-z-]+)*):", (REPO / "Makefile").read_text(encoding="utf-8"), re.M)
        known = {target for line in targets for target in line.split()}
        for name, target in self.each(r"(?:^|&& )make ([a-z][a-z-]*)\b"):
            self.assertIn(target, known, name)

    def test_commands(self) -> None:
        for name, command in self.each(r"(?:^|[ ;])(scripts/[a-z-]+)(?= |$)"):
            self.assertTrue((REPO / command).exists(), f"{name}: {command}")

    def test_paths(self) -> None:
        for name, path in self.each(rf"^((?:{'|'.join(HERE)})[\w./-]*)$"):
            if "..." not in path:
                self.assertTrue((REPO / path).exists(), f"{name}: {path}")

    def test_the_guide_names_tests_that_are_there(self) -> None:
        """Each row of the tables in kthread-debug.rst names the tests that show it, as ``program:test``."""
        named, there = set[str](), set[str]()
        declared = re.compile(r"TEST_F(?:_TIMEOUT)?\(\w+, (\w+)|FIXTURE\((\w+)\)|FIXTURE_VARIANT_ADD\(\w+, (\w+)\)"
                              r'|^\{ "(\w+)",')
        for patch in sorted((REPO / "patches").glob("*/*.patch")):
            file = Path()
            for line in patch.read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith("+++ b/"):
                    file = Path(line.removeprefix("+++ b/"))
                elif line.startswith("+") and file.name == "kthread-debug.rst":
                    named |= set(re.findall(r"``([a-z_]+:[a-z]\w+)``", line))
                elif line.startswith("+") and "selftests/kthread" in str(file):
                    there |= {f"{file.stem}:{word}" for found in declared.findall(line[1:].strip()) for word in found}
        self.assertGreater(len(named), 13)
        self.assertEqual(named - there, set())


if __name__ == "__main__":
    unittest.main()
