#!/bin/sh
# Installs Debian's QEMU for the peer tests where that needs no password; says what to do elsewhere.
set -eu
command -v qemu-system-x86_64 >/dev/null && exit 0
if [ "$(id -u)" = 0 ]; then
    sudo=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo="sudo"
else
    echo "peers: to run these tests: sudo apt-get install -y --no-install-recommends qemu-system-x86" >&2
    exit 0
fi
if command -v apt-get >/dev/null; then
    echo "peers: installing qemu-system-x86"
    { $sudo apt-get update && $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends qemu-system-x86; } >/dev/null ||
        echo "peers: apt-get could not install qemu-system-x86" >&2
fi
