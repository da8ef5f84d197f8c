# SPDX-License-Identifier: GPL-2.0-only
"""The lists of mutants: what is a block, where it fits, which argument is for it, which are the day's."""

from __future__ import annotations

import subprocess
import unittest
from pathlib import Path

import toy
from kdebug.mutants import blocks
from kdebug.mutants.blocks import Mutant
from scratch import Scratch, fail

CODE = """\
#define both(x) \\
do { \\
\tone(x); \\
} while (0)

struct one {
\tint two;
};

void two(void);

static int one(int x)
{
\tif (x)
\t\treturn 1;
\treturn 0;
}

static
void two(void)
{
\tone(1);
\tone(1);
}

static const char * const names[] = {
\t"a",
};
"""

LIST = """\
# A comment.

file kernel/one.c

# And another one.
mutant one-is-none
function one
seen by table
-\tif (x)
+\tif (!x)
 \t\treturn 1;

mutant order-of-two
function two
seen by plain cause
+\tone(2);
 \tone(1);
 \tone(1);

file kernel/two.c

mutant barrier-of-three
function three
seen by litmus kthread-a-b: barrier();
-\tsmp_mb();
"""


class Lists(Scratch):
    def setUp(self) -> None:
        super().setUp()
        self.folder = self.tmp / "mutants"
        self.folder.mkdir()

    def read(self, text: str = LIST, name: str = "one.txt") -> list[Mutant]:
        (self.folder / name).write_text(text)
        return blocks.read(self.folder)

    def refused(self, text: str, *words: str) -> None:
        said = str(fail(self, self.read, text))
        for word in words:
            self.assertIn(word, said)

    def test_blocks(self) -> None:
        one, order, barrier = self.read()
        self.assertEqual((one.id, one.at), ("one-is-none", "mutants/one.txt:6"))
        self.assertEqual((one.file, one.function), ("kernel/one.c", "one"))
        self.assertEqual((one.kernel, one.seen), ("um", "table"))
        self.assertEqual(one.old, ("\tif (x)", "\t\treturn 1;"))
        self.assertEqual(one.new, ("\tif (!x)", "\t\treturn 1;"))
        self.assertEqual((order.kernel, order.seen), ("plain", "cause"))
        self.assertEqual(order.new, ("\tone(2);", "\tone(1);", "\tone(1);"))
        self.assertEqual((barrier.file, barrier.kernel), ("kernel/two.c", "litmus"))
        self.assertEqual(barrier.seen, "kthread-a-b: barrier();")
        self.assertEqual(barrier.new, ())

    def test_what_is_no_block_is_refused(self) -> None:
        self.refused(LIST.replace("function one\n", "funktion one\n"), "mutants/one.txt:7", "'funktion one'")
        self.refused(LIST.replace("file kernel/one.c\n", ""), "mutants/one.txt:5", "one-is-none has no file")
        self.refused(LIST.replace("function two\n", ""), "order-of-two has no function")
        self.refused(LIST.replace("seen by table", "seen table"), "one-is-none has no seen by")
        self.refused(LIST.replace("-\tsmp_mb();", "+\tsmp_mb();"), "barrier-of-three has no line with '-'")
        self.refused(LIST.replace("!x", "x"), "one-is-none changes nothing")
        self.refused(LIST.replace("one-is-none", "One"), "'One' is no id")
        self.refused(LIST + "\n" + LIST.partition("\n\n")[2], "one-is-none is in mutants/one.txt:6, too")
        self.refused("# nothing\n", "has no mutant")

    def test_ids_are_unique_across_lists(self) -> None:
        self.read()
        self.assertIn("another id", str(fail(self, self.read, LIST, "two.txt")))

    def test_the_control_is_in_no_list(self) -> None:
        (self.folder / blocks.CONTROL).write_text(LIST.replace("one-is-none", "other-control"))
        self.assertEqual(len(self.read()), 3)

    # --- where they fit

    def mutate(self, text: str = LIST, code: str = CODE) -> str:
        return blocks.mutate(self.read(text)[0], code)

    def other(self, function: str, lines: str) -> str:
        """The list with another first mutant."""
        return LIST.replace("-\tif (x)\n+\tif (!x)\n \t\treturn 1;", lines).replace(
            "function one", f"function {function}")

    def test_the_lines_of_the_function_alone(self) -> None:
        self.assertEqual(self.mutate(), CODE.replace("if (x)", "if (!x)"))
        inner = self.other("two", "-void two(void)\n+int two(void)")
        self.assertEqual(self.mutate(inner), CODE.replace("static\nvoid two", "static\nint two"))

    def test_a_macro_and_a_variable(self) -> None:
        macro = self.other("both", "-\tone(x); \\\n+\tone(0); \\")
        self.assertEqual(self.mutate(macro), CODE.replace("one(x);", "one(0);"))
        table = self.other("names", '-\t"a",\n+\t"b",')
        self.assertEqual(self.mutate(table), CODE.replace('"a"', '"b"'))

    def test_what_does_not_fit_names_file_id_and_remedy(self) -> None:
        for code, word in ((CODE.replace("if (x)", "if (x > 0)"), "no times"),
                           (CODE.replace("int one(", "int uno("), "kernel/one.c has no one")):
            said = str(fail(self, self.mutate, LIST, code.replace("struct one", "struct uno")))
            for part in ("mutants/one.txt:6: mutant one-is-none", "kernel/one.c", word, "or delete the block"):
                self.assertIn(part, said)

    def test_twice_is_not_once(self) -> None:
        self.assertIn("has its old lines 2 times", str(fail(self, self.mutate, self.other("two", "-\tone(1);"))))

    def test_the_patch_is_one_that_git_applies(self) -> None:
        repo = toy.commit(toy.plant(self.tmp / "repo", {"kernel/one.c": CODE}))
        patch = blocks.patch(self.read()[0], CODE)
        subprocess.run(["git", "-C", repo, "apply", "-"], input=patch, text=True, check=True)
        self.assertEqual((repo / "kernel/one.c").read_text(), self.mutate())

    # --- models

    def test_a_control_has_to_be_there(self) -> None:
        models = self.tmp / "models"
        (models / "litmus").mkdir(parents=True)
        path = models / "litmus/kthread-a-b.litmus"
        mutant = self.read()[2]
        self.assertIn("no models/litmus/kthread-a-b.litmus", str(fail(self, blocks.check_control, mutant, models)))
        path.write_text("\tsmp_mb(); // control: x = 1;\n")
        self.assertIn("no control 'barrier();'; name one of: x = 1;",
                      str(fail(self, blocks.check_control, mutant, models)))
        path.write_text("\tsmp_mb(); // control: barrier();\n")
        blocks.check_control(mutant, models)

    # --- arguments

    def arguments(self, text: str) -> dict[str, blocks.Argument]:
        path = self.folder / blocks.ARGUMENTS
        path.write_text(text)
        return blocks.arguments(path, self.read())

    def test_arguments(self) -> None:
        self.assertEqual(blocks.arguments(self.folder / "none.txt", []), {})
        found = self.arguments("# Why.\none-is-none: It is the same,\n\tas nobody looks.\n\n"
                               "order-of-two: Any order will do.\n")
        self.assertEqual([(name, one.reason) for name, one in found.items()],
                         [("one-is-none", "It is the same, as nobody looks."), ("order-of-two", "Any order will do.")])

    def test_arguments_for_nothing_are_refused(self) -> None:
        for text, word in (("other: x\n", "mutants/arguments.txt:1: no mutant 'other'"),
                           ("one-is-none: a\none-is-none: b\n", "a second argument"),
                           ("one-is-none:\n", "no mutant"), ("one-is-none:  \n", "gives no reason")):
            self.assertIn(word, str(fail(self, self.arguments, text)))

    # --- the day's

    def test_a_day_has_its_own(self) -> None:
        mutants = [Mutant(f"m-{n}", "at", "f", "g", "plain" if n % 10 else "um", "t", ("a",), ())
                   for n in range(200)]
        first = blocks.of_day(mutants, "2026-11-30", 5)
        self.assertEqual(first, blocks.of_day(list(reversed(mutants)), "2026-11-30", 5))
        self.assertEqual(len(set(first)), 5)
        self.assertEqual({one.kernel for one in first}, {"um"})
        self.assertNotEqual(set(first), set(blocks.of_day(mutants, "2026-12-01", 5)))
        days = {one.id for day in range(1, 31) for one in blocks.of_day(mutants, f"2026-12-{day:02}", 5)}
        self.assertEqual(len(days), 20, "in a month each has its turn")


class Repository(unittest.TestCase):
    def test_each_argument_is_for_a_mutant(self) -> None:
        folder = Path(toy.SCRIPTS.parent, "mutants")
        mutants = blocks.read(folder)
        blocks.arguments(folder / blocks.ARGUMENTS, mutants)
        self.assertGreater(len(mutants), 100)
        self.assertEqual(len(blocks.parse(folder / blocks.CONTROL)), 1)
        for mutant in mutants:
            if mutant.kernel in blocks.MODELS:
                blocks.check_control(mutant, toy.SCRIPTS.parent / "models")


if __name__ == "__main__":
    unittest.main()
