"""The text of docs/scale.md, computed from the measured growth of the cost of ``align``."""

import math

FIRST_KEPT, FIRST_AFTER = "## A dataset, built and killed\n", "## When an approximation would pay\n"
"""What is between these is measured by other commands, and stays as it is where the page is written anew."""

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


def page(growth, before):
    """The text of docs/scale.md, with what other commands have measured taken from the text before."""
    cost = Cost(growth)
    mean_s = cost.cpu_s(MUSICNET_MINUTES)
    speed = 60 * MUSICNET_MINUTES / mean_s
    audio_mb = 60 * 44_100 * 2 / 1e6
    return TEXT.format(
        measured=before[before.index(FIRST_KEPT) : before.index(FIRST_AFTER)],
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
