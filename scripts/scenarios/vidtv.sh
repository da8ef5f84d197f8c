# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# vidtv, the frontend of a virtual television receiver
# options: DVB_VIDTV
# packages: dvb-tools perl-base
# limit: 60
setup() { modprobe -a dvb_vidtv_tuner dvb_vidtv_demod dvb_vidtv_bridge; }
action() { perl -e 'open F, "+<", "/dev/dvb/adapter0/frontend0" or die "frontend: $!"; sleep 1'; }
again() { action; }
teardown() { modprobe -r dvb_vidtv_bridge; }
