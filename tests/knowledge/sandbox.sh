#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Gives a command a device of its own: a copy-on-write view of this machine's files, its own
# processes, network and host name. Nothing that the command does reaches the machine.
# Called inside fresh namespaces: sandbox.sh SCRATCH_DIRECTORY "PATHS TO SHOW" COMMAND...
set -euo pipefail
scratch=$1 shown=$2
shift 2
mount --make-rprivate /
mount -t tmpfs -o size=512m scratch "$scratch"
mkdir -p "$scratch"/{upper,work,root}
mount -t overlay overlay \
    -o "lowerdir=/,upperdir=$scratch/upper,workdir=$scratch/work" "$scratch/root"
mount -t tmpfs tmpfs "$scratch/root/run"
mount -t tmpfs -o mode=1777 tmpfs "$scratch/root/tmp"
for path in $shown; do
    [[ -e $scratch/root/$path ]] && continue
    mkdir -p "$scratch/root/$path"
    mount --bind "$path" "$scratch/root/$path"
done
cd "$scratch/root"
mount --rbind /dev dev
mount -t proc proc proc
mount -t sysfs sysfs sys
hostname testbed
ip link set lo up
exec chroot . "$@"
