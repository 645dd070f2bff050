#!/bin/sh
# Set up a working copy: the FluidSynth library, a virtual environment, and the package in it.
# Needs Python 3.11 to 3.13; takes a system library through apt where it may, otherwise the `bundled` extra.
set -eu

say() { printf '==> %s\n' "$*"; }

has_fluidsynth() {
    "$1" -c 'import ctypes.util, sys; sys.exit(not ctypes.util.find_library("fluidsynth"))'
}

find_python() {
    for candidate in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    echo "setup: Python 3.11, 3.12 or 3.13 is needed, and none was found: install one, or name it: make PYTHON=..." >&2
    return 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

apt_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 ||
        { as_root apt-get update -qq >/dev/null 2>&1 &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }
}

python=$(find_python)
extras=test,check

if ! has_fluidsynth "$python"; then
    say "installing the FluidSynth library with apt"
    if ! apt_install libfluidsynth3; then
        say "no rights to install it system-wide: taking the one that comes with the extra 'bundled'"
        extras=$extras,bundled
    fi
fi

if [ ! -x "$VENV/bin/python" ]; then
    say "making a virtual environment in $VENV"
    if ! "$python" -m venv "$VENV" 2>/dev/null; then
        rm -rf "$VENV"
        say "this Python lacks venv: installing it with apt"
        apt_install "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
        "$python" -m venv "$VENV"
    fi
fi

say "installing musicnet_build[$extras] into $VENV"
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".[$extras]"
