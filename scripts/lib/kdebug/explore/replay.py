# SPDX-License-Identifier: GPL-2.0-only
"""A trial as a shell script, for anybody's kernel with the series."""

from __future__ import annotations

import shlex

from kdebug.explore.scenario import Scenario
from kdebug.explore.trial import Trial

_HEAD = """\
#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# {title}
# {what}
#
# Run it as root on a kernel with CONFIG_FAIL_KTHREAD{options}{packages}.{disks}
set -u
knobs=/sys/kernel/debug/kthread
[ -e $knobs/requests ] || mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
[ -e $knobs/fail_create ] || {{ echo "$0: no $knobs/fail_create: this kernel has no CONFIG_FAIL_KTHREAD" >&2; exit 2; }}
{check}TMP=$(mktemp -d)
export TMP
cat > "$TMP/scenario" <<'END_OF_SCENARIO'
setup() {{ :; }}
again() {{ :; }}
teardown() {{ :; }}
{text}END_OF_SCENARIO

# A function of the scenario in a shell of its own.
step() {{
	echo "$0: $1"
	sh -e -c ". '$TMP/scenario'; $1"
	echo "$0: $1 returned $?"
}}
"""

_ARM = """\
# Each value is written anew: space and times are used up.
set_knob() {{
	echo "$2" > $knobs/{knob}/$1
}}
set_knob probability 0
set_knob {extra}
set_knob task-filter N
set_knob interval 1
set_knob times 1
set_knob space {space}
set_knob name {name}
set_knob creator {creator}
set_knob probability 100
before=$(cat $knobs/{knob}/hits)
"""

_KILL = """\
step action &
action=$!
# Until the creation is held; then its creator is killed, and goes on, or is gone.
while kill -0 $action 2>/dev/null && [ "$(cat $knobs/comp_block/held)" = 0 ]; do
	sleep 0.1 2>/dev/null || sleep 1
done
row=$(awk '$4 != "-" && $1 != "#" { print $1, $6; exit }' $knobs/requests)
if [ -n "$row" ]; then
	id=${row% *}
	kill -9 "${row#* }" && echo "$0: killed ${row#* }"
	while awk -v id="$id" '$1 == id && $5 == "-" { found = 1 } END { exit !found }' $knobs/requests; do
		sleep 0.1 2>/dev/null || sleep 1
	done
fi
echo all > $knobs/comp_block/release
wait $action
"""

_TAIL = """\
echo 0 > $knobs/{knob}/probability
{again}step teardown
echo all > $knobs/comp_block/release
[ "$(cat $knobs/{knob}/hits)" != "$before" ] || echo "$0: no creation was hit"
"""

_END = """\
# Once more with nothing armed.
step setup
step action
step again
step teardown
if [ -e /sys/kernel/debug/kmemleak ]; then
	for _ in 1 2; do
		echo scan > /sys/kernel/debug/kmemleak
		sleep 6
	done
	cat /sys/kernel/debug/kmemleak
fi
"""

_WHAT = {
    "fail": "the creation of {row} fails with {arg}",
    "kill": "the creator is killed while the creation of {row} waits at {arg}",
    "stop": "{row} is stopped before it has run",
    "slow": "the creation of {row} takes a second",
    "slow-exit": "the exit of {row} takes a second",
    "control": "nothing is armed",
}


def what(trial: Trial) -> str:
    """The trial in a clause."""
    return _WHAT[trial.fault].format(row=trial.row, arg=trial.arg)


def _extra(trial: Trial) -> str:
    """The value that only this fault has, and hold_ms."""
    if trial.fault == "fail":
        return f"errno {trial.arg}"
    point = {"kill": trial.arg, "stop": "run", "slow": "complete", "slow-exit": "exit"}[trial.fault]
    hold = trial.arg if trial.fault.startswith("slow") else "0"
    return f"point {point}\nset_knob hold_ms {hold}"


def script(scenario: Scenario, trial: Trial) -> str:
    """The script for @trial of @scenario."""
    names = [f"DISK{n}" for n in range(1, len(scenario.disks) + 1)]
    options = f", {', '.join(f'CONFIG_{o}' for o in scenario.options)}" if scenario.options else ""
    out = _HEAD.format(
        title=scenario.title, what=what(trial), options=options, text=scenario.text.rstrip("\n") + "\n",
        packages=f", with the packages {' '.join(scenario.packages)}" if scenario.packages else "",
        disks=f"\n# {' '.join(names)}: block devices that may be overwritten." if names else "",
        check="".join(f': "${{{name}:?a block device that may be overwritten}}"\nexport {name}\n' for name in names))
    if "net" in scenario.needs:
        out += "ip link set lo up 2>/dev/null || ifconfig lo 127.0.0.1 up\n"
    if not trial.number:
        return f"{out}\nstep setup\nstep action\nstep again\nstep teardown\n{_END}"
    knob = "fail_create" if trial.fault == "fail" else "comp_block"
    out += "\nstep setup\n" + _ARM.format(knob=knob, extra=_extra(trial), space=trial.space,
                                        name=shlex.quote(trial.name), creator=shlex.quote(trial.creator))
    out += _KILL if trial.fault == "kill" else "step action\n"
    return out + _TAIL.format(knob=knob, again="" if trial.fault == "stop" else "step again\n") + _END
