# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# nvme, the modules of Fibre Channel and its loop
# options: NVME_TARGET_FCLOOP
action() { modprobe nvme-fcloop; }
again() { ls /sys/class/fcloop/ctl; }
teardown() { modprobe -r nvme-fcloop; }
