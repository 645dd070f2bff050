"""Write docs/performance.md, its plot, and docs/scale.md from the figures that the benchmarks left.

python tests/benchmarks/report.py build/benchmarks docs
"""

import json
import sys
from pathlib import Path

import bench_align
import bench_dtw
import bench_growth
import bench_synthesis
import scale

TEXT = """# Performance

What a command costs, and what the same work costs elsewhere. Every table is written by

    make bench

which rewrites this page; here on {machine}. Wall-clock times and "times real time" depend on
what else the machine does meanwhile, CPU seconds (user + system, all threads) much less; here the load average was
{load:.0f}. Compilers' caches are warm: the very first alignment after an installation takes about ten seconds more,
while numba compiles the kernels.

## Dynamic time warping

Two sequences of {dimensions} features per frame, every contender in a process of its own. Memory is what aligning adds
to interpreter, imports, data and, where one is given, the ready cost matrix. "The same" path is the same in every
step.

{dtw}

Larger than the others can go, 18 minutes against 18 minutes and more, within the default budget of 1 GiB:

{dtw_long}

## Synthesis

A string quartet of {synthesis_minutes:g} minutes with {soundfont}, 44.1 kHz, no effects. pretty_midi renders every
instrument with a synthesizer of its own.

{synthesis}

## The whole of `align`

`musicnet-build align RECORDING SCORE -o LABELS --preset musicnet` as a user runs it, start-up included, beside a plain
script of the same recipe with librosa and pretty_midi (`tests/benchmarks/paper_recipe.py`). Where the script has no
figures, its matrices would take more than nine tenths of the free memory. Of every measurement the faster of two is
kept.

{align}

## What the stages of `precise` cost

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python tests/benchmarks/bench_stages.py

measures each stage by itself. The figures are CPU seconds a unit before (commit e41abcd) and after they were made
cheaper for version 0.2.0, in turn, the least of two times three runs, on a machine on which some forty other processes
wanted two processors. Only the ratios hold: on an idle machine the seconds are about half of these.

| stage | before | after | ratio | a unit is |
|---|---:|---:|---:|---|
| warping, 50 features | 5.35 | 3.45 | 1.6 | Gcell |
| warping, 176 features (coarse passes) | 16.4 | 9.34 | 1.8 | Gcell |
| warping in a band of 0.5 s (fine passes) | 66 | 25.6 | 2.6 | Gcell |
| semitone spectrum, window 1024 | 7.13 | 3.76 | 1.9 | million frames |
| semitone spectrum, window 2048 | 12.2 | 8.02 | 1.5 | million frames |
| semitone spectrum, window 4096 | 34.8 | 15.2 | 2.3 | million frames |
| onset network | 0.673 | 0.252 | 2.7 | million frames and pitches |
| features of the fine passes | 10.7 | 2.81 | 3.8 | million frames |

- Warping: sums of 4 rows by 16 columns stay in registers over all dimensions, anti-diagonals are laid side by side by
  shuffles, and tracing back keeps to the band. Two of the three coarse passes compare the same features with other step
  weights: their distances are computed once, which is not in the table.
- Spectra: each bin is added to the two or three bands that it belongs to, in place of a product with the whole
  filterbank, in blocks that fit into the cache.
- Network: a convolution that copies nothing, in place of a product that needs each frame once for each tap.
- Features of the fine passes: `log` and `exp` in place of `log1p` and `expm1`, which take six times as long; onsets
  that three passes share were computed once (no more: they were 44 MB of the peak, for 0.1 s).

The whole of `precise`, start-up included, cache off, in turn on the idle machine, the least of two runs:

| CPU s (wall s) of `musicnet-build align` | 0.1.0 | before | after |
|---|---:|---:|---:|
| quartet of six minutes, by `tests/benchmarks/quartet.py` | 20.9 (18.3) | 26.3 (23.7) | 18.0 (15.7) |
| real quartet, 40 s | 3.1 (2.7) | 4.7 (4.3) | 3.8 (3.4) |
| fugue for piano, two minutes | 7.3 (6.1) | 9.4 (8.2) | 7.5 (6.5) |

with one thread for products and two for kernels. Peaks fell from 694 to 659 MB (six minutes) and from 365 to 325 MB.
Rendering the score twice and starting up, which did not change, are some five of the 18.
Labels stayed the same byte for byte, confidences too, on a real quartet (`bach10_01`) and on a piano prelude. They
moved where the recording is a rendering of the score by the same soundfont, as the quartet of six minutes is: there
frames nearly tie, and sums in another order decide. Of 4,361 onsets 315 moved by one sample and 6 by up to 2.9 ms.

Then what need not be done at all was left out (CPU seconds, user and system, the least of three runs in turn, cache
off; on a machine whose two processors a dozen other processes wanted, so that wall-clock times say nothing; `before` is
commit f39304c):

    git worktree add ../before f39304c
    for tree in ../before .; do
        PYTHONPATH=$tree MUSICNET_BUILD_CACHE=off /usr/bin/time -f "%U + %S s, %M KB" \\
            python -c "from musicnet_build.cli import main; main()" align RECORDING SCORE -o labels.csv --force
    done

| CPU s of `musicnet-build align` | before | after | ratio | peak MB before | after |
|---|---:|---:|---:|---:|---:|
| quartet of six minutes, by `tests/benchmarks/quartet.py` | 18.8 | 11.0 | 1.7 | 688 to 689 | 672 to 697 |
| the same of two minutes | 6.7 | 4.7 | 1.4 | 422 to 424 | 405 to 406 |
| fugue for piano (`asap`), two minutes | 7.8 | 5.2 | 1.5 | 432 to 436 | 413 to 419 |

Then spectra were transformed in vectors, and three smaller things changed. By the same command, commit 20db9d2 in turn
with what came of it, the least of six runs (of the shorter ones two) on an Intel Xeon whose two processors nine other
processes wanted; so again only the ratios hold:

| CPU s of `musicnet-build align` | before | after | ratio | peak MB before | after |
|---|---:|---:|---:|---:|---:|
| quartet of six minutes, by `tests/benchmarks/quartet.py` | 12.2 | 9.6 | 1.3 | 657 to 673 | 602 to 619 |
| the same of two minutes | 5.4 | 4.2 | 1.3 | 391 to 397 | 356 to 359 |
| fugue for piano (`asap`), two minutes | 5.6 | 5.2 | 1.1 | 402 to 403 | 375 to 383 |

All of it together, on the same Xeon when both processors were idle, in turn, the least of three; `before` is commit
e41abcd, where the first table begins:

| `musicnet-build align`, quartet of six minutes | before | now | ratio |
|---|---:|---:|---:|
| CPU s, as a user runs it | 29.2 | 9.5 | 3.1 |
| CPU s, with `OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1` | 22.4 | 9.1 | 2.4 |
| wall-clock, s, as a user runs it | 18.2 | 8.0 | 2.3 |
| times real time | 20 | 45 | |
| peak MB | 728 to 756 | 601 to 619 | |

A fugue of two minutes now takes 4.5 CPU seconds and 3.9 by the clock, a real quartet of 41 s 1.9 and 1.7.

Where they go: of the quartet of six minutes and of two minutes, by

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MUSICNET_BUILD_CACHE=off \\
        python tests/benchmarks/bench_precise.py RECORDING SCORE

| stage | 6 minutes, before | after | 2 minutes, after |
|---|---:|---:|---:|
| rendering, twice | 1.5 | 1.3 | 0.5 |
| fine passes | 1.6 | 1.3 | 0.3 |
| spectra | 2.3 | 0.9 | 0.3 |
| onset network, twice | 0.9 | 0.9 | 0.3 |
| learning from sure notes | 1.0 | 0.9 | 0.9 |
| coarse passes | 0.8 | 0.8 | 0.2 |
| playing order | 0.8 | 0.8 | 0.1 |
| imports | 0.7 | 0.6 | 0.6 |
| placing notes, twice | 0.5 | 0.6 | 0.2 |
| reading | 0.3 | 0.3 | 0.1 |
| quality, and all else | 0.7 | 0.5 | 0.2 |
| all | 11.0 | 9.0 | 3.7 |

- Spectra: a transform of our own that takes eight frames at a time, one in each lane of a vector, and ends in the bands
  themselves (`features/transforms.py`): a third of the time of scipy's with bands summed from it, 4.0 µs and 14 a frame
  of 4,096 samples. What differs are roundings: of eleven recordings eight keep every byte, and 331 of the 7,821 onsets
  of the other three move by one sample.
- Fine passes: in a band narrower than a tile, tracing back met every tile, and computed all distances again. There the
  steps of each cell are kept, a byte each.
- Rendering: FluidSynth looks at all voices at each event. It gets 256, and where those do not suffice the score is
  rendered again with 2,048; the sound is the same to the bit.
- Loudness, and the features of the passes, are worked out in blocks that fit into the cache, with the same bytes.

For the table before that:

- Coarse passes: they keep within 15 s of a rough path between means of four frames, so that their cost grows with the
  length of the music and not with its square. On 26 recordings no pass goes further from it than 7.6 s, with a band or
  without.
- Rendering, and spectra of renderings: at half the sample rate. Labels move by less than a millisecond in the median
  (CHANGELOG.md has their figures).
- Products: commands keep BLAS to one thread unless `OPENBLAS_NUM_THREADS` says otherwise. The products are small, and
  its threads wait for the next one by spinning: three to four CPU seconds of six minutes, with the same labels. In
  Python, set the variable before numpy is imported.
- Playing order: the cost of playing straight through is searched only where another order was found.

Of these figures some two seconds are imports, compiled code that is loaded, and 50 steps of learning, whatever the
length; so short recordings gain less.

What was tried and left out:

- 50 steps of learning on 64 notes in place of 128 save 0.35 s of any alignment. Within 25 / 50 / 100 ms are then 78.0 /
  89.4 / 92.4 % of `kv465` in place of 78.3 / 89.6 / 92.3, 68.0 / 89.0 / 97.8 % of `bach10` (each player's onset) in
  place of 68.5 / 88.8 / 97.7, and of the pianos as many as before to 0.1 %: strings are what the learning is for.
- A band of 0.3 s in place of 0.5 for the fine passes: 15 % less of them, since blocks of 32 rows hardly get smaller;
  and the median pass leaves 0.3 s at 1.4 % of the chords of one piece of eleven.
- A second thread for a narrow band. Tiles of a band that is narrower than a tile follow one another. Smaller tiles take
  longer to hand out than to compute. Side by side the three fine passes would use both cores, and each takes 130 MB and
  more at six minutes; the coarse passes and the tempi of the search, which are smaller, took 20 MB more side by side at
  two minutes (arenas of threads), for some 0.4 s of wall-clock time.
- Voices that FluidSynth is given while it plays: those that are added while a chord of 900 begins come too late.
- Keeping memory in place of giving it back (`mallopt`): 0.4 s less of six minutes, and 40 MB more.
- Starting up takes 1.1 s: 0.7 of imports, and 0.4 until numba has loaded the first kernel, which imports scipy's linear
  algebra on its own. Without collecting garbage meanwhile it is 0.06 less.

Not tried: the second pass of the network near notes only, for some 0.25 s; at the ends of the music whole curves are
looked at.

Tried and left out before that: plain loops over other numbers of rows and dimensions (2.5 ns a cell of 60 features at
best; 2.8 before, 1.7 from registers); a loop over dimensions that the compiler unrolls, which puts a sum into memory
(7.7 ns a cell of 176 features, 4.5 without); bands summed one frame at a time (three times as slow as many frames at
once).

**A GPU** could take over the network and the distances; rendering, transforms, the recursion and the search would stay.
By this table network, learning and the passes with their distances are some four of nine CPU seconds, and importing
PyTorch alone takes 1.4 (`python -c "import torch"`). So it could save a quarter of a single alignment at most, and four
ninths in an archive, whose workers import it once. It was not measured on one, and is left out;
`PYTHONPATH=tests python tests/benchmarks/bench_gpu.py` measures the network on yours.

## Growth with the length of the music

The cache is off. CPU seconds by stage; the largest cost matrix has {cells:.1f} thousand million cells.

{growth}

![CPU seconds and peak memory of align against the length of the music](performance.png)

Fitted over the longest eighth to the longest, cost grows with these powers of the length:

{exponents}

Over all lengths, CPU seconds are close to {start_s:.1f} + {linear_s:.2f} t + {quadratic_s:.3f} t², with t in minutes.
The quadratic term, exact dynamic time warping, passes the linear one at {crossing:.0f} minutes. What that means for
archives is in [scale.md](scale.md).
"""


