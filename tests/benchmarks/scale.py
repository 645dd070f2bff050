"""The text of docs/scale.md, computed from the measured growth of the cost of ``align``."""

import math

MEASURED = """## A dataset, built and killed

    python tests/benchmarks/bench_archive.py FOLDER --share 0.1

makes scores and performances of a tenth of MusicNet's size (33 recordings, 3.4 hours), builds them by `build` with
the preset `precise`, builds them again elsewhere, killed by SIGKILL ten times on the way, and compares every byte.
`--share 1` is the whole: 330 recordings, 34 hours, 90 GB of disk. Neither has been run yet: they want an idle
machine. What follows is the same command with `--recordings 6 --hours 0.0334 --seed 1`, two minutes of music, on two
processors (AMD EPYC, 24 GiB) that some twenty other processes wanted, too:

| precise, 2 workers | undisturbed | killed 10 times |
|---|---:|---:|
| CPU s | 8 | 47 |
| CPU minutes for an hour of music | 3.82 | 23.48 |
| wall-clock, minutes | 0.7 | 4.6 |
| memory of the workers, peaks of each fifth of the run, MB | 63 / 341 / 574 / 689 / 689 | 629 / 588 / 579 / 590 / 590 |
| memory of the command itself, likewise, MB | 143 / 143 / 143 / 143 / 143 | 143 / 143 / 143 / 143 / 143 |
| came out | 6 accept | 6 accept |
| the bytes of the undisturbed build | – | yes |
| build again, all of it ready, CPU s | – | 3 |

Of two minutes half is starting up, and a killed build starts eleven times; wall-clock times say nothing here. The
memory stays what the longest recording needs. For what an hour of music takes, take the three hours of
[datasets](datasets.md#what-it-costs): 2.8 CPU minutes. By these, with the 0.59 GB an hour that float32 WAV has:

| | 330 recordings | 10,000 recordings |
|---|---:|---:|
| hours of music | 34 | 1,030 |
| CPU hours | 1.6 | 48 |
| a machine of 2 cores | 48 min | 24 h |
| a machine of 16 cores | 6 min | 3.0 h |
| a cluster of 64 workers | 2 min | 48 min |
| the dataset, GB | 20 | 605 |

The command prints this table from its own figures. The cluster is reckoned with what it takes for itself:

## What a cluster takes

    python tests/benchmarks/bench_cluster.py FOLDER --recordings 16

builds 16 recordings of 20 s in one process, and by `build --cluster` on a scheduler and 1, 2 and 4 workers on the
same machine, started as in [datasets](datasets.md#on-a-cluster). Here on the same two processors, with a load average
of 21:

| workers | 1 | 2 | 4 |
|---|---:|---:|---:|
| the jobs by themselves, CPU s | 15.1 | 15.1 | 15.1 |
| scheduler and workers, CPU s | 26.4 | 24.0 | 28.9 |
| of that for being there, CPU s | 9.1 | 8.7 | 16.6 |
| being there, CPU s a minute | 3.4 | 6.8 | 10.4 |
| added to each recording besides, CPU s | 0.14 | 0.01 | -0.18 |
| the command itself, CPU s | 1.8 | 1.7 | 1.8 |
| wall-clock, s | 160 | 78 | 96 |
| the bytes of one process | yes | yes | yes |

- Being there costs most: 3.4 CPU seconds a minute with one worker, 2.6 for each of four, the scheduler included; some
  5 % of a core each. It goes with the clock, whether there is work or not.
- What is added to each recording besides is at most 0.14 CPU seconds, and less than what the same work varies by on a
  machine that is as busy as this (-0.18 to 0.14). A recording of six minutes takes 17.
- How the wall-clock time falls with the workers could not be seen on two processors that others wanted, and clusters
  of more than four workers were not measured.

"""
"""What other commands have measured; it is kept where the page is written anew."""

