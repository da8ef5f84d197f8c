# SPDX-License-Identifier: GPL-2.0-only
"""The table of all calls: what is read from a console, and what the page says."""

from __future__ import annotations

import unittest

from kdebug.guest.lines import Line, parse_line
from kdebug.suite import calls

CONSOLE = """\
[    1.000000] calls: cell 10: kthread_stop_put on unwoken
[    1.000100] calls: called
[    1.000200] WARNING: kernel/kthread.c:1 at clean_up+0x1/0x2, CPU#0: calls/40
[    1.000300] kdebug: calls| cell 10 ends: returned -4
[    1.100000] calls: cell 14: kthread_stop_put on gone
[    1.100100] WARNING: kernel/kthread_misuse.c:142 at kthread_misuse_warn+0x1/0x2, CPU#1: calls/41
[    1.100200] kthread_stop_put("calls") at call_stop_put+0x9/0x10 [calls]: already exited from calls_returner [calls]
[    1.100300] calls: called
[    1.100400] kdebug: calls| cell 14 ends: returned 7
[    1.200000] calls: cell 16: kthread_stop_put on NULL
[    1.200100] BUG: kernel NULL pointer dereference, address: 000000000000001c
[    1.200200] kdebug: calls| cell 16 ends: kills the task
"""


def lines(text: str) -> list[Line]:
    return [parse_line(number, 0.0, line.encode()) for number, line in enumerate(text.splitlines(), 1)]


class Read(unittest.TestCase):

    def test_a_cell_has_what_is_said_up_to_its_return(self) -> None:
        cells = calls.read(lines(CONSOLE))
        self.assertEqual([(cell.number, cell.where, cell.verdict) for cell in cells],
                         [(10, "unwoken", "ok"), (14, "gone", "told"), (16, "NULL", "oops")])

    def test_a_call_that_ends_the_guest_is_a_panic(self) -> None:
        cells = calls.read(lines("[ 1.000000] calls: cell 3: kthread_stop on going\n"))
        self.assertEqual([cell.ends for cell in cells], ["panic"])

    def test_a_work_item_that_never_runs_is_lost(self) -> None:
        text = ("[ 1.000000] calls: cell 102: kthread_queue_work on returned\n"
                "[ 1.100000] kdebug: calls| cell 102 ends: returned 1, the work does not run\n")
        self.assertEqual([cell.verdict for cell in calls.read(lines(text))], ["lost"])

    def test_a_return_behind_the_use_of_free_memory_is_silent(self) -> None:
        self.assertEqual(calls.Cell(84, "kthread_func", "gone", "returned 1").verdict, "silent")


class Page(unittest.TestCase):

    def test_a_row_for_each_call_and_a_dash_for_what_is_not_made(self) -> None:
        cells = [calls.Cell(0, "kthread_stop", "unwoken", "returned -4"),
                 calls.Cell(4, "kthread_park", "returned", "returned 0")]
        page = calls.page({"Linux": cells})
        self.assertIn("| `kthread_stop` | ok | - |\n| `kthread_park` | - | ok |\n", page)


if __name__ == "__main__":
    unittest.main()
