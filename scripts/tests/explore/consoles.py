# SPDX-License-Identifier: GPL-2.0-only
"""Consoles of trials, in lines as they come."""

from __future__ import annotations

from kdebug.explore import console
from kdebug.explore.console import Creation, Seen
from kdebug.explore.trial import Trial, plan


def raw(text: str) -> bytes:
    """@text as the console of a guest, a line each."""
    return b"".join(f"[    1.{n:06d}] {line}\n".encode() for n, line in enumerate(text.splitlines()))


def seen(text: str) -> Seen:
    return console.read(raw(text))


def step(n: int, what: str, status: int | str = 0, round_: int = 1) -> str:
    return (f"explore: begin n={n} round={round_} what={what}\n"
            f"explore: step n={n} round={round_} what={what} status={status}\n")


def creation(name: str, id_: int, error: int = 0) -> str:
    return (f"kthread_create_queue: id={id_} name={name} fn=three_thread[three] creator=40\n"
            f"kthread_create_return: id={id_} pid=41 error={error} stage=completing latency_ns=5\n")


def second(n: int, action: int = 0) -> str:
    """The second round, in which a thread is created again."""
    return (step(n, "setup", 0, 2) + f"explore: begin n={n} round=2 what=action\n" + creation("one/0", 90)
            + f"explore: step n={n} round=2 what=action status={action}\n" + step(n, "again", 0, 2)
            + step(n, "teardown", 0, 2))


def control(*names: str, creator: str = "modprobe", kthread: int = 0) -> str:
    """A control that creates threads of these @names."""
    made = "".join(creation(name, 30 + n) for n, name in enumerate(names))
    told = "".join(f"explore: created n=0 kthread={kthread} comm={creator}|id={30 + n} name={name} fn=f[three]"
                   " creator=40\n" for n, name in enumerate(names))
    return ("explore: trial n=0 fault=control arg= space=1 creator=|name=\n" + step(0, "setup")
            + "explore: begin n=0 round=1 what=action\n" + made + "explore: step n=0 round=1 what=action status=0\n"
            + told + step(0, "again") + step(0, "teardown") + second(0)
            + "explore: done n=0 clean=1\nexplore: checked n=0\n")


def trial(n: int = 1, action: int | str = 1, between: str = "", later: str = "", hits: int = 1,
          done: str = "explore: done n={n} clean=1\nexplore: checked n={n}\n", again: int = 0, teardown: int = 0,
          second_action: int = 0) -> str:
    """A trial: @between stands in the action, and @later behind the teardown."""
    return (f"explore: trial n={n} fault=fail arg=-12 space=1 creator=modprobe|name=one/[0-9]*\n" + step(n, "setup")
            + f"explore: begin n={n} round=1 what=action\n{between}"
            + f"explore: step n={n} round=1 what=action status={action}\n"
            + (step(n, "again", again) if action == 0 else "") + step(n, "teardown", teardown)
            + f"explore: hits n={n} count={hits}\n{later}" + second(n, second_action) + done.format(n=n))


ONE = [Creation("one/0", "modprobe", False)]


def of(fault: str) -> Trial:
    """The trial with the @fault, as "kill fork", of the one creation of ONE."""
    return next(one for one in plan(ONE) if one.label == fault)