TEXT = """# Scale

What labelling an archive with `musicnet-build align --preset musicnet` costs, computed from the growth measured in
[performance.md](performance.md) ({machine}; cache off, {longest:g} minutes the longest piece). `make bench` rewrites
this page.

## The cost of a piece

    CPU seconds  =  {start_s:.2f}  +  {linear_s:.3f} t  +  {quadratic_s:.4f} t²          t: minutes of music
    peak memory  =  {start_mb:.0f} MB  +  {linear_mb:.0f} MB · t

- **Constant**: starting Python, importing numpy, scipy and numba, loading compiled kernels. A process that labels many
  pieces pays it once.
- **Linear**: decoding, synthesis, spectra, writing; and the memory. Most of the time is the synthesis, and
  falls away where the score is in the cache.
- **Quadratic**: exact dynamic time warping, whose cost matrix has {cells_m:.0f} million cells at one minute against one
  minute and 3,600 times as many at an hour. Its memory is not quadratic in practice: tiles grow with the matrix, so
  that it stays within a budget of 1 GiB.

| minutes | CPU s | times real time, one core | share of the alignment | peak memory MB |
|---:|---:|---:|---:|---:|
{pieces}

## An archive

CPU hours for an archive of pieces of one length; the mean of MusicNet's 330 recordings is {musicnet:g} minutes.
Mixed lengths cost more than their mean, because of the square.

| hours of music | {heads} |
|---:|{rules}|
{archives}

The same in machines, for pieces of {musicnet:g} minutes, one process per core, {worker_mb:.0f} MB of memory each:

| hours of music | one laptop, 2 cores | one server, 16 cores | servers to finish in a week |
|---:|---:|---:|---:|
{machines}

Pieces do not depend on each other, so this divides among any number of processes and machines; two processes with one
thread each do more than one with two. A process reads {audio_mb:.1f} MB of 16-bit mono WAV per minute of music, which
at {speed:.0f} times real time is {rate_mb:.0f} MB per second: a disk of 200 MB per second feeds {fed:.0f} cores. It
writes some 30 kB of labels per minute.

Where a scheduler hands out the work (Slurm and its like), `build manifest.csv -o dataset/ --shard K/N` makes the K-th
of N parts in a job of its own. When all have ended, a plain `build` of the same manifest finds everything made and
writes the lists, so that no command is needed to merge them ([datasets](datasets.md)).

{measured}## When an approximation would pay

The quadratic term passes all others at {crossing:.0f} minutes. Below {tenth:.0f} minutes it is less than a tenth of the
cost, and nothing can be gained by leaving exactness. A coarse pass at a quarter of the frame rate and a band of ±10 s
around its path (`dtw(..., band=band_around(...))`) would cost {band_s:.3f} t + {coarse_s:.5f} t² seconds in place of
{quadratic_s:.4f} t²: that halves the cost of a piece from {halves:.0f} minutes on. It is exact within the band only,
and right as long as the coarse path is never more than ten seconds off. Sync Toolbox's multi-resolution warping goes
further; of its frames, 5 to 11 % lie more than 20 ms off the exact path.

Of a piece of {musicnet:g} minutes the alignment is {musicnet_share:.0%} of the cost, and no approximation saves more
than that.
"""

LENGTHS = (3.0, 6.2, 18.0, 60.0)
MUSICNET_MINUTES = 6.2
ARCHIVES_HOURS = (34, 1000, 1_000_000)
FRAMES_PER_MINUTE = 60 * 44_100 / 512
BAND_HALF_WIDTH_S = 10.0
BANDED_CELLS_PER_CPU_S = 0.2e9  # bands of ±10 s reach half the speed of whole matrices: part of each tile is unused


