#!/bin/sh
# Measure everything that docs/performance.md and docs/scale.md state, and write both anew.
#
#     make bench          or: PYTHON=python3 sh tests/benchmarks/run.sh [--quick]
#
# Makes a virtual environment of its own in build/bench-venv with this checkout and the libraries it is compared with;
# one that cannot be installed gets a row saying so. Music, figures and the cache lie in build/benchmarks. Takes about
# an hour on two cores, --quick (short music, small matrices, nothing written into docs) about five minutes.
set -eu

cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-python3}
VENV=build/bench-venv
OUT=build/benchmarks
BENCH=tests/benchmarks
PEERS="dtaidistance dtw-python synctoolbox"

say() { printf '==> %s\n' "$*"; }

if [ ! -e "$VENV/.ready" ]; then
    say "making $VENV with this checkout and its peers: $PEERS linmdtw"
    "$PYTHON" -m venv "$VENV"
    pip="$VENV/bin/python -m pip install --quiet --disable-pip-version-check"
    $pip --editable .
    for peer in $PEERS; do
        $pip "$peer" || say "$peer cannot be installed here: it will be left out"
    done
    # linmdtw is built from source and does not say what it needs for that.
    { $pip setuptools wheel Cython numpy && $pip --no-build-isolation linmdtw; } ||
        say "linmdtw cannot be installed here: it will be left out"
    touch "$VENV/.ready"
fi

python="$VENV/bin/python"
command -v fluidsynth >/dev/null 2>&1 ||
    say "the fluidsynth program is not here (sudo apt-get install fluidsynth): it will be left out"

if [ "${1:-}" = --quick ]; then
    say "dynamic time warping, small" && "$python" $BENCH/bench_dtw.py --sizes 2000 4000 --timeout 120
    say "synthesis, short" && "$python" $BENCH/bench_synthesis.py --minutes 1 --work $OUT
    say "the whole of align, short" && "$python" $BENCH/bench_align.py --minutes 1 2 --work $OUT
    say "growth, short" && "$python" $BENCH/bench_growth.py --minutes 1 2 4 --work $OUT
    exit
fi

say "dynamic time warping against other libraries"
"$python" $BENCH/bench_dtw.py --timeout 600 --json $OUT/dtw.json
say "dynamic time warping of 18 minutes and of an hour"
"$python" $BENCH/bench_dtw.py --sizes 93000 310000 --only musicnet_build --timeout 3600 --json $OUT/dtw_long.json
say "synthesis against other renderers"
"$python" $BENCH/bench_synthesis.py --work $OUT --json $OUT/synthesis.json
say "the whole of align against librosa and pretty_midi"
"$python" $BENCH/bench_align.py --work $OUT --json $OUT/align.json
say "growth of the cost from one minute to an hour"
"$python" $BENCH/bench_growth.py --work $OUT --json $OUT/growth.json
"$python" $BENCH/report.py $OUT docs
say "wrote docs/performance.md, docs/performance.png and docs/scale.md"
