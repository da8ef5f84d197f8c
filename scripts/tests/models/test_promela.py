# SPDX-License-Identifier: GPL-2.0-only
"""The models in Promela: their headers, what Spin says, and the lines that they quote."""

from __future__ import annotations

import shutil
import unittest
from pathlib import Path

from kdebug.models import promela
from kdebug.models.quoted import Quote, missing
from scratch import Scratch, fail

MODEL = """/*
 *\tgood\tnothing bad
 *\t\thappens
 *\tNO_LOCK\tgood\tkthread_fault.c: lock(&a);
 */
#ifdef ONLY
bool ONLY;
#else
bool good;
#endif
bool a, b;
active [2] proctype task()
{
#ifdef NO_LOCK
\ta = true;
#else
\tatomic { !a -> a = true };
#endif
\tassert(!b || good);
\tb = true;
\tb = false;
\ta = false
}
"""
WHOLE = """
State-vector 88 byte, depth reached 120, errors: 0
   244965 states, stored
unreached in proctype thread
\t/x/handshake.pml:405, state 116, "-end-"
\t/x/handshake.pml:211, state 162, "r[i].point = 2"
\t(2 of 340 states)
"""


class Header(Scratch):
    def model(self, text: str) -> promela.Model:
        path = self.tmp / "toy.pml"
        path.write_text(text)
        return promela.read(path)

    def test_properties_and_controls(self) -> None:
        model = self.model(MODEL)
        self.assertEqual(model.properties, ["good"])
        self.assertEqual(model.controls,
                         [promela.Control("NO_LOCK", "good", Quote("kernel/kthread_fault.c", "lock(&a);"))])

    def test_a_control_of_no_property_is_refused(self) -> None:
        err = fail(self, self.model, MODEL.replace("NO_LOCK\tgood", "NO_LOCK\tbest"))
        self.assertIn("NO_LOCK: breaks 'best'", str(err))

    def test_a_property_without_a_control_is_refused(self) -> None:
        err = fail(self, self.model, MODEL.replace(" *\tNO_LOCK\tgood\tkthread_fault.c: lock(&a);\n", ""))
        self.assertIn("toy.pml: good: no negative control", str(err))

    @unittest.skipUnless(shutil.which("spin"), "no spin")
    def test_a_search_holds_and_a_control_breaks_it(self) -> None:
        model = self.model(MODEL)
        found = promela.search(model)
        self.assertEqual((found.broken, found.whole), ("", True))
        self.assertGreater(found.states, 5)
        self.assertEqual(promela.search(model, control=model.controls[0]).broken, "good")

    @unittest.skipUnless(shutil.which("spin"), "no spin")
    def test_a_model_with_a_mistake_is_told_in_a_line(self) -> None:
        model = self.model(MODEL.replace("b = false", "b = c"))
        self.assertIn("mend the model", str(fail(self, promela.search, model)))


class Said(unittest.TestCase):
    def test_all_states(self) -> None:
        found = promela.parse(WHOLE)
        self.assertEqual((found.states, found.broken, found.whole), (244965, "", True))
        self.assertEqual(found.unreached, ["line 211: r[i].point = 2"])

    def test_what_is_cut_short_is_not_whole(self) -> None:
        for why in ("pan: reached -DMEMLIM bound\n", "error: max search depth too small\n"):
            self.assertFalse(promela.parse(why + WHOLE).whole, why)

    def test_the_property_is_named(self) -> None:
        line = "pan:1: assertion violated (( !(r[i].row)|| !(r[i].waiter))||row_first) (at depth 87)\n"
        self.assertEqual(promela.parse(line + WHOLE).broken, "row_first")

    def test_another_error_is_told_as_it_is(self) -> None:
        self.assertEqual(promela.parse("pan:1: invalid end state (at depth 3)\n" + WHOLE).broken, "invalid end state")

    def test_large_numbers(self) -> None:
        self.assertEqual(promela.parse(WHOLE.replace("244965", "1.7e+07")).states, 17000000)

    def test_no_result_is_no_success(self) -> None:
        self.assertIn("no result", str(fail(self, promela.parse, "Segmentation fault\n")))


class Quoted(Scratch):
    def test_spaces_do_not_count_and_what_is_gone_is_told(self) -> None:
        path = self.tmp / "kernel/a.c"
        path.parent.mkdir()
        path.write_text("\tif (one ||\n\t    two)\n")
        self.assertEqual(missing(self.tmp, [Quote("kernel/a.c", "if (one || two)")]), [])
        self.assertEqual(missing(self.tmp, [Quote("kernel/a.c", "three"), Quote("kernel/b.c", "one")]),
                         ["kernel/a.c has no 'three'", "kernel/b.c has no 'one'"])


class Own(unittest.TestCase):
    def test_the_headers_hold_together(self) -> None:
        folder = Path(__file__).resolve().parents[3] / "models"
        for path in folder.glob("*.pml"):
            self.assertTrue(promela.read(path).controls, path)
            self.assertGreaterEqual(path.read_text().count("#if"), len(promela.read(path).controls), path)


if __name__ == "__main__":
    unittest.main()
