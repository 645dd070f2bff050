#!/bin/sh
# Build the sdist and the wheel, install each into a fresh environment, and see that they work there.
#
#     sh tools/check_dist.sh FOLDER [PYTEST ARGUMENTS]
#
# FOLDER gets the two files. Both environments run the demo; that of the sdist also runs the sdist's own tests, or those
# that the further arguments name. Reads PYTHON (the Python to use) and PIP_FLAGS (further options of pip install).
set -eu

: "${PYTHON:=python3}"
: "${PIP_FLAGS:=}"
folder=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '==> %s\n' "$*"; }

environment() {
    say "a fresh environment for $2"
    "$PYTHON" -m venv "$work/$1"
    # shellcheck disable=SC2086
    "$work/$1/bin/python" -m pip install --quiet --disable-pip-version-check $PIP_FLAGS "$2"
}

run_demo() { (cd "$work" && env -u PYTHONPATH "$work/$1/bin/musicnet-build" demo -o "$work/$1-demo"); }

environment build build
say "building"
rm -rf "$folder"
env -u PYTHONPATH "$work/build/bin/python" -m build --outdir "$folder" . >"$work/build.log" 2>&1 || {
    cat "$work/build.log"
    exit 1
}

environment wheel "$(ls "$folder"/*.whl)"
say "$(du -sh "$work/wheel" | cut -f1) installed"
run_demo wheel

sdist=$(ls "$folder"/*.tar.gz)
environment sdist "${sdist}[test]"
run_demo sdist
tar -xzf "$sdist" -C "$work"
say "the tests of the sdist, where it is unpacked"
(cd "$work/$(basename "$sdist" .tar.gz)" && env -u PYTHONPATH "$work/sdist/bin/python" -m pytest "$@")
