# SPDX-License-Identifier: GPL-2.0-only
"""make explore: each fault occurs, what is wrong is told, and a replay does the same without it."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
from pathlib import Path

from kdebug.build import initramfs
from kdebug.context import Context
from kdebug.explore import guest
from kdebug.explore.trial import FAULTS, Trial
from kdebug.guest import boot
from kdebug.guest.bad_lines import Rules
from kdebug.patches import scope
from kdebug.suite.registry import Where, group
from kdebug.suite.report import Tally

# What kernel/faileach/three.c does wrong with its third thread, in which trial, and what is said of it.
WRONG = {
    # The module goes before the threads that it leaves.
    "leak": ("fail -12", r"warning: WARNING: .* at kthread_misuse_notify\+.*"),
    "files": ("fail -12", "left over: debugfs /sys/kernel/debug/three"),
    "oops": ("fail -12", r"oops: BUG: .* at kthread_stop\+.*"),
    "hang": ("fail -12", r"hang: action does not return in .* \[three\]"),
    "stuck": ("fail -12", r"hang: teardown does not return in three_exit\+.*"),
    "ignore": ("fail -12", "half success: action returns 0 without its thread, and the rest goes well"),
    "pin": ("fail -4", "half success: action returns 0 without its thread, and teardown returns 1"),
    "retry": ("fail -12", "ok"),
    "count": ("fail -12", "corruption: refcount_t: .*"),
    "errno": ("fail -12", "another errno: ENOMEM becomes EINVAL: .*"),
    "major": ("fail -4", "does not work again: in a second round action returns 1"),
    "warn": ("kill claim", r"warning: WARNING: three\.c:.*"),
    "ran": ("stop", "oops: BUG: .*"),
    # It waits for the thread, which is then let go: no hang.
    "wait": ("stop", "ok"),
    "work": ("kill fork", "not killable: kworker/.* is a kernel thread"),
}

SCRIPT = """\
# {title}
# limit: {limit}
action() {{ modprobe three bad=2 {params}; }}
again() {{ test -d /sys/module/three; }}
teardown() {{ modprobe -r three; }}
"""


class _Here:
    """A folder with scenarios and results of their own."""

    def __init__(self, context: Context) -> None:
        self.context = dataclasses.replace(context, flavour="plain", cell=context.work / "explore-test")
        self.top = guest.folder(self.context)
        shutil.rmtree(self.top, ignore_errors=True)
        self.top.mkdir(parents=True)

    def scenario(self, name: str, text: str = "", limit: int = 60) -> Path:
        path = self.top / f"{name}.sh"
        path.write_text(text or SCRIPT.format(title=f"how={name}", limit=limit, params=f"how={name}"))
        return path

    def run(self, status: int, *args: str | Path) -> str:
        """scripts/explore: what it prints, its blanks as one."""
        done = subprocess.run([self.context.scripts / "explore", *args], capture_output=True, text=True,
                              env=os.environ | {"FLAVOUR": "plain", "KTHREAD_DEBUG_CELL": str(self.context.cell)})
        assert done.returncode == status, f"status {done.returncode}, not {status}\n{done.stdout}{done.stderr}"
        return re.sub(" {2,}", " ", done.stdout if status < 2 else done.stderr)

    def replay(self, name: str, number: int) -> boot.Result:
        """Run the replay script of a trial in a guest, as a person would."""
        host = guest.machine(self.context)
        initrd = initramfs.extend(host.ready.kernel, host.initrd, self.top / f"{name}-{number}.cpio",
                                  {"/bin/replay": self.top / name / str(number) / "replay.sh"})
        return boot.run(self.context, host.ready.kernel.image, initrd, programs=["replay"], rules=Rules(),
                        label="replay")


def wants(out: str, *patterns: str) -> None:
    """Each of the @patterns is a line of @out."""
    for pattern in patterns:
        assert re.search(rf"^ ?{pattern}$", out, re.M), f"no '{pattern}' in\n{out}"


@group("explore", Where.PLAIN, needs=scope.FAULT)
def explore(context: Context, tally: Tally) -> None:
    """Each creation of a scenario is broken in each way; what is wrong is told."""
    here = _Here(context)
    good = here.scenario("good")
    with tally.case("explore: each fault hits the first and the last creation of a good driver, two guests at a time"):
        out = here.run(0, "--jobs", "2", good)
        wants(out, "0 control control: ok .*", "good: 15 trials: 15 ok, 0 to look at",
              *(rf"\d+ {label} three/{n} #{n + 1} by modprobe: ok .*" for n in (0, 2)
                for label in (Trial(0, *fault).label for fault in FAULTS)))
    with tally.case("explore: what is done is not done again"):
        before = (here.top / "good/5/console.txt").stat().st_mtime_ns
        wants(here.run(0, good), "good: 15 trials: 15 ok, 0 to look at")
        assert (here.top / "good/5/console.txt").stat().st_mtime_ns == before
    with tally.case("explore: a trial is done again on demand"):
        wants(here.run(0, good, "--replay", "5"), r"5 stop three/0 #1 by modprobe: ok .*")
        assert (here.top / "good/5/console.txt").stat().st_mtime_ns > before
    for how, (fault, verdict) in WRONG.items():
        with tally.case(f"explore: {how}: {fault}: {verdict.partition(':')[0]}"):
            passed = verdict == "ok" or verdict.startswith("not killable")
            # What hangs or is left over takes the limit.
            slow = verdict.startswith(("left over", "hang", "half")) or how == "wait"
            out = here.run(0 if passed else 1, here.scenario(how, limit=15 if slow else 60), "--only", f"{fault} *#3 *")
            wants(out, rf"\d+ {fault} three/2 #3 by (?:modprobe|kworker/\S+): (?:{verdict}) \(\d+ s\)",
                  f"{how}: 2 trials: .*")
    with tally.case("explore: a creation that does not come is no pass"):
        script = "action() { modprobe three name=$(tr -dc a-z < /dev/urandom | head -c 9); }\n"
        out = here.run(1, here.scenario("other", script + "teardown() { modprobe -r three; }\n"),
                       "--only", "fail -12 *#1 *")
        wants(out, r"1 fail -12 .*: not reached: no creation in action\(\) matches .*")
    with tally.case("explore: a step that floods the console is cut short"):
        flood = "action() { yes flood | head -n 200000; modprobe three; }\nteardown() { modprobe -r three; }\n"
        out = here.run(0, here.scenario("flood", flood), "--only", "fail -12 *#3 *")
        wants(out, "flood: 2 trials: 2 ok, 0 to look at")
        said = (here.top / "flood/8/console.txt").read_text()
        assert said.count("step=action flood") < 1000 and "more lines)" in said, said[-2000:]
    with tally.case("explore: no creation is no pass"):
        wants(here.run(1, here.scenario("none", "action() { true; }\n")),
              "0 control control: error: no thread is created .*")
    with tally.case("explore: what does not work as it is is no pass"):
        wants(here.run(1, here.scenario("x")), "0 control control: error: with nothing armed action returns 1 .*")
    with tally.case("explore: what this kernel has not is refused"):
        out = here.run(2, here.scenario("disks", "# options: MD_RAID1\naction() { true; }\n"))
        assert "FLAVOUR=plain has no CONFIG_MD_RAID1" in out, out
    with tally.case("explore: the replay of a failure, on its own"):
        result = here.replay("files", _number(here, "files"))
        out = "\n".join(line.said for line in result.lines)
        assert result.passed, result.report()
        wants(out, "/bin/replay: action returned [1-9].*", ".* injects error -12 into .*", ".*Cannot allocate memory")
        assert "no creation was hit" not in out, out
    with tally.case("explore: the replay of a kill, on its own"):
        result = here.replay("warn", _number(here, "warn"))
        out = "\n".join(line.said for line in result.lines)
        wants(out, r"/bin/replay: killed \d+", r"WARNING: three\.c:.*", "/bin/replay: action returned 137")
    with tally.case("explore: the page has all of it"):
        text = (here.top / "index.html").read_text()
        for name in ("good", *WRONG, "none"):
            assert f'<h2 id="{name}">' in text, name


def _number(here: _Here, name: str) -> int:
    """The trial of the scenario @name beside its control."""
    return max(int(path.name) for path in (here.top / name).glob("[0-9]*"))
