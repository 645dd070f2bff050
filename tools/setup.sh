#!/bin/sh
# Set up a working copy: the FluidSynth library, a virtual environment, and the package in it.
# Needs Python 3.11 to 3.13; takes a system library through apt where it may, otherwise the `bundled` extra.
# For the tests of the audit page also Chromium and axe-core, for those of the published models PyTorch; where they cannot
# be had, those tests say so and are skipped.
# Reads PYTHON (the Python to use) and VENV (where the environment goes).
set -eu

: "${VENV:=.venv}"

say() { printf '==> %s\n' "$*"; }
fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

suits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

find_python() {
    for candidate in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11; do
        if suits "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

has_fluidsynth() {
    "$1" -c 'import ctypes.util, sys; sys.exit(not ctypes.util.find_library("fluidsynth"))'
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

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >/dev/null 2>&1; }

apt_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    apt_get install -y --no-install-recommends "$@" ||
        { apt_get update && apt_get install -y --no-install-recommends "$@"; }
}

python=$(find_python) ||
    fail "Python 3.11, 3.12 or 3.13 is needed, and none was found: install one, or name it: make PYTHON=/path/to/python"
say "using $("$python" --version) ($python)"
extras=test,check

if ! has_fluidsynth "$python"; then
    say "installing the FluidSynth library with apt (libfluidsynth3)"
    if ! apt_install libfluidsynth3; then
        say "apt cannot (no rights, no network, or no apt): taking the library of the extra 'bundled' instead"
        extras=$extras,bundled
    fi
fi

if ! [ -x /usr/bin/chromium ]; then
    say "installing Chromium with apt, for the tests of the audit page"
    apt_install chromium || say "apt cannot: the tests of the audit page will be skipped"
fi

if ! [ -e .devtools/node_modules/axe-core ]; then
    say "installing axe-core with npm into .devtools, for the tests of accessibility"
    npm install --silent --no-audit --no-fund --prefix .devtools axe-core@4 >/dev/null 2>&1 ||
        say "npm cannot (or is not here): the tests of accessibility will be skipped"
fi

if [ ! -x "$VENV/bin/python" ]; then
    say "making a virtual environment in $VENV"
    if ! "$python" -m venv "$VENV" >/dev/null 2>&1; then
        rm -rf "$VENV"
        package=python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
        say "this Python lacks venv: installing $package with apt"
        apt_install "$package" || fail "cannot make a virtual environment; first: sudo apt-get install $package"
        "$python" -m venv "$VENV"
    fi
fi

say "installing musicnet_build[$extras] into $VENV"
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".[$extras]"

if ! "$VENV/bin/python" -c 'import torch, safetensors' 2>/dev/null; then
    say "installing PyTorch into $VENV, for the tests of published models"
    # The version that the tests were last run with; where pip finds a build for the CPU alone, it is a tenth as large.
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 'safetensors>=0.4' >/dev/null 2>&1 ||
        say "pip cannot: the tests of published models will be skipped"
fi
