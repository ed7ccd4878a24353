#!/bin/sh
# Lets one account read the energy counters of the processor, for good; or takes all of it back.
#
# Usage: sudo sh packaging/energy/install.sh USER
#        sudo sh packaging/energy/install.sh --undo
#
# What it does and why not more: packaging/energy/README.md.
set -eu

group=edge-slm-energy
name=60-edge-slm-energy.rules
rule=/etc/udev/rules.d/$name
here=$(dirname "$0")

case "${1:-}" in
--undo)
	rm -f "$rule"
	udevadm control --reload
	for zone in /sys/class/powercap/intel-rapl*:*; do
		[ -e "$zone/energy_uj" ] || continue
		chgrp root "$zone/energy_uj" "$zone/max_energy_range_uj"
		chmod 0400 "$zone/energy_uj"
	done
	if getent group "$group" >/dev/null; then groupdel "$group"; fi
	;;
"" | -*)
	echo "usage: $0 USER | --undo" >&2
	exit 2
	;;
*)
	id "$1" >/dev/null
	getent group "$group" >/dev/null || groupadd --system "$group"
	usermod --append --groups "$group" "$1"
	install -m 0644 "$here/$name" "$rule"
	udevadm control --reload
	udevadm trigger --action=change --subsystem-match=powercap
	;;
esac
