#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What busybox's udhcpc runs: have the interface up, and take the address that it
# was given.
# shellcheck disable=SC2154 # they are in the environment
case $1 in
deconfig) ifconfig "$interface" up ;;
bound) ifconfig "$interface" "$ip" netmask "$subnet" ;;
esac