def page(dtw, dtw_long, synthesis, align, growth):
    """The text of docs/performance.md."""
    exponents = "\n".join(f"- {name}: {value:.2f}" for name, value in growth["exponents"].items())
    longest = growth["rows"][-1]["frames"]
    return TEXT.format(
        machine=growth["machine"],
        load=max(part["load"] for part in (dtw, align, growth)),
        dimensions=dtw["dimensions"],
        dtw=bench_dtw.table(dtw["rows"]),
        dtw_long=bench_dtw.table(dtw_long["rows"]),
        synthesis_minutes=synthesis["minutes"],
        soundfont=synthesis["soundfont"],
        synthesis=bench_synthesis.table(synthesis),
        align=bench_align.table(align["rows"]),
        growth=bench_growth.table(growth["rows"]),
        exponents=exponents,
        cells=longest[0] * longest[1] / 1e9,
        start_s=growth["start_s"],
        linear_s=growth["linear_s_per_minute"],
        quadratic_s=growth["quadratic_s_per_minute2"],
        crossing=growth["linear_s_per_minute"] / growth["quadratic_s_per_minute2"],
    )


def plot(path, growth, align):
    """CPU seconds by stage, and peak memory, against minutes, both axes logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import ScalarFormatter

    rows = growth["rows"]
    minutes = [row["minutes"] for row in rows]
    script = [row for row in align["rows"] if row["contender"].startswith("librosa") and "failed" not in row]
    figure, (time_axes, memory_axes) = pyplot.subplots(1, 2, figsize=(9, 3.6), dpi=80, layout="constrained")
    time_axes.plot(minutes, [row["cpu_s"] for row in rows], "k-o", label="align, all")
    for stage, style in (("synthesis and spectra", "--"), ("alignment", "-.")):
        time_axes.plot(minutes, [row["stages"][stage] for row in rows], style, label=stage)
    memory_axes.plot(minutes, [row["peak_mb"] for row in rows], "k-o", label="align")
    for axes, key in ((time_axes, "cpu_s"), (memory_axes, "peak_mb")):
        axes.plot(
            [row["minutes"] for row in script], [row[key] for row in script], "r:s", label="librosa + pretty_midi"
        )
    time_axes.set_ylabel("CPU seconds")
    memory_axes.set_ylabel("peak memory (MB)")
    for axes in (time_axes, memory_axes):
        axes.set(xscale="log", yscale="log", xlabel="minutes of music", xticks=minutes)
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.minorticks_off()
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path, metadata={"Software": None})


def main():
    figures, docs = Path(sys.argv[1]), Path(sys.argv[2])
    names = ("dtw", "dtw_long", "synthesis", "align", "growth")
    results = {name: json.loads((figures / f"{name}.json").read_text(encoding="utf-8")) for name in names}
    (docs / "performance.md").write_text(page(**results), encoding="utf-8")
    before = (docs / "scale.md").read_text(encoding="utf-8")
    (docs / "scale.md").write_text(scale.page(results["growth"], before), encoding="utf-8")
    plot(docs / "performance.png", results["growth"], results["align"])


if __name__ == "__main__":
    main()
