"""What a job will need, before it runs: an upper bound on its memory, an estimate of its time."""

from musicnet_build.audio.io import audio_info
from musicnet_build.datasets.tasks.task import Task
from musicnet_build.errors import AudioError, DatasetError

# Peak memory of a job by its preset: at any length, and for each second of its recording. Upper bounds on what
# tests/benchmarks/bench_memory.py measures; the preset musicnet also keeps the score's sound, here of up to twice the
# recording's length.
_PEAK_BYTES = {"precise": (450_000_000, 1_250_000), "musicnet": (300_000_000, 650_000)}
# Processor seconds for a second of music: docs/scale.md, by tests/benchmarks/bench_archive.py.
_SECONDS_PER_SECOND = {"precise": 0.025, "musicnet": 0.019}
# Of a sound file that does not say how long it is: as few as most have.
_LEAST_BYTES_PER_SECOND = 16_000
# Of a recording that is elsewhere, and read when its turn comes.
_USUAL_S = 370.0


def memory_needed(task: Task) -> int:
    """Estimate from above how much memory the job of a recording takes at its peak, in bytes."""
    at_any_length, per_second = _PEAK_BYTES[task.settings.preset]
    return at_any_length + round(_duration_s(task) * per_second)


def seconds_needed(task: Task) -> float:
    """Estimate how long the labels of a recording take to find on one processor, in seconds."""
    if task.entry.labels:
        return 0.0
    duration_s = _USUAL_S if "recording" in task.copies else _duration_s(task)
    return duration_s * _SECONDS_PER_SECOND[task.settings.preset]


def _duration_s(task: Task) -> float:
    """About how long a recording is, in seconds; 0 where it cannot be read: its job ends early."""
    try:
        path = task.path("recording")
        stated_s = audio_info(path).duration_s
        return path.stat().st_size / _LEAST_BYTES_PER_SECOND if stated_s is None else stated_s
    except (AudioError, DatasetError, OSError):
        return 0.0
