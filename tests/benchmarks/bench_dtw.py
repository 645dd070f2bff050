"""Compare exact DTW with other libraries: CPU seconds, peak memory, cost of the path.

    python tests/benchmarks/bench_dtw.py [--sizes 4000 8000 16000] [--only NAME …] [--json OUT.json]

Every contender aligns the same two seeded feature sequences in a process of its own, so that CPU time (user + system,
all threads) and peak memory are those of the operating system's books. From both, the same process's figures for
aligning only the first 64 frames of the same data are subtracted: interpreter, imports, data and, where a cost matrix
is given ready, that matrix. Compilers' caches are warmed before. A library that is not installed gets a row saying so.
"""

import argparse
import importlib.util
import json
import sys
from pathlib import Path

import measuring

DIMENSIONS = 50
BASELINE_FRAMES = 64


# --- contenders: import, then return a function of the number of frames to align, which returns the path's cost -------


def musicnet_build(X, Y):
    from musicnet_build.dtw import dtw

    return lambda n: dtw(X[:n], Y[:n]).cost


def librosa_from_features(X, Y):
    import librosa

    # Through scipy's direct differences, as librosa does by itself.
    return lambda n: librosa.sequence.dtw(X[:n].T, Y[:n].T)[0][-1, -1]


def librosa_from_matrix(X, Y):
    import librosa
    from scipy.spatial.distance import cdist

    C = cdist(X, Y)
    return lambda n: librosa.sequence.dtw(C=C[:n, :n])[0][-1, -1]


def dtaidistance(X, Y):
    from dtaidistance import dtw, dtw_ndim

    def align(n):
        x, y = X[:n].astype(float), Y[:n].astype(float)
        cost, paths = dtw_ndim.warping_paths_fast(x, y, inner_dist="euclidean")
        dtw.best_path(paths)
        return cost

    return align


def dtw_python(X, Y):
    import dtw

    return lambda n: dtw.dtw(X[:n], Y[:n], step_pattern="symmetric1").distance


def linmdtw(X, Y):
    import linmdtw
    import numpy as np

    def align(n):
        i, j = np.asarray(linmdtw.linmdtw(X[:n], Y[:n], do_gpu=False)).T
        return float(np.linalg.norm(X[i] - Y[j], axis=1).sum())

    return align


def synctoolbox(X, Y):
    import numpy as np
    from synctoolbox.dtw.mrmsdtw import sync_via_mrmsdtw

    step_sizes, ones = np.array([[1, 1], [0, 1], [1, 0]]), np.ones(3)

    def align(n):
        x, y = X[:n].T.astype(float), Y[:n].T.astype(float)
        i, j = sync_via_mrmsdtw(
            f_chroma1=x, f_chroma2=y, input_feature_rate=50, step_sizes=step_sizes, step_weights=ones, verbose=False
        ).astype(int)
        return float(np.linalg.norm(X[i] - Y[j], axis=1).sum())

    return align


CONTENDERS = {  # name -> (module that must be there, function)
    "musicnet_build": ("musicnet_build", musicnet_build),
    "librosa, from features": ("librosa", librosa_from_features),
    "librosa, from a ready matrix": ("librosa", librosa_from_matrix),
    "dtaidistance": ("dtaidistance", dtaidistance),
    "dtw-python": ("dtw", dtw_python),
    "linmdtw": ("linmdtw", linmdtw),
    "Sync Toolbox MrMsDTW (approximate, cosine)": ("synctoolbox", synctoolbox),
}


def random_walks(frames):
    """One random walk, and the same walk with a wandering tempo and noise."""
    import numpy as np

    rng = np.random.default_rng(2017)
    X = np.cumsum(rng.standard_normal((frames, DIMENSIONS), dtype=np.float32), axis=0, dtype=np.float32)
    Y = X[np.sort(rng.integers(0, frames, frames))] + rng.standard_normal((frames, DIMENSIONS), dtype=np.float32)
    return X, Y


# --- measuring --------------------------------------------------------------------------------------------------------


def measure(name, frames, aligned, timeout_s):
    """Run one contender in a process of its own; CPU seconds, peak bytes and cost."""
    command = [sys.executable, __file__, "--contender", name, "--sizes", frames, "--aligned", aligned]
    usage = measuring.run(command, timeout_s=timeout_s)
    return usage.cpu_s, usage.peak_bytes, measuring.last_line_as_json(usage.output)


def compare(name, frames, timeout_s):
    """Figures of one contender above its own baseline, or why there are none."""
    row = {"contender": name, "frames": frames}
    try:
        measure(name, BASELINE_FRAMES, BASELINE_FRAMES, timeout_s)
        base_cpu_s, base_bytes, _ = measure(name, frames, BASELINE_FRAMES, timeout_s)
        cpu_s, peak_bytes, cost = measure(name, frames, frames, timeout_s)
    except RuntimeError as error:
        return row | {"failed": str(error)}
    return row | {
        "cpu_s": cpu_s - base_cpu_s,
        "peak_mb": (peak_bytes - base_bytes) / 1e6,
        "baseline_cpu_s": base_cpu_s,
        "baseline_mb": base_bytes / 1e6,
        "cost": cost,
    }


def table(rows):
    """The rows as a markdown table, with ratios to the first contender of the same size."""
    lines = [
        "| frames | contender | CPU s | × ours | peak MB | × ours | baseline CPU s, MB | cost of the path |",
        "|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        head = f"| {row['frames']} | {row['contender']} |"
        if "failed" in row:
            lines.append(f"{head} {row['failed']} | | | | | |")
            continue
        ours = next(r for r in rows if r["frames"] == row["frames"])
        cpu, memory = (row[key] / max(ours.get(key, float("nan")), 1e-3) for key in ("cpu_s", "peak_mb"))
        lines.append(
            f"{head} {row['cpu_s']:.2f} | {cpu:.1f} | {row['peak_mb']:.0f} | {memory:.0f} "
            f"| {row['baseline_cpu_s']:.1f}, {row['baseline_mb']:.0f} | {row['cost']:.3f} |"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[4000, 8000, 16000], help="frames of both sequences")
    parser.add_argument("--only", nargs="+", default=list(CONTENDERS), choices=list(CONTENDERS), metavar="NAME")
    parser.add_argument("--timeout", type=int, default=900, help="seconds that one contender may take")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--aligned", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        measuring.limit_memory()
        _, prepare = CONTENDERS[options.contender]
        align = prepare(*random_walks(options.sizes[0]))
        print(json.dumps(float(align(options.aligned))))
        return
    rows = []
    for frames in options.sizes:
        for name in options.only:
            missing = importlib.util.find_spec(CONTENDERS[name][0]) is None
            rows.append(
                {"contender": name, "frames": frames, "failed": "not installed"}
                if missing
                else compare(name, frames, options.timeout)
            )
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    print(table(rows))
    if options.json:
        measuring.write_json(options.json, {"dimensions": DIMENSIONS, "rows": rows})


if __name__ == "__main__":
    main()
