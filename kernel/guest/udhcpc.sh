#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What busybox's udhcpc runs: take the address that it was given.
[ "$1" != bound ] || ifconfig "$interface" "$ip" netmask "$subnet"
