# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# audit, an answer that a thread sends
# options: AUDIT
# packages: auditd
action() { auditctl -s >status; }
again() { grep '^enabled' status; }
