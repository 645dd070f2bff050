"""Compare exact DTW with other libraries: CPU seconds, peak memory, cost of the path.

    python tests/benchmarks/bench_dtw.py [--sizes 4000 8000 16000 31000] [--only NAME …] [--json OUT.json]

Every contender aligns the same two seeded feature sequences in a process of its own. It aligns the first 64 frames to
warm up, then all of them: CPU time (user + system, all threads) is that of the second call, and peak memory is how far
the call raises the process's high-water mark above interpreter, imports, data and, where a cost matrix is given ready,
that matrix. A library that is not installed, or for which the memory does not suffice, gets a row saying so.
"""

import argparse
import hashlib
import importlib.util
import json
import resource
import sys
import time
from pathlib import Path

import measuring

DIMENSIONS = 50
WARMING_FRAMES = 64


# --- contenders: import, then return a function of the number of frames that returns the path's cost and the path ----


def musicnet_build(X, Y):
    from musicnet_build.dtw.exact import dtw

    def align(n):
        warped = dtw(X[:n], Y[:n])
        return warped.cost, warped.path

    return align


def librosa_from_features(X, Y):
    import librosa

    def align(n):
        # Through scipy's direct differences, as librosa does by itself.
        D, path = librosa.sequence.dtw(X[:n].T, Y[:n].T)
        return D[-1, -1], path[::-1]

    return align


def librosa_from_matrix(X, Y):
    import librosa
    from scipy.spatial.distance import cdist

    C = cdist(X, Y)

    def align(n):
        D, path = librosa.sequence.dtw(C=C[:n, :n])
        return D[-1, -1], path[::-1]

    return align


def dtaidistance(X, Y):
    from dtaidistance import dtw, dtw_ndim

    def align(n):
        x, y = X[:n].astype(float), Y[:n].astype(float)
        cost, paths = dtw_ndim.warping_paths_fast(x, y, inner_dist="euclidean")
        return cost, dtw.best_path(paths)

    return align


def dtw_python(X, Y):
    import dtw

    def align(n):
        warped = dtw.dtw(X[:n], Y[:n], step_pattern="symmetric1")
        return warped.distance, list(zip(warped.index1, warped.index2, strict=True))

    return align


def linmdtw(X, Y):
    import linmdtw

    return lambda n: linmdtw.linmdtw(X[:n], Y[:n], do_gpu=False)


def synctoolbox(X, Y):
    import numpy as np
    from synctoolbox.dtw.mrmsdtw import sync_via_mrmsdtw

    step_sizes, ones = np.array([[1, 1], [0, 1], [1, 0]]), np.ones(3)

    def align(n):
        x, y = X[:n].T.astype(float), Y[:n].T.astype(float)
        i, j = sync_via_mrmsdtw(
            f_chroma1=x, f_chroma2=y, input_feature_rate=50, step_sizes=step_sizes, step_weights=ones, verbose=False
        ).astype(int)
        return np.linalg.norm(X[i] - Y[j], axis=1).sum(), np.stack([i, j], axis=1)

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


def align_once(name, frames):
    """Align in this process; print CPU and wall seconds, bytes above and of the baseline, and the path."""
    measuring.limit_memory()
    align = CONTENDERS[name][1](*random_walks(frames))
    align(WARMING_FRAMES)
    before, cpu_s, wall_s = peak_bytes(), time.process_time(), time.perf_counter()
    cost, path = align(frames)
    figures = {"cpu_s": time.process_time() - cpu_s, "wall_s": time.perf_counter() - wall_s, "cost": float(cost)}
    figures |= {"peak_mb": (peak_bytes() - before) / 1e6, "baseline_mb": before / 1e6, "path": digest(path)}
    print(json.dumps(figures))


def digest(path):
    import numpy as np

    return hashlib.sha256(np.ascontiguousarray(path, dtype=np.int64).tobytes()).hexdigest()


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(name, frames, timeout_s):
    """Figures of one contender, or why there are none."""
    row = {"contender": name, "frames": frames}
    if importlib.util.find_spec(CONTENDERS[name][0]) is None:
        return row | {"failed": "not installed"}
    command = [sys.executable, __file__, "--contender", name, "--sizes", frames]
    try:
        return row | measuring.last_line_as_json(measuring.run(command, timeout_s=timeout_s).output)
    except RuntimeError as error:
        return row | {"failed": str(error)}


def table(rows):
    """The rows as a markdown table, with ratios to the first contender of the same size."""
    lines = [
        "| frames | | CPU s | × ours | peak MB | × ours | baseline MB | cost of the path | path |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        head = f"| {row['frames']} | {row['contender']} |"
        if "failed" in row:
            lines.append(f"{head} {row['failed']} | | | | | | |")
            continue
        ours = next(r for r in rows if r["frames"] == row["frames"])
        cpu, memory = (row[key] / max(ours.get(key, float("nan")), 1e-3) for key in ("cpu_s", "peak_mb"))
        lines.append(
            f"{head} {row['cpu_s']:.2f} | {cpu:.1f} | {row['peak_mb']:.0f} | {memory:.0f} "
            f"| {row['baseline_mb']:.0f} | {row['cost']:.4f} "
            f"| {'the same' if row['path'] == ours.get('path') else 'another'} |"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[4000, 8000, 16000, 31000], help="frames of both sequences"
    )
    parser.add_argument("--only", nargs="+", default=list(CONTENDERS), choices=list(CONTENDERS), metavar="NAME")
    parser.add_argument("--timeout", type=int, default=900, help="seconds that one contender may take")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        align_once(options.contender, options.sizes[0])
        return
    rows = []
    for frames in options.sizes:
        for name in options.only:
            rows.append(measure(name, frames, options.timeout))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    print(table(rows))
    if options.json:
        measuring.write_json(options.json, {"dimensions": DIMENSIONS, "rows": rows})


if __name__ == "__main__":
    main()
