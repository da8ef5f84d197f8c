#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What busybox's udhcpc runs: have the interface up, and take the address that it
# was given.
case $1 in
deconfig) ifconfig "$interface" up ;;
bound) ifconfig "$interface" "$ip" netmask "$subnet" ;;
esac