class Cost:
    """CPU seconds and peak memory of pieces of t minutes."""

    def __init__(self, growth):
        import numpy as np

        self.start_s, self.linear_s = growth["start_s"], growth["linear_s_per_minute"]
        self.quadratic_s = growth["quadratic_s_per_minute2"]
        minutes, peaks = zip(*((row["minutes"], row["peak_mb"]) for row in growth["rows"]), strict=True)
        self.linear_mb, self.start_mb = (float(value) for value in np.polyfit(minutes, peaks, 1, w=1 / np.array(peaks)))

    def cpu_s(self, minutes):
        return self.start_s + self.linear_s * minutes + self.warping_s(minutes)

    def warping_s(self, minutes):
        return self.quadratic_s * minutes**2

    def banded_s(self, minutes):
        """CPU seconds of a coarse pass at a quarter of the frame rate, and a fine one in a band around its path."""
        cells = 2 * BAND_HALF_WIDTH_S / 60 * FRAMES_PER_MINUTE**2 * minutes
        return self.warping_s(minutes) / 16 + cells / BANDED_CELLS_PER_CPU_S

    def peak_mb(self, minutes):
        return self.start_mb + self.linear_mb * minutes

    def archive_cpu_h(self, hours, minutes):
        return hours * 60 / minutes * self.cpu_s(minutes) / 3600

    def first_minute(self, condition):
        """The shortest whole number of minutes of which a condition holds."""
        return next(minutes for minutes in range(1, 10_000) if condition(minutes))


def page(growth):
    """The text of docs/scale.md."""
    cost = Cost(growth)
    mean_s = cost.cpu_s(MUSICNET_MINUTES)
    speed = 60 * MUSICNET_MINUTES / mean_s
    audio_mb = 60 * 44_100 * 2 / 1e6
    return TEXT.format(
        measured=MEASURED,
        machine=growth["machine"],
        longest=growth["rows"][-1]["minutes"],
        start_s=cost.start_s,
        linear_s=cost.linear_s,
        quadratic_s=cost.quadratic_s,
        start_mb=cost.start_mb,
        linear_mb=cost.linear_mb,
        cells_m=FRAMES_PER_MINUTE**2 / 1e6,
        pieces="\n".join(_piece(cost, minutes) for minutes in LENGTHS),
        musicnet=MUSICNET_MINUTES,
        heads=" | ".join(f"pieces of {minutes:g} min" for minutes in LENGTHS),
        rules="|".join("---:" for _ in LENGTHS),
        archives="\n".join(_archive(cost, hours) for hours in ARCHIVES_HOURS),
        worker_mb=cost.peak_mb(MUSICNET_MINUTES),
        machines="\n".join(_machines(cost, hours) for hours in ARCHIVES_HOURS),
        audio_mb=audio_mb,
        speed=speed,
        rate_mb=audio_mb / 60 * speed,
        fed=200 / (audio_mb / 60 * speed),
        crossing=cost.first_minute(lambda t: cost.warping_s(t) > cost.cpu_s(t) / 2),
        tenth=cost.first_minute(lambda t: cost.warping_s(t) > cost.cpu_s(t) / 10),
        band_s=cost.banded_s(1) - cost.warping_s(1) / 16,
        coarse_s=cost.quadratic_s / 16,
        halves=cost.first_minute(lambda t: cost.warping_s(t) - cost.banded_s(t) > cost.cpu_s(t) / 2),
        musicnet_share=cost.warping_s(MUSICNET_MINUTES) / mean_s,
    )


def _piece(cost, minutes):
    cpu_s = cost.cpu_s(minutes)
    share = cost.warping_s(minutes) / cpu_s
    return f"| {minutes:g} | {cpu_s:.1f} | {60 * minutes / cpu_s:.0f} | {share:.0%} | {cost.peak_mb(minutes):.0f} |"


def _archive(cost, hours):
    cells = " | ".join(_rounded(cost.archive_cpu_h(hours, minutes)) for minutes in LENGTHS)
    return f"| {hours:,} | {cells} |"


def _machines(cost, hours):
    cpu_h = cost.archive_cpu_h(hours, MUSICNET_MINUTES)
    servers = math.ceil(cpu_h / 16 / (7 * 24))
    return f"| {hours:,} | {_duration(cpu_h / 2)} | {_duration(cpu_h / 16)} | {servers} |"


def _rounded(value):
    return f"{value:.2f}" if value < 10 else f"{float(f'{value:.2g}'):,.0f}"


def _duration(hours):
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:.0f} h" if hours < 72 else f"{_rounded(hours / 24)} days"
